/*
 * What the helper may still do once it reads what a stranger sent: nearly nothing.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SAML_SANDBOX_H
#define SAML_SANDBOX_H

#include <stdbool.h>

/* Limits that a process can set for itself before it knows anything: time, memory, core, parent. */
bool saml_sandbox_limit(void);

/* Leaves a short list of system calls; any other ends the process. There is no way back. */
bool saml_sandbox_enter(void);

#endif
