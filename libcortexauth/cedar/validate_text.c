/*
 * Warnings about texts that are not what they look like.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "validate.h"

void cedar_check_texts(struct cedar_checker *c, const struct cedar_policy *policy) {
  (void)c;
  (void)policy;
}
