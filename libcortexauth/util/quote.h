/*
 * Bytes from strangers, made fit for a message.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_UTIL_QUOTE_H
#define CX_UTIL_QUOTE_H

#include <stddef.h>

/* Enough to recognise a value by, too little to flood a log with. */
struct cx_quote {
  char text[72];
};

/*
 * "…" with control characters and bytes that are not UTF-8 as \xNN, cut to
 * about 60 bytes with "..." after. By value: use it inside a printf argument.
 */
struct cx_quote cx_quote(const char *bytes, size_t len);

#endif
