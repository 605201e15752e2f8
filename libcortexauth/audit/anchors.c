/*
 * The anchors that a chain is held against.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "audit/anchors.h"

#include <stdlib.h>
#include <string.h>

#include "audit/chain.h"
#include "audit/reader.h"

#define BLANKS " \t\r"

/* SEQ:HASH as len bytes. */
static bool parse(const char *text, size_t len, struct cortex_anchor *anchor_out) {
  struct cortex_anchor anchor = {.seq = 0};
  size_t i = 0;

  for (; i < len && i < 19 && text[i] >= '0' && text[i] <= '9'; i++)
    anchor.seq = anchor.seq * 10 + (uint64_t)(text[i] - '0');
  if (anchor.seq == 0 || anchor.seq > CX_CHAIN_SEQ_MAX || len != i + 1 + CX_CHAIN_HEX ||
      text[i] != ':' || !cx_chain_is_hex(text + i + 1))
    return false;
  memcpy(anchor.hash, text + i + 1, CX_CHAIN_HEX);
  *anchor_out = anchor;
  return true;
}

bool cortex_anchor_parse(const char *text, struct cortex_anchor *anchor_out) {
  return parse(text, strlen(text), anchor_out);
}

static enum cortex_reason append(struct cx_anchors *anchors, const struct cortex_anchor *anchor,
                                 struct cortex_error *error) {
  struct cortex_anchor *items;
  size_t capacity = anchors->capacity > 0 ? anchors->capacity * 2 : 64;

  if (anchors->count == CX_ANCHORS_MAX)
    return cx_error_set(error, CORTEX_TOO_LARGE, "there are more than %d anchors", CX_ANCHORS_MAX);
  if (anchors->count == anchors->capacity) {
    items = reallocarray(anchors->items, capacity, sizeof *items);
    if (items == NULL)
      return cx_error_memory(error);
    anchors->items = items;
    anchors->capacity = capacity;
  }
  anchors->items[anchors->count++] = *anchor;
  return CORTEX_OK;
}

static enum cortex_reason append_line(struct cx_anchors *anchors, const char *bytes, size_t len,
                                      struct cortex_error *error) {
  enum cortex_reason reason = CORTEX_OK;
  struct cortex_anchor anchor;
  size_t at = 0, end;

  while (at < len && reason == CORTEX_OK) {
    for (end = at; end < len && strchr(BLANKS, bytes[end]) == NULL; end++)
      ;
    if (parse(bytes + at, end - at, &anchor))
      reason = append(anchors, &anchor, error);
    at = end + 1;
  }
  return reason;
}

static enum cortex_reason append_file(struct cx_anchors *anchors, const char *path,
                                      struct cortex_error *error) {
  struct cx_reader reader;
  struct cx_line line;
  enum cortex_reason reason = cx_reader_open(path, &reader, error);

  while (reason == CORTEX_OK) {
    reason = cx_reader_next(&reader, &line, error);
    if (reason != CORTEX_OK || line.total == 0)
      break;
    reason = append_line(anchors, line.bytes, line.len, error);
  }
  cx_reader_close(&reader);
  return reason;
}

static int by_seq(const void *left, const void *right) {
  uint64_t a = ((const struct cortex_anchor *)left)->seq;
  uint64_t b = ((const struct cortex_anchor *)right)->seq;

  return a < b ? -1 : a > b;
}

enum cortex_reason cx_anchors_load(const struct cortex_audit_check *check,
                                   struct cx_anchors *anchors_out, struct cortex_error *error) {
  enum cortex_reason reason = CORTEX_OK;
  size_t i;

  *anchors_out = (struct cx_anchors){NULL, 0, 0};
  for (i = 0; i < check->anchor_count && reason == CORTEX_OK; i++)
    reason = append(anchors_out, &check->anchors[i], error);
  if (reason == CORTEX_OK && check->anchors_file != NULL)
    reason = append_file(anchors_out, check->anchors_file, error);
  if (reason != CORTEX_OK)
    cx_anchors_clear(anchors_out);
  else if (anchors_out->count > 0)
    qsort(anchors_out->items, anchors_out->count, sizeof anchors_out->items[0], by_seq);
  return reason;
}

void cx_anchors_clear(struct cx_anchors *anchors) {
  free(anchors->items);
  *anchors = (struct cx_anchors){NULL, 0, 0};
}

size_t cx_anchors_find(const struct cx_anchors *anchors, uint64_t seq) {
  size_t low = 0, high = anchors->count;

  while (low < high) {
    size_t middle = low + (high - low) / 2;

    if (anchors->items[middle].seq < seq)
      low = middle + 1;
    else
      high = middle;
  }
  return low;
}
