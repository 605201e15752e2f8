/*
 * Credential: the bytes sent as the password, and what proves them.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXAUTH_CREDENTIAL_H
#define CORTEXAUTH_CREDENTIAL_H

#include <stddef.h>
#include <stdint.h>

#include <cortexauth/clock.h>
#include <cortexauth/identity.h>
#include <cortexauth/settings.h>

/* The most bytes a PostgreSQL password message carries (measured: 65530). */
#define CORTEX_CREDENTIAL_MAX 65535

/*
 * Key sets and SAML metadata that a program fetched itself. Where a keyring has
 * some for an issuer's label they are used, else the operator's file or the cache.
 */
struct cortex_keyring;

/* A new, empty keyring, or NULL without memory. Release with cortex_keyring_free. */
CORTEX_API CORTEX_MUSTCHECK struct cortex_keyring *cortex_keyring_new(void);
CORTEX_API void cortex_keyring_free(struct cortex_keyring **keyring);

/*
 * Puts one issuer's document (a JWK set, RFC 7517 5, or metadata) into the keyring, in
 * place of an earlier one of that label. The bytes are copied.
 *   gives  CORTEX_OK, CORTEX_TOO_LARGE (over 1 MiB), CORTEX_INTERNAL
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason cortex_keyring_put(struct cortex_keyring *keyring,
                                                                  const char *label,
                                                                  const char *bytes, size_t len);

/* The keys of an issuer's set, by what a login could do with them. */
struct cortex_key_count {
  size_t usable; /* fit one of the issuer's algorithms */
  size_t weak;   /* would fit, but are too weak to be trusted */
  size_t other;  /* of another type, use or algorithm, or damaged */
};

/*
 * Says which keys a login through an issuer would find now: in the keyring, else
 * in its jwks_file or the cache, as cortex_verify takes them.
 *
 *   in   keyring: may be NULL; real_now: seconds since 1970
 *   out  count_out: all zero on failure
 *   gives  CORTEX_OK, CORTEX_KEYS_UNAVAILABLE, CORTEX_KEYS_STALE, CORTEX_INTERNAL
 *   reads the key file or the cache; no network, no clock
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_issuer_count_keys(const struct cortex_settings *settings, const struct cortex_issuer *issuer,
                         const struct cortex_keyring *keyring, int64_t real_now,
                         struct cortex_key_count *count_out, struct cortex_error *error);

/*
 * Puts a key document (a JWK set) into the form that a login looks one key up
 * in, for LABEL.keys in the cache folder. Judges single keys, not whether any of
 * them is of use: cortex_issuer_count_keys says that.
 *
 *   out  image_out: release with free(); NULL on failure
 *   gives  CORTEX_OK, CORTEX_KEYS_UNAVAILABLE (no key set), CORTEX_INTERNAL
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_keys_compile(const char *bytes, size_t len, void **image_out, size_t *image_len_out,
                    struct cortex_error *error);

struct cortex_credential {
  const void *bytes;                    /* not NUL-terminated, at most CORTEX_CREDENTIAL_MAX */
  size_t len;                           /* 0 is malformed */
  const struct cortex_keyring *keyring; /* NULL: files and cache only */
  int64_t now;                          /* seconds since 1970: judges the credential's times */
  int64_t real_now;                     /* seconds since 1970: judges the age of fetched keys */
  /* For SAML only, whose XML a helper program reads (cortex-saml(8)). */
  const struct cortex_clock *clock; /* NULL: a SAML response is refused as an internal error */
  int64_t deadline;                 /* on clock->monotonic: the helper is killed then */
  const char *helper;               /* its path; NULL: where it was installed */
  const char *request; /* ID of the AuthnRequest that must be answered; NULL: not known */
};

/*
 * Verifies a credential: kind, issuer, key, signature, audience, times, claims,
 * and maps it to a username and groups (RFC 7519 7.2, RFC 8725, OpenID Connect
 * Core 3.1.3.7, RFC 9068 4). Applies no rule of the login, reads no policy and
 * writes nothing.
 *
 *   out  identity_out: release with cortex_identity_free; NULL on failure
 *   gives  CORTEX_OK or the reason of refusal; for CORTEX_UNKNOWN_KID and
 *          CORTEX_KEYS_UNAVAILABLE error->source is the configured issuer's label
 *   reads key files and the cache; no network; no clock and no process but for
 *   SAML; thread safe
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_verify(const struct cortex_settings *settings, const struct cortex_credential *credential,
              struct cortex_identity **identity_out, struct cortex_error *error);

#endif
