/*
 * What is wanted: for each person of a directory what the policy permits on the services here.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_WANTED_H
#define SYNC_WANTED_H

#include <cortexauth/cortexauth.h>

#include "common/pg.h"
#include "model.h"
#include "sources.h"

/* Where the wanted comes from. */
struct wanted_from {
  const struct cortex_settings *settings;
  const struct cortex_policy *policy;
  const struct source_list *sources;
  const char *cluster; /* HOST:PORT whose services count; NULL: all, when they agree */
  const char *label;   /* of the [cluster]; NULL: there is only one */
  struct pg *pg;       /* whose answer is taken in meanwhile: it does not fit the socket */
};

/* How it went. */
enum wanted_state {
  WANTED_WHOLE,
  WANTED_INCOMPLETE, /* a directory could not be read whole: its people are left as they are */
  WANTED_BAD,        /* a file, or the configuration */
  WANTED_FAILED      /* no memory */
};

/*
 * Fills the wanted part of a model. A bad name costs only itself: it becomes a
 * rejection. A directory that is away is told of at once, on standard error.
 */
CORTEX_MUSTCHECK enum wanted_state wanted_read(const struct wanted_from *from, struct model *model,
                                               struct cortex_error *error);

#endif
