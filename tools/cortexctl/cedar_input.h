/*
 * Policies, links and entities from files into a Cedar store.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXCTL_CEDAR_INPUT_H
#define CORTEXCTL_CEDAR_INPUT_H

#include <cortexauth/cedar.h>

#include "text_file.h"

/* NULL: not given. */
struct cedar_input {
  const char *policies;
  const char *links;
  const char *entities;
};

/* The sealed store, with ids by position; NULL, after a complaint FILE:LINE:COL. */
struct cedar_store *cedar_input_load(const struct cedar_input *input);

struct cedar_source cedar_input_source(const struct text_file *file);

/* "FILE:LINE:COL: what" on standard error. */
void cedar_input_complain(const struct cedar_error *error);

#endif
