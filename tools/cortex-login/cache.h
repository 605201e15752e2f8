/*
 * The private cache: tokens of a profile between runs, one process at a time.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEX_LOGIN_CACHE_H
#define CORTEX_LOGIN_CACHE_H

#include "profile.h"
#include "tokens.h"

/* One profile's place, locked. Begin with CACHE_NONE. */
struct cache {
  int folder;
  int lock;
  char *path; /* of the folder, for messages */
  const struct profile *profile;
};

#define CACHE_NONE                                                                                 \
  { -1, -1, NULL, NULL }

/*
 * Opens, and where needed makes, the folder, and locks the profile's place in
 * it; waits for another process that holds it, as long as a login may take. A
 * profile with cache = no gets a place that keeps nothing.
 *   gives  CLI_DONE; after a complaint CLI_USAGE when the folder cannot be made,
 *          or folder or files are not private; CLI_OUTSIDE
 */
enum cli_exit cache_open(const struct profile *profile, struct cache *cache_out);
void cache_close(struct cache *cache);

/*
 * The tokens kept for this profile as it is now; none when it was another
 * client or scope that got them.
 *   gives  CLI_DONE, with nothing in tokens when nothing is kept
 */
enum cli_exit cache_load(const struct cache *cache, struct tokens *tokens_out);

/* Replaces what is kept, in one step; false after a complaint. */
bool cache_store(const struct cache *cache, const struct tokens *tokens);

/* Forgets what is kept; false after a complaint. */
bool cache_remove(const struct cache *cache);

/*
 * Takes the lock of all password files, in the cache's folder. Who has no place for one, such as
 * a service in a container that may write its password file alone, goes on without.
 *   out  lock_out: to be closed, or -1
 *   gives  false after a complaint
 */
bool cache_lock_passfiles(int *lock_out);

#endif
