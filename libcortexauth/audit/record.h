/*
 * A record as the members of a JSON object.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_AUDIT_RECORD_H
#define CX_AUDIT_RECORD_H

#include <cortexauth/audit.h>

#include "util/buf.h"

#define CX_RECORD_TEXT_MAX 512  /* bytes of one string in its escaped form */
#define CX_RECORD_ITEMS_MAX 64  /* items of one list */
#define CX_RECORD_LIST_MAX 4096 /* bytes of one list's items in their escaped form */

/*
 * Puts the record without its closing brace, ready for cx_chain_seal. Lists
 * that are too long lose their last items, and NAME_omitted counts them.
 *
 *   in   record: time 0 is not written: the caller sets it
 */
void cx_record_put(struct cx_buf *buf, const struct cortex_record *record);

#endif
