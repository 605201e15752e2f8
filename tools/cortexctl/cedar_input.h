/*
 * Policies, links, entities and a schema from files into a Cedar store.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXCTL_CEDAR_INPUT_H
#define CORTEXCTL_CEDAR_INPUT_H

#include <cortexauth/cedar.h>

#include "text_file.h"

/* NULL: not given. A name that ends with .json means the JSON form, of policies and schemas. */
struct cedar_input {
  const char *schema;
  const char *policies;
  const char *links;
  const char *entities;
};

struct cedar_loaded {
  struct cedar_store *store;   /* sealed; ids by position */
  struct cedar_schema *schema; /* NULL: none was given */
};

/* Release with cedar_input_clear in any case. false, after a complaint FILE:LINE:COL. */
bool cedar_input_load(const struct cedar_input *input, struct cedar_loaded *loaded);
void cedar_input_clear(struct cedar_loaded *loaded);

/* NULL, after a complaint, when it does not parse. Release with cedar_schema_free. */
struct cedar_schema *cedar_input_schema(const char *name);

/* Text or JSON, by the name's end. */
enum cedar_status cedar_input_add_policies(struct cedar_store *store,
                                           const struct cedar_source *source,
                                           struct cedar_error *error);

/* The file's template links; name NULL: none. false, after a complaint FILE:LINE:COL. */
bool cedar_input_add_links(struct cedar_store *store, const char *name);

struct cedar_source cedar_input_source(const struct text_file *file);

/* "FILE:LINE:COL: what" on standard error. */
void cedar_input_complain(const struct cedar_error *error);

#endif
