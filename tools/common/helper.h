/*
 * Where the helper program of SAML is, for programs that people start.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef TOOLS_COMMON_HELPER_H
#define TOOLS_COMMON_HELPER_H

/*
 * cortex-saml in the folder that CORTEX_LIBEXECDIR names; else as it lies beside
 * the program that runs (installed below another root, or not installed yet);
 * NULL: where it was configured to be. Lives as long as the program.
 */
const char *helper_path(void);

#endif
