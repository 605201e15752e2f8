/*
 * What a refresh remembers of an issuer, beside its keys: LABEL.refresh.json.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXCTL_REFRESH_STATE_H
#define CORTEXCTL_REFRESH_STATE_H

#include <stdint.h>

#include "cache_file.h"
#include "common/fetch.h"

#define REFRESH_URL_MAX 2047

/* Times in seconds since 1970; 0: never. All zero: nothing is remembered. */
struct refresh_state {
  int64_t asked;       /* when the answer that is held was asked for */
  int64_t fresh_until; /* as the issuer says; 0: it does not */
  int64_t next;        /* when it is asked again */
  int64_t requested;   /* when a login's request was served last */
  int64_t failed;      /* when it could not be fetched last, unless it could be since */
  int64_t failures;    /* in a row */
  char etag[FETCH_ETAG_MAX + 1];
  char url[REFRESH_URL_MAX + 1]; /* what the etag is of */
  char error[512];               /* of the last failure */
};

/* What cannot be read counts as nothing: it is fetched again. */
void refresh_state_load(const struct cache_place *place, struct refresh_state *state_out);

/* False with errno. */
bool refresh_state_save(const struct cache_place *place, const struct refresh_state *state);

#endif
