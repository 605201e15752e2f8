/*
 * Bytes from strangers, made fit for a message.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "util/quote.h"

#include <stdio.h>
#include <string.h>

#include "util/text.h"

struct cx_quote cx_quote(const char *bytes, size_t len) {
  struct cx_quote quote = {{'"'}};
  size_t room = sizeof quote.text - sizeof "\"...";
  size_t used = 1, i = 0, n;
  char shown[5];

  while (i < len) {
    n = cx_text_utf8_len(bytes + i, len - i);
    if (n == 0 || cx_text_has_control(bytes + i, n)) {
      snprintf(shown, sizeof shown, "\\x%02x", (unsigned)(unsigned char)bytes[i]);
      n = 1;
    } else {
      memcpy(shown, bytes + i, n);
      shown[n] = '\0';
    }
    if (used + strlen(shown) > room)
      break;
    memcpy(quote.text + used, shown, strlen(shown));
    used += strlen(shown);
    i += n;
  }
  snprintf(quote.text + used, sizeof quote.text - used, "\"%s", i < len ? "..." : "");
  return quote;
}
