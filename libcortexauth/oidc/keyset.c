/*
 * An issuer's key set (RFC 7517 5) and the choice of one key in it.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "oidc/keyset.h"

#include <stdlib.h>
#include <string.h>

#include "util/json.h"
#include "util/quote.h"

/* Several keys of one kid are tried; more than this is no rotation any more. */
#define SAME_KID_MAX 4

struct jwk {
  const json_t *json; /* inside the set's document */
  const json_t *kid;  /* NULL: none */
  struct cx_key key;  /* empty until prepared */
  enum cortex_reason state; /* CORTEX_OK with an empty key: not made yet */
};

struct cx_keyset {
  json_t *document;
  struct jwk *items;
  size_t count;
};

/* The keys that a token can mean, and what became of the others. */
struct choice {
  const struct cx_key *keys[SAME_KID_MAX];
  struct cx_key made[SAME_KID_MAX]; /* those not prepared; ours to clear */
  size_t count;
  size_t seen;    /* keys of that kid; without a kid: all */
  size_t fitting; /* of these, the ones that fit the algorithm */
  size_t weak;
  bool is_short_of_memory;
};

static void collect(struct cx_keyset *keyset, const json_t *keys) {
  json_t *key;
  size_t i;

  json_array_foreach(keys, i, key) {
    struct jwk *item = &keyset->items[keyset->count];
    const json_t *kid = json_object_get(key, "kid");

    if (!json_is_object(key) || (kid != NULL && !json_is_string(kid)))
      continue;
    *item = (struct jwk){key, kid, {NULL, NULL}, CORTEX_OK};
    keyset->count++;
  }
}

enum cortex_reason cx_keyset_parse(const char *bytes, size_t len, struct cx_keyset **keyset_out,
                                   struct cortex_error *error) {
  struct cortex_error cause = CORTEX_ERROR_NONE;
  struct cx_keyset *keyset = NULL;
  json_t *document = NULL;
  const json_t *keys;

  *keyset_out = NULL;
  if (len > CX_KEYSET_SIZE_MAX)
    return cx_error_set(error, CORTEX_KEYS_UNAVAILABLE, "the key set is larger than 1 MiB");
  if (cx_json_parse("key set", bytes, len, &document, &cause) != CORTEX_OK)
    return cx_error_set(error, CORTEX_KEYS_UNAVAILABLE, "%s", cause.message);
  keys = json_object_get(document, "keys");
  if (!json_is_array(keys)) {
    json_decref(document);
    return cx_error_set(error, CORTEX_KEYS_UNAVAILABLE, "the key set has no array \"keys\"");
  }
  keyset = calloc(1, sizeof *keyset);
  if (keyset != NULL)
    keyset->items = calloc(json_array_size(keys) + 1, sizeof *keyset->items);
  if (keyset == NULL || keyset->items == NULL) {
    free(keyset);
    json_decref(document);
    return cx_error_memory(error);
  }
  keyset->document = document;
  collect(keyset, keys);
  *keyset_out = keyset;
  return CORTEX_OK;
}

void cx_keyset_free(struct cx_keyset **keyset) {
  size_t i;

  if (keyset == NULL || *keyset == NULL)
    return;
  for (i = 0; i < (*keyset)->count; i++)
    cx_key_clear(&(*keyset)->items[i].key);
  free((*keyset)->items);
  json_decref((*keyset)->document);
  free(*keyset);
  *keyset = NULL;
}

void cx_keyset_prepare(struct cx_keyset *keyset) {
  size_t i;

  for (i = 0; i < keyset->count; i++) {
    struct jwk *item = &keyset->items[i];
    const struct cx_key_type *type = cx_key_type_of(item->json);

    if (type != NULL && item->key.type == NULL && item->state == CORTEX_OK)
      item->state = cx_key_import(type, item->json, &item->key);
  }
}

/* RFC 7517 4.3: where key_ops is present it must allow verifying. */
static bool may_verify(const json_t *operations) {
  const json_t *operation;
  size_t i;

  if (operations == NULL)
    return true;
  json_array_foreach(operations, i, operation)
    if (cx_json_is_text(operation, "verify", strlen("verify")))
      return true;
  return false;
}

static bool is_absent_or(const json_t *member, const char *text) {
  return member == NULL || cx_json_is_text(member, text, strlen(text));
}

/* RFC 8725 3.1: one key, one algorithm; the key decides, not the header. */
static bool fits(const struct jwk *item, const struct cx_jws_algorithm *algorithm) {
  return cx_key_type_of(item->json) == algorithm->key_type &&
         is_absent_or(json_object_get(item->json, "use"), "sig") &&
         is_absent_or(json_object_get(item->json, "alg"), algorithm->name) &&
         may_verify(json_object_get(item->json, "key_ops"));
}

static bool fits_any(const struct jwk *item, const struct cx_list *algorithms) {
  size_t i;

  for (i = 0; i < algorithms->count; i++) {
    const struct cx_jws_algorithm *algorithm = cx_jws_algorithm_find(algorithms->items[i]);

    if (algorithm != NULL && fits(item, algorithm))
      return true;
  }
  return false;
}

enum cortex_reason cx_keyset_count(const struct cx_keyset *keyset, const struct cx_list *algorithms,
                                   struct cortex_key_count *count_out) {
  size_t i;

  *count_out = (struct cortex_key_count){0, 0, 0};
  for (i = 0; i < keyset->count; i++) {
    const struct jwk *item = &keyset->items[i];
    struct cx_key key = {NULL, NULL};
    enum cortex_reason state = CORTEX_KEY_MISMATCH;

    if (fits_any(item, algorithms))
      state = cx_key_import(cx_key_type_of(item->json), item->json, &key);
    cx_key_clear(&key);
    if (state == CORTEX_INTERNAL)
      return state;
    count_out->usable += state == CORTEX_OK;
    count_out->weak += state == CORTEX_WEAK_KEY;
  }
  count_out->other = keyset->count - count_out->usable - count_out->weak;
  return CORTEX_OK;
}

static bool is_meant(const struct jwk *item, const struct cx_jws *jws) {
  return jws->kid == NULL ||
         (item->kid != NULL && cx_json_is_text(item->kid, jws->kid, jws->kid_len));
}

/* Takes the prepared key, or makes it. */
static void add_key(struct choice *choice, const struct jwk *item) {
  struct cx_key *made = &choice->made[choice->count];
  enum cortex_reason state = item->state;

  if (state == CORTEX_OK && item->key.type == NULL)
    state = cx_key_import(cx_key_type_of(item->json), item->json, made);
  choice->weak += state == CORTEX_WEAK_KEY;
  choice->is_short_of_memory |= state == CORTEX_INTERNAL;
  if (state == CORTEX_OK)
    choice->keys[choice->count++] = item->key.type != NULL ? &item->key : made;
}

static void choose(const struct cx_keyset *keyset, const struct cx_jws *jws,
                   struct choice *choice) {
  size_t i;

  for (i = 0; i < keyset->count && choice->count < SAME_KID_MAX; i++) {
    const struct jwk *item = &keyset->items[i];

    if (!is_meant(item, jws))
      continue;
    choice->seen++;
    if (!fits(item, jws->algorithm))
      continue;
    choice->fitting++;
    add_key(choice, item);
  }
}

static enum cortex_reason refuse(const struct choice *choice, const struct cx_jws *jws,
                                 struct cortex_error *error) {
  const char *name = jws->algorithm->name;
  struct cx_quote kid = cx_quote(jws->kid != NULL ? jws->kid : "", jws->kid_len);

  if (choice->is_short_of_memory)
    return cx_error_memory(error);
  if (choice->weak > 0)
    return cx_error_set(error, CORTEX_WEAK_KEY,
                        "the key has fewer than 2048 bits, an exponent that is even or 1, or a "
                        "point of small order");
  if (choice->seen > 0 && choice->fitting == 0)
    return cx_error_set(error, CORTEX_KEY_MISMATCH,
                        jws->kid != NULL ? "the key %s is not for %s and signatures"
                                         : "no key%.0s is for %s and signatures",
                        kid.text, name);
  if (jws->kid == NULL)
    return cx_error_set(error, CORTEX_UNKNOWN_KID,
                        "the token has no kid and the key set no usable key for %s", name);
  return cx_error_set(error, CORTEX_UNKNOWN_KID, "the key set has no usable key of kid %s",
                      kid.text);
}

static bool is_signed_by_one(const struct choice *choice, const struct cx_jws *jws) {
  size_t i;

  for (i = 0; i < choice->count; i++)
    if (cx_jws_verify(jws, choice->keys[i]))
      return true;
  return false;
}

enum cortex_reason cx_keyset_verify(const struct cx_keyset *keyset, const struct cx_jws *jws,
                                    struct cortex_error *error) {
  struct choice choice = {.count = 0};
  enum cortex_reason reason;
  size_t i;

  choose(keyset, jws, &choice);
  if (choice.count == 0)
    reason = refuse(&choice, jws, error);
  else if (jws->kid == NULL && choice.count > 1)
    reason = cx_error_set(error, CORTEX_UNKNOWN_KID,
                          "the token has no kid and several keys fit %s", jws->algorithm->name);
  else if (!is_signed_by_one(&choice, jws))
    reason = cx_error_set(error, CORTEX_SIGNATURE_INVALID,
                          "the %s signature does not verify with the issuer's key",
                          jws->algorithm->name);
  else
    reason = CORTEX_OK;
  for (i = 0; i < SAME_KID_MAX; i++)
    cx_key_clear(&choice.made[i]);
  return reason;
}
