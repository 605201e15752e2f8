/*
 * A service's entity, as the checks of services look at it.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXCTL_CHECK_ENTITY_H
#define CORTEXCTL_CHECK_ENTITY_H

#include "check.h"

/* Where it stands in the store, and what it is called. */
struct check_entity {
  const struct cedar_store *store;
  uint32_t index;
  struct cedar_entity_info info;
  char source[256];
};

/* false: there is none of that name. */
bool check_entity_find(const struct check *check, const char *service,
                       struct check_entity *entity_out);

bool check_is_text(struct cedar_text text, const char *other);
struct check_place check_entity_place(const struct check_entity *entity);

/*
 * Levels that some policy may permit on the service, but that grant no role; and roles that an
 * earlier service of the same server grants for another level. own: the service's number.
 */
void check_grants(struct check *check, size_t own, const struct cortex_service *service,
                  const struct check_entity *entity);

#endif
