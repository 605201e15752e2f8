/*
 * JSON as text, byte by byte into a buffer: ASCII only, so that a database of any encoding reads
 * it. SPDX-License-Identifier: PostgreSQL
 */
#include <inttypes.h>
#include <string.h>

#include "cedar/text.h"
#include "util/json.h"

/* RFC 8259 7: past U+FFFF as a pair of surrogates. */
static void put_escaped(struct cx_buf *buf, uint32_t scalar) {
  if (scalar == '"' || scalar == '\\')
    cx_buf_printf(buf, "\\%c", (int)scalar);
  else if (scalar < 0x10000)
    cx_buf_printf(buf, "\\u%04x", scalar);
  else
    cx_buf_printf(buf, "\\u%04x\\u%04x", 0xd7c0 + (scalar >> 10), 0xdc00 + (scalar & 0x3ff));
}

static bool is_plain_byte(char byte) {
  return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

void cx_json_put_text(struct cx_buf *buf, const char *text, size_t len) {
  size_t i = 0, n;
  uint32_t scalar;

  cx_buf_put(buf, "\"", 1);
  while (i < len) {
    for (n = 0; i + n < len && is_plain_byte(text[i + n]); n++)
      ;
    cx_buf_put(buf, text + i, n);
    i += n;
    if (i == len)
      break;
    n = cedar_utf8_next(text + i, len - i, &scalar);
    put_escaped(buf, n != 0 ? scalar : 0xfffd);
    i += n != 0 ? n : 1;
  }
  cx_buf_put(buf, "\"", 1);
}

/* No deeper than what was parsed. */
void cx_json_put(struct cx_buf *buf, const cx_json *value) {
  bool is_object = cx_json_is_object(value);
  const cx_json *child = is_object ? cx_json_members(value) : cx_json_items(value);

  if (cx_json_is_string(value)) {
    cx_json_put_text(buf, value->u.string.ptr, value->u.string.len);
    return;
  }
  if (!is_object && !cx_json_is_array(value)) {
    cx_buf_put_text(buf, cx_json_word(value).text);
    return;
  }
  cx_buf_put(buf, is_object ? "{" : "[", 1);
  for (; child != NULL; child = child->next) {
    if (is_object) {
      cx_json_put_text(buf, child->key.ptr, child->key.len);
      cx_buf_put(buf, ":", 1);
    }
    cx_json_put(buf, child);
    if (child->next != NULL)
      cx_buf_put(buf, ",", 1);
  }
  cx_buf_put(buf, is_object ? "}" : "]", 1);
}

/* ---- objects member by member ---- */

/* Not behind what opens a list of members or elements. */
void cx_json_put_comma(struct cx_buf *buf) {
  if (buf->len > 0 && strchr("{[", buf->bytes[buf->len - 1]) == NULL)
    cx_buf_put(buf, ",", 1);
}

void cx_json_put_name(struct cx_buf *buf, const char *name) {
  cx_json_put_comma(buf);
  cx_json_put_text(buf, name, strlen(name));
  cx_buf_put(buf, ":", 1);
}

void cx_json_member_text(struct cx_buf *buf, const char *name, const char *text) {
  if (text == NULL)
    return;
  cx_json_put_name(buf, name);
  cx_json_put_text(buf, text, strlen(text));
}

void cx_json_member_number(struct cx_buf *buf, const char *name, int64_t number) {
  cx_json_put_name(buf, name);
  cx_buf_printf(buf, "%" PRId64, number);
}

void cx_json_member_bool(struct cx_buf *buf, const char *name, bool value) {
  cx_json_put_name(buf, name);
  cx_buf_put_text(buf, value ? "true" : "false");
}
