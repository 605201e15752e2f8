/*
 * JSON values to Cedar values, with or without an expected type.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CEDAR_READER_H
#define CEDAR_READER_H

#include "ext.h"
#include "json.h"
#include "schema.h"
#include "store.h"

/* Where the values go: the arrays of a store, or the memory of a request. */
struct cedar_maker {
  void *ctx;
  const struct cedar_store *store; /* for comparing values */
  enum cedar_status (*sym)(void *ctx, struct cedar_text text, uint32_t *sym_out);
  enum cedar_status (*uid)(void *ctx, struct cedar_uid_text text, uint32_t *uid_out);
  /* values and fields are the reader's and may be reordered */
  enum cedar_status (*set)(void *ctx, struct cedar_value *values, uint32_t count,
                           struct cedar_value *out);
  enum cedar_status (*record)(void *ctx, struct cedar_field *fields, uint32_t count,
                              struct cedar_value *out);
  enum cedar_status (*ext)(void *ctx, const struct cedar_ext_value *ext, struct cedar_value *out);
};

struct cedar_reader {
  struct cedar_maker maker;
  const struct cedar_source *source;
  const struct cedar_schema *schema; /* may be NULL */
  struct cedar_arena *scratch;
  struct cedar_error *error;
};

/* A maker that puts values into a store which is being built. */
struct cedar_maker cedar_store_maker(struct cedar_store *store);

/*
 * Reads one value.
 *   in   type: what the schema expects there, NULL without a schema
 *   gives  CEDAR_OK, CEDAR_INVALID (also: does not conform), CEDAR_LIMIT, CEDAR_NOMEM
 */
CEDAR_MUST_CHECK enum cedar_status cedar_value_read(struct cedar_reader *r,
                                                    const struct cedar_json *json,
                                                    const struct cedar_type *type,
                                                    struct cedar_value *value_out);

/* Fields in the reader's scratch, sorted by key. */
struct cedar_fields {
  struct cedar_field *at;
  uint32_t count;
};

/*
 * Reads the members of an object.
 *   in   type: record type they must conform to, or NULL
 *   in   each: without a type, what every value must be (tags), or NULL
 */
CEDAR_MUST_CHECK enum cedar_status cedar_fields_read(struct cedar_reader *r,
                                                     const struct cedar_json *json,
                                                     const struct cedar_type *type,
                                                     const struct cedar_type *each,
                                                     struct cedar_fields *fields_out);

/* Reads {"type","id"} or {"__entity":{..}}. The texts are borrowed from the JSON. */
CEDAR_MUST_CHECK enum cedar_status cedar_uid_read(struct cedar_reader *r,
                                                  const struct cedar_json *json,
                                                  struct cedar_uid_text *uid_out);

/* With a schema: the entity's type is declared and, for an enum, its id is one of the enum's. */
CEDAR_MUST_CHECK enum cedar_status cedar_uid_conforms(struct cedar_reader *r,
                                                      const struct cedar_json *json,
                                                      struct cedar_uid_text uid);

/* A failure at a JSON value for a status that has no message yet. */
enum cedar_status cedar_reader_status(struct cedar_reader *r, const struct cedar_json *json,
                                      enum cedar_status status);

/* How a type is called in messages; written into out. */
const char *cedar_type_name(const struct cedar_type *type, char *out, size_t size);

#endif
