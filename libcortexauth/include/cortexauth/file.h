/*
 * The strict open, for programs: files that decide who gets in.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXAUTH_FILE_H
#define CORTEXAUTH_FILE_H

#include <stddef.h>

#include <cortexauth/error.h>

/*
 * Reads a trusted file whole: a regular file, owned by root or the caller,
 * writable by neither others nor a group that is not the owner's.
 *
 *   in   max: bytes; a larger file is refused
 *   out  bytes_out: NUL-terminated behind *len_out bytes, release with free(); NULL on failure
 *   gives  CORTEX_OK, CORTEX_CONFIG_INVALID with the path in the error, CORTEX_INTERNAL
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason cortex_file_load(const char *path, size_t max,
                                                                char **bytes_out, size_t *len_out,
                                                                struct cortex_error *error);

#endif
