/*
 * One public key of an issuer, as OpenSSL can use it.
 * SPDX-License-Identifier: PostgreSQL
 */

/*
 * OpenSSL's own RSA and EC_KEY types, not EVP_PKEY: a login comes in a fresh
 * process, where looking up a provider's implementation costs ten times the
 * signature check itself.
 */
#define OPENSSL_API_COMPAT 0x10100000L

#include "oidc/key.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdbool.h>
#include <string.h>

#include "util/base64url.h"
#include "util/json.h"

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 16384     /* OpenSSL's own bound */
#define EXPONENT_BITS_MAX 32   /* a longer one only costs time */
_Static_assert(CX_KEY_MEMBER_MAX == RSA_BITS_MAX / 8 + 1, "room for the largest modulus");
#define COORDINATE_MAX 66

/* The bytes of a base64url member; false when it is missing, malformed or too long. */
static bool get_bytes(const cx_json *jwk, const char *name, uint8_t *bytes_out, size_t max,
                      size_t *len_out) {
  const cx_json *member = cx_json_get(jwk, name);
  size_t len = cx_json_text_len(member);

  return cx_json_is_string(member) && len > 0 && CX_BASE64URL_SIZE(len) <= max &&
         cx_base64url_decode(cx_json_text(member), len, bytes_out, len_out);
}

/* RFC 8725 3.5, RFC 7518 3.3; OpenSSL itself verifies under 512 bits and under e = 1. */
static enum cortex_reason judge_rsa(const BIGNUM *n, const BIGNUM *e) {
  if (n == NULL || e == NULL || BN_num_bits(n) > RSA_BITS_MAX || BN_num_bits(e) > EXPONENT_BITS_MAX)
    return CORTEX_KEY_MISMATCH;
  if (BN_num_bits(n) < RSA_BITS_MIN || !BN_is_odd(n) || !BN_is_odd(e) || BN_is_one(e))
    return CORTEX_WEAK_KEY;
  return CORTEX_OK;
}

static enum cortex_reason make_rsa(const struct cx_key_type *type,
                                   const struct cx_key_material *material, void **handle_out) {
  BIGNUM *n = BN_bin2bn(material->first, (int)material->first_len, NULL);
  BIGNUM *e = BN_bin2bn(material->second, (int)material->second_len, NULL);
  enum cortex_reason reason = judge_rsa(n, e);
  RSA *rsa = reason == CORTEX_OK ? RSA_new() : NULL;

  (void)type;
  if (rsa == NULL || RSA_set0_key(rsa, n, e, NULL) != 1) {
    RSA_free(rsa);
    BN_free(n);
    BN_free(e);
    return reason == CORTEX_OK ? CORTEX_INTERNAL : reason;
  }
  *handle_out = rsa;
  return CORTEX_OK;
}

static void release_rsa(void *handle) {
  RSA_free(handle);
}

/* SEC 1 2.3.4: reading the uncompressed point checks range and curve; the cofactor is 1. */
static enum cortex_reason make_ec(const struct cx_key_type *type,
                                  const struct cx_key_material *material, void **handle_out) {
  uint8_t point[1 + 2 * COORDINATE_MAX] = {POINT_CONVERSION_UNCOMPRESSED};
  EC_KEY *key;

  if (material->first_len != type->size || material->second_len != type->size)
    return CORTEX_KEY_MISMATCH;
  memcpy(point + 1, material->first, type->size);
  memcpy(point + 1 + type->size, material->second, type->size);
  key = EC_KEY_new_by_curve_name(type->nid);
  if (key == NULL)
    return CORTEX_INTERNAL;
  if (EC_KEY_oct2key(key, point, 1 + 2 * type->size, NULL) != 1) {
    EC_KEY_free(key);
    return CORTEX_KEY_MISMATCH;
  }
  *handle_out = key;
  return CORTEX_OK;
}

static void release_ec(void *handle) {
  EC_KEY_free(handle);
}

/*
 * Keys whose multiples are a handful of points: signatures under them can be
 * made without a private key. All seven y of order 1, 2, 4 and 8 (RFC 8032 5.1),
 * the unreduced forms that OpenSSL reads as well included; the top bit is x's.
 */
static bool is_small_order(const uint8_t *point) {
  static const uint8_t eighths[2][32] = {
      {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4,
       0x89, 0xf2, 0xef, 0x98, 0xf0, 0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6,
       0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
      {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b,
       0x76, 0x0d, 0x10, 0x67, 0x0f, 0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39,
       0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a}};
  uint8_t y[32], zeros[30] = {0}, ones[30];
  size_t i;

  memset(ones, 0xff, sizeof ones);
  memcpy(y, point, sizeof y);
  y[31] &= 0x7f;
  for (i = 0; i < 2; i++)
    if (memcmp(y, eighths[i], sizeof y) == 0)
      return true;
  if (y[31] == 0 && memcmp(y + 1, zeros, sizeof zeros) == 0)
    return y[0] <= 1;
  return y[31] == 0x7f && memcmp(y + 1, ones, sizeof ones) == 0 && y[0] >= 0xec && y[0] <= 0xee;
}

static enum cortex_reason make_okp(const struct cx_key_type *type,
                                   const struct cx_key_material *material, void **handle_out) {
  if (material->first_len != type->size)
    return CORTEX_KEY_MISMATCH;
  if (is_small_order(material->first))
    return CORTEX_WEAK_KEY;
  *handle_out = EVP_PKEY_new_raw_public_key(type->nid, NULL, material->first, type->size);
  return *handle_out != NULL ? CORTEX_OK : CORTEX_KEY_MISMATCH;
}

static void release_okp(void *handle) {
  EVP_PKEY_free(handle);
}

const struct cx_key_type cx_key_rsa = {"RSA", NULL, {"n", "e"}, 0, NID_undef, make_rsa, release_rsa};
const struct cx_key_type cx_key_p256 = {"EC", "P-256", {"x", "y"}, 32, NID_X9_62_prime256v1,
                                        make_ec, release_ec};
const struct cx_key_type cx_key_p384 = {"EC", "P-384", {"x", "y"}, 48, NID_secp384r1, make_ec,
                                        release_ec};
const struct cx_key_type cx_key_p521 = {"EC", "P-521", {"x", "y"}, 66, NID_secp521r1, make_ec,
                                        release_ec};
const struct cx_key_type cx_key_ed25519 = {"OKP", "Ed25519", {"x", NULL}, 32, NID_ED25519,
                                           make_okp, release_okp};

const struct cx_key_type *cx_key_type_of(const cx_json *jwk) {
  static const struct cx_key_type *const types[] = {&cx_key_rsa, &cx_key_p256, &cx_key_p384,
                                                    &cx_key_p521, &cx_key_ed25519};
  const cx_json *kty = cx_json_get(jwk, "kty"), *crv = cx_json_get(jwk, "crv");
  size_t i;

  for (i = 0; i < sizeof types / sizeof types[0]; i++)
    if (cx_json_is_text(kty, types[i]->kty, strlen(types[i]->kty)) &&
        (types[i]->crv == NULL || cx_json_is_text(crv, types[i]->crv, strlen(types[i]->crv))))
      return types[i];
  return NULL;
}

bool cx_key_read(const struct cx_key_type *type, const cx_json *jwk, struct cx_key_room *room,
                 struct cx_key_material *material_out) {
  size_t max = type->size != 0 ? type->size : CX_KEY_MEMBER_MAX;

  *material_out = (struct cx_key_material){room->first, 0, room->second, 0};
  return get_bytes(jwk, type->members[0], room->first, max, &material_out->first_len) &&
         (type->members[1] == NULL ||
          get_bytes(jwk, type->members[1], room->second, max, &material_out->second_len));
}

enum cortex_reason cx_key_make(const struct cx_key_type *type,
                               const struct cx_key_material *material, struct cx_key *key_out) {
  void *handle = NULL;
  enum cortex_reason reason;

  ERR_set_mark();
  reason = type->make(type, material, &handle);
  ERR_pop_to_mark();
  *key_out = (struct cx_key){reason == CORTEX_OK ? type : NULL, handle};
  return reason;
}

enum cortex_reason cx_key_import(const struct cx_key_type *type, const cx_json *jwk,
                                 struct cx_key *key_out) {
  struct cx_key_material material;
  struct cx_key_room room;

  *key_out = (struct cx_key){NULL, NULL};
  if (!cx_key_read(type, jwk, &room, &material))
    return CORTEX_KEY_MISMATCH;
  return cx_key_make(type, &material, key_out);
}

void cx_key_clear(struct cx_key *key) {
  if (key->type != NULL)
    key->type->release(key->handle);
  *key = (struct cx_key){NULL, NULL};
}
