/*
 * Names, texts and values as Cedar and JSON text.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "print.h"

#include <stdio.h>
#include <string.h>

void cedar_printer_init(struct cedar_printer *p, const struct cedar_store *store,
                        const struct cedar_request *request, struct cedar_sink sink) {
  memset(p, 0, sizeof(*p));
  p->store = store;
  p->request = request;
  p->sink = sink;
  p->ok = true;
}

void cedar_put(struct cedar_printer *p, const char *bytes, size_t len) {
  if (p->ok && len > 0)
    p->ok = p->sink.put(p->sink.ctx, bytes, len);
}

void cedar_puts(struct cedar_printer *p, const char *string) {
  cedar_put(p, string, strlen(string));
}

void cedar_put_long(struct cedar_printer *p, int64_t i) {
  char text[32];

  snprintf(text, sizeof(text), "%lld", (long long)i);
  cedar_puts(p, text);
}

struct cedar_text cedar_printer_sym(struct cedar_printer *p, uint32_t sym) {
  struct cedar_text text =
      p->request == NULL ? cedar_sym_text(p->store, sym) : cedar_request_text(p->request, sym);

  if (text.ptr == NULL)
    p->ok = false;
  return text;
}

const struct cedar_node *cedar_printer_node(struct cedar_printer *p, uint32_t node) {
  const struct cedar_node *found = cedar_node_get(p->store, node);

  if (found != NULL)
    return found;
  node -= p->store->code.n;
  if (p->residue != NULL && node < p->residue->node_n)
    return &p->residue->nodes[node];
  p->ok = false;
  return NULL;
}

const uint32_t *cedar_printer_kids(struct cedar_printer *p, uint32_t first, uint32_t count) {
  static const uint32_t none[1];
  const uint32_t *kids = count == 0 ? none : cedar_code_get(p->store, first, count);

  if (kids != NULL)
    return kids;
  first -= p->store->code.n;
  if (p->residue != NULL && first <= p->residue->kid_n && count <= p->residue->kid_n - first)
    return p->residue->kids + first;
  p->ok = false;
  return NULL;
}

/* The escape of a scalar inside a Cedar text; NULL when it stands for itself. */
static const char *escape_of(uint32_t scalar, char room[16]) {
  static const struct {
    char c;
    char text[3];
  } known[] = {{'\n', "\\n"},  {'\r', "\\r"}, {'\t', "\\t"},
               {'\\', "\\\\"}, {'\0', "\\0"}, {'"', "\\\""}};
  size_t i;

  for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
    if (scalar == (unsigned char)known[i].c)
      return known[i].text;
  /* Control and direction characters would show a reader something else than what is there. */
  if (scalar < 0x20 || (scalar >= 0x7f && scalar < 0xa0) ||
      (scalar >= 0x200b && scalar <= 0x200f) || (scalar >= 0x2028 && scalar <= 0x202e) ||
      (scalar >= 0x2060 && scalar <= 0x206f) || scalar == 0xfeff) {
    snprintf(room, 16, "\\u{%x}", (unsigned int)scalar);
    return room;
  }
  return NULL;
}

static void put_quoted(struct cedar_printer *p, struct cedar_text text, bool pattern) {
  char room[16];
  size_t i = 0;

  cedar_puts(p, "\"");
  while (p->ok && i < text.len) {
    uint32_t scalar = 0;
    const char *escape;
    size_t n;

    if (pattern && (text.ptr[i] == CEDAR_WILDCARD || text.ptr[i] == '*')) {
      cedar_puts(p, text.ptr[i] == '*' ? "\\*" : "*");
      i++;
      continue;
    }
    n = cedar_utf8_next(text.ptr + i, text.len - i, &scalar);
    if (n == 0) {
      p->ok = false;
      return;
    }
    escape = escape_of(scalar, room);
    if (escape != NULL)
      cedar_puts(p, escape);
    else
      cedar_put(p, text.ptr + i, n);
    i += n;
  }
  cedar_puts(p, "\"");
}

void cedar_put_string(struct cedar_printer *p, struct cedar_text text) {
  put_quoted(p, text, false);
}

void cedar_put_pattern(struct cedar_printer *p, struct cedar_text pattern) {
  put_quoted(p, pattern, true);
}

void cedar_put_json_string(struct cedar_printer *p, struct cedar_text text) {
  char room[8];
  size_t i, from = 0;

  cedar_puts(p, "\"");
  for (i = 0; i < text.len; i++) {
    unsigned char c = (unsigned char)text.ptr[i];

    if (c >= 0x20 && c != '"' && c != '\\' && c != 0x7f)
      continue;
    cedar_put(p, text.ptr + from, i - from);
    from = i + 1;
    if (c == '"' || c == '\\')
      snprintf(room, sizeof(room), "\\%c", c);
    else
      snprintf(room, sizeof(room), "\\u%04x", c);
    cedar_puts(p, room);
  }
  cedar_put(p, text.ptr + from, text.len - from);
  cedar_puts(p, "\"");
}

void cedar_put_uid(struct cedar_printer *p, uint32_t uid) {
  const struct cedar_uid *u = p->request == NULL ? cedar_uid_get(p->store, uid) : NULL;
  uint32_t type = CEDAR_NONE, id = CEDAR_NONE;
  struct cedar_text text;

  if (u != NULL) {
    type = u->type;
    id = u->id;
  } else if (p->request == NULL || !cedar_request_uid_parts(p->request, uid, &type, &id)) {
    p->ok = false;
    return;
  }
  text = cedar_printer_sym(p, type);
  cedar_put(p, text.ptr, text.len);
  cedar_puts(p, "::");
  cedar_put_string(p, cedar_printer_sym(p, id));
}

static void put_key(struct cedar_printer *p, uint32_t key) {
  struct cedar_text text = cedar_printer_sym(p, key);

  if (p->ok && cedar_is_ident(text) && !cedar_is_reserved(text))
    cedar_put(p, text.ptr, text.len);
  else if (p->ok)
    cedar_put_string(p, text);
}

static void put_container(struct cedar_printer *p, struct cedar_value value) {
  const struct cedar_value *elements = cedar_value_elements(p->store, value);
  const struct cedar_field *fields = cedar_value_fields(p->store, value);
  bool set = value.kind == CEDAR_KIND_SET;
  uint32_t i;

  if (value.n > 0 && elements == NULL && fields == NULL)
    p->ok = false;
  cedar_puts(p, set ? "[" : "{");
  for (i = 0; p->ok && i < value.n; i++) {
    if (i > 0)
      cedar_puts(p, ", ");
    if (set) {
      cedar_put_value(p, cedar_value_child(value, elements[i]));
      continue;
    }
    put_key(p, fields[i].key);
    cedar_puts(p, ": ");
    cedar_put_value(p, cedar_value_child(value, fields[i].value));
  }
  cedar_puts(p, set ? "]" : "}");
}

static void put_extension(struct cedar_printer *p, struct cedar_value value) {
  struct cedar_ext_value ext;
  char text[CEDAR_EXT_TEXT];

  if (!cedar_ext_load(p->store, value, &ext)) {
    p->ok = false;
    return;
  }
  cedar_ext_print(&ext, text);
  cedar_puts(p, text);
}

void cedar_put_value(struct cedar_printer *p, struct cedar_value value) {
  if (!p->ok || p->depth > 2 * CEDAR_MAX_DEPTH) {
    p->ok = false;
    return;
  }
  p->depth++;
  switch (value.kind) {
  case CEDAR_KIND_BOOL:
    cedar_puts(p, value.u.i ? "true" : "false");
    break;
  case CEDAR_KIND_LONG:
    cedar_put_long(p, value.u.i);
    break;
  case CEDAR_KIND_STRING:
    cedar_put_string(p, cedar_printer_sym(p, value.u.id));
    break;
  case CEDAR_KIND_ENTITY:
    cedar_put_uid(p, value.u.id);
    break;
  case CEDAR_KIND_SET:
  case CEDAR_KIND_RECORD:
    put_container(p, value);
    break;
  case CEDAR_KIND_DECIMAL:
  case CEDAR_KIND_IPADDR:
  case CEDAR_KIND_DATETIME:
  case CEDAR_KIND_DURATION:
    put_extension(p, value);
    break;
  default:
    p->ok = false;
  }
  p->depth--;
}
