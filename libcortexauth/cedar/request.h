/*
 * A request: names and values of its own beside a store that it only reads.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CEDAR_REQUEST_H
#define CEDAR_REQUEST_H

#include "entity.h"
#include "reader.h"

/*
 * Symbols and uids that the store does not have get numbers from its count upward; equal ones the
 * same, so the comparisons of the store hold.
 */
struct cedar_local_sym {
  struct cedar_text text;
  uint32_t hash;
};

struct cedar_local_slot {
  uint32_t turn; /* taken when it is the request's */
  uint32_t number;
};

struct cedar_local_uid {
  uint32_t type;
  uint32_t id;
};

struct cedar_request {
  const struct cedar_store *store;
  struct cedar_allocator alloc;
  struct cedar_arena arena; /* what building made; reset with the request */
  struct cedar_arena work;  /* what one decision makes; reset by each */
  uint32_t turn;            /* changes at every reset, so that slots need no clearing */

  struct cedar_local_sym *syms;
  uint32_t sym_n;
  uint32_t sym_cap;
  struct cedar_local_slot *slots;
  uint32_t slot_cap;
  struct cedar_local_uid *uids;
  uint32_t uid_n;
  uint32_t uid_cap;

  uint32_t var[3]; /* uids of principal, action, resource; CEDAR_NONE when not set */
  const struct cedar_uid *named[3]; /* of them the names that the store has */
  struct cedar_field *context;
  uint32_t context_n;
  uint32_t context_cap;

  bool overlay; /* the principal is as below, whatever the store says */
  bool ready;   /* context and overlay are sorted, ancestors are known */
  struct cedar_field *attrs;
  uint32_t attr_n;
  uint32_t attr_cap;
  struct cedar_field *tags;
  uint32_t tag_n;
  uint32_t tag_cap;
  uint32_t *parents;
  uint32_t parent_n;
  uint32_t parent_cap;
  uint32_t *ancestors; /* in the arena */
  uint32_t ancestor_n;
  uint32_t *resource_above; /* what the resource is in, in the arena; NULL: as the store says */
  uint32_t resource_above_n;

  struct cedar_error error; /* the first failure of building */
};

/* Keeps a failure; gives status. */
__attribute__((format(printf, 3, 4))) enum cedar_status
cedar_request_fail(struct cedar_request *request, enum cedar_status status, const char *format,
                   ...);

uint32_t cedar_request_sym(struct cedar_request *request, struct cedar_text text);
uint32_t cedar_request_uid(struct cedar_request *request, struct cedar_uid_text uid);
void cedar_request_set(struct cedar_request *request, enum cedar_var var,
                       struct cedar_uid_text uid);

/* Bytes of a symbol of the store or the request; ptr NULL when the number is bad. */
struct cedar_text cedar_request_text(const struct cedar_request *request, uint32_t sym);

/* Type and id symbols of a uid of either. */
bool cedar_request_uid_parts(const struct cedar_request *request, uint32_t uid, uint32_t *type_out,
                             uint32_t *id_out);

/* What the request itself says that an entity is in; false when the store's word counts. */
bool cedar_request_reach(const struct cedar_request *request, uint32_t uid,
                         const uint32_t **above_out, uint32_t *count_out);

/* Adds a field to the context whose key is a symbol already. */
CEDAR_MUST_CHECK enum cedar_status cedar_request_context_field(struct cedar_request *request,
                                                               const struct cedar_field *field);

/* A maker that puts values into the request. */
struct cedar_maker cedar_request_maker(struct cedar_request *request);

/* Sorts what was built and finds the overlay's ancestors; gives the failure building met. */
CEDAR_MUST_CHECK enum cedar_status cedar_request_settle(struct cedar_request *request,
                                                        struct cedar_error *error);

#endif
