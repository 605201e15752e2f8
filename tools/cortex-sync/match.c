/*
 * Matching people with roles: who is frozen, and who is called otherwise now.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"

#define KEY_MAX 600

static bool has_name(const struct names *names, const char *text) {
  return names_find(names, text, strlen(text)) != NAMES_NONE;
}

static bool is_held(const struct model *model, const struct role *role) {
  char key[KEY_MAX];

  if (model->held.count == 0 || role->known_subject == 0)
    return false;
  snprintf(key, sizeof key, "%s%c%s", names_text(&model->labels, role->known_label), SOURCE_END,
           names_text(&model->subjects, role->known_subject));
  return has_name(&model->held, key);
}

/* With a directory missing only what a complete one has fed is known to be gone. */
static bool is_unknowable(const struct model *model, const struct role *role) {
  return model->is_incomplete &&
         !has_name(&model->complete, names_text(&model->labels, role->known_label));
}

static void freeze(struct model *model) {
  uint32_t login = names_find(&model->labels, LABEL_LOGIN, strlen(LABEL_LOGIN)), i;

  for (i = 0; i < model->names.count; i++) {
    struct role *role = &model->roles[i];

    role->is_held = role->kind == ROLE_LOGIN &&
                    (role->is_claimed || (role->wish == WISH_NONE && is_held(model, role)));
    role->is_frozen = role->is_contested || role->is_held ||
                      (role->kind == ROLE_LOGIN && is_unknowable(model, role));
    role->is_stranded = role->kind == ROLE_PROTECTED && role->wish == WISH_NONE &&
                        role->can_login && role->known_label != 0 && role->known_label != login &&
                        !is_unknowable(model, role) && !is_held(model, role);
    role->is_lent = role->kind == ROLE_LOGIN && role->wish != WISH_LOGIN && login != NAMES_NONE &&
                    role->known_label == login;
  }
}

/* Somebody else who is given the same id gets no role from whoever is still called so. */
static bool is_still_called_so(const struct role *role) {
  return role->wish == WISH_LOGIN && role->label == role->known_label &&
         role->subject == role->known_subject;
}

/* By subject: the role that was made for it and that its person's name left behind, plus 1. */
static uint32_t *index_subjects(const struct model *model) {
  uint32_t *roles = calloc((size_t)model->subjects.count + 1, sizeof *roles), i;

  for (i = 0; roles != NULL && i < model->names.count; i++) {
    const struct role *role = &model->roles[i];

    if (role->kind == ROLE_LOGIN && role->known_subject != 0 && !role->is_frozen &&
        !is_still_called_so(role))
      roles[role->known_subject] = i + 1;
  }
  return roles;
}

/* The role that is this person's under another name; NAMES_NONE: there is none. */
static uint32_t old_role_of(const struct model *model, const uint32_t *by_subject,
                            uint32_t number) {
  const struct role *role = &model->roles[number];
  uint32_t old;

  if (role->wish != WISH_LOGIN || role->subject == 0 ||
      (role->kind == ROLE_LOGIN && role->known_subject == role->subject))
    return NAMES_NONE;
  old = by_subject[role->subject];
  return old != 0 && model->roles[old - 1].known_label == role->label ? old - 1 : NAMES_NONE;
}

/*
 * A new name that is still somebody's who keeps it is not free. A wanted role of somebody else's
 * stands in the way unless that one is renamed as well.
 */
static bool is_free(const struct model *model, uint32_t number, const uint32_t *new_name) {
  const struct role *role = &model->roles[number];

  return !role->is_frozen && (role->kind == ROLE_ABSENT ||
                              (role->kind == ROLE_LOGIN && new_name[number] != NAMES_NONE));
}

/* Neither the name of now nor the new one is anybody's until the holder lets go. */
static bool keeps_name(struct model *model, uint32_t number, uint32_t new_name) {
  if (model->roles[number].holder == 0)
    return false;
  model->roles[new_name].is_frozen = true;
  return true;
}

/* The person gets the role of the new name instead, because the operator says so. */
static bool is_taken_over(const struct model *model, uint32_t number) {
  const struct role *role = &model->roles[number];

  return model->adopts && !role->is_frozen && (role->kind == ROLE_LOGIN || role->is_adoptable);
}

/* Whose new name cannot be had keeps the role of the old one, for what it is worth. */
static void hold_old(struct model *model, uint32_t old, uint32_t number) {
  struct role *role = &model->roles[old];

  if (role->wish == WISH_NONE && !is_taken_over(model, number))
    role->is_held = role->is_frozen = true;
}

static void move_members(struct edges *edges, const uint32_t *new_name) {
  size_t i;

  for (i = 0; i < edges->count; i++)
    if (new_name[edges->items[i].member] != NAMES_NONE)
      edges->items[i].member = new_name[edges->items[i].member];
  edges_sort(edges);
}

/* What the cluster says of the old names is said of the new ones. */
static bool move_roles(struct model *model, const uint32_t *new_name) {
  struct role *before = malloc(((size_t)model->names.count + 1) * sizeof *before);
  uint32_t i;

  if (before == NULL)
    return false;
  memcpy(before, model->roles, model->names.count * sizeof *before);
  for (i = 0; i < model->names.count; i++) {
    if (new_name[i] == NAMES_NONE)
      continue;
    model->roles[i].kind = ROLE_ABSENT;
    model->roles[i].can_login = model->roles[i].is_cut = false;
    model->roles[i].known_subject = model->roles[i].known_label = 0;
  }
  for (i = 0; i < model->names.count; i++) {
    struct role *role;

    if (new_name[i] == NAMES_NONE)
      continue;
    role = &model->roles[new_name[i]];
    role->kind = before[i].kind;
    role->oid = before[i].oid;
    role->can_login = before[i].can_login;
    role->is_cut = before[i].is_cut;
    role->known_subject = before[i].known_subject;
    role->known_label = before[i].known_label;
    edges_put(&model->renamed, (struct edge){new_name[i], i, 0});
  }
  free(before);
  return !model->renamed.failed;
}

bool model_match(struct model *model) {
  struct edges *const lists[] = {&model->ours, &model->altered, &model->others, &model->noted,
                                 &model->lent};
  uint32_t *by_subject, *new_name = NULL, i, old, moved = 0;
  bool fine = false, again = true;
  size_t j;

  freeze(model);
  by_subject = index_subjects(model);
  new_name = malloc(((size_t)model->names.count + 1) * sizeof *new_name);
  if (by_subject == NULL || new_name == NULL)
    goto out;
  for (i = 0; i <= model->names.count; i++)
    new_name[i] = NAMES_NONE;
  for (i = 0; i < model->names.count; i++) {
    old = old_role_of(model, by_subject, i);
    if (old != NAMES_NONE) {
      new_name[old] = i;
      moved++;
    }
  }
  /* A chain ends where the last name is free; what cannot move holds up who wants its name. */
  while (moved > 0 && again)
    for (again = false, i = 0; i < model->names.count; i++)
      if (new_name[i] != NAMES_NONE &&
          (keeps_name(model, i, new_name[i]) || !is_free(model, new_name[i], new_name))) {
        hold_old(model, i, new_name[i]);
        new_name[i] = NAMES_NONE;
        moved--;
        again = true;
      }
  fine = moved == 0 || move_roles(model, new_name);
  for (j = 0; fine && moved > 0 && j < sizeof lists / sizeof lists[0]; j++)
    move_members(lists[j], new_name);
out:
  free(by_subject);
  free(new_name);
  return fine;
}
