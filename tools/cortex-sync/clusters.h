/*
 * The clusters of a configuration, and which server each of them reaches.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_CLUSTERS_H
#define SYNC_CLUSTERS_H

#include <cortexauth/settings.h>

#include "common/pg.h"

struct cluster {
  const struct cortex_section *section;
  struct pg *failed; /* the connection that could not be made; NULL: it can */
  char server[64];   /* what no other server says of itself; "": not known */
};

struct cluster_list {
  struct cluster *items;
  size_t count;
};

/*
 * Each [cluster], and a look at its server: before anything is changed anywhere, for two that reach
 * the same one would take away what the other gives. Nothing where there is one only.
 *   gives  false without memory
 */
bool clusters_list(const struct cortex_settings *settings, int64_t timeout,
                   struct cluster_list *list_out);
void clusters_clear(struct cluster_list *list);

/* Another one that reaches the same server, or NULL. */
const struct cluster *clusters_twin(const struct cluster_list *list, const struct cluster *cluster);

#endif
