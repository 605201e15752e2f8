/*
 * Strict base64url: one text for each value.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "util/base64url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void texts_of_all_lengths_are_decoded(void **state) {
  static const char *const pairs[][2] = {{"", ""},         {"Zg", "f"},         {"Zm8", "fo"},
                                         {"Zm9v", "foo"},  {"Zm9vYg", "foob"},  {"Zm9vYmE", "fooba"},
                                         {"Zm9vYmFy", "foobar"}, {"__-_", "\xff\xff\xbf"}};
  uint8_t bytes[16];
  size_t i, len;

  (void)state;
  for (i = 0; i < sizeof pairs / sizeof pairs[0]; i++) {
    assert_true(cx_base64url_decode(pairs[i][0], strlen(pairs[i][0]), bytes, &len));
    assert_int_equal(len, strlen(pairs[i][1]));
    assert_int_equal(len, CX_BASE64URL_SIZE(strlen(pairs[i][0])));
    assert_memory_equal(bytes, pairs[i][1], len);
  }
}

static void anything_else_is_refused(void **state) {
  static const char *const texts[] = {"Z",    "Zg==", "Zg=",   "Zm8=",  "Zm9vZ", "Zh",   "Zm9",
                                      "Zm+v", "Zm/v", "Zm 9v", "Zm9v ", "Zm9\n", "=",    "Zm.v",
                                      "Zm9\x80", "\xff\xff\xff\xff", "Zm9v Zg", "Z%67"};
  uint8_t bytes[16];
  size_t i, len;

  (void)state;
  for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    assert_false(cx_base64url_decode(texts[i], strlen(texts[i]), bytes, &len));
    assert_int_equal(len, 0);
  }
  assert_false(cx_base64url_decode("Zm\0v", 4, bytes, &len));
}

/* Every byte in every place: exactly the 64 letters are digits. */
static void exactly_64_letters_are_digits(void **state) {
  static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  char text[4];
  uint8_t bytes[3];
  size_t place, len;
  int byte;

  (void)state;
  for (place = 0; place < 4; place++)
    for (byte = 0; byte < 256; byte++) {
      memcpy(text, "AAAA", 4);
      text[place] = (char)byte;
      assert_int_equal(cx_base64url_decode(text, 4, bytes, &len),
                       byte != 0 && strchr(letters, byte) != NULL);
    }
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(texts_of_all_lengths_are_decoded),
      cmocka_unit_test(anything_else_is_refused),
      cmocka_unit_test(exactly_64_letters_are_digits),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
