/*
 * Strict base64url (RFC 7515 section 2, RFC 4648 section 5).
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_UTIL_BASE64URL_H
#define CX_UTIL_BASE64URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes that len letters decode to. */
#define CX_BASE64URL_SIZE(len) ((len) / 4 * 3 + ((len) % 4 != 0 ? (len) % 4 - 1 : 0))

/*
 * Decodes; no padding, no blanks, no line ends, unused bits zero, so that a
 * value has exactly one text.
 *
 *   out  bytes_out: room for CX_BASE64URL_SIZE(len) bytes
 *   gives  false when the text is not strict base64url
 */
bool cx_base64url_decode(const char *text, size_t len, uint8_t *bytes_out, size_t *len_out);

#endif
