/*
 * A connection to an LDAP server: encrypted, verified, bound; and whole searches over it.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SYNC_LDAP_LINK_H
#define SYNC_LDAP_LINK_H

#include <cortexauth/cortexauth.h>
#include <ldap.h>

#define LDAP_WHY_MAX 500
#define LDAP_OPEN_SECONDS 5

struct ldap_link {
  LDAP *ld;
  const char *url;  /* the one that answers */
  int64_t deadline; /* nanoseconds of the monotonic clock: everything ends by then */
  int64_t until;    /* what is being done now ends by then, the deadline at the latest */
  struct ldap_conncb connected;
  bool is_greeting;        /* connected, and not let in yet */
  const char *authorities; /* whose certificates are trusted; NULL: there is no TLS */
  int page_size;
  char why[LDAP_WHY_MAX]; /* what failed, in one line */
};

/*
 * Connects to the first server of a [directory] section that lets us in; while another one follows
 * it has LDAP_OPEN_SECONDS for that. Neither ldaprc files nor
 * LDAP* variables are looked at: they could switch the verification of certificates off.
 *   gives  false with link->why. Release with ldap_link_close either way.
 */
bool ldap_link_open(struct ldap_link *link, const struct cortex_section *section);
void ldap_link_close(struct ldap_link *link);

/* What to look for. */
struct ldap_query {
  const char *base;
  int scope;
  const char *filter;
  char **attributes;
};

#define LDAP_ANY "(objectClass=*)"

/* Takes one entry; false stops, with link->why set by the taker. */
typedef bool (*ldap_taker)(void *context, LDAPMessage *entry);

/*
 * Runs a search to its end, in pages.
 *   gives  true only when every entry was handed over: any limit, referral, lost page or cut
 *          connection is a failure, and so is a base that is not there
 */
bool ldap_link_search(struct ldap_link *link, const struct ldap_query *query, ldap_taker taker,
                      void *context);

/*
 * Asks whether an entry has a value.
 *   gives  LDAP_COMPARE_TRUE, LDAP_COMPARE_FALSE, LDAP_NO_SUCH_ATTRIBUTE, or why the server does
 *          not tell
 */
int ldap_link_compare(struct ldap_link *link, const char *dn, const char *attribute,
                      const char *value);

/* Sets link->why when nothing stands there yet; gives false. */
bool ldap_link_fail(struct ldap_link *link, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * The DN that the server itself gives an entry, which may be asked for in another spelling.
 *   out  dn_out: release with ldap_memfree; NULL: there is no such entry, or only on another
 *        server, as Active Directory says of people of other domains
 *   gives  false with link->why when the server did not tell
 */
bool ldap_link_dn(struct ldap_link *link, const char *dn, char **dn_out);

#endif
