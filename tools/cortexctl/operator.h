/*
 * What an operator changes is recorded: by whom, when, what.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXCTL_OPERATOR_H
#define CORTEXCTL_OPERATOR_H

#include <stdbool.h>

#include <cortexauth/audit.h>
#include <cortexauth/settings.h>

/* The user's name, and where somebody else logged in and became it, that one too. */
#define OPERATOR_NAME 160
const char *operator_name(char text[OPERATOR_NAME]);

/*
 * Adds the record to the audit trail, with this host's name.
 *   gives  false, after a complaint, when it cannot be written and [audit]
 *          required = yes
 */
bool operator_record(const struct cortex_settings *settings, struct cortex_record record);

/*
 * The issuer that an operator means by its label, or by its own name.
 *   gives  NULL, after a complaint, when none is configured. Borrowed.
 */
const char *operator_issuer(const struct cortex_settings *settings, const char *text);

#endif
