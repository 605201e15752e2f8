/*
 * Small questions about text: UTF-8, control characters, durations, addresses.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_UTIL_TEXT_H
#define CX_UTIL_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Bytes of the UTF-8 character at the start (RFC 3629: no overlong forms, no surrogates); 0: none.
 */
size_t cx_text_utf8_len(const char *text, size_t len);

bool cx_text_is_utf8(const char *text, size_t len);

/* Bytes at the start that stand for themselves in a JSON string: printable ASCII, but neither
 * quotation mark nor backslash. */
size_t cx_text_plain_len(const char *text, size_t len);

/* True when a valid UTF-8 text holds a C0 control, DEL or a C1 control. */
bool cx_text_has_control(const char *text, size_t len);

/* A character, of that many bytes, that many readers take for the end of a line: U+2028, U+2029. */
bool cx_text_is_separator(const char *text, size_t len);

/* A bare integer (seconds) or parts in falling order, each once: 1d2h30m10s. Never negative. */
bool cx_text_parse_duration(const char *text, int64_t *seconds_out);

/* A whole decimal number without sign, at most max. */
bool cx_text_parse_count(const char *text, int64_t max, int64_t *count_out);

/* Which of the words, separated by ", ", the text is, from 0; -1: none of them. */
int cx_text_place(const char *words, const char *text);

/* https, or http to a loopback host (RFC 8252 8.3); no user part, no blank, no fragment. */
bool cx_text_is_trusted_url(const char *url);

/* Lower case of A-Z only, in place. */
void cx_text_lower(char *text);

/* 2*len digits and a NUL. */
void cx_text_hex(const uint8_t *bytes, size_t len, char *hex_out);

#endif
