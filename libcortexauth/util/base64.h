/*
 * Strict base64 (RFC 4648 section 4), with blanks between letters where the caller says so.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_UTIL_BASE64_H
#define CX_UTIL_BASE64_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The most bytes that len letters decode to. */
#define CX_BASE64_SIZE(len) ((len) / 4 * 3 + 3)

/*
 * Decodes; padding is required, unused bits are zero, so that apart from blanks
 * a value has exactly one text.
 *
 *   in   blanks: letters that are skipped wherever they stand, such as "\r\n"
 *   out  bytes_out: room for CX_BASE64_SIZE(len) bytes
 *   gives  false when the text is not strict base64
 */
bool cx_base64_decode(const char *text, size_t len, const char *blanks, uint8_t *bytes_out,
                      size_t *len_out);

#endif
