/*
 * The clusters of a configuration, and which server each of them reaches.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "clusters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/*
 * The identifier alone is the same for a copy of a server's files, which is another one as soon as
 * it runs; and a standby can be none of a configuration's two.
 */
static const char question[] =
    "SELECT c.system_identifier || ' ' || date_part('epoch', pg_postmaster_start_time()) "
    "FROM pg_control_system() c";

static void look(struct cluster *cluster, int64_t timeout) {
  const struct pg_setup setup = {.conninfo = cortex_section_value(cluster->section, "conninfo"),
                                 .program = "cortex-sync",
                                 .statement_timeout = timeout};
  struct pg *pg = NULL;
  PGresult *result;

  if (!pg_open(&setup, &pg)) {
    cluster->failed = pg;
    return;
  }
  if (pg_send(pg, question, NULL, 0) && pg_sync(pg) && (result = pg_take(pg)) != NULL) {
    snprintf(cluster->server, sizeof cluster->server, "%s", PQgetvalue(result, 0, 0));
    PQclear(result);
  }
  if (pg_lost(pg))
    cluster->failed = pg;
  else
    pg_close(&pg);
}

bool clusters_list(const struct cortex_settings *settings, int64_t timeout,
                   struct cluster_list *list_out) {
  size_t count = cortex_settings_section_count(settings), i;

  *list_out = (struct cluster_list){calloc(count + 1, sizeof(struct cluster)), 0};
  if (list_out->items == NULL)
    return false;
  for (i = 0; i < count; i++) {
    const struct cortex_section *section = cortex_settings_section(settings, i);

    if (strcmp(cortex_section_kind(section), "cluster") == 0)
      list_out->items[list_out->count++].section = section;
  }
  for (i = 0; list_out->count > 1 && i < list_out->count; i++)
    look(&list_out->items[i], timeout);
  return true;
}

void clusters_clear(struct cluster_list *list) {
  size_t i;

  for (i = 0; i < list->count; i++)
    pg_close(&list->items[i].failed);
  free(list->items);
  *list = (struct cluster_list){0};
}

const struct cluster *clusters_twin(const struct cluster_list *list,
                                    const struct cluster *cluster) {
  size_t i;

  for (i = 0; cluster->server[0] != '\0' && i < list->count; i++)
    if (&list->items[i] != cluster && strcmp(list->items[i].server, cluster->server) == 0)
      return &list->items[i];
  return NULL;
}
