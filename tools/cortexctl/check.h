/*
 * What check and doctor have in common: the question and its findings.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXCTL_CHECK_H
#define CORTEXCTL_CHECK_H

#include <stdbool.h>
#include <stddef.h>

#include <cortexauth/cedar.h>
#include <cortexauth/decision.h>
#include <cortexauth/settings.h>
#include <jansson.h>

#define CHECK_PAM_FOLDER "/etc/pam.d"

enum check_severity {
  CHECK_WARNING, /* allowed, and most likely not meant */
  CHECK_ERROR,   /* logins will be refused, or allowed in a way nobody wants */
  CHECK_OUTSIDE, /* could not be found out: something outside failed */
  CHECK_NOTE,    /* good to know; nothing is wrong */
  CHECK_SEVERITIES
};

enum check_fault {
#define FAULT(symbol, name, severity, meaning, fix) CHECK_##symbol,
#include "fault_list.h"
#undef FAULT
  CHECK_FAULTS
};

struct check {
  const char *config;
  const char *pam_folder;
  bool offline;
  const struct cortex_settings *settings;
  const struct cortex_policy *policy;
  size_t found[CHECK_SEVERITIES];
  json_t *findings;  /* NULL: each is printed at once */
  json_t *providers; /* while issuers are looked at: the first section of each SAML entity ID */
};

/* A place; name NULL: none, line and column 0: not known. */
struct check_place {
  const char *name;
  unsigned line;
  unsigned column;
};

/*
 * One finding: "FILE:LINE: warning: what" on standard error, or an object among the
 * findings with name, severity, place, what, meaning and fix.
 */
void check_find(struct check *check, enum check_fault fault, struct check_place place,
                const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The exact fix of the finding before, in place of the general one. */
void check_fix(struct check *check, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* "error", "warning", … */
const char *check_severity_name(enum check_severity severity);

/* Where a key of the configuration stands; section "oidc" and the like need the other call. */
struct check_place check_key_place(const struct check *check, const char *section, const char *key);

/* Issuers: keys, certificate authorities, names that two of them could give. */
void check_issuers(struct check *check);

/* A [saml] section: its metadata and how long that and certificates last, our own certificate. */
void check_saml(struct check *check, const struct cortex_issuer *issuer);

/* Policies: annotations and resources that are misspelt. */
void check_policies(struct check *check);

/* Services: environments, audiences, grants, against policies and issuers. */
void check_services(struct check *check);

/* The folders of the state. */
void check_state(struct check *check);

/* Files that a login writes, and the PAM files of the services. */
void check_audit(struct check *check);
void check_pam(struct check *check);

/* The policy image, compared as a whole. */
void check_image(struct check *check);

/* What a login and cortex-sync say of a role's name. settings NULL: of its form alone. */
enum cortex_reason check_role_name(const struct cortex_settings *settings, const char *name,
                                   struct cortex_error *why);

#endif
