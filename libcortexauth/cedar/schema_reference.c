/*
 * References of a schema: what a written type, entity type or action stands for.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "schema_resolve.h"

#include <stdlib.h>
#include <string.h>

/* A type and how many declarations and types lie below it, aliases counted. */
struct resolved {
  const struct cedar_type *type;
  unsigned int height;
};

static bool resolve(struct cedar_resolver *r, const struct cedar_draft_type *draft,
                    struct cedar_text space, unsigned int depth, struct resolved *out);

/* The built-in type of a name: `__cedar::Long`, or `Long` where nobody else is called so. */
static const struct cedar_type *builtin_find(const struct cedar_resolver *r,
                                             struct cedar_text name) {
  static const struct {
    char name[7];
    enum cedar_type_kind kind;
  } primitives[] = {
      {"Bool", CEDAR_TYPE_BOOL}, {"Long", CEDAR_TYPE_LONG}, {"String", CEDAR_TYPE_STRING}};
  struct cedar_text base = name;
  size_t i;

  if (name.len > 9 && memcmp(name.ptr, "__cedar::", 9) == 0) {
    base.ptr += 9;
    base.len -= 9;
  } else if (cedar_name_is_declared(r, name)) {
    return NULL;
  }
  for (i = 0; i < sizeof(primitives) / sizeof(primitives[0]); i++)
    if (cedar_text_is(base, primitives[i].name))
      return cedar_type_plain(primitives[i].kind);
  return cedar_type_extension(base);
}

static bool too_deep(struct cedar_resolver *r, uint32_t offset) {
  return cedar_draft_limit(r->draft, offset, "types are nested deeper than %d", CEDAR_MAX_DEPTH);
}

const struct cedar_type *cedar_common_resolve(struct cedar_resolver *r,
                                              struct cedar_draft_common *common,
                                              unsigned int depth) {
  struct resolved got;

  if (common->state == CEDAR_DRAFT_DONE)
    return common->resolved;
  if (common->state == CEDAR_DRAFT_OPEN) {
    cedar_draft_fail(r->draft, common->offset, "common type `%.*s` contains itself",
                     cedar_draft_len(common->name), common->name.ptr);
    return NULL;
  }
  common->state = CEDAR_DRAFT_OPEN;
  if (!resolve(r, common->type, common->space, depth + 1, &got))
    return NULL;
  if (got.height >= CEDAR_MAX_DEPTH) {
    too_deep(r, common->offset);
    return NULL;
  }
  common->state = CEDAR_DRAFT_DONE;
  common->height = got.height + 1;
  common->resolved = got.type;
  return common->resolved;
}

/*
 * Looks one full name up. Common types go before entity types (RFC 24 of Cedar).
 * gives false after a failure; out->type is NULL when the name means nothing
 */
static bool full_name_find(struct cedar_resolver *r, struct cedar_text name,
                           enum cedar_reference kind, unsigned int depth, struct resolved *out) {
  const struct cedar_schema_entity *entity;
  struct cedar_draft_common *common;

  out->type = NULL;
  out->height = 1;
  if ((kind & CEDAR_REFERS_COMMON) != 0) {
    common = cedar_common_find(r, name);
    if (common != NULL) {
      out->type = cedar_common_resolve(r, common, depth);
      out->height = common->height;
      return out->type != NULL;
    }
    out->type = builtin_find(r, name);
  }
  if (out->type != NULL || (kind & CEDAR_REFERS_ENTITY) == 0)
    return true;
  entity = cedar_schema_entity_find(r->schema, name);
  out->type = entity != NULL ? entity->type : cedar_schema_action_type(r->schema, name);
  return true;
}

static bool name_unknown(struct cedar_resolver *r, struct cedar_text name,
                         enum cedar_reference kind, uint32_t offset) {
  static const char kinds[][22] = {"", "common type", "entity type", "common or entity type"};

  return cedar_draft_fail(r->draft, offset, "expected a declared %s, found `%.*s`", kinds[kind],
                          cedar_draft_len(name), name.ptr);
}

/* A bare name means one of its own namespace, then one of the empty namespace. */
static bool name_find(struct cedar_resolver *r, const struct cedar_draft_type *draft,
                      struct cedar_text space, unsigned int depth, struct resolved *out) {
  enum cedar_reference kind = draft->kind == CEDAR_DRAFT_COMMON   ? CEDAR_REFERS_COMMON
                              : draft->kind == CEDAR_DRAFT_ENTITY ? CEDAR_REFERS_ENTITY
                                                                  : CEDAR_REFERS_EITHER;
  struct cedar_text full;

  if (space.len > 0 && memchr(draft->name.ptr, ':', draft->name.len) == NULL) {
    if (!cedar_draft_join(r->draft, space, draft->name, &full) ||
        !full_name_find(r, full, kind, depth, out))
      return false;
    if (out->type != NULL)
      return true;
  }
  if (!full_name_find(r, draft->name, kind, depth, out))
    return false;
  return out->type != NULL || name_unknown(r, draft->name, kind, draft->offset);
}

/* ---- records ---- */

struct slot {
  struct cedar_member member;
  uint32_t position;
};

static int slot_compare(const void *a, const void *b) {
  const struct slot *left = a, *right = b;
  int order = cedar_text_compare(left->member.name, right->member.name);

  return order != 0 ? order
                    : (left->position > right->position) - (left->position < right->position);
}

/* Sorts members by name; of a repeated name the last one counts, as in the official engine. */
static size_t members_sort(struct slot *slots, size_t count, struct cedar_member *members) {
  size_t i, n = 0;

  qsort(slots, count, sizeof(*slots), slot_compare);
  for (i = 0; i < count; i++) {
    if (n > 0 && cedar_text_compare(members[n - 1].name, slots[i].member.name) == 0)
      n--;
    members[n++] = slots[i].member;
  }
  return n;
}

static bool record_resolve(struct cedar_resolver *r, const struct cedar_draft_type *draft,
                           struct cedar_text space, unsigned int depth, struct resolved *out) {
  struct slot *slots = cedar_draft_get(r->draft, draft->count, sizeof(*slots));
  struct cedar_member *members = cedar_draft_get(r->draft, draft->count, sizeof(*members));
  const struct cedar_draft_member *member;
  struct resolved inner;
  uint32_t n = 0;

  if (slots == NULL || members == NULL)
    return false;
  out->height = 1;
  for (member = draft->members; member != NULL; member = member->next) {
    if (!resolve(r, member->type, space, depth + 1, &inner))
      return false;
    if (inner.height >= out->height)
      out->height = inner.height + 1;
    slots[n].member.name = member->name;
    slots[n].member.type = inner.type;
    slots[n].member.required = member->required;
    slots[n].position = n;
    n++;
  }
  out->type = cedar_type_record(r, members, members_sort(slots, n, members));
  return out->type != NULL;
}

static bool set_resolve(struct cedar_resolver *r, const struct cedar_draft_type *draft,
                        struct cedar_text space, unsigned int depth, struct resolved *out) {
  struct resolved inner;

  if (!resolve(r, draft->element, space, depth + 1, &inner))
    return false;
  out->type = cedar_type_set(r, inner.type);
  out->height = inner.height + 1;
  return out->type != NULL;
}

static bool resolve(struct cedar_resolver *r, const struct cedar_draft_type *draft,
                    struct cedar_text space, unsigned int depth, struct resolved *out) {
  bool good = false;

  if (depth > CEDAR_MAX_DEPTH)
    return too_deep(r, draft->offset);
  out->height = 1;
  switch (draft->kind) {
  case CEDAR_DRAFT_PLAIN:
    out->type = cedar_type_plain(draft->plain);
    return true;
  case CEDAR_DRAFT_EXTENSION:
    out->type = cedar_type_extension(draft->name);
    return out->type != NULL ||
           cedar_draft_fail(
               r->draft, draft->offset,
               "expected an extension type (ipaddr, decimal, datetime, duration), found `%.*s`",
               cedar_draft_len(draft->name), draft->name.ptr);
  case CEDAR_DRAFT_SET:
    good = set_resolve(r, draft, space, depth, out);
    break;
  case CEDAR_DRAFT_RECORD:
    good = record_resolve(r, draft, space, depth, out);
    break;
  case CEDAR_DRAFT_COMMON:
  case CEDAR_DRAFT_ENTITY:
  case CEDAR_DRAFT_EITHER:
    good = name_find(r, draft, space, depth, out);
    break;
  }
  return good && (out->height <= CEDAR_MAX_DEPTH || too_deep(r, draft->offset));
}

const struct cedar_type *cedar_type_resolve(struct cedar_resolver *r,
                                            const struct cedar_draft_type *draft,
                                            struct cedar_text space) {
  struct resolved got;

  return resolve(r, draft, space, 1, &got) ? got.type : NULL;
}

const struct cedar_schema_entity *cedar_entity_resolve(struct cedar_resolver *r,
                                                       const struct cedar_draft_name *name,
                                                       struct cedar_text space) {
  struct cedar_draft_type reference = {
      .kind = CEDAR_DRAFT_ENTITY, .name = name->type, .offset = name->offset};
  struct resolved got;

  if (!name_find(r, &reference, space, 1, &got))
    return NULL;
  if (got.type->declared == NULL)
    name_unknown(r, name->type, CEDAR_REFERS_ENTITY, name->offset);
  return got.type->declared;
}

struct cedar_schema_action *cedar_action_resolve(struct cedar_resolver *r,
                                                 const struct cedar_draft_name *name,
                                                 struct cedar_text space) {
  struct cedar_uid_text uid = {name->type.len > 0 ? name->type : cedar_text_of("Action"), name->id};
  struct cedar_text bare = uid.type;
  const struct cedar_schema_action *action = NULL;

  if (space.len > 0 && memchr(bare.ptr, ':', bare.len) == NULL) {
    if (!cedar_draft_join(r->draft, space, bare, &uid.type))
      return NULL;
    action = cedar_schema_action_find(r->schema, uid);
  }
  uid.type = bare;
  if (action == NULL)
    action = cedar_schema_action_find(r->schema, uid);
  if (action == NULL) {
    cedar_draft_fail(r->draft, name->offset, "expected a declared action, found %.*s::\"%.*s\"",
                     cedar_draft_len(bare), bare.ptr, cedar_draft_len(name->id), name->id.ptr);
    return NULL;
  }
  return &r->schema->actions[action - r->schema->actions];
}
