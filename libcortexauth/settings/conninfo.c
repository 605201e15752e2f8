/*
 * The type of jit_conninfo: exactly where, as whom and to whom a login connects.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdlib.h>
#include <string.h>

#include "settings/table.h"
#include "util/ini.h"

#define BLANKS " \t"
#define REFUSE(...) cx_error_set(error, CORTEX_CONFIG_INVALID, __VA_ARGS__)

/* In the order of struct cx_conninfo. libpq would fill in what is left out from its environment. */
static const char keywords[CX_CONNINFO_KEYWORDS][12] = {"host", "port", "user", "dbname",
                                                        "requirepeer"};

const char *cx_conninfo_keyword(size_t index) {
  return keywords[index];
}

static size_t find_keyword(const char *word, size_t len) {
  size_t i = 0;

  while (i < CX_CONNINFO_KEYWORDS &&
         (strlen(keywords[i]) != len || memcmp(word, keywords[i], len) != 0))
    i++;
  return i;
}

/* The text stays as it is: it is what the getters give. */
static enum cortex_reason put(struct cx_conninfo *conninfo, const char *word, size_t len,
                              struct cortex_error *error) {
  const char *equals = memchr(word, '=', len);
  size_t i, head = equals != NULL ? (size_t)(equals - word) : len;

  if (head + 1 >= len || strcspn(word + head, "'\\") < len - head)
    return REFUSE("\"%.*s\" is not KEYWORD=VALUE without quotes", (int)len, word);
  i = find_keyword(word, head);
  if (i == CX_CONNINFO_KEYWORDS)
    return REFUSE("\"%.*s\" is not one of host, port, user, dbname, requirepeer", (int)head, word);
  if (conninfo->values[i] != NULL)
    return REFUSE("\"%.*s\" is there twice", (int)head, word);
  conninfo->values[i] = strndup(word + head + 1, len - head - 1);
  return conninfo->values[i] != NULL ? CORTEX_OK : cx_error_memory(error);
}

/* conninfo = KEYWORD "=" VALUE *(" " KEYWORD "=" VALUE), each keyword once, all of them */
static enum cortex_reason parse(char *value, const char *folder, void *member,
                                struct cortex_error *error) {
  struct cx_conninfo *conninfo = member;
  enum cortex_reason reason = cx_ini_unquote(value, error);
  const char *word;
  size_t i, len;

  (void)folder;
  for (word = value + strspn(value, BLANKS); reason == CORTEX_OK && *word != '\0';
       word += len + strspn(word + len, BLANKS)) {
    len = strcspn(word, BLANKS);
    reason = put(conninfo, word, len, error);
  }
  for (i = 0; i < CX_CONNINFO_KEYWORDS && reason == CORTEX_OK; i++)
    if (conninfo->values[i] == NULL)
      reason = REFUSE("\"%s\" is missing: host, port, user, dbname and requirepeer must be named",
                      keywords[i]);
  if (reason == CORTEX_OK && conninfo->values[0][0] != '/')
    reason = REFUSE("host must be the folder of a Unix socket: only there requirepeer proves "
                    "whose server it is");
  return reason;
}

static void clear(void *member) {
  struct cx_conninfo *conninfo = member;
  size_t i;

  for (i = 0; i < CX_CONNINFO_KEYWORDS; i++) {
    free(conninfo->values[i]);
    conninfo->values[i] = NULL;
  }
}

const struct cx_type cx_type_conninfo = {"connection", parse, clear};
