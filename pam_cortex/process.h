/*
 * Process: what can be learned of the process the module runs in.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_PAM_PROCESS_H
#define CX_PAM_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct cx_process {
  int64_t pid;
  int64_t start;    /* microseconds since 1970: PostgreSQL's own, else to a clock tick; 0: not known */
  int64_t postmaster_start; /* the same of PostgreSQL's first process; 0: this is no backend */
  bool is_postgres; /* the program is PostgreSQL's server, by its file or its title */
  char host[256];   /* this machine's name; empty: not known */
  char title[4096]; /* start of what ps(1) shows; not NUL-terminated */
  size_t title_len;
};

/*
 * Fills in what can be learned; the rest stays empty. Reads the title, the
 * system's clocks, in a backend PostgreSQL's own notes of when it and its postmaster began,
 * and elsewhere /proc/self/stat; leaves no descriptor open.
 */
void cx_process_read(struct cx_process *process_out);

#endif
