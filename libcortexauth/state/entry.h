/*
 * A state file of one JSON object on one line.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_STATE_ENTRY_H
#define CX_STATE_ENTRY_H

#include "state/folder.h"
#include "util/json.h"

/* The most bytes of such a file: a subject or issuer comes from a token of 64 KiB at most. */
#define CX_ENTRY_MAX ((size_t)512 * 1024)

/* Adds `"name":"text"` or `"name":number`, after a comma where something stands before. */
void cx_entry_put_text(struct cx_buf *buf, const char *name, const char *text);
void cx_entry_put_number(struct cx_buf *buf, const char *name, int64_t number);

/* Ends the object and writes the file; the buffer is cleared. */
CORTEX_MUSTCHECK enum cortex_reason cx_entry_write(const struct cx_state *state, const char *name,
                                                   struct cx_buf *buf, struct cortex_error *error);

/*
 * Reads it.
 *   out  entry_out: cx_json_release() it; NULL on failure, and with
 *        CORTEX_OK when there is no such file
 *   gives  CORTEX_OK, CORTEX_STATE_UNAVAILABLE (damaged), CORTEX_INTERNAL
 */
CORTEX_MUSTCHECK enum cortex_reason cx_entry_read(const struct cx_state *state, const char *name,
                                                  const cx_json **entry_out,
                                                  struct cortex_error *error);

/* The member as text without NUL, borrowed; NULL when it is missing or no such text. */
const char *cx_entry_text(const cx_json *entry, const char *name);

/* The member as a number; 0 when it is missing or none. */
int64_t cx_entry_number(const cx_json *entry, const char *name);

#endif
