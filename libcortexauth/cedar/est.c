/*
 * Policies of the JSON policy format.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "est.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "link.h"

uint32_t cedar_est_fail(struct cedar_build *b, const struct cedar_json *json, const char *format,
                        ...) {
  struct cedar_place place = cedar_place_at(b->source, json->offset);
  char message[sizeof(b->error->message)];
  va_list args;

  va_start(args, format);
  vsnprintf(message, sizeof(message), format, args);
  va_end(args);
  return cedar_build_fail(b, CEDAR_INVALID, place.line, place.column, "%s", message);
}

const struct cedar_json *cedar_est_member(struct cedar_build *b, const struct cedar_json *json,
                                          const char *key) {
  const struct cedar_json *member = cedar_json_member(json, key);

  if (member == NULL)
    cedar_est_fail(b, json,
                   json->kind == CEDAR_JSON_OBJECT ? "\"%s\" is missing"
                                                   : "expected an object with \"%s\"",
                   key);
  return member;
}

bool cedar_est_string(struct cedar_build *b, const struct cedar_json *json, const char *key,
                      struct cedar_text *out) {
  const struct cedar_json *member = cedar_est_member(b, json, key);

  if (member == NULL)
    return false;
  if (member->kind != CEDAR_JSON_STRING) {
    cedar_est_fail(b, member, "\"%s\" must be a string, not %s", key, cedar_json_kind_name(member));
    return false;
  }
  *out = member->u.string;
  return true;
}

bool cedar_est_only(struct cedar_build *b, const struct cedar_json *json,
                    const cedar_est_key *keys) {
  const struct cedar_json *child;
  size_t i;

  if (json->kind != CEDAR_JSON_OBJECT)
    return false;
  for (child = json->u.child; child != NULL; child = child->next) {
    for (i = 0; keys[i][0] != '\0' && !cedar_text_is(child->key, keys[i]); i++)
      ;
    if (keys[i][0] == '\0') {
      cedar_est_fail(b, child, "unknown member \"%.*s\"",
                     (int)(child->key.len < 100 ? child->key.len : 100), child->key.ptr);
      return false;
    }
  }
  return true;
}

uint32_t cedar_est_type(struct cedar_build *b, const struct cedar_json *json, const char *key) {
  struct cedar_text name;

  if (!cedar_est_string(b, json, key, &name))
    return CEDAR_NONE;
  if (!cedar_is_name(name))
    return cedar_est_fail(b, json, "\"%.*s\" is not an entity type's name",
                          (int)(name.len < 100 ? name.len : 100), name.ptr);
  return cedar_build_sym(b, name);
}

uint32_t cedar_est_uid(struct cedar_build *b, const struct cedar_json *json) {
  const struct cedar_json *inner = cedar_json_member(json, "__entity");
  struct cedar_text id;
  uint32_t type;

  if (inner != NULL)
    json = inner;
  type = cedar_est_type(b, json, "type");
  if (b->status != CEDAR_OK || !cedar_est_string(b, json, "id", &id))
    return CEDAR_NONE;
  return cedar_build_uid(b, type, id);
}

/* "entity" or "slot" of a scope. */
static void target_read(struct cedar_build *b, const struct cedar_json *json, enum cedar_var var,
                        struct cedar_scope *scope) {
  const struct cedar_json *slot = cedar_json_member(json, "slot");
  const struct cedar_json *entity = cedar_json_member(json, "entity");
  const char *own = var == CEDAR_PRINCIPAL ? "?principal" : "?resource";

  if (slot == NULL && entity == NULL) {
    cedar_est_fail(b, json, "\"entity\" or \"slot\" is missing");
  } else if (entity != NULL) {
    scope->uid = cedar_est_uid(b, entity);
  } else if (var == CEDAR_ACTION || slot->kind != CEDAR_JSON_STRING ||
             !cedar_text_is(slot->u.string, own)) {
    cedar_est_fail(b, slot, "this slot cannot stand here");
  } else {
    scope->slot = 1;
  }
}

static void action_check(struct cedar_build *b, const struct cedar_json *json, uint32_t uid) {
  if (b->status == CEDAR_OK &&
      !cedar_is_action_type(cedar_sym_text(b->store, b->store->uids.at[uid].type)))
    cedar_est_fail(b, json, "an action must be of type Action");
}

static void action_list(struct cedar_build *b, const struct cedar_json *json,
                        struct cedar_scope *scope) {
  const struct cedar_json *child;
  uint32_t mark = b->stack_n, uid;

  if (json->kind != CEDAR_JSON_ARRAY) {
    cedar_est_fail(b, json, "\"entities\" must be an array");
    return;
  }
  for (child = json->u.child; child != NULL && b->status == CEDAR_OK; child = child->next) {
    uid = cedar_est_uid(b, child);
    action_check(b, child, uid);
    cedar_build_push(b, uid);
  }
  scope->op = CEDAR_SCOPE_LIST;
  scope->count = b->stack_n - mark;
  scope->uid = cedar_build_kids(b, mark);
}

static void scope_is(struct cedar_build *b, const struct cedar_json *json, enum cedar_var var,
                     struct cedar_scope *scope) {
  const struct cedar_json *in = cedar_json_member(json, "in");

  scope->op = CEDAR_SCOPE_IS;
  scope->type = cedar_est_type(b, json, "entity_type");
  if (in != NULL) {
    scope->op = CEDAR_SCOPE_IS_IN;
    target_read(b, in, var, scope);
  }
}

static void scope_read(struct cedar_build *b, const struct cedar_json *policy, enum cedar_var var,
                       struct cedar_scope *scope) {
  static const char names[][10] = {"principal", "action", "resource"};
  const struct cedar_json *json = cedar_est_member(b, policy, names[var]), *entities;
  struct cedar_place place;
  struct cedar_text op;

  scope->type = CEDAR_NONE;
  scope->uid = CEDAR_NONE;
  if (json == NULL || !cedar_est_string(b, json, "op", &op))
    return;
  place = cedar_places_at(&b->places, json->offset);
  scope->line = place.line;
  scope->column = place.column;
  entities = cedar_json_member(json, "entities");
  if (cedar_text_is(op, "All"))
    return;
  if (cedar_text_is(op, "is") && var != CEDAR_ACTION) {
    scope_is(b, json, var, scope);
  } else if (cedar_text_is(op, "in") && var == CEDAR_ACTION && entities != NULL) {
    action_list(b, entities, scope);
  } else if (cedar_text_is(op, "in") || cedar_text_is(op, "==")) {
    scope->op = op.len == 2 && op.ptr[0] == '=' ? CEDAR_SCOPE_EQ : CEDAR_SCOPE_IN;
    target_read(b, json, var, scope);
    if (var == CEDAR_ACTION)
      action_check(b, json, scope->uid);
  } else {
    cedar_est_fail(b, json, "unknown scope operator \"%.*s\"", (int)(op.len < 60 ? op.len : 60),
                   op.ptr);
  }
}

static void conditions_read(struct cedar_build *b, const struct cedar_json *policy_json,
                            struct cedar_policy *policy) {
  static const cedar_est_key keys[] = {"kind", "body", ""};
  const struct cedar_json *json = cedar_est_member(b, policy_json, "conditions"), *child, *body;
  uint32_t mark = b->stack_n, node;
  struct cedar_text kind;

  if (json == NULL)
    return;
  if (json->kind != CEDAR_JSON_ARRAY) {
    cedar_est_fail(b, json, "\"conditions\" must be an array");
    return;
  }
  for (child = json->u.child; child != NULL && b->status == CEDAR_OK; child = child->next) {
    if (!cedar_est_string(b, child, "kind", &kind))
      return;
    body = cedar_est_member(b, child, "body");
    if (body == NULL || !cedar_est_only(b, child, keys))
      return;
    if (!cedar_text_is(kind, "when") && !cedar_text_is(kind, "unless")) {
      cedar_est_fail(b, child, "\"kind\" must be \"when\" or \"unless\"");
      return;
    }
    node = cedar_est_expr(b, body);
    cedar_build_push(b, cedar_build_condition(b, kind.len == 4, node));
  }
  policy->cond_count = b->stack_n - mark;
  policy->conds = cedar_build_kids(b, mark);
}

static void notes_read(struct cedar_build *b, const struct cedar_json *policy_json,
                       struct cedar_policy *policy) {
  const struct cedar_json *json = cedar_json_member(policy_json, "annotations"), *child;
  struct cedar_text empty = {"", 0};

  policy->notes = b->store->notes.n;
  if (json == NULL)
    return;
  if (json->kind != CEDAR_JSON_OBJECT) {
    cedar_est_fail(b, json, "\"annotations\" must be an object");
    return;
  }
  for (child = json->u.child; child != NULL && b->status == CEDAR_OK; child = child->next) {
    struct cedar_place place = cedar_places_at(&b->places, child->key_offset);
    struct cedar_note note = {.line = place.line, .column = place.column};
    enum cedar_status status;

    note.bare = child->kind == CEDAR_JSON_NULL;
    if ((!note.bare && child->kind != CEDAR_JSON_STRING) || !cedar_is_ident(child->key)) {
      cedar_est_fail(b, child, "an annotation is a word with a string or null");
      return;
    }
    note.key = cedar_build_sym(b, child->key);
    note.value = cedar_build_sym(b, note.bare ? empty : child->u.string);
    status = CEDAR_ROOM(b->store, notes, 1, CEDAR_MAX_ITEMS);
    if (status == CEDAR_OK)
      b->store->notes.at[b->store->notes.n++] = note;
    else
      cedar_build_status(b, status);
  }
  policy->note_count = b->store->notes.n - policy->notes;
}

static void policy_read(struct cedar_build *b, const struct cedar_json *json,
                        struct cedar_policy *policy) {
  static const cedar_est_key keys[] = {"effect",     "principal",   "action", "resource",
                                       "conditions", "annotations", ""};
  struct cedar_place place = cedar_places_at(&b->places, json->offset);
  struct cedar_text effect;
  unsigned int i;

  policy->line = place.line;
  policy->column = place.column;
  if (!cedar_est_string(b, json, "effect", &effect) || !cedar_est_only(b, json, keys))
    return;
  if (!cedar_text_is(effect, "permit") && !cedar_text_is(effect, "forbid")) {
    cedar_est_fail(b, json, "\"effect\" must be \"permit\" or \"forbid\"");
    return;
  }
  policy->effect = effect.ptr[0] == 'p' ? CEDAR_PERMIT : CEDAR_FORBID;
  notes_read(b, json, policy);
  for (i = 0; i < 3 && b->status == CEDAR_OK; i++)
    scope_read(b, json, (enum cedar_var)i, &policy->scope[i]);
  if (b->status == CEDAR_OK)
    conditions_read(b, json, policy);
  if (policy->scope[CEDAR_PRINCIPAL].slot || policy->scope[CEDAR_RESOURCE].slot)
    policy->kind = CEDAR_POLICY_TEMPLATE;
}

/* Reads a policy and puts it into the store; id NULL: named as in a text. */
static void policy_add(struct cedar_build *b, const struct cedar_json *json,
                       const struct cedar_text *id, enum cedar_id_mode mode) {
  struct cedar_policy policy = {.id = CEDAR_NONE};
  enum cedar_status status = CEDAR_OK;

  policy.source = cedar_build_sym(b, cedar_text_of(b->source->name));
  policy_read(b, json, &policy);
  if (b->status != CEDAR_OK)
    return;
  if (id != NULL)
    policy.id = cedar_build_sym(b, *id);
  else
    status = cedar_policy_name(b->store, &policy, mode, 0);
  if (status == CEDAR_OK && b->status == CEDAR_OK)
    status = cedar_policy_put(b->store, &policy, b->error);
  if (status != CEDAR_OK)
    cedar_build_status(b, status);
}

/* {id: policy, ...}; slots tells whether they are to be templates. */
static void policies_add(struct cedar_build *b, const struct cedar_json *json, bool slots) {
  const struct cedar_json *child;

  if (json == NULL)
    return;
  if (json->kind != CEDAR_JSON_OBJECT) {
    cedar_est_fail(b, json, "expected an object of policies by id");
    return;
  }
  for (child = json->u.child; child != NULL && b->status == CEDAR_OK; child = child->next) {
    policy_add(b, child, &child->key, CEDAR_ID_POSITION);
    if (b->status == CEDAR_OK &&
        slots != (b->store->policies.at[b->store->policies.n - 1].kind == CEDAR_POLICY_TEMPLATE))
      cedar_est_fail(b, child,
                     slots ? "a template needs a slot" : "a static policy cannot have a slot");
  }
}

static void set_add(struct cedar_build *b, const struct cedar_json *json) {
  static const cedar_est_key keys[] = {"staticPolicies", "templates", "templateLinks", ""};
  const struct cedar_json *links = cedar_json_member(json, "templateLinks");

  if (!cedar_est_only(b, json, keys))
    return;
  policies_add(b, cedar_json_member(json, "staticPolicies"), false);
  policies_add(b, cedar_json_member(json, "templates"), true);
  if (links != NULL && b->status == CEDAR_OK)
    b->status = cedar_links_load(b->store, b->source, links, &b->arena, b->error);
}

enum cedar_status cedar_store_add_policies_json(struct cedar_store *store,
                                                const struct cedar_source *source,
                                                enum cedar_id_mode mode,
                                                struct cedar_error *error) {
  struct cedar_build b;
  struct cedar_json *json;
  enum cedar_status status;

  if (!cedar_store_is_open(store, error))
    return CEDAR_MISUSE;
  cedar_build_init(&b, store, source, error);
  status = cedar_json_parse(&b.arena, source, &json, error);
  if (status == CEDAR_OK) {
    if (cedar_json_member(json, "effect") != NULL)
      policy_add(&b, json, NULL, mode);
    else if (json->kind == CEDAR_JSON_OBJECT)
      set_add(&b, json);
    else
      cedar_est_fail(&b, json, "expected a policy or a policy set, found %s",
                     cedar_json_kind_name(json));
    status = b.status;
  }
  cedar_build_clear(&b);
  store->broken = status != CEDAR_OK;
  return status;
}
