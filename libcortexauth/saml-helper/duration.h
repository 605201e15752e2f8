/*
 * Spans of time (xs:duration), as metadata's cacheDuration writes them.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SAML_DURATION_H
#define SAML_DURATION_H

#include <stdbool.h>
#include <stdint.h>

/*
 * PnYnMnDTnHnMnS, a year as 365 days and a month as 30, at most ten of them; false for any
 * other text, and below a second.
 */
bool saml_duration_parse(const char *text, int64_t *seconds_out);

#endif
