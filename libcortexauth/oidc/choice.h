/*
 * The choice of one key for a token, whatever form the key set was read from.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_OIDC_CHOICE_H
#define CX_OIDC_CHOICE_H

#include "oidc/jws.h"

/* Several keys of one kid are tried; more than this is no rotation any more. */
#define CX_CHOICE_MAX 4

/* Keys that cannot be made cost time as well: a set of thousands would hold each login up. */
#define CX_CHOICE_TRIES_MAX 64

/* The keys that a token can mean, and what became of the others. All zero: none were seen. */
struct cx_choice {
  const struct cx_key *keys[CX_CHOICE_MAX];
  struct cx_key made[CX_CHOICE_MAX]; /* those that are ours to clear */
  size_t count;
  size_t usable;  /* at least count */
  size_t seen;    /* keys of that kid; without a kid: all */
  size_t fitting; /* of these, the ones that fit the algorithm */
  size_t weak;    /* of these, the ones that must not be trusted */
  size_t tried;   /* keys that cx_choice_add had to make */
  bool is_short_of_memory;
};

/* Enough was chosen, or tried: the rest of the set is not looked at. */
bool cx_choice_is_full(const struct cx_choice *choice);

/* Adds a key that fits, made of its numbers. */
void cx_choice_add(struct cx_choice *choice, const struct cx_key_type *type,
                   const struct cx_key_material *material);

/*
 * Verifies the signature with what was chosen: a key of the kid, or without a
 * kid the only usable one.
 *
 *   gives  CORTEX_OK, CORTEX_UNKNOWN_KID, CORTEX_KEY_MISMATCH, CORTEX_WEAK_KEY,
 *          CORTEX_SIGNATURE_INVALID, CORTEX_INTERNAL
 */
CORTEX_MUSTCHECK enum cortex_reason cx_choice_verify(const struct cx_choice *choice,
                                                     const struct cx_jws *jws,
                                                     struct cortex_error *error);

void cx_choice_clear(struct cx_choice *choice);

#endif
