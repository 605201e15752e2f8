/*
 * A private key out of a file that the operator keeps.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "util/private_key.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <stdbool.h>
#include <string.h>

#include "util/buf.h"
#include "util/file.h"

#define FILE_MAX 65536
#define RSA_BITS_MIN 2048 /* RFC 7518 4.3 */

/* Without this OpenSSL would ask for a passphrase on the terminal. */
static int refuse_passphrase(char *room, int size, int is_writing, void *context) {
  (void)room;
  (void)size;
  (void)is_writing;
  (void)context;
  return -1;
}

enum cortex_reason cx_private_key_load(const char *path, EVP_PKEY **key_out,
                                       struct cortex_error *error) {
  static const struct cx_file_rules rules = {CORTEX_CONFIG_INVALID, FILE_MAX, false};
  struct cx_place place = {path, 0, 0};
  struct cx_buf content;
  enum cortex_reason reason;
  BIO *source;

  *key_out = NULL;
  reason = cx_file_read(path, &rules, &content, NULL, error);
  if (reason != CORTEX_OK)
    return reason;
  ERR_set_mark();
  source = BIO_new_mem_buf(content.bytes, (int)content.len);
  if (source != NULL)
    *key_out = PEM_read_bio_PrivateKey(source, NULL, refuse_passphrase, NULL);
  BIO_free(source);
  ERR_pop_to_mark();
  cx_buf_clear(&content);
  if (*key_out == NULL)
    return cx_error_at(error, CORTEX_CONFIG_INVALID, place,
                       "is not a private key in PEM without passphrase");
  return CORTEX_OK;
}

static bool is_on_known_curve(const EVP_PKEY *key) {
  static const char curves[][12] = {"prime256v1", "secp384r1", "secp521r1"};
  char group[64];
  size_t i;

  if (EVP_PKEY_get_group_name(key, group, sizeof group, NULL) != 1)
    return false;
  for (i = 0; i < sizeof curves / sizeof curves[0]; i++)
    if (strcmp(group, curves[i]) == 0)
      return true;
  return false;
}

/* A key for signatures alone, or of a curve that no algorithm here has, would open nothing. */
static bool can_open(const EVP_PKEY *key, enum cx_private_key_use use) {
  if (EVP_PKEY_is_a(key, "RSA"))
    return EVP_PKEY_get_bits(key) >= RSA_BITS_MIN;
  return use == CX_OPENS_TOKENS && EVP_PKEY_is_a(key, "EC") && is_on_known_curve(key);
}

enum cortex_reason cx_private_key_check(const char *path, enum cx_private_key_use use,
                                        struct cortex_error *error) {
  struct cx_place place = {path, 0, 0};
  EVP_PKEY *key;
  enum cortex_reason reason = cx_private_key_load(path, &key, error);

  if (reason == CORTEX_OK && !can_open(key, use))
    reason = cx_error_at(error, CORTEX_CONFIG_INVALID, place,
                         use == CX_OPENS_TOKENS
                             ? "is no key of RSA with %d bits or more, nor of P-256, P-384 or P-521"
                             : "is no key of RSA with %d bits or more",
                         RSA_BITS_MIN);
  EVP_PKEY_free(key);
  return reason;
}
