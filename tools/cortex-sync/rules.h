/*
 * What the configuration itself wants: roles that come from no directory, and attributes.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_RULES_H
#define SYNC_RULES_H

#include <cortexauth/cortexauth.h>

#include "model.h"

/* The source of what a rule makes; no directory can have this label. */
#define RULES_LABEL "[role]"

/* The rules of a login's name are those of every role that we make. */
enum cortex_reason rules_check_name(const struct cortex_settings *settings, const char *name,
                                    struct cortex_error *why);

/*
 * Wants a group role.
 *   out  role_out: its number; NAMES_NONE where the name was rejected
 *   gives  false without memory
 */
bool rules_want_group(const struct cortex_settings *settings, struct model *model,
                      const char *name, uint32_t *role_out);

/*
 * The [role] sections of a cluster: groups and logins with their memberships and attributes.
 *   in   cluster: its label; NULL where there is only one
 *   gives  false without memory
 */
bool rules_want_roles(const struct cortex_settings *settings, struct model *model,
                      const char *cluster);

/* The same for kind = people, once everybody is known. */
bool rules_want_people(const struct cortex_settings *settings, struct model *model,
                       const char *cluster);

/* True when a wanted group role would be a member of itself, by whatever way. */
bool rules_has_loop(const struct model *model);

#endif
