/*
 * What the parts of cortexctl check have in common: the question and its findings.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXCTL_CHECK_H
#define CORTEXCTL_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include <cortexauth/cedar.h>
#include <cortexauth/decision.h>
#include <cortexauth/settings.h>

enum check_severity {
  CHECK_WARNING, /* allowed, and most likely not meant */
  CHECK_ERROR,   /* logins will be refused, or allowed in a way nobody wants */
  CHECK_OUTSIDE  /* could not be found out: something outside failed */
};

struct check {
  const char *config;
  const char *pam_folder;
  bool offline;
  const struct cortex_settings *settings;
  const struct cortex_policy *policy;
  size_t found[3]; /* by severity */
};

/* A place; name NULL: none, line and column 0: not known. */
struct check_place {
  const char *name;
  unsigned line;
  unsigned column;
};

/* One finding: "FILE:LINE: warning: what" on standard error. */
void check_report(struct check *check, enum check_severity severity, struct check_place place,
                  const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Where a key of the configuration stands; section "oidc" and the like need the other call. */
struct check_place check_key_place(const struct check *check, const char *section, const char *key);

/* Issuers: keys, certificate authorities, names that two of them could give. */
void check_issuers(struct check *check);

/* Services: environments, audiences, grants, against policies and issuers. */
void check_services(struct check *check);

/* The folders of the state. */
void check_state(struct check *check);

/* Files that a login writes, and the PAM files of the services. */
void check_audit(struct check *check);
void check_pam(struct check *check);

/* The policy image, compared as a whole. */
void check_image(struct check *check);

#endif
