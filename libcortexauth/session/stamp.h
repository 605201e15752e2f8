/*
 * Stamp: what a login leaves for the session that it opens.
 * SPDX-License-Identifier: PostgreSQL
 *
 * The file PID of the sessions folder, three lines of ASCII:
 *
 *   cortex 1 PID BACKEND_START POSTMASTER_START
 *   {what the login knew}
 *   {the credential's claims}
 *
 * The times are PostgreSQL's own, in microseconds since 1970, so that a pid of
 * another time or another cluster is never taken for this session. The SQL
 * functions of extension/identity.sql read it too.
 */
#ifndef CX_SESSION_STAMP_H
#define CX_SESSION_STAMP_H

#include "identity/identity.h"
#include "settings/settings.h"
#include "util/buf.h"
#include "util/json.h"

#define CX_SESSION_STAMP_MAX (1024 * 1024)

struct cx_session_stamp {
  int64_t pid;
  int64_t backend_start;    /* microseconds since 1970 */
  int64_t postmaster_start; /* microseconds since 1970 */
  int64_t session_until;    /* seconds since 1970 */
  unsigned levels;          /* bits of enum cortex_level */
  const char *reference;
  const char *service;
  const char *database; /* NULL: not known */
  const char *role;
  const char *address; /* NULL: a Unix socket */
  const struct cortex_identity *identity;
};

/*
 * The stamp as text.
 *   out  text: made by this call; cx_buf_clear it on success
 *   gives  CORTEX_OK, CORTEX_TOO_LARGE, CORTEX_INTERNAL
 */
CORTEX_MUSTCHECK enum cortex_reason cx_session_stamp_print(const struct cx_session_stamp *stamp,
                                                   struct cx_buf *text,
                                                   struct cortex_error *error);

/* A stamp that was read: the strings are those of the documents. */
struct cx_session_stamp_read {
  struct cx_session_stamp stamp;
  const cx_json *facts;
  struct cortex_identity *identity;
};

/*
 * Reads a stamp back, strictly: what a login did not write is refused.
 *   out  read_out: cx_session_stamp_clear it on success
 *   gives  CORTEX_OK, CORTEX_STATE_UNAVAILABLE, CORTEX_INTERNAL
 */
CORTEX_MUSTCHECK enum cortex_reason cx_session_stamp_parse(const char *bytes, size_t len,
                                                   struct cx_session_stamp_read *read_out,
                                                   struct cortex_error *error);
void cx_session_stamp_clear(struct cx_session_stamp_read *read);

#endif
