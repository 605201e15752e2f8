/*
 * JSON policies to nodes: policies in est.c, expressions in est_expr.c.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CEDAR_EST_H
#define CEDAR_EST_H

#include "build.h"
#include "json.h"

/* Records a failure at a JSON value; gives CEDAR_NONE. */
__attribute__((format(printf, 3, 4))) uint32_t
cedar_est_fail(struct cedar_build *b, const struct cedar_json *json, const char *format, ...);

/* A member of an object that must be there; NULL after a failure. */
const struct cedar_json *cedar_est_member(struct cedar_build *b, const struct cedar_json *json,
                                          const char *key);

/* A member that must be a string. */
bool cedar_est_string(struct cedar_build *b, const struct cedar_json *json, const char *key,
                      struct cedar_text *out);

typedef char cedar_est_key[16];

/* The object has none but these members (a list that ends with an empty one). */
bool cedar_est_only(struct cedar_build *b, const struct cedar_json *json,
                    const cedar_est_key *keys);

/* {"type","id"} or {"__entity":{..}} as a uid. */
uint32_t cedar_est_uid(struct cedar_build *b, const struct cedar_json *json);

/* A type's name as a symbol. */
uint32_t cedar_est_type(struct cedar_build *b, const struct cedar_json *json, const char *key);

/* An expression; gives its node. */
uint32_t cedar_est_expr(struct cedar_build *b, const struct cedar_json *json);

#endif
