/*
 * Public keys that may have signed: out of certificates that the operator or the metadata names,
 * or as the metadata writes them out.
 * SPDX-License-Identifier: PostgreSQL
 */

/* As in util/signature.c: no provider is looked up, neither for a key nor for its check. */
#define OPENSSL_API_COMPAT 0x10100000L

#include "key.h"

#include <openssl/asn1t.h>
#include <openssl/bio.h>
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "names.h"
#include "util/base64.h"

#define RSA_BITS_MIN 2048
#define RSA_BITS_MAX 16384     /* OpenSSL's own bound */
#define EXPONENT_BITS_MAX 64   /* a longer one only costs time */

/*
 * A certificate (RFC 5280 4.1) as far as SAML reads it: d2i_X509 would have its
 * key decoded by whichever provider can, and that search costs ten times the rest.
 */
struct public_key {
  X509_ALGOR *algorithm;
  ASN1_BIT_STRING *bits;
};

struct body {
  ASN1_INTEGER *version, *serial;
  X509_ALGOR *signature;
  ASN1_TYPE *issuer, *subject, *extensions;
  X509_VAL *validity;
  struct public_key *key;
  ASN1_BIT_STRING *issuer_id, *subject_id;
};

struct certificate {
  struct body *body;
  X509_ALGOR *algorithm;
  ASN1_BIT_STRING *signature;
};

ASN1_SEQUENCE(public_key) = {
    ASN1_SIMPLE(struct public_key, algorithm, X509_ALGOR),
    ASN1_SIMPLE(struct public_key, bits, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END_name(struct public_key, public_key)

ASN1_SEQUENCE(body) = {
    ASN1_EXP_OPT(struct body, version, ASN1_INTEGER, 0),
    ASN1_SIMPLE(struct body, serial, ASN1_INTEGER),
    ASN1_SIMPLE(struct body, signature, X509_ALGOR),
    ASN1_SIMPLE(struct body, issuer, ASN1_ANY),
    ASN1_SIMPLE(struct body, validity, X509_VAL),
    ASN1_SIMPLE(struct body, subject, ASN1_ANY),
    ASN1_SIMPLE(struct body, key, public_key),
    ASN1_IMP_OPT(struct body, issuer_id, ASN1_BIT_STRING, 1),
    ASN1_IMP_OPT(struct body, subject_id, ASN1_BIT_STRING, 2),
    ASN1_EXP_OPT(struct body, extensions, ASN1_ANY, 3),
} static_ASN1_SEQUENCE_END_name(struct body, body)

ASN1_SEQUENCE(certificate) = {
    ASN1_SIMPLE(struct certificate, body, body),
    ASN1_SIMPLE(struct certificate, algorithm, X509_ALGOR),
    ASN1_SIMPLE(struct certificate, signature, ASN1_BIT_STRING),
} static_ASN1_SEQUENCE_END_name(struct certificate, certificate)

/* Named curves of at least 256 bits; parameters written out could be anything. */
static const struct curve {
  int nid;
  size_t size; /* bytes of a coordinate */
} curves[] = {{NID_X9_62_prime256v1, 32}, {NID_secp384r1, 48}, {NID_secp521r1, 66}};

enum judgement { OTHER, WEAK, STRONG };

/* OpenSSL itself verifies under 512 bits and under e = 1. */
static bool is_strong(const RSA *rsa) {
  const BIGNUM *e = RSA_get0_e(rsa);
  int bits = RSA_bits(rsa);

  return bits >= RSA_BITS_MIN && bits <= RSA_BITS_MAX && BN_is_odd(e) && !BN_is_one(e) &&
         BN_num_bits(e) <= EXPONENT_BITS_MAX;
}

/* Takes the RSA key; NULL: it could not be read. */
static enum judgement take_rsa(RSA *rsa, struct saml_key *key) {
  enum judgement judgement = rsa == NULL ? OTHER : is_strong(rsa) ? STRONG : WEAK;

  if (judgement == STRONG)
    key->rsa = rsa;
  else
    RSA_free(rsa);
  return judgement;
}

static enum judgement read_rsa(const struct public_key *public, struct saml_key *key) {
  const uint8_t *at = ASN1_STRING_get0_data(public->bits);
  const uint8_t *end = at + ASN1_STRING_length(public->bits);
  RSA *rsa = d2i_RSAPublicKey(NULL, &at, (long)(end - at));

  if (at == end)
    return take_rsa(rsa, key);
  RSA_free(rsa);
  return OTHER;
}

static const struct curve *find_curve(const X509_ALGOR *algorithm) {
  const void *parameter;
  int type, nid;
  size_t i;

  X509_ALGOR_get0(NULL, &type, &parameter, algorithm);
  nid = type == V_ASN1_OBJECT ? OBJ_obj2nid(parameter) : NID_undef;
  for (i = 0; i < sizeof curves / sizeof curves[0]; i++)
    if (curves[i].nid == nid)
      return &curves[i];
  return NULL;
}

/* SEC 1 2.3.4: reading the point checks that it is on the curve; the cofactor is 1. */
static enum judgement read_ec(const struct public_key *public, struct saml_key *key) {
  const struct curve *curve = find_curve(public->algorithm);
  EC_KEY *ec;

  if (curve == NULL)
    return WEAK;
  ec = EC_KEY_new_by_curve_name(curve->nid);
  if (ec == NULL || EC_KEY_oct2key(ec, ASN1_STRING_get0_data(public->bits),
                                   (size_t)ASN1_STRING_length(public->bits), NULL) != 1) {
    EC_KEY_free(ec);
    return OTHER;
  }
  key->ec = ec;
  key->size = curve->size;
  return STRONG;
}

static enum judgement read_key(const struct public_key *public, struct saml_key *key) {
  const ASN1_OBJECT *kind;

  X509_ALGOR_get0(&kind, NULL, NULL, public->algorithm);
  switch (OBJ_obj2nid(kind)) {
    case NID_rsaEncryption:
      return read_rsa(public, key);
    case NID_X9_62_id_ecPublicKey:
      return read_ec(public, key);
    default:
      return OTHER;
  }
}

/* Not by the C library's calendar, which opens the file of the time zone first. */
static int64_t end_of(const struct certificate *certificate) {
  ASN1_TIME *epoch = ASN1_TIME_new();
  int days = 0, seconds = 0;

  if (epoch == NULL || ASN1_TIME_set_string(epoch, "19700101000000Z") != 1 ||
      ASN1_TIME_diff(&days, &seconds, epoch, certificate->body->validity->notAfter) != 1)
    days = seconds = 0;
  ASN1_TIME_free(epoch);
  return days >= 0 && seconds >= 0 ? days * INT64_C(86400) + seconds : 0;
}

static void release(struct saml_key *key) {
  RSA_free(key->rsa);
  EC_KEY_free(key->ec);
}

static enum cortex_reason add(struct saml_keys *keys, enum judgement judgement,
                              struct saml_key *key) {
  keys->other += judgement == OTHER;
  keys->weak += judgement == WEAK;
  if (judgement != STRONG)
    return CORTEX_OK;
  if (keys->count == SAML_KEYS_MAX) {
    release(key);
    return CORTEX_TOO_LARGE;
  }
  keys->keys[keys->count++] = *key;
  return CORTEX_OK;
}

static enum cortex_reason add_certificate(struct saml_keys *keys,
                                          const struct certificate *certificate) {
  struct saml_key key = {.end = end_of(certificate)};
  enum judgement judgement = read_key(certificate->body->key, &key);

  return add(keys, judgement, &key);
}

static enum cortex_reason add_der(struct saml_keys *keys, const uint8_t *bytes, size_t len) {
  enum cortex_reason reason = CORTEX_OK;
  const uint8_t *at = bytes;
  ASN1_VALUE *value = ASN1_item_d2i(NULL, &at, (long)len, ASN1_ITEM_rptr(certificate));

  if (value != NULL && at == bytes + len)
    reason = add_certificate(keys, (const struct certificate *)value);
  else
    keys->other++;
  ASN1_item_free(value, ASN1_ITEM_rptr(certificate));
  return reason;
}

enum cortex_reason saml_keys_add_base64(struct saml_keys *keys, const char *text, size_t len) {
  uint8_t *bytes = malloc(CX_BASE64_SIZE(len));
  enum cortex_reason reason = CORTEX_OK;
  size_t size;

  if (bytes == NULL)
    return CORTEX_INTERNAL;
  if (cx_base64_decode(text, len, XML_BLANKS, bytes, &size))
    reason = add_der(keys, bytes, size);
  else
    keys->other++;
  free(bytes);
  return reason;
}

/* XML-DSig 4.1: a number is the base64 of its bytes, the highest first. */
static BIGNUM *read_number(const char *text) {
  size_t len = strlen(text), size;
  uint8_t *bytes = malloc(CX_BASE64_SIZE(len));
  BIGNUM *number = NULL;

  if (bytes != NULL && cx_base64_decode(text, len, XML_BLANKS, bytes, &size))
    number = BN_bin2bn(bytes, (int)size, NULL);
  free(bytes);
  return number;
}

enum cortex_reason saml_keys_add_rsa(struct saml_keys *keys, const char *modulus,
                                     const char *exponent) {
  BIGNUM *n = read_number(modulus), *e = read_number(exponent);
  struct saml_key key = {.end = 0};
  RSA *rsa = RSA_new();

  if (rsa == NULL || RSA_set0_key(rsa, n, e, NULL) != 1) {
    BN_free(n);
    BN_free(e);
    RSA_free(rsa);
    rsa = NULL;
  }
  return add(keys, take_rsa(rsa, &key), &key);
}

enum cortex_reason saml_keys_add_pem(struct saml_keys *keys, const char *text, size_t len) {
  BIO *source = BIO_new_mem_buf(text, (int)len);
  enum cortex_reason reason = CORTEX_OK;
  uint8_t *bytes;
  long size;

  if (source == NULL)
    return CORTEX_INTERNAL;
  while (reason == CORTEX_OK &&
         PEM_bytes_read_bio(&bytes, &size, NULL, PEM_STRING_X509, source, NULL, NULL) == 1) {
    reason = add_der(keys, bytes, (size_t)size);
    OPENSSL_free(bytes);
  }
  BIO_free(source);
  return reason;
}

void saml_keys_clear(struct saml_keys *keys) {
  while (keys->count > 0)
    release(&keys->keys[--keys->count]);
  keys->weak = keys->other = 0;
}
