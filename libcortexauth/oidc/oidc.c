/*
 * The OpenID Connect kind of credential: form, issuer, key, signature, claims, identity.
 * SPDX-License-Identifier: PostgreSQL
 *
 * The first fault in this order gives the code: size; encryption; form (parts,
 * base64url, JSON of the header; crit and b64, alg, kid, typ; JSON of the payload);
 * issuer; the issuer's algorithms; keys, kid, fit and strength of the key;
 * signature; then the claims in the order of claims.c, and the names of profile.c.
 */
#include "oidc/oidc.h"

#include <string.h>

#include "oidc/claims.h"
#include "oidc/jwe.h"
#include "oidc/keystore.h"
#include "oidc/profile.h"
#include "oidc/token.h"
#include "util/json.h"

#define ENCRYPTED_PARTS 5 /* RFC 7516 7.1 */

/* One verification on its way. */
struct attempt {
  const struct cx_trust *trust;
  const struct cortex_credential *credential;
  const char *opened_with; /* the key file that decrypted the token; NULL: it was not encrypted */
  struct cx_token token;
};

/* A JWT has dots, which base64 has not; "{" begins JWS's JSON form, refused later by name. */
static bool recognises(const char *bytes, size_t len) {
  return memchr(bytes, '.', len) != NULL || bytes[0] == '{' ||
         (len > 1 && bytes[0] == 'e' && bytes[1] == 'y');
}

/*
 * RFC 7519 4.1.1 and RFC 8725 3.8: the section of exactly this iss, and from
 * here on only that section's keys, algorithms and audiences. The claim is not
 * verified yet and serves for nothing else.
 */
static const struct cortex_issuer *find_issuer(const struct cx_trust *trust, const cx_json *iss) {
  size_t i;

  for (i = 0; i < trust->issuer_count; i++) {
    const struct cortex_issuer *issuer = &trust->issuers[i];

    if (strcmp(issuer->kind, cx_oidc_kind.name) == 0 &&
        cx_json_is_text(iss, issuer->oidc.issuer, strlen(issuer->oidc.issuer)))
      return issuer;
  }
  return NULL;
}

static enum cortex_reason refuse_issuer(const cx_json *iss, struct cortex_error *error) {
  if (iss == NULL)
    return cx_error_set(error, CORTEX_MISSING_CLAIM, "the token has no claim \"iss\"");
  if (!cx_json_is_string(iss))
    return cx_error_set(error, CORTEX_CLAIM_MISMATCH, "the claim iss must be a string, found %s",
                        cx_json_show(iss).text);
  return cx_error_set(error, CORTEX_UNKNOWN_ISSUER, "no [oidc] section has the issuer %s",
                      cx_json_show(iss).text);
}

/* Of the algorithms that are ours (token.c), the operator's list. */
static enum cortex_reason check_algorithm(const struct cx_oidc_settings *settings, const char *name,
                                          struct cortex_error *error) {
  if (cx_list_has(&settings->algorithms, name))
    return CORTEX_OK;
  return cx_error_set(error, CORTEX_ALGORITHM_NOT_ALLOWED,
                      "the token's algorithm is %s, which the issuer's algorithms do not list",
                      name);
}

static enum cortex_reason verify_signature(const struct attempt *attempt,
                                           const struct cortex_issuer *issuer,
                                           struct cortex_error *error) {
  const struct cx_token *token = &attempt->token;
  const struct cx_jws jws = {token->algorithm, token->kid,       token->kid_len,      token->input,
                             token->input_len, token->signature, token->signature_len};
  enum cortex_reason reason;

  reason = check_algorithm(&issuer->oidc, jws.algorithm->name, error);
  if (reason == CORTEX_OK)
    reason = cx_keystore_verify(attempt->trust, attempt->credential, issuer, &jws, error);
  return reason;
}

/* What was encrypted to one issuer's key must come from that issuer. */
static bool is_opened_by(const struct attempt *attempt, const struct cortex_issuer *issuer) {
  const char *own = issuer->oidc.decryption_key_file;

  return attempt->opened_with == NULL || (own != NULL && strcmp(attempt->opened_with, own) == 0);
}

static enum cortex_reason verify_token(const struct attempt *attempt,
                                       struct cortex_identity *identity,
                                       struct cortex_error *error) {
  const struct cx_token *token = &attempt->token;
  const cx_json *iss = cx_json_get(token->claims, "iss");
  const struct cortex_issuer *issuer = find_issuer(attempt->trust, iss);
  enum cortex_reason reason;

  if (issuer == NULL)
    return refuse_issuer(iss, error);
  if (!is_opened_by(attempt, issuer))
    return cx_error_set(error, CORTEX_KEY_MISMATCH,
                        "the token was encrypted to the key of another issuer");
  reason = verify_signature(attempt, issuer, error);
  if (reason == CORTEX_OK)
    reason = cx_claims_check(token, &issuer->oidc, attempt->credential->now, error);
  if (reason == CORTEX_OK)
    reason = cx_profile_read(token, issuer, identity, error);
  return reason;
}

static bool was_tried(const struct cx_trust *trust, size_t index) {
  const char *file = trust->issuers[index].oidc.decryption_key_file;
  size_t i;

  for (i = 0; i < index; i++)
    if (trust->issuers[i].oidc.decryption_key_file != NULL &&
        strcmp(trust->issuers[i].oidc.decryption_key_file, file) == 0)
      return true;
  return false;
}

/* Whose key it was encrypted to shows only when it opens: the iss is inside. */
static enum cortex_reason open_encrypted(struct attempt *attempt, struct cx_buf *plain,
                                         struct cortex_error *error) {
  const struct cx_trust *trust = attempt->trust;
  const struct cortex_credential *credential = attempt->credential;
  struct cortex_error cause = {CORTEX_TOKEN_TYPE_REFUSED, 0, 0, "",
                               "the token is encrypted and no issuer has a decryption_key_file"};
  size_t i;

  for (i = 0; i < trust->issuer_count; i++) {
    const char *file = trust->issuers[i].oidc.decryption_key_file;

    if (file == NULL || was_tried(trust, i))
      continue;
    cause = (struct cortex_error)CORTEX_ERROR_NONE;
    attempt->opened_with = file;
    if (cx_jwe_open(file, credential->bytes, credential->len, plain, &cause) != CORTEX_KEY_MISMATCH)
      break;
  }
  if (error != NULL && error->reason == CORTEX_OK)
    *error = cause;
  return cause.reason;
}

static enum cortex_reason read_token(struct attempt *attempt, struct cx_buf *plain,
                                     struct cortex_error *error) {
  const char *bytes = attempt->credential->bytes;
  size_t len = attempt->credential->len;
  enum cortex_reason reason;

  if (cx_token_count_parts(bytes, len) == ENCRYPTED_PARTS) {
    reason = open_encrypted(attempt, plain, error);
    if (reason != CORTEX_OK)
      return reason;
    bytes = plain->bytes;
    len = plain->len;
  }
  return cx_token_parse(bytes, len, &attempt->token, error);
}

static enum cortex_reason verify(const struct cx_trust *trust,
                                 const struct cortex_credential *credential,
                                 struct cortex_identity **identity_out,
                                 struct cortex_error *error) {
  struct attempt attempt = {trust, credential, NULL, {.input = NULL}};
  struct cortex_identity *identity = cx_identity_new();
  enum cortex_reason reason;
  struct cx_buf plain;

  *identity_out = NULL;
  if (identity == NULL)
    return cx_error_memory(error);
  cx_buf_init(&plain, 0);
  reason = read_token(&attempt, &plain, error);
  if (reason == CORTEX_OK)
    reason = verify_token(&attempt, identity, error);
  if (reason == CORTEX_OK) {
    *identity_out = identity;
    identity = NULL;
  }
  cx_token_clear(&attempt.token);
  cx_buf_clear(&plain);
  cortex_identity_free(&identity);
  return reason;
}

const struct cx_credential_kind cx_oidc_kind = {"oidc", recognises, verify};
