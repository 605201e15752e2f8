/*
 * A private key out of a file that the operator keeps.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "util/private_key.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "util/buf.h"
#include "util/file.h"

#define FILE_MAX 65536

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

enum cortex_reason cx_private_key_check(const char *path, struct cortex_error *error) {
  EVP_PKEY *key;
  enum cortex_reason reason = cx_private_key_load(path, &key, error);

  EVP_PKEY_free(key);
  return reason;
}
