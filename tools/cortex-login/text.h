/*
 * A text that grows up to a limit and is wiped: forms, addresses, requests.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEX_LOGIN_TEXT_H
#define CORTEX_LOGIN_TEXT_H

#include <stdbool.h>
#include <stddef.h>

#define TEXT_MAX (256 * 1024)

/* Zeroed it is empty. Once something did not fit, it has failed for good. */
struct text {
  char *bytes; /* NUL-terminated; NULL while empty */
  size_t len;
  size_t room;
  bool failed;
};

void text_put(struct text *text, const char *more);
void text_put_bytes(struct text *text, const char *bytes, size_t len);
void text_put_format(struct text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Percent-encoded but for letters, digits and "-._~" (RFC 3986 2.3). */
void text_put_encoded(struct text *text, const char *more);

/* NAME=VALUE of a form or query, "&" before all but the first; nothing when value is NULL. */
void text_put_pair(struct text *text, const char *name, const char *value);

/* Without padding (RFC 4648 5). */
void text_put_base64url(struct text *text, const unsigned char *bytes, size_t len);

/* The whole text, borrowed, "" while empty; NULL after a complaint when it has failed. */
const char *text_end(const struct text *text);

/* The text, to be released with wipe_free; text is empty again. NULL as text_end. */
char *text_take(struct text *text);

void text_clear(struct text *text);

/* The same backwards; gives false for another letter or an impossible length. */
bool text_decode_base64url(const char *encoded, size_t len, struct text *decoded);

/*
 * The decoded value of a parameter in a form or query.
 *   gives  how often it is there; value is that of the first
 */
size_t text_find_pair(const char *form, const char *name, struct text *value);

#endif
