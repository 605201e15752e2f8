/*
 * Reading PostgreSQL's process title from the right.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "title.h"

#include <stdbool.h>
#include <string.h>

#define PREFIX "postgres: "
#define ACTIVITY " authentication"
#define WALSENDER "walsender "

/* Bytes that are not NUL-terminated. */
struct span {
  const char *text;
  size_t len;
};

static bool begins(struct span span, const char *word) {
  size_t len = strlen(word);

  return span.len >= len && memcmp(span.text, word, len) == 0;
}

static bool ends(struct span span, const char *word) {
  size_t len = strlen(word);

  return span.len >= len && memcmp(span.text + span.len - len, word, len) == 0;
}

static struct span drop(struct span span, size_t len) {
  return (struct span){span.text + len, span.len - len};
}

static bool copy(char *room, size_t size, struct span span) {
  if (span.len == 0 || span.len >= size)
    return false;
  memcpy(room, span.text, span.len);
  room[span.len] = '\0';
  return true;
}

/* Takes the activity off the end; only the two forms of a login are known. */
static bool strip_activity(struct span *body) {
  if (ends(*body, ACTIVITY))
    body->len -= strlen(ACTIVITY);
  else if (ends(*body, " "))
    body->len -= 1;
  else
    return false;
  return true;
}

/* HOST(PORT) with PORT in digits: gives the length of HOST, 0 for any other form. */
static size_t host_len(struct span word) {
  size_t digits = 0;

  if (!ends(word, ")"))
    return 0;
  word.len--;
  while (word.len > 0 && word.text[word.len - 1] >= '0' && word.text[word.len - 1] <= '9') {
    word.len--;
    digits++;
  }
  if (digits == 0 || digits > 5 || !ends(word, "("))
    return 0;
  return word.len - 1;
}

/* Takes the last word, the client, off the end. */
static bool strip_host(struct span *body, struct cx_title *title) {
  struct span word = *body;
  size_t start = body->len;

  while (start > 0 && body->text[start - 1] != ' ')
    start--;
  if (start == 0)
    return false;
  word = drop(word, start);
  body->len = start - 1;
  if (word.len == strlen("[local]") && begins(word, "[local]"))
    return true;
  word.len = host_len(word);
  return copy(title->host, sizeof title->host, word);
}

/* Takes "USER " off the front, if it is there and something follows. */
static bool strip_user(struct span *span, const char *user) {
  size_t len = strlen(user);

  if (!begins(*span, user) || span->len < len + 2 || span->text[len] != ' ')
    return false;
  *span = drop(*span, len + 1);
  return true;
}

/*
 * Every place at which the user may stand is tried: at the front, and after each
 * ": " that may end a cluster name. The true place is always among them, so one
 * reading is the true one; of two, a client may have made the other.
 */
static unsigned find_database(struct span body, const char *user, struct span *database) {
  struct span rest = body;
  unsigned readings = strip_user(&rest, user) ? 1 : 0;
  size_t i;

  if (readings == 1)
    *database = rest;
  for (i = 2; i < body.len; i++) {
    rest = drop(body, i);
    if (memcmp(rest.text - 2, ": ", 2) == 0 && strip_user(&rest, user)) {
      *database = rest;
      readings++;
    }
  }
  return readings;
}

/* Replication: "walsender " stands where the user is expected. */
static bool may_be_walsender(struct span body, const char *user) {
  size_t i;

  if (strcmp(user, "walsender") == 0 || begins((struct span){user, strlen(user)}, WALSENDER) ||
      begins(body, WALSENDER))
    return true;
  for (i = 2; i < body.len; i++)
    if (memcmp(body.text + i - 2, ": ", 2) == 0 && begins(drop(body, i), WALSENDER))
      return true;
  return false;
}

static bool read_backend(struct span body, const char *user, struct cx_title *title) {
  struct span database = {NULL, 0};

  return user[0] != '\0' && strip_activity(&body) && strip_host(&body, title) &&
         !may_be_walsender(body, user) && find_database(body, user, &database) == 1 &&
         copy(title->database, sizeof title->database, database);
}

void cx_title_parse(const struct cx_process *process, const char *user,
                    struct cx_title *title_out) {
  struct span title = {process->title, strnlen(process->title, process->title_len)};
  bool is_cut = title.len == sizeof process->title;
  struct cx_title result = {CX_TITLE_UNREADABLE, "", ""};

  *title_out = result;
  if (title.len == 0 || is_cut)
    return;
  if (!begins(title, PREFIX)) {
    if (!process->is_postgres)
      title_out->kind = CX_TITLE_FOREIGN;
    return;
  }
  if (!read_backend(drop(title, strlen(PREFIX)), user, &result))
    return;
  result.kind = CX_TITLE_BACKEND;
  *title_out = result;
}
