/*
 * A connection to an LDAP server: encrypted, verified, bound; and whole searches over it.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "ldap_link.h"

#include <cortexauth/clock.h>
#include <errno.h>
#include <lber.h>
#include <poll.h>
#include <sasl/sasl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define PASSWORD_MAX 4096
#define URLS_MAX 4096 /* as long as a line of cortex.conf may be */
#define SYSTEM_AUTHORITIES "/etc/ssl/certs/ca-certificates.crt"

bool ldap_link_fail(struct ldap_link *link, const char *format, ...) {
  va_list arguments;

  if (link->why[0] != '\0')
    return false;
  va_start(arguments, format);
  vsnprintf(link->why, sizeof link->why, format, arguments);
  va_end(arguments);
  return false;
}

static int64_t nanoseconds_left(const struct ldap_link *link) {
  const struct cortex_clock *clock = cortex_clock_system();

  return link->until - clock->monotonic(clock);
}

/* With GnuTLS libldap has no word for a certificate that is refused. */
static bool lacks_tls(const struct ldap_link *link, int code) {
  return (code == LDAP_SERVER_DOWN || code == LDAP_CONNECT_ERROR) && link->is_greeting &&
         link->authorities != NULL && !ldap_tls_inplace(link->ld);
}

/* The server's own words are part of the message: they say which limit, which right. */
static bool fail_code(struct ldap_link *link, const char *what, int code) {
  char *detail = NULL;

  /* Libldap counts in milliseconds, and may end a little before the time. */
  if (code == LDAP_TIMEOUT || nanoseconds_left(link) <= 0)
    return ldap_link_fail(link, "%s: %s: no answer in time", link->url, what);
  ldap_get_option(link->ld, LDAP_OPT_DIAGNOSTIC_MESSAGE, &detail);
  if (detail != NULL && *detail == '\0') {
    ldap_memfree(detail);
    detail = NULL;
  }
  if (lacks_tls(link, code))
    ldap_link_fail(
        link,
        "%s: %s: %s%s%.80s; is its certificate valid, for this host, and of an authority "
        "in %.120s (ca_file)?",
        link->url, what, ldap_err2string(code), detail != NULL ? ": " : "",
        detail != NULL ? detail : "", link->authorities);
  else
    ldap_link_fail(link, "%s: %s: %s%s%.240s", link->url, what, ldap_err2string(code),
                   detail != NULL ? ": " : "", detail != NULL ? detail : "");
  ldap_memfree(detail);
  return false;
}

static struct timeval time_left(const struct ldap_link *link) {
  int64_t left = nanoseconds_left(link);

  if (left < 1000)
    left = 1000;
  return (struct timeval){(time_t)(left / 1000000000), (suseconds_t)(left % 1000000000 / 1000)};
}

/* ---- the end of waiting ---- */

static int set_up(Sockbuf_IO_Desc *layer, void *link) {
  layer->sbiod_pvt = link;
  return 0;
}

static int pass_control(Sockbuf_IO_Desc *layer, int option, void *argument) {
  return LBER_SBIOD_CTRL_NEXT(layer, option, argument);
}

static bool wait_for_bytes(Sockbuf_IO_Desc *layer) {
  int64_t left = nanoseconds_left(layer->sbiod_pvt);
  struct pollfd socket = {.fd = -1, .events = POLLIN};

  if (left <= 0 || ber_sockbuf_ctrl(layer->sbiod_sb, LBER_SB_OPT_GET_FD, &socket.fd) != 1)
    return false;
  return poll(&socket, 1, (int)(left / 1000000) + 1) >= 0 || errno == EINTR;
}

static ber_slen_t read_in_time(Sockbuf_IO_Desc *layer, void *bytes, ber_len_t len) {
  ber_slen_t count = LBER_SBIOD_READ_NEXT(layer, bytes, len);

  while (count < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) {
    if (!wait_for_bytes(layer)) {
      errno = ETIMEDOUT;
      return -1;
    }
    count = LBER_SBIOD_READ_NEXT(layer, bytes, len);
  }
  return count;
}

static ber_slen_t pass_bytes(Sockbuf_IO_Desc *layer, void *bytes, ber_len_t len) {
  return LBER_SBIOD_WRITE_NEXT(layer, bytes, len);
}

/* Below TLS: libldap with GnuTLS asks without end for a handshake that nobody answers. */
static int watch(LDAP *ld, Sockbuf *socket, LDAPURLDesc *server, struct sockaddr *address,
                 struct ldap_conncb *connected) {
  static Sockbuf_IO layer = {.sbi_setup = set_up,
                             .sbi_ctrl = pass_control,
                             .sbi_read = read_in_time,
                             .sbi_write = pass_bytes};
  struct ldap_link *link = connected->lc_arg;

  (void)ld;
  (void)server;
  (void)address;
  link->is_greeting = true;
  return ber_sockbuf_add_io(socket, &layer, LBER_SBIOD_LEVEL_PROVIDER + 1, connected->lc_arg);
}

static void forget(LDAP *ld, Sockbuf *socket, struct ldap_conncb *connected) {
  (void)ld;
  (void)socket;
  (void)connected;
}

/* ---- transport ---- */

static const char *value_of(const struct cortex_section *section, const char *key) {
  return cortex_section_value(section, key);
}

static bool is_yes(const struct cortex_section *section, const char *key) {
  const char *value = value_of(section, key);

  return value != NULL && strcmp(value, "yes") == 0;
}

static const char *authorities_of(const struct cortex_section *section) {
  const char *authorities = value_of(section, "ca_file");

  return authorities != NULL ? authorities : SYSTEM_AUTHORITIES;
}

/* A handle's own TLS context: nothing that was set elsewhere in the process reaches it. */
static bool set_tls(struct ldap_link *link, const struct cortex_section *section) {
  const char *authorities = authorities_of(section);
  int demand = LDAP_OPT_X_TLS_HARD, least = LDAP_OPT_X_TLS_PROTOCOL_TLS1_2, client = 0;

  if (ldap_set_option(link->ld, LDAP_OPT_X_TLS_REQUIRE_CERT, &demand) != LDAP_OPT_SUCCESS ||
      ldap_set_option(link->ld, LDAP_OPT_X_TLS_PROTOCOL_MIN, &least) != LDAP_OPT_SUCCESS ||
      ldap_set_option(link->ld, LDAP_OPT_X_TLS_CACERTFILE, authorities) != LDAP_OPT_SUCCESS ||
      ldap_set_option(link->ld, LDAP_OPT_X_TLS_NEWCTX, &client) != LDAP_OPT_SUCCESS)
    return ldap_link_fail(link, "%s: the certificates of %s cannot be used", link->url,
                          authorities);
  return true;
}

static bool set_options(struct ldap_link *link) {
  struct timeval connect = time_left(link), left = connect;
  int version = LDAP_VERSION3;

  link->connected = (struct ldap_conncb){watch, forget, link};
  if (connect.tv_sec >= LDAP_OPEN_SECONDS)
    connect = (struct timeval){LDAP_OPEN_SECONDS, 0};
  return (ldap_set_option(link->ld, LDAP_OPT_PROTOCOL_VERSION, &version) == LDAP_OPT_SUCCESS &&
          ldap_set_option(link->ld, LDAP_OPT_REFERRALS, LDAP_OPT_OFF) == LDAP_OPT_SUCCESS &&
          ldap_set_option(link->ld, LDAP_OPT_RESTART, LDAP_OPT_ON) == LDAP_OPT_SUCCESS &&
          ldap_set_option(link->ld, LDAP_OPT_NETWORK_TIMEOUT, &connect) == LDAP_OPT_SUCCESS &&
          ldap_set_option(link->ld, LDAP_OPT_TIMEOUT, &left) == LDAP_OPT_SUCCESS &&
          ldap_set_option(link->ld, LDAP_OPT_CONNECT_CB, &link->connected) == LDAP_OPT_SUCCESS) ||
         ldap_link_fail(link, "%s: libldap refuses an option", link->url);
}

static bool has_scheme(const char *url, const char *scheme) {
  return strncasecmp(url, scheme, strlen(scheme)) == 0;
}

static bool secure(struct ldap_link *link, const struct cortex_section *section) {
  int code;

  if (has_scheme(link->url, "ldapi://"))
    return true;
  if (!set_tls(link, section))
    return false;
  if (!has_scheme(link->url, "ldaps://") && !is_yes(section, "starttls"))
    return true;
  link->authorities = authorities_of(section);
  if (has_scheme(link->url, "ldaps://"))
    return true;
  code = ldap_start_tls_s(link->ld, NULL, NULL);
  return code == LDAP_SUCCESS || fail_code(link, "StartTLS", code);
}

/* ---- binding ---- */

static bool bind_simple(struct ldap_link *link, const struct cortex_section *section) {
  const char *name = value_of(section, "bind_dn"), *path = value_of(section, "password_file");
  struct cortex_error error = CORTEX_ERROR_NONE;
  struct berval password = {0, NULL};
  char *bytes = NULL, what[128];
  size_t len = 0;
  int code;

  if (path != NULL) {
    if (cortex_file_load(path, PASSWORD_MAX, &bytes, &len, &error) != CORTEX_OK)
      return ldap_link_fail(link, "%s: %s", path, error.message);
    password = (struct berval){strcspn(bytes, "\r\n"), bytes};
    /* With an empty password a server lets everybody in, as nobody. */
    if (password.bv_len == 0) {
      free(bytes);
      return ldap_link_fail(link, "%s: the password is empty", path);
    }
  }
  code = ldap_sasl_bind_s(link->ld, name != NULL ? name : "", LDAP_SASL_SIMPLE, &password, NULL,
                          NULL, NULL);
  if (bytes != NULL) {
    explicit_bzero(bytes, len);
    free(bytes);
  }
  snprintf(what, sizeof what, "bind as %.100s", name != NULL ? name : "nobody");
  return code == LDAP_SUCCESS || fail_code(link, what, code);
}

/* Every answer is the default: nobody is there to be asked. */
static int interact(LDAP *ld, unsigned flags, void *defaults, void *questions) {
  sasl_interact_t *question;

  (void)ld;
  (void)flags;
  (void)defaults;
  for (question = questions; question->id != SASL_CB_LIST_END; question++) {
    question->result = question->defresult != NULL ? question->defresult : "";
    question->len = (unsigned)strlen(question->result);
  }
  return LDAP_SUCCESS;
}

/* With ldaps nothing is in place yet: libldap connects with the first operation. */
static bool is_below_tls(const struct ldap_link *link) {
  return has_scheme(link->url, "ldaps://") || ldap_tls_inplace(link->ld);
}

/*
 * The ticket is for the host that the configuration names, whatever a name server calls its
 * address. Below TLS there is no second layer of protection: Active Directory refuses that; and
 * the ticket is bound to the server's certificate, so that nobody between can pass it on.
 */
static bool set_sasl(struct ldap_link *link) {
  int certificate = LDAP_OPT_X_SASL_CBINDING_TLS_ENDPOINT;
  ber_len_t none = 0;

  return (ldap_set_option(link->ld, LDAP_OPT_X_SASL_NOCANON, LDAP_OPT_ON) == LDAP_OPT_SUCCESS &&
          (!is_below_tls(link) ||
           (ldap_set_option(link->ld, LDAP_OPT_X_SASL_SSF_MAX, &none) == LDAP_OPT_SUCCESS &&
            ldap_set_option(link->ld, LDAP_OPT_X_SASL_CBINDING, &certificate) ==
                LDAP_OPT_SUCCESS))) ||
         ldap_link_fail(link, "%s: libldap refuses an option", link->url);
}

static bool bind_sasl(struct ldap_link *link, const char *mechanism) {
  int code;

  if (!set_sasl(link))
    return false;
  code = ldap_sasl_interactive_bind_s(link->ld, NULL, mechanism, NULL, NULL, LDAP_SASL_QUIET,
                                      interact, NULL);
  return code == LDAP_SUCCESS || fail_code(link, mechanism, code);
}

static bool bind_as(struct ldap_link *link, const struct cortex_section *section) {
  const char *how = value_of(section, "bind");

  if (strcmp(how, "gssapi") == 0)
    return bind_sasl(link, "GSSAPI");
  if (strcmp(how, "external") == 0)
    return bind_sasl(link, "EXTERNAL");
  return bind_simple(link, section);
}

static bool try_server(struct ldap_link *link, const struct cortex_section *section,
                       const char *url) {
  int code = ldap_initialize(&link->ld, url);

  link->url = url;
  link->is_greeting = false;
  link->authorities = NULL;
  if (code != LDAP_SUCCESS)
    return ldap_link_fail(link, "%s: %s", url, ldap_err2string(code));
  return set_options(link) && secure(link, section) && bind_as(link, section);
}

/* A server that is silent leaves time for those behind it. */
static void set_until(struct ldap_link *link, bool is_last) {
  const struct cortex_clock *clock = cortex_clock_system();
  int64_t soon = clock->monotonic(clock) + LDAP_OPEN_SECONDS * INT64_C(1000000000);

  link->until = is_last || link->deadline < soon ? link->deadline : soon;
}

bool ldap_link_open(struct ldap_link *link, const struct cortex_section *section) {
  static char urls[URLS_MAX];
  char *url, *rest = NULL, first[LDAP_WHY_MAX] = "";

  setenv("LDAPNOINIT", "1", 1);
  snprintf(urls, sizeof urls, "%s", value_of(section, "url"));
  for (url = strtok_r(urls, "\n", &rest); url != NULL; url = strtok_r(NULL, "\n", &rest)) {
    ldap_link_close(link);
    link->why[0] = '\0';
    set_until(link, rest == NULL || *rest == '\0');
    if (nanoseconds_left(link) <= 0) {
      ldap_link_fail(link, "%s: no time is left", url);
      break;
    }
    if (try_server(link, section, url)) {
      link->until = link->deadline;
      link->is_greeting = false;
      return true;
    }
    if (first[0] == '\0')
      snprintf(first, sizeof first, "%s", link->why);
  }
  snprintf(link->why, sizeof link->why, "%s", first);
  return false;
}

void ldap_link_close(struct ldap_link *link) {
  if (link->ld != NULL)
    ldap_unbind_ext(link->ld, NULL, NULL);
  link->ld = NULL;
}

/* ---- searching ---- */

struct paging {
  struct berval cookie;
  bool is_paged; /* the server has answered with a page before */
  bool is_last;
  bool has_entries;
};

static int send_page(struct ldap_link *link, const struct ldap_query *query, struct paging *paging,
                     int *message_out) {
  LDAPControl *page = NULL, *controls[2] = {NULL, NULL};
  struct timeval left = time_left(link);
  int code;

  if (link->page_size > 0) {
    code = ldap_create_page_control(link->ld, link->page_size,
                                    paging->cookie.bv_len > 0 ? &paging->cookie : NULL, 0, &page);
    if (code != LDAP_SUCCESS)
      return code;
    controls[0] = page;
  }
  code = ldap_search_ext(link->ld, query->base, query->scope, query->filter, query->attributes, 0,
                         controls, NULL, &left, LDAP_NO_LIMIT, message_out);
  ldap_control_free(page);
  return code;
}

/* The cookie of the next page; a server that stops to answer in pages has lost the place. */
static bool take_cookie(struct ldap_link *link, LDAPControl **controls, struct paging *paging) {
  LDAPControl *page = ldap_control_find(LDAP_CONTROL_PAGEDRESULTS, controls, NULL);
  ber_int_t estimate;

  ber_memfree(paging->cookie.bv_val);
  paging->cookie = (struct berval){0, NULL};
  paging->is_last = true;
  if (page == NULL)
    return !paging->is_paged ||
           ldap_link_fail(link, "%s: the server lost its place between two pages", link->url);
  if (ldap_parse_pageresponse_control(link->ld, page, &estimate, &paging->cookie) != LDAP_SUCCESS)
    return ldap_link_fail(link, "%s: the end of a page cannot be read", link->url);
  paging->is_paged = true;
  paging->is_last = paging->cookie.bv_len == 0;
  return true;
}

static bool take_end(struct ldap_link *link, const struct ldap_query *query, LDAPMessage *message,
                     struct paging *paging) {
  LDAPControl **controls = NULL;
  char *detail = NULL, **referrals = NULL;
  int code = LDAP_OTHER;
  bool fine;

  if (ldap_parse_result(link->ld, message, &code, NULL, &detail, &referrals, &controls, 0) !=
      LDAP_SUCCESS)
    code = LDAP_DECODING_ERROR;
  if (code != LDAP_SUCCESS || referrals != NULL)
    fine =
        ldap_link_fail(link, "%s: search below %.100s is incomplete: %s%s%.100s", link->url,
                       query->base, ldap_err2string(code != LDAP_SUCCESS ? code : LDAP_REFERRAL),
                       detail != NULL && *detail != '\0' ? ": " : "", detail != NULL ? detail : "");
  else
    fine = take_cookie(link, controls, paging);
  ldap_memfree(detail);
  ldap_memvfree((void **)referrals);
  ldap_controls_free(controls);
  return fine;
}

static bool fail_receive(struct ldap_link *link, const struct ldap_query *query, int kind) {
  int code = LDAP_SERVER_DOWN;

  if (kind == 0 || nanoseconds_left(link) <= 0)
    return ldap_link_fail(link,
                          "%s: search below %.100s is incomplete: no answer within the time "
                          "that [directory] timeout allows",
                          link->url, query->base);
  ldap_get_option(link->ld, LDAP_OPT_RESULT_CODE, &code);
  return ldap_link_fail(link, "%s: search below %.100s is incomplete: %s", link->url, query->base,
                        ldap_err2string(code));
}

/* Everything of one page, one message at a time. */
static bool take_page(struct ldap_link *link, const struct ldap_query *query, int id,
                      struct paging *paging, ldap_taker taker, void *context) {
  for (;;) {
    struct timeval left = time_left(link);
    LDAPMessage *message = NULL;
    int kind =
        nanoseconds_left(link) <= 0 ? 0 : ldap_result(link->ld, id, LDAP_MSG_ONE, &left, &message);
    bool fine = true;

    if (kind <= 0)
      return fail_receive(link, query, kind);
    if (kind == LDAP_RES_SEARCH_ENTRY)
      fine = paging->has_entries = taker(context, message);
    else if (kind == LDAP_RES_SEARCH_REFERENCE)
      fine = ldap_link_fail(link,
                            "%s: search below %.100s is incomplete: the server refers to another "
                            "one for a part of it; narrower bases leave that part out",
                            link->url, query->base);
    else if (kind == LDAP_RES_SEARCH_RESULT)
      fine = take_end(link, query, message, paging);
    ldap_msgfree(message);
    if (!fine || kind == LDAP_RES_SEARCH_RESULT)
      return fine;
  }
}

bool ldap_link_dn(struct ldap_link *link, const char *dn, char **dn_out) {
  static char none[] = LDAP_NO_ATTRS;
  char *attributes[] = {none, NULL};
  struct timeval left = time_left(link);
  LDAPMessage *message = NULL, *entry;
  int code;

  *dn_out = NULL;
  if (nanoseconds_left(link) <= 0)
    return ldap_link_fail(link, "%s: no time is left", link->url);
  code = ldap_search_ext_s(link->ld, dn, LDAP_SCOPE_BASE, LDAP_ANY, attributes, 0, NULL, NULL,
                           &left, LDAP_NO_LIMIT, &message);
  entry = ldap_first_entry(link->ld, message);
  if (code == LDAP_SUCCESS && entry != NULL)
    *dn_out = ldap_get_dn(link->ld, entry);
  ldap_msgfree(message);
  return code == LDAP_SUCCESS || code == LDAP_NO_SUCH_OBJECT || code == LDAP_INVALID_DN_SYNTAX ||
         code == LDAP_REFERRAL || fail_code(link, "looking up a member", code);
}

/* 389 Directory Server finds nothing below an entry that is not there, and says no more. */
static bool check_base(struct ldap_link *link, const char *base) {
  char *dn = NULL;

  if (!ldap_link_dn(link, base, &dn))
    return false;
  if (dn == NULL)
    return ldap_link_fail(link,
                          "%s: search below %.100s finds nothing, and that entry is not there or "
                          "cannot be seen",
                          link->url, base);
  ldap_memfree(dn);
  return true;
}

bool ldap_link_search(struct ldap_link *link, const struct ldap_query *query, ldap_taker taker,
                      void *context) {
  struct paging paging = {.is_last = false};
  char what[300];
  bool fine = true;
  int id = 0, code;

  snprintf(what, sizeof what, "search below %.100s for %.150s", query->base, query->filter);
  while (fine && !paging.is_last) {
    code = send_page(link, query, &paging, &id);
    fine = code == LDAP_SUCCESS ? take_page(link, query, id, &paging, taker, context)
                                : fail_code(link, what, code);
  }
  ber_memfree(paging.cookie.bv_val);
  return fine && (paging.has_entries || check_base(link, query->base));
}

int ldap_link_compare(struct ldap_link *link, const char *dn, const char *attribute,
                      const char *value) {
  struct berval wanted = {strlen(value), (char *)(size_t)value};
  struct timeval left = time_left(link);
  LDAPMessage *message = NULL;
  int code, id, kind;

  code = ldap_compare_ext(link->ld, dn, attribute, &wanted, NULL, NULL, &id);
  if (code != LDAP_SUCCESS)
    return code;
  kind = ldap_result(link->ld, id, LDAP_MSG_ALL, &left, &message);
  if (kind <= 0)
    return kind == 0 ? LDAP_TIMEOUT : LDAP_SERVER_DOWN;
  if (ldap_parse_result(link->ld, message, &code, NULL, NULL, NULL, NULL, 1) != LDAP_SUCCESS)
    return LDAP_DECODING_ERROR;
  return code;
}
