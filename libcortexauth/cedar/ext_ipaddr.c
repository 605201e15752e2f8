/*
 * ipaddr: an IPv4 or IPv6 address or range.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdio.h>
#include <string.h>

#include "ext.h"

/* A number without sign or leading zero, at most max; gives the digits read, 0 when it is none. */
static size_t number_read(struct cedar_text text, unsigned int max, unsigned int *out) {
  unsigned int value = 0;
  size_t n = 0;

  while (n < text.len && n < 4 && text.ptr[n] >= '0' && text.ptr[n] <= '9') {
    value = value * 10 + (unsigned int)(text.ptr[n] - '0');
    n++;
  }
  if (n == 0 || value > max || (n > 1 && text.ptr[0] == '0'))
    return 0;
  *out = value;
  return n;
}

static struct cedar_text text_skip(struct cedar_text text, size_t n) {
  struct cedar_text rest = {text.ptr + n, text.len - n};

  return rest;
}

static bool v4_parse(struct cedar_text text, uint8_t *bytes) {
  unsigned int part = 0;
  size_t i, n;

  for (i = 0; i < 4; i++) {
    if (i > 0) {
      if (text.len == 0 || text.ptr[0] != '.')
        return false;
      text = text_skip(text, 1);
    }
    n = number_read(text, 255, &part);
    if (n == 0)
      return false;
    bytes[i] = (uint8_t)part;
    text = text_skip(text, n);
  }
  return text.len == 0;
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9')
    return c - '0';
  if (c >= 'a' && c <= 'f')
    return c - 'a' + 10;
  if (c >= 'A' && c <= 'F')
    return c - 'A' + 10;
  return -1;
}

/* Groups of one to four hex digits joined by `:`; gives how many, up to max, and what follows. */
static size_t groups_read(struct cedar_text *text, uint8_t *bytes, size_t max) {
  size_t count = 0;

  while (count < max) {
    struct cedar_text rest = *text;
    unsigned int group = 0;
    size_t n = 0;

    if (count > 0) {
      if (rest.len == 0 || rest.ptr[0] != ':')
        break;
      rest = text_skip(rest, 1);
    }
    while (n < rest.len && n < 4 && hex_digit(rest.ptr[n]) >= 0) {
      group = group * 16 + (unsigned int)hex_digit(rest.ptr[n]);
      n++;
    }
    if (n == 0)
      break;
    bytes[2 * count] = (uint8_t)(group >> 8);
    bytes[2 * count + 1] = (uint8_t)(group & 0xff);
    count++;
    *text = text_skip(rest, n);
  }
  return count;
}

/* RFC 4291 section 2.2, forms 1 and 2; `::` stands for at least one group. */
static bool v6_parse(struct cedar_text text, uint8_t *bytes) {
  uint8_t tail[16] = {0};
  size_t head_count, tail_count;

  memset(bytes, 0, 16);
  head_count = groups_read(&text, bytes, 8);
  if (head_count == 8)
    return text.len == 0;
  if (text.len < 2 || text.ptr[0] != ':' || text.ptr[1] != ':')
    return false;
  text = text_skip(text, 2);
  tail_count = groups_read(&text, tail, 7 - head_count);
  memset(bytes + 2 * head_count, 0, 16 - 2 * head_count);
  memcpy(bytes + 16 - 2 * tail_count, tail, 2 * tail_count);
  return text.len == 0;
}

bool cedar_ipaddr_parse(struct cedar_text text, struct cedar_ext_value *out) {
  const char *slash = text.len == 0 ? NULL : memchr(text.ptr, '/', text.len);
  struct cedar_text address = text, prefix = {NULL, 0};
  unsigned int bits;

  memset(out, 0, sizeof(*out));
  out->kind = CEDAR_KIND_IPADDR;
  if (text.len == 0)
    return false;
  if (slash != NULL) {
    address.len = (size_t)(slash - text.ptr);
    prefix = text_skip(text, address.len + 1);
  }
  if (v4_parse(address, out->bytes))
    out->version = 4;
  else if (v6_parse(address, out->bytes))
    out->version = 6;
  else
    return false;
  bits = out->version == 4 ? 32 : 128;
  if (slash != NULL && (prefix.len == 0 || number_read(prefix, bits, &bits) != prefix.len))
    return false;
  out->prefix = (uint8_t)bits;
  return true;
}

/* Whether the first bits of two addresses agree. */
static bool bits_equal(const uint8_t *a, const uint8_t *b, unsigned int bits) {
  unsigned int whole = bits / 8, rest = bits % 8;

  if (memcmp(a, b, whole) != 0)
    return false;
  return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

static bool ip_answer(struct cedar_ext_value *out, bool b) {
  out->kind = CEDAR_KIND_BOOL;
  out->i = b;
  return true;
}

bool cedar_ip_is_v4(const struct cedar_ext_value *args, struct cedar_ext_value *out) {
  return ip_answer(out, args[0].version == 4);
}

bool cedar_ip_is_v6(const struct cedar_ext_value *args, struct cedar_ext_value *out) {
  return ip_answer(out, args[0].version == 6);
}

bool cedar_ip_is_loopback(const struct cedar_ext_value *args, struct cedar_ext_value *out) {
  static const uint8_t v6[16] = {[15] = 1};

  if (args[0].version == 4)
    return ip_answer(out, args[0].prefix >= 8 && args[0].bytes[0] == 127);
  return ip_answer(out, args[0].prefix == 128 && memcmp(args[0].bytes, v6, 16) == 0);
}

bool cedar_ip_is_multicast(const struct cedar_ext_value *args, struct cedar_ext_value *out) {
  if (args[0].version == 4)
    return ip_answer(out, args[0].prefix >= 4 && args[0].bytes[0] >> 4 == 14);
  return ip_answer(out, args[0].prefix >= 8 && args[0].bytes[0] == 0xff);
}

bool cedar_ip_is_in_range(const struct cedar_ext_value *args, struct cedar_ext_value *out) {
  return ip_answer(out, args[0].version == args[1].version && args[0].prefix >= args[1].prefix &&
                            bits_equal(args[0].bytes, args[1].bytes, args[1].prefix));
}

void cedar_ip_print(const struct cedar_ext_value *value, char out[CEDAR_EXT_TEXT]) {
  const uint8_t *b = value->bytes;
  char prefix[8] = "", groups[48];
  size_t n = 0, i;

  if (value->prefix != (value->version == 4 ? 32 : 128))
    snprintf(prefix, sizeof(prefix), "/%u", value->prefix);
  if (value->version == 4) {
    snprintf(out, CEDAR_EXT_TEXT, "ip(\"%u.%u.%u.%u%s\")", b[0], b[1], b[2], b[3], prefix);
    return;
  }
  groups[0] = '\0';
  for (i = 0; i < 8; i++)
    n += (size_t)snprintf(groups + n, sizeof(groups) - n, i == 0 ? "%x" : ":%x",
                          (unsigned int)b[2 * i] << 8 | b[2 * i + 1]);
  snprintf(out, CEDAR_EXT_TEXT, "ip(\"%s%s\")", groups, prefix);
}
