/*
 * What the parts of cortexctl doctor have in common: a check that looks at the host and the server
 * too. SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXCTL_DOCTOR_H
#define CORTEXCTL_DOCTOR_H

#include <stdint.h>
#include <sys/types.h>

#include "check.h"
#include "common/cli.h"
#include "common/pg.h"

struct doctor {
  struct check check; /* settings and policy are NULL where they do not load */
  const char *anchors_file;
  const char *conninfo; /* NULL: as the server's user, where that can be tried */
  const char *pooler_file;
  struct pg *pg;       /* NULL: not asked */
  pid_t postmaster;    /* of the server that was asked, or the only one; 0: not known */
  struct hba *hba;     /* NULL: not known */
  json_t *steps;       /* of a login; NULL: none was asked for */
  const char *stopped; /* the step at which it ends; NULL: it does not */
};

/* What each part looks at; all leave alone what their settings, policy or server lack for. */
void doctor_files(struct doctor *doctor);
void doctor_keys(struct doctor *doctor);
void doctor_clock(struct doctor *doctor);
void doctor_audit(struct doctor *doctor);
void doctor_reaper(struct doctor *doctor);
void doctor_pam(struct doctor *doctor);
void doctor_server(struct doctor *doctor);
void doctor_hba(struct doctor *doctor);
void doctor_jit(struct doctor *doctor);
void doctor_pooler(struct doctor *doctor);

/* Connects before the parts are run, or says why not; and ends it. */
void doctor_connect(struct doctor *doctor);
void doctor_disconnect(struct doctor *doctor);

/* One statement's rows as JSON values, one a row; NULL, and the connection is of no more use. */
json_t *doctor_ask(struct doctor *doctor, const char *sql);
json_t *doctor_ask_with(struct doctor *doctor, const char *sql, const char *const *values,
                        int count);

/*
 * Walks one login as far as it comes, into doctor->steps.
 *   gives  false, after a complaint, when the credential cannot be read
 */
bool doctor_walk(struct doctor *doctor, const struct cli *cli);

/* A place that is a whole file. */
struct check_place doctor_place(const char *file);

#endif
