/*
 * The question that the helper is asked: a response, and whom to believe.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SAML_QUESTION_H
#define SAML_QUESTION_H

#include <stdbool.h>
#include <stdint.h>

#include "util/error.h"
#include "util/json.h"

/* One [saml] section. Strings are borrowed from the question's JSON. */
struct saml_provider {
  const char *label;
  const char *metadata; /* NULL: not available, why says why */
  const char *why;
  bool is_stale; /* it is there, but was fetched too long ago */
  const char *entity_id; /* NULL: the only identity provider of the metadata */
  const char *anchors;   /* PEM certificates that sign the metadata; NULL: it is believed as it is */
  const char *audience;  /* our entity ID */
  const char *acs_url;
  const char *key; /* PEM, to decrypt with; NULL: none */
  const cx_json *algorithms;
  bool unsolicited;
  int64_t skew;
};

struct saml_question {
  const cx_json *json;
  bool is_inspection;   /* what does the metadata of the one provider hold? There is no response. */
  const char *response; /* XML */
  const char *request;  /* ID of the request that must be answered; NULL: not known */
  int64_t now;
};

/*
 *   out  question_out: release with saml_question_clear, on failure too
 *   gives  CORTEX_OK, CORTEX_INTERNAL (not a question of ours)
 */
CORTEX_MUSTCHECK enum cortex_reason saml_question_parse(const char *bytes, size_t len,
                                                        struct saml_question *question_out,
                                                        struct cortex_error *error);
void saml_question_clear(struct saml_question *question);

/* The provider at an index; false past the last. */
bool saml_question_provider(const struct saml_question *question, size_t index,
                            struct saml_provider *provider_out);

#endif
