/*
 * Decrypts with cjose: an object of its own, as hardly any login needs it and each would pay for
 * the loading of libcjose.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "oidc/jwe_decrypt.h"

#include <cjose/cjose.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <stdlib.h>

struct number {
  const char *name;
  uint8_t **bytes;
  size_t *len;
};

/* Numbers of a private key as cjose takes them; the caller frees them either way. */
static bool get_numbers(const EVP_PKEY *pkey, const struct number *numbers, size_t count) {
  size_t i;

  for (i = 0; i < count; i++) {
    BIGNUM *value = NULL;

    if (EVP_PKEY_get_bn_param(pkey, numbers[i].name, &value) != 1)
      return false;
    *numbers[i].len = (size_t)BN_num_bytes(value);
    *numbers[i].bytes = malloc(*numbers[i].len + 1);
    if (*numbers[i].bytes != NULL)
      BN_bn2bin(value, *numbers[i].bytes);
    BN_clear_free(value);
    if (*numbers[i].bytes == NULL)
      return false;
  }
  return true;
}

static void free_numbers(const struct number *numbers, size_t count) {
  size_t i;

  for (i = 0; i < count; i++) {
    if (*numbers[i].bytes != NULL)
      OPENSSL_cleanse(*numbers[i].bytes, *numbers[i].len);
    free(*numbers[i].bytes);
  }
}

static cjose_jwk_t *make_rsa(const EVP_PKEY *pkey) {
  cjose_jwk_rsa_keyspec spec = {0};
  const struct number numbers[] = {{OSSL_PKEY_PARAM_RSA_N, &spec.n, &spec.nlen},
                                   {OSSL_PKEY_PARAM_RSA_E, &spec.e, &spec.elen},
                                   {OSSL_PKEY_PARAM_RSA_D, &spec.d, &spec.dlen}};
  cjose_jwk_t *jwk = NULL;
  cjose_err cause;

  if (get_numbers(pkey, numbers, 3))
    jwk = cjose_jwk_create_RSA_spec(&spec, &cause);
  free_numbers(numbers, 3);
  return jwk;
}

static cjose_jwk_t *make_ec(const EVP_PKEY *pkey) {
  cjose_jwk_ec_keyspec spec = {.crv = CJOSE_JWK_EC_INVALID};
  const struct number numbers[] = {{OSSL_PKEY_PARAM_EC_PUB_X, &spec.x, &spec.xlen},
                                   {OSSL_PKEY_PARAM_EC_PUB_Y, &spec.y, &spec.ylen},
                                   {OSSL_PKEY_PARAM_PRIV_KEY, &spec.d, &spec.dlen}};
  char group[64];
  cjose_jwk_t *jwk = NULL;
  cjose_err cause;

  if (EVP_PKEY_get_group_name(pkey, group, sizeof group, NULL) != 1)
    return NULL;
  spec.crv = (cjose_jwk_ec_curve)OBJ_txt2nid(group);
  if (get_numbers(pkey, numbers, 3))
    jwk = cjose_jwk_create_EC_spec(&spec, &cause);
  free_numbers(numbers, 3);
  return jwk;
}

bool cx_jwe_decrypt(const EVP_PKEY *pkey, const char *bytes, size_t len, uint8_t **text_out,
                    size_t *len_out) {
  cjose_jwk_t *key = EVP_PKEY_is_a(pkey, "RSA") ? make_rsa(pkey) : make_ec(pkey);
  cjose_jwe_t *jwe;
  cjose_err cause;

  *text_out = NULL;
  *len_out = 0;
  jwe = key != NULL ? cjose_jwe_import(bytes, len, &cause) : NULL;
  if (jwe != NULL)
    *text_out = cjose_jwe_decrypt(jwe, key, len_out, &cause);
  cjose_jwe_release(jwe);
  cjose_jwk_release(key);
  return *text_out != NULL;
}
