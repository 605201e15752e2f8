/*
 * Filling the error object.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_UTIL_ERROR_H
#define CX_UTIL_ERROR_H

#include <cortexauth/error.h>

/* Where in a file: name may be NULL, line and column 0 when not known. */
struct cx_place {
  const char *source;
  unsigned line;
  unsigned column;
};

/*
 * Each gives the reason it was called with, so that a caller can write
 * `return cx_error_set(...)`. An error that is already set stays as it is;
 * control characters in the text become "?"; too long a text is cut.
 *
 * Cold: the compiler puts every way that ends here apart from the ways that a good login
 * takes, which then share fewer pages.
 */
enum cortex_reason cx_error_set(struct cortex_error *error, enum cortex_reason reason,
                                const char *format, ...)
    __attribute__((cold, format(printf, 3, 4)));
enum cortex_reason cx_error_at(struct cortex_error *error, enum cortex_reason reason,
                               struct cx_place place, const char *format, ...)
    __attribute__((cold, format(printf, 4, 5)));

/* The one answer to a failed allocation. */
enum cortex_reason cx_error_memory(struct cortex_error *error) __attribute__((cold));

/* Puts "context: " before the message of a set error. */
void cx_error_prefix(struct cortex_error *error, const char *format, ...)
    __attribute__((cold, format(printf, 2, 3)));

/* Gives a set error another code, where a layer knows better what it means for the login. */
enum cortex_reason cx_error_recode(struct cortex_error *error, enum cortex_reason reason)
    __attribute__((cold));

#endif
