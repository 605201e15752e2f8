/*
 * A loaded policy: the Cedar store and what is read out of it once.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_POLICY_POLICY_H
#define CX_POLICY_POLICY_H

#include <cortexauth/cedar.h>
#include <cortexauth/decision.h>

#include "settings/settings.h"
#include "util/error.h"
#include "util/hash.h"

struct cortex_policy {
  struct cedar_store *store;
  char digest[CX_HASH_HEX + 1];
  size_t service_count;
  uint32_t *sorted;         /* services' entities, sorted by name; NULL: they are in the image */
  struct cx_image *image;   /* what the store reads from; NULL: it was made from text */
  struct cx_list protected; /* [roles] */
  bool assume;
  bool jit;
  int64_t session_max;     /* seconds */
  int64_t session_default; /* seconds */
};

/* The decision's levels that the policy permits whatever the login is; 0 unless [roles] jit. */
unsigned cx_decision_standing(const struct cortex_decision *decision);

/*
 * As cortex_policy_load(), and says why an image that is meant to be used was passed over.
 *   out  fault: set only then, whatever the answer is
 */
CORTEX_MUSTCHECK enum cortex_reason cx_policy_load(const struct cortex_settings *settings,
                                                   struct cortex_policy **policy_out,
                                                   struct cortex_error *fault,
                                                   struct cortex_error *error);

/* A Cedar failure as ours. */
enum cortex_reason cx_policy_error(struct cortex_error *error, enum cortex_reason reason,
                                   const struct cedar_error *why);

/* Tells a new store the words that requests will name; false without memory. */
CORTEX_MUSTCHECK bool cx_policy_expect(struct cedar_store *store);

/* A NUL-terminated text for Cedar, and a Cedar text as a new C string. */
struct cedar_text cx_cedar_text(const char *text);
CORTEX_MUSTCHECK char *cx_cedar_dup(struct cedar_text text);

/* Checks and sorts the services of a sealed store; every fault names file, line and service. */
CORTEX_MUSTCHECK enum cortex_reason cx_services_sort(struct cortex_policy *policy,
                                                     struct cortex_error *error);

/* The name of a service; "" past the end. */
const char *cx_service_name(const struct cortex_policy *policy, size_t index);

/* The database of a service, which is all that a question needs of it; NULL: no such service. */
const char *cx_service_database(const struct cortex_policy *policy, const char *name);

/* True when the question is about a role that is not the person's own. */
bool cx_question_assumes(const struct cortex_policy *policy,
                         const struct cortex_question *question);

/* The levels that a question asks for, as bits: the three levels, or assume alone. */
unsigned cx_question_levels(const struct cortex_policy *policy,
                            const struct cortex_question *question);

/* The one level that a role of the form USER/LEVEL is for, where such roles are made; else 0. */
unsigned cx_question_own_level(const struct cortex_policy *policy,
                               const struct cortex_question *question);

/*
 * Of these levels the ones that the policy permits whatever the login is.
 *   out  standing_out: bits of enum cortex_level
 *   gives  CORTEX_OK, CORTEX_INTERNAL
 */
CORTEX_MUSTCHECK enum cortex_reason cx_standing_levels(const struct cortex_policy *policy,
                                                       const struct cortex_question *question,
                                                       unsigned levels, unsigned *standing_out,
                                                       struct cortex_error *error);

/* What is asked before any policy: service, database, role. */
CORTEX_MUSTCHECK enum cortex_reason cx_question_check(const struct cortex_policy *policy,
                                                      const struct cortex_question *question,
                                                      struct cortex_error *error);

/*
 * The Cedar request of a question: the principal with its attributes, tags and
 * groups, the context, and the resource. The action is set by cx_request_ask.
 */
CORTEX_MUSTCHECK enum cortex_reason cx_request_build(const struct cortex_policy *policy,
                                                     const struct cortex_question *question,
                                                     struct cedar_request **request_out,
                                                     struct cortex_error *error);

/* The principal with its attributes, tags and groups; false without memory. */
CORTEX_MUSTCHECK bool cx_request_put_principal(struct cedar_request *request,
                                               const struct cortex_identity *identity);

/* Points a request at the question's service, or at the role that it assumes there. */
void cx_request_point(struct cedar_request *request, const struct cortex_question *question,
                      bool assumes);

/* Asks for one level of what the request points at. */
void cx_request_ask(struct cedar_request *request, unsigned level);

#endif
