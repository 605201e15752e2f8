/*
 * Profiles: where a token comes from and which database it is for.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEX_LOGIN_PROFILE_H
#define CORTEX_LOGIN_PROFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/cli.h"

#define PROFILE_NAME_MAX 32

enum profile_flow { FLOW_BROWSER, FLOW_DEVICE, FLOW_CLIENT, FLOW_TOKEN_FILE, FLOW_SAML };
enum profile_use { USE_ID, USE_ACCESS };
enum profile_client_auth { AUTH_NONE, AUTH_BASIC, AUTH_POST, AUTH_PRIVATE_KEY_JWT };

/* The keys as they are written, NULL: without value; then what they mean. */
struct profile {
#define OPTION(name, type, otherwise) char *name;
#include "option_list.h"
#undef OPTION
  char label[PROFILE_NAME_MAX + 1];
  const char *file; /* borrowed from the profiles */
  unsigned line;
  enum profile_flow flow_kind;
  enum profile_use use_kind;
  enum profile_client_auth auth_kind;
  int64_t renew_seconds;
  int64_t timeout_seconds;
  bool is_cached;
  bool checks_relay_state;
};

/* All profiles of the user's file, then those of the system's that have other names. */
struct profiles {
  struct profile *items;
  size_t count;
  char *files[2];
  bool is_hidden; /* the system's may be there, but not for this user */
};

/*
 * Reads FILE, or where that is NULL the user's and the system's file.
 *   gives  CLI_DONE, or CLI_USAGE after a complaint with FILE:LINE
 */
enum cli_exit profiles_load(const char *file, struct profiles *profiles_out);
void profiles_clear(struct profiles *profiles);

/*
 * The profile of a name; where that is NULL the one named "default", or the only one.
 *   gives  NULL after a complaint that names those there are
 */
struct profile *profiles_find(struct profiles *profiles, const char *name);

/* Another flow than the profile's; false after a complaint when it does not know enough for it. */
bool profile_set_flow(struct profile *profile, const char *flow);

/* True when the flow needs a person. */
bool profile_is_personal(const struct profile *profile);

/* Calls for each item of a value that may be repeated, until it gives false. */
bool profile_each(const char *values, bool (*call)(void *context, const char *item), void *context);

#endif
