/*
 * The service provider's own certificate, which identity providers encrypt for.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "saml_certificate.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <time.h>

X509 *saml_certificate_load(const char *path) {
  BIO *source = BIO_new_file(path, "r");
  X509 *certificate = source != NULL ? PEM_read_bio_X509(source, NULL, NULL, NULL) : NULL;

  BIO_free(source);
  return certificate;
}

bool saml_certificate_fits(X509 *certificate, const char *key_path) {
  BIO *source = BIO_new_file(key_path, "r");
  EVP_PKEY *key = source != NULL ? PEM_read_bio_PrivateKey(source, NULL, NULL, (void *)"") : NULL;
  bool fits = key != NULL && X509_check_private_key(certificate, key) == 1;

  EVP_PKEY_free(key);
  BIO_free(source);
  return fits;
}

int64_t saml_certificate_end(const X509 *certificate) {
  struct tm end;

  return ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) == 1 ? (int64_t)timegm(&end) : 0;
}
