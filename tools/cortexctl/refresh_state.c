/*
 * What a refresh remembers of an issuer, beside its keys: LABEL.refresh.json.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "refresh_state.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/out.h"

#define SUFFIX "refresh.json"
#define SIZE_MAX_BYTES 16384

struct number {
  const char *name;
  size_t offset;
};

struct text {
  const char *name;
  size_t offset;
  size_t size;
};

#define NUMBER(member) {#member, offsetof(struct refresh_state, member)}
#define TEXT(member)                                                                               \
  {                                                                                                \
#member, offsetof(struct refresh_state, member), sizeof((struct refresh_state *)0)->member     \
  }

static const struct number numbers[] = {NUMBER(asked),     NUMBER(fresh_until), NUMBER(next),
                                        NUMBER(requested), NUMBER(failed),      NUMBER(failures)};
static const struct text texts[] = {TEXT(etag), TEXT(url), TEXT(error)};

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

void refresh_state_load(const struct cache_place *place, struct refresh_state *state_out) {
  size_t len, i;
  char *bytes = cache_file_read(place, SUFFIX, SIZE_MAX_BYTES, &len);
  json_t *saved = bytes != NULL ? json_loadb(bytes, len, JSON_REJECT_DUPLICATES, NULL) : NULL;

  memset(state_out, 0, sizeof *state_out);
  for (i = 0; i < COUNT(numbers); i++) {
    json_int_t value = json_integer_value(json_object_get(saved, numbers[i].name));

    *(int64_t *)((char *)state_out + numbers[i].offset) = value > 0 ? value : 0;
  }
  for (i = 0; i < COUNT(texts); i++) {
    const char *value = json_string_value(json_object_get(saved, texts[i].name));

    if (value != NULL && strlen(value) < texts[i].size)
      memcpy((char *)state_out + texts[i].offset, value, strlen(value) + 1);
  }
  json_decref(saved);
  free(bytes);
}

bool refresh_state_save(const struct cache_place *place, const struct refresh_state *state) {
  json_t *saved = json_object();
  char *bytes;
  bool done;
  size_t i;

  for (i = 0; i < COUNT(numbers); i++)
    json_object_set_new(saved, numbers[i].name,
                        json_integer(*(const int64_t *)((const char *)state + numbers[i].offset)));
  for (i = 0; i < COUNT(texts); i++)
    json_object_set_new(saved, texts[i].name, out_text((const char *)state + texts[i].offset));
  bytes = json_dumps(saved, JSON_INDENT(1));
  json_decref(saved);
  if (bytes == NULL) {
    errno = ENOMEM;
    return false;
  }
  done = cache_file_write(place, SUFFIX, bytes, strlen(bytes));
  free(bytes);
  return done;
}
