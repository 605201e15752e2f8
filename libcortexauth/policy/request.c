/*
 * An identity and a service as a Cedar request.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "identity/identity.h"
#include "policy/policy.h"

#define NAME_ROOM 512

static struct cedar_uid_text uid(const char *type, const char *id) {
  return (struct cedar_uid_text){cx_cedar_text(type), cx_cedar_text(id)};
}

static struct cedar_value text_value(struct cedar_request *request, const char *text) {
  return cedar_value_string(request, cx_cedar_text(text));
}

static void put_attribute(struct cedar_request *request, const char *name, const char *text) {
  if (text != NULL && text[0] != '\0')
    cedar_request_overlay_attr(request, cx_cedar_text(name), text_value(request, text));
}

/* An address that the issuer itself calls unverified is not one to decide by. */
static const char *email_of(const cx_json *claims) {
  const cx_json *verified = cx_json_get(claims, "email_verified");

  if (verified != NULL && !cx_json_is_true(verified))
    return NULL;
  return cx_json_text(cx_json_get(claims, "email"));
}

/* The JSON text of a scalar, strings without quotes; ptr is NULL when it is none. */
static struct cedar_text scalar_text(const cx_json *value, struct cx_json_word *room) {
  if (cx_json_is_string(value))
    return (struct cedar_text){cx_json_text(value), cx_json_text_len(value)};
  if (!cx_json_is_boolean(value) && !cx_json_is_number(value))
    return (struct cedar_text){NULL, 0};
  *room = cx_json_word(value);
  return cx_cedar_text(room->text);
}

static bool is_same_kind(const cx_json *left, const cx_json *right) {
  return (cx_json_is_number(left) && cx_json_is_number(right)) || left->kind == right->kind;
}

/* A tag is the set of a claim's scalars; objects, null and mixed arrays make none. */
static bool put_tag(struct cedar_request *request, const cx_json *claim) {
  bool is_array = cx_json_is_array(claim);
  const cx_json *first = is_array ? cx_json_items(claim) : claim, *item;
  size_t count = is_array ? cx_json_count(claim) : 1, made = 0;
  struct cedar_value *elements = calloc(count + 1, sizeof *elements);

  if (elements == NULL)
    return false;
  for (item = first; made < count; item = item->next) {
    struct cx_json_word room;
    struct cedar_text text = scalar_text(item, &room);

    if (text.ptr == NULL || !is_same_kind(item, first))
      break;
    elements[made++] = cedar_value_string(request, text);
  }
  if (made == count)
    cedar_request_overlay_tag(request, claim->key, cedar_value_set(request, elements, count));
  free(elements);
  return true;
}

static bool put_tags(struct cedar_request *request, const cx_json *claims) {
  const cx_json *claim = cx_json_members(claims);

  while (claim != NULL && put_tag(request, claim))
    claim = claim->next;
  return claim == NULL;
}

bool cx_request_put_principal(struct cedar_request *request,
                              const struct cortex_identity *identity) {
  size_t i;

  cedar_request_set_principal(request, uid("User", identity->username));
  cedar_request_overlay_principal(request);
  put_attribute(request, "username", identity->username);
  put_attribute(request, "issuer", identity->issuer);
  put_attribute(request, "subject", identity->subject);
  put_attribute(request, "email", email_of(identity->claims));
  for (i = 0; i < identity->groups.count; i++)
    cedar_request_overlay_parent(request, uid("Group", identity->groups.items[i]));
  return put_tags(request, identity->claims);
}

static void put_context(struct cedar_request *request, const char *name, struct cedar_value value) {
  cedar_request_context_put(request, cx_cedar_text(name), value);
}

static bool put_context_set(struct cedar_request *request, const char *name,
                            const struct cx_list *list) {
  struct cedar_text *texts = calloc(list->count + 1, sizeof *texts);
  size_t i;

  if (texts == NULL)
    return false;
  for (i = 0; i < list->count; i++)
    texts[i] = cx_cedar_text(list->items[i]);
  put_context(request, name, cedar_value_string_set(request, texts, list->count));
  free(texts);
  return true;
}

static const char *role_of(const struct cortex_question *question) {
  return question->role != NULL ? question->role : question->identity->username;
}

/*
 * RFC 4291 2.5.5.2: a mapped address is an IPv4 client of a program that has one socket for both.
 * It must meet the policies' IPv4 ranges, and Cedar does not read the form in which it is written.
 */
static void put_address(struct cedar_request *request, const char *address) {
  struct in6_addr binary;
  char room[INET_ADDRSTRLEN];

  if (inet_pton(AF_INET6, address, &binary) == 1 && IN6_IS_ADDR_V4MAPPED(&binary) &&
      inet_ntop(AF_INET, binary.s6_addr + 12, room, sizeof room) != NULL)
    address = room;
  put_context(request, "address",
              cedar_value_extension(request, CEDAR_KIND_IPADDR, cx_cedar_text(address)));
}

static bool put_login(struct cedar_request *request, const struct cortex_question *question) {
  const struct cortex_identity *identity = question->identity;

  put_context(request, "service", text_value(request, question->service));
  put_context(request, "role", text_value(request, role_of(question)));
  put_context(request, "now", cedar_value_datetime_ms(question->now / 1000));
  put_context(request, "mfa", cedar_value_bool(identity->mfa));
  put_context(request, "groups_known", cedar_value_bool(identity->groups_known));
  if (question->address != NULL)
    put_address(request, question->address);
  if (identity->acr != NULL)
    put_context(request, "acr", text_value(request, identity->acr));
  if (identity->authenticated_at != 0)
    put_context(request, "authenticated_at",
                cedar_value_datetime_ms(identity->authenticated_at * 1000));
  return put_context_set(request, "amr", &identity->amr) &&
         put_context_set(request, "scopes", &identity->scopes);
}

enum cortex_reason cx_request_build(const struct cortex_policy *policy,
                                    const struct cortex_question *question,
                                    struct cedar_request **request_out,
                                    struct cortex_error *error) {
  bool assumes = cx_question_levels(policy, question) == CORTEX_LEVEL_ASSUME;
  struct cedar_error why = {0};

  if (cedar_request_new(policy->store, NULL, request_out) != CEDAR_OK)
    return cx_error_memory(error);
  cx_request_point(*request_out, question, assumes);
  if (!cx_request_put_principal(*request_out, question->identity) ||
      !put_login(*request_out, question)) {
    cedar_request_free(request_out);
    return cx_error_memory(error);
  }
  if (cedar_request_error(*request_out, &why)) {
    cedar_request_free(request_out);
    cx_policy_error(error, CORTEX_INTERNAL, &why);
    cx_error_prefix(error, "the request to the policy");
    return CORTEX_INTERNAL;
  }
  return CORTEX_OK;
}

void cx_request_point(struct cedar_request *request, const struct cortex_question *question,
                      bool assumes) {
  char role[NAME_ROOM];

  if (!assumes) {
    cedar_request_set_resource(request, uid("Service", question->service));
    return;
  }
  snprintf(role, sizeof role, "%s/%s", question->service, role_of(question));
  cedar_request_set_resource(request, uid("Role", role));
  cedar_request_set_resource_parent(request, uid("Service", question->service));
}

void cx_request_ask(struct cedar_request *request, unsigned level) {
  cedar_request_set_action(request, uid("Action", cortex_level_name(level)));
}
