/*
 * Files that were rotated away: which one an empty file continues.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_AUDIT_ROTATED_H
#define CX_AUDIT_ROTATED_H

#include "audit/sink_file.h"

/*
 * Looks beside an audit file without records for the rotated file with the highest
 * sequence (names FILE.x and FILE-x, as logrotate makes them, not compressed),
 * locks it, and takes over its head. None there: a chain begins.
 *
 *   in,out  trail: locked; gets old_fd, old_name, head; torn grows
 *   gives  CORTEX_OK, CORTEX_AUDIT_UNAVAILABLE
 */
CORTEX_MUSTCHECK enum cortex_reason cx_rotated_continue(struct cx_trail *trail,
                                                        const struct cx_wait *wait,
                                                        struct cortex_error *error);

#endif
