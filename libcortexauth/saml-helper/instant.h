/*
 * Times of SAML (core 1.3.3): xs:dateTime with a time zone.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SAML_INSTANT_H
#define SAML_INSTANT_H

#include <stdbool.h>
#include <stdint.h>

/* Seconds since 1970, fractions cut off; false: not a date and time in UTC ("Z") of years 1970 to 9999. */
bool saml_instant_parse(const char *text, int64_t *seconds_out);

#endif
