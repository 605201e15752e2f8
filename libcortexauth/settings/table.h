/*
 * The one table of options: all that can be configured.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_SETTINGS_TABLE_H
#define CX_SETTINGS_TABLE_H

#include <stddef.h>

#include "settings/settings.h"
#include "util/error.h"

#define CX_OPTIONS_MAX 192

/* What a section is: there is one of it, one for each issuer, or many with labels. */
enum cx_option_of {
  CX_OF_SETTINGS,
  CX_OF_ISSUER,
  CX_OF_SECTION /* its values are kept as texts */
};

enum cx_option_flags {
  CX_REQUIRED = 1,
  CX_REPEATABLE = 2
};

/* How a value of one type is read into its member and released again. */
struct cx_type {
  const char *name;
  /* The value still has its quotes; folder is the configuration's own. */
  enum cortex_reason (*parse)(char *value, const char *folder, void *member,
                              struct cortex_error *error);
  void (*clear)(void *member);
};

struct cx_option {
  const char *section;
  const char *key;
  const struct cx_type *type;
  size_t offset; /* into struct cortex_settings or cortex_issuer, by what the section is */
  const char *default_value;
  unsigned char flags;
  unsigned char of; /* enum cx_option_of */
};

/* The options of one section stand together. */
extern const struct cx_option cx_options[];
extern const size_t cx_option_count;

extern const struct cx_type cx_type_text, cx_type_path, cx_type_private_key, cx_type_url, cx_type_list, cx_type_bool,
    cx_type_duration, cx_type_skew, cx_type_count, cx_type_case, cx_type_token_use,
    cx_type_namespace, cx_type_maps, cx_type_directory_kind, cx_type_bind,
    cx_type_member_value, cx_type_claims, cx_type_algorithms, cx_type_saml_algorithms, cx_type_facility,
    cx_type_conninfo;

/* Of the sections that only cortex-sync reads (sync_types.c). */
extern const struct cx_type cx_type_role_kind, cx_type_role_limit, cx_type_role_time,
    cx_type_role_setting, cx_type_profile_grant, cx_type_database_privileges,
    cx_type_schema_privileges, cx_type_table_privileges, cx_type_sequence_privileges,
    cx_type_function_privileges;

#endif
