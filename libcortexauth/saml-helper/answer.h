/*
 * The helper's one answer to one question.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SAML_ANSWER_H
#define SAML_ANSWER_H

#include <stdbool.h>
#include <stddef.h>

#define SAML_QUESTION_MAX (16 * 1024 * 1024)
#define SAML_ANSWER_MAX (256 * 1024)

/*
 * Answers a question in JSON: {"ok":true,…} with the facts, or
 * {"ok":false,"error":CODE,"detail":TEXT,"label":LABEL}.
 *
 *   out  answer_out: release with free; NULL without memory
 */
char *saml_answer(const char *question, size_t len);

#endif
