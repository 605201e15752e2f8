/*
 * The schema's text form: declarations to a draft, recursive descent, one token ahead.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <stdio.h>
#include <string.h>

#include "lexer.h"
#include "schema_draft.h"

struct reader {
  struct cedar_draft *draft;
  struct cedar_lexer lexer;
  struct cedar_token token;
  struct cedar_text space; /* the namespace we are in */
  unsigned int depth;
};

static struct cedar_draft_type *type_read(struct reader *r);

static uint32_t offset_of(const struct reader *r) {
  const char *at = r->token.text.ptr;

  if (r->token.kind == CEDAR_TOK_STRING)
    at--; /* the text stands behind the quote */
  return (uint32_t)(at - r->draft->source.bytes);
}

static bool expected(struct reader *r, const char *what) {
  const struct cedar_token *token = &r->token;

  if (token->kind == CEDAR_TOK_BAD)
    return cedar_draft_fail(r->draft, offset_of(r), "%s", token->message);
  if (token->kind == CEDAR_TOK_END)
    return cedar_draft_fail(r->draft, offset_of(r), "expected %s, found the end of the text", what);
  if (token->kind == CEDAR_TOK_IDENT && cedar_is_reserved(token->text))
    return cedar_draft_fail(r->draft, offset_of(r), "expected %s, found the reserved word `%.*s`",
                            what, cedar_draft_len(token->text), token->text.ptr);
  return cedar_draft_fail(r->draft, offset_of(r),
                          token->kind == CEDAR_TOK_STRING ? "expected %s, found \"%.*s\""
                                                          : "expected %s, found `%.*s`",
                          what, cedar_draft_len(token->text), token->text.ptr);
}

static void next(struct reader *r) {
  r->token = cedar_lexer_next(&r->lexer);
}

static bool at(const struct reader *r, const char *text) {
  return cedar_token_is(&r->token, text);
}

static bool take(struct reader *r, const char *text) {
  if (!at(r, text))
    return false;
  next(r);
  return true;
}

static bool expect(struct reader *r, const char *text) {
  char what[32];

  if (take(r, text))
    return true;
  snprintf(what, sizeof(what), "`%s`", text);
  return expected(r, what);
}

static bool at_ident(const struct reader *r) {
  return r->token.kind == CEDAR_TOK_IDENT &&
         (!cedar_is_reserved(r->token.text) || cedar_text_is(r->token.text, "__cedar"));
}

/* Ident := IDENT that is no reserved word */
static bool ident_read(struct reader *r, const char *what, struct cedar_text *out) {
  if (!at_ident(r))
    return expected(r, what);
  *out = r->token.text;
  next(r);
  return true;
}

/* STR */
static bool string_read(struct reader *r, struct cedar_text *out) {
  const char *message;
  enum cedar_status status;

  if (r->token.kind != CEDAR_TOK_STRING)
    return expected(r, "a string");
  status = cedar_string_decode(&r->draft->schema->arena, r->token.text, false, out, &message);
  if (status == CEDAR_INVALID)
    return cedar_draft_fail(r->draft, offset_of(r), "%s", message);
  if (status != CEDAR_OK && r->draft->status == CEDAR_OK)
    r->draft->status = cedar_error_plain(r->draft->error, status, "out of memory while reading %s",
                                         r->draft->source.name);
  if (status != CEDAR_OK)
    return false;
  next(r);
  return true;
}

/* Name := Ident | STR */
static bool name_read(struct reader *r, const char *what, struct cedar_text *out) {
  return r->token.kind == CEDAR_TOK_STRING ? string_read(r, out) : ident_read(r, what, out);
}

/*
 * Path := Ident ('::' Ident)*; with an id, a string may follow the last '::' and id_out is set.
 * Blanks inside vanish.
 */
static bool path_read(struct reader *r, const char *what, struct cedar_text *out,
                      struct cedar_text *id_out) {
  struct cedar_text part;

  if (!ident_read(r, what, out))
    return false;
  while (take(r, "::")) {
    if (id_out != NULL && r->token.kind == CEDAR_TOK_STRING)
      return string_read(r, id_out);
    if (!ident_read(r, "a name", &part))
      return false;
    if (part.ptr == out->ptr + out->len + 2)
      out->len += part.len + 2;
    else if (!cedar_draft_join(r->draft, *out, part, out))
      return false;
  }
  return true;
}

/* EntTypes := Path | '[' [Path (',' Path)*] ']' */
static bool types_read(struct reader *r, struct cedar_draft_names *names) {
  struct cedar_text path, none = {"", 0};
  bool list = take(r, "[");
  uint32_t offset;

  cedar_draft_names_init(names);
  if (list && take(r, "]"))
    return true;
  do {
    offset = offset_of(r);
    if (!path_read(r, list ? "an entity type" : "an entity type or `[`", &path, NULL) ||
        !cedar_draft_names_put(r->draft, names, path, none, offset))
      return false;
  } while (list && take(r, ","));
  return !list || expect(r, "]");
}

/* ---- annotations: read and checked, not kept ---- */

struct key {
  struct cedar_text text;
  struct key *next;
};

/* Annotation := '@' AnyIdent ['(' STR ')'] */
static bool annotations_read(struct reader *r, bool *some) {
  struct key *keys = NULL, *key;
  struct cedar_text value;
  uint32_t offset;

  *some = at(r, "@");
  while (take(r, "@")) {
    offset = offset_of(r);
    if (r->token.kind != CEDAR_TOK_IDENT)
      return expected(r, "the name of an annotation");
    for (key = keys; key != NULL; key = key->next)
      if (cedar_text_compare(key->text, r->token.text) == 0)
        return cedar_draft_fail(r->draft, offset, "annotation `@%.*s` is there twice",
                                cedar_draft_len(key->text), key->text.ptr);
    key = cedar_draft_get(r->draft, 1, sizeof(*key));
    if (key == NULL)
      return false;
    key->text = r->token.text;
    key->next = keys;
    keys = key;
    next(r);
    if (take(r, "(") && !(string_read(r, &value) && expect(r, ")")))
      return false;
  }
  return true;
}

/* ---- types ---- */

/* AttrDecls := Annotation* Name ['?'] ':' Type [',' [AttrDecls]] up to '}' */
static bool member_read(struct reader *r, struct cedar_draft_member *member) {
  bool some;

  if (!annotations_read(r, &some) ||
      !name_read(r, some ? "an attribute's name" : "an attribute's name or `}`", &member->name))
    return false;
  member->required = !take(r, "?");
  if (!expect(r, ":"))
    return false;
  member->type = type_read(r);
  return member->type != NULL;
}

/* '{' [AttrDecls] '}' */
static struct cedar_draft_type *record_read(struct reader *r) {
  struct cedar_draft_type *type = cedar_draft_type_new(r->draft, CEDAR_DRAFT_RECORD, offset_of(r));
  struct cedar_draft_member **last, *member;

  if (type == NULL || !expect(r, "{"))
    return NULL;
  last = &type->members;
  while (!at(r, "}")) {
    member = cedar_draft_get(r->draft, 1, sizeof(*member));
    if (member == NULL || !member_read(r, member))
      return NULL;
    *last = member;
    last = &member->next;
    type->count++;
    if (!take(r, ","))
      break;
  }
  return expect(r, "}") ? type : NULL;
}

/* Path | 'Set' '<' Type '>' */
static struct cedar_draft_type *named_read(struct reader *r) {
  struct cedar_draft_type *type = cedar_draft_type_new(r->draft, CEDAR_DRAFT_EITHER, offset_of(r));

  if (type == NULL || !path_read(r, "a type", &type->name, NULL))
    return NULL;
  if (!cedar_text_is(type->name, "Set") || !take(r, "<"))
    return type;
  type->kind = CEDAR_DRAFT_SET;
  type->element = type_read(r);
  return type->element != NULL && expect(r, ">") ? type : NULL;
}

/* Type := Path | SetType | RecType */
static struct cedar_draft_type *type_read(struct reader *r) {
  struct cedar_draft_type *type;

  if (r->depth == CEDAR_MAX_DEPTH) {
    cedar_draft_limit(r->draft, offset_of(r), "types are nested deeper than %d", CEDAR_MAX_DEPTH);
    return NULL;
  }
  r->depth++;
  type = at(r, "{") ? record_read(r) : named_read(r);
  r->depth--;
  return type;
}

/* ---- declarations ---- */

/* The names of one declaration, each with its place. */
static bool names_read(struct reader *r, const char *what, bool strings,
                       struct cedar_draft_names *names) {
  struct cedar_text name, none = {"", 0};
  uint32_t offset;

  cedar_draft_names_init(names);
  do {
    offset = offset_of(r);
    if (!(strings ? name_read(r, what, &name) : ident_read(r, what, &name)) ||
        !cedar_draft_names_put(r->draft, names, none, name, offset))
      return false;
  } while (take(r, ","));
  return true;
}

/* 'enum' '[' STR (',' STR)* ']' */
static bool enum_read(struct reader *r, struct cedar_draft_names *ids) {
  struct cedar_text id, none = {"", 0};
  uint32_t offset;

  if (!expect(r, "["))
    return false;
  do {
    offset = offset_of(r);
    if (!string_read(r, &id) || !cedar_draft_names_put(r->draft, ids, none, id, offset))
      return false;
  } while (take(r, ","));
  return expect(r, "]");
}

/* ['in' EntTypes] [['='] RecType] ['tags' Type] */
static bool entity_body_read(struct reader *r, struct cedar_draft_entity *body) {
  if (take(r, "in") && !types_read(r, &body->parents))
    return false;
  if (at(r, "=") || at(r, "{")) {
    take(r, "=");
    body->shape = record_read(r);
    if (body->shape == NULL)
      return false;
  }
  if (take(r, "tags")) {
    body->tags = type_read(r);
    if (body->tags == NULL)
      return false;
  }
  return true;
}

/* Entity := 'entity' Idents (body | enum) ';' */
static bool entity_read(struct reader *r) {
  struct cedar_draft_entity body, *entity;
  const struct cedar_draft_name *name;
  struct cedar_draft_names names;

  memset(&body, 0, sizeof(body));
  cedar_draft_names_init(&body.ids);
  cedar_draft_names_init(&body.parents);
  if (!names_read(r, "the name of an entity type", false, &names) ||
      !(take(r, "enum") ? enum_read(r, &body.ids) : entity_body_read(r, &body)) || !expect(r, ";"))
    return false;
  for (name = names.first; name != NULL; name = name->next) {
    entity = cedar_draft_entity_put(r->draft, r->space, name->id, name->offset);
    if (entity == NULL)
      return false;
    entity->parents = body.parents;
    entity->ids = body.ids;
    entity->shape = body.shape;
    entity->tags = body.tags;
  }
  return true;
}

/* Type := 'type' Ident '=' Type ';' */
static bool common_read(struct reader *r) {
  uint32_t offset = offset_of(r);
  struct cedar_draft_common *common;
  struct cedar_draft_type *type;
  struct cedar_text name;

  if (!ident_read(r, "the name of a common type", &name) || !expect(r, "="))
    return false;
  type = type_read(r);
  if (type == NULL || !expect(r, ";"))
    return false;
  common = cedar_draft_common_put(r->draft, r->space, name, offset);
  if (common == NULL)
    return false;
  common->type = type;
  return true;
}

/* QualName := Name | Path '::' STR */
static bool action_name_read(struct reader *r, struct cedar_draft_names *parents) {
  struct cedar_text path = {"", 0}, id = {NULL, 0}, none = {"", 0};
  uint32_t offset = offset_of(r);

  if (r->token.kind == CEDAR_TOK_STRING)
    return string_read(r, &id) && cedar_draft_names_put(r->draft, parents, none, id, offset);
  if (!path_read(r, "an action", &path, &id))
    return false;
  if (id.ptr != NULL)
    return cedar_draft_names_put(r->draft, parents, path, id, offset);
  if (memchr(path.ptr, ':', path.len) != NULL)
    return cedar_draft_fail(r->draft, offset,
                            "expected an action, found `%.*s`; "
                            "an action of another namespace is written `%.*s::\"name\"`",
                            cedar_draft_len(path), path.ptr, cedar_draft_len(path), path.ptr);
  return cedar_draft_names_put(r->draft, parents, none, path, offset);
}

/* 'in' (QualName | '[' QualName (',' QualName)* ']') */
static bool action_parents_read(struct reader *r, struct cedar_draft_names *parents) {
  bool list = take(r, "[");

  do {
    if (!action_name_read(r, parents))
      return false;
  } while (list && take(r, ","));
  return !list || expect(r, "]");
}

/* 'principal' ':' EntTypes or 'resource' ':' EntTypes; the word is behind us */
static bool applies_types_read(struct reader *r, const char *word,
                               struct cedar_draft_names *names) {
  uint32_t offset;

  if (!expect(r, ":"))
    return false;
  if (names->count > 0)
    return cedar_draft_fail(r->draft, offset_of(r), "`%s` is there twice", word);
  offset = offset_of(r);
  if (!types_read(r, names))
    return false;
  return names->count > 0 ||
         cedar_draft_fail(r->draft, offset, "expected at least one entity type for `%s`", word);
}

/* 'context' ':' (Path | RecType); the word is behind us */
static bool applies_context_read(struct reader *r, struct cedar_draft_action *body) {
  if (!expect(r, ":"))
    return false;
  if (body->context != NULL)
    return cedar_draft_fail(r->draft, offset_of(r), "`context` is there twice");
  if (at(r, "{")) {
    body->context = type_read(r);
    return body->context != NULL;
  }
  body->context = cedar_draft_type_new(r->draft, CEDAR_DRAFT_COMMON, offset_of(r));
  return body->context != NULL &&
         path_read(r, "a record or a common type", &body->context->name, NULL);
}

/* 'appliesTo' '{' AppDecl (',' AppDecl)* [','] '}' */
static bool applies_read(struct reader *r, struct cedar_draft_action *body) {
  uint32_t offset = offset_of(r);
  bool good;

  if (!expect(r, "{"))
    return false;
  do {
    if (take(r, "principal"))
      good = applies_types_read(r, "principal", &body->principals);
    else if (take(r, "resource"))
      good = applies_types_read(r, "resource", &body->resources);
    else if (take(r, "context"))
      good = applies_context_read(r, body);
    else
      good = expected(r, "`principal`, `resource` or `context`");
    if (!good)
      return false;
  } while (take(r, ",") && !at(r, "}"));
  if (!expect(r, "}"))
    return false;
  if (body->principals.count == 0 || body->resources.count == 0)
    return cedar_draft_fail(r->draft, offset,
                            "`appliesTo` needs `principal` and `resource`; "
                            "`%s` is missing",
                            body->principals.count == 0 ? "principal" : "resource");
  return true;
}

/* Action := 'action' Names ['in' parents] ['appliesTo' {...}] ['attributes' '{' '}'] ';' */
static bool action_read(struct reader *r) {
  struct cedar_draft_action body, *action;
  const struct cedar_draft_name *name;
  struct cedar_draft_names names;

  memset(&body, 0, sizeof(body));
  cedar_draft_names_init(&body.parents);
  cedar_draft_names_init(&body.principals);
  cedar_draft_names_init(&body.resources);
  if (!names_read(r, "the name of an action", true, &names) ||
      (take(r, "in") && !action_parents_read(r, &body.parents)) ||
      (take(r, "appliesTo") && !applies_read(r, &body)) ||
      (take(r, "attributes") && !(expect(r, "{") && expect(r, "}"))) || !expect(r, ";"))
    return false;
  for (name = names.first; name != NULL; name = name->next) {
    action = cedar_draft_action_put(r->draft, r->space, name->id, name->offset);
    if (action == NULL)
      return false;
    action->parents = body.parents;
    action->principals = body.principals;
    action->resources = body.resources;
    action->context = body.context;
  }
  return true;
}

/* Decl := Entity | Action | TypeDecl; what says which words are expected */
static bool declaration_read(struct reader *r, const char *what) {
  if (take(r, "entity"))
    return entity_read(r);
  if (take(r, "action"))
    return action_read(r);
  if (take(r, "type"))
    return common_read(r);
  return expected(r, what);
}

/* 'namespace' Path '{' (Annotation* Decl)* '}'; the word is behind us */
static bool space_read(struct reader *r) {
  struct cedar_text none = {"", 0};
  uint32_t offset = offset_of(r);
  bool some;

  if (!path_read(r, "the name of a namespace", &r->space, NULL) ||
      !cedar_draft_space_put(r->draft, r->space, offset) || !expect(r, "{"))
    return false;
  for (;;) {
    if (!annotations_read(r, &some))
      return false;
    if (!some && take(r, "}"))
      break;
    if (!declaration_read(r, "`entity`, `action`, `type` or `}`"))
      return false;
  }
  r->space = none;
  if (at(r, ";"))
    return cedar_draft_fail(r->draft, offset_of(r), "a namespace is not followed by `;`");
  return true;
}

/* Schema := (Annotation* (Namespace | Decl))* */
bool cedar_schema_read_text(struct cedar_draft *draft) {
  struct reader r = {.draft = draft, .space = {"", 0}};
  bool some;

  if (!cedar_utf8_is_valid(draft->source.bytes, draft->source.len))
    return cedar_draft_fail(draft, 0, "the text is not valid UTF-8");
  cedar_lexer_init(&r.lexer, draft->source.bytes, draft->source.len);
  next(&r);
  for (;;) {
    if (!annotations_read(&r, &some))
      return false;
    if (!some && r.token.kind == CEDAR_TOK_END)
      return true;
    if (!(take(&r, "namespace")
              ? space_read(&r)
              : declaration_read(&r, "`namespace`, `entity`, `action` or `type`")))
      return false;
  }
}
