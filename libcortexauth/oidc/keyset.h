/*
 * An issuer's key set (RFC 7517 5) and the choice of one key in it.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_OIDC_KEYSET_H
#define CX_OIDC_KEYSET_H

#include <cortexauth/credential.h>

#include "oidc/choice.h"
#include "util/list.h"

#define CX_KEYSET_SIZE_MAX (1024 * 1024)
#define CX_KEYSET_KEYS_MAX 8192

struct cx_keyset;

/*
 * Reads a JWK set. Single keys that cannot be used do not spoil it (RFC 7517 5:
 * they are ignored); keys are made only when a token asks for them.
 *
 *   out  keyset_out: release with cx_keyset_free; NULL on failure
 *   gives  CORTEX_OK, CORTEX_KEYS_UNAVAILABLE (not a JWK set), CORTEX_INTERNAL
 */
CORTEX_MUSTCHECK enum cortex_reason cx_keyset_parse(const char *bytes, size_t len,
                                                    struct cx_keyset **keyset_out,
                                                    struct cortex_error *error);
void cx_keyset_free(struct cx_keyset **keyset);

/* Makes all keys now, for a set that is asked many times. */
void cx_keyset_prepare(struct cx_keyset *keyset);

/* How many keys there are, and a key's kid; NULL: it has none. Borrowed. */
size_t cx_keyset_size(const struct cx_keyset *keyset);
const char *cx_keyset_kid(const struct cx_keyset *keyset, size_t index, size_t *len_out);

/* What there is to know of one key of a set; borrowed from the set and the room. */
struct cx_keyset_entry {
  const char *kid; /* NULL: none */
  size_t kid_len;
  uint32_t algorithms; /* a bit for each it fits, by cx_jws_algorithm_index */
  enum cortex_reason state; /* CORTEX_OK, CORTEX_WEAK_KEY, CORTEX_KEY_MISMATCH, CORTEX_INTERNAL */
  struct cx_key_material material; /* numbers, where the state is CORTEX_OK */
};

/* The key at an index, judged; false past the last one. */
bool cx_keyset_entry(const struct cx_keyset *keyset, size_t index, struct cx_key_room *room,
                     struct cx_keyset_entry *entry_out);

/* Algorithms by name as such bits; and one key counted by what these could do with it. */
uint32_t cx_keyset_algorithms(const struct cx_list *algorithms);
void cx_keyset_tally(const struct cx_keyset_entry *entry, uint32_t algorithms,
                     struct cortex_key_count *count);
CORTEX_MUSTCHECK enum cortex_reason cx_keyset_count(const struct cx_keyset *keyset,
                                                    uint32_t algorithms,
                                                    struct cortex_key_count *count_out);

/*
 * Chooses the keys a signature can be of: those of exactly the header's kid, or
 * without a kid all that fit the algorithm. A key fits when type, curve, use,
 * key_ops and alg all allow it.
 *
 *   in,out  choice: all zero before; cx_choice_clear it; borrows from the set
 */
void cx_keyset_choose(const struct cx_keyset *keyset, const struct cx_jws *jws,
                      struct cx_choice *choice);

#endif
