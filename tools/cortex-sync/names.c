/*
 * Texts that each get one number, in the order they come.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "names.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

void names_clear(struct names *names) {
  free(names->text);
  free(names->offsets);
  free(names->slots);
  *names = (struct names){0};
}

/* FNV-1a, folded. */
static uint32_t hash(const char *text, size_t len) {
  uint64_t value = 14695981039346656037u;

  for (; len > 0; len--)
    value = (value ^ (unsigned char)*text++) * 1099511628211u;
  return (uint32_t)(value ^ value >> 32);
}

static bool is_at(const struct names *names, uint32_t number, const char *text, size_t len) {
  const char *there = names->text + names->offsets[number];

  return memcmp(there, text, len) == 0 && there[len] == '\0';
}

/* The slot that holds the text, or the free one where it belongs. */
static uint32_t probe(const struct names *names, const char *text, size_t len) {
  uint32_t mask = names->slot_count - 1, at = hash(text, len) & mask;

  for (; names->slots[at] != 0; at = (at + 1) & mask) {
    uint32_t offset = names->offsets[names->slots[at] - 1];

    if (names->used - offset > len && is_at(names, names->slots[at] - 1, text, len))
      break;
  }
  return at;
}

static bool grow_slots(struct names *names) {
  uint32_t count = names->slot_count == 0 ? 64 : names->slot_count * 2, i;
  uint32_t *slots = calloc(count, sizeof *slots);

  if (slots == NULL)
    return false;
  free(names->slots);
  names->slots = slots;
  names->slot_count = count;
  for (i = 0; i < names->count; i++) {
    const char *text = names_text(names, i);

    slots[probe(names, text, strlen(text))] = i + 1;
  }
  return true;
}

static bool grow_lists(struct names *names, size_t len) {
  size_t room = names->room == 0 ? 1024 : names->room;

  while (room - names->used < len + 1)
    room *= 2;
  if (room > UINT32_MAX)
    return false;
  if (room != names->room) {
    char *text = realloc(names->text, room);

    if (text == NULL)
      return false;
    names->text = text;
    names->room = room;
  }
  if (names->count == names->capacity) {
    uint32_t capacity = names->capacity == 0 ? 64 : names->capacity * 2;
    uint32_t *offsets = realloc(names->offsets, capacity * sizeof *offsets);

    if (offsets == NULL)
      return false;
    names->offsets = offsets;
    names->capacity = capacity;
  }
  return true;
}

uint32_t names_put(struct names *names, const char *text, size_t len) {
  uint32_t at, number = names->count;

  if (names->slot_count < 2 * (names->count + 1) && !grow_slots(names))
    return NAMES_NONE;
  at = probe(names, text, len);
  if (names->slots[at] != 0)
    return names->slots[at] - 1;
  if (!grow_lists(names, len))
    return NAMES_NONE;
  names->offsets[number] = (uint32_t)names->used;
  memcpy(names->text + names->used, text, len);
  names->text[names->used + len] = '\0';
  names->used += len + 1;
  names->slots[at] = number + 1;
  names->count++;
  return number;
}

uint32_t names_find(const struct names *names, const char *text, size_t len) {
  uint32_t at;

  if (names->slot_count == 0)
    return NAMES_NONE;
  at = probe(names, text, len);
  return names->slots[at] != 0 ? names->slots[at] - 1 : NAMES_NONE;
}

const char *names_text(const struct names *names, uint32_t number) {
  return names->text + names->offsets[number];
}
