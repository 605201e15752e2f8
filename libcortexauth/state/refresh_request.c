/*
 * Asking for a refresh: what a login leaves when it lacks an issuer's keys or a policy image.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "state/refresh_request.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

bool cx_refresh_request_leave(const char *state_path, const char *label) {
  char path[PATH_MAX];
  int len = snprintf(path, sizeof path, "%s/requests/%s", state_path, label);
  int fd;

  if (len < 0 || (size_t)len >= sizeof path)
    return false;
  do
    fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0640);
  while (fd < 0 && errno == EINTR);
  if (fd < 0)
    return false;
  close(fd);
  return true;
}
