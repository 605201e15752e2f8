/*
 * Changes to a finished token, for tests: what an attacker does to bytes.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef TESTS_SUPPORT_MUTATE_H
#define TESTS_SUPPORT_MUTATE_H

#include <jansson.h>
#include <stddef.h>

struct mutable_token {
  char *bytes; /* NUL-terminated for convenience; may hold NUL */
  size_t len;
};

/*
 * Applies one step, a JSON array of a name and arguments. PART is 0, 1, 2 for
 * header, payload, signature.
 *
 *   ["append", TEXT]          ["prepend", TEXT]         ["insert", OFFSET, TEXT]
 *   ["literal", TEXT]         ["hex", HEX]              ["repeat", TEXT, COUNT]
 *   ["part", PART, TEXT]      ["drop", PART]            ["flip", PART, BYTE]
 *   ["tail_bits", PART]       ["signature", HEX]        ["signature_prefix", HEX]
 *   ["signature_suffix", HEX]
 *
 * An unknown step ends the test program.
 */
void mutate(struct mutable_token *token, const json_t *step);

#endif
