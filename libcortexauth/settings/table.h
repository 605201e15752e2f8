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

#define TYPE(type) extern const struct cx_type cx_type_##type;
#include "settings/type_table.h"
#undef TYPE

enum cx_type_index {
#define TYPE(type) CX_TYPE_##type,
#include "settings/type_table.h"
#undef TYPE
};

/* Without a pointer: each login would have to write the addresses of a hundred options. */
struct cx_option {
  char section[10];
  char key[20];
  char default_value[42]; /* empty: none */
  unsigned short offset;  /* into struct cortex_settings or cortex_issuer, by what the section is */
  unsigned char type;     /* enum cx_type_index */
  unsigned char flags;
  unsigned char of; /* enum cx_option_of */
};

/* The options of one section stand together. */
extern const struct cx_option cx_options[];
extern const size_t cx_option_count;

const struct cx_type *cx_option_type(const struct cx_option *option);

#endif
