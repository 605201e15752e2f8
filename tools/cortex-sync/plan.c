/*
 * Plan: what has to change so that what is there is what is wanted. Pure.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Order is by number of the name; a membership that is repaired is revoked and granted again. */

struct making {
  const struct model *model;
  struct plan *plan;
  bool *is_cut; /* by role */
  bool *ends;   /* by role */
  bool *kept;   /* by role: wanted, and ours to change */
  bool *frozen; /* by role: left as it is */
};

void plan_put(struct plan *plan, struct role_list *list, uint32_t role) {
  if ((list->count & (list->count - 1)) == 0) {
    size_t room = list->count == 0 ? 1 : 2 * list->count;
    uint32_t *items = realloc(list->items, room * sizeof *items);

    if (items == NULL) {
      plan->failed = true;
      return;
    }
    list->items = items;
  }
  list->items[list->count++] = role;
}

static void refuse(const struct making *making, uint32_t role, const char *why) {
  rejections_put(&making->plan->refused, names_text(&making->model->names, role), why);
}

/* ---- roles ---- */

/* The role of somebody who is called so too, or was: its person is not known to be this one. */
static bool refuse_other(const struct making *making, uint32_t number, const struct role *role) {
  const struct model *model = making->model;
  const char *known = names_text(&model->labels, role->known_label);
  char why[256];

  if (model->adopts)
    return false;
  if (role->known_label == role->label) {
    if (role->known_subject == 0 || role->subject == 0 || role->known_subject == role->subject)
      return false;
    snprintf(why, sizeof why, "the directory calls somebody else so than when the role was made");
  } else {
    if (names_find(&model->complete, known, strlen(known)) == NAMES_NONE)
      return false; /* a directory that is no more, or nobody's */
    snprintf(why, sizeof why, "the role was made for somebody of \"%s\"", known);
  }
  snprintf(why + strlen(why), sizeof why - strlen(why),
           ": it is left as it is, with its login and memberships; if it is the same person, once: "
           "--adopt; if not, rename or drop the role");
  making->frozen[number] = true;
  refuse(making, number, why);
  return true;
}

static void plan_login(const struct making *making, uint32_t number, const struct role *role) {
  struct plan *plan = making->plan;

  switch (role->kind) {
  case ROLE_ABSENT:
    plan_put(plan, &plan->logins, number);
    making->kept[number] = true;
    break;
  case ROLE_LOGIN:
    if (refuse_other(making, number, role))
      break;
    if (role->is_cut && role->holder == 0)
      plan_put(plan, &plan->restore, number);
    if (role->known_label != role->label ||
        (role->subject != 0 && role->known_subject != role->subject))
      plan_put(plan, &plan->people, number);
    making->kept[number] = true;
    break;
  case ROLE_FOREIGN:
    if (making->model->adopts && role->is_adoptable && role->holder != 0)
      break;
    if (making->model->adopts && role->is_adoptable) {
      plan_put(plan, &plan->adopt, number);
      making->kept[number] = true;
      break;
    }
    refuse(making, number,
           role->is_adoptable
               ? "a role of this name exists and is not managed by Cortex; if it is this person's, "
                 "once: --adopt"
               : "a role of this name exists, is not managed by Cortex and cannot be taken over: "
                 "only a login role without attributes, members and powerful memberships can be");
    break;
  case ROLE_GROUP:
    refuse(making, number, "a group role of this name exists");
    break;
  case ROLE_PROTECTED:
    refuse(making, number, "the role is protected: Cortex never changes it");
    break;
  }
}

static void plan_group(const struct making *making, uint32_t number, const struct role *role) {
  switch (role->kind) {
  case ROLE_ABSENT:
    plan_put(making->plan, &making->plan->groups, number);
    making->kept[number] = true;
    break;
  case ROLE_GROUP:
    making->kept[number] = true;
    break;
  case ROLE_FOREIGN:
    refuse(making, number,
           "the role exists and is not managed by Cortex; a superuser can change that with "
           "GRANT cortex_groups TO it");
    break;
  case ROLE_LOGIN:
    refuse(making, number, "a person's role has this name");
    break;
  case ROLE_PROTECTED:
    refuse(making, number, "the role is protected, or leads to one that is");
    break;
  }
}

/* Roles that would be cut or changed, and are not. */
static void tell_kept(const struct making *making, uint32_t number, const struct role *role) {
  char why[1024];

  if (role->circle != 0) {
    snprintf(
        why, sizeof why,
        "a group role that it should be in is a member of it, which PostgreSQL refuses: it gets no "
        "memberships until somebody says %s",
        names_text(&making->model->holders, role->circle));
    refuse(making, number, why);
  }
  if (role->holder != 0) {
    snprintf(why, sizeof why,
             "%s holds the role: until that ends its name, login and attributes stay as they are",
             names_text(&making->model->holders, role->holder));
    refuse(making, number, why);
    return;
  }
  if (role->is_held && role->can_login && !role->is_contested)
    refuse(making, number,
           "the directory knows this person by a name that no role can have, or that is taken: "
           "the role is left as it is");
  if (role->is_stranded)
    refuse(making, number,
           "no directory names this person, but the role is protected, by its attributes, by what "
           "it is a member of or by a database that it owns: its login and memberships stay until "
           "that is taken away");
}

/* The person's roles of one level (USER/LEVEL) are the logins', which make none for who was cut. */
static void end_levels(const struct making *making, uint32_t number) {
  static const char levels[3][6] = {"read", "write", "admin"};
  const struct model *model = making->model;
  char name[64 + sizeof "/write"]; /* longer is no role's */
  size_t i;

  for (i = 0; i < sizeof levels / sizeof levels[0]; i++) {
    int len = snprintf(name, sizeof name, "%s/%s", names_text(&model->names, number), levels[i]);
    uint32_t found = names_find(&model->names, name, strnlen(name, (size_t)len));

    if (found != NAMES_NONE && model->roles[found].is_lent)
      making->ends[found] = true;
  }
}

/* One that somebody holds loses all but the login. */
static void plan_cut(const struct making *making, uint32_t number, const struct role *role) {
  making->ends[number] = true;
  end_levels(making, number);
  making->is_cut[number] = role->holder == 0;
  if (making->is_cut[number])
    plan_put(making->plan, &making->plan->cut, number);
  else if (!role->is_cut)
    plan_put(making->plan, &making->plan->held, number);
}

static void plan_roles(const struct making *making) {
  uint32_t i;

  for (i = 0; i < making->model->names.count; i++) {
    const struct role *role = &making->model->roles[i];

    making->frozen[i] = role->is_frozen || role->is_lent || role->is_stranded;
    tell_kept(making, i, role);
    if (role->is_frozen)
      continue;
    if (role->wish == WISH_LOGIN)
      plan_login(making, i, role);
    if (role->wish == WISH_GROUP)
      plan_group(making, i, role);
    if (role->wish != WISH_LOGIN && role->kind == ROLE_LOGIN && role->can_login &&
        !making->frozen[i])
      plan_cut(making, i, role);
  }
}

/* ---- memberships ---- */

static bool is_kept(const struct making *making, const struct edge *edge) {
  return making->kept[edge->role] && making->kept[edge->member];
}

/* A group role that is protected by now: those who should be in it stay so. */
static bool is_out_of_reach(const struct making *making, const struct edge *edge) {
  return making->kept[edge->member] && making->model->roles[edge->role].wish == WISH_GROUP &&
         making->model->roles[edge->role].kind == ROLE_PROTECTED;
}

/* A directory gave a reason for it once, so what becomes of it is not the logins' business. */
static bool is_noted(const struct model *model, size_t *cursor, const struct edge *edge) {
  const struct edge first = {edge->role, edge->member, 0};

  if (edges_seek(&model->noted, cursor, first))
    return true;
  return *cursor < model->noted.count && model->noted.items[*cursor].role == edge->role &&
         model->noted.items[*cursor].member == edge->member;
}

static bool is_ours(const struct role *role) {
  return role->kind == ROLE_LOGIN || role->kind == ROLE_GROUP;
}

/* Who would be cut. */
static bool is_leaver(const struct making *making, uint32_t number) {
  return making->model->roles[number].holder != 0 &&
         making->model->roles[number].wish != WISH_LOGIN;
}

/* What is there and ours, and not wanted as it is. */
static void plan_losses(const struct making *making, const struct edges *have, bool is_altered) {
  const struct model *model = making->model;
  struct plan *plan = making->plan;
  size_t i, at = 0, lent = 0, noted = 0;

  for (i = 0; i < have->count; i++) {
    const struct edge *edge = &have->items[i];
    bool is_named = edges_seek(&model->wanted, &at, *edge);
    bool is_wanted = is_named && is_kept(making, edge);
    bool is_lent = edges_seek(&model->lent, &lent, *edge) && !is_noted(model, &noted, edge);

    if (!is_ours(&model->roles[edge->member]) || making->frozen[edge->member] ||
        (is_named && is_out_of_reach(making, edge)))
      continue; /* protected since: nothing of it is changed */
    if (making->is_cut[edge->member]) {
      edges_put(&plan->cut_edges, *edge);
    } else if (is_wanted ? is_altered : !is_lent || is_leaver(making, edge->member)) {
      edges_put(&plan->revoke, *edge);
      making->ends[edge->member] = making->ends[edge->member] || !is_wanted;
    }
  }
}

/* A membership that a DBA gave is enough: one more of ours would outlive his revoking it. */
static void plan_gains(const struct making *making) {
  const struct model *model = making->model;
  size_t i, at = 0, other = 0;

  for (i = 0; i < model->wanted.count; i++) {
    const struct edge *edge = &model->wanted.items[i];

    if (is_kept(making, edge) && !edges_seek(&model->ours, &at, *edge) &&
        !edges_seek(&model->others, &other, *edge) && model->roles[edge->member].circle == 0)
      edges_put(&making->plan->grant, *edge);
  }
}

/* ---- notes ---- */

static bool is_ours_or_granted(const struct making *making, const struct edge *edge, size_t *ours,
                               size_t *granted) {
  const struct edge bare = {edge->role, edge->member, 0};

  return edges_seek(&making->model->ours, ours, bare) ||
         edges_seek(&making->plan->grant, granted, bare);
}

static void plan_notes(const struct making *making) {
  const struct model *model = making->model;
  struct plan *plan = making->plan;
  size_t i, at = 0, ours = 0, granted = 0;

  for (i = 0; i < model->wanted_why.count; i++) {
    const struct edge *edge = &model->wanted_why.items[i];

    if (is_kept(making, edge) && is_ours_or_granted(making, edge, &ours, &granted) &&
        !edges_seek(&model->noted, &at, *edge))
      edges_put(&plan->note, *edge);
  }
  at = ours = granted = 0;
  for (i = 0; i < model->noted.count; i++) {
    const struct edge *edge = &model->noted.items[i];

    bool is_named = edges_seek(&model->wanted_why, &at, *edge);

    if (making->is_cut[edge->member] || making->frozen[edge->member] ||
        (is_named && is_out_of_reach(making, edge)))
      continue; /* goes with the cut, or stays */
    if (!is_named || !is_kept(making, edge) || !is_ours_or_granted(making, edge, &ours, &granted))
      edges_put(&plan->forget, *edge);
  }
}

static void plan_attributes(const struct making *making) {
  const struct attributes *list = &making->model->attributes;
  uint32_t i;

  for (i = 0; i < list->count; i++)
    if (list->items[i].differs && making->kept[list->items[i].role] &&
        making->model->roles[list->items[i].role].holder == 0)
      plan_put(making->plan, &making->plan->attributes, i);
}

/* What a group loses its members lose, and theirs: sessions may stand in any of it. */
static void end_members(const struct making *making) {
  const struct edges *const lists[] = {&making->model->ours, &making->model->altered,
                                       &making->model->others};
  bool again = true;
  size_t i, j;

  while (again)
    for (again = false, i = 0; i < sizeof lists / sizeof lists[0]; i++)
      for (j = 0; j < lists[i]->count; j++) {
        const struct edge *edge = &lists[i]->items[j];

        if (making->ends[edge->role] && !making->ends[edge->member]) {
          making->ends[edge->member] = true;
          again = true;
        }
      }
}

/* Whose role has another name now is nobody in SQL until the next login. */
static void plan_ends(const struct making *making) {
  uint32_t i;

  end_members(making);
  for (i = 0; i < making->model->renamed.count; i++) {
    making->ends[making->model->renamed.items[i].role] = true;
    end_levels(making, making->model->renamed.items[i].member);
  }
  for (i = 0; i < making->model->names.count; i++)
    if (making->ends[i] && making->model->roles[i].kind == ROLE_LOGIN)
      plan_put(making->plan, &making->plan->end, i);
}

void plan_make(const struct model *model, struct plan *plan) {
  size_t count = (size_t)model->names.count + 1;
  struct making making = {model,
                          plan,
                          calloc(count, sizeof(bool)),
                          calloc(count, sizeof(bool)),
                          calloc(count, sizeof(bool)),
                          calloc(count, sizeof(bool))};

  size_t i;

  *plan = (struct plan){0};
  if (making.is_cut == NULL || making.ends == NULL || making.kept == NULL ||
      making.frozen == NULL) {
    plan->failed = true;
    goto out;
  }
  for (i = 0; i < model->renamed.count; i++)
    edges_put(&plan->rename, model->renamed.items[i]);
  plan_roles(&making);
  plan_losses(&making, &model->ours, false);
  plan_losses(&making, &model->altered, true);
  edges_sort(&plan->revoke);
  plan_gains(&making);
  plan_notes(&making);
  plan_attributes(&making);
  plan_ends(&making);
  plan->failed = plan->failed || plan->revoke.failed || plan->rename.failed ||
                 plan->cut_edges.failed || plan->grant.failed || plan->note.failed ||
                 plan->forget.failed || plan->refused.failed;
out:
  free(making.is_cut);
  free(making.ends);
  free(making.kept);
  free(making.frozen);
}

void plan_clear(struct plan *plan) {
  struct role_list *const lists[] = {&plan->cut,    &plan->held,   &plan->end,
                                     &plan->groups, &plan->logins, &plan->restore,
                                     &plan->adopt,  &plan->people, &plan->attributes};
  struct edges *const edges[] = {&plan->revoke, &plan->cut_edges, &plan->forget,
                                 &plan->grant,  &plan->note,      &plan->rename};
  size_t i;

  for (i = 0; i < sizeof lists / sizeof lists[0]; i++)
    free(lists[i]->items);
  for (i = 0; i < sizeof edges / sizeof edges[0]; i++)
    edges_clear(edges[i]);
  rejections_clear(&plan->refused);
  *plan = (struct plan){0};
}

bool plan_is_empty(const struct plan *plan) {
  return plan->cut.count + plan->held.count + plan->revoke.count + plan->forget.count +
             plan->groups.count + plan->logins.count + plan->restore.count + plan->grant.count +
             plan->note.count + plan->adopt.count + plan->people.count + plan->rename.count +
             plan->attributes.count ==
         0;
}

size_t plan_removals(const struct plan *plan) {
  return plan->cut.count + plan->revoke.count + plan->cut_edges.count;
}
