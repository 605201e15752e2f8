/*
 * A state file of one JSON object on one line.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "state/entry.h"

#include <string.h>

#include "util/json.h"

static void begin(struct cx_buf *buf) {
  if (buf->len == 0)
    cx_buf_put(buf, "{", 1);
}

void cx_entry_put_text(struct cx_buf *buf, const char *name, const char *text) {
  begin(buf);
  cx_json_member_text(buf, name, text);
}

void cx_entry_put_number(struct cx_buf *buf, const char *name, int64_t number) {
  begin(buf);
  cx_json_member_number(buf, name, number);
}

enum cortex_reason cx_entry_write(const struct cx_state *state, const char *name,
                                  struct cx_buf *buf, struct cortex_error *error) {
  enum cortex_reason reason;

  cx_buf_put_text(buf, "}\n");
  reason = buf->failed
               ? cx_error_memory(error)
               : cx_state_write(state, name, buf->bytes, buf->len, CX_STATE_DURABLE, error);
  cx_buf_clear(buf);
  return reason;
}

enum cortex_reason cx_entry_read(const struct cx_state *state, const char *name,
                                 const cx_json **entry_out, struct cortex_error *error) {
  struct cx_buf content;
  enum cortex_reason reason = cx_state_read(state, name, CX_ENTRY_MAX, &content, error);

  *entry_out = NULL;
  if (reason != CORTEX_OK || content.bytes == NULL)
    return reason;
  reason = cx_json_parse("file", content.bytes, content.len, entry_out, NULL);
  cx_buf_clear(&content);
  if (reason == CORTEX_OK || reason == CORTEX_INTERNAL)
    return reason == CORTEX_OK ? reason : cx_error_memory(error);
  return cx_state_refuse(state, name, error, "is damaged");
}

const char *cx_entry_text(const cx_json *entry, const char *name) {
  const cx_json *value = cx_json_get(entry, name);

  return cx_json_is_plain(value) ? cx_json_text(value) : NULL;
}

int64_t cx_entry_number(const cx_json *entry, const char *name) {
  return cx_json_integer(cx_json_get(entry, name));
}
