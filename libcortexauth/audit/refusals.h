/*
 * Refusals that a stranger can cause: counted per address and minute.
 * SPDX-License-Identifier: PostgreSQL
 *
 * The counts stand in FILE.refusals, a file of fixed size that is only touched
 * under the audit file's lock. What is wrong with it costs counts, never a login.
 */
#ifndef CX_AUDIT_REFUSALS_H
#define CX_AUDIT_REFUSALS_H

#include <cortexauth/audit.h>

#include "util/buf.h"

#define CX_REFUSALS_CAP 20   /* records of an address in a minute */
#define CX_REFUSALS_SLOTS 16 /* addresses told apart in a minute; the last stands for all others */
#define CX_REFUSALS_ADDRESS_MAX 48

struct cx_refusals_slot {
  char address[CX_REFUSALS_ADDRESS_MAX];
  uint32_t written;
  uint32_t counted; /* beyond the cap */
};

/* As in the file. All zero is an empty table. */
struct cx_refusals_table {
  char magic[8];
  int64_t minute; /* since 1970 */
  struct cx_refusals_slot slots[CX_REFUSALS_SLOTS];
  uint64_t check;
};

struct cx_refusals {
  int fd; /* -1: no file */
  bool changed;
  bool damaged; /* the file held something else than a table */
  struct cx_refusals_table table;
};

/*
 * Opens FILE.refusals beside the audit file and reads it; made when `create`
 * says so. Without a usable file the table is empty and nothing is counted.
 */
void cx_refusals_open(struct cx_refusals *refusals, const char *audit_file, bool create);

/* Writes what changed, and closes. */
void cx_refusals_close(struct cx_refusals *refusals);

/* Closes and leaves the file as it was: the sums that were taken out got no record. */
void cx_refusals_abandon(struct cx_refusals *refusals);

/*
 * Counts one refusal.
 *   in   address: NULL for a Unix socket; IPv6 addresses count by their /64 network
 *   gives  true when it shall have a record of its own
 */
bool cx_refusals_count(struct cx_refusals *refusals, const char *address, int64_t minute);

/*
 * Takes out the next sum that is due because its minute is over.
 *   out  record_out: event, address, count and detail are set; its strings live in room
 *   gives  false when there is none
 */
struct cx_refusals_room {
  char address[CX_REFUSALS_ADDRESS_MAX];
  char detail[96];
};
CORTEX_MUSTCHECK bool cx_refusals_take_due(struct cx_refusals *refusals, int64_t minute,
                                           struct cortex_record *record_out,
                                           struct cx_refusals_room *room);

#endif
