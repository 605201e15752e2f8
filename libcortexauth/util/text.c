/*
 * Small questions about text: UTF-8, control characters, durations, addresses.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "util/text.h"

#include <string.h>

static bool is_tail(unsigned char byte, unsigned char low, unsigned char high) {
  return byte >= low && byte <= high;
}

/* The table of well-formed byte sequences, RFC 3629 section 4. */
size_t cx_text_utf8_len(const char *text, size_t len) {
  static const struct {
    unsigned char first_low, first_high, second_low, second_high, len;
  } forms[] = {
      {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
      {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
      {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4},
  };
  const unsigned char *byte = (const unsigned char *)text;
  size_t i, form;

  if (len == 0)
    return 0;
  for (form = 0; form < sizeof forms / sizeof forms[0]; form++)
    if (is_tail(byte[0], forms[form].first_low, forms[form].first_high))
      break;
  if (form == sizeof forms / sizeof forms[0] || len < forms[form].len)
    return 0;
  if (forms[form].len > 1 && !is_tail(byte[1], forms[form].second_low, forms[form].second_high))
    return 0;
  for (i = 2; i < forms[form].len; i++)
    if (!is_tail(byte[i], 0x80, 0xbf))
      return 0;
  return forms[form].len;
}

/* Bytes at the start that are plain ASCII, in words of eight. */
static size_t ascii_run(const char *text, size_t len) {
  uint64_t word;
  size_t i;

  for (i = 0; len - i >= sizeof word; i += sizeof word) {
    memcpy(&word, text + i, sizeof word);
    if ((word & UINT64_C(0x8080808080808080)) != 0)
      break;
  }
  return i;
}

bool cx_text_is_utf8(const char *text, size_t len) {
  size_t i = ascii_run(text, len), n;

  while (i < len) {
    n = cx_text_utf8_len(text + i, len - i);
    if (n == 0)
      return false;
    i += n;
  }
  return true;
}

size_t cx_text_plain_len(const char *text, size_t len) {
  size_t i;

  for (i = 0; i < len; i++) {
    unsigned char byte = (unsigned char)text[i];

    if (byte < 0x20 || byte >= 0x7f || byte == '"' || byte == '\\')
      break;
  }
  return i;
}

bool cx_text_has_control(const char *text, size_t len) {
  size_t i;

  for (i = 0; i < len; i++) {
    unsigned char byte = (unsigned char)text[i];

    if (byte < 0x20 || byte == 0x7f)
      return true;
    /* U+0080 to U+009F are C2 80 to C2 9F */
    if (byte == 0xc2 && i + 1 < len && (unsigned char)text[i + 1] < 0xa0)
      return true;
  }
  return false;
}

bool cx_text_is_separator(const char *text, size_t len) {
  return len == 3 && (memcmp(text, "\xe2\x80\xa8", 3) == 0 || memcmp(text, "\xe2\x80\xa9", 3) == 0);
}

static bool take_number(const char **text, int64_t *number_out) {
  int64_t number = 0;

  if (**text < '0' || **text > '9')
    return false;
  for (; **text >= '0' && **text <= '9'; (*text)++) {
    if (number > (INT64_MAX - 9) / 10)
      return false;
    number = number * 10 + (**text - '0');
  }
  *number_out = number;
  return true;
}

bool cx_text_parse_count(const char *text, int64_t max, int64_t *count_out) {
  int64_t count;

  if (!take_number(&text, &count) || *text != '\0' || count > max)
    return false;
  *count_out = count;
  return true;
}

bool cx_text_parse_duration(const char *text, int64_t *seconds_out) {
  static const struct {
    char letter;
    int64_t seconds;
  } units[] = {{'d', 86400}, {'h', 3600}, {'m', 60}, {'s', 1}};
  int64_t total = 0, number;
  size_t unit = 0;

  if (cx_text_parse_count(text, INT64_MAX, seconds_out))
    return true;
  if (*text == '\0')
    return false;
  while (*text != '\0') {
    if (!take_number(&text, &number))
      return false;
    while (unit < sizeof units / sizeof units[0] && units[unit].letter != *text)
      unit++;
    if (unit == sizeof units / sizeof units[0] || number > INT64_MAX / units[unit].seconds ||
        total > INT64_MAX - number * units[unit].seconds)
      return false;
    total += number * units[unit].seconds;
    unit++;
    text++;
  }
  *seconds_out = total;
  return true;
}

int cx_text_place(const char *words, const char *text) {
  size_t len = strlen(text), word;
  int place = 0;

  for (; (word = strcspn(words, ",")) != len || memcmp(words, text, len) != 0; place++) {
    if (words[word] == '\0')
      return -1;
    words += word + strlen(", ");
  }
  return place;
}

static bool is_loopback(const char *host, size_t len) {
  static const char names[][10] = {"localhost", "127.0.0.1", "[::1]"};
  size_t i;

  for (i = 0; i < sizeof names / sizeof names[0]; i++)
    if (len == strlen(names[i]) && strncmp(host, names[i], len) == 0)
      return true;
  return false;
}

bool cx_text_is_trusted_url(const char *url) {
  bool secure = strncmp(url, "https://", 8) == 0;
  const char *host = url + (secure ? 8 : 7);
  size_t authority, name;

  if ((!secure && strncmp(url, "http://", 7) != 0) || strlen(url) > 2048 ||
      strpbrk(url, " \t\"<>\\^`{|}#") != NULL || cx_text_has_control(url, strlen(url)))
    return false;
  authority = strcspn(host, "/?");
  if (memchr(host, '@', authority) != NULL)
    return false;
  name = host[0] == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":/?");
  if (name == 0 || name > authority || (host[name] != ':' && name != authority))
    return false;
  return secure || is_loopback(host, name);
}

void cx_text_lower(char *text) {
  for (; *text != '\0'; text++)
    if (*text >= 'A' && *text <= 'Z')
      *text = (char)(*text - 'A' + 'a');
}

void cx_text_hex(const uint8_t *bytes, size_t len, char *hex_out) {
  static const char digits[] = "0123456789abcdef";
  size_t i;

  for (i = 0; i < len; i++) {
    hex_out[2 * i] = digits[bytes[i] >> 4];
    hex_out[2 * i + 1] = digits[bytes[i] & 15];
  }
  hex_out[2 * len] = '\0';
}
