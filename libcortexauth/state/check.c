/*
 * Are the folders of the state as a login needs them?
 * SPDX-License-Identifier: PostgreSQL
 */
#include <cortexauth/state.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "state/folder.h"

enum cortex_reason cortex_state_check(const struct cortex_settings *settings, size_t index,
                                      const char **name_out, struct cortex_error *error) {
  enum cx_state_part part = (enum cx_state_part)index;
  enum cortex_reason reason;
  struct cx_state state;

  *name_out = NULL;
  if (index >= CX_STATE_PARTS)
    return CORTEX_OK;
  *name_out = cx_state_part_name(part);
  reason = cx_state_open(settings, part, &state, error);
  if (reason == CORTEX_OK && cx_state_part_is_written(part) &&
      faccessat(state.fd, ".", W_OK | X_OK, AT_EACCESS) != 0)
    reason = cx_state_refuse(&state, NULL, error, strerror(errno));
  cx_state_close(&state);
  return reason;
}
