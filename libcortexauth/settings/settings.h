/*
 * The configuration as plain values: what the other modules are handed.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_SETTINGS_SETTINGS_H
#define CX_SETTINGS_SETTINGS_H

#include <cortexauth/settings.h>
#include <regex.h>
#include <stdbool.h>
#include <stdint.h>

#include "util/list.h"

/* Seconds of a century: bounds every sum of a time and a duration far below overflow. */
#define CX_SETTINGS_DURATION_MAX INT64_C(3155760000)

/*
 * username_map = /ERE/replacement/. The pattern is compiled as ^(ERE)$, so the
 * replacement's \1 is the second group of a match; \\ and \/ stand for \ and /.
 */
struct cx_map {
  regex_t pattern;
  char *replacement; /* as written, every \N known to exist */
};

struct cx_maps {
  struct cx_map *items;
  size_t count;
};

/* required_claims: NAME=VALUE (equal) or NAME~=VALUE (an element or a word). */
struct cx_claim_rule {
  char *name;
  char *value;
  bool is_member;
};

struct cx_claim_rules {
  struct cx_claim_rule *items;
  size_t count;
};

/* How an issuer's names become ours; the same for every kind of credential. */
struct cx_naming {
  struct cx_maps maps;
  bool lower;
  char *namespace;
  bool shared_names;
};

enum cx_token_use { CX_TOKEN_ANY, CX_TOKEN_ID, CX_TOKEN_ACCESS };

/* [oidc "LABEL"] */
struct cx_oidc_settings {
  char *issuer;
  struct cx_list audience;
  char *jwks_file; /* absolute; NULL: fetched keys */
  char *jwks_uri;
  char *ca_file;
  char *proxy;
  struct cx_list algorithms;
  char *username_claim;
  char *groups_claim;
  struct cx_naming naming;
  struct cx_claim_rules required_claims;
  struct cx_list mfa_amr;
  struct cx_list mfa_acr;
  enum cx_token_use token_use;
  int64_t token_max_age; /* seconds; 0: not limited */
  int64_t auth_max_age;  /* seconds; 0: not limited */
  bool one_use;
  int64_t reuse_window;
  char *decryption_key_file;
  int64_t clock_skew;
};

/* [saml "LABEL"] */
struct cx_saml_settings {
  char *metadata_file; /* absolute; NULL: fetched from metadata_url */
  char *metadata_url;
  char *metadata_ca_file; /* certificates whose keys sign the metadata; NULL: it is trusted as it is */
  char *ca_file;          /* authorities of the server at metadata_url; NULL: the system's */
  char *proxy;            /* NULL: none */
  char *idp_entity_id;    /* NULL: the only identity provider in the metadata */
  char *sp_entity_id;
  char *acs_url;
  bool unsolicited;
  struct cx_list algorithms;
  char *username_attribute; /* CX_SAML_NAME_ID: the subject's name */
  char *groups_attribute;
  struct cx_naming naming;
  struct cx_claim_rules required_attributes;
  struct cx_list mfa_acr;
  char *sp_key_file;
  char *sp_cert_file;
  bool one_use;
  int64_t reuse_window;
  int64_t clock_skew;
};

#define CX_SAML_NAME_ID "NameID"

/* A pair as written (lists joined by newlines, paths absolute), for the getters. */
struct cx_written {
  const struct cx_option *option;
  char *text;    /* NULL: the default as it stands in the table */
  unsigned line; /* of the section where only the default was taken; 0: not in the file */
};

struct cx_texts {
  struct cx_written *items;
  size_t count;
};

#define CX_KIND_OIDC "oidc"
#define CX_KIND_SAML "saml"

struct cortex_issuer {
  const char *kind; /* CX_KIND_OIDC or CX_KIND_SAML: the section's name */
  char *label;
  unsigned line;
  struct cx_oidc_settings oidc; /* all zero in a section of the other kind */
  struct cx_saml_settings saml;
  struct cx_texts texts;
};

/* Any other section with a label: a part of cortex-sync's configuration, kept as texts. */
struct cortex_section {
  const char *kind;
  char *label;
  unsigned line;
  struct cx_texts texts;
};

bool cx_issuer_is(const struct cortex_issuer *issuer, const char *kind);

/* The name that a credential of this issuer carries; NULL: the configuration leaves it to metadata. */
const char *cx_issuer_name(const struct cortex_issuer *issuer);

/* How the issuer's names become ours, whatever its kind. */
const struct cx_naming *cx_issuer_naming(const struct cortex_issuer *issuer);

struct cx_policy_settings {
  char *path;
  char *entities;
  char *links;
  char *schema;
  char *image;
  bool has_image; /* it is named, not only where one would be */
};

struct cx_audit_settings {
  char *file;
  bool required;
  bool fsync;
  int syslog; /* facility number as in RFC 5424 6.2.1 */
  int64_t anchor_every;
};

struct cx_cache_settings {
  char *path;
  int64_t stale;
  int64_t min_refresh;
  int64_t max_refresh;
};

struct cx_state_settings {
  char *path;
};

struct cx_session_settings {
  char *path;
  int64_t max;
  int64_t default_length;
  bool enforce;
  int64_t reaper_grace;
  int64_t notice; /* 0: none is given */
};

/* jit_conninfo: host, port, user, dbname, requirepeer; all NULL when it is not given. */
#define CX_CONNINFO_KEYWORDS 5
struct cx_conninfo {
  char *values[CX_CONNINFO_KEYWORDS];
};

/* The keyword of a value, for libpq. Static storage. */
const char *cx_conninfo_keyword(size_t index);

struct cx_roles_settings {
  struct cx_list protected;
  bool assume;
  bool jit;
  struct cx_conninfo jit_conninfo;
};

struct cx_sync_settings {
  char *conninfo;
  char *cluster;
  char *people;
  int64_t timeout;
  int64_t leaver_grace; /* 0: leavers are never dropped */
};

struct cortex_settings {
  char *name; /* of the file, for messages */
  struct cortex_issuer *issuers;
  size_t issuer_count;
  struct cortex_section *sections; /* in the order of the file */
  size_t section_count;
  struct cx_policy_settings policy;
  struct cx_audit_settings audit;
  struct cx_cache_settings cache;
  struct cx_state_settings state;
  struct cx_session_settings session;
  struct cx_roles_settings roles;
  struct cx_sync_settings sync;
  struct cx_texts texts;
};

/* The issuer of a label; NULL when there is none. */
const struct cortex_issuer *cx_settings_find_issuer(const struct cortex_settings *settings,
                                                    const char *label);

#endif
