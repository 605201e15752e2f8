/*
 * The commands of cortexctl, one function each.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXCTL_CORTEXCTL_H
#define CORTEXCTL_CORTEXCTL_H

#include "common/cli.h"

extern const struct cli_verb cmd_codes;
extern const struct cli_verb cmd_dev_issuer;
extern const struct cli_verb cmd_dev_token;

#endif
