/*
 * Writing and reading back what a login leaves for its session.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "session/stamp.h"

#include <cortexauth/decision.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/json.h"
#include "util/secret.h"

#define MAGIC "cortex 1 "

/* Every byte above 127 is escaped: a database of any encoding can read it. */
#define FORM (JSON_COMPACT | JSON_ENSURE_ASCII)

/* ---- writing ---- */

/* Never json_object(): PostgreSQL's server has a function of that name, which would be called. */
static json_t *new_object(void) {
  return json_pack("{}");
}

/* Puts a value that the object then owns; NULL stands for no memory. */
static bool put(json_t *object, const char *name, json_t *value) {
  return value != NULL && json_object_set_new_nocheck(object, name, value) == 0;
}

/* What is not known is left out. */
static bool put_text(json_t *object, const char *name, const char *text) {
  return text == NULL || put(object, name, json_string(text));
}

static bool put_list(json_t *object, const char *name, const struct cx_list *list) {
  json_t *array = json_array();
  size_t i;

  for (i = 0; array != NULL && i < list->count; i++)
    if (json_array_append_new(array, json_string(list->items[i])) != 0) {
      json_decref(array);
      return false;
    }
  return put(object, name, array);
}

static bool put_levels(json_t *object, unsigned levels) {
  json_t *array = json_array();
  unsigned level;

  for (level = CORTEX_LEVEL_READ; array != NULL && level <= CORTEX_LEVEL_ASSUME; level <<= 1)
    if ((levels & level) != 0 &&
        json_array_append_new(array, json_string(cortex_level_name(level))) != 0) {
      json_decref(array);
      return false;
    }
  return put(object, "levels", array);
}

static bool put_identity(json_t *facts, const struct cortex_identity *identity) {
  return put_text(facts, "kind", identity->kind) && put_text(facts, "issuer", identity->issuer) &&
         put_text(facts, "label", identity->label) &&
         put_text(facts, "subject", identity->subject) && put_text(facts, "sid", identity->sid) &&
         put_text(facts, "username", identity->username) &&
         put_list(facts, "groups", &identity->groups) &&
         put(facts, "groups_known", json_boolean(identity->groups_known)) &&
         put_list(facts, "amr", &identity->amr) && put_list(facts, "scopes", &identity->scopes) &&
         put_text(facts, "acr", identity->acr) && put(facts, "mfa", json_boolean(identity->mfa)) &&
         put(facts, "authenticated_at", json_integer(identity->authenticated_at)) &&
         put_text(facts, "token_id", identity->token_id);
}

static json_t *make_facts(const struct cx_session_stamp *stamp) {
  json_t *facts = new_object();

  if (facts != NULL && put_text(facts, "role", stamp->role) &&
      put_text(facts, "reference", stamp->reference) &&
      put_text(facts, "service", stamp->service) && put_text(facts, "database", stamp->database) &&
      put_text(facts, "address", stamp->address) && put_levels(facts, stamp->levels) &&
      put(facts, "session_until", json_integer(stamp->session_until)) &&
      put_identity(facts, stamp->identity))
    return facts;
  json_decref(facts);
  return NULL;
}

static void put_json(struct cx_buf *text, const json_t *value) {
  char *line = value != NULL ? json_dumps(value, FORM) : NULL;

  if (line == NULL) {
    text->failed = true;
    return;
  }
  cx_buf_put_text(text, line);
  cx_buf_put(text, "\n", 1);
  cx_secret_free_text(line);
}

enum cortex_reason cx_session_stamp_print(const struct cx_session_stamp *stamp, struct cx_buf *text,
                                  struct cortex_error *error) {
  json_t *facts = make_facts(stamp), *claims = stamp->identity->claims;
  json_t *none = claims == NULL ? new_object() : NULL;

  cx_buf_init(text, CX_SESSION_STAMP_MAX);
  cx_buf_printf(text, MAGIC "%" PRId64 " %" PRId64 " %" PRId64 "\n", stamp->pid,
                stamp->backend_start, stamp->postmaster_start);
  put_json(text, facts);
  put_json(text, claims != NULL ? claims : none);
  json_decref(facts);
  json_decref(none);
  if (!text->failed)
    return CORTEX_OK;
  cx_buf_clear(text);
  return cx_error_memory(error);
}

/* ---- reading ---- */

static bool read_number(const char **at, int64_t *number_out) {
  char *end;

  if (**at < '0' || **at > '9')
    return false;
  *number_out = strtoll(*at, &end, 10);
  *at = end;
  return *number_out > 0;
}

static bool read_head(const char *line, struct cx_session_stamp *stamp) {
  const char *at = line + strlen(MAGIC);

  return strncmp(line, MAGIC, strlen(MAGIC)) == 0 && read_number(&at, &stamp->pid) &&
         *at++ == ' ' && read_number(&at, &stamp->backend_start) && *at++ == ' ' &&
         read_number(&at, &stamp->postmaster_start) && *at == '\0';
}

static const char *get_text(const json_t *facts, const char *name) {
  return json_string_value(json_object_get(facts, name));
}

static int64_t get_number(const json_t *facts, const char *name) {
  return json_integer_value(json_object_get(facts, name));
}

static unsigned get_levels(const json_t *facts) {
  const json_t *level;
  unsigned levels = 0, bit;
  size_t i;

  json_array_foreach(json_object_get(facts, "levels"), i, level)
    for (bit = CORTEX_LEVEL_READ; bit <= CORTEX_LEVEL_ASSUME; bit <<= 1)
      if (cx_json_is_text(level, cortex_level_name(bit), strlen(cortex_level_name(bit))))
        levels |= bit;
  return levels;
}

static bool get_list(const json_t *facts, const char *name, struct cx_list *list) {
  const json_t *item;
  size_t i;

  json_array_foreach(json_object_get(facts, name), i, item)
    if (!json_is_string(item) ||
        !cx_list_append(list, json_string_value(item), json_string_length(item)))
      return false;
  return true;
}

/* A member that may be missing becomes NULL. */
static bool get_copy(const json_t *facts, const char *name, char **text_out) {
  const char *text = get_text(facts, name);

  *text_out = text != NULL ? strdup(text) : NULL;
  return text == NULL || *text_out != NULL;
}

static struct cortex_identity *make_identity(const json_t *facts) {
  struct cortex_identity *identity = cx_identity_new();
  const char *token = get_text(facts, "token_id"), *kind = get_text(facts, "kind");

  if (identity == NULL)
    return NULL;
  /* The kinds' own names are static, and the identity borrows one. */
  identity->kind = kind != NULL && strcmp(kind, "saml") == 0 ? "saml" : "oidc";
  identity->groups_known = json_is_true(json_object_get(facts, "groups_known"));
  identity->mfa = json_is_true(json_object_get(facts, "mfa"));
  identity->authenticated_at = get_number(facts, "authenticated_at");
  snprintf(identity->token_id, sizeof identity->token_id, "%s", token != NULL ? token : "");
  if (!get_copy(facts, "issuer", &identity->issuer) ||
      !get_copy(facts, "label", &identity->label) ||
      !get_copy(facts, "subject", &identity->subject) ||
      !get_copy(facts, "sid", &identity->sid) ||
      !get_copy(facts, "username", &identity->username) ||
      !get_copy(facts, "acr", &identity->acr) ||
      !get_list(facts, "groups", &identity->groups) || !get_list(facts, "amr", &identity->amr) ||
      !get_list(facts, "scopes", &identity->scopes))
    cortex_identity_free(&identity);
  return identity;
}

static enum cortex_reason refuse(struct cortex_error *error, const char *what) {
  return cx_error_set(error, CORTEX_STATE_UNAVAILABLE, "not a session stamp: %s", what);
}

/* Cuts the text into its three lines, in place. */
static bool split(char *text, char *lines[3]) {
  int i;

  for (i = 0; i < 3; i++) {
    char *end = strchr(text, '\n');

    if (end == NULL)
      return false;
    lines[i] = text;
    *end = '\0';
    text = end + 1;
  }
  return *text == '\0';
}

static enum cortex_reason read_documents(char *const lines[3], struct cx_session_stamp_read *read,
                                         struct cortex_error *error) {
  json_t *claims = NULL;
  enum cortex_reason reason =
      cx_json_parse("facts", lines[1], strlen(lines[1]), &read->facts, error);

  if (reason == CORTEX_OK)
    reason = cx_json_parse("claims", lines[2], strlen(lines[2]), &claims, error);
  if (reason == CORTEX_OK) {
    read->identity = make_identity(read->facts);
    if (read->identity == NULL)
      reason = cx_error_memory(error);
  }
  if (reason == CORTEX_OK) {
    read->identity->claims = claims;
    claims = NULL;
  }
  json_decref(claims);
  return reason;
}

static enum cortex_reason fill(struct cx_session_stamp_read *read, struct cortex_error *error) {
  struct cx_session_stamp *stamp = &read->stamp;

  stamp->session_until = get_number(read->facts, "session_until");
  stamp->levels = get_levels(read->facts);
  stamp->reference = get_text(read->facts, "reference");
  stamp->service = get_text(read->facts, "service");
  stamp->database = get_text(read->facts, "database");
  stamp->role = get_text(read->facts, "role");
  stamp->address = get_text(read->facts, "address");
  stamp->identity = read->identity;
  if (stamp->reference == NULL || stamp->service == NULL || stamp->role == NULL ||
      read->identity->username == NULL || stamp->levels == 0 || stamp->session_until <= 0)
    return refuse(error, "a member is missing");
  return CORTEX_OK;
}

enum cortex_reason cx_session_stamp_parse(const char *bytes, size_t len, struct cx_session_stamp_read *read_out,
                                  struct cortex_error *error) {
  struct cx_session_stamp_read read = {.facts = NULL};
  enum cortex_reason reason = CORTEX_INTERNAL;
  char *text = NULL, *lines[3];

  *read_out = read;
  if (len > CX_SESSION_STAMP_MAX || memchr(bytes, '\0', len) != NULL)
    return refuse(error, "too long, or it holds a NUL");
  text = strndup(bytes, len);
  if (text == NULL)
    return cx_error_memory(error);
  if (!split(text, lines) || !read_head(lines[0], &read.stamp))
    reason = refuse(error, "its first line");
  else
    reason = read_documents(lines, &read, error);
  if (reason == CORTEX_OK)
    reason = fill(&read, error);
  cx_secret_free_text(text);
  if (reason != CORTEX_OK) {
    cx_session_stamp_clear(&read);
    return reason == CORTEX_INTERNAL ? reason : CORTEX_STATE_UNAVAILABLE;
  }
  *read_out = read;
  return CORTEX_OK;
}

void cx_session_stamp_clear(struct cx_session_stamp_read *read) {
  cortex_identity_free(&read->identity);
  json_decref(read->facts);
  *read = (struct cx_session_stamp_read){.facts = NULL};
}
