/*
 * Types of a schema: the plain ones, and their text for messages.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "schema.h"

#include <stdio.h>
#include <string.h>

#define PLAIN(k) [k] = {.kind = (k), .height = 1}

static const struct cedar_type plain_types[] = {
    PLAIN(CEDAR_TYPE_BOOL),     PLAIN(CEDAR_TYPE_LONG),   PLAIN(CEDAR_TYPE_STRING),
    PLAIN(CEDAR_TYPE_DECIMAL),  PLAIN(CEDAR_TYPE_IPADDR), PLAIN(CEDAR_TYPE_DATETIME),
    PLAIN(CEDAR_TYPE_DURATION),
};

static const char plain_names[][9] = {
    [CEDAR_TYPE_BOOL] = "Bool",         [CEDAR_TYPE_LONG] = "Long",
    [CEDAR_TYPE_STRING] = "String",     [CEDAR_TYPE_DECIMAL] = "decimal",
    [CEDAR_TYPE_IPADDR] = "ipaddr",     [CEDAR_TYPE_DATETIME] = "datetime",
    [CEDAR_TYPE_DURATION] = "duration",
};

const struct cedar_type *cedar_type_plain(enum cedar_type_kind kind) {
  return &plain_types[kind];
}

const struct cedar_type *cedar_type_extension(struct cedar_text name) {
  size_t i;

  for (i = CEDAR_TYPE_DECIMAL; i <= CEDAR_TYPE_DURATION; i++)
    if (cedar_text_is(name, plain_names[i]))
      return &plain_types[i];
  return NULL;
}

struct printer {
  char *out;
  size_t len;
  size_t size;
};

static void put(struct printer *p, const char *bytes, size_t len) {
  size_t room = p->size - 1 - p->len;

  if (len > room)
    len = room;
  memcpy(p->out + p->len, bytes, len);
  p->len += len;
  p->out[p->len] = '\0';
}

static void puts_to(struct printer *p, const char *string) {
  put(p, string, strlen(string));
}

static void type_print(struct printer *p, const struct cedar_type *type) {
  size_t i;

  if (p->len + 1 == p->size)
    return;
  if (type->kind == CEDAR_TYPE_ENTITY) {
    put(p, type->entity.ptr, type->entity.len);
  } else if (type->kind == CEDAR_TYPE_SET) {
    puts_to(p, "Set<");
    type_print(p, type->element);
    puts_to(p, ">");
  } else if (type->kind == CEDAR_TYPE_RECORD) {
    puts_to(p, "{");
    for (i = 0; i < type->member_count && p->len + 1 < p->size; i++) {
      puts_to(p, i == 0 ? "" : ", ");
      put(p, type->members[i].name.ptr, type->members[i].name.len);
      puts_to(p, type->members[i].required ? ": " : "?: ");
      type_print(p, type->members[i].type);
    }
    puts_to(p, "}");
  } else {
    puts_to(p, plain_names[type->kind]);
  }
}

void cedar_type_print(const struct cedar_type *type, char *out, size_t size) {
  struct printer p = {out, 0, size};

  out[0] = '\0';
  type_print(&p, type);
  if (p.len + 1 == p.size && p.size > 4)
    memcpy(out + p.size - 4, "...", 4);
}
