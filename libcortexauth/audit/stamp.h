/*
 * Points in time as records write them: 2026-11-23T15:26:54.123456Z, always UTC.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_AUDIT_STAMP_H
#define CX_AUDIT_STAMP_H

#include <stdbool.h>
#include <stdint.h>

#define CX_STAMP_MAX 32

/* Microseconds since 1970; what lies outside the years 0 to 9999 is moved to their border. */
void cx_stamp_format(int64_t micros, char text_out[CX_STAMP_MAX]);

/* The same in whole seconds, without a fraction. */
void cx_stamp_format_seconds(int64_t seconds, char text_out[CX_STAMP_MAX]);

/* Reads both forms, nothing else; false leaves micros_out alone. */
bool cx_stamp_parse(const char *text, int64_t *micros_out);

#endif
