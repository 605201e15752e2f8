/*
 * Changes to a finished token, for tests: what an attacker does to bytes.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "mutate.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "jwt.h"
#include "util/base64url.h"

struct bytes {
  uint8_t bytes[70000];
  size_t len;
};

static const char *text_of(const json_t *step, size_t index) {
  const char *text = json_string_value(json_array_get(step, index));

  return text != NULL ? text : "";
}

static size_t len_of(const json_t *step, size_t index) {
  return json_string_length(json_array_get(step, index));
}

static size_t number_of(const json_t *step, size_t index) {
  return (size_t)json_integer_value(json_array_get(step, index));
}

/* Puts new bytes in place of len bytes at an offset. */
static void splice(struct mutable_token *token, size_t offset, size_t len, const void *bytes,
                   size_t bytes_len) {
  char *changed = malloc(token->len - len + bytes_len + 1);

  memcpy(changed, token->bytes, offset);
  memcpy(changed + offset, bytes, bytes_len);
  memcpy(changed + offset + bytes_len, token->bytes + offset + len, token->len - offset - len);
  token->len = token->len - len + bytes_len;
  changed[token->len] = '\0';
  free(token->bytes);
  token->bytes = changed;
}

static size_t find_part(const struct mutable_token *token, size_t part, size_t *len_out) {
  const char *at = token->bytes;

  for (; part > 0 && strchr(at, '.') != NULL; part--)
    at = strchr(at, '.') + 1;
  *len_out = strcspn(at, ".");
  return (size_t)(at - token->bytes);
}

static void from_hex(const char *hex, struct bytes *out) {
  unsigned byte;

  for (out->len = 0; sscanf(hex + 2 * out->len, "%2x", &byte) == 1; out->len++)
    out->bytes[out->len] = (uint8_t)byte;
}

static void decode_part(const struct mutable_token *token, size_t part, struct bytes *out) {
  size_t len, offset = find_part(token, part, &len);

  if (!cx_base64url_decode(token->bytes + offset, len, out->bytes, &out->len))
    out->len = 0;
}

static void put_part(struct mutable_token *token, size_t part, const char *text) {
  size_t len, offset = find_part(token, part, &len);

  splice(token, offset, len, text, strlen(text));
}

static void encode_part(struct mutable_token *token, size_t part, const struct bytes *bytes) {
  char *text = jwt_encode(bytes->bytes, bytes->len);

  put_part(token, part, text);
  free(text);
}

static void do_append(struct mutable_token *token, const json_t *step) {
  splice(token, token->len, 0, text_of(step, 1), len_of(step, 1));
}

static void do_prepend(struct mutable_token *token, const json_t *step) {
  splice(token, 0, 0, text_of(step, 1), len_of(step, 1));
}

static void do_insert(struct mutable_token *token, const json_t *step) {
  splice(token, number_of(step, 1), 0, text_of(step, 2), len_of(step, 2));
}

static void do_literal(struct mutable_token *token, const json_t *step) {
  splice(token, 0, token->len, text_of(step, 1), len_of(step, 1));
}

static void do_hex(struct mutable_token *token, const json_t *step) {
  struct bytes bytes;

  from_hex(text_of(step, 1), &bytes);
  splice(token, 0, token->len, bytes.bytes, bytes.len);
}

static void do_repeat(struct mutable_token *token, const json_t *step) {
  size_t count = number_of(step, 2);

  for (; count > 0; count--)
    do_append(token, step);
}

static void do_part(struct mutable_token *token, const json_t *step) {
  put_part(token, number_of(step, 1), text_of(step, 2));
}

/* The part goes with one of its dots. */
static void do_drop(struct mutable_token *token, const json_t *step) {
  size_t len, offset = find_part(token, number_of(step, 1), &len);

  if (offset > 0)
    splice(token, offset - 1, len + 1, "", 0);
  else
    splice(token, 0, len + 1, "", 0);
}

static void do_flip(struct mutable_token *token, const json_t *step) {
  struct bytes bytes;

  decode_part(token, number_of(step, 1), &bytes);
  bytes.bytes[number_of(step, 2)] ^= 1;
  encode_part(token, number_of(step, 1), &bytes);
}

/* Another text of the same value: the last letter's unused bits are set. */
static void do_tail_bits(struct mutable_token *token, const json_t *step) {
  size_t len, offset = find_part(token, number_of(step, 1), &len);

  token->bytes[offset + len - 1]++;
}

static void do_signature(struct mutable_token *token, const json_t *step) {
  struct bytes bytes;

  from_hex(text_of(step, 1), &bytes);
  encode_part(token, 2, &bytes);
}

static void do_signature_prefix(struct mutable_token *token, const json_t *step) {
  struct bytes before, bytes;

  from_hex(text_of(step, 1), &before);
  decode_part(token, 2, &bytes);
  memcpy(before.bytes + before.len, bytes.bytes, bytes.len);
  before.len += bytes.len;
  encode_part(token, 2, &before);
}

static void do_signature_suffix(struct mutable_token *token, const json_t *step) {
  struct bytes after, bytes;

  from_hex(text_of(step, 1), &after);
  decode_part(token, 2, &bytes);
  memcpy(bytes.bytes + bytes.len, after.bytes, after.len);
  bytes.len += after.len;
  encode_part(token, 2, &bytes);
}

void mutate(struct mutable_token *token, const json_t *step) {
  static const struct {
    const char *name;
    void (*apply)(struct mutable_token *, const json_t *);
  } steps[] = {{"append", do_append},
               {"prepend", do_prepend},
               {"insert", do_insert},
               {"literal", do_literal},
               {"hex", do_hex},
               {"repeat", do_repeat},
               {"part", do_part},
               {"drop", do_drop},
               {"flip", do_flip},
               {"tail_bits", do_tail_bits},
               {"signature", do_signature},
               {"signature_prefix", do_signature_prefix},
               {"signature_suffix", do_signature_suffix}};
  size_t i;

  for (i = 0; i < sizeof steps / sizeof steps[0]; i++)
    if (strcmp(steps[i].name, text_of(step, 0)) == 0) {
      steps[i].apply(token, step);
      return;
    }
  printf("Bail out! no such step: %s\n", text_of(step, 0));
  exit(99);
}
