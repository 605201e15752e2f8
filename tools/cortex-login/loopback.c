/*
 * A port of this host that takes one answer from a browser: listening, visitors.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <config.h>

#include "loopback.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "http_request.h"
#include "provider.h"

/* Browsers connect ahead of a request, so one that is silent must not block the others. */
#define VISITORS_MAX 8
#define VISITOR_SECONDS 10

/* ---- the address ---- */

static bool parse_port(const char **at, unsigned *port_out) {
  char *end;
  unsigned long port;

  *port_out = 0;
  if (**at != ':')
    return true;
  if ((*at)[1] < '1' || (*at)[1] > '9')
    return false;
  port = strtoul(*at + 1, &end, 10);
  *at = end;
  *port_out = (unsigned)port;
  return port <= 65535;
}

bool loopback_parse(const char *uri, struct loopback_address *address_out) {
  static const char *const hosts[] = {"127.0.0.1", "[::1]", "localhost"};
  static const char path_letters[] =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
  const char *at = uri;
  size_t i, len;

  if (strncmp(at, "http://", 7) != 0)
    return false;
  at += 7;
  for (i = 0; i < sizeof hosts / sizeof hosts[0]; i++)
    if (strncmp(at, hosts[i], strlen(hosts[i])) == 0)
      break;
  if (i == sizeof hosts / sizeof hosts[0])
    return false;
  snprintf(address_out->host, sizeof address_out->host, "%s", hosts[i]);
  at += strlen(hosts[i]);
  if (!parse_port(&at, &address_out->port))
    return false;
  len = strlen(at);
  if (len > LOOPBACK_PATH_MAX || strspn(at, path_letters) != len || (len > 0 && *at != '/'))
    return false;
  snprintf(address_out->path, sizeof address_out->path, "%s", at);
  return true;
}

void loopback_put_uri(const struct loopback *loopback, struct text *uri) {
  const struct loopback_address *address = &loopback->address;

  text_put_format(uri, "http://%s:%u%s", address->host, address->port, address->path);
}

/* ---- listening ---- */

static socklen_t make_address(bool six, unsigned port, struct sockaddr_storage *storage) {
  memset(storage, 0, sizeof *storage);
  if (six) {
    struct sockaddr_in6 *address = (struct sockaddr_in6 *)storage;

    address->sin6_family = AF_INET6;
    address->sin6_port = htons((uint16_t)port);
    address->sin6_addr = in6addr_loopback;
    return sizeof *address;
  } else {
    struct sockaddr_in *address = (struct sockaddr_in *)storage;

    address->sin_family = AF_INET;
    address->sin_port = htons((uint16_t)port);
    address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return sizeof *address;
  }
}

static bool listen_on(struct loopback *loopback, bool six) {
  struct sockaddr_storage storage;
  socklen_t len = make_address(six, loopback->address.port, &storage);
  int on = 1;
  int fd = socket(six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

  if (fd < 0)
    return false;
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
      bind(fd, (struct sockaddr *)&storage, len) != 0 || listen(fd, VISITORS_MAX) != 0 ||
      getsockname(fd, (struct sockaddr *)&storage, &len) != 0) {
    int cause = errno;

    close(fd);
    errno = cause;
    return false;
  }
  loopback->address.port = ntohs(six ? ((struct sockaddr_in6 *)&storage)->sin6_port
                                     : ((struct sockaddr_in *)&storage)->sin_port);
  loopback->listeners[loopback->listener_count++] = fd;
  return true;
}

enum cli_exit loopback_open(const char *uri, struct loopback *loopback_out) {
  memset(loopback_out, 0, sizeof *loopback_out);
  if (!loopback_parse(uri, &loopback_out->address))
    return CLI_USAGE;
  if (!listen_on(loopback_out, strcmp(loopback_out->address.host, "[::1]") == 0)) {
    cli_complain("no port for the browser's answer (%s): %s", uri, strerror(errno));
    return CLI_OUTSIDE;
  }
  /* A browser may take either address for the name; a host without IPv6 has but one. */
  if (strcmp(loopback_out->address.host, "localhost") == 0)
    (void)listen_on(loopback_out, true);
  return CLI_DONE;
}

void loopback_close(struct loopback *loopback) {
  while (loopback->listener_count > 0)
    close(loopback->listeners[--loopback->listener_count]);
}

/* ---- visitors ---- */

struct visitor {
  int fd; /* -1: nobody */
  struct text request;
  int64_t deadline;
};

struct room {
  struct visitor visitors[VISITORS_MAX];
  const struct loopback *loopback;
  const char *method;
};

static void dismiss(struct visitor *visitor) {
  if (visitor->fd >= 0)
    close(visitor->fd);
  visitor->fd = -1;
  text_clear(&visitor->request);
}

/* When all places are taken, the one that has waited longest goes. */
static void welcome(struct room *room, int listener) {
  struct visitor *place = &room->visitors[0];
  int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
  size_t i;

  if (fd < 0)
    return;
  for (i = 0; i < VISITORS_MAX && place->fd >= 0; i++)
    if (room->visitors[i].fd < 0 || room->visitors[i].deadline < place->deadline)
      place = &room->visitors[i];
  dismiss(place);
  place->fd = fd;
  place->deadline = provider_deadline(VISITOR_SECONDS);
}

static void answer(struct visitor *visitor, enum http_verdict verdict) {
  char page[1024];
  size_t len = http_answer(verdict, page, sizeof page);

  /* It fits into the socket's buffer; a browser that has gone is no concern. */
  (void)!send(visitor->fd, page, len, MSG_NOSIGNAL);
  dismiss(visitor);
}

/* True when this visitor brought the answer. */
static bool hear(struct room *room, struct visitor *visitor, struct text *parameters) {
  const struct loopback_address *address = &room->loopback->address;
  enum http_verdict verdict;
  char bytes[4096];
  ssize_t got = recv(visitor->fd, bytes, sizeof bytes, 0);

  if (got < 0 && (errno == EAGAIN || errno == EINTR))
    return false;
  if (got > 0)
    text_put_bytes(&visitor->request, bytes, (size_t)got);
  explicit_bzero(bytes, sizeof bytes);
  if (got <= 0) {
    dismiss(visitor);
    return false;
  }
  verdict = http_judge(&visitor->request, room->method, address, parameters);
  if (verdict != HTTP_UNFINISHED)
    answer(visitor, verdict);
  return verdict == HTTP_TAKEN;
}

static int milliseconds_until(int64_t deadline) {
  int64_t left = (deadline - provider_deadline(0)) / 1000000;

  return left < 0 ? 0 : left > 1000 ? 1000 : (int)left + 1;
}

/* Fills the table of what to wait for; gives its length. Listeners stand first. */
static nfds_t list_waiting(const struct room *room, struct pollfd *table) {
  nfds_t count = 0;
  size_t i;

  for (i = 0; i < room->loopback->listener_count; i++)
    table[count++] = (struct pollfd){room->loopback->listeners[i], POLLIN, 0};
  for (i = 0; i < VISITORS_MAX; i++)
    table[count++] = (struct pollfd){room->visitors[i].fd, POLLIN, 0};
  return count;
}

static bool serve(struct room *room, const struct pollfd *table, struct text *parameters) {
  size_t first = room->loopback->listener_count, i;

  for (i = 0; i < VISITORS_MAX; i++) {
    struct visitor *visitor = &room->visitors[i];

    if (visitor->fd >= 0 && table[first + i].revents != 0 && hear(room, visitor, parameters))
      return true;
    if (visitor->fd >= 0 && provider_deadline(0) > visitor->deadline)
      dismiss(visitor);
  }
  for (i = 0; i < first; i++)
    if (table[i].revents != 0)
      welcome(room, table[i].fd);
  return false;
}

enum cli_exit loopback_wait(struct loopback *loopback, const char *method, int64_t deadline,
                            struct text *parameters) {
  struct room room = {.loopback = loopback, .method = method};
  struct pollfd table[2 + VISITORS_MAX];
  enum cli_exit code = CLI_NO;
  size_t i;

  for (i = 0; i < VISITORS_MAX; i++)
    room.visitors[i].fd = -1;
  while (code == CLI_NO && provider_deadline(0) < deadline) {
    nfds_t count = list_waiting(&room, table);

    if (poll(table, count, milliseconds_until(deadline)) < 0 && errno != EINTR) {
      cli_complain("waiting for the browser: %s", strerror(errno));
      code = CLI_OUTSIDE;
    } else if (serve(&room, table, parameters)) {
      code = CLI_DONE;
    }
  }
  for (i = 0; i < VISITORS_MAX; i++)
    dismiss(&room.visitors[i]);
  if (code == CLI_NO)
    cli_complain("no browser came back in time; please start again");
  return code;
}
