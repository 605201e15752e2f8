/*
 * What the helper may still do once it reads what a stranger sent: nearly nothing.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SAML_SANDBOX_H
#define SAML_SANDBOX_H

#include <stdbool.h>

#define SAML_LIFE_MAX_MS 5000

/*
 * Limits that a process can set for itself before it knows anything: time, memory, core, parent.
 *   in   milliseconds: how long it may live, at most SAML_LIFE_MAX_MS
 */
bool saml_sandbox_limit(unsigned milliseconds);

/* Leaves a short list of system calls; any other ends the process. There is no way back. */
bool saml_sandbox_enter(void);

#endif
