/*
 * What the two kinds of cortexctl explain have in common.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXCTL_EXPLAIN_H
#define CORTEXCTL_EXPLAIN_H

#include <cortexauth/decision.h>

#include "common/cli.h"

/* "label      text", the way all of explain prints its facts. */
void explain_fact(const char *label, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "label      a, b, c", or none_text. */
void explain_list(const char *label, const char *const *items, size_t count, const char *none_text);

/* "2026-11-23T16:00:00Z" of seconds since 1970. */
#define EXPLAIN_TIME 32
const char *explain_time(int64_t seconds, char text[EXPLAIN_TIME]);

/* Bits of enum cortex_level as "read, write". */
#define EXPLAIN_LEVELS 64
const char *explain_levels(unsigned levels, char text[EXPLAIN_LEVELS]);

/* Decides and prints decision and explanation; gives CLI_DONE for an allow, CLI_NO for a deny. */
enum cli_exit explain_question(const struct cortex_policy *policy,
                               const struct cortex_question *question);

/* explain --reference: from the audit trail. */
enum cli_exit explain_reference(const struct cli *cli, const struct cortex_settings *settings);

#endif
