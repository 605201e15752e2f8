/*
 * The choice of one key for a token, whatever form the key set was read from.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "oidc/choice.h"

#include "util/quote.h"

bool cx_choice_is_full(const struct cx_choice *choice) {
  return choice->count == CX_CHOICE_MAX || choice->tried == CX_CHOICE_TRIES_MAX;
}

void cx_choice_add(struct cx_choice *choice, const struct cx_key_type *type,
                   const struct cx_key_material *material) {
  struct cx_key *made = &choice->made[choice->count];
  enum cortex_reason state = cx_key_make(type, material, made);

  choice->tried++;
  choice->weak += state == CORTEX_WEAK_KEY;
  choice->is_short_of_memory |= state == CORTEX_INTERNAL;
  if (state != CORTEX_OK)
    return;
  choice->keys[choice->count++] = made;
  choice->usable++;
}

static enum cortex_reason refuse(const struct cx_choice *choice, const struct cx_jws *jws,
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

static bool is_signed_by_one(const struct cx_choice *choice, const struct cx_jws *jws) {
  size_t i;

  for (i = 0; i < choice->count; i++)
    if (cx_jws_verify(jws, choice->keys[i]))
      return true;
  return false;
}

enum cortex_reason cx_choice_verify(const struct cx_choice *choice, const struct cx_jws *jws,
                                    struct cortex_error *error) {
  if (choice->usable == 0)
    return refuse(choice, jws, error);
  if (jws->kid == NULL && choice->usable > 1)
    return cx_error_set(error, CORTEX_UNKNOWN_KID, "the token has no kid and several keys fit %s",
                        jws->algorithm->name);
  if (!is_signed_by_one(choice, jws))
    return cx_error_set(error, CORTEX_SIGNATURE_INVALID,
                        "the %s signature does not verify with the issuer's key",
                        jws->algorithm->name);
  return CORTEX_OK;
}

void cx_choice_clear(struct cx_choice *choice) {
  size_t i;

  for (i = 0; i < CX_CHOICE_MAX; i++)
    cx_key_clear(&choice->made[i]);
}
