/*
 * Address: PAM_RHOST as a numeric IP address.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_PAM_ADDRESS_H
#define CX_PAM_ADDRESS_H

#include <netinet/in.h>

enum cx_address_kind {
  CX_ADDRESS_NAME = 0, /* something else than an address: must not pass as "local" */
  CX_ADDRESS_LOCAL,    /* NULL, empty, or PgBouncer's "unix" */
  CX_ADDRESS_NUMERIC
};

/*
 * Tells which kind of text it is and writes a numeric address without its zone
 * ("%eth0"): the zone is this machine's, not the client's.
 *
 *   in   host: PAM_RHOST, may be NULL
 *   out  address_out: empty unless numeric
 */
enum cx_address_kind cx_address_parse(const char *host, char address_out[INET6_ADDRSTRLEN]);

#endif
