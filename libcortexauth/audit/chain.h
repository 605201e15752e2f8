/*
 * The chain: how a line names its predecessor and proves its own bytes.
 * SPDX-License-Identifier: PostgreSQL
 *
 * A line ends with ,"seq":N,"prev":"HEX","hash":"HEX"} where hash is SHA-256
 * over all bytes of the line before ,"hash": and prev is the hash of record
 * N-1 (64 zeros for the first). No string of a line can hold these bytes, as
 * its quotes are escaped.
 */
#ifndef CX_AUDIT_CHAIN_H
#define CX_AUDIT_CHAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cortexauth/reason.h>

#include "util/buf.h"

#define CX_CHAIN_HEX 64
#define CX_CHAIN_SEQ_MAX INT64_MAX /* JSON readers keep integers of 64 bits with a sign */
#define CX_CHAIN_LINE_MAX 32768    /* bytes of a line, its newline included */
#define CX_CHAIN_TAIL_MAX 192      /* bytes in which the end of a line and its newline fit */

/* The last record: what the next one must follow. */
struct cx_chain_head {
  uint64_t seq; /* 0: none yet */
  char hash[CX_CHAIN_HEX + 1];
};

/* What the end of a line says; points into the line. */
struct cx_chain_link {
  uint64_t seq;
  const char *prev;
  const char *hash;
  size_t covered; /* bytes from the line's start that the hash covers */
};

/* The head before the first record. */
void cx_chain_init(struct cx_chain_head *head);

/* Reads the end of a line (without newline); its start may be missing. */
CORTEX_MUSTCHECK bool cx_chain_parse(const char *line, size_t len, struct cx_chain_link *link_out);

/* SHA-256 as lower case hex with a NUL. */
void cx_chain_hash(const char *bytes, size_t len, char hex_out[CX_CHAIN_HEX + 1]);

/*
 * Ends a line: the bytes of buf from start on, an object without its "}", get
 * sequence, hashes and newline. Moves the head. false: nothing usable in buf.
 */
CORTEX_MUSTCHECK bool cx_chain_seal(struct cx_buf *buf, size_t start, struct cx_chain_head *head);

/* True when 64 digits of lower case hex stand there, whatever follows; stops at a NUL. */
CORTEX_MUSTCHECK bool cx_chain_is_hex(const char *text);

#endif
