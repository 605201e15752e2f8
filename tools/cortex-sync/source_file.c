/*
 * People and groups from a Cedar entities file: its User and Group entities.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <cortexauth/cedar.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "directory.h"
#include "entity_scan.h"

#define FILE_MAX (512u << 20)

/* Entities are read some at a time: a tree of the whole file would take ten times its size. */
#define PIECE_ENTITIES 256

struct reading {
  const char *place;
  struct directory directory;
  struct names defined; /* groups that have an entity of their own */
  struct scan_entity entity;
  struct cortex_error *error;
};

static bool refuse(struct reading *reading, const struct cedar_error *why) {
  struct cortex_error *error = reading->error;

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

static struct cedar_text safe_name(struct cedar_text text, char *room) {
  struct directory_text safe = directory_safe(text.ptr, text.len, room);

  return (struct cedar_text){safe.ptr, safe.len};
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

static bool has_member(const struct edges *edges, size_t from, size_t to, struct edge edge) {
  for (; from < to; from++)
    if (edges->items[from].role == edge.role && edges->items[from].member == edge.member)
      return true;
  return false;
}

/* An entity may be there twice when both say the same; pieces are not compared by Cedar. */
static bool is_repeated(const struct edges *edges, size_t before, uint32_t number) {
  size_t i;

  for (i = 0; i < before; i++)
    if (edges->items[i].role == number && !has_member(edges, before, edges->count, edges->items[i]))
      return false;
  for (i = before; i < edges->count; i++)
    if (!has_member(edges, 0, before, edges->items[i]))
      return false;
  return true;
}

/* One of the groups that an entity is directly in. */
static bool put_parent(struct reading *reading, struct edges *edges, uint32_t number,
                       struct cedar_text name) {
  uint32_t group = directory_group(&reading->directory, name.ptr, name.len);

  if (group == NAMES_NONE)
    return refuse(reading, &(struct cedar_error){0});
  edges_put(edges, (struct edge){number, group, 0});
  return !edges->failed || refuse(reading, &(struct cedar_error){0});
}

static bool put_parents(struct reading *reading, const struct cedar_store *store, uint32_t index,
                        struct edges *edges, uint32_t number) {
  struct cedar_uid_text uid;
  char room[DIRECTORY_NAME_ROOM];
  uint32_t i;

  for (i = 0; cedar_entity_parent_at(store, index, i, &uid); i++)
    if (is_type(uid.type, "Group") && !put_parent(reading, edges, number, safe_name(uid.id, room)))
      return false;
  return true;
}

/* An entity's number; is_new: it was not met before. */
static bool put_entity(struct reading *reading, bool is_user, struct cedar_text name,
                       struct cedar_text id, uint32_t *number_out, bool *is_new_out) {
  struct directory *directory = &reading->directory;
  uint32_t before = is_user ? directory->people.count : reading->defined.count, defined;

  if (is_user) {
    *number_out = defined = directory_person(directory, name.ptr, name.len, id.ptr, id.len);
  } else {
    *number_out = directory_group(directory, name.ptr, name.len);
    defined = names_put(&reading->defined, name.ptr, name.len);
  }
  if (*number_out == NAMES_NONE || defined == NAMES_NONE)
    return refuse(reading, &(struct cedar_error){0});
  *is_new_out = defined == before;
  return true;
}

static struct edges *edges_of(struct reading *reading, bool is_user) {
  return is_user ? &reading->directory.members : &reading->directory.nesting;
}

static bool take_entity(struct reading *reading, const struct cedar_store *store, uint32_t index,
                        const struct cedar_entity_info *info, bool is_user) {
  char name_room[DIRECTORY_NAME_ROOM], id_room[DIRECTORY_NAME_ROOM];
  struct cedar_text id = is_user ? subject_of(store, index, id_room) : (struct cedar_text){"", 0};
  struct edges *edges = edges_of(reading, is_user);
  size_t count = edges->count;
  uint32_t number;
  bool is_new;

  if (!put_entity(reading, is_user, safe_name(info->uid.id, name_room), id, &number, &is_new) ||
      !put_parents(reading, store, index, edges, number))
    return false;
  /* Somebody of the same name but another subject would be somebody else. */
  if (is_user && reading->directory.person_of[number].is_contested)
    return refuse_at(reading, info, "is there twice, with different subjects");
  if (!is_new && !is_repeated(edges, count, number))
    return refuse_at(reading, info, "is there twice, in different groups");
  return true;
}

static bool take_entities(struct reading *reading, const struct cedar_store *store) {
  struct cedar_entity_info info;
  uint32_t i;

  for (i = 0; cedar_entity_get(store, i, &info); i++) {
    bool is_user = is_type(info.uid.type, "User");

    if ((is_user || is_type(info.uid.type, "Group")) &&
        !take_entity(reading, store, i, &info, is_user))
      return false;
  }
  return true;
}

/* ---- the file in pieces ---- */

struct piece {
  const char *at; /* the first byte that was not given out */
  const char *end;
  const char *line_at; /* where lines were counted to last */
  uint32_t line;       /* of line_at */
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

/* Lines are counted only where a message may need them. */
static uint32_t line_of(struct piece *piece, const char *place) {
  const char *at = piece->line_at;

  while (at < place && (at = memchr(at, '\n', (size_t)(place - at))) != NULL) {
    piece->line++;
    at++;
  }
  piece->line_at = place;
  return piece->line;
}

/* Takes an entity of the plain shape that was not met before; anything else is left to Cedar. */
static bool take_plain(struct reading *reading, const struct scan_entity *entity) {
  const struct cedar_text name = {entity->id.ptr, entity->id.len};
  struct cedar_text id = {entity->is_user && entity->subject.len > 0 ? entity->subject.ptr : "",
                          entity->is_user ? entity->subject.len : 0};
  struct edges *edges = edges_of(reading, entity->is_user);
  uint32_t number;
  bool is_new;
  size_t i;

  if (!put_entity(reading, entity->is_user, name, id, &number, &is_new))
    return false;
  for (i = 0; i < entity->count; i++)
    if (!put_parent(reading, edges, number,
                    (struct cedar_text){entity->groups[i].ptr, entity->groups[i].len}))
      return false;
  return true;
}

static bool is_met(const struct reading *reading, const struct scan_entity *entity) {
  const struct names *names = entity->is_user ? &reading->directory.people : &reading->defined;

  return names_find(names, entity->id.ptr, entity->id.len) != NAMES_NONE;
}

/* As many plain entities as follow here; piece->at is then where a value begins, or the end. */
static bool take_plain_entities(struct reading *reading, struct piece *piece) {
  for (;;) {
    const char *at = piece->at;

    if (!entity_scan(&at, piece->end, &reading->entity) || is_met(reading, &reading->entity))
      return true;
    at = scan_blanks(at, piece->end);
    if (at < piece->end && *at != ',')
      return true;
    if (!take_plain(reading, &reading->entity))
      return false;
    piece->at = at < piece->end ? at + 1 : at;
    if (at == piece->end)
      return true;
  }
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

static bool is_all_blank(struct cedar_text text) {
  return scan_blanks(text.ptr, text.ptr + text.len) == text.ptr + text.len;
}

/* The next values as Cedar reads them, up to the comma behind them or the end. */
static bool take_piece(struct reading *reading, struct piece *piece, struct cedar_text file,
                       char *room) {
  struct cedar_text text = next_piece(piece);
  uint32_t line = line_of(piece, text.ptr);

  /* Behind a comma there must be something; Cedar would not miss it between brackets. */
  if (text.ptr[-1] == ',' && is_all_blank(text))
    return read_as_it_is(reading, file);
  if (!read_piece(reading, text, line, room))
    return false;
  if (piece->at == piece->end)
    return true;
  if (*piece->at++ != ',')
    return read_as_it_is(reading, file);
  /* Nothing behind the last comma either. */
  return piece->at < piece->end || read_as_it_is(reading, file);
}

static bool read_pieces(struct reading *reading, struct cedar_text file) {
  struct piece piece = {file.ptr, file.ptr + file.len, file.ptr, 1};
  const char *last = piece.end;
  char *room;
  bool fine = true, is_ended = false;

  piece.at = scan_blanks(piece.at, piece.end);
  while (last > piece.at && is_all_blank((struct cedar_text){last - 1, 1}))
    last--;
  if (last - piece.at < 2 || *piece.at != '[' || last[-1] != ']')
    return read_as_it_is(reading, file);
  piece.at++;
  piece.end = last - 1;
  room = malloc(file.len + 2);
  while (fine && room != NULL && !is_ended) {
    const char *before = piece.at;

    fine = take_plain_entities(reading, &piece);
    is_ended = piece.at == piece.end && piece.at != before && piece.at[-1] != ',';
    if (fine && !is_ended) {
      fine = take_piece(reading, &piece, file, room);
      is_ended = piece.at == piece.end;
    }
  }
  free(room);
  return room != NULL ? fine : refuse(reading, &(struct cedar_error){0});
}

static enum source_state finish(struct reading *reading, const struct source_taker *taker) {
  struct cedar_error why = {0};
  uint32_t cycle;

  if (directory_hand_over(&reading->directory, taker, &cycle))
    return SOURCE_COMPLETE;
  if (cycle == NAMES_NONE)
    return SOURCE_FAILED;
  snprintf(why.message, sizeof why.message, "Group::\"%.100s\" is in itself",
           names_text(&reading->directory.groups, cycle));
  refuse(reading, &why);
  return SOURCE_BAD;
}

static enum source_state read_file(const struct source_request *request,
                                   const struct source_taker *taker, struct source_report *report) {
  struct reading reading = {.place = request->path, .error = &report->error};
  struct cedar_text file = {NULL, 0};
  char *bytes = NULL;
  enum source_state state = SOURCE_BAD;

  if (request->section != NULL)
    reading.place = cortex_section_value(request->section, "path");
  if (cortex_file_load(reading.place, FILE_MAX, &bytes, &file.len, &report->error) != CORTEX_OK)
    return SOURCE_BAD;
  file.ptr = bytes;
  if (read_pieces(&reading, file)) {
    free(bytes);
    bytes = NULL;
    state = finish(&reading, taker);
  }
  free(bytes);
  directory_clear(&reading.directory);
  names_clear(&reading.defined);
  free(reading.entity.groups);
  return state;
}

const struct source_kind source_file = {"file", read_file};
