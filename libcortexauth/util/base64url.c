/*
 * Strict base64url (RFC 7515 section 2, RFC 4648 section 5).
 * SPDX-License-Identifier: PostgreSQL
 */
#include "util/base64url.h"

#define NO_DIGIT 64

static const uint8_t digits[128] = {
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64, 64,
    64, 62, 64, 64, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61, 64, 64, 64, 64, 64, 64, 64, 0,
    1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
    23, 24, 25, 64, 64, 64, 64, 63, 64, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38,
    39, 40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 64, 64, 64, 64, 64,
};

static uint32_t digit(char letter) {
  unsigned char byte = (unsigned char)letter;

  return byte < sizeof digits ? digits[byte] : NO_DIGIT;
}

/* The last two or three letters; bits that carry nothing must be zero (one text per value). */
static bool decode_tail(const char *text, size_t len, uint8_t *bytes_out) {
  uint32_t a = digit(text[0]), b = digit(text[1]), c = len == 3 ? digit(text[2]) : 0;
  uint32_t bits = a << 12 | b << 6 | c;

  if (((a | b | c) & NO_DIGIT) != 0 || (len == 2 && (b & 15) != 0) || (len == 3 && (c & 3) != 0))
    return false;
  bytes_out[0] = (uint8_t)(bits >> 10);
  if (len == 3)
    bytes_out[1] = (uint8_t)(bits >> 2);
  return true;
}

bool cx_base64url_decode(const char *text, size_t len, uint8_t *bytes_out, size_t *len_out) {
  size_t tail = len % 4;
  size_t i, used = 0;
  uint32_t a, b, c, d, bits;

  *len_out = 0;
  if (tail == 1)
    return false;
  for (i = 0; i < len - tail; i += 4) {
    a = digit(text[i]);
    b = digit(text[i + 1]);
    c = digit(text[i + 2]);
    d = digit(text[i + 3]);
    if (((a | b | c | d) & NO_DIGIT) != 0)
      return false;
    bits = a << 18 | b << 12 | c << 6 | d;
    bytes_out[used++] = (uint8_t)(bits >> 16);
    bytes_out[used++] = (uint8_t)(bits >> 8);
    bytes_out[used++] = (uint8_t)bits;
  }
  if (tail != 0 && !decode_tail(text + i, tail, bytes_out + used))
    return false;
  *len_out = used + (tail != 0 ? tail - 1 : 0);
  return true;
}
