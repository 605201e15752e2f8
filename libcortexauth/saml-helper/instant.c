/*
 * Times of SAML (core 1.3.3): xs:dateTime with a time zone.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "instant.h"

#include <stddef.h>
#include <string.h>

#include "names.h"

/* Digits, each at its place of a pattern in which 'n' is a digit. */
static bool fits(const char *text, const char *pattern) {
  for (; *pattern != '\0'; pattern++, text++)
    if (*pattern == 'n' ? *text < '0' || *text > '9' : *text != *pattern)
      return false;
  return true;
}

static int64_t number(const char *text, size_t digits) {
  int64_t value = 0;

  while (digits-- > 0)
    value = value * 10 + (*text++ - '0');
  return value;
}

static bool is_leap(int64_t year) {
  return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

static int64_t days_in(int64_t year, int64_t month) {
  static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

  return days[month - 1] + (month == 2 && is_leap(year));
}

static int64_t days_before(int64_t year, int64_t month) {
  int64_t before = year - 1, days = before * 365 + before / 4 - before / 100 + before / 400 - 719162, i;

  for (i = 1; i < month; i++)
    days += days_in(year, i);
  return days;
}

bool saml_instant_parse(const char *text, int64_t *seconds_out) {
  static const char pattern[] = "nnnn-nn-nnTnn:nn:nn";
  int64_t year, month, day, hour, minute, second;
  const char *rest;

  if (text == NULL)
    return false;
  text += strspn(text, XML_BLANKS); /* XML Schema part 2, 4.3.6: blanks around do not count */
  if (!fits(text, pattern))
    return false;
  year = number(text, 4);
  month = number(text + 5, 2);
  day = number(text + 8, 2);
  hour = number(text + 11, 2);
  minute = number(text + 14, 2);
  second = number(text + 17, 2);
  if (year < 1970 || month < 1 || month > 12 || day < 1 || day > days_in(year, month) ||
      hour > 23 || minute > 59 || second > 59)
    return false;
  rest = text + sizeof pattern - 1;
  if (*rest == '.') {
    size_t digits = strspn(rest + 1, "0123456789");

    if (digits == 0)
      return false;
    rest += 1 + digits;
  }
  if (*rest != 'Z' || rest[1 + strspn(rest + 1, XML_BLANKS)] != '\0')
    return false;
  *seconds_out = (days_before(year, month) + day - 1) * 86400 + hour * 3600 + minute * 60 + second;
  return true;
}
