/*
 * The one table of extension functions, and what is common to the extension types.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "ext.h"

#include <stdio.h>
#include <string.h>

#define DAY_MS 86400000

static bool answer(struct cedar_ext_value *out, enum cedar_kind kind, int64_t i) {
  out->kind = kind;
  out->i = i;
  return true;
}

static bool decimal_lt(const struct cedar_ext_value *args, struct cedar_ext_value *out) {
  return answer(out, CEDAR_KIND_BOOL, args[0].i < args[1].i);
}

static bool decimal_le(const struct cedar_ext_value *args, struct cedar_ext_value *out) {
  return answer(out, CEDAR_KIND_BOOL, args[0].i <= args[1].i);
}

static bool decimal_gt(const struct cedar_ext_value *args, struct cedar_ext_value *out) {
  return answer(out, CEDAR_KIND_BOOL, args[0].i > args[1].i);
}

static bool decimal_ge(const struct cedar_ext_value *args, struct cedar_ext_value *out) {
  return answer(out, CEDAR_KIND_BOOL, args[0].i >= args[1].i);
}

static bool datetime_offset(const struct cedar_ext_value *args, struct cedar_ext_value *out) {
  out->kind = CEDAR_KIND_DATETIME;
  return !__builtin_add_overflow(args[0].i, args[1].i, &out->i);
}

static bool datetime_since(const struct cedar_ext_value *args, struct cedar_ext_value *out) {
  out->kind = CEDAR_KIND_DURATION;
  return !__builtin_sub_overflow(args[0].i, args[1].i, &out->i);
}

/* Milliseconds into the day, never negative. */
static int64_t time_of(int64_t millis) {
  int64_t rest = millis % DAY_MS;

  return rest < 0 ? rest + DAY_MS : rest;
}

static bool datetime_date(const struct cedar_ext_value *args, struct cedar_ext_value *out) {
  out->kind = CEDAR_KIND_DATETIME;
  return !__builtin_sub_overflow(args[0].i, time_of(args[0].i), &out->i);
}

static bool datetime_time(const struct cedar_ext_value *args, struct cedar_ext_value *out) {
  return answer(out, CEDAR_KIND_DURATION, time_of(args[0].i));
}

static bool duration_ms(const struct cedar_ext_value *args, struct cedar_ext_value *out) {
  return answer(out, CEDAR_KIND_LONG, args[0].i);
}

static bool duration_s(const struct cedar_ext_value *args, struct cedar_ext_value *out) {
  return answer(out, CEDAR_KIND_LONG, args[0].i / 1000);
}

static bool duration_m(const struct cedar_ext_value *args, struct cedar_ext_value *out) {
  return answer(out, CEDAR_KIND_LONG, args[0].i / 60000);
}

static bool duration_h(const struct cedar_ext_value *args, struct cedar_ext_value *out) {
  return answer(out, CEDAR_KIND_LONG, args[0].i / 3600000);
}

static bool duration_d(const struct cedar_ext_value *args, struct cedar_ext_value *out) {
  return answer(out, CEDAR_KIND_LONG, args[0].i / DAY_MS);
}

#define B CEDAR_KIND_BOOL
#define L CEDAR_KIND_LONG
#define S CEDAR_KIND_STRING
#define DEC CEDAR_KIND_DECIMAL
#define IP CEDAR_KIND_IPADDR
#define DT CEDAR_KIND_DATETIME
#define DUR CEDAR_KIND_DURATION
#define NO CEDAR_KIND_NONE

/* An image stores positions in this table: append only, or raise the image's version. */
const struct cedar_ext cedar_ext_table[] = {
    {"ip", false, 1, {S, NO}, IP, NULL},
    {"decimal", false, 1, {S, NO}, DEC, NULL},
    {"datetime", false, 1, {S, NO}, DT, NULL},
    {"duration", false, 1, {S, NO}, DUR, NULL},
    {"isIpv4", true, 1, {IP, NO}, B, cedar_ip_is_v4},
    {"isIpv6", true, 1, {IP, NO}, B, cedar_ip_is_v6},
    {"isLoopback", true, 1, {IP, NO}, B, cedar_ip_is_loopback},
    {"isMulticast", true, 1, {IP, NO}, B, cedar_ip_is_multicast},
    {"isInRange", true, 2, {IP, IP}, B, cedar_ip_is_in_range},
    {"lessThan", true, 2, {DEC, DEC}, B, decimal_lt},
    {"lessThanOrEqual", true, 2, {DEC, DEC}, B, decimal_le},
    {"greaterThan", true, 2, {DEC, DEC}, B, decimal_gt},
    {"greaterThanOrEqual", true, 2, {DEC, DEC}, B, decimal_ge},
    {"offset", true, 2, {DT, DUR}, DT, datetime_offset},
    {"durationSince", true, 2, {DT, DT}, DUR, datetime_since},
    {"toDate", true, 1, {DT, NO}, DT, datetime_date},
    {"toTime", true, 1, {DT, NO}, DUR, datetime_time},
    {"toMilliseconds", true, 1, {DUR, NO}, L, duration_ms},
    {"toSeconds", true, 1, {DUR, NO}, L, duration_s},
    {"toMinutes", true, 1, {DUR, NO}, L, duration_m},
    {"toHours", true, 1, {DUR, NO}, L, duration_h},
    {"toDays", true, 1, {DUR, NO}, L, duration_d},
};
const size_t cedar_ext_count = sizeof(cedar_ext_table) / sizeof(cedar_ext_table[0]);

int cedar_ext_find(struct cedar_text name, bool method) {
  size_t i;

  for (i = 0; i < cedar_ext_count; i++)
    if (cedar_ext_table[i].method == method && cedar_text_is(name, cedar_ext_table[i].name))
      return (int)i;
  return -1;
}

int cedar_ext_constructor(enum cedar_kind kind) {
  size_t i;

  for (i = 0; i < cedar_ext_count; i++)
    if (cedar_ext_table[i].call == NULL && cedar_ext_table[i].result == kind)
      return (int)i;
  return -1;
}

bool cedar_ext_parse(enum cedar_kind kind, struct cedar_text text, struct cedar_ext_value *out) {
  memset(out, 0, sizeof(*out));
  if (kind == DEC)
    return cedar_decimal_parse(text, out);
  if (kind == IP)
    return cedar_ipaddr_parse(text, out);
  if (kind == DT)
    return cedar_datetime_parse(text, out);
  return kind == DUR && cedar_duration_parse(text, out);
}

static void decimal_print(int64_t i, char out[CEDAR_EXT_TEXT]) {
  uint64_t size = i < 0 ? 0 - (uint64_t)i : (uint64_t)i;
  unsigned int fraction = (unsigned int)(size % 10000), digits = 4;

  while (digits > 1 && fraction % 10 == 0) {
    fraction /= 10;
    digits--;
  }
  snprintf(out, CEDAR_EXT_TEXT, "decimal(\"%s%llu.%0*u\")", i < 0 ? "-" : "",
           (unsigned long long)(size / 10000), (int)digits, fraction);
}

void cedar_ext_print(const struct cedar_ext_value *value, char out[CEDAR_EXT_TEXT]) {
  out[0] = '\0';
  if (value->kind == DEC)
    decimal_print(value->i, out);
  else if (value->kind == IP)
    cedar_ip_print(value, out);
  else if (value->kind == DT)
    cedar_datetime_print(value->i, out);
  else if (value->kind == DUR)
    snprintf(out, CEDAR_EXT_TEXT, "duration(\"%lldms\")", (long long)value->i);
}
