/*
 * People and groups from a SCIM 2.0 service (RFC 7643, RFC 7644).
 * SPDX-License-Identifier: PostgreSQL
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/fetch.h"
#include "directory.h"

#define TOKEN_MAX 16384
#define URL_MAX 2048
#define WHY_MAX 400

/* A page holds all that a service says of 500 people, or a group with everybody in it. */
#define PAGE_MAX ((size_t)64 * 1024 * 1024)

/* No directory is larger: a service that counts on for ever is stopped. */
#define RESOURCES_MAX 5000000

enum resource_kind { RESOURCE_NONE = 0, RESOURCE_USER, RESOURCE_GROUP };

struct resource {
  enum resource_kind kind;
  uint32_t number; /* in directory.people or directory.groups; NAMES_NONE: inactive */
};

struct reading {
  const struct source_request *request;
  struct directory directory;
  struct names ids;
  struct resource *resources; /* by number of the id */
  size_t room;
  struct edges members; /* role: a group, member: an id */
  char *token;
  size_t token_len;
  char why[WHY_MAX];
};

static const char *value_of(const struct reading *reading, const char *key) {
  return cortex_section_value(reading->request->section, key);
}

static bool fail(struct reading *reading, const char *what, const char *which) {
  if (reading->why[0] == '\0')
    snprintf(reading->why, sizeof reading->why, "%s%s%.250s", what, which != NULL ? ": " : "",
             which != NULL ? which : "");
  return false;
}

/* ---- resources ---- */

/* NULL: it is not there, no string, or holds a NUL byte. */
static const char *text_of(const json_t *object, const char *key) {
  const json_t *value = json_object_get(object, key);

  return json_is_string(value) && strlen(json_string_value(value)) == json_string_length(value)
             ? json_string_value(value)
             : NULL;
}

/* A name that somebody may have chosen: a bad one costs only itself. Empty: it is not there. */
static struct directory_text name_of(const json_t *object, const char *key, char *room) {
  const json_t *value = json_object_get(object, key);

  return json_is_string(value)
             ? directory_safe(json_string_value(value), json_string_length(value), room)
             : (struct directory_text){"", 0};
}

/* RFC 7643 2.5: null says the same as an empty list, or none. */
static bool is_list(const json_t *value) {
  return value == NULL || json_is_null(value) || json_is_array(value);
}

static uint32_t number_of_id(struct reading *reading, const char *id) {
  uint32_t number = names_put(&reading->ids, id, strlen(id));

  if (number == NAMES_NONE)
    return NAMES_NONE;
  if (number >= reading->room) {
    size_t room = reading->room == 0 ? 256 : 2 * reading->room;
    struct resource *resources = realloc(reading->resources, room * sizeof *resources);

    if (resources == NULL)
      return NAMES_NONE;
    memset(resources + reading->room, 0, (room - reading->room) * sizeof *resources);
    reading->resources = resources;
    reading->room = room;
  }
  return number;
}

/* A resource that comes twice was moved by a change between two pages: another may be missing. */
static bool define(struct reading *reading, const char *id, enum resource_kind kind,
                   uint32_t member) {
  uint32_t number = number_of_id(reading, id);

  if (number == NAMES_NONE)
    return fail(reading, "out of memory", NULL);
  if (reading->resources[number].kind != RESOURCE_NONE)
    return fail(reading, "the service names a resource twice", id);
  reading->resources[number] = (struct resource){kind, member};
  return true;
}

static bool take_user(struct reading *reading, const json_t *user) {
  const char *attribute = value_of(reading, "username_attribute"), *id = text_of(user, "id");
  char room[DIRECTORY_NAME_ROOM];
  struct directory_text name = name_of(user, attribute != NULL ? attribute : "userName", room);
  const json_t *active = json_object_get(user, "active");
  uint32_t person;

  if (id == NULL || *id == '\0')
    return fail(reading, "a user has no id", NULL);
  if (active != NULL && !json_is_boolean(active) && !json_is_null(active))
    return fail(reading, "a user's active is neither true nor false", id);
  if (json_is_false(active))
    return define(reading, id, RESOURCE_USER, NAMES_NONE);
  person = name.len > 0 ? directory_person(&reading->directory, name.ptr, name.len, id, strlen(id))
                        : directory_nameless(&reading->directory, id, id);
  return person != NAMES_NONE ? define(reading, id, RESOURCE_USER, person)
                              : fail(reading, "out of memory", NULL);
}

static bool put_members(struct reading *reading, const json_t *members, uint32_t group) {
  const json_t *member;
  size_t i;

  if (!is_list(members))
    return fail(reading, "the members of a group are no list",
                names_text(&reading->directory.groups, group));
  json_array_foreach(members, i, member) {
    const char *id = text_of(member, "value");
    uint32_t number = id != NULL ? number_of_id(reading, id) : NAMES_NONE;

    if (number == NAMES_NONE)
      return fail(reading, "a member of a group cannot be read",
                  names_text(&reading->directory.groups, group));
    edges_put(&reading->members, (struct edge){group, number, 0});
  }
  return !reading->members.failed || fail(reading, "out of memory", NULL);
}

static bool take_group(struct reading *reading, const json_t *resource) {
  const char *id = text_of(resource, "id");
  char room[DIRECTORY_NAME_ROOM];
  struct directory_text name = name_of(resource, "displayName", room);
  uint32_t before = reading->directory.groups.count, group;

  if (id == NULL || *id == '\0' || !json_is_string(json_object_get(resource, "displayName")))
    return fail(reading, "a group has no id or no displayName", id);
  group = directory_group(&reading->directory, name.ptr, name.len);
  if (group == NAMES_NONE)
    return fail(reading, "out of memory", NULL);
  if (group < before)
    return fail(reading, "two groups are called so", names_text(&reading->directory.groups, group));
  return define(reading, id, RESOURCE_GROUP, group) &&
         put_members(reading, json_object_get(resource, "members"), group);
}

/* ---- pages ---- */

struct page {
  json_int_t total;
  json_int_t first; /* to ask for, from 1 on */
  uint32_t last;    /* id of the resource before that one */
};

typedef bool (*resource_taker)(struct reading *reading, const json_t *resource);

static bool take_resources(struct reading *reading, const json_t *answer, resource_taker taker,
                           struct page *page) {
  const json_t *total = json_object_get(answer, "totalResults");
  const json_t *list = json_object_get(answer, "Resources"), *resource;
  size_t i;

  if (!json_is_integer(total) || json_integer_value(total) < 0 ||
      json_integer_value(total) > RESOURCES_MAX || !is_list(list))
    return fail(reading, "the service's answer is no list of resources", NULL);
  if (page->total >= 0 && page->total != json_integer_value(total))
    return fail(reading, "the service's resources changed between two pages", NULL);
  page->total = json_integer_value(total);
  json_array_foreach(list, i, resource) if (!taker(reading, resource)) return false;
  if (i > 0)
    page->last = number_of_id(reading, text_of(json_array_get(list, i - 1), "id"));
  page->first += (json_int_t)json_array_size(list);
  if (json_array_size(list) == 0 && page->first <= page->total)
    return fail(reading, "the service holds back resources that it counts", NULL);
  if (page->first - 1 > page->total)
    return fail(reading, "the service sends more resources than it counts", NULL);
  return true;
}

/* A busy service says when to ask again: that is waited for, where there is so much time. */
static bool get_in_time(const struct fetch_target *target, struct fetch_result *result) {
  const struct cortex_clock *clock = cortex_clock_system();

  while (!fetch_get(target, result)) {
    const struct timespec pause = {(time_t)result->retry_after, 0};
    int64_t left = (target->deadline - clock->monotonic(clock)) / 1000000000;

    if (result->retry_after == 0 || result->retry_after >= left)
      return false;
    nanosleep(&pause, NULL);
  }
  return true;
}

/* The value of a \uXXXX; -1: none stands there. */
static long unit_at(const char *at, const char *end) {
  char digits[5] = "";

  if (end - at < 6 || at[0] != '\\' || at[1] != 'u')
    return -1;
  memcpy(digits, at + 2, 4);
  return strspn(digits, "0123456789abcdefABCDEF") == 4 ? strtol(digits, NULL, 16) : -1;
}

/*
 * Half of a pair of escapes, as where an emoji was cut in two, is no character: for one in a
 * nickname the whole page could not be read. As a NUL it costs the name that it stands in.
 */
static void replace_halves(char *bytes, size_t len) {
  const char *end = bytes + len;
  char *at = bytes;

  while ((at = memchr(at, '\\', (size_t)(end - at))) != NULL && end - at >= 2) {
    long unit = unit_at(at, end), next = unit >= 0 ? unit_at(at + 6, end) : -1;

    if (unit >= 0xd800 && unit <= 0xdbff && next >= 0xdc00 && next <= 0xdfff) {
      at += 12;
      continue;
    }
    if (unit >= 0xd800 && unit <= 0xdfff)
      memcpy(at + 2, "0000", 4);
    at += unit >= 0 ? 6 : 2;
  }
}

static json_t *get_page(struct reading *reading, const char *path, json_int_t first,
                        const char *count) {
  const char *base = value_of(reading, "url");
  size_t len = strlen(base);
  char url[URL_MAX];
  struct fetch_target target = {.url = url,
                                .ca_file = value_of(reading, "ca_file"),
                                .proxy = value_of(reading, "proxy"),
                                .deadline = reading->request->deadline,
                                .bearer = reading->token,
                                .most = PAGE_MAX};
  struct fetch_result result;
  json_error_t error;
  json_t *answer = NULL;

  while (len > 0 && base[len - 1] == '/')
    len--;
  snprintf(url, sizeof url, "%.*s/%s?startIndex=%lld&count=%s", (int)len, base, path,
           (long long)first, count);
  if (!get_in_time(&target, &result)) {
    fail(reading, result.why,
         result.retry_after > 0 ? "it is to be asked again later than timeout allows" : NULL);
    return NULL;
  }
  replace_halves(result.bytes, result.len);
  answer = json_loadb(result.bytes, result.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
  if (answer == NULL)
    fail(reading, "the service's answer cannot be read", error.text);
  fetch_result_clear(&result);
  return answer;
}

/*
 * When a page was read, what stood before it stands there still. Otherwise something has gone from the
 * pages before, and what moved up into its place was on neither; what came at the end hides that in the count.
 */
static bool check_place(struct reading *reading, const char *path, const struct page *before) {
  json_t *answer = get_page(reading, path, before->first - 1, "1");
  const char *id = text_of(json_array_get(json_object_get(answer, "Resources"), 0), "id");
  bool fine = id != NULL && strcmp(id, names_text(&reading->ids, before->last)) == 0;

  json_decref(answer);
  return fine || fail(reading, "the service's resources changed between two pages", NULL);
}

static bool read_all(struct reading *reading, const char *path, resource_taker taker) {
  struct page page = {-1, 1, NAMES_NONE}, before;
  bool fine = true;

  while (fine && (page.total < 0 || page.first <= page.total)) {
    json_t *answer = get_page(reading, path, page.first, value_of(reading, "page_size"));

    before = page;
    fine = answer != NULL && take_resources(reading, answer, taker, &page) &&
           (before.last == NAMES_NONE || check_place(reading, path, &before));
    json_decref(answer);
  }
  return fine;
}

/* ---- all of it ---- */

static bool resolve(struct reading *reading) {
  size_t i;

  for (i = 0; i < reading->members.count; i++) {
    const struct edge *edge = &reading->members.items[i];
    const struct resource *member = &reading->resources[edge->member];
    struct edges *edges =
        member->kind == RESOURCE_USER ? &reading->directory.members : &reading->directory.nesting;

    if (member->kind == RESOURCE_NONE)
      reading->directory.unknown++;
    else if (member->number != NAMES_NONE)
      edges_put(edges, (struct edge){member->number, edge->role, 0});
  }
  return (!reading->directory.members.failed && !reading->directory.nesting.failed) ||
         fail(reading, "out of memory", NULL);
}

static bool read_token(struct reading *reading) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  const char *path = value_of(reading, "token_file");

  if (cortex_file_load(path, TOKEN_MAX, &reading->token, &reading->token_len, &error) != CORTEX_OK)
    return fail(reading, path, error.message);
  reading->token[strcspn(reading->token, "\r\n")] = '\0';
  return reading->token[0] != '\0' || fail(reading, path, "the token is empty");
}

/* A group without a member that can be seen is no proof that members can be. */
static bool check_sentinels(struct reading *reading) {
  const char *id;
  size_t cursor = 0, i;

  while ((id = cortex_section_next(reading->request->section, "sentinel", &cursor)) != NULL) {
    uint32_t number = names_find(&reading->ids, id, strlen(id));
    struct resource resource = {RESOURCE_NONE, 0};
    bool is_seen;

    if (number != NAMES_NONE)
      resource = reading->resources[number];
    is_seen = resource.kind == RESOURCE_USER;
    for (i = 0; resource.kind == RESOURCE_GROUP && i < reading->members.count; i++)
      is_seen = is_seen || reading->members.items[i].role == resource.number;
    if (!is_seen)
      return fail(reading, "the sentinel cannot be read", id);
  }
  return true;
}

static enum source_state read_scim(const struct source_request *request,
                                   const struct source_taker *taker, struct source_report *report) {
  struct reading reading = {.request = request};
  enum source_state state = SOURCE_INCOMPLETE;

  if (read_token(&reading) && read_all(&reading, "Users", take_user) &&
      read_all(&reading, "Groups", take_group) && check_sentinels(&reading) && resolve(&reading)) {
    report->unknown_members = reading.directory.unknown;
    state = directory_hand_over(&reading.directory, taker, NULL) ? SOURCE_COMPLETE : SOURCE_FAILED;
  } else {
    snprintf(report->error.message, sizeof report->error.message, "%s", reading.why);
  }
  if (reading.token != NULL) {
    explicit_bzero(reading.token, reading.token_len);
    free(reading.token);
  }
  directory_clear(&reading.directory);
  names_clear(&reading.ids);
  edges_clear(&reading.members);
  free(reading.resources);
  return state;
}

const struct source_kind source_scim = {"scim", read_scim};
