/*
 * The directories of a configuration.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_SOURCES_H
#define SYNC_SOURCES_H

#include "source.h"

struct source {
  const struct source_kind *kind;
  struct source_request request;
  const char *namespace; /* put before names and groups; NULL: none */
  bool lower;            /* usernames in lower case */
  int64_t timeout;       /* seconds, for all of it */
};

struct source_list {
  struct source *items;
  size_t count;
};

/* What a file without a section is called in the notes. */
#define SOURCES_PEOPLE "people"

/* Each [directory]; and the people file where it is named or nothing else is. false: no memory. */
bool sources_list(const struct cortex_settings *settings, struct source_list *list_out);

#endif
