/*
 * Types while checking: truth values of their own, and the type that two types have in common.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "typecheck.h"

#include <string.h>

const struct cedar_type cedar_type_true = {.kind = CEDAR_TYPE_BOOL, .height = 1};
const struct cedar_type cedar_type_false = {.kind = CEDAR_TYPE_BOOL, .height = 1};

bool cedar_type_is_bool(const struct cedar_type *type) {
  return type != NULL && type->kind == CEDAR_TYPE_BOOL;
}

bool cedar_name_is_action(struct cedar_text name) {
  if (name.len < 6 || memcmp(name.ptr + name.len - 6, "Action", 6) != 0)
    return false;
  return name.len == 6 || name.ptr[name.len - 7] == ':';
}

static const struct cedar_type *set_join(struct cedar_checker *c, const struct cedar_type *a,
                                         const struct cedar_type *b) {
  const struct cedar_type *element = cedar_type_join(c, a->element, b->element);
  struct cedar_type *made;

  if (element == NULL || element == b->element)
    return element == NULL ? NULL : b;
  if (element == a->element)
    return a;
  made = cedar_check_get(c, 1, sizeof(*made));
  if (made != NULL) {
    made->kind = CEDAR_TYPE_SET;
    made->element = element;
  }
  return made;
}

/* Same names, same duties: strict rules know no wider and narrower records. */
static const struct cedar_type *record_join(struct cedar_checker *c, const struct cedar_type *a,
                                            const struct cedar_type *b) {
  struct cedar_type *made;
  struct cedar_member *members;
  bool is_a = true, is_b = true;
  size_t i;

  if (a->member_count != b->member_count)
    return NULL;
  for (i = 0; i < a->member_count; i++)
    if (a->members[i].required != b->members[i].required ||
        cedar_text_compare(a->members[i].name, b->members[i].name) != 0)
      return NULL;
  members = cedar_check_get(c, a->member_count, sizeof(*members));
  if (members == NULL)
    return NULL;
  for (i = 0; i < a->member_count; i++) {
    members[i] = a->members[i];
    members[i].type = cedar_type_join(c, a->members[i].type, b->members[i].type);
    if (members[i].type == NULL)
      return NULL;
    is_a = is_a && members[i].type == a->members[i].type;
    is_b = is_b && members[i].type == b->members[i].type;
  }
  if (is_a || is_b)
    return is_b ? b : a;
  made = cedar_check_get(c, 1, sizeof(*made));
  if (made != NULL) {
    made->kind = CEDAR_TYPE_RECORD;
    made->members = members;
    made->member_count = a->member_count;
  }
  return made;
}

const struct cedar_type *cedar_type_join(struct cedar_checker *c, const struct cedar_type *a,
                                         const struct cedar_type *b) {
  if (a == b)
    return a;
  if (a->kind != b->kind)
    return NULL;
  if (a->kind == CEDAR_TYPE_BOOL)
    return cedar_type_plain(CEDAR_TYPE_BOOL);
  if (a->kind == CEDAR_TYPE_SET)
    return set_join(c, a, b);
  return a->kind == CEDAR_TYPE_RECORD ? record_join(c, a, b) : NULL;
}

void cedar_check_misfit(struct cedar_checker *c, uint32_t node, const char *what,
                        const struct cedar_type *a, const struct cedar_type *b) {
  char left[120], right[120];

  if (c->status != CEDAR_OK)
    return;
  cedar_type_print(a, left, sizeof(left));
  cedar_type_print(b, right, sizeof(right));
  cedar_check_error(c, node, "%s %s and %s, which do not fit together", what, left, right);
}
