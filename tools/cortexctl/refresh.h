/*
 * Keeping issuers' keys in the cache fresh: when each is fetched, and what becomes of the answer.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXCTL_REFRESH_H
#define CORTEXCTL_REFRESH_H

#include <cortexauth/settings.h>

enum refresh_mode {
  REFRESH_ONCE,      /* all that their issuers do not call fresh, then end */
  REFRESH_REQUESTED, /* what is due and what logins ask for; ends when nothing is left */
  REFRESH_WATCH      /* the same, until a signal */
};

struct refresh_options {
  enum refresh_mode mode;
  const char *label; /* NULL: every issuer */
  bool is_forced;    /* what is fresh is fetched too, and without condition */
  int signals;       /* readable when the run should end; -1: nothing ends it */
};

struct refresh_outcome {
  size_t issuers; /* whose keys are fetched at all */
  size_t failed;  /* of these, whose last attempt in this run failed */
  bool is_tidy;   /* nothing was left that asks for more and cannot be served */
};

/*
 * Runs; prints a line for each issuer that was fetched or is fresh, complains
 * of each failure. All issuers are asked at the same time, each within ten
 * seconds; a broken answer leaves the cache as it is.
 *   gives  false, after a complaint, when it cannot run at all
 */
bool refresh_run(const struct cortex_settings *settings, const struct refresh_options *options,
                 struct refresh_outcome *outcome_out);

#endif
