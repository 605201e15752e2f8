/*
 * Template links.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CEDAR_LINK_H
#define CEDAR_LINK_H

#include "json.h"
#include "store.h"

/*
 * Adds the links of a JSON array, whose items name their members in the CLI's way or in the way
 * of a JSON policy set.
 */
CEDAR_MUST_CHECK enum cedar_status cedar_links_load(struct cedar_store *store,
                                                    const struct cedar_source *source,
                                                    const struct cedar_json *json,
                                                    struct cedar_arena *scratch,
                                                    struct cedar_error *error);

#endif
