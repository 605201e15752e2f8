/*
 * A directory as it is read: people, groups, who is in which; handed over when it is whole.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "directory.h"

#include <stdlib.h>
#include <string.h>

void directory_clear(struct directory *directory) {
  names_clear(&directory->people);
  names_clear(&directory->groups);
  names_clear(&directory->ids);
  free(directory->person_of);
  edges_clear(&directory->clashes);
  edges_clear(&directory->members);
  edges_clear(&directory->nesting);
  *directory = (struct directory){0};
}

uint32_t directory_person(struct directory *directory, const char *name, size_t len, const char *id,
                          size_t id_len) {
  uint32_t before = directory->people.count;
  uint32_t person = names_put(&directory->people, name, len);
  uint32_t number = names_put(&directory->ids, id, id_len);

  if (person == NAMES_NONE || number == NAMES_NONE)
    return NAMES_NONE;
  if (person >= directory->person_room) {
    size_t room = directory->person_room == 0 ? 256 : 2 * directory->person_room;
    struct person *person_of = realloc(directory->person_of, room * sizeof *person_of);

    if (person_of == NULL)
      return NAMES_NONE;
    directory->person_of = person_of;
    directory->person_room = room;
  }
  if (person == before) {
    directory->person_of[person] = (struct person){.id = number};
  } else if (directory->person_of[person].id != number) {
    directory->person_of[person].is_contested = true;
    edges_put(&directory->clashes, (struct edge){person, number, 0});
  }
  return directory->clashes.failed ? NAMES_NONE : person;
}

/* No name begins like this. */
uint32_t directory_nameless(struct directory *directory, const char *entry, const char *id) {
  size_t len = strlen(entry);
  char *key = malloc(len + 2);
  uint32_t person;

  if (key == NULL)
    return NAMES_NONE;
  key[0] = '\x01';
  memcpy(key + 1, entry, len + 1);
  person = directory_person(directory, key, len + 1, id, strlen(id));
  free(key);
  if (person != NAMES_NONE)
    directory->person_of[person].is_nameless = true;
  return person;
}

struct directory_text directory_safe(const char *text, size_t len, char *room) {
  size_t i;

  if (len == 0 || memchr(text, '\0', len) == NULL)
    return (struct directory_text){len == 0 ? "" : text, len};
  if (len > DIRECTORY_NAME_ROOM)
    len = DIRECTORY_NAME_ROOM;
  for (i = 0; i < len; i++)
    room[i] = text[i] == '\0' ? '\x01' : text[i];
  return (struct directory_text){room, len};
}

struct directory_text directory_spell(const char *text, size_t len, bool lower, char *room) {
  struct directory_text name = directory_safe(text, len, room);
  size_t i;

  if (!lower || name.len > DIRECTORY_NAME_ROOM)
    return name;
  for (i = 0; i < name.len; i++)
    room[i] =
        name.ptr[i] >= 'A' && name.ptr[i] <= 'Z' ? (char)(name.ptr[i] - 'A' + 'a') : name.ptr[i];
  return (struct directory_text){room, name.len};
}

uint32_t directory_group(struct directory *directory, const char *name, size_t len) {
  return names_put(&directory->groups, name, len);
}

/* ---- groups in groups ---- */

/* Edges of one start stand together: first[i] to first[i + 1]. */
static uint32_t *index_edges(const struct edges *edges, uint32_t count) {
  uint32_t *first = calloc((size_t)count + 2, sizeof *first);
  size_t i;

  if (first == NULL)
    return NULL;
  for (i = 0; i < edges->count; i++)
    first[edges->items[i].role + 1]++;
  for (i = 0; i < count; i++)
    first[i + 1] += first[i];
  return first;
}

enum colour { NEW = 0, OPEN, DONE };

struct walk {
  const struct edges *nesting;
  const uint32_t *first;
  unsigned char *colours;
  uint32_t *stack;
  uint32_t *next; /* by group: the edge to follow next */
};

/* Depth first without recursion; gives a group that is met again while it is open. */
static uint32_t find_cycle_from(struct walk *walk, uint32_t start) {
  size_t depth = 1;

  walk->stack[0] = start;
  walk->colours[start] = OPEN;
  while (depth > 0) {
    uint32_t group = walk->stack[depth - 1], parent;

    if (walk->next[group] == walk->first[group + 1]) {
      walk->colours[group] = DONE;
      depth--;
      continue;
    }
    parent = walk->nesting->items[walk->next[group]++].member;
    if (walk->colours[parent] == OPEN)
      return parent;
    if (walk->colours[parent] == NEW) {
      walk->colours[parent] = OPEN;
      walk->stack[depth++] = parent;
    }
  }
  return NAMES_NONE;
}

static bool find_cycle(const struct directory *directory, const uint32_t *first,
                       uint32_t *cycle_out) {
  uint32_t count = directory->groups.count, i;
  struct walk walk = {&directory->nesting, first, calloc((size_t)count + 1, 1),
                      calloc((size_t)count + 1, sizeof(uint32_t)),
                      calloc((size_t)count + 1, sizeof(uint32_t))};
  bool fine = walk.colours != NULL && walk.stack != NULL && walk.next != NULL;

  *cycle_out = NAMES_NONE;
  for (i = 0; fine && i < count; i++)
    walk.next[i] = first[i];
  for (i = 0; fine && i < count && *cycle_out == NAMES_NONE; i++)
    if (walk.colours[i] == NEW)
      *cycle_out = find_cycle_from(&walk, i);
  free(walk.colours);
  free(walk.stack);
  free(walk.next);
  return fine && *cycle_out == NAMES_NONE;
}

/* ---- handing over ---- */

struct handing {
  const struct directory *directory;
  const uint32_t *nesting_first;
  uint32_t *marks; /* by group: the person it was last found for, plus 1 */
  uint32_t *found;
  size_t count;
};

static void find(struct handing *handing, uint32_t person, uint32_t group) {
  if (handing->marks[group] == person + 1)
    return;
  handing->marks[group] = person + 1;
  handing->found[handing->count++] = group;
}

/* The list of what was found is its own queue. */
static void find_groups(struct handing *handing, uint32_t person, uint32_t from, uint32_t to) {
  const struct directory *directory = handing->directory;
  size_t i;
  uint32_t edge;

  handing->count = 0;
  for (; from < to; from++)
    find(handing, person, directory->members.items[from].member);
  for (i = 0; i < handing->count; i++) {
    uint32_t group = handing->found[i];

    for (edge = handing->nesting_first[group]; edge < handing->nesting_first[group + 1]; edge++)
      find(handing, person, directory->nesting.items[edge].member);
  }
}

/* Each of several people of one name by their own id: all of them are left as they are. */
static bool hand_over_clashes(const struct directory *directory, const struct source_taker *taker) {
  size_t i;

  for (i = 0; i < directory->clashes.count; i++) {
    const struct edge *clash = &directory->clashes.items[i];
    const struct source_person it = {.name = names_text(&directory->people, clash->role),
                                     .id = names_text(&directory->ids, clash->member),
                                     .is_contested = true};

    if (!taker->person(taker->context, &it))
      return false;
  }
  return true;
}

static bool hand_over(struct handing *handing, const uint32_t *members_first,
                      const struct source_taker *taker) {
  const struct directory *directory = handing->directory;
  uint32_t person, group;

  for (group = 0; group < directory->groups.count; group++)
    if (!taker->group(taker->context, group, names_text(&directory->groups, group)))
      return false;
  for (person = 0; person < directory->people.count; person++) {
    const struct person *known = &directory->person_of[person];
    struct source_person it = {names_text(&directory->people, person),
                               names_text(&directory->ids, known->id),
                               known->is_contested,
                               known->is_nameless,
                               handing->found,
                               0};

    find_groups(handing, person, members_first[person], members_first[person + 1]);
    it.group_count = handing->count;
    if (known->is_nameless)
      it.name++; /* the mark before it */
    if (!taker->person(taker->context, &it))
      return false;
  }
  return hand_over_clashes(directory, taker);
}

bool directory_hand_over(struct directory *directory, const struct source_taker *taker,
                         uint32_t *cycle_out) {
  size_t groups = (size_t)directory->groups.count + 1;
  struct handing handing = {.directory = directory};
  uint32_t *members_first = NULL, *nesting_first = NULL;
  bool fine = false;

  if (cycle_out != NULL)
    *cycle_out = NAMES_NONE;
  edges_group(&directory->members);
  edges_group(&directory->nesting);
  if (directory->members.failed || directory->nesting.failed)
    return false;
  members_first = index_edges(&directory->members, directory->people.count);
  nesting_first = index_edges(&directory->nesting, directory->groups.count);
  handing.nesting_first = nesting_first;
  handing.marks = calloc(groups, sizeof *handing.marks);
  handing.found = calloc(groups, sizeof *handing.found);
  fine = members_first != NULL && nesting_first != NULL && handing.marks != NULL &&
         handing.found != NULL &&
         (cycle_out == NULL || find_cycle(directory, nesting_first, cycle_out)) &&
         hand_over(&handing, members_first, taker);
  free(members_first);
  free(nesting_first);
  free(handing.marks);
  free(handing.found);
  return fine;
}
