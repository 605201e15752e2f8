/*
 * `like`: a text against a pattern with wildcards, in linear time.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* memmem */
#endif
#include <string.h>

#include "eval.h"

/*
 * The part before the first wildcard must begin the text, the part behind the last must end it,
 * each part between goes to its leftmost place. Bytes may stand for scalars: no part of UTF-8
 * begins inside a sequence.
 */
bool cedar_like(struct cedar_text text, struct cedar_text pattern) {
  const char *at = text.ptr, *end = text.ptr + text.len;
  const char *part = pattern.ptr, *pattern_end = pattern.ptr + pattern.len;
  const char *star = memchr(part, CEDAR_WILDCARD, pattern.len);
  size_t len;

  if (star == NULL)
    return cedar_text_compare(text, pattern) == 0;
  len = (size_t)(star - part);
  if (text.len < len || memcmp(at, part, len) != 0)
    return false;
  at += len;
  for (;;) {
    part = star + 1;
    len = (size_t)(pattern_end - part);
    star = memchr(part, CEDAR_WILDCARD, len);
    if (star == NULL)
      return (size_t)(end - at) >= len && memcmp(end - len, part, len) == 0;
    len = (size_t)(star - part);
    at = memmem(at, (size_t)(end - at), part, len);
    if (at == NULL)
      return false;
    at += len;
  }
}
