/*
 * A small world for Cedar tests.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "cedar_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char cedar_world_entities[] =
    "[{\"uid\":{\"type\":\"User\",\"id\":\"alice\"},\"attrs\":{\"n\":5,\"s\":\"str\",\"b\":true,"
    "\"set\":[3,1,2],\"rec\":{\"x\":1,\"y\":{\"z\":2}},\"e\":{\"__entity\":{\"type\":\"Group\","
    "\"id\":\"eng\"}},\"ip\":{\"__extn\":{\"fn\":\"ip\",\"arg\":\"10.0.0.1\"}},\"ip6\":{\"__extn\":"
    "{\"fn\":\"ip\",\"arg\":\"fe80::1/64\"}}},\"parents\":[{\"type\":\"Group\",\"id\":\"eng\"}],"
    "\"tags\":{\"t\":[\"v\"]}},{\"uid\":{\"type\":\"Group\",\"id\":\"eng\"},\"attrs\":{},"
    "\"parents\":[{\"type\":\"Group\",\"id\":\"all\"}]},{\"uid\":{\"type\":\"Service\",\"id\":"
    "\"s\"},"
    "\"attrs\":{\"environment\":\"production\",\"tier\":2},\"parents\":[{\"type\":\"Database\","
    "\"id\":\"d\"}]}]";

const char cedar_world_policies[] =
    "@id(\"one\") permit (principal in Group::\"all\", action == Action::\"read\", resource)\n"
    "when { resource.environment == \"production\" && principal.n + 1 * 2 - 1 > 5 };\n"
    "permit (principal == ?principal, action, resource in ?resource);\n"
    "forbid (principal is User, action in [Action::\"write\", Action::\"admin\"], resource)\n"
    "unless { context.mfa || context.address.isInRange(ip(\"10.0.0.0/8\")) };\n"
    "permit (principal, action, resource is Service in Database::\"d\")\n"
    "when { principal has rec.y.z && principal.set.containsAll([1, 2]) && principal.s like \"s*r\" "
    "}\n"
    "when { if principal.hasTag(\"t\") then principal.getTag(\"t\").contains(\"v\") else false }\n"
    "when { !(principal.e in [Group::\"x\", Group::\"all\"]) || [principal.n, 7].isEmpty() };\n"
    "permit (principal, action, resource) when { -principal.n < 0 && {a: principal.n}.a == 5 &&\n"
    "  decimal(\"1.5\").lessThan(decimal(\"2.0\")) && context.now.toDate() <= context.now &&\n"
    "  duration(\"1h\").toMinutes() == 60 && principal.ip6.isIpv6() && principal is User in "
    "Group::\"eng\" };\n";

bool cedar_world_put(void *ctx, const char *bytes, size_t len) {
  struct cedar_world_text *text = ctx;
  char *grown;

  if (len == 0)
    return true;
  if (text->cap - text->len < len) {
    grown = realloc(text->bytes, 2 * text->cap + len);
    if (grown == NULL)
      return false;
    text->bytes = grown;
    text->cap = 2 * text->cap + len;
  }
  memcpy(text->bytes + text->len, bytes, len);
  text->len += len;
  return true;
}

static struct cedar_text t(const char *string) {
  return (struct cedar_text){string, strlen(string)};
}

bool cedar_world_add(struct cedar_store *store) {
  struct cedar_source entities = {"entities.json", cedar_world_entities,
                                  sizeof cedar_world_entities - 1};

  return cedar_store_add_entities(store, &entities, NULL, NULL) == CEDAR_OK &&
         cedar_store_seal(store, NULL) == CEDAR_OK;
}

struct cedar_request *cedar_world_request(const struct cedar_store *store,
                                          const struct cedar_allocator *allocator) {
  const struct cedar_text groups[] = {t("eng"), t("ops")};
  struct cedar_request *r;

  if (cedar_request_new(store, allocator, &r) != CEDAR_OK)
    return NULL;
  cedar_request_set_principal(r, (struct cedar_uid_text){t("User"), t("alice")});
  cedar_request_set_action(r, (struct cedar_uid_text){t("Action"), t("read")});
  cedar_request_set_resource(r, (struct cedar_uid_text){t("Service"), t("s")});
  cedar_request_context_put(r, t("mfa"), cedar_value_bool(false));
  cedar_request_context_put(r, t("count"), cedar_value_long(3));
  cedar_request_context_put(r, t("now"), cedar_value_datetime_ms(1700000000000));
  cedar_request_context_put(r, t("groups"), cedar_value_string_set(r, groups, 2));
  cedar_request_context_put(r, t("address"),
                            cedar_value_extension(r, CEDAR_KIND_IPADDR, t("fd00::1")));
  cedar_request_context_put(r, t("who"),
                            cedar_value_entity(r, (struct cedar_uid_text){t("User"), t("bob")}));
  return r;
}

static void look(const struct cedar_store *store) {
  struct cedar_world_text text = {NULL, 0, 0};
  struct cedar_sink sink = {cedar_world_put, &text};
  struct cedar_policy_info policy;
  struct cedar_entity_info entity;
  struct cedar_value value;
  struct cedar_text name;
  uint32_t i;

  for (i = 0; i < cedar_store_policy_count(store) && i < 64; i++)
    if (cedar_policy_get(store, i, &policy) &&
        (cedar_policy_print(store, i, &sink) != CEDAR_OK ||
         cedar_policy_print_json(store, i, &sink) != CEDAR_OK))
      text.len = 0;
  for (i = 0; i < cedar_store_entity_count(store) && i < 64; i++)
    if (cedar_entity_get(store, i, &entity) && cedar_entity_attr_at(store, i, 0, &name, &value) &&
        cedar_value_count(value) > 0)
      cedar_value_element(store, value, 0, &value);
  free(text.bytes);
}

void cedar_world_ask(const struct cedar_store *store) {
  struct cedar_request *r = cedar_world_request(store, NULL);
  struct cedar_partial_answer partial;
  struct cedar_explanation why;
  struct cedar_answer answer;

  if (r == NULL)
    return;
  if (cedar_authorize(r, &answer, NULL) == CEDAR_OK &&
      cedar_explain(r, 3, &why, NULL) == CEDAR_OK &&
      cedar_authorize_partial(r, &partial, NULL) == CEDAR_OK)
    cedar_request_set_action(r, (struct cedar_uid_text){t("Action"), t("write")});
  cedar_request_overlay_principal(r);
  cedar_request_overlay_attr(r, t("n"), cedar_value_long(1));
  cedar_request_overlay_parent(r, (struct cedar_uid_text){t("Group"), t("eng")});
  cedar_request_set_resource_parent(r, (struct cedar_uid_text){t("Group"), t("eng")});
  if (cedar_explain(r, 3, &why, NULL) != CEDAR_OK)
    cedar_request_reset(r);
  cedar_request_free(&r);
  look(store);
}

/* The image of a store in memory of its own; the store is freed. */
static char *image_of(struct cedar_store *store, bool is_good, size_t *len_out) {
  struct cedar_world_text text = {NULL, 0, 0};
  struct cedar_sink sink = {cedar_world_put, &text};
  char *image = NULL;

  if (is_good && cedar_store_write_image(store, t("stamp"), &sink) == CEDAR_OK &&
      (image = aligned_alloc(16, text.len)) != NULL)
    memcpy(image, text.bytes, text.len);
  *len_out = text.len;
  free(text.bytes);
  cedar_store_free(&store);
  return image;
}

static bool add_policies(struct cedar_store *store, const char *text, size_t len) {
  struct cedar_source policies = {"p.cedar", text, len};

  return cedar_store_add_policies(store, &policies, CEDAR_ID_HOST, NULL) == CEDAR_OK;
}

char *cedar_world_image(size_t *len_out) {
  struct cedar_store *store = NULL;
  bool is_good = cedar_store_new(NULL, &store) == CEDAR_OK &&
                 add_policies(store, cedar_world_policies, sizeof cedar_world_policies - 1) &&
                 cedar_world_add(store);

  return image_of(store, is_good, len_out);
}

static bool add_groups(struct cedar_store *store) {
  struct cedar_world_text policies = {NULL, 0, 0}, entities = {NULL, 0, 0};
  struct cedar_source source = {"groups.json", NULL, 0};
  bool is_good = cedar_world_put(&entities, "[", 1);
  char line[300];
  int i, len;

  for (i = 0; i < CEDAR_WORLD_GROUPS && is_good; i++) {
    len = snprintf(line, sizeof line,
                   "@id(\"group-%d\") permit (principal in Group::\"group-%d\", action == "
                   "Action::\"read\", resource) when { context.count == %d || principal.n > 1 };\n",
                   i, i, i);
    is_good = cedar_world_put(&policies, line, (size_t)len);
    len = snprintf(line, sizeof line,
                   "%s{\"uid\":{\"type\":\"Group\",\"id\":\"group-%d\"},\"attrs\":{\"label\":"
                   "\"label of %d\"},\"parents\":[{\"type\":\"Group\",\"id\":\"all-%d\"}]}",
                   i == 0 ? "" : ",", i, i, i % 7);
    is_good = is_good && cedar_world_put(&entities, line, (size_t)len);
  }
  is_good = is_good && cedar_world_put(&entities, "]", 1);
  source.bytes = entities.bytes;
  source.len = entities.len;
  is_good = is_good && add_policies(store, policies.bytes, policies.len) &&
            cedar_store_add_entities(store, &source, NULL, NULL) == CEDAR_OK;
  free(policies.bytes);
  free(entities.bytes);
  return is_good;
}

bool cedar_world_large_store(const struct cedar_allocator *allocator,
                             struct cedar_store **store_out) {
  return cedar_store_new(allocator, store_out) == CEDAR_OK &&
         cedar_store_expect(*store_out, t(CEDAR_WORLD_EXPECTED)) == CEDAR_OK &&
         add_policies(*store_out, cedar_world_policies, sizeof cedar_world_policies - 1) &&
         add_groups(*store_out) && cedar_world_add(*store_out);
}

char *cedar_world_large_image(size_t *len_out) {
  struct cedar_store *store = NULL;
  bool is_good = cedar_world_large_store(NULL, &store);

  return image_of(store, is_good, len_out);
}

static bool read_piece(void *ctx, uint64_t offset, void *into, size_t len) {
  struct cedar_world_pieces *pieces = ctx;

  pieces->reads++;
  if ((pieces->fail_at != 0 && pieces->reads >= pieces->fail_at) || offset > pieces->len ||
      len > pieces->len - offset)
    return false;
  memcpy(into, pieces->bytes + offset, len);
  return true;
}

struct cedar_image_source cedar_world_source(struct cedar_world_pieces *pieces) {
  return (struct cedar_image_source){read_piece, pieces, pieces->len, 0};
}
