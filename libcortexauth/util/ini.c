/*
 * The strict INI reader: bytes to sections and pairs, nothing of their meaning.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "util/ini.h"

#include <stdbool.h>
#include <string.h>

#include "cedar/text.h"
#include "util/text.h"

struct reader {
  const struct cx_ini_handler *handler;
  const char *name;
  unsigned line;
  struct cortex_error *error;
};

#define REFUSE(reader, ...)                                                                        \
  cx_error_at((reader)->error, CORTEX_CONFIG_INVALID,                                              \
              (struct cx_place){(reader)->name, (reader)->line, 0}, __VA_ARGS__)

static bool is_blank(char c) {
  return c == ' ' || c == '\t';
}

static char *skip_blanks(char *text) {
  while (is_blank(*text))
    text++;
  return text;
}

static void trim_end(char *text) {
  size_t len = strlen(text);

  while (len > 0 && is_blank(text[len - 1]))
    len--;
  text[len] = '\0';
}

/* Cuts a comment: a blank and then ";" outside quotes. False: a quote is not closed. */
static bool cut_comment(char *text) {
  bool quoted = false;
  char *c;

  for (c = text; *c != '\0'; c++) {
    if (quoted && *c == '\\' && c[1] != '\0')
      c++;
    else if (*c == '"')
      quoted = !quoted;
    else if (!quoted && is_blank(*c) && c[1] == ';') {
      *c = '\0';
      break;
    }
  }
  trim_end(text);
  return !quoted;
}

/* Without strspn: for so many letters the C library has a slow one, on a page of its own. */
static bool is_name(const char *text) {
  const char *c = text;

  while ((*c >= 'a' && *c <= 'z') || (*c >= '0' && *c <= '9') || *c == '_')
    c++;
  return c > text && *c == '\0';
}

static enum cortex_reason parse_label(struct reader *reader, char *text, char **label_out) {
  struct cortex_error why = CORTEX_ERROR_NONE;

  *label_out = NULL;
  if (*text == '\0')
    return CORTEX_OK;
  if (*text != '"')
    return REFUSE(reader, "a section's label is written in double quotes");
  if (cx_ini_unquote(text, &why) != CORTEX_OK)
    return REFUSE(reader, "%s", why.message);
  *label_out = text;
  return CORTEX_OK;
}

/* section = "[" name [ blanks '"' label '"' ] "]" */
static enum cortex_reason parse_section(struct reader *reader, char *text) {
  enum cortex_reason reason;
  char *name = skip_blanks(text + 1);
  char *end, *label;

  if (!cut_comment(text))
    return REFUSE(reader, "a double quote is not closed");
  end = text + strlen(text) - 1;
  if (end <= text || *end != ']')
    return REFUSE(reader, "a section's head ends with \"]\"");
  *end = '\0';
  trim_end(name);
  label = name + strcspn(name, " \t\"");
  end = label;
  label = skip_blanks(label);
  if (*label == '"' && label == end)
    return REFUSE(reader, "a blank stands between a section's name and its label");
  reason = parse_label(reader, label, &label);
  if (reason != CORTEX_OK)
    return reason;
  *end = '\0';
  if (!is_name(name))
    return REFUSE(reader, "a section's name has lower-case letters, digits and \"_\" only");
  return reader->handler->section(reader->handler->context, reader->line, name, label,
                                  reader->error);
}

/* pair = key "=" value */
static enum cortex_reason parse_pair(struct reader *reader, char *text) {
  char *equals = strchr(text, '=');
  char *value;

  if (equals == NULL)
    return REFUSE(reader, "expected \"key = value\" or a section");
  *equals = '\0';
  trim_end(text);
  if (!is_name(text))
    return REFUSE(reader, "a key has lower-case letters, digits and \"_\" only");
  value = equals + 1;
  if (!cut_comment(value))
    return REFUSE(reader, "%s: a double quote is not closed", text);
  value = skip_blanks(value);
  if (*value == '\0' || strcmp(value, "\"\"") == 0)
    return REFUSE(reader, "%s has no value", text);
  return reader->handler->pair(reader->handler->context, reader->line, text, value, reader->error);
}

static enum cortex_reason parse_line(struct reader *reader, const char *bytes, size_t len) {
  char line[CX_INI_LINE_MAX + 1];
  char *text;

  if (len > CX_INI_LINE_MAX)
    return REFUSE(reader, "the line is longer than %d bytes", CX_INI_LINE_MAX);
  if (memchr(bytes, '\0', len) != NULL)
    return REFUSE(reader, "the line holds a NUL byte");
  if (!cx_text_is_utf8(bytes, len))
    return REFUSE(reader, "the line is not UTF-8");
  memcpy(line, bytes, len);
  line[len] = '\0';
  text = skip_blanks(line);
  if (*text == '\0' || *text == ';' || *text == '#')
    return CORTEX_OK;
  return *text == '[' ? parse_section(reader, text) : parse_pair(reader, text);
}

enum cortex_reason cx_ini_parse(const char *name, const char *bytes, size_t len,
                                const struct cx_ini_handler *handler, struct cortex_error *error) {
  struct reader reader = {handler, name, 0, error};
  enum cortex_reason reason = CORTEX_OK;
  size_t start = 0;

  if (cedar_utf8_is_marked(bytes, len)) {
    reader.line = 1;
    return REFUSE(&reader, CEDAR_MARK_FOUND);
  }
  while (start < len && reason == CORTEX_OK) {
    const char *newline = memchr(bytes + start, '\n', len - start);
    size_t end = newline != NULL ? (size_t)(newline - bytes) : len;
    size_t stop = end > start && newline != NULL && bytes[end - 1] == '\r' ? end - 1 : end;

    reader.line++;
    reason = parse_line(&reader, bytes + start, stop - start);
    start = end + 1;
  }
  return reason;
}

/* Copies a quoted text over itself without quotes; gives the place behind it, or NULL. */
static char *unquote(char *text) {
  char *to = text;
  char *from = text + 1;

  for (; *from != '"'; from++) {
    if (*from == '\\' && (from[1] == '"' || from[1] == '\\'))
      from++;
    else if (*from == '\0' || *from == '\\')
      return NULL;
    *to++ = *from;
  }
  *to = '\0';
  return from + 1;
}

static enum cortex_reason bad_quotes(struct cortex_error *error) {
  return cx_error_set(error, CORTEX_CONFIG_INVALID,
                      "quotes go around a whole value or list item, with \\\" and \\\\ inside");
}

enum cortex_reason cx_ini_unquote(char *value, struct cortex_error *error) {
  char *end;

  if (*value != '"')
    return strchr(value, '"') == NULL ? CORTEX_OK : bad_quotes(error);
  end = unquote(value);
  return end != NULL && *end == '\0' ? CORTEX_OK : bad_quotes(error);
}

enum cortex_reason cx_ini_split(char **cursor, char **item_out, struct cortex_error *error) {
  char *item = skip_blanks(*cursor);
  bool quoted = *item == '"';
  char *end = quoted ? unquote(item) : item + strcspn(item, ",");

  if (end != NULL && quoted)
    end = skip_blanks(end);
  if (end == NULL || (*end != ',' && *end != '\0') ||
      (!quoted && memchr(item, '"', (size_t)(end - item)) != NULL))
    return bad_quotes(error);
  *cursor = *end == ',' ? end + 1 : NULL;
  if (!quoted) {
    *end = '\0';
    trim_end(item);
  }
  if (*item == '\0')
    return cx_error_set(error, CORTEX_CONFIG_INVALID, "a list item is empty");
  *item_out = item;
  return CORTEX_OK;
}
