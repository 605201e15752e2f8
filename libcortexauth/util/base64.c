/*
 * Strict base64 (RFC 4648 section 4), with blanks between letters where the caller says so.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "util/base64.h"

#include <string.h>

#define NO_LETTER 64

static uint32_t value_of(char letter) {
  if (letter >= 'A' && letter <= 'Z')
    return (uint32_t)(letter - 'A');
  if (letter >= 'a' && letter <= 'z')
    return (uint32_t)(letter - 'a') + 26;
  if (letter >= '0' && letter <= '9')
    return (uint32_t)(letter - '0') + 52;
  return letter == '+' ? 62 : letter == '/' ? 63 : NO_LETTER;
}

/* What a last group of 2 or 3 letters holds; its padding has been counted. */
static bool put_rest(uint32_t bits, size_t letters, size_t padding, uint8_t **to) {
  if (letters == 0)
    return padding == 0;
  if (letters + padding != 4 || padding > 2)
    return false;
  if (letters == 2) {
    *(*to)++ = (uint8_t)(bits >> 4);
    return (bits & 0xf) == 0;
  }
  *(*to)++ = (uint8_t)(bits >> 10);
  *(*to)++ = (uint8_t)(bits >> 2);
  return (bits & 0x3) == 0;
}

bool cx_base64_decode(const char *text, size_t len, const char *blanks, uint8_t *bytes_out,
                      size_t *len_out) {
  uint8_t *to = bytes_out;
  uint32_t bits = 0, value;
  size_t i, letters = 0, padding = 0;

  *len_out = 0;
  for (i = 0; i < len; i++) {
    value = value_of(text[i]);
    if (value == NO_LETTER) {
      if (text[i] == '=')
        padding++;
      else if (text[i] == '\0' || strchr(blanks, text[i]) == NULL)
        return false;
      continue;
    }
    if (padding > 0)
      return false;
    bits = bits << 6 | value;
    if (++letters < 4)
      continue;
    *to++ = (uint8_t)(bits >> 16);
    *to++ = (uint8_t)(bits >> 8);
    *to++ = (uint8_t)bits;
    bits = 0;
    letters = 0;
  }
  if (!put_rest(bits, letters, padding, &to))
    return false;
  *len_out = (size_t)(to - bytes_out);
  return true;
}
