/*
 * Plan: what has to change so that what is there is what is wanted. Pure.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_PLAN_H
#define SYNC_PLAN_H

#include "model.h"

struct role_list {
  uint32_t *items;
  size_t count;
};

struct plan {
  /* what takes away */
  struct role_list cut;   /* login roles that lose their login, memberships and sessions */
  struct role_list held;  /* to be cut, but somebody holds them: noted as cut, for logins to see */
  struct edges revoke;    /* of those that keep their login */
  struct edges cut_edges; /* memberships that go with the cut */
  struct role_list end;   /* whose sessions end: the cut, and who loses a membership */
  struct edges forget;    /* notes */
  /* what gives */
  struct role_list groups;  /* to be made */
  struct role_list logins;  /* to be made */
  struct role_list restore; /* login roles that get their login back */
  struct role_list adopt;   /* login roles of others that become ours */
  struct edges rename;      /* role: the new name, member: the old one */
  struct role_list people;  /* whose directory or id is noted otherwise */
  struct edges grant;
  struct edges note;
  struct role_list attributes; /* positions in model.attributes */
  /* what stays as it is */
  struct rejections refused; /* names that are taken by a role that is not ours to change */
  bool failed;               /* without memory */
};

/* Release with plan_clear; ask plan->failed. */
void plan_make(const struct model *model, struct plan *plan);
void plan_clear(struct plan *plan);

/* Adds a role to a list of a plan; plan->failed without memory. */
void plan_put(struct plan *plan, struct role_list *list, uint32_t role);

/* True when there is nothing to do. */
bool plan_is_empty(const struct plan *plan);

/* Login roles and memberships that would be lost. */
size_t plan_removals(const struct plan *plan);

#endif
