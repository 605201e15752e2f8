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

/* ---- writing ---- */

static void put_item(struct cx_buf *text, const char *value) {
  cx_json_put_comma(text);
  cx_json_put_text(text, value, strlen(value));
}

static void put_list(struct cx_buf *text, const char *name, const struct cx_list *list) {
  size_t i;

  cx_json_put_name(text, name);
  cx_buf_put_text(text, "[");
  for (i = 0; i < list->count; i++)
    put_item(text, list->items[i]);
  cx_buf_put_text(text, "]");
}

static void put_levels(struct cx_buf *text, unsigned levels) {
  unsigned level;

  cx_json_put_name(text, "levels");
  cx_buf_put_text(text, "[");
  for (level = CORTEX_LEVEL_READ; level <= CORTEX_LEVEL_ASSUME; level <<= 1)
    if ((levels & level) != 0)
      put_item(text, cortex_level_name(level));
  cx_buf_put_text(text, "]");
}

static void put_identity(struct cx_buf *text, const struct cortex_identity *identity) {
  cx_json_member_text(text, "kind", identity->kind);
  cx_json_member_text(text, "issuer", identity->issuer);
  cx_json_member_text(text, "label", identity->label);
  cx_json_member_text(text, "subject", identity->subject);
  cx_json_member_text(text, "owner", identity->owner);
  cx_json_member_text(text, "sid", identity->sid);
  cx_json_member_text(text, "username", identity->username);
  put_list(text, "groups", &identity->groups);
  cx_json_member_bool(text, "groups_known", identity->groups_known);
  put_list(text, "amr", &identity->amr);
  put_list(text, "scopes", &identity->scopes);
  cx_json_member_text(text, "acr", identity->acr);
  cx_json_member_bool(text, "mfa", identity->mfa);
  cx_json_member_number(text, "authenticated_at", identity->authenticated_at);
  cx_json_member_text(text, "token_id", identity->token_id);
}

static void put_facts(struct cx_buf *text, const struct cx_session_stamp *stamp) {
  cx_buf_put_text(text, "{");
  cx_json_member_text(text, "role", stamp->role);
  cx_json_member_text(text, "reference", stamp->reference);
  cx_json_member_text(text, "service", stamp->service);
  cx_json_member_text(text, "database", stamp->database);
  cx_json_member_text(text, "address", stamp->address);
  put_levels(text, stamp->levels);
  cx_json_member_number(text, "session_until", stamp->session_until);
  put_identity(text, stamp->identity);
  cx_buf_put_text(text, "}\n");
}

enum cortex_reason cx_session_stamp_print(const struct cx_session_stamp *stamp, struct cx_buf *text,
                                          struct cortex_error *error) {
  const cx_json *claims = stamp->identity->claims;

  cx_buf_init(text, CX_SESSION_STAMP_MAX);
  cx_buf_printf(text, MAGIC "%" PRId64 " %" PRId64 " %" PRId64 "\n", stamp->pid,
                stamp->backend_start, stamp->postmaster_start);
  put_facts(text, stamp);
  if (claims != NULL)
    cx_json_put(text, claims);
  else
    cx_buf_put_text(text, "{}");
  cx_buf_put_text(text, "\n");
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

static const char *get_text(const cx_json *facts, const char *name) {
  return cx_json_text(cx_json_get(facts, name));
}

static int64_t get_number(const cx_json *facts, const char *name) {
  return cx_json_integer(cx_json_get(facts, name));
}

static unsigned get_levels(const cx_json *facts) {
  const cx_json *level;
  unsigned levels = 0, bit;

  for (level = cx_json_items(cx_json_get(facts, "levels")); level != NULL; level = level->next)
    for (bit = CORTEX_LEVEL_READ; bit <= CORTEX_LEVEL_ASSUME; bit <<= 1)
      if (cx_json_is_text(level, cortex_level_name(bit), strlen(cortex_level_name(bit))))
        levels |= bit;
  return levels;
}

static bool get_list(const cx_json *facts, const char *name, struct cx_list *list) {
  const cx_json *item;

  for (item = cx_json_items(cx_json_get(facts, name)); item != NULL; item = item->next)
    if (!cx_json_is_string(item) ||
        !cx_list_append(list, cx_json_text(item), cx_json_text_len(item)))
      return false;
  return true;
}

/* A member that may be missing becomes NULL. */
static bool get_copy(const cx_json *facts, const char *name, char **text_out) {
  const char *text = get_text(facts, name);

  *text_out = text != NULL ? strdup(text) : NULL;
  return text == NULL || *text_out != NULL;
}

static struct cortex_identity *make_identity(const cx_json *facts) {
  struct cortex_identity *identity = cx_identity_new();
  const char *token = get_text(facts, "token_id"), *kind = get_text(facts, "kind");

  if (identity == NULL)
    return NULL;
  /* The kinds' own names are static, and the identity borrows one. */
  identity->kind = kind != NULL && strcmp(kind, "saml") == 0 ? "saml" : "oidc";
  identity->groups_known = cx_json_is_true(cx_json_get(facts, "groups_known"));
  identity->mfa = cx_json_is_true(cx_json_get(facts, "mfa"));
  identity->authenticated_at = get_number(facts, "authenticated_at");
  snprintf(identity->token_id, sizeof identity->token_id, "%s", token != NULL ? token : "");
  if (!get_copy(facts, "issuer", &identity->issuer) ||
      !get_copy(facts, "label", &identity->label) ||
      !get_copy(facts, "subject", &identity->subject) ||
      !get_copy(facts, "owner", &identity->owner) ||
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
  const cx_json *claims = NULL;
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
    read->identity->claims = read->identity->document = claims;
    claims = NULL;
  }
  cx_json_release(claims);
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
  cx_json_release(read->facts);
  *read = (struct cx_session_stamp_read){.facts = NULL};
}
