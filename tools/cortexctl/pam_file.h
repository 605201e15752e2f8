/*
 * A service's file in pam.d: what it is called, and its lines for our module.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXCTL_PAM_FILE_H
#define CORTEXCTL_PAM_FILE_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

struct pam_file {
  char path[PATH_MAX];
  char *text;
  int failure; /* errno when it cannot be read */
};

/* One line, joined where a backslash goes on; texts are empty when absent, and cut. */
struct pam_line {
  unsigned number;
  char type[16]; /* without the dash; "@include" with its file as control */
  char control[64];
  char module[256];
  bool is_ours;      /* pam_cortex.so, wherever it lies */
  char service[256]; /* its argument service= */
};

/*
 * Writes the PAM service's name, "cortex-" and the service in lower case, as
 * Linux-PAM looks it up. false: the name cannot be that of a file there.
 */
bool pam_file_name(const char *service, char *name, size_t size);

/* Release with pam_file_clear in any case. false: see failure. */
bool pam_file_load(const char *folder, const char *service, struct pam_file *file);
void pam_file_clear(struct pam_file *file);

/* The same by the name of the PAM service, as pg_hba.conf has it. */
bool pam_file_open(const char *folder, const char *name, struct pam_file *file);

/* The next line that says something, from *cursor (start with all zero) on. */
struct pam_cursor {
  size_t offset;
  unsigned number;
};
bool pam_file_next(const struct pam_file *file, struct pam_cursor *cursor,
                   struct pam_line *line_out);

/* The first line of a type that names pam_cortex.so. */
bool pam_file_find(const struct pam_file *file, const char *type, struct pam_line *line_out);

#endif
