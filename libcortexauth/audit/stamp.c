/*
 * Points in time as records write them: 2026-11-23T15:26:54.123456Z, always UTC.
 * SPDX-License-Identifier: PostgreSQL
 *
 * Not gmtime_r: its first call in a process reads TZ and the time zone file.
 */
#include "audit/stamp.h"

#include <string.h>

#define SECONDS_MIN (-62167219200LL) /* 0000-01-01T00:00:00Z */
#define SECONDS_MAX 253402300799LL   /* 9999-12-31T23:59:59Z */
#define DAYS_TO_1970 719468          /* from 0000-03-01 */
#define DAYS_PER_ERA 146097          /* 400 years */

struct date {
  int year, month, day;
};

/* Years are counted from March, so that the leap day is a year's last. */
static struct date date_of(int64_t days) {
  int64_t shifted = days + DAYS_TO_1970;
  int64_t era = (shifted >= 0 ? shifted : shifted - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
  int day = (int)(shifted - era * DAYS_PER_ERA);
  int year = (day - day / 1460 + day / 36524 - day / (DAYS_PER_ERA - 1)) / 365;
  int in_year = day - (365 * year + year / 4 - year / 100);
  int month = (5 * in_year + 2) / 153;

  return (struct date){
      .year = (int)(era * 400) + year + (month >= 10 ? 1 : 0),
      .month = month < 10 ? month + 3 : month - 9,
      .day = in_year - (153 * month + 2) / 5 + 1,
  };
}

static int64_t days_of(struct date date) {
  int year = date.month <= 2 ? date.year - 1 : date.year;
  int era = (year >= 0 ? year : year - 399) / 400;
  int of_era = year - era * 400;
  int in_year = (153 * (date.month > 2 ? date.month - 3 : date.month + 9) + 2) / 5 + date.day - 1;

  return (int64_t)era * DAYS_PER_ERA + of_era * 365 + of_era / 4 - of_era / 100 + in_year -
         DAYS_TO_1970;
}

/* A number of exactly `digits` digits and what stands behind it. */
static char *put(char *at, unsigned number, int digits, char after) {
  int i;

  for (i = digits; i > 0; i--, number /= 10)
    at[i - 1] = (char)('0' + number % 10);
  at[digits] = after;
  return at + digits + 1;
}

/* Returns where the Z stands. */
static char *format(int64_t seconds, char text_out[CX_STAMP_MAX]) {
  struct date date;
  int64_t days;
  char *at;
  int rest;

  if (seconds < SECONDS_MIN)
    seconds = SECONDS_MIN;
  if (seconds > SECONDS_MAX)
    seconds = SECONDS_MAX;
  days = (seconds - SECONDS_MIN) / 86400 + SECONDS_MIN / 86400;
  rest = (int)(seconds - days * 86400);
  date = date_of(days);
  at = put(text_out, (unsigned)date.year, 4, '-');
  at = put(at, (unsigned)date.month, 2, '-');
  at = put(at, (unsigned)date.day, 2, 'T');
  at = put(at, (unsigned)rest / 3600, 2, ':');
  at = put(at, (unsigned)rest / 60 % 60, 2, ':');
  at = put(at, (unsigned)rest % 60, 2, 'Z');
  *at = '\0';
  return at - 1;
}

void cx_stamp_format_seconds(int64_t seconds, char text_out[CX_STAMP_MAX]) {
  (void)format(seconds, text_out);
}

void cx_stamp_format(int64_t micros, char text_out[CX_STAMP_MAX]) {
  int64_t seconds = micros / 1000000, fraction = micros % 1000000;
  char *at;

  if (fraction < 0) {
    fraction += 1000000;
    seconds--;
  }
  at = format(seconds, text_out);
  *at = '.';
  at = put(at + 1, (unsigned)fraction, 6, 'Z');
  *at = '\0';
}

/* A number of exactly `digits` digits. */
static bool take(const char **text, int digits, int *number_out) {
  *number_out = 0;
  for (; digits > 0; digits--, (*text)++) {
    if (**text < '0' || **text > '9')
      return false;
    *number_out = *number_out * 10 + (**text - '0');
  }
  return true;
}

bool cx_stamp_parse(const char *text, int64_t *micros_out) {
  static const struct {
    int digits;
    char after;
    int low, high;
  } parts[] = {{4, '-', 0, 9999}, {2, '-', 1, 12}, {2, 'T', 1, 31},
               {2, ':', 0, 23},   {2, ':', 0, 59}, {2, '\0', 0, 59}};
  int values[6], fraction = 0;
  size_t i;

  for (i = 0; i < 6; i++) {
    if (!take(&text, parts[i].digits, &values[i]) || values[i] < parts[i].low ||
        values[i] > parts[i].high)
      return false;
    if (parts[i].after != '\0' && *text++ != parts[i].after)
      return false;
  }
  if (*text == '.' && (text++, !take(&text, 6, &fraction)))
    return false;
  if (strcmp(text, "Z") != 0)
    return false;
  *micros_out = ((days_of((struct date){values[0], values[1], values[2]}) * 24 + values[3]) * 3600 +
                 values[4] * 60 + values[5]) *
                    1000000 +
                fraction;
  return true;
}
