/*
 * People and groups from a Cedar entities file: its User and Group entities.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <cortexauth/cedar.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directory.h"

#define FILE_MAX (512u << 20)

/* Entities are read some at a time: a tree of the whole file would take ten times its size. */
#define PIECE_ENTITIES 256

#define NAME_ROOM 256

struct reading {
  const char *place;
  struct directory directory;
  struct names defined; /* groups that have an entity of their own */
  struct cortex_error *error;
  enum cortex_reason reason;
};

static bool refuse(struct reading *reading, const struct cedar_error *why) {
  struct cortex_error *error = reading->error;

  reading->reason = CORTEX_POLICY_UNAVAILABLE;
  if (error->reason != CORTEX_OK)
    return false;
  error->reason = CORTEX_POLICY_UNAVAILABLE;
  error->line = why->line;
  error->column = why->column;
  snprintf(error->source, sizeof error->source, "%s", reading->place);
  snprintf(error->message, sizeof error->message, "%s",
           why->message[0] != '\0' ? why->message : "out of memory");
  return false;
}

static bool refuse_at(struct reading *reading, const struct cedar_entity_info *info,
                      const char *what) {
  struct cedar_error why = {.line = info->line, .column = info->column};

  snprintf(why.message, sizeof why.message, "%.*s::\"%.*s\" %s", (int)info->uid.type.len,
           info->uid.type.ptr, (int)info->uid.id.len, info->uid.id.ptr, what);
  return refuse(reading, &why);
}

static bool is_type(struct cedar_text type, const char *name) {
  return type.len == strlen(name) && memcmp(type.ptr, name, type.len) == 0;
}

/*
 * A name with a NUL byte would be another one as a C string. With another control character in
 * its place it stays a bad name, and one that can be shown.
 */
static struct cedar_text safe_name(struct cedar_text text, char *room) {
  size_t i;

  if (text.len == 0 || memchr(text.ptr, '\0', text.len) == NULL)
    return (struct cedar_text){text.len == 0 ? "" : text.ptr, text.len};
  if (text.len > NAME_ROOM)
    text.len = NAME_ROOM;
  for (i = 0; i < text.len; i++)
    room[i] = text.ptr[i] == '\0' ? '\x01' : text.ptr[i];
  return (struct cedar_text){room, text.len};
}

/* ---- entities ---- */

static struct cedar_text subject_of(const struct cedar_store *store, uint32_t index, char *room) {
  struct cedar_value value;
  struct cedar_text text;

  if (cedar_entity_attr(store, index, "subject", &value) &&
      cedar_value_get_string(store, value, &text))
    return safe_name(text, room);
  return (struct cedar_text){"", 0};
}

/* An entity may be there twice when both say the same; pieces are not compared by Cedar. */
static bool is_repeated(const struct edges *edges, size_t before, uint32_t number) {
  size_t i, j, had = 0, now = edges->count - before;

  for (i = 0; i < before; i++) {
    if (edges->items[i].role != number)
      continue;
    had++;
    for (j = before; j < edges->count; j++)
      if (edges->items[j].member == edges->items[i].member)
        break;
    if (j == edges->count)
      return false;
  }
  return had == now;
}

/* Puts the groups that an entity is directly in. */
static bool put_parents(struct reading *reading, const struct cedar_store *store, uint32_t index,
                        struct edges *edges, uint32_t number) {
  struct cedar_uid_text uid;
  char room[NAME_ROOM];
  uint32_t i;

  for (i = 0; cedar_entity_parent_at(store, index, i, &uid); i++) {
    struct cedar_text name = safe_name(uid.id, room);
    uint32_t group;

    if (!is_type(uid.type, "Group"))
      continue;
    group = directory_group(&reading->directory, name.ptr, name.len);
    if (group == NAMES_NONE)
      return refuse(reading, &(struct cedar_error){0});
    edges_put(edges, (struct edge){number, group, 0});
  }
  return !edges->failed || refuse(reading, &(struct cedar_error){0});
}

static bool put_user(struct reading *reading, const struct cedar_store *store, uint32_t index,
                     const struct cedar_entity_info *info) {
  char name_room[NAME_ROOM], id_room[NAME_ROOM];
  struct cedar_text name = safe_name(info->uid.id, name_room);
  struct cedar_text id = subject_of(store, index, id_room);
  uint32_t before = reading->directory.people.count;
  uint32_t person = directory_person(&reading->directory, name.ptr, name.len, id.ptr, id.len);
  struct edges *members = &reading->directory.members;
  size_t count;

  if (person == NAMES_NONE)
    return refuse(reading, &(struct cedar_error){0});
  count = members->count;
  if (!put_parents(reading, store, index, members, person))
    return false;
  if (person != before && !is_repeated(members, count, person))
    return refuse_at(reading, info, "is there twice, in different groups");
  return true;
}

static bool put_group(struct reading *reading, const struct cedar_store *store, uint32_t index,
                      const struct cedar_entity_info *info) {
  char room[NAME_ROOM];
  struct cedar_text name = safe_name(info->uid.id, room);
  struct edges *nesting = &reading->directory.nesting;
  uint32_t before = reading->defined.count, group, defined;
  size_t count = nesting->count;

  group = directory_group(&reading->directory, name.ptr, name.len);
  defined = names_put(&reading->defined, name.ptr, name.len);
  if (group == NAMES_NONE || defined == NAMES_NONE)
    return refuse(reading, &(struct cedar_error){0});
  if (!put_parents(reading, store, index, nesting, group))
    return false;
  if (defined != before && !is_repeated(nesting, count, group))
    return refuse_at(reading, info, "is there twice, in different groups");
  return true;
}

static bool take_entities(struct reading *reading, const struct cedar_store *store) {
  struct cedar_entity_info info;
  uint32_t i;

  for (i = 0; cedar_entity_get(store, i, &info); i++) {
    if (is_type(info.uid.type, "User") && !put_user(reading, store, i, &info))
      return false;
    if (is_type(info.uid.type, "Group") && !put_group(reading, store, i, &info))
      return false;
  }
  return true;
}

/* ---- the file in pieces ---- */

struct piece {
  const char *at; /* the first byte that was not given out */
  const char *end;
  uint32_t line; /* of at */
};

/* Behind the value that begins here: brackets are counted, strings passed over. */
static const char *skip_value(const char *at, const char *end) {
  size_t depth = 0;

  for (; at < end; at++) {
    if (*at == '"') {
      for (at++; at < end && *at != '"'; at++)
        if (*at == '\\')
          at++;
    } else if (*at == '{' || *at == '[') {
      depth++;
    } else if (*at == '}' || *at == ']') {
      if (depth == 0)
        return at;
      depth--;
    } else if (*at == ',' && depth == 0) {
      return at;
    }
  }
  return end;
}

/* The next entities, without the comma behind the last; what is no array comes as it is. */
static struct cedar_text next_piece(struct piece *piece) {
  const char *begin = piece->at, *at = begin;
  int count;

  for (count = 0; count < PIECE_ENTITIES; count++) {
    at = skip_value(at, piece->end);
    if (at == piece->end || *at != ',' || count == PIECE_ENTITIES - 1)
      break;
    at++;
  }
  piece->at = at;
  return (struct cedar_text){begin, (size_t)(at - begin)};
}

static uint32_t count_lines(struct cedar_text text) {
  uint32_t lines = 0;
  const char *at = text.ptr, *end = text.ptr + text.len;

  while (at < end && (at = memchr(at, '\n', (size_t)(end - at))) != NULL) {
    lines++;
    at++;
  }
  return lines;
}

/* One piece between brackets of its own; they stand where the file has a bracket or a comma. */
static bool read_piece(struct reading *reading, struct cedar_text text, uint32_t line, char *room) {
  struct cedar_source source = {reading->place, room, text.len + 2};
  struct cedar_store *store = NULL;
  struct cedar_error why = {0};
  bool fine;

  room[0] = '[';
  memcpy(room + 1, text.ptr, text.len);
  room[text.len + 1] = ']';
  fine = cedar_store_new(NULL, &store) == CEDAR_OK &&
         cedar_store_add_entities(store, &source, NULL, &why) == CEDAR_OK;
  if (!fine) {
    why.line += why.line > 0 ? line - 1 : 0;
    refuse(reading, &why);
  }
  fine = fine && take_entities(reading, store);
  cedar_store_free(&store);
  return fine;
}

/* A text that is no array goes to Cedar as it is, for it to say what is wrong. */
static bool read_as_it_is(struct reading *reading, struct cedar_text text) {
  struct cedar_source source = {reading->place, text.ptr, text.len};
  struct cedar_store *store = NULL;
  struct cedar_error why = {0};

  if (cedar_store_new(NULL, &store) == CEDAR_OK &&
      cedar_store_add_entities(store, &source, NULL, &why) == CEDAR_OK)
    snprintf(why.message, sizeof why.message, "the file does not hold an array of entities");
  cedar_store_free(&store);
  return refuse(reading, &why);
}

static bool is_blank(char byte) {
  return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r';
}

static bool is_all_blank(struct cedar_text text) {
  size_t i;

  for (i = 0; i < text.len; i++)
    if (!is_blank(text.ptr[i]))
      return false;
  return true;
}

static bool read_pieces(struct reading *reading, struct cedar_text file) {
  struct piece piece = {file.ptr, file.ptr + file.len, 1};
  const char *last = piece.end;
  char *room;
  bool fine = true;

  while (piece.at < piece.end && is_blank(*piece.at))
    piece.at++;
  while (last > piece.at && is_blank(last[-1]))
    last--;
  if (last - piece.at < 2 || *piece.at != '[' || last[-1] != ']')
    return read_as_it_is(reading, file);
  piece.line += count_lines((struct cedar_text){file.ptr, (size_t)(piece.at - file.ptr)});
  piece.at++;
  piece.end = last - 1;
  room = malloc(file.len + 2);
  while (fine && room != NULL) {
    struct cedar_text text = next_piece(&piece);

    /* Behind a comma there must be something; Cedar would not miss it between brackets. */
    if (text.ptr > file.ptr + 1 && text.ptr[-1] == ',' && is_all_blank(text))
      fine = read_as_it_is(reading, file);
    fine = fine && read_piece(reading, text, piece.line, room);
    piece.line += count_lines(text);
    if (piece.at == piece.end)
      break;
    if (fine && *piece.at != ',')
      fine = read_as_it_is(reading, file);
    piece.at++;
  }
  free(room);
  return room != NULL ? fine : refuse(reading, &(struct cedar_error){0});
}

static enum cortex_reason finish(struct reading *reading, const struct source_taker *taker) {
  struct cedar_error why = {0};
  uint32_t cycle;

  if (directory_hand_over(&reading->directory, taker, &cycle))
    return CORTEX_OK;
  if (cycle != NAMES_NONE)
    snprintf(why.message, sizeof why.message, "Group::\"%.100s\" is in itself",
             names_text(&reading->directory.groups, cycle));
  refuse(reading, &why);
  return CORTEX_POLICY_UNAVAILABLE;
}

static enum cortex_reason read_file(const char *place, const struct source_taker *taker,
                                    struct cortex_error *error) {
  struct reading reading = {.place = place, .error = error};
  struct cedar_text file = {NULL, 0};
  char *bytes = NULL;
  enum cortex_reason reason = cortex_file_load(place, FILE_MAX, &bytes, &file.len, error);

  if (reason != CORTEX_OK)
    return reason;
  file.ptr = bytes;
  reason = read_pieces(&reading, file) ? CORTEX_OK : reading.reason;
  free(bytes);
  if (reason == CORTEX_OK)
    reason = finish(&reading, taker);
  directory_clear(&reading.directory);
  names_clear(&reading.defined);
  return reason;
}

const struct source_kind source_file = {"file", read_file};
