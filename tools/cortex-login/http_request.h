/*
 * One HTTP request of a browser: is it the answer that is waited for?
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEX_LOGIN_HTTP_REQUEST_H
#define CORTEX_LOGIN_HTTP_REQUEST_H

#include <stddef.h>

#include "loopback.h"
#include "text.h"

enum http_verdict {
  HTTP_UNFINISHED, /* more bytes are needed */
  HTTP_BAD,        /* no request, or for another host's name */
  HTTP_NOT_FOUND,
  HTTP_NOT_ALLOWED, /* another method */
  HTTP_TOO_LARGE,
  HTTP_TAKEN /* it is the answer */
};

/*
 * Judges what has arrived so far.
 *   out  parameters: on HTTP_TAKEN the query (GET) or the form (POST)
 */
enum http_verdict http_judge(const struct text *request, const char *method,
                             const struct loopback_address *address, struct text *parameters);

/* The whole response, with a page for a person; gives its length. */
size_t http_answer(enum http_verdict verdict, char *response, size_t size);

#endif
