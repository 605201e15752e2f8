/*
 * Anchors sent to the system's log.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_AUDIT_SINK_SYSLOG_H
#define CX_AUDIT_SINK_SYSLOG_H

#include <cortexauth/audit.h>

#include "audit/chain.h"

/*
 * Sends one datagram `cortex-audit: anchor SEQ:HASH FILE`, or nothing when the
 * log does not take it at once: the trail itself is what must not be lost.
 */
void cx_anchor_send(const struct cortex_audit_options *options, const struct cx_chain_head *head);

#endif
