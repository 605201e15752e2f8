/*
 * Anchors sent to the system's log.
 * SPDX-License-Identifier: PostgreSQL
 *
 * Not syslog(3): it would take the identity that PostgreSQL set with openlog,
 * read the time zone, and wait on a full socket while the login holds a slot.
 */
#include "audit/sink_syslog.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define SEVERITY_NOTICE 5 /* RFC 5424 6.2.1 */

void cx_anchor_send(const struct cortex_audit_options *options, const struct cx_chain_head *head) {
  const char *path = options->log_socket != NULL ? options->log_socket : "/dev/log";
  struct sockaddr_un log = {.sun_family = AF_UNIX};
  char text[1024];
  int fd, len;

  len = snprintf(text, sizeof text, "<%d>cortex-audit: anchor %llu:%s %.256s",
                 options->syslog * 8 + SEVERITY_NOTICE, (unsigned long long)head->seq, head->hash,
                 options->file);
  if (len < 0 || (size_t)len >= sizeof text || strlen(path) >= sizeof log.sun_path)
    return;
  memcpy(log.sun_path, path, strlen(path));
  fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0)
    return;
  (void)!sendto(fd, text, (size_t)len, MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&log,
                sizeof log);
  close(fd);
}
