/*
 * Public keys that may have signed: out of certificates that the operator or the metadata names.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "key.h"

#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "util/base64.h"

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 16384     /* OpenSSL's own bound */
#define EXPONENT_BITS_MAX 64   /* a longer one only costs time */

/* OpenSSL itself verifies under 512 bits and under e = 1. */
static bool is_strong_rsa(const EVP_PKEY *key) {
  BIGNUM *e = NULL;
  bool is_strong = false;

  if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_E, &e) == 1)
    is_strong = EVP_PKEY_get_bits(key) >= RSA_BITS_MIN && EVP_PKEY_get_bits(key) <= RSA_BITS_MAX &&
                BN_is_odd(e) && !BN_is_one(e) && BN_num_bits(e) <= EXPONENT_BITS_MAX;
  BN_free(e);
  return is_strong;
}

/* Named curves of at least 256 bits; parameters written out could be anything. */
static bool is_strong_ec(const EVP_PKEY *key) {
  static const char *const curves[] = {"prime256v1", "P-256", "secp384r1",
                                       "P-384",      "secp521r1", "P-521"};
  char name[32] = "";
  size_t i;

  if (EVP_PKEY_get_group_name(key, name, sizeof name, NULL) != 1)
    return false;
  for (i = 0; i < sizeof curves / sizeof curves[0]; i++)
    if (strcmp(curves[i], name) == 0)
      return true;
  return false;
}

/* Not by the C library's calendar, which opens the file of the time zone first. */
static int64_t end_of(const X509 *certificate) {
  ASN1_TIME *epoch = ASN1_TIME_new();
  int days = 0, seconds = 0;

  if (epoch == NULL || ASN1_TIME_set_string(epoch, "19700101000000Z") != 1 ||
      ASN1_TIME_diff(&days, &seconds, epoch, X509_get0_notAfter(certificate)) != 1)
    days = seconds = 0;
  ASN1_TIME_free(epoch);
  return days >= 0 && seconds >= 0 ? days * INT64_C(86400) + seconds : 0;
}

static enum cortex_reason add(struct saml_keys *keys, X509 *certificate) {
  EVP_PKEY *key = X509_get_pubkey(certificate);
  bool is_rsa = key != NULL && EVP_PKEY_is_a(key, "RSA");

  if (key == NULL || (!is_rsa && !EVP_PKEY_is_a(key, "EC"))) {
    keys->other++;
    EVP_PKEY_free(key);
    return CORTEX_OK;
  }
  if (!(is_rsa ? is_strong_rsa : is_strong_ec)(key)) {
    keys->weak++;
    EVP_PKEY_free(key);
    return CORTEX_OK;
  }
  if (keys->count == SAML_KEYS_MAX) {
    EVP_PKEY_free(key);
    return CORTEX_TOO_LARGE;
  }
  keys->ends[keys->count] = end_of(certificate);
  keys->keys[keys->count++] = key;
  return CORTEX_OK;
}

enum cortex_reason saml_keys_add_base64(struct saml_keys *keys, const char *text, size_t len) {
  uint8_t *bytes = malloc(CX_BASE64_SIZE(len));
  enum cortex_reason reason = CORTEX_OK;
  const uint8_t *at = bytes;
  X509 *certificate = NULL;
  size_t size;

  if (bytes == NULL)
    return CORTEX_INTERNAL;
  if (cx_base64_decode(text, len, XML_BLANKS, bytes, &size))
    certificate = d2i_X509(NULL, &at, (long)size);
  if (certificate != NULL && at == bytes + size)
    reason = add(keys, certificate);
  else
    keys->other++;
  X509_free(certificate);
  free(bytes);
  return reason;
}

enum cortex_reason saml_keys_add_pem(struct saml_keys *keys, const char *text, size_t len) {
  BIO *source = BIO_new_mem_buf(text, (int)len);
  enum cortex_reason reason = CORTEX_OK;
  X509 *certificate;

  if (source == NULL)
    return CORTEX_INTERNAL;
  while (reason == CORTEX_OK && (certificate = PEM_read_bio_X509(source, NULL, NULL, NULL)) != NULL) {
    reason = add(keys, certificate);
    X509_free(certificate);
  }
  BIO_free(source);
  return reason;
}

void saml_keys_clear(struct saml_keys *keys) {
  while (keys->count > 0)
    EVP_PKEY_free(keys->keys[--keys->count]);
  keys->weak = keys->other = 0;
}
