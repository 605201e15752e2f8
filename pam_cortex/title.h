/*
 * Title: which database a PostgreSQL backend is about to enter.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_PAM_TITLE_H
#define CX_PAM_TITLE_H

#include "process.h"

enum cx_title_kind {
  CX_TITLE_UNREADABLE = 0, /* PostgreSQL, but not a login whose database is certain */
  CX_TITLE_FOREIGN,        /* another program: there is no database to know */
  CX_TITLE_BACKEND         /* a login: database and host are filled in */
};

struct cx_title {
  enum cx_title_kind kind;
  char database[256];
  char host[256]; /* what PostgreSQL calls the client; empty for a Unix socket */
};

/*
 * Reads the title that PostgreSQL gives a backend during authentication:
 *
 *   postgres: [CLUSTER: ]USER DATABASE HOST(PORT) authentication
 *
 * HOST(PORT) is [local] for a Unix socket; with update_process_title=off the
 * last word is missing and its blank stays. User, database and cluster name may
 * hold blanks and are chosen by others: a title that can be read in two ways,
 * is cut short, or belongs to a walsender (replication has no one database to
 * compare) is unreadable. Unreadable must end in a refusal.
 *
 *   in   user: PAM_USER, as PostgreSQL prints it
 *   out  title_out: database and host are empty unless kind is BACKEND
 */
void cx_title_parse(const struct cx_process *process, const char *user, struct cx_title *title_out);

#endif
