/*
 * Users and groups of a plain shape, read straight from the text: most of a directory's file.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "entity_scan.h"

#include <stdlib.h>
#include <string.h>

#define ATTRIBUTES_MAX 16

struct scan {
  const char *at;
  const char *end;
};

const char *scan_blanks(const char *at, const char *end) {
  while (at < end && (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r'))
    at++;
  return at;
}

/* The byte, blanks before it skipped. */
static bool take(struct scan *scan, char byte) {
  scan->at = scan_blanks(scan->at, scan->end);
  if (scan->at == scan->end || *scan->at != byte)
    return false;
  scan->at++;
  return true;
}

static bool take_string(struct scan *scan, struct scan_text *text_out) {
  const char *at;

  if (!take(scan, '"'))
    return false;
  at = scan->at;
  while (at < scan->end && *at != '"') {
    /* Control characters, escapes and what is not ASCII: negative where char has a sign. */
    if ((signed char)*at < 0x20 || *at == '\\')
      return false;
    at++;
  }
  if (at == scan->end)
    return false;
  *text_out = (struct scan_text){scan->at, (size_t)(at - scan->at)};
  scan->at = at + 1;
  return true;
}

static bool is_text(struct scan_text text, const char *other) {
  return text.len == strlen(other) && memcmp(text.ptr, other, text.len) == 0;
}

/* {"type": "User" or "Group", "id": ID}, in this order. */
static bool take_uid(struct scan *scan, bool *is_user_out, struct scan_text *id_out) {
  struct scan_text key, type;

  if (!take(scan, '{') || !take_string(scan, &key) || !is_text(key, "type") || !take(scan, ':') ||
      !take_string(scan, &type))
    return false;
  *is_user_out = is_text(type, "User");
  return (*is_user_out || is_text(type, "Group")) && take(scan, ',') && take_string(scan, &key) &&
         is_text(key, "id") && take(scan, ':') && take_string(scan, id_out) && take(scan, '}');
}

static bool put_group(struct scan_entity *entity, struct scan_text id) {
  if (entity->count == entity->room) {
    size_t room = entity->room == 0 ? 32 : 2 * entity->room;
    struct scan_text *groups = realloc(entity->groups, room * sizeof *groups);

    if (groups == NULL)
      return false;
    entity->groups = groups;
    entity->room = room;
  }
  entity->groups[entity->count++] = id;
  return true;
}

static bool take_parents(struct scan *scan, struct scan_entity *entity) {
  struct scan_text id;
  bool is_user;

  if (!take(scan, '['))
    return false;
  if (take(scan, ']'))
    return true;
  do {
    if (!take_uid(scan, &is_user, &id) || is_user || !put_group(entity, id))
      return false;
  } while (take(scan, ','));
  return take(scan, ']');
}

/* Strings only; a key that stands twice is for Cedar to refuse, and so is one it reads otherwise.
 */
static bool take_attributes(struct scan *scan, struct scan_entity *entity) {
  struct scan_text keys[ATTRIBUTES_MAX], value;
  size_t count = 0, i;

  if (!take(scan, '{'))
    return false;
  if (take(scan, '}'))
    return true;
  do {
    if (count == ATTRIBUTES_MAX || !take_string(scan, &keys[count]) || !take(scan, ':') ||
        !take_string(scan, &value) || (keys[count].len > 1 && keys[count].ptr[0] == '_'))
      return false;
    for (i = 0; i < count; i++)
      if (keys[i].len == keys[count].len && memcmp(keys[i].ptr, keys[count].ptr, keys[i].len) == 0)
        return false;
    if (is_text(keys[count++], "subject"))
      entity->subject = value;
  } while (take(scan, ','));
  return take(scan, '}');
}

bool entity_scan(const char **at, const char *end, struct scan_entity *entity) {
  struct scan scan = {*at, end};
  bool has_uid = false, has_attributes = false, has_parents = false, fine;
  struct scan_text key;

  entity->count = 0;
  entity->subject = (struct scan_text){NULL, 0};
  if (!take(&scan, '{'))
    return false;
  do {
    if (!take_string(&scan, &key) || !take(&scan, ':'))
      return false;
    if (!has_uid && is_text(key, "uid"))
      fine = has_uid = take_uid(&scan, &entity->is_user, &entity->id);
    else if (!has_attributes && is_text(key, "attrs"))
      fine = has_attributes = take_attributes(&scan, entity);
    else if (!has_parents && is_text(key, "parents"))
      fine = has_parents = take_parents(&scan, entity);
    else
      fine = false;
  } while (fine && take(&scan, ','));
  if (!fine || !has_uid || !has_attributes || !has_parents || !take(&scan, '}'))
    return false;
  *at = scan.at;
  return true;
}
