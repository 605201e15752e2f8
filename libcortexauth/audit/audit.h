/*
 * One visit to the trail: everything that is due, in one write.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_AUDIT_AUDIT_H
#define CX_AUDIT_AUDIT_H

#include <cortexauth/audit.h>

#include "audit/sink_file.h"

/* Puts one record behind the batch's last; false: no memory, or the chain is at its end. */
CORTEX_MUSTCHECK bool cx_audit_put(struct cx_buf *batch, const struct cortex_record *record,
                                   int64_t now, struct cx_chain_head *head);

#endif
