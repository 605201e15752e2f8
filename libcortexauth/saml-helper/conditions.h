/*
 * An assertion's conditions (SAML core 2.5).
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SAML_CONDITIONS_H
#define SAML_CONDITIONS_H

#include "assertion.h"

/*
 * Times, audiences, and no condition that is not understood.
 *
 *   out  until_out: the conditions' end, 0 when they have none; "one_time" in facts
 *   gives  CORTEX_OK, CORTEX_CONDITIONS_INVALID, CORTEX_AUDIENCE_MISMATCH,
 *          CORTEX_TOKEN_EXPIRED, CORTEX_NOT_YET_VALID
 */
CORTEX_MUSTCHECK enum cortex_reason saml_conditions_check(const xmlNode *assertion,
                                                          const struct saml_setting *setting,
                                                          int64_t *until_out, struct cx_buf *facts,
                                                          struct cortex_error *error);

#endif
