/*
 * The form of a fetched key set that a login reads: one key is found without reading the others.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_OIDC_KEYCACHE_H
#define CX_OIDC_KEYCACHE_H

#include "oidc/keyset.h"
#include "util/buf.h"

/*
 * header   magic, version, byte order, sizes, and for each algorithm what a
 *          token without kid would find
 * slots    place and length of the records whose kid has that hash
 * records  kid, algorithms, state and numbers of one key
 *
 * Numbers are 32 bits in the host's order: the file never leaves it, and a
 * refresh writes it anew. Written whole and renamed, so a reader sees one set.
 */
#define CX_KEYCACHE_VERSION 1
#define CX_KEYCACHE_SIZE_MAX (4 * 1024 * 1024)

/*
 *   out  image: initialised by this call; cx_buf_clear it
 *   gives  CORTEX_OK, CORTEX_INTERNAL
 */
CORTEX_MUSTCHECK enum cortex_reason cx_keycache_write(const struct cx_keyset *keyset,
                                                      struct cx_buf *image,
                                                      struct cortex_error *error);

/*
 * Chooses keys as cx_keyset_choose does, out of an open file; mostly by one
 * read, at most by three, whatever the number of keys.
 *
 *   in   size: the file's
 *   in,out  choice: all zero before; cx_choice_clear it, on failure too
 *   gives  CORTEX_OK, CORTEX_KEYS_UNAVAILABLE (damaged, of another version,
 *          cannot be read), CORTEX_INTERNAL
 */
CORTEX_MUSTCHECK enum cortex_reason cx_keycache_choose(int fd, size_t size,
                                                       const struct cx_jws *jws,
                                                       struct cx_choice *choice,
                                                       struct cortex_error *error);

/* As cx_keyset_count, out of the same file. */
CORTEX_MUSTCHECK enum cortex_reason cx_keycache_count(int fd, size_t size, uint32_t algorithms,
                                                      struct cortex_key_count *count_out,
                                                      struct cortex_error *error);

#endif
