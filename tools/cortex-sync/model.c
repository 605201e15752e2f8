/*
 * What is wanted and what is there, in the same terms: roles by number, memberships, why.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "model.h"

#include <stdlib.h>
#include <string.h>

#define SOURCE_MAX 4096

/* ---- edges ---- */

void edges_put(struct edges *edges, struct edge edge) {
  if (edges->failed)
    return;
  if (edges->count == edges->room) {
    size_t room = edges->room == 0 ? 256 : edges->room + edges->room / 2;
    struct edge *items = realloc(edges->items, room * sizeof *items);

    if (items == NULL) {
      edges->failed = true;
      return;
    }
    edges->items = items;
    edges->room = room;
  }
  edges->items[edges->count++] = edge;
}

void edges_clear(struct edges *edges) {
  free(edges->items);
  *edges = (struct edges){0};
}

/* What passes sort by. */
enum field { BY_MEMBER, BY_ROLE };

static uint32_t field_of(const struct edge *edge, enum field field) {
  return field == BY_MEMBER ? edge->member : edge->role;
}

/* One stable pass; places has room for the largest number and two more. */
static void sort_by(enum field field, size_t largest, const struct edge *from, struct edge *to,
                    size_t count, size_t *places) {
  size_t i;

  memset(places, 0, (largest + 2) * sizeof *places);
  for (i = 0; i < count; i++)
    places[field_of(&from[i], field) + 1]++;
  for (i = 0; i < largest; i++)
    places[i + 1] += places[i];
  for (i = 0; i < count; i++)
    to[places[field_of(&from[i], field)]++] = from[i];
}

static size_t find_largest(const struct edges *edges, enum field field) {
  size_t i, largest = 0;

  for (i = 0; i < edges->count; i++)
    if (field_of(&edges->items[i], field) > largest)
      largest = field_of(&edges->items[i], field);
  return largest;
}

static bool is_sorted(const struct edges *edges) {
  size_t i;

  for (i = 1; i < edges->count; i++)
    if (edge_compare(&edges->items[i - 1], &edges->items[i]) >= 0)
      return false;
  return true;
}

static bool is_in_order(const struct edges *edges, enum field field) {
  size_t i;

  for (i = 1; i < edges->count; i++)
    if (field_of(&edges->items[i - 1], field) > field_of(&edges->items[i], field))
      return false;
  return true;
}

/* The numbers are small and dense, so counting them costs less than comparing edges. */
static void pass(struct edges *edges, enum field field) {
  size_t largest, *places;
  struct edge *sorted;

  if (edges->failed || is_in_order(edges, field))
    return;
  largest = find_largest(edges, field);
  places = malloc((largest + 2) * sizeof *places);
  sorted = malloc(edges->room * sizeof *sorted);
  if (places != NULL && sorted != NULL) {
    sort_by(field, largest, edges->items, sorted, edges->count, places);
    free(edges->items);
    edges->items = sorted;
  } else {
    edges->failed = true;
    free(sorted);
  }
  free(places);
}

void edges_group(struct edges *edges) {
  pass(edges, BY_ROLE);
}

/* Edges of one membership stand together by now, and it has few sources: a step or two. */
static void put_in_place(struct edges *edges, struct edge edge) {
  size_t at = edges->count, i;
  int order = -1;

  while (at > 0 && (order = edge_compare(&edges->items[at - 1], &edge)) > 0)
    at--;
  if (order == 0)
    return;
  for (i = edges->count++; i > at; i--)
    edges->items[i] = edges->items[i - 1];
  edges->items[at] = edge;
}

void edges_sort(struct edges *edges) {
  size_t i, count = edges->count;

  if (is_sorted(edges))
    return;
  pass(edges, BY_MEMBER);
  pass(edges, BY_ROLE);
  if (edges->failed)
    return;
  for (edges->count = i = 0; i < count; i++)
    put_in_place(edges, edges->items[i]);
}

void attributes_put(struct attributes *attributes, struct attribute attribute) {
  if (attributes->failed)
    return;
  if (attributes->count == attributes->room) {
    size_t room = attributes->room == 0 ? 16 : 2 * attributes->room;
    struct attribute *items = realloc(attributes->items, room * sizeof *items);

    if (items == NULL) {
      attributes->failed = true;
      return;
    }
    attributes->items = items;
    attributes->room = room;
  }
  attributes->items[attributes->count++] = attribute;
}

/* ---- rejections ---- */

void rejections_put(struct rejections *rejections, const char *name, const char *why) {
  struct rejection *items =
      realloc(rejections->items, (rejections->count + 1) * sizeof *rejections->items);

  if (items == NULL) {
    rejections->failed = true;
    return;
  }
  rejections->items = items;
  items += rejections->count++;
  items->name = strdup(name);
  items->why = strdup(why);
  if (items->name == NULL || items->why == NULL)
    rejections->failed = true;
}

void rejections_clear(struct rejections *rejections) {
  size_t i;

  for (i = 0; i < rejections->count; i++) {
    free(rejections->items[i].name);
    free(rejections->items[i].why);
  }
  free(rejections->items);
  *rejections = (struct rejections){0};
}

/* ---- model ---- */

bool model_init(struct model *model) {
  *model = (struct model){0};
  return names_put(&model->subjects, "", 0) == 0 && names_put(&model->labels, "", 0) == 0 &&
         names_put(&model->holders, "", 0) == 0;
}

void model_clear(struct model *model) {
  names_clear(&model->names);
  names_clear(&model->subjects);
  names_clear(&model->words);
  free(model->attributes.items);
  names_clear(&model->sources);
  names_clear(&model->labels);
  names_clear(&model->complete);
  names_clear(&model->holders);
  names_clear(&model->held);
  edges_clear(&model->renamed);
  free(model->roles);
  edges_clear(&model->wanted);
  edges_clear(&model->wanted_why);
  rejections_clear(&model->rejections);
  edges_clear(&model->ours);
  edges_clear(&model->altered);
  edges_clear(&model->others);
  edges_clear(&model->noted);
  edges_clear(&model->lent);
  *model = (struct model){0};
}

const char *model_name(const struct model *model, uint32_t role) {
  return role != NAMES_NONE ? names_text(&model->names, role) : "";
}

uint32_t model_role(struct model *model, const char *name, size_t len) {
  uint32_t number = names_put(&model->names, name, len);

  if (number == NAMES_NONE || number < model->role_room)
    return number;
  size_t room = model->role_room == 0 ? 256 : 2 * model->role_room;
  struct role *roles = realloc(model->roles, room * sizeof *roles);

  if (roles == NULL)
    return NAMES_NONE;
  memset(roles + model->role_room, 0, (room - model->role_room) * sizeof *roles);
  model->roles = roles;
  model->role_room = room;
  return number;
}

void model_forget(struct model *model) {
  uint32_t i;

  for (i = 0; i < model->names.count; i++) {
    const struct role *role = &model->roles[i];

    model->roles[i] = (struct role){.wish = role->wish,
                                    .subject = role->subject,
                                    .label = role->label,
                                    .holder = role->holder,
                                    .circle = role->circle,
                                    .is_contested = role->is_contested,
                                    .is_claimed = role->is_claimed};
  }
  model->is_stale = false;
  edges_clear(&model->renamed);
  edges_clear(&model->ours);
  edges_clear(&model->altered);
  edges_clear(&model->others);
  edges_clear(&model->noted);
  edges_clear(&model->lent);
}

const char *source_part(const struct model *model, uint32_t source, enum source_part part,
                        int *len_out) {
  const char *text = names_text(&model->sources, source);

  for (; part > SOURCE_SERVICE; part--)
    text = strchr(text, SOURCE_END) + 1;
  *len_out = (int)strcspn(text, (const char[]){SOURCE_END, '\0'});
  return text;
}

uint32_t model_source(struct model *model, const char *const parts[SOURCE_PARTS]) {
  char text[SOURCE_MAX];
  size_t used = 0, i;

  for (i = 0; i < SOURCE_PARTS; i++) {
    size_t len = strcspn(parts[i], (const char[]){SOURCE_END, '\0'});

    if (len > sizeof text / SOURCE_PARTS - 1)
      for (len = sizeof text / SOURCE_PARTS - 1; len > 0 && (parts[i][len] & 0xc0) == 0x80;)
        len--; /* between two characters of UTF-8 */
    memcpy(text + used, parts[i], len);
    used += len;
    text[used++] = SOURCE_END;
  }
  return names_put(&model->sources, text, used);
}
