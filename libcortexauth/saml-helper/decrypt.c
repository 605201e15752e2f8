/*
 * Encrypted assertions (XML Encryption 1.1, SAML core 6).
 * SPDX-License-Identifier: PostgreSQL
 */
#include "decrypt.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

#include "tree.h"
#include "util/base64.h"
#include "util/quote.h"
#include "util/secret.h"

#define BLOCK 16
#define TAG 16
#define KEYS_MAX 8 /* one for each recipient */

struct cipher {
  const char *uri;
  const EVP_CIPHER *(*type)(void);
  size_t key_len;
  size_t vector_len;
  bool is_gcm;
};

static const struct cipher ciphers[] = {
    {NS_XENC "aes128-cbc", EVP_aes_128_cbc, 16, BLOCK, false},
    {NS_XENC "aes192-cbc", EVP_aes_192_cbc, 24, BLOCK, false},
    {NS_XENC "aes256-cbc", EVP_aes_256_cbc, 32, BLOCK, false},
    {NS_XENC11 "aes128-gcm", EVP_aes_128_gcm, 16, 12, true},
    {NS_XENC11 "aes192-gcm", EVP_aes_192_gcm, 24, 12, true},
    {NS_XENC11 "aes256-gcm", EVP_aes_256_gcm, 32, 12, true},
};

/* Inside RSA-OAEP SHA-1 needs no collision resistance; it is what most providers use. */
struct hash {
  const char *uri;
  const EVP_MD *(*type)(void);
};

static const struct hash digests[] = {
    {NS_DSIG "sha1", EVP_sha1},
    {NS_XENC "sha256", EVP_sha256},
    {NS_DSIG_MORE "sha384", EVP_sha384},
    {NS_XENC "sha512", EVP_sha512},
    {NULL, NULL},
};

static const struct hash masks[] = {
    {NS_XENC11 "mgf1sha1", EVP_sha1},
    {NS_XENC11 "mgf1sha256", EVP_sha256},
    {NS_XENC11 "mgf1sha384", EVP_sha384},
    {NS_XENC11 "mgf1sha512", EVP_sha512},
    {NULL, NULL},
};

/* What an EncryptedAssertion says of itself. */
struct envelope {
  const struct cipher *cipher;
  const xmlNode *data;
  const xmlNode *keys[KEYS_MAX];
  size_t key_count;
};

struct bytes {
  uint8_t *at;
  size_t len;
};

#define REFUSE(reason, ...) cx_error_set(error, reason, __VA_ARGS__)

static const char *algorithm_of(const xmlNode *node) {
  const char *uri = node != NULL ? saml_attribute(node, "Algorithm") : NULL;

  return uri != NULL ? uri : "";
}

static const EVP_MD *find_hash(const struct hash *table, const xmlNode *node) {
  const char *uri = algorithm_of(node);

  while (table->uri != NULL && strcmp(table->uri, uri) != 0)
    table++;
  return table->uri != NULL ? table->type() : NULL;
}

/* XML Encryption 5.5.2: the older name has MGF1 with SHA-1, the newer says it; SHA-1 otherwise. */
static bool read_hashes(const xmlNode *method, const EVP_MD **digest_out, const EVP_MD **mask_out) {
  const char *uri = algorithm_of(method);
  const xmlNode *digest = saml_child(method, NS_DSIG, "DigestMethod");
  const xmlNode *mask = saml_child(method, NS_XENC11, "MGF");
  bool is_newer = strcmp(uri, NS_XENC11 "rsa-oaep") == 0;

  if (!is_newer && strcmp(uri, NS_XENC "rsa-oaep-mgf1p") != 0)
    return false;
  *digest_out = digest != NULL ? find_hash(digests, digest) : EVP_sha1();
  *mask_out = mask != NULL && is_newer ? find_hash(masks, mask) : EVP_sha1();
  return *digest_out != NULL && *mask_out != NULL;
}

static void collect_keys(struct envelope *envelope, const xmlNode *parent) {
  const xmlNode *key = saml_child(parent, NS_XENC, "EncryptedKey");

  for (; key != NULL && envelope->key_count < KEYS_MAX;
       key = saml_sibling(key, NS_XENC, "EncryptedKey"))
    envelope->keys[envelope->key_count++] = key;
}

static enum cortex_reason read_envelope(const xmlNode *encrypted, struct envelope *envelope,
                                        struct cortex_error *error) {
  const EVP_MD *digest, *mask;
  const xmlNode *method;
  const char *uri;
  size_t i;

  envelope->data = saml_child(encrypted, NS_XENC, "EncryptedData");
  if (envelope->data == NULL || saml_count(encrypted, NS_XENC, "EncryptedData") != 1)
    return REFUSE(CORTEX_MALFORMED, "the encrypted assertion has not one part of data");
  uri = algorithm_of(saml_child(envelope->data, NS_XENC, "EncryptionMethod"));
  for (i = 0; i < sizeof ciphers / sizeof ciphers[0]; i++)
    if (strcmp(ciphers[i].uri, uri) == 0)
      envelope->cipher = &ciphers[i];
  if (envelope->cipher == NULL)
    return REFUSE(CORTEX_ALGORITHM_NOT_ALLOWED,
                  "the assertion is encrypted by %s, expected AES in CBC or GCM",
                  cx_quote(uri, strlen(uri)).text);
  collect_keys(envelope, saml_child(envelope->data, NS_DSIG, "KeyInfo"));
  collect_keys(envelope, encrypted);
  if (envelope->key_count == 0)
    return REFUSE(CORTEX_MALFORMED, "the encrypted assertion comes without a key");
  for (i = 0; i < envelope->key_count; i++) {
    method = saml_child(envelope->keys[i], NS_XENC, "EncryptionMethod");
    uri = algorithm_of(method);
    if (!read_hashes(method, &digest, &mask))
      return REFUSE(CORTEX_ALGORITHM_NOT_ALLOWED,
                    "the assertion's key is encrypted by %s, expected RSA-OAEP with SHA-1 or SHA-2",
                    cx_quote(uri, strlen(uri)).text);
  }
  return CORTEX_OK;
}

/* CipherData with its value inside; a reference to elsewhere has none. */
static bool read_cipher(const xmlNode *parent, struct bytes *bytes) {
  const xmlNode *data = saml_child(parent, NS_XENC, "CipherData"), *value = saml_first(data);
  const char *text = saml_is(value, NS_XENC, "CipherValue") ? saml_text(value) : NULL;

  if (text == NULL || saml_next(value) != NULL)
    return false;
  bytes->at = malloc(CX_BASE64_SIZE(strlen(text)));
  return bytes->at != NULL &&
         cx_base64_decode(text, strlen(text), XML_BLANKS, bytes->at, &bytes->len);
}

static bool set_oaep(EVP_PKEY_CTX *context, const xmlNode *method) {
  const xmlNode *label = saml_child(method, NS_XENC, "OAEPparams");
  const EVP_MD *digest = NULL, *mask = NULL;

  return label == NULL && read_hashes(method, &digest, &mask) &&
         EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
         EVP_PKEY_CTX_set_rsa_oaep_md(context, digest) == 1 &&
         EVP_PKEY_CTX_set_rsa_mgf1_md(context, mask) == 1;
}

static bool unwrap(EVP_PKEY *key, const xmlNode *wrapped, struct bytes *secret) {
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
  struct bytes cipher = {NULL, 0};
  bool done = false;

  if (context != NULL && read_cipher(wrapped, &cipher) && EVP_PKEY_decrypt_init(context) == 1 &&
      set_oaep(context, saml_child(wrapped, NS_XENC, "EncryptionMethod"))) {
    secret->len = (size_t)EVP_PKEY_get_size(key);
    secret->at = malloc(secret->len);
    done = secret->at != NULL && EVP_PKEY_decrypt(context, secret->at, &secret->len, cipher.at,
                                                  cipher.len) == 1;
  }
  EVP_PKEY_CTX_free(context);
  free(cipher.at);
  return done;
}

/* XML Encryption 5.2: the last byte counts the padding, the others of it are arbitrary. */
static bool drop_padding(struct cx_buf *plain) {
  size_t padding = plain->len > 0 ? (uint8_t)plain->bytes[plain->len - 1] : 0;

  if (padding < 1 || padding > BLOCK || padding > plain->len)
    return false;
  plain->len -= padding;
  plain->bytes[plain->len] = '\0';
  return true;
}

static bool decipher(const struct cipher *cipher, const struct bytes *secret,
                     const struct bytes *data, struct cx_buf *plain) {
  size_t tag = cipher->is_gcm ? TAG : 0, len;
  EVP_CIPHER_CTX *context;
  bool done = false;
  int out = 0, rest = 0;
  char *room;

  if (secret->len != cipher->key_len || data->len < cipher->vector_len + tag)
    return false;
  len = data->len - cipher->vector_len - tag;
  room = cx_buf_reserve(plain, len + BLOCK);
  context = EVP_CIPHER_CTX_new();
  if (room != NULL && context != NULL &&
      EVP_DecryptInit_ex(context, cipher->type(), NULL, secret->at, data->at) == 1 &&
      EVP_CIPHER_CTX_set_padding(context, 0) == 1 &&
      (tag == 0 || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, TAG,
                                       data->at + data->len - TAG) == 1) &&
      EVP_DecryptUpdate(context, (uint8_t *)room, &out, data->at + cipher->vector_len, (int)len) ==
          1 &&
      EVP_DecryptFinal_ex(context, (uint8_t *)room + out, &rest) == 1) {
    plain->len = (size_t)(out + rest);
    room[plain->len] = '\0';
    done = cipher->is_gcm || drop_padding(plain);
  }
  EVP_CIPHER_CTX_free(context);
  return done;
}

static EVP_PKEY *read_key(const char *pem) {
  BIO *source = BIO_new_mem_buf(pem, -1);
  EVP_PKEY *key = source != NULL ? PEM_read_bio_PrivateKey(source, NULL, NULL, (void *)"") : NULL;

  BIO_free(source);
  return key;
}

static bool open_with(EVP_PKEY *key, const struct envelope *envelope, struct cx_buf *plain) {
  struct bytes data = {NULL, 0};
  bool done = false;
  size_t i;

  if (key == NULL || !read_cipher(envelope->data, &data)) {
    free(data.at);
    return false;
  }
  for (i = 0; i < envelope->key_count && !done; i++) {
    struct bytes secret = {NULL, 0};

    cx_buf_clear(plain);
    done = unwrap(key, envelope->keys[i], &secret) &&
           decipher(envelope->cipher, &secret, &data, plain);
    cx_secret_free(secret.at, secret.len);
  }
  free(data.at);
  return done;
}

enum cortex_reason saml_decrypt(const xmlNode *encrypted, const char *key,
                                struct cx_buf *plain_out, struct cortex_error *error) {
  struct envelope envelope = {.cipher = NULL};
  enum cortex_reason reason;
  EVP_PKEY *own;
  bool done;

  cx_buf_init(plain_out, 128 * 1024);
  reason = read_envelope(encrypted, &envelope, error);
  if (reason != CORTEX_OK)
    return reason;
  own = read_key(key);
  done = open_with(own, &envelope, plain_out);
  EVP_PKEY_free(own);
  return done ? CORTEX_OK : CORTEX_SIGNATURE_INVALID;
}
