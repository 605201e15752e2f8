/*
 * The scope of a policy, conditions aside, as the checks look at it.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXCTL_CHECK_SCOPE_H
#define CORTEXCTL_CHECK_SCOPE_H

#include "check_entity.h"

/* The policy in Cedar's JSON format, the caller's; NULL: a template, which decides nothing. */
json_t *check_scope_read(const struct cedar_store *store, uint32_t index);

bool check_scope_has_action(const json_t *policy, const char *level);
bool check_scope_has_resource(const json_t *policy, const struct check_entity *service);

/*
 * The one entity that its resource must be or be in; false: it names none. The texts are the
 * policy's.
 */
bool check_scope_named_resource(const json_t *policy, const char **type_out, const char **id_out);

#endif
