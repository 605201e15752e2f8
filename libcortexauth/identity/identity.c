/*
 * The verified identity: storage, lists and what callers may read of it.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "identity/identity.h"

#include <stdlib.h>
#include <string.h>

#include "util/error.h"
#include "util/json.h"
#include "util/secret.h"
#include "util/text.h"

struct cortex_identity *cx_identity_new(void) {
  struct cortex_identity *identity = calloc(1, sizeof *identity);

  if (identity != NULL)
    identity->kind = "";
  return identity;
}

void cortex_identity_free(struct cortex_identity **identity) {
  struct cortex_identity *it;

  if (identity == NULL || *identity == NULL)
    return;
  it = *identity;
  cx_secret_free_text(it->issuer);
  cx_secret_free_text(it->label);
  cx_secret_free_text(it->subject);
  cx_secret_free_text(it->owner);
  cx_secret_free_text(it->sid);
  cx_secret_free_text(it->username);
  cx_secret_free_text(it->acr);
  cx_list_clear(&it->groups);
  cx_list_clear(&it->amr);
  cx_list_clear(&it->scopes);
  cx_json_release(it->document);
  cx_secret_free(it, sizeof *it);
  *identity = NULL;
}

/* What a name that nobody proved must be too: the rule that verified names meet. */
static bool is_name(const char *text) {
  size_t len = strlen(text);

  return len > 0 && cx_text_is_utf8(text, len) && !cx_text_has_control(text, len);
}

enum cortex_reason cortex_identity_claim(const char *username, const char *const *groups,
                                         size_t group_count, struct cortex_identity **identity_out,
                                         struct cortex_error *error) {
  struct cortex_identity *identity = NULL;
  enum cortex_reason reason = CORTEX_INTERNAL;
  size_t i;

  *identity_out = NULL;
  if (!is_name(username))
    return cx_error_set(error, CORTEX_BAD_USERNAME,
                        "the username is empty, not UTF-8 or holds a control character");
  for (i = 0; i < group_count; i++)
    if (!is_name(groups[i]))
      return cx_error_set(error, CORTEX_CLAIM_MISMATCH,
                          "group %zu is empty, not UTF-8 or holds a control character", i + 1);
  identity = cx_identity_new();
  if (identity == NULL)
    goto out;
  identity->username = strdup(username);
  identity->groups_known = true;
  if (identity->username == NULL)
    goto out;
  for (i = 0; i < group_count; i++)
    if (!cx_list_append(&identity->groups, groups[i], strlen(groups[i])))
      goto out;
  *identity_out = identity;
  identity = NULL;
  reason = CORTEX_OK;
out:
  cortex_identity_free(&identity);
  return reason == CORTEX_OK ? reason : cx_error_memory(error);
}

static const char *text_of(const char *text) {
  return text != NULL ? text : "";
}

const char *cortex_identity_kind(const struct cortex_identity *identity) {
  return text_of(identity->kind);
}

const char *cortex_identity_issuer(const struct cortex_identity *identity) {
  return text_of(identity->issuer);
}

const char *cortex_identity_label(const struct cortex_identity *identity) {
  return text_of(identity->label);
}

const char *cortex_identity_subject(const struct cortex_identity *identity) {
  return text_of(identity->subject);
}

const char *cortex_identity_sid(const struct cortex_identity *identity) {
  return text_of(identity->sid);
}

const char *cortex_identity_token_id(const struct cortex_identity *identity) {
  return identity->token_id;
}

const char *cortex_identity_username(const struct cortex_identity *identity) {
  return text_of(identity->username);
}

size_t cortex_identity_group_count(const struct cortex_identity *identity) {
  return identity->groups.count;
}

const char *cortex_identity_group(const struct cortex_identity *identity, size_t index) {
  return index < identity->groups.count ? identity->groups.items[index] : NULL;
}

bool cortex_identity_groups_known(const struct cortex_identity *identity) {
  return identity->groups_known;
}

int64_t cortex_identity_usable_until(const struct cortex_identity *identity) {
  return identity->usable_until;
}
