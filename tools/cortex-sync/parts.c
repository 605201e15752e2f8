/*
 * Parts of a plan: transactions that the server's lock table has room for.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "parts.h"

#include <stdlib.h>
#include <string.h>

static size_t parts_of(const struct parts *parts, size_t count) {
  return (count + parts->limit - 1) / parts->limit;
}

/* Settings and comments lock their role in every release. */
static size_t count_locking(const struct model *model, const struct plan *plan) {
  size_t i, count = 0;

  for (i = 0; i < plan->attributes.count; i++) {
    const struct attribute *attribute = &model->attributes.items[plan->attributes.items[i]];
    const char *key = names_text(&model->words, attribute->key);

    count += strcmp(key, "comment") == 0 || strncmp(key, "set.", 4) == 0;
  }
  return count;
}

size_t parts_locks(const struct model *model, const struct plan *plan, int version) {
  size_t made = plan->groups.count + plan->logins.count + plan->rename.count;

  return (version >= 160000 ? 2 * made : plan->rename.count) + count_locking(model, plan);
}

bool parts_init(const struct model *model, const struct plan *plan, size_t room,
                struct parts *parts_out) {
  size_t i;

  *parts_out = (struct parts){.model = model, .plan = plan, .limit = PARTS_ROLES};
  if (room / 2 < PARTS_ROLES)
    parts_out->limit = room / 2 + 1;
  parts_out->losses = parts_of(parts_out, plan->cut.count);
  if (parts_out->losses == 0 &&
      plan->held.count + plan->revoke.count + plan->forget.count + plan->rename.count > 0)
    parts_out->losses = 1;
  parts_out->gains = parts_of(parts_out, plan->logins.count);
  if (parts_out->gains == 0 && plan->groups.count + plan->adopt.count + plan->people.count +
                                       plan->restore.count + plan->grant.count + plan->note.count >
                                   0)
    parts_out->gains = 1;
  parts_out->attributes = parts_of(parts_out, plan->attributes.count);
  parts_out->cut = calloc((size_t)model->names.count + 1, sizeof *parts_out->cut);
  parts_out->made = calloc((size_t)model->names.count + 1, sizeof *parts_out->made);
  if (parts_out->cut == NULL || parts_out->made == NULL) {
    parts_clear(parts_out);
    return false;
  }
  for (i = 0; i < plan->cut.count; i++)
    parts_out->cut[plan->cut.items[i]] = (uint32_t)(i / parts_out->limit);
  for (i = 0; i < plan->logins.count; i++)
    parts_out->made[plan->logins.items[i]] = (uint32_t)(i / parts_out->limit);
  return true;
}

void parts_clear(struct parts *parts) {
  free(parts->cut);
  free(parts->made);
  *parts = (struct parts){0};
}

size_t parts_count(const struct parts *parts) {
  return parts->losses + parts->gains + parts->attributes;
}

static void copy_edges(const uint32_t *places, const struct edges *from, size_t part,
                       struct edges *to) {
  size_t i;

  for (i = 0; i < from->count; i++)
    if (places[from->items[i].member] == part)
      edges_put(to, from->items[i]);
}

static void copy_roles(const uint32_t *places, const struct role_list *from, size_t part,
                       struct plan *plan, struct role_list *to) {
  size_t i;

  for (i = 0; i < from->count; i++)
    if (places[from->items[i]] == part)
      plan_put(plan, to, from->items[i]);
}

/* Renames come first of all: everything else is said in the new names. */
static void get_losses(const struct parts *parts, size_t part, struct plan *out) {
  const struct plan *plan = parts->plan;
  size_t i;

  copy_roles(parts->cut, &plan->cut, part, out, &out->cut);
  copy_roles(parts->cut, &plan->held, part, out, &out->held);
  copy_roles(parts->cut, &plan->end, part, out, &out->end);
  copy_edges(parts->cut, &plan->cut_edges, part, &out->cut_edges);
  copy_edges(parts->cut, &plan->revoke, part, &out->revoke);
  copy_edges(parts->cut, &plan->forget, part, &out->forget);
  for (i = 0; part == 0 && i < plan->rename.count; i++)
    edges_put(&out->rename, plan->rename.items[i]);
}

static void get_gains(const struct parts *parts, size_t part, struct plan *out) {
  const struct plan *plan = parts->plan;
  size_t i;

  for (i = 0; part == 0 && i < plan->groups.count; i++)
    plan_put(out, &out->groups, plan->groups.items[i]);
  copy_roles(parts->made, &plan->logins, part, out, &out->logins);
  copy_roles(parts->made, &plan->restore, part, out, &out->restore);
  copy_roles(parts->made, &plan->adopt, part, out, &out->adopt);
  copy_roles(parts->made, &plan->people, part, out, &out->people);
  copy_edges(parts->made, &plan->grant, part, &out->grant);
  copy_edges(parts->made, &plan->note, part, &out->note);
}

static void settle(struct plan *plan) {
  plan->failed = plan->failed || plan->revoke.failed || plan->cut_edges.failed ||
                 plan->forget.failed || plan->rename.failed || plan->grant.failed ||
                 plan->note.failed;
}

void parts_get(const struct parts *parts, size_t number, struct plan *part_out) {
  const struct role_list *attributes = &parts->plan->attributes;
  size_t i;

  *part_out = (struct plan){0};
  if (number < parts->losses) {
    get_losses(parts, number, part_out);
  } else if (number < parts->losses + parts->gains) {
    get_gains(parts, number - parts->losses, part_out);
  } else {
    i = (number - parts->losses - parts->gains) * parts->limit;
    for (; i < attributes->count && part_out->attributes.count < parts->limit; i++)
      plan_put(part_out, &part_out->attributes, attributes->items[i]);
  }
  settle(part_out);
}

/* A membership that is made anew, for its options, is no loss. */
static void drop_regranted(const struct edges *grant, struct edges *revoke) {
  size_t i, kept = 0, at = 0;

  for (i = 0; i < revoke->count; i++)
    if (!edges_seek(grant, &at, revoke->items[i]))
      revoke->items[kept++] = revoke->items[i];
  revoke->count = kept;
}

void parts_losses(const struct model *model, const struct plan *plan, struct plan *losses_out) {
  struct parts parts = {.model = model, .plan = plan};

  *losses_out = (struct plan){0};
  parts.cut = calloc((size_t)model->names.count + 1, sizeof *parts.cut);
  if (parts.cut == NULL) {
    losses_out->failed = true;
    return;
  }
  get_losses(&parts, 0, losses_out);
  drop_regranted(&plan->grant, &losses_out->revoke);
  settle(losses_out);
  parts_clear(&parts);
}
