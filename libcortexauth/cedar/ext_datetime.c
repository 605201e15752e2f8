/*
 * datetime and duration: milliseconds in 64 bits.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdio.h>
#include <string.h>

#include "ext.h"

#define DAY_MS 86400000

/* Exactly count digits, at most max; moves the text behind them. */
static bool digits_read(struct cedar_text *text, size_t count, int max, int *out) {
  int value = 0;
  size_t i;

  if (text->len < count)
    return false;
  for (i = 0; i < count; i++) {
    if (text->ptr[i] < '0' || text->ptr[i] > '9')
      return false;
    value = value * 10 + (text->ptr[i] - '0');
  }
  text->ptr += count;
  text->len -= count;
  *out = value;
  return value <= max;
}

static bool char_read(struct cedar_text *text, char c) {
  if (text->len == 0 || text->ptr[0] != c)
    return false;
  text->ptr++;
  text->len--;
  return true;
}

/* Days since 1970-01-01 of a date of the proleptic Gregorian calendar. */
static int64_t days_of(int year, int month, int day) {
  int64_t y = month <= 2 ? year - 1 : year;
  int64_t era = (y >= 0 ? y : y - 399) / 400, of_era = y - era * 400;
  int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static bool date_read(struct cedar_text *text, int64_t *days_out) {
  static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  int year, month, day, leap;

  if (!digits_read(text, 4, 9999, &year) || !char_read(text, '-') ||
      !digits_read(text, 2, 12, &month) || !char_read(text, '-') ||
      !digits_read(text, 2, 31, &day) || month < 1 || day < 1)
    return false;
  leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  if (day > lengths[month - 1] + (month == 2 ? leap : 0))
    return false;
  *days_out = days_of(year, month, day);
  return true;
}

/* Z, +hhmm or -hhmm. */
static bool zone_read(struct cedar_text *text, int64_t *offset_out) {
  int sign = 1, hours, minutes;

  *offset_out = 0;
  if (char_read(text, 'Z'))
    return true;
  if (char_read(text, '-'))
    sign = -1;
  else if (!char_read(text, '+'))
    return false;
  if (!digits_read(text, 2, 23, &hours) || !digits_read(text, 2, 59, &minutes))
    return false;
  *offset_out = sign * (hours * 60 + minutes) * INT64_C(60000);
  return true;
}

/* YYYY-MM-DD, or that with Thh:mm:ss[.SSS] and a zone. */
bool cedar_datetime_parse(struct cedar_text text, struct cedar_ext_value *out) {
  int64_t days, offset;
  int hours, minutes, seconds, millis = 0;

  memset(out, 0, sizeof(*out));
  out->kind = CEDAR_KIND_DATETIME;
  if (!date_read(&text, &days))
    return false;
  out->i = days * DAY_MS;
  if (text.len == 0)
    return true;
  if (!char_read(&text, 'T') || !digits_read(&text, 2, 23, &hours) || !char_read(&text, ':') ||
      !digits_read(&text, 2, 59, &minutes) || !char_read(&text, ':') ||
      !digits_read(&text, 2, 59, &seconds))
    return false;
  if (char_read(&text, '.') && !digits_read(&text, 3, 999, &millis))
    return false;
  if (!zone_read(&text, &offset) || text.len != 0)
    return false;
  out->i += ((hours * 60 + minutes) * 60 + seconds) * INT64_C(1000) + millis - offset;
  return true;
}

/* -?(Nd)(Nh)(Nm)(Ns)(Nms): in that order, each at most once, at least one. */
bool cedar_duration_parse(struct cedar_text text, struct cedar_ext_value *out) {
  static const struct {
    char name[3];
    int64_t millis;
  } units[] = {{"d", DAY_MS}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}};
  int64_t sign = char_read(&text, '-') ? -1 : 1;
  size_t unit = 0;

  memset(out, 0, sizeof(*out));
  out->kind = CEDAR_KIND_DURATION;
  if (text.len == 0)
    return false;
  while (text.len > 0) {
    int64_t value = 0;
    size_t n = 0, len;

    for (; n < text.len && text.ptr[n] >= '0' && text.ptr[n] <= '9'; n++)
      if (__builtin_mul_overflow(value, 10, &value) ||
          __builtin_add_overflow(value, sign * (text.ptr[n] - '0'), &value))
        return false;
    if (n == 0)
      return false;
    len = text.len - n >= 2 && text.ptr[n] == 'm' && text.ptr[n + 1] == 's' ? 2 : 1;
    while (unit < 5 && (text.len - n < len || strlen(units[unit].name) != len ||
                        memcmp(units[unit].name, text.ptr + n, len) != 0))
      unit++;
    if (unit == 5 || __builtin_mul_overflow(value, units[unit].millis, &value) ||
        __builtin_add_overflow(out->i, value, &out->i))
      return false;
    unit++;
    text.ptr += n + len;
    text.len -= n + len;
  }
  return true;
}

void cedar_datetime_print(int64_t millis, char out[CEDAR_EXT_TEXT]) {
  int64_t days = millis / DAY_MS - (millis % DAY_MS < 0), rest = millis - days * DAY_MS;
  int64_t z, era, of_era, year, of_year, month;

  /* Years 0000 to 9999 have a literal; others are written as an offset from 1970. */
  if (days < days_of(0, 1, 1) || days > days_of(9999, 12, 31)) {
    snprintf(out, CEDAR_EXT_TEXT, "datetime(\"1970-01-01\").offset(duration(\"%lldms\"))",
             (long long)millis);
    return;
  }
  z = days + 719468;
  era = (z >= 0 ? z : z - 146096) / 146097;
  of_era = z - era * 146097;
  year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  of_year = of_era - (365 * year + year / 4 - year / 100);
  month = (5 * of_year + 2) / 153;
  snprintf(out, CEDAR_EXT_TEXT, "datetime(\"%04d-%02d-%02dT%02d:%02d:%02d.%03dZ\")",
           (int)(year + era * 400 + (month >= 10)), (int)(month < 10 ? month + 3 : month - 9),
           (int)(of_year - (153 * month + 2) / 5 + 1), (int)(rest / 3600000),
           (int)(rest / 60000 % 60), (int)(rest / 1000 % 60), (int)(rest % 1000));
}
