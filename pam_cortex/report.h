/*
 * Report: the one line about an outcome.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_PAM_REPORT_H
#define CX_PAM_REPORT_H

#include "call.h"

/*
 * Tells a deny always, an allow only with the argument debug, a notice when there is one.
 *
 * In PostgreSQL the line goes through the conversation into the server's log, and
 * syslog, which costs time, is left alone unless that fails. In other programs the
 * conversation ends before a person's eyes: it gets reason and reference of a deny,
 * and syslog the whole line. PAM_SILENT keeps the conversation out.
 *
 * Only printable ASCII leaves as it is; role names and messages may hold anything.
 */
void cx_report(struct cx_call *call);

#endif
