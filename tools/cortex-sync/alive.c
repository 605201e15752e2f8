/*
 * Processes: of a session, and of the connection that is at hand, which must be seen as well.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <config.h>

#include "alive.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define TITLE "postgres: " /* every backend's, whatever update_process_title says */

bool is_alive(int64_t pid) {
  return kill((pid_t)pid, 0) == 0 || errno != ESRCH;
}

/* The kernel gives 0 for one that has no pid here; a TCP socket tells nothing. */
static bool is_peer_hidden(int socket) {
  struct ucred peer = {.pid = 0};
  socklen_t size = sizeof peer;

  return getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
         peer.uid != (uid_t)-1 && peer.pid == 0;
}

/* A process of the same number that is no backend; one that does not show itself may be one. */
static bool is_another(int64_t pid) {
  char path[48], title[sizeof TITLE - 1];
  ssize_t len;
  int fd;

  snprintf(path, sizeof path, "/proc/%" PRId64 "/cmdline", pid);
  fd = open(path, O_RDONLY | O_CLOEXEC);
  if (fd < 0)
    return false;
  len = read(fd, title, sizeof title);
  close(fd);
  return len == 0 || (len > 0 && strncmp(title, TITLE, (size_t)len) != 0);
}

bool alive_can_tell(const struct pg *pg, const struct pg_server *server) {
  return is_alive(server->backend) && !is_peer_hidden(pg_socket(pg)) &&
         !is_another(server->backend);
}
