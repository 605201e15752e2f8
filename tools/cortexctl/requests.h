/*
 * The requests that logins leave when they lack an issuer's keys or a policy image: files in
 * requests/ of the state.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXCTL_REQUESTS_H
#define CORTEXCTL_REQUESTS_H

#include <cortexauth/settings.h>
#include <stdbool.h>

struct requests {
  char *folder;
  int watch;       /* readable when something is new */
  bool is_watched; /* false: it has to be looked for */
};

/* Names the folder; with a watch on it where the system allows one. False: no memory. */
bool requests_open(const struct cortex_settings *settings, bool is_watched,
                   struct requests *requests_out);
void requests_close(struct requests *requests);

/* True when this issuer, or CORTEX_REQUEST_IMAGE, is asked for; takes no request away. */
bool requests_has(const struct requests *requests, const char *label);

/* Takes an issuer's request away: one that is left after this asks for a later refresh. */
void requests_take(const struct requests *requests, const char *label);

/*
 * Renews the watch, and removes what is no request for one of the settings'
 * issuers: a path unit would start again and again because of it.
 *   gives  false, after a complaint, when something is left, or cannot be seen
 */
bool requests_tidy(struct requests *requests, const struct cortex_settings *settings);

#endif
