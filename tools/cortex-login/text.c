/*
 * A text that grows up to a limit and is wiped: forms, addresses, requests.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "text.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "common/cli.h"
#include "wipe.h"

#define UNRESERVED "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* ---- growing ---- */

static bool make_room(struct text *text, size_t len) {
  size_t room = text->room == 0 ? 512 : text->room;
  char *grown;

  if (text->failed || len >= TEXT_MAX - text->len) {
    text->failed = true;
    return false;
  }
  while (room <= text->len + len)
    room *= 2;
  if (room == text->room)
    return true;
  grown = wipe_alloc(room);
  if (grown == NULL) {
    text->failed = true;
    return false;
  }
  if (text->bytes != NULL)
    memcpy(grown, text->bytes, text->len + 1);
  wipe_free(text->bytes);
  text->bytes = grown;
  text->room = room;
  return true;
}

void text_put_bytes(struct text *text, const char *bytes, size_t len) {
  if (!make_room(text, len))
    return;
  if (len > 0)
    memcpy(text->bytes + text->len, bytes, len);
  text->len += len;
  text->bytes[text->len] = '\0';
}

void text_put(struct text *text, const char *more) {
  text_put_bytes(text, more, strlen(more));
}

void text_put_format(struct text *text, const char *format, ...) {
  char line[1024];
  va_list args;
  int len;

  va_start(args, format);
  len = vsnprintf(line, sizeof line, format, args);
  va_end(args);
  if (len < 0 || (size_t)len >= sizeof line)
    text->failed = true;
  else
    text_put_bytes(text, line, (size_t)len);
  explicit_bzero(line, sizeof line);
}

void text_put_encoded(struct text *text, const char *more) {
  static const char digits[] = "0123456789ABCDEF";

  while (*more != '\0') {
    size_t plain = strspn(more, UNRESERVED);

    text_put_bytes(text, more, plain);
    more += plain;
    if (*more != '\0') {
      unsigned char byte = (unsigned char)*more++;
      char escape[3] = {'%', digits[byte >> 4], digits[byte & 15]};

      text_put_bytes(text, escape, sizeof escape);
    }
  }
}

void text_put_pair(struct text *text, const char *name, const char *value) {
  if (value == NULL)
    return;
  if (text->len > 0)
    text_put(text, "&");
  text_put_encoded(text, name);
  text_put(text, "=");
  text_put_encoded(text, value);
}

const char *text_end(const struct text *text) {
  if (text->failed) {
    cli_complain("something is too large, or memory is short");
    return NULL;
  }
  return text->bytes != NULL ? text->bytes : "";
}

char *text_take(struct text *text) {
  char *bytes = text->failed ? NULL : text->bytes != NULL ? text->bytes : wipe_dup("");

  if (bytes == NULL)
    (void)text_end(&(struct text){.failed = true});
  else
    *text = (struct text){NULL, 0, 0, false};
  return bytes;
}

void text_clear(struct text *text) {
  wipe_free(text->bytes);
  *text = (struct text){NULL, 0, 0, false};
}

/* ---- base64url ---- */

void text_put_base64url(struct text *text, const unsigned char *bytes, size_t len) {
  size_t i;

  for (i = 0; i < len; i += 3) {
    uint32_t group = (uint32_t)bytes[i] << 16 | (i + 1 < len ? (uint32_t)bytes[i + 1] << 8 : 0) |
                     (i + 2 < len ? bytes[i + 2] : 0);
    char four[4] = {base64url[group >> 18], base64url[group >> 12 & 63], base64url[group >> 6 & 63],
                    base64url[group & 63]};

    text_put_bytes(text, four, len - i >= 3 ? 4 : len - i + 1);
  }
}

bool text_decode_base64url(const char *encoded, size_t len, struct text *decoded) {
  uint32_t group = 0;
  size_t i;

  for (i = 0; i < len; i++) {
    const char *place = encoded[i] == '\0' ? NULL : strchr(base64url, encoded[i]);
    char byte;

    if (place == NULL)
      return false;
    group = group << 6 | (uint32_t)(place - base64url);
    if (i % 4 == 0)
      continue;
    byte = (char)(group >> (6 - 2 * (i % 4)) & 255);
    text_put_bytes(decoded, &byte, 1);
  }
  return len % 4 != 1 && !decoded->failed;
}

/* ---- reading a form ---- */

static int hex_digit(char c) {
  return c >= '0' && c <= '9'   ? c - '0'
         : c >= 'a' && c <= 'f' ? c - 'a' + 10
         : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                : -1;
}

/* A NUL or a broken escape would make it another value to somebody else: it is "?" then. */
static void decode(const char *from, size_t len, struct text *to) {
  size_t i;

  for (i = 0; i < len; i++) {
    char byte = from[i] == '+' ? ' ' : from[i];

    if (byte == '%') {
      int high = i + 2 < len ? hex_digit(from[i + 1]) : -1;
      int low = i + 2 < len ? hex_digit(from[i + 2]) : -1;
      int value = high < 0 || low < 0 ? 0 : high << 4 | low;

      byte = value == 0 ? '?' : (char)value;
      i += value == 0 ? 0 : 2;
    }
    text_put_bytes(to, &byte, 1);
  }
}

size_t text_find_pair(const char *form, const char *name, struct text *value) {
  size_t count = 0, name_len = strlen(name);

  while (*form != '\0') {
    size_t len = strcspn(form, "&");

    if (len > name_len && form[name_len] == '=' && memcmp(form, name, name_len) == 0 &&
        count++ == 0)
      decode(form + name_len + 1, len - name_len - 1, value);
    form += len + (form[len] == '&' ? 1 : 0);
  }
  return count;
}
