/*
 * Types of attributes and tags: optional ones only where they are known to be there.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "typecheck.h"

#include <stdio.h>
#include <string.h>

/* The record of an entity type or a record; NULL for actions, which have no attributes. */
static const struct cedar_type *fields_of(const struct cedar_type *type) {
  if (type->kind == CEDAR_TYPE_RECORD)
    return type;
  return type->declared != NULL ? type->declared->shape : NULL;
}

static const struct cedar_member *field_find(const struct cedar_checker *c,
                                             const struct cedar_type *type, uint32_t attr) {
  const struct cedar_type *fields = fields_of(type);

  return fields == NULL ? NULL : cedar_type_member(fields, cedar_check_text(c, attr));
}

/* "a, b, c?": what could have been meant. */
static void fields_list(const struct cedar_type *fields, char *out, size_t size) {
  size_t i, used = 0;

  out[0] = '\0';
  for (i = 0; i < fields->member_count && used + 4 < size; i++) {
    int n = snprintf(out + used, size - used, "%s%.*s%s", i == 0 ? "" : ", ",
                     cedar_check_len(fields->members[i].name), fields->members[i].name.ptr,
                     fields->members[i].required ? "" : "?");

    used = n > 0 && (size_t)n < size - used ? used + (size_t)n : size;
  }
  if (used >= size)
    memcpy(out + size - 4, "...", 4);
}

static const char *owner_name(const struct cedar_checker *c, const struct cedar_subject *subject,
                              const struct cedar_type *type, char *out, size_t size) {
  const struct cedar_node *node = cedar_check_node(c, subject->node);

  if (type->kind != CEDAR_TYPE_RECORD)
    cedar_type_print(type, out, size);
  else
    snprintf(out, size, "%s",
             subject->count == 0 && node->op == CEDAR_OP_VAR ? "the context" : "the record");
  return out;
}

static void field_unknown(struct cedar_checker *c, uint32_t node, const struct cedar_type *type,
                          const struct cedar_capability *asked) {
  struct cedar_text name = cedar_check_text(c, asked->key);
  const struct cedar_type *fields = fields_of(type);
  char owner[80], list[160];

  owner_name(c, &asked->subject, type, owner, sizeof(owner));
  if (fields == NULL || fields->member_count == 0) {
    cedar_check_error(c, node, "%s has no attributes, not `%.*s` either", owner,
                      cedar_check_len(name), name.ptr);
    return;
  }
  fields_list(fields, list, sizeof(list));
  cedar_check_error(c, node, "%s has no attribute `%.*s`; expected one of %s", owner,
                    cedar_check_len(name), name.ptr, list);
}

/* The type of an attribute of something that was checked; node is where errors stand. */
static struct cedar_typed field_get(struct cedar_checker *c, uint32_t node,
                                    const struct cedar_capability *prior, struct cedar_typed object,
                                    const struct cedar_capability *asked) {
  const struct cedar_member *field;
  struct cedar_text name;

  if (object.type == NULL)
    return cedar_typed_make(NULL, false);
  field = field_find(c, object.type, asked->key);
  if (field == NULL) {
    field_unknown(c, node, object.type, asked);
    return cedar_typed_make(NULL, false);
  }
  if (field->required || cedar_capability_has(c, prior, asked))
    return cedar_typed_make(field->type, object.good);
  name = cedar_check_text(c, asked->key);
  cedar_check_error(c, node, "attribute `%.*s` is optional; expected a test like `has %.*s` first",
                    cedar_check_len(name), name.ptr, cedar_check_len(name), name.ptr);
  return cedar_typed_make(field->type, false);
}

static struct cedar_typed check_get(struct cedar_checker *c, const struct cedar_capability *prior,
                                    uint32_t index) {
  const struct cedar_node *node = cedar_check_node(c, index);
  struct cedar_capability asked = {{node->a, NULL, 0}, node->b, false, NULL};

  return field_get(c, index, prior, cedar_check_want(c, prior, node->a, CEDAR_WANT_FIELDS), &asked);
}

/*
 * Type of `object has attr`. A required attribute is surely there in a record; an entity may be
 * missing from the store.
 */
static struct cedar_typed field_has(struct cedar_checker *c, const struct cedar_capability *prior,
                                    struct cedar_typed object,
                                    const struct cedar_capability *asked) {
  struct cedar_typed typed = {cedar_type_plain(CEDAR_TYPE_BOOL), object.good, NULL};
  const struct cedar_member *field;

  if (object.type == NULL)
    return cedar_typed_make(typed.type, false);
  field = field_find(c, object.type, asked->key);
  if (field == NULL) {
    typed.type = &cedar_type_false;
    return typed;
  }
  if ((field->required && object.type->kind == CEDAR_TYPE_RECORD) ||
      cedar_capability_has(c, prior, asked))
    typed.type = &cedar_type_true;
  if (typed.good)
    typed.gains = cedar_capability_put(c, NULL, asked);
  return typed;
}

static bool has_fields(const struct cedar_type *type) {
  return type->kind == CEDAR_TYPE_RECORD || type->kind == CEDAR_TYPE_ENTITY;
}

/* x has a.b.c is x has a && x.a has b && x.a.b has c */
static struct cedar_typed check_has(struct cedar_checker *c, const struct cedar_capability *prior,
                                    uint32_t index) {
  const struct cedar_node *node = cedar_check_node(c, index);
  const uint32_t *path = c->store->code.at + node->b;
  struct cedar_typed object = cedar_check_want(c, prior, node->a, CEDAR_WANT_FIELDS);
  struct cedar_capability asked = {{node->a, path, 0}, path[0], false, NULL};
  struct cedar_typed left = field_has(c, prior, object, &asked), right;
  uint32_t i;
  char found[120];

  for (i = 1; i < node->c && left.type != &cedar_type_false; i++) {
    prior = cedar_capability_union(c, prior, left.gains);
    object = field_get(c, index, prior, object, &asked);
    if (object.type != NULL && !has_fields(object.type)) {
      cedar_type_print(object.type, found, sizeof(found));
      cedar_check_error(c, index, "expected an entity or a record left of `.`, found %s", found);
      object = cedar_typed_make(NULL, false);
    }
    asked.subject.count = i;
    asked.key = path[i];
    right = field_has(c, prior, object, &asked);
    left = cedar_typed_and(c, left, right);
  }
  return left;
}

/* ---- tags ---- */

static const struct cedar_type *tags_of(const struct cedar_type *type) {
  return type->declared != NULL ? type->declared->tags : NULL;
}

static struct cedar_typed check_has_tag(struct cedar_checker *c,
                                        const struct cedar_capability *prior,
                                        const struct cedar_node *node) {
  struct cedar_typed object = cedar_check_want(c, prior, node->a, CEDAR_WANT_ENTITY);
  struct cedar_typed key = cedar_check_want(c, prior, node->b, CEDAR_WANT_STRING);
  struct cedar_capability asked = {{node->a, NULL, 0}, node->b, true, NULL};
  struct cedar_typed typed =
      cedar_typed_make(cedar_type_plain(CEDAR_TYPE_BOOL), object.good && key.good);

  if (object.type == NULL)
    return cedar_typed_make(NULL, false);
  if (tags_of(object.type) == NULL)
    typed.type = &cedar_type_false;
  else if (cedar_capability_has(c, prior, &asked))
    typed.type = &cedar_type_true;
  if (typed.good)
    typed.gains = cedar_capability_put(c, NULL, &asked);
  return typed;
}

static struct cedar_typed check_get_tag(struct cedar_checker *c,
                                        const struct cedar_capability *prior, uint32_t index) {
  const struct cedar_node *node = cedar_check_node(c, index);
  struct cedar_typed object = cedar_check_want(c, prior, node->a, CEDAR_WANT_ENTITY);
  struct cedar_typed key = cedar_check_want(c, prior, node->b, CEDAR_WANT_STRING);
  struct cedar_capability asked = {{node->a, NULL, 0}, node->b, true, NULL};

  if (object.type == NULL)
    return cedar_typed_make(NULL, false);
  if (!cedar_capability_has(c, prior, &asked)) {
    cedar_check_error(c, index,
                      "a tag may be absent; expected a test with `hasTag` of the same key first");
    return cedar_typed_make(NULL, false);
  }
  if (tags_of(object.type) == NULL) {
    cedar_check_error(c, index, "%.*s has no tags", cedar_check_len(object.type->entity),
                      object.type->entity.ptr);
    return cedar_typed_make(NULL, false);
  }
  return cedar_typed_make(tags_of(object.type), object.good && key.good);
}

struct cedar_typed cedar_check_access(struct cedar_checker *c, const struct cedar_capability *prior,
                                      uint32_t index) {
  const struct cedar_node *node = cedar_check_node(c, index);

  if (node->op == CEDAR_OP_GET)
    return check_get(c, prior, index);
  if (node->op == CEDAR_OP_HAS)
    return check_has(c, prior, index);
  return node->op == CEDAR_OP_HAS_TAG ? check_has_tag(c, prior, node)
                                      : check_get_tag(c, prior, index);
}
