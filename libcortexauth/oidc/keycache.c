/*
 * The form of a fetched key set that a login reads: one key is found without reading the others.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "oidc/keycache.h"

#include <stdlib.h>
#include <string.h>

#include "util/file.h"

#define BYTE_ORDER_MARK UINT32_C(0x01020304)
#define NO_KID UINT32_MAX
#define ALIGNMENT 4

/* Most sets are in the first read as a whole. */
#define WINDOW 4096

static const char magic[8] = {'c', 'x', 'k', 'e', 'y', 's', '\r', '\n'};

enum state { STATE_USABLE = 1, STATE_WEAK = 2, STATE_OTHER = 3 };

struct span {
  uint32_t at; /* from the file's beginning */
  uint32_t len;
};

/* What a token without kid finds for one algorithm. */
struct lane {
  uint32_t fitting;
  uint32_t usable;
  uint32_t weak;
  struct span first; /* the first usable record */
};

struct header {
  char magic[8];
  uint32_t version;
  uint32_t byte_order;
  uint32_t size; /* of the file */
  uint32_t keys;
  uint32_t slots; /* a power of two */
  struct span records;
  uint32_t reserved;
  struct lane lanes[CX_JWS_ALGORITHMS];
};

struct record {
  uint32_t kid_len; /* NO_KID: the key has none */
  uint32_t algorithms;
  uint32_t state;
  uint32_t first_len;
  uint32_t second_len;
};

_Static_assert(sizeof(struct header) == 40 + 20 * CX_JWS_ALGORITHMS, "no padding in the file");
_Static_assert(sizeof(struct record) == 20, "no padding in the file");

/* FNV-1a. The issuer chooses the kids of its own set and slows down its own logins at most. */
static uint32_t hash(const char *kid, size_t len) {
  uint32_t value = UINT32_C(2166136261);
  size_t i;

  for (i = 0; i < len; i++)
    value = (value ^ (uint8_t)kid[i]) * UINT32_C(16777619);
  return value;
}

/* ---- writing ---- */

struct writer {
  const struct cx_keyset *keyset;
  struct header header;
  struct span *slots;
  uint32_t *next; /* by key: the next one of its slot */
  uint32_t *last; /* by slot: its last key so far */
  struct cx_buf *image;
  bool is_short_of_memory;
};

static uint32_t slots_for(uint32_t keys) {
  uint32_t slots = 1;

  while (slots < keys)
    slots *= 2;
  return slots;
}

static uint32_t length(const struct cx_buf *image) {
  return (uint32_t)image->len;
}

/* By algorithm, for tokens without kid. */
static void note_lanes(struct writer *writer, const struct cx_keyset_entry *entry,
                       struct span place) {
  size_t i;

  for (i = 0; i < CX_JWS_ALGORITHMS; i++) {
    struct lane *lane = &writer->header.lanes[i];

    if ((entry->algorithms >> i & 1) == 0)
      continue;
    lane->fitting++;
    lane->weak += entry->state == CORTEX_WEAK_KEY;
    if (entry->state == CORTEX_OK && lane->usable++ == 0)
      lane->first = place;
  }
}

static void put_record(struct writer *writer, const struct cx_keyset_entry *entry) {
  static const char padding[ALIGNMENT] = "";
  bool is_usable = entry->state == CORTEX_OK;
  struct span place = {length(writer->image), 0};
  const struct record record = {
      .kid_len = entry->kid != NULL ? (uint32_t)entry->kid_len : NO_KID,
      .algorithms = entry->algorithms,
      .state = is_usable                         ? STATE_USABLE
               : entry->state == CORTEX_WEAK_KEY ? STATE_WEAK
                                                 : STATE_OTHER,
      .first_len = is_usable ? (uint32_t)entry->material.first_len : 0,
      .second_len = is_usable ? (uint32_t)entry->material.second_len : 0,
  };

  cx_buf_put(writer->image, &record, sizeof record);
  cx_buf_put(writer->image, entry->kid, entry->kid_len);
  cx_buf_put(writer->image, entry->material.first, record.first_len);
  cx_buf_put(writer->image, entry->material.second, record.second_len);
  cx_buf_put(writer->image, padding, (ALIGNMENT - writer->image->len % ALIGNMENT) % ALIGNMENT);
  place.len = length(writer->image) - place.at;
  note_lanes(writer, entry, place);
  writer->is_short_of_memory |= entry->state == CORTEX_INTERNAL;
}

/* Chains the keys of each slot in the set's order. */
static void chain_keys(struct writer *writer) {
  const char *kid;
  uint32_t i, slot;
  size_t len;

  for (i = 0; i < writer->header.keys; i++) {
    kid = cx_keyset_kid(writer->keyset, i, &len);
    if (kid == NULL)
      continue;
    slot = hash(kid, len) & (writer->header.slots - 1);
    if (writer->slots[slot].len++ == 0)
      writer->slots[slot].at = i;
    else
      writer->next[writer->last[slot]] = i;
    writer->last[slot] = i;
  }
}

static void put_key(struct writer *writer, uint32_t key) {
  struct cx_keyset_entry entry;
  struct cx_key_room room;

  if (cx_keyset_entry(writer->keyset, key, &room, &entry))
    put_record(writer, &entry);
}

/* Slot by slot, whose span held its first key and their number; then the keys without kid. */
static void put_records(struct writer *writer) {
  uint32_t slot, key, left;
  size_t len;

  for (slot = 0; slot < writer->header.slots; slot++) {
    struct span *span = &writer->slots[slot];
    uint32_t start = length(writer->image);

    for (key = span->at, left = span->len; left > 0; key = writer->next[key], left--)
      put_key(writer, key);
    *span = (struct span){start, length(writer->image) - start};
  }
  for (key = 0; key < writer->header.keys; key++)
    if (cx_keyset_kid(writer->keyset, key, &len) == NULL)
      put_key(writer, key);
}

static void put_all(struct writer *writer) {
  struct header *header = &writer->header;
  size_t slots_len = header->slots * sizeof *writer->slots;

  /* Room first: header and slots are known when the records are written. */
  cx_buf_put(writer->image, header, sizeof *header);
  cx_buf_put(writer->image, writer->slots, slots_len);
  header->records.at = length(writer->image);
  chain_keys(writer);
  put_records(writer);
  header->size = length(writer->image);
  header->records.len = header->size - header->records.at;
  if (writer->image->failed)
    return;
  memcpy(writer->image->bytes, header, sizeof *header);
  memcpy(writer->image->bytes + sizeof *header, writer->slots, slots_len);
}

enum cortex_reason cx_keycache_write(const struct cx_keyset *keyset, struct cx_buf *image,
                                     struct cortex_error *error) {
  struct writer writer = {.keyset = keyset, .image = image};
  struct header *header = &writer.header;
  bool is_done = false;

  cx_buf_init(image, CX_KEYCACHE_SIZE_MAX);
  memcpy(header->magic, magic, sizeof magic);
  header->version = CX_KEYCACHE_VERSION;
  header->byte_order = BYTE_ORDER_MARK;
  header->keys = (uint32_t)cx_keyset_size(keyset);
  header->slots = slots_for(header->keys);
  writer.slots = calloc(header->slots, sizeof *writer.slots);
  writer.last = calloc(header->slots, sizeof *writer.last);
  writer.next = calloc(header->keys + 1, sizeof *writer.next);
  if (writer.slots != NULL && writer.last != NULL && writer.next != NULL) {
    put_all(&writer);
    is_done = !image->failed && !writer.is_short_of_memory;
  }
  free(writer.slots);
  free(writer.last);
  free(writer.next);
  return is_done ? CORTEX_OK : cx_error_memory(error);
}

enum cortex_reason cortex_keys_compile(const char *bytes, size_t len, void **image_out,
                                       size_t *image_len_out, struct cortex_error *error) {
  struct cx_keyset *keyset;
  struct cx_buf image;
  enum cortex_reason reason = cx_keyset_parse(bytes, len, &keyset, error);

  *image_out = NULL;
  *image_len_out = 0;
  if (reason != CORTEX_OK)
    return reason;
  reason = cx_keycache_write(keyset, &image, error);
  if (reason == CORTEX_OK) {
    *image_len_out = image.len;
    *image_out = cx_buf_take(&image);
  }
  cx_buf_clear(&image);
  cx_keyset_free(&keyset);
  return reason;
}

/* ---- reading ---- */

struct reader {
  int fd;
  size_t size;
  size_t window_len;
  uint8_t *more; /* a part outside the window */
  struct cortex_error *error;
  uint8_t window[WINDOW];
};

static enum cortex_reason refuse(struct cortex_error *error, const char *what) {
  return cx_error_set(error, CORTEX_KEYS_UNAVAILABLE, "the key cache %s", what);
}

static bool is_inside(struct span span, size_t size) {
  return span.at <= size && span.len <= size - span.at;
}

/* The bytes of a part, until the next one is asked for. */
static enum cortex_reason get_part(struct reader *reader, struct span span,
                                   const uint8_t **bytes_out) {
  *bytes_out = NULL;
  if (!is_inside(span, reader->size))
    return refuse(reader->error, "is damaged");
  if (is_inside(span, reader->window_len)) {
    *bytes_out = reader->window + span.at;
    return CORTEX_OK;
  }
  free(reader->more);
  reader->more = malloc(span.len);
  if (reader->more == NULL)
    return cx_error_memory(reader->error);
  if (cx_file_pread(reader->fd, reader->more, span.len, span.at) != (ssize_t)span.len)
    return refuse(reader->error, "cannot be read");
  *bytes_out = reader->more;
  return CORTEX_OK;
}

static enum cortex_reason check_header(const struct header *header, size_t size,
                                       struct cortex_error *error) {
  if (memcmp(header->magic, magic, sizeof magic) != 0 || header->byte_order != BYTE_ORDER_MARK)
    return refuse(error, "is no key cache of this host");
  if (header->version != CX_KEYCACHE_VERSION)
    return refuse(error, "is of another version: cortexctl refresh writes it anew");
  if (header->size != size || header->slots == 0 || (header->slots & (header->slots - 1)) != 0 ||
      header->slots > (size - sizeof *header) / sizeof(struct span) ||
      !is_inside(header->records, size))
    return refuse(error, "is damaged");
  return CORTEX_OK;
}

/* One record of a run, checked; moves on. False: the run is at its end or damaged. */
static bool next_record(const uint8_t **cursor, const uint8_t *end,
                        struct cx_keyset_entry *entry_out) {
  struct record record;
  size_t left = (size_t)(end - *cursor), len;

  if (left < sizeof record)
    return false;
  memcpy(&record, *cursor, sizeof record);
  left -= sizeof record;
  *cursor += sizeof record;
  *entry_out = (struct cx_keyset_entry){
      .kid = record.kid_len != NO_KID ? (const char *)*cursor : NULL,
      .kid_len = record.kid_len != NO_KID ? record.kid_len : 0,
      .algorithms = record.algorithms,
      .state = record.state == STATE_USABLE ? CORTEX_OK
               : record.state == STATE_WEAK ? CORTEX_WEAK_KEY
                                            : CORTEX_KEY_MISMATCH,
  };
  if (entry_out->kid_len > left || record.first_len > CX_KEY_MEMBER_MAX ||
      record.second_len > CX_KEY_MEMBER_MAX)
    return false;
  len = entry_out->kid_len + record.first_len + record.second_len;
  len += (ALIGNMENT - len % ALIGNMENT) % ALIGNMENT;
  if (len > left)
    return false;
  entry_out->material = (struct cx_key_material){
      *cursor + entry_out->kid_len, record.first_len,
      *cursor + entry_out->kid_len + record.first_len, record.second_len};
  *cursor += len;
  return true;
}

static bool has_kid(const struct cx_keyset_entry *entry, const struct cx_jws *jws) {
  return entry->kid != NULL && entry->kid_len == jws->kid_len &&
         memcmp(entry->kid, jws->kid, jws->kid_len) == 0;
}

/* What was judged at the refresh decides no more than this: the key is judged again when made. */
static void add_entry(const struct cx_keyset_entry *entry, const struct cx_jws *jws,
                      struct cx_choice *choice) {
  choice->seen++;
  if ((entry->algorithms >> cx_jws_algorithm_index(jws->algorithm) & 1) == 0)
    return;
  choice->fitting++;
  if (entry->state == CORTEX_WEAK_KEY)
    choice->weak++;
  else if (entry->state == CORTEX_OK)
    cx_choice_add(choice, jws->algorithm->key_type, &entry->material);
}

static enum cortex_reason choose_by_kid(struct reader *reader, const struct header *header,
                                        const struct cx_jws *jws, struct cx_choice *choice) {
  uint32_t slot = hash(jws->kid, jws->kid_len) & (header->slots - 1);
  struct span run, place = {(uint32_t)(sizeof *header + slot * sizeof run), sizeof run};
  struct cx_keyset_entry entry;
  const uint8_t *bytes, *end;
  enum cortex_reason reason = get_part(reader, place, &bytes);

  if (reason != CORTEX_OK)
    return reason;
  memcpy(&run, bytes, sizeof run);
  if (run.len == 0)
    return CORTEX_OK;
  reason = get_part(reader, run, &bytes);
  if (reason != CORTEX_OK)
    return reason;
  end = bytes + run.len;
  while (!cx_choice_is_full(choice) && next_record(&bytes, end, &entry))
    if (has_kid(&entry, jws))
      add_entry(&entry, jws, choice);
  return cx_choice_is_full(choice) || bytes == end ? CORTEX_OK
                                                   : refuse(reader->error, "is damaged");
}

/* Only where exactly one key is usable it is looked at; else the numbers alone say why not. */
static enum cortex_reason choose_without_kid(struct reader *reader, const struct header *header,
                                             const struct cx_jws *jws, struct cx_choice *choice) {
  const struct lane *lane = &header->lanes[cx_jws_algorithm_index(jws->algorithm)];
  struct cx_keyset_entry entry;
  const uint8_t *bytes;
  enum cortex_reason reason;

  if (lane->usable == 1) {
    reason = get_part(reader, lane->first, &bytes);
    if (reason != CORTEX_OK)
      return reason;
    if (!next_record(&bytes, bytes + lane->first.len, &entry))
      return refuse(reader->error, "is damaged");
    add_entry(&entry, jws, choice);
  } else {
    choice->usable = lane->usable;
  }
  choice->seen = header->keys;
  choice->fitting = lane->fitting;
  choice->weak = lane->weak;
  return CORTEX_OK;
}

enum cortex_reason cx_keycache_choose(int fd, size_t size, const struct cx_jws *jws,
                                      struct cx_choice *choice, struct cortex_error *error) {
  struct header header;
  enum cortex_reason reason;
  struct reader reader; /* its window is not worth clearing in each login */

  reader.fd = fd;
  reader.size = size;
  reader.more = NULL;
  reader.error = error;
  reader.window_len = size < sizeof reader.window ? size : sizeof reader.window;
  if (size < sizeof header)
    return refuse(error, "is damaged");
  if (cx_file_pread(fd, reader.window, reader.window_len, 0) != (ssize_t)reader.window_len)
    return refuse(error, "cannot be read");
  memcpy(&header, reader.window, sizeof header);
  reason = check_header(&header, size, error);
  if (reason == CORTEX_OK)
    reason = jws->kid != NULL ? choose_by_kid(&reader, &header, jws, choice)
                              : choose_without_kid(&reader, &header, jws, choice);
  free(reader.more);
  return reason;
}

static enum cortex_reason count_records(const uint8_t *cursor, const uint8_t *end,
                                        uint32_t algorithms, struct cortex_key_count *count_out,
                                        struct cortex_error *error) {
  struct cx_keyset_entry entry;

  while (next_record(&cursor, end, &entry))
    cx_keyset_tally(&entry, algorithms, count_out);
  return cursor == end ? CORTEX_OK : refuse(error, "is damaged");
}

enum cortex_reason cx_keycache_count(int fd, size_t size, uint32_t algorithms,
                                     struct cortex_key_count *count_out,
                                     struct cortex_error *error) {
  struct header header;
  enum cortex_reason reason;
  uint8_t *image;

  *count_out = (struct cortex_key_count){0, 0, 0};
  if (size < sizeof header)
    return refuse(error, "is damaged");
  image = malloc(size);
  if (image == NULL)
    return cx_error_memory(error);
  reason = cx_file_pread(fd, image, size, 0) == (ssize_t)size ? CORTEX_OK
                                                              : refuse(error, "cannot be read");
  if (reason == CORTEX_OK) {
    memcpy(&header, image, sizeof header);
    reason = check_header(&header, size, error);
  }
  if (reason == CORTEX_OK)
    reason = count_records(image + header.records.at,
                           image + header.records.at + header.records.len, algorithms, count_out,
                           error);
  if (reason != CORTEX_OK)
    *count_out = (struct cortex_key_count){0, 0, 0};
  free(image);
  return reason;
}
