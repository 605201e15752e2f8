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

/* The first line of a type that names pam_cortex.so; texts are empty when absent, and cut. */
struct pam_line {
  unsigned number;
  char control[64];
  char service[256];
};

/*
 * Writes the PAM service's name, "cortex-" and the service in lower case, as
 * Linux-PAM looks it up. false: the name cannot be that of a file there.
 */
bool pam_file_name(const char *service, char *name, size_t size);

/* Release with pam_file_clear in any case. false: see failure. */
bool pam_file_load(const char *folder, const char *service, struct pam_file *file);
void pam_file_clear(struct pam_file *file);

bool pam_file_find(const struct pam_file *file, const char *type, struct pam_line *line_out);

#endif
