/*
 * Changes to an XML text that keep most of its shape: what an attacker does to a response.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "xml_mutator.h"

#include <stdlib.h>
#include <string.h>

#define ELEMENTS_MAX 512

struct range {
  size_t at;
  size_t len;
};

/* An element: all of it, and what is between its tags. */
struct element {
  struct range whole;
  struct range inside;
};

struct document {
  uint8_t *text;
  size_t len;
  size_t room;
  unsigned random;
  struct element elements[ELEMENTS_MAX];
  size_t count;
};

static unsigned next_random(struct document *doc, size_t below) {
  doc->random = doc->random * 1103515245U + 12345U;
  return below == 0 ? 0 : (doc->random >> 8) % (unsigned)below;
}

/* Puts bytes in the place of a range; nothing happens where there is no room. */
static void splice(struct document *doc, struct range range, const void *bytes, size_t len) {
  if (doc->len - range.len + len > doc->room)
    return;
  memmove(doc->text + range.at + len, doc->text + range.at + range.len,
          doc->len - range.at - range.len);
  if (len > 0)
    memcpy(doc->text + range.at, bytes, len);
  doc->len = doc->len - range.len + len;
}

static size_t find_byte(const struct document *doc, size_t from, uint8_t byte) {
  const uint8_t *found = from < doc->len ? memchr(doc->text + from, byte, doc->len - from) : NULL;

  return found != NULL ? (size_t)(found - doc->text) : doc->len;
}

/* Start tags are matched with end tags by nesting alone; names are not compared. */
static void find_elements(struct document *doc) {
  size_t open[ELEMENTS_MAX], depth = 0, at, end;

  doc->count = 0;
  for (at = find_byte(doc, 0, '<'); at < doc->len; at = find_byte(doc, end, '<')) {
    end = find_byte(doc, at, '>');
    if (end == doc->len || at + 1 >= doc->len)
      return;
    end++;
    if (doc->text[at + 1] == '!' || doc->text[at + 1] == '?')
      continue;
    if (doc->text[at + 1] == '/') {
      if (depth > 0) {
        struct element *closed = &doc->elements[open[--depth]];

        closed->inside.len = at - closed->inside.at;
        closed->whole.len = end - closed->whole.at;
      }
      continue;
    }
    if (doc->count == ELEMENTS_MAX)
      return;
    doc->elements[doc->count].whole = (struct range){at, end - at};
    doc->elements[doc->count].inside = (struct range){end, 0};
    if (doc->text[end - 2] != '/' && depth < ELEMENTS_MAX)
      open[depth++] = doc->count;
    doc->count++;
  }
}

static struct element pick(struct document *doc) {
  return doc->elements[next_random(doc, doc->count)];
}

static uint8_t *copy_of(const struct document *doc, struct range range) {
  uint8_t *copy = malloc(range.len + 1);

  if (copy != NULL)
    memcpy(copy, doc->text + range.at, range.len);
  return copy;
}

/* Where something may be put in: before, after, or at either end inside of an element. */
static struct range pick_place(struct document *doc) {
  struct element element = pick(doc);
  size_t places[] = {element.whole.at, element.whole.at + element.whole.len, element.inside.at,
                     element.inside.at + element.inside.len};

  return (struct range){places[next_random(doc, 4)], 0};
}

static void remove_element(struct document *doc) {
  splice(doc, pick(doc).whole, NULL, 0);
}

static void empty_element(struct document *doc) {
  splice(doc, pick(doc).inside, NULL, 0);
}

static void copy_element(struct document *doc) {
  struct range from = pick(doc).whole;
  uint8_t *copy = copy_of(doc, from);

  if (copy != NULL)
    splice(doc, pick_place(doc), copy, from.len);
  free(copy);
}

static void replace_element(struct document *doc) {
  struct range from = pick(doc).whole;
  uint8_t *copy = copy_of(doc, from);

  if (copy != NULL)
    splice(doc, pick(doc).whole, copy, from.len);
  free(copy);
}

/* To a place outside of itself, so that it is moved and not lost. */
static void move_element(struct document *doc) {
  struct range from = pick(doc).whole, to = pick_place(doc);
  uint8_t *copy = copy_of(doc, from);

  if (copy != NULL && (to.at <= from.at || to.at >= from.at + from.len)) {
    splice(doc, from, NULL, 0);
    if (to.at > from.at)
      to.at -= from.len;
    splice(doc, to, copy, from.len);
  }
  free(copy);
}

static void wrap_element(struct document *doc) {
  static const char *const wrappers[][2] = {
      {"<samlp:Extensions>", "</samlp:Extensions>"},
      {"<saml:Advice>", "</saml:Advice>"},
      {"<ds:Object xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\">", "</ds:Object>"},
      {"<saml:AttributeValue>", "</saml:AttributeValue>"},
      {"<saml:EncryptedAssertion>", "</saml:EncryptedAssertion>"},
      {"<samlp:Response>", "</samlp:Response>"},
      {"<x xmlns=\"\">", "</x>"},
      {"<!--", "-->"},
      {"<![CDATA[", "]]>"}};
  const char *const *wrapper = wrappers[next_random(doc, sizeof wrappers / sizeof wrappers[0])];
  struct range range = pick(doc).whole;

  splice(doc, (struct range){range.at + range.len, 0}, wrapper[1], strlen(wrapper[1]));
  splice(doc, (struct range){range.at, 0}, wrapper[0], strlen(wrapper[0]));
}

static const char *const pieces[] = {
    "<!---->",
    "<!-- x -->",
    "<?x y?>",
    "<![CDATA[x]]>",
    "&amp;",
    "&#10;",
    "&#x0;",
    "&#xD800;",
    "&x;",
    "<b/>",
    "<b>x</b>",
    " ",
    "\n",
    "\t",
    "admin",
    "\xC2\x85",
    "\xF0\x9F\x98\x80",
    "\xFF",
    "]]>",
    "<",
    "2023-11-14T22:18:20Z",
    "2023-11-14T22:18:20.999999999999Z",
    "99999999999-01-01T00:00:00Z",
    "-0001-01-01T00:00:00+14:00",
    "2.0",
    "https://db.example/saml",
    "https://db.example/saml/acs",
    "https://idp.example/metadata",
    "urn:oasis:names:tc:SAML:2.0:status:Success",
    "urn:oasis:names:tc:SAML:2.0:cm:bearer",
    "http://www.w3.org/2001/10/xml-exc-c14n#",
    "http://www.w3.org/2001/10/xml-exc-c14n#WithComments",
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315",
    "http://www.w3.org/2000/09/xmldsig#enveloped-signature",
    "http://www.w3.org/2000/09/xmldsig#rsa-sha1",
    "http://www.w3.org/2001/04/xmldsig-more#rsa-sha512",
    "http://www.w3.org/2001/04/xmldsig-more#hmac-sha256",
    "http://www.w3.org/TR/1999/REC-xpath-19991116",
    "http://www.w3.org/2001/04/xmlenc#aes128-cbc",
    "http://www.w3.org/2009/xmlenc11#aes256-gcm",
    "#_a1",
    "#_r1",
    "_a1",
    "_r1",
    "AAAA",
    "",
};

static const char *pick_piece(struct document *doc) {
  return pieces[next_random(doc, sizeof pieces / sizeof pieces[0])];
}

/* Between two tags: somewhere into the text, or in place of it. */
static void change_text(struct document *doc) {
  struct range inside = pick(doc).inside;
  const char *piece = pick_piece(doc);

  if (next_random(doc, 2) == 0)
    inside = (struct range){inside.at + next_random(doc, inside.len + 1), 0};
  splice(doc, inside, piece, strlen(piece));
}

static void change_attribute(struct document *doc) {
  struct element element = pick(doc);
  size_t tag_end = element.inside.at, at = element.whole.at, from, end, number;
  const char *piece = pick_piece(doc);

  for (number = next_random(doc, 5) + 1; number > 0; number--) {
    from = find_byte(doc, at, '"') + 1;
    end = find_byte(doc, from, '"');
    if (end >= tag_end)
      return;
    at = end + 1;
  }
  splice(doc, (struct range){from, end - from}, piece, strlen(piece));
}

static void add_attribute(struct document *doc) {
  static const char *const attributes[] = {" ID=\"_a1\"",
                                           " Id=\"_a1\"",
                                           " xml:id=\"_a1\"",
                                           " xmlns=\"urn:x\"",
                                           " xmlns:saml=\"urn:x\"",
                                           " xmlns:v=\"1\"",
                                           " Version=\"2.0\"",
                                           " Recipient=\"x\"",
                                           " xsi:nil=\"true\"",
                                           " xml:base=\"file:/\"",
                                           " FriendlyName=\"groups\"",
                                           " Name=\"groups\""};
  const char *attribute = attributes[next_random(doc, sizeof attributes / sizeof attributes[0])];
  struct range whole = pick(doc).whole;
  size_t at = whole.at + 1;

  while (at < doc->len && strchr(" />", doc->text[at]) == NULL)
    at++;
  splice(doc, (struct range){at, 0}, attribute, strlen(attribute));
}

static void add_document_type(struct document *doc) {
  static const char type[] = "<!DOCTYPE x [<!ENTITY x \"admin\">]>";

  splice(doc, (struct range){0, 0}, type, sizeof type - 1);
}

static void change_byte(struct document *doc) {
  if (doc->len > 0)
    doc->text[next_random(doc, doc->len)] = (uint8_t)next_random(doc, 256);
}

static void cut(struct document *doc) {
  doc->len = next_random(doc, doc->len + 1);
}

size_t xml_mutate(uint8_t *text, size_t len, size_t room, unsigned seed) {
  static void (*const changes[])(struct document *) = {
      remove_element, empty_element,    copy_element,     copy_element,  move_element,
      move_element,   replace_element,  wrap_element,     change_text,   change_text,
      change_text,    change_attribute, change_attribute, add_attribute, change_byte};
  struct document doc = {.text = text, .len = len, .room = room, .random = seed};
  unsigned number = next_random(&doc, 200);

  find_elements(&doc);
  if (doc.count == 0 || number == 0)
    change_byte(&doc);
  else if (number == 1)
    add_document_type(&doc);
  else if (number == 2)
    cut(&doc);
  else
    changes[number % (sizeof changes / sizeof changes[0])](&doc);
  return doc.len;
}
