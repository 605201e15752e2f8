/*
 * Spans of time (xs:duration), as metadata's cacheDuration writes them.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "duration.h"

#include <stddef.h>
#include <string.h>

#include "names.h"

#define NUMBER_MAX 1000000000 /* what is longer is as good as for ever */
#define LONGEST (INT64_C(10) * 365 * 86400)

static const char *read_count(const char *text, int64_t *count_out) {
  *count_out = 0;
  for (; *text >= '0' && *text <= '9'; text++)
    if (*count_out < NUMBER_MAX)
      *count_out = *count_out * 10 + (*text - '0');
  return text;
}

/* What is after the point of the seconds does not count. */
static const char *skip_fraction(const char *text) {
  size_t digits = *text == '.' ? strspn(text + 1, "0123456789") : 0;

  return digits > 0 && text[1 + digits] == 'S' ? text + 1 + digits : text;
}

/* The parts of one half, each at most once and in this order; NULL: they are none. */
static const char *read_parts(const char *text, const char *letters, const int64_t *units,
                              int64_t *seconds, size_t *parts) {
  while (*text >= '0' && *text <= '9') {
    int64_t count;
    const char *end = skip_fraction(read_count(text, &count));
    const char *letter = *end != '\0' ? strchr(letters, *end) : NULL;

    if (letter == NULL)
      return NULL;
    *seconds += count * units[letter - letters];
    units += letter - letters + 1;
    letters = letter + 1;
    text = end + 1;
    ++*parts;
  }
  return text;
}

bool saml_duration_parse(const char *text, int64_t *seconds_out) {
  static const int64_t days[] = {365 * 86400, 30 * 86400, 86400}, times[] = {3600, 60, 1};
  size_t parts = 0, times_of = 0;
  int64_t seconds = 0;

  text += strspn(text, XML_BLANKS);
  if (*text++ != 'P')
    return false;
  text = read_parts(text, "YMD", days, &seconds, &parts);
  if (text != NULL && *text == 'T') {
    text = read_parts(text + 1, "HMS", times, &seconds, &times_of);
    if (times_of == 0)
      return false;
  }
  if (text == NULL || parts + times_of == 0 || text[strspn(text, XML_BLANKS)] != '\0' || seconds <= 0)
    return false;
  *seconds_out = seconds < LONGEST ? seconds : LONGEST;
  return true;
}
