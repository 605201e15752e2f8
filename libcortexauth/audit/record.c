/*
 * A record as the members of a JSON object.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "audit/record.h"

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "audit/stamp.h"
#include "util/text.h"

struct field {
  char name[20]; /* with what stands before the value: ,"name": */
  size_t name_len;
  size_t offset;
  size_t count_offset; /* of lists */
};

static const void *member(const struct cortex_record *record, size_t offset) {
  return (const char *)record + offset;
}

static void put_name(struct cx_buf *buf, const struct field *field) {
  cx_buf_put(buf, field->name, field->name_len);
}

/* Bytes that cx_buf_put_json makes of the character at text, and how long that is. */
static size_t escaped_len(const char *text, size_t len, size_t *step_out) {
  size_t n = cx_text_utf8_len(text, len);

  *step_out = n > 0 ? n : 1;
  if (n == 0)
    return 3;
  if (cx_text_has_control(text, n) || cx_text_is_separator(text, n))
    return 6;
  return n == 1 && (*text == '"' || *text == '\\') ? 2 : n;
}

/* The longest start of text whose escaped form has at most max bytes. */
static size_t fitting(const char *text, size_t len, size_t max) {
  size_t at = cx_text_plain_len(text, len < max ? len : max), used = at, step;

  while (at < len) {
    used += escaped_len(text + at, len - at, &step);
    if (used > max)
      break;
    at += step;
  }
  return at;
}

static void put_string(struct cx_buf *buf, const char *text) {
  size_t len = strlen(text);
  size_t kept = fitting(text, len, CX_RECORD_TEXT_MAX);

  cx_buf_put_json(buf, text, kept);
  if (kept < len && !buf->failed) {
    buf->len--; /* the closing quote */
    cx_buf_put_text(buf, "\xe2\x80\xa6\"");
  }
}

static void put_TEXT(struct cx_buf *buf, const struct field *field,
                     const struct cortex_record *record) {
  const char *text = *(const char *const *)member(record, field->offset);

  if (text == NULL)
    return;
  put_name(buf, field);
  put_string(buf, text);
}

static void put_NUMBER(struct cx_buf *buf, const struct field *field,
                       const struct cortex_record *record) {
  int64_t number = *(const int64_t *)member(record, field->offset);

  if (number == 0)
    return;
  put_name(buf, field);
  cx_buf_printf(buf, "%lld", (long long)number);
}

static void put_stamp(struct cx_buf *buf, const struct field *field, int64_t value,
                      void (*format)(int64_t value, char text_out[CX_STAMP_MAX])) {
  char text[CX_STAMP_MAX];

  if (value == 0)
    return;
  format(value, text);
  put_name(buf, field);
  put_string(buf, text);
}

static void put_MICROS(struct cx_buf *buf, const struct field *field,
                       const struct cortex_record *record) {
  put_stamp(buf, field, *(const int64_t *)member(record, field->offset), cx_stamp_format);
}

static void put_SECONDS(struct cx_buf *buf, const struct field *field,
                        const struct cortex_record *record) {
  put_stamp(buf, field, *(const int64_t *)member(record, field->offset),
            cx_stamp_format_seconds);
}

static void put_EVENT(struct cx_buf *buf, const struct field *field,
                      const struct cortex_record *record) {
  put_name(buf, field);
  put_string(buf, cortex_event_name(record->event));
}

static void put_DECISION(struct cx_buf *buf, const struct field *field,
                         const struct cortex_record *record) {
  if (record->event != CORTEX_EVENT_LOGIN)
    return;
  put_name(buf, field);
  put_string(buf, record->effect == CORTEX_ALLOW ? "allow" : "deny");
}

static void put_REASON(struct cx_buf *buf, const struct field *field,
                       const struct cortex_record *record) {
  if (record->event != CORTEX_EVENT_LOGIN && record->reason == CORTEX_OK)
    return;
  put_name(buf, field);
  put_string(buf, cortex_reason_name(record->reason));
}

static void put_LEVELS(struct cx_buf *buf, const struct field *field,
                       const struct cortex_record *record) {
  const char *between = "[";
  unsigned level;

  if (record->levels == 0)
    return;
  put_name(buf, field);
  for (level = CORTEX_LEVEL_READ; level <= CORTEX_LEVEL_ASSUME; level <<= 1) {
    if ((record->levels & level) == 0)
      continue;
    cx_buf_put_text(buf, between);
    put_string(buf, cortex_level_name(level));
    between = ",";
  }
  cx_buf_put_text(buf, *between == '[' ? "[]" : "]");
}

static void put_LIST(struct cx_buf *buf, const struct field *field,
                     const struct cortex_record *record) {
  const char *const *items = *(const char *const *const *)member(record, field->offset);
  size_t count = *(const size_t *)member(record, field->count_offset);
  size_t i, start, before;

  if (count == 0)
    return;
  put_name(buf, field);
  cx_buf_put(buf, "[", 1);
  start = buf->len;
  for (i = 0; i < count && i < CX_RECORD_ITEMS_MAX; i++) {
    before = buf->len;
    if (i > 0)
      cx_buf_put(buf, ",", 1);
    put_string(buf, items[i]);
    if (buf->len - start > CX_RECORD_LIST_MAX) {
      buf->len = before;
      break;
    }
  }
  cx_buf_put(buf, "]", 1);
  if (i == count)
    return;
  /* the name without its quote and colon, then the rest of the longer name */
  cx_buf_put(buf, field->name, field->name_len - 2);
  cx_buf_printf(buf, "_omitted\":%zu", count - i);
}

void cx_record_put(struct cx_buf *buf, const struct cortex_record *record) {
#define PUT(name, kind, where, count)                                                              \
  {                                                                                                \
    static const struct field field = {",\"" #name "\":", sizeof ",\"" #name "\":" - 1,            \
                                       offsetof(struct cortex_record, where), count};              \
    put_##kind(buf, &field, record);                                                               \
  }
#define FIELD(name, kind, where) PUT(name, kind, where, 0)
#define LIST(name, items, count) PUT(name, LIST, items, offsetof(struct cortex_record, count))
  size_t start = buf->len;

#include "audit/field_table.h"
#undef LIST
#undef FIELD
#undef PUT
  if (!buf->failed && buf->len > start)
    buf->bytes[start] = '{'; /* in place of the first comma */
}
