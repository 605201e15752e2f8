/*
 * Attributes of roles: asked of the cluster, compared there, and set.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "attributes.h"

#include <stdlib.h>
#include <string.h>

/* Names, keys and values: the arrays of a call. */
#define ARRAYS 3

static void put(struct pg_array *arrays, const struct model *model, size_t at) {
  const struct attribute *attribute = &model->attributes.items[at];

  pg_array_put(&arrays[0], names_text(&model->names, attribute->role));
  pg_array_put(&arrays[1], names_text(&model->words, attribute->key));
  pg_array_put(&arrays[2], names_text(&model->words, attribute->value));
}

static bool send(struct pg *pg, const char *sql, struct pg_array *arrays) {
  const char *values[ARRAYS];
  bool fine = true;
  int i;

  for (i = 0; i < ARRAYS; i++) {
    values[i] = pg_array_end(&arrays[i]);
    fine = fine && values[i] != NULL;
  }
  fine = fine && pg_send(pg, sql, values, ARRAYS);
  for (i = 0; i < ARRAYS; i++)
    pg_array_clear(&arrays[i]);
  return fine;
}

bool attributes_ask(struct pg *pg, const struct model *model) {
  struct pg_array arrays[ARRAYS] = {0};
  size_t i;

  if (model->attributes.count == 0)
    return true;
  for (i = 0; i < model->attributes.count; i++)
    put(arrays, model, i);
  return send(pg, "SELECT place, have FROM cortex.sync_attributes($1, $2, $3)", arrays);
}

static bool take_row(const PGresult *result, int row, struct model *model) {
  size_t place = strtoul(PQgetvalue(result, row, 0), NULL, 10);
  struct attribute *attribute;

  if (place == 0 || place > model->attributes.count)
    return false;
  attribute = &model->attributes.items[place - 1];
  attribute->differs = true;
  attribute->have = NAMES_NONE;
  if (PQgetisnull(result, row, 1))
    return true;
  attribute->have =
      names_put(&model->words, PQgetvalue(result, row, 1), (size_t)PQgetlength(result, row, 1));
  return attribute->have != NAMES_NONE;
}

bool attributes_take(struct pg *pg, struct model *model) {
  PGresult *result;
  bool fine;
  size_t i;
  int row;

  if (model->attributes.count == 0)
    return true;
  result = pg_take(pg);
  fine = result != NULL;
  for (i = 0; i < model->attributes.count; i++)
    model->attributes.items[i].differs = false;
  for (row = 0; fine && row < PQntuples(result); row++)
    fine = take_row(result, row, model);
  PQclear(result);
  return fine;
}

bool attributes_read(struct pg *pg, struct model *model) {
  return model->attributes.count == 0 || (attributes_ask(pg, model) && pg_sync(pg) &&
                                          attributes_take(pg, model) && pg_settle(pg));
}

bool attributes_send(struct pg *pg, const struct model *model, const struct role_list *list) {
  struct pg_array arrays[ARRAYS] = {0};
  size_t i;

  for (i = 0; i < list->count; i++)
    put(arrays, model, list->items[i]);
  return send(pg, "SELECT cortex.change_attributes($1, $2, $3)", arrays);
}
