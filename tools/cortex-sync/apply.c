/*
 * Applying a plan: one transaction, all or nothing, in pipeline mode.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "apply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "attributes.h"
#include "holder.h"

/* Roles, members and sources of a list of edges, each once, and the edges by their positions. */
enum array {
  ROLES,
  MEMBERS,
  ROLE_AT,
  MEMBER_AT,
  SOURCE_AT,
  SERVICES,
  LEVELS,
  POLICIES,
  REASONS,
  ARRAYS
};

struct packing {
  const struct model *model;
  struct pg_array arrays[ARRAYS];
  uint32_t *positions; /* by number of a role or a source; 0: not put yet */
};

/* The 1-based position of a number, given out in the order of first use. */
static uint32_t position_of(uint32_t *positions, uint32_t number, uint32_t *used, bool *is_new) {
  *is_new = positions[number] == 0;
  if (*is_new)
    positions[number] = ++*used;
  return positions[number];
}

static void put_roles(struct packing *packing, const struct edges *edges, enum array names,
                      enum array places) {
  uint32_t used = 0;
  size_t i;

  memset(packing->positions, 0, packing->model->names.count * sizeof *packing->positions);
  for (i = 0; i < edges->count; i++) {
    uint32_t number = names == ROLES ? edges->items[i].role : edges->items[i].member;
    bool is_new;

    pg_array_put_number(&packing->arrays[places],
                        position_of(packing->positions, number, &used, &is_new));
    if (is_new)
      pg_array_put(&packing->arrays[names], names_text(&packing->model->names, number));
  }
}

static void put_source(struct packing *packing, uint32_t source) {
  enum source_part part;

  for (part = SOURCE_SERVICE; part < SOURCE_PARTS; part++) {
    char text[1024];
    int len;
    const char *at = source_part(packing->model, source, part, &len);

    snprintf(text, sizeof text, "%.*s", len, at);
    pg_array_put(&packing->arrays[SERVICES + (enum array)part], text);
  }
}

static void put_sources(struct packing *packing, const struct edges *edges) {
  uint32_t used = 0;
  size_t i;

  memset(packing->positions, 0, packing->model->sources.count * sizeof *packing->positions);
  for (i = 0; i < edges->count; i++) {
    bool is_new;

    pg_array_put_number(&packing->arrays[SOURCE_AT],
                        position_of(packing->positions, edges->items[i].source, &used, &is_new));
    if (is_new)
      put_source(packing, edges->items[i].source);
  }
}

static bool send_arrays(struct pg *pg, struct packing *packing, const char *sql, int count) {
  const char *values[ARRAYS];
  int i;

  for (i = 0; i < count; i++) {
    values[i] = pg_array_end(&packing->arrays[i]);
    if (values[i] == NULL)
      return false;
  }
  return pg_send(pg, sql, values, count);
}

/* Queues a call with edges; count says how many of the arrays it takes. */
static bool send_edges(struct pg *pg, const struct model *model, const char *sql,
                       const struct edges *edges, int count) {
  struct packing packing = {.model = model};
  size_t most =
      model->names.count > model->sources.count ? model->names.count : model->sources.count;
  bool fine = false;
  size_t i;

  packing.positions = calloc(most + 1, sizeof *packing.positions);
  if (packing.positions == NULL)
    goto out;
  put_roles(&packing, edges, ROLES, ROLE_AT);
  put_roles(&packing, edges, MEMBERS, MEMBER_AT);
  if (count == ARRAYS)
    put_sources(&packing, edges);
  fine = send_arrays(pg, &packing, sql, count);
out:
  for (i = 0; i < ARRAYS; i++)
    pg_array_clear(&packing.arrays[i]);
  free(packing.positions);
  return fine;
}

static bool send_names(struct pg *pg, const struct model *model, const char *sql,
                       const struct role_list *list) {
  struct pg_array names = {0};
  const char *value;
  bool fine;
  size_t i;

  for (i = 0; i < list->count; i++)
    pg_array_put(&names, names_text(&model->names, list->items[i]));
  value = pg_array_end(&names);
  fine = value != NULL && pg_send(pg, sql, &value, 1);
  pg_array_clear(&names);
  return fine;
}

/* Logins to be made, those of one directory at a time. */
static bool send_logins(struct pg *pg, const struct model *model, const struct role_list *list,
                        uint32_t label, size_t *sent) {
  struct pg_array names = {0}, subjects = {0};
  const char *values[3] = {NULL, NULL, names_text(&model->labels, label)};
  bool fine = true;
  size_t i, count = 0;

  for (i = 0; i < list->count; i++) {
    const struct role *role = &model->roles[list->items[i]];

    if (role->label != label)
      continue;
    count++;
    pg_array_put(&names, names_text(&model->names, list->items[i]));
    pg_array_put(&subjects, names_text(&model->subjects, role->subject));
  }
  if (count > 0) {
    ++*sent;
    values[0] = pg_array_end(&names);
    values[1] = pg_array_end(&subjects);
    fine = values[0] != NULL && values[1] != NULL &&
           pg_send(pg, "SELECT cortex.create_logins($1, $2, '', $3)", values, 3);
  }
  pg_array_clear(&names);
  pg_array_clear(&subjects);
  return fine;
}

static bool send_all_logins(struct pg *pg, const struct model *model, const struct role_list *list,
                            size_t *sent) {
  uint32_t label;

  for (label = 0; label < model->labels.count; label++)
    if (!send_logins(pg, model, list, label, sent))
      return false;
  return true;
}

/* Two lists of names and more about each: the arrays of one call. */
static bool send_pairs(struct pg *pg, const char *sql, struct pg_array *arrays, int count) {
  const char *values[3];
  bool fine = true;
  int i;

  for (i = 0; i < count; i++) {
    values[i] = pg_array_end(&arrays[i]);
    fine = fine && values[i] != NULL;
  }
  fine = fine && pg_send(pg, sql, values, count);
  for (i = 0; i < count; i++)
    pg_array_clear(&arrays[i]);
  return fine;
}

static bool send_renames(struct pg *pg, const struct model *model, const struct edges *list) {
  struct pg_array arrays[3] = {0};
  size_t i;

  for (i = 0; i < list->count; i++) {
    pg_array_put(&arrays[0], names_text(&model->names, list->items[i].member));
    pg_array_put(&arrays[1], names_text(&model->names, list->items[i].role));
  }
  return send_pairs(pg, "SELECT cortex.rename_logins($1, $2)", arrays, 2);
}

static bool send_people(struct pg *pg, const struct model *model, const struct role_list *list) {
  struct pg_array arrays[3] = {0};
  size_t i;

  for (i = 0; i < list->count; i++) {
    const struct role *role = &model->roles[list->items[i]];

    pg_array_put(&arrays[0], names_text(&model->names, list->items[i]));
    pg_array_put(&arrays[1], names_text(&model->subjects, role->subject));
    pg_array_put(&arrays[2], names_text(&model->labels, role->label));
  }
  return send_pairs(pg, "SELECT cortex.note_people($1, $2, $3)", arrays, 3);
}

/* Everything else is said in the new names. What takes away goes first of the rest. */
static bool send_losses(struct pg *pg, const struct model *model, const struct plan *plan,
                        size_t *sent) {
  if (plan->rename.count > 0 && ++*sent && !send_renames(pg, model, &plan->rename))
    return false;
  if (plan->revoke.count > 0 && ++*sent &&
      !send_edges(pg, model, "SELECT cortex.revoke_members($1, $2, $3, $4)", &plan->revoke,
                  SOURCE_AT))
    return false;
  if (plan->forget.count > 0 && ++*sent &&
      !send_edges(pg, model, "SELECT cortex.forget_grants($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                  &plan->forget, ARRAYS))
    return false;
  if (plan->cut.count > 0 && ++*sent &&
      !send_names(pg, model, "SELECT cortex.cut_logins($1)", &plan->cut))
    return false;
  return plan->held.count == 0 ||
         (++*sent && send_names(pg, model, "SELECT cortex.note_held($1)", &plan->held));
}

/* A person's role before groups', as a first login makes them: else each waits for the other. */
static bool send_gains(struct pg *pg, const struct model *model, const struct plan *plan,
                       size_t *sent) {
  if (!send_all_logins(pg, model, &plan->logins, sent))
    return false;
  if (plan->groups.count > 0 && ++*sent &&
      !send_names(pg, model, "SELECT cortex.create_groups($1)", &plan->groups))
    return false;
  if (plan->adopt.count > 0 && ++*sent &&
      !send_names(pg, model, "SELECT cortex.adopt_logins($1)", &plan->adopt))
    return false;
  if (plan->adopt.count > 0 && ++*sent && !send_people(pg, model, &plan->adopt))
    return false;
  if (plan->people.count > 0 && ++*sent && !send_people(pg, model, &plan->people))
    return false;
  if (plan->restore.count > 0 && ++*sent &&
      !send_names(pg, model, "SELECT cortex.restore_logins($1)", &plan->restore))
    return false;
  if (plan->grant.count > 0 && ++*sent &&
      !send_edges(pg, model, "SELECT cortex.grant_members($1, $2, $3, $4)", &plan->grant,
                  SOURCE_AT))
    return false;
  if (plan->note.count > 0 && ++*sent &&
      !send_edges(pg, model, "SELECT cortex.note_grants($1, $2, $3, $4, $5, $6, $7, $8, $9)",
                  &plan->note, ARRAYS))
    return false;
  return plan->attributes.count == 0 || (++*sent && attributes_send(pg, model, &plan->attributes));
}

static void mark_members(bool *marked, const struct edges *edges) {
  size_t i;

  for (i = 0; i < edges->count; i++)
    marked[edges->items[i].member] = true;
}

static void mark_roles(bool *marked, const struct role_list *list) {
  size_t i;

  for (i = 0; i < list->count; i++)
    marked[list->items[i]] = true;
}

/* Whose turn the transaction takes: everybody whom it changes, under the name of now. */
static void mark_touched(bool *marked, const struct model *model, const struct plan *plan) {
  size_t i;

  mark_members(marked, &plan->rename);
  mark_members(marked, &plan->revoke);
  mark_members(marked, &plan->grant);
  mark_roles(marked, &plan->cut);
  mark_roles(marked, &plan->held);
  mark_roles(marked, &plan->restore);
  mark_roles(marked, &plan->adopt);
  mark_roles(marked, &plan->people);
  for (i = 0; i < plan->rename.count; i++)
    marked[plan->rename.items[i].role] = true;
  for (i = 0; i < plan->attributes.count; i++)
    marked[model->attributes.items[plan->attributes.items[i]].role] = true;
}

static bool send_begin(struct pg *pg, const struct model *model, const struct plan *plan) {
  bool *marked = calloc(model->names.count + 1, sizeof *marked);
  const char *values[2] = {model->is_stale ? "t" : "f", NULL};
  struct pg_array names = {0};
  bool fine;
  uint32_t i;

  if (marked != NULL)
    mark_touched(marked, model, plan);
  for (i = 0; marked != NULL && i < model->names.count; i++)
    if (marked[i])
      pg_array_put(&names, names_text(&model->names, i));
  values[1] = pg_array_end(&names);
  fine = marked != NULL && values[1] != NULL &&
         pg_send(pg, "BEGIN ISOLATION LEVEL READ COMMITTED", NULL, 0) &&
         pg_send(pg, "SELECT cortex.sync_begin($1, $2)", values, 2);
  pg_array_clear(&names);
  free(marked);
  return fine;
}

/* Before anything else of them: a person who alters the own role meanwhile is waited for. */
static bool send_hold(struct pg *pg, const struct model *model, const struct plan *plan,
                      size_t *sent) {
  struct pg_array names = {0};
  const char *value;
  bool fine;

  if (!holder_matters(plan))
    return true;
  ++*sent;
  holder_put_names(model, plan, &names);
  value = pg_array_end(&names);
  fine = value != NULL && pg_send(pg, "SELECT cortex.hold_roles($1)", &value, 1);
  pg_array_clear(&names);
  return fine;
}

bool apply_send(struct pg *pg, const struct model *model, const struct plan *plan, size_t *sent) {
  *sent += 2;
  return send_begin(pg, model, plan) && send_hold(pg, model, plan, sent) &&
         send_losses(pg, model, plan, sent) && send_gains(pg, model, plan, sent);
}

bool apply_changes(struct pg *pg, const struct model *model, const struct plan *plan) {
  size_t sent = 0;

  return apply_send(pg, model, plan, &sent) && pg_sync(pg) && pg_skip(pg, sent) && pg_settle(pg);
}

/* ---- ending ---- */

bool apply_send_end(struct pg *pg, const struct model *model, const struct plan *plan) {
  return plan->end.count == 0 ||
         send_names(pg, model, "SELECT name, pid, started FROM cortex.end_sessions($1)",
                    &plan->end);
}

/* A backend takes a moment to end, and may be met again. */
static void put_ended(struct ended_list *ended, struct ended one) {
  size_t i;

  for (i = 0; i < ended->count; i++)
    if (ended->items[i].pid == one.pid && ended->items[i].started == one.started)
      return;
  ended->items[ended->count++] = one;
}

static bool take_ended(struct pg *pg, const struct model *model, struct ended_list *ended) {
  PGresult *result = pg_take(pg);
  int row, rows = PQntuples(result);
  struct ended *items;

  if (result == NULL)
    return false;
  items = realloc(ended->items, (ended->count + (size_t)rows + 1) * sizeof *items);
  if (items != NULL)
    ended->items = items;
  for (row = 0; items != NULL && row < rows; row++) {
    const char *name = PQgetvalue(result, row, 0);
    uint32_t number = names_find(&model->names, name, strlen(name));

    put_ended(ended, (struct ended){number, strtoll(PQgetvalue(result, row, 1), NULL, 10),
                                    strtoll(PQgetvalue(result, row, 2), NULL, 10)});
  }
  PQclear(result);
  return items != NULL;
}

/* What comes behind the roles asks who can log in. */
static void note_roles(struct model *model, const struct plan *plan) {
  size_t i;

  for (i = 0; i < plan->cut.count; i++)
    model->roles[plan->cut.items[i]].can_login = false;
  for (i = 0; i < plan->logins.count; i++)
    model->roles[plan->logins.items[i]].kind = ROLE_LOGIN;
  for (i = 0; i < plan->groups.count; i++)
    model->roles[plan->groups.items[i]].kind = ROLE_GROUP;
}

bool apply_commit(struct pg *pg, struct model *model, const struct plan *plan, const char *digest,
                  struct ended_list *ended) {
  bool ends = plan->end.count > 0;

  if (!apply_send_end(pg, model, plan) ||
      (digest != NULL && !pg_send(pg, "SELECT cortex.sync_done($1)", &digest, 1)) ||
      !pg_send(pg, "COMMIT", NULL, 0) || !pg_sync(pg))
    return false;
  if ((ends && !take_ended(pg, model, ended)) || !pg_skip(pg, digest != NULL ? 2 : 1) ||
      !pg_settle(pg))
    return false;
  note_roles(model, plan);
  return true;
}

bool apply_end_again(struct pg *pg, const struct model *model, const struct plan *plan,
                     struct ended_list *ended) {
  return plan->end.count == 0 || (apply_send_end(pg, model, plan) && pg_sync(pg) &&
                                  take_ended(pg, model, ended) && pg_settle(pg));
}

/* Nothing waits for the disk: a crash may lose when a run found nothing to do. */
bool apply_nothing(struct pg *pg, const char *digest) {
  return pg_send(pg,
                 "SELECT cortex.sync_done($1) FROM set_config('synchronous_commit', 'off', true)",
                 &digest, 1) &&
         pg_sync(pg) && pg_skip(pg, 1) && pg_settle(pg);
}
