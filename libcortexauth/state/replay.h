/*
 * The one-use memory: a credential opens once on this host, or within a window
 * again for the same address, role and service.
 * SPDX-License-Identifier: PostgreSQL
 *
 * File `used`, of fixed size: 2048 buckets of one page, each with 63 entries of
 * 64 bytes. A credential's hash names two buckets that it may stand in, so a
 * login reads two pages and writes one entry, however many there are.
 */
#ifndef CX_STATE_REPLAY_H
#define CX_STATE_REPLAY_H

#include "state/folder.h"

#define CX_REPLAY_FILE "used"
#ifndef CX_REPLAY_BUCKETS
#define CX_REPLAY_BUCKETS 2048
#endif
#define CX_REPLAY_SLOTS 63
#define CX_REPLAY_BUCKET 4096 /* bytes */

/*
 * Entries are kept so much longer than their credential says: the most that
 * clock_skew can be, whatever it is changed to meanwhile.
 */
#define CX_REPLAY_MARGIN 600

struct cx_use {
  const char *token_id; /* identity->token_id: one text for one credential */
  int64_t usable_until; /* the credential's own end, seconds since 1970 */
  int64_t window;       /* seconds; 0: only once */
  int64_t now;          /* seconds since 1970 */
  const char *service;
  const char *role;
  const char *address; /* NULL: a Unix socket */
};

/*
 * Uses a credential up. Of several processes that come with one at the same
 * instant one is first, and the others meet its entry.
 *
 * A kill at any point leaves the file as it was or with this entry; only
 * entries whose credential has ended make room for others. What was removed
 * while the clock stood ahead cannot be told apart from what was never there,
 * so after a step back credentials that ended before are refused.
 *
 *   gives  CORTEX_OK, CORTEX_REPLAYED, CORTEX_REPLAY_FULL (both buckets hold
 *          live entries only), CORTEX_STATE_UNAVAILABLE, CORTEX_INTERNAL
 */
CORTEX_MUSTCHECK enum cortex_reason cx_replay_use(const struct cortex_settings *settings,
                                                  const struct cx_use *use,
                                                  const struct cx_wait *wait,
                                                  struct cortex_error *error);

#endif
