/*
 * What is wanted: for each person of a directory what the policy permits on the services here.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_WANTED_H
#define SYNC_WANTED_H

#include <cortexauth/cortexauth.h>

#include "model.h"
#include "source.h"

/* Where the wanted comes from. */
struct wanted_from {
  const struct cortex_settings *settings;
  const struct cortex_policy *policy;
  const struct source_kind *kind;
  const char *place;
  const char *cluster; /* HOST:PORT whose services count; NULL: all, when they agree */
};

/*
 * Fills the wanted part of a model. A bad name costs only itself: it becomes a
 * rejection.
 *   gives  CORTEX_OK, or why the source or the policy could not be read whole
 */
CORTEX_MUSTCHECK enum cortex_reason wanted_read(const struct wanted_from *from, struct model *model,
                                                struct cortex_error *error);

#endif
