/*
 * What is there: roles, memberships and notes of a cluster, read in one snapshot.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "state.h"

#include <stdlib.h>
#include <string.h>

/* Oids, or numbers in the notes, to numbers of roles; by open addressing. */
struct index {
  uint32_t *keys; /* 0: free */
  uint32_t *roles;
  uint32_t mask;
};

bool state_ask(struct pg *pg, bool take_lock) {
  const char *lock = take_lock ? "t" : "f";

  return pg_send(pg,
                 "SELECT oid, name, kind, is_locked, is_cut, is_stale, note, source, subject "
                 "FROM cortex.sync_roles($1)",
                 &lock, 1) &&
         pg_send(pg, "SELECT role, ours, altered, others FROM cortex.sync_members()", NULL, 0) &&
         pg_send(pg,
                 "SELECT role::bigint, service, level, policy, reason, members::text "
                 "FROM cortex.sync_grants() UNION ALL "
                 "SELECT role::bigint, NULL, NULL, NULL, NULL, members::text "
                 "FROM cortex.sync_login_grants()",
                 NULL, 0);
}

static bool index_init(struct index *index, size_t count) {
  uint32_t size = 64;

  while (size < 2 * count)
    size *= 2;
  index->keys = calloc(size, sizeof *index->keys);
  index->roles = calloc(size, sizeof *index->roles);
  index->mask = size - 1;
  return index->keys != NULL && index->roles != NULL;
}

static void index_clear(struct index *index) {
  free(index->keys);
  free(index->roles);
}

static uint32_t slot_of(const struct index *index, uint32_t key) {
  uint32_t at = key * 2654435761u & index->mask;

  while (index->keys[at] != 0 && index->keys[at] != key)
    at = (at + 1) & index->mask;
  return at;
}

static void index_put(struct index *index, uint32_t key, uint32_t role) {
  uint32_t at = slot_of(index, key);

  index->keys[at] = key;
  index->roles[at] = role;
}

static uint32_t number_of(const struct index *index, uint32_t key) {
  uint32_t at = slot_of(index, key);

  return key != 0 && index->keys[at] == key ? index->roles[at] : NAMES_NONE;
}

static enum role_kind kind_of(char letter) {
  switch (letter) {
  case 'l':
    return ROLE_LOGIN;
  case 'g':
    return ROLE_GROUP;
  case 'a':
  case '-':
    return ROLE_FOREIGN;
  default:
    return ROLE_PROTECTED;
  }
}

static uint32_t number_at(const PGresult *result, int row, int column) {
  return (uint32_t)strtoul(PQgetvalue(result, row, column), NULL, 10);
}

/* NULL is false. */
static bool is_true(const PGresult *result, int row, int column) {
  return PQgetvalue(result, row, column)[0] == 't';
}

/* The columns of cortex.sync_roles. */
enum column { OID, NAME, KIND, IS_LOCKED, IS_CUT, IS_STALE, NOTE, SOURCE, SUBJECT };

static bool put_text(struct names *names, const PGresult *result, int row, enum column column,
                     uint32_t *number_out) {
  *number_out = names_put(names, PQgetvalue(result, row, (int)column),
                          (size_t)PQgetlength(result, row, (int)column));
  return *number_out != NAMES_NONE;
}

static bool take_role(const PGresult *result, int row, struct model *model, struct index *oids,
                      struct index *notes) {
  uint32_t number = model_role(model, PQgetvalue(result, row, NAME),
                               (size_t)PQgetlength(result, row, NAME));
  uint32_t note = number_at(result, row, NOTE);
  struct role *role;

  if (number == NAMES_NONE)
    return false;
  role = &model->roles[number];
  role->oid = number_at(result, row, OID);
  role->kind = kind_of(PQgetvalue(result, row, KIND)[0]);
  role->is_adoptable = PQgetvalue(result, row, KIND)[0] == 'a';
  role->can_login = !is_true(result, row, IS_LOCKED);
  role->is_cut = is_true(result, row, IS_CUT);
  if (!put_text(&model->labels, result, row, SOURCE, &role->known_label) ||
      !put_text(&model->subjects, result, row, SUBJECT, &role->known_subject))
    return false;
  index_put(oids, role->oid, number);
  if (note != 0)
    index_put(notes, note, number);
  return true;
}

static bool take_roles(const PGresult *result, struct model *model, struct index *oids,
                       struct index *notes) {
  int row, rows = PQntuples(result);

  if (!index_init(oids, (size_t)rows) || !index_init(notes, (size_t)rows))
    return false;
  for (row = 0; row < rows; row++) {
    model->is_stale = model->is_stale || is_true(result, row, IS_STALE);
    if (!PQgetisnull(result, row, OID) && !take_role(result, row, model, oids, notes))
      return false;
  }
  return true;
}

/* Roles that came into being after the list of roles was made are left out: they are nobody's. */
static void take_list(const char *list, uint32_t role, uint32_t source, const struct index *index,
                      struct edges *edges) {
  uint32_t key, member;

  while (pg_array_next(&list, &key)) {
    member = number_of(index, key);
    if (member != NAMES_NONE)
      edges_put(edges, (struct edge){role, member, source});
  }
}

static bool take_members(const PGresult *result, struct model *model, const struct index *index) {
  struct edges *const lists[] = {&model->ours, &model->altered, &model->others};
  int row, rows = PQntuples(result), i;

  for (row = 0; row < rows; row++) {
    uint32_t role = number_of(index, number_at(result, row, 0));

    for (i = 0; role != NAMES_NONE && i < 3; i++)
      take_list(PQgetvalue(result, row, i + 1), role, 0, index, lists[i]);
  }
  edges_sort(&model->ours);
  edges_sort(&model->altered);
  edges_sort(&model->others);
  return !model->ours.failed && !model->altered.failed && !model->others.failed;
}

/* What logins gave comes by oids and without a source, the rest by numbers in the notes. */
static bool take_notes(const PGresult *result, struct model *model, const struct index *oids,
                       const struct index *notes) {
  int row, rows = PQntuples(result);

  for (row = 0; row < rows; row++) {
    bool is_lent = PQgetisnull(result, row, 1) == 1;
    const struct index *index = is_lent ? oids : notes;
    uint32_t role = number_of(index, number_at(result, row, 0));
    const char *const parts[] = {PQgetvalue(result, row, 1), PQgetvalue(result, row, 2),
                                 PQgetvalue(result, row, 3), PQgetvalue(result, row, 4)};
    uint32_t source = is_lent ? 0 : model_source(model, parts);

    if (source == NAMES_NONE)
      return false;
    if (role != NAMES_NONE)
      take_list(PQgetvalue(result, row, 5), role, source, index,
                is_lent ? &model->lent : &model->noted);
  }
  edges_sort(&model->noted);
  edges_sort(&model->lent);
  return !model->noted.failed && !model->lent.failed;
}

bool state_take(struct pg *pg, struct model *model) {
  struct index oids = {0}, notes = {0};
  PGresult *result = NULL;
  bool fine = false;

  model_forget(model);
  result = pg_take(pg);
  if (result == NULL || !take_roles(result, model, &oids, &notes))
    goto out;
  PQclear(result);
  result = pg_take(pg);
  if (result == NULL || !take_members(result, model, &oids))
    goto out;
  PQclear(result);
  result = pg_take(pg);
  if (result == NULL || !take_notes(result, model, &oids, &notes))
    goto out;
  fine = model_match(model);
out:
  PQclear(result);
  index_clear(&oids);
  index_clear(&notes);
  return fine;
}
