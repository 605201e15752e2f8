/*
 * Decryption of the parts of an encrypted token (RFC 7516 5.2, RFC 7518 4 and 5).
 * SPDX-License-Identifier: PostgreSQL
 */

/* For the type of key.c: the sender's point is read and checked there. */
#define OPENSSL_API_COMPAT 0x10100000L

#include "oidc/jwe_decrypt.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <string.h>

#include "oidc/key.h"
#include "util/base64url.h"
#include "util/json.h"

#define SECRET_MAX 2048 /* of RSA 16384; the content's key is at most 64 bytes */
#define KEY_MAX 64
#define PARTY_MAX 512 /* of apu and apv */

/* By OpenSSL's names, not its functions: the loader would look for each at every login. */
struct cx_jwe_key_algorithm {
  char name[16];
  char kind[4];   /* of the private key */
  char digest[8]; /* RSA: of OAEP and its mask */
  char wrap[16];  /* EC: what wraps the content's key; empty: agreed on directly */
  size_t wrap_len;
};

struct cx_jwe_content_algorithm {
  char name[16];
  size_t key_len, iv_len, tag_len;
  char cipher[16];
  char digest[8]; /* empty: GCM */
};

static const struct cx_jwe_key_algorithm key_algorithms[] = {
    {"RSA-OAEP", "RSA", "SHA1", "", 0},
    {"RSA-OAEP-256", "RSA", "SHA256", "", 0},
    {"ECDH-ES", "EC", "", "", 0},
    {"ECDH-ES+A128KW", "EC", "", "AES-128-WRAP", 16},
    {"ECDH-ES+A192KW", "EC", "", "AES-192-WRAP", 24},
    {"ECDH-ES+A256KW", "EC", "", "AES-256-WRAP", 32},
};

static const struct cx_jwe_content_algorithm content_algorithms[] = {
    {"A128GCM", 16, 12, 16, "AES-128-GCM", ""},
    {"A192GCM", 24, 12, 16, "AES-192-GCM", ""},
    {"A256GCM", 32, 12, 16, "AES-256-GCM", ""},
    {"A128CBC-HS256", 32, 16, 16, "AES-128-CBC", "SHA256"},
    {"A192CBC-HS384", 48, 16, 24, "AES-192-CBC", "SHA384"},
    {"A256CBC-HS512", 64, 16, 32, "AES-256-CBC", "SHA512"},
};

struct cx_jwe_method cx_jwe_method_find(const cx_json *header) {
  const cx_json *alg = cx_json_get(header, "alg"), *enc = cx_json_get(header, "enc");
  struct cx_jwe_method method = {NULL, NULL};
  size_t i;

  for (i = 0; i < sizeof key_algorithms / sizeof key_algorithms[0]; i++)
    if (cx_json_is_text(alg, key_algorithms[i].name, strlen(key_algorithms[i].name)))
      method.key = &key_algorithms[i];
  for (i = 0; i < sizeof content_algorithms / sizeof content_algorithms[0]; i++)
    if (cx_json_is_text(enc, content_algorithms[i].name, strlen(content_algorithms[i].name)))
      method.content = &content_algorithms[i];
  return method;
}

bool cx_jwe_method_fits(const struct cx_jwe_method *method, const struct cx_jwe *jwe) {
  return jwe->iv.len == method->content->iv_len && jwe->tag.len == method->content->tag_len;
}

/* RSAES-OAEP, RFC 7518 4.3. */
static bool open_rsa(const struct cx_jwe_method *method, const struct cx_jwe *jwe, EVP_PKEY *pkey,
                     uint8_t *key_out) {
  EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(pkey, NULL);
  uint8_t room[SECRET_MAX];
  size_t len = sizeof room;
  bool done = context != NULL && (size_t)EVP_PKEY_get_size(pkey) <= sizeof room &&
              EVP_PKEY_decrypt_init(context) == 1 &&
              EVP_PKEY_CTX_set_rsa_padding(context, RSA_PKCS1_OAEP_PADDING) == 1 &&
              EVP_PKEY_CTX_set_rsa_oaep_md_name(context, method->key->digest, NULL) == 1 &&
              EVP_PKEY_decrypt(context, room, &len, jwe->key.bytes, jwe->key.len) == 1 &&
              len == method->content->key_len;

  if (done)
    memcpy(key_out, room, len);
  OPENSSL_cleanse(room, sizeof room);
  EVP_PKEY_CTX_free(context);
  return done;
}

/* The sender's key out of epk: on the curve of ours, RFC 7518 4.6.1.1 (else: invalid curve). */
static EVP_PKEY *import_sender(const cx_json *epk, const EVP_PKEY *ours) {
  const struct cx_key_type *type = cx_key_type_of(epk);
  EVP_PKEY *sender = NULL;
  struct cx_key key;
  char group[64];

  if (type == NULL || strcmp(type->kty, "EC") != 0 ||
      EVP_PKEY_get_group_name(ours, group, sizeof group, NULL) != 1 ||
      OBJ_txt2nid(group) != type->nid || cx_key_import(type, epk, &key) != CORTEX_OK)
    return NULL;
  sender = EVP_PKEY_new();
  if (sender != NULL && EVP_PKEY_set1_EC_KEY(sender, key.handle) != 1) {
    EVP_PKEY_free(sender);
    sender = NULL;
  }
  cx_key_clear(&key);
  return sender;
}

static bool agree(EVP_PKEY *ours, EVP_PKEY *sender, uint8_t *secret_out, size_t *len) {
  EVP_PKEY_CTX *context = sender != NULL ? EVP_PKEY_CTX_new(ours, NULL) : NULL;
  bool done = context != NULL && EVP_PKEY_derive_init(context) == 1 &&
              EVP_PKEY_derive_set_peer(context, sender) == 1 &&
              EVP_PKEY_derive(context, secret_out, len) == 1;

  EVP_PKEY_CTX_free(context);
  return done;
}

static void put_length(struct cx_buf *info, size_t len) {
  const uint8_t bytes[] = {(uint8_t)(len >> 24), (uint8_t)(len >> 16), (uint8_t)(len >> 8),
                           (uint8_t)len};

  cx_buf_put(info, bytes, sizeof bytes);
}

/* apu, apv: base64url, of any length that a header may have; absent is empty. */
static bool put_party(struct cx_buf *info, const cx_json *header, const char *name) {
  const cx_json *party = cx_json_get(header, name);
  uint8_t bytes[PARTY_MAX];
  size_t len = cx_json_text_len(party), used = 0;

  if (party != NULL && (!cx_json_is_string(party) || CX_BASE64URL_SIZE(len) > sizeof bytes ||
                        !cx_base64url_decode(cx_json_text(party), len, bytes, &used)))
    return false;
  put_length(info, used);
  cx_buf_put(info, bytes, used);
  return true;
}

/* The Concat KDF of RFC 7518 4.6.2: the one-step KDF of NIST SP 800-56C with SHA-256. */
static bool derive(const struct cx_jwe *jwe, const char *name, const struct cx_jwe_bytes *secret,
                   uint8_t *key_out, size_t len) {
  EVP_KDF *kdf = EVP_KDF_fetch(NULL, "SSKDF", NULL);
  EVP_KDF_CTX *context = kdf != NULL ? EVP_KDF_CTX_new(kdf) : NULL;
  char digest[] = "SHA256";
  struct cx_buf info;
  bool done = false;

  cx_buf_init(&info, 4096);
  put_length(&info, strlen(name));
  cx_buf_put_text(&info, name);
  if (put_party(&info, jwe->header, "apu") && put_party(&info, jwe->header, "apv")) {
    put_length(&info, len * 8);
    done = !info.failed && context != NULL;
  }
  if (done) {
    const OSSL_PARAM parameters[] = {
        OSSL_PARAM_utf8_string(OSSL_KDF_PARAM_DIGEST, digest, sizeof digest - 1),
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_KEY, (void *)secret->bytes, secret->len),
        OSSL_PARAM_octet_string(OSSL_KDF_PARAM_INFO, info.bytes, info.len), OSSL_PARAM_END};

    done = EVP_KDF_derive(context, key_out, len, parameters) == 1;
  }
  cx_buf_clear(&info);
  EVP_KDF_CTX_free(context);
  EVP_KDF_free(kdf);
  return done;
}

/* AES Key Wrap, RFC 3394: checks its own integrity. */
static bool unwrap(const struct cx_jwe_method *method, const struct cx_jwe_bytes *wrapped,
                   const uint8_t *with, uint8_t *key_out) {
  EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, method->key->wrap, NULL);
  EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
  uint8_t room[KEY_MAX + 16];
  int len = 0;
  bool done = false;

  if (cipher != NULL && context != NULL && wrapped->len == method->content->key_len + 8) {
    EVP_CIPHER_CTX_set_flags(context, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    done = EVP_DecryptInit_ex(context, cipher, NULL, with, NULL) == 1 &&
           EVP_DecryptUpdate(context, room, &len, wrapped->bytes, (int)wrapped->len) == 1 &&
           (size_t)len == method->content->key_len;
  }
  if (done)
    memcpy(key_out, room, (size_t)len);
  OPENSSL_cleanse(room, sizeof room);
  EVP_CIPHER_CTX_free(context);
  EVP_CIPHER_free(cipher);
  return done;
}

/* ECDH-ES, RFC 7518 4.6: the agreed secret is the content's key, or what wraps it. */
static bool open_ec(const struct cx_jwe_method *method, const struct cx_jwe *jwe, EVP_PKEY *pkey,
                    uint8_t *key_out) {
  EVP_PKEY *sender = import_sender(cx_json_get(jwe->header, "epk"), pkey);
  uint8_t secret[SECRET_MAX], with[KEY_MAX];
  struct cx_jwe_bytes agreed = {secret, sizeof secret};
  bool done = agree(pkey, sender, secret, &agreed.len);

  if (method->key->wrap[0] != '\0')
    done = done && derive(jwe, method->key->name, &agreed, with, method->key->wrap_len) &&
           unwrap(method, &jwe->key, with, key_out);
  else
    done = done && jwe->key.len == 0 &&
           derive(jwe, method->content->name, &agreed, key_out, method->content->key_len);
  OPENSSL_cleanse(secret, sizeof secret);
  OPENSSL_cleanse(with, sizeof with);
  EVP_PKEY_free(sender);
  return done;
}

/* HMAC of header text, vector, ciphertext and the header's bits, RFC 7518 5.2.2.1 step 5. */
static bool check_mac(const struct cx_jwe_content_algorithm *content, const struct cx_jwe *jwe,
                      const uint8_t *key) {
  uint64_t bits = (uint64_t)jwe->header_text.len * 8;
  uint8_t mac[EVP_MAX_MD_SIZE];
  struct cx_buf input;
  bool is_same;

  cx_buf_init(&input, 4 * 65536);
  cx_buf_put(&input, jwe->header_text.bytes, jwe->header_text.len);
  cx_buf_put(&input, jwe->iv.bytes, jwe->iv.len);
  cx_buf_put(&input, jwe->text.bytes, jwe->text.len);
  put_length(&input, (size_t)(bits >> 32));
  put_length(&input, (size_t)(bits & UINT32_MAX));
  is_same = !input.failed &&
            EVP_Q_mac(NULL, "HMAC", NULL, content->digest, NULL, key, content->key_len / 2,
                      (const uint8_t *)input.bytes, input.len, mac, sizeof mac, NULL) != NULL &&
            CRYPTO_memcmp(mac, jwe->tag.bytes, content->tag_len) == 0;
  cx_buf_clear(&input);
  return is_same;
}

/* GCM authenticates header and text itself; CBC comes after its MAC was found good. */
static bool decrypt_content(const struct cx_jwe_content_algorithm *content,
                            const struct cx_jwe *jwe, const uint8_t *key, struct cx_buf *plain) {
  EVP_CIPHER *cipher = EVP_CIPHER_fetch(NULL, content->cipher, NULL);
  EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
  char *room = cx_buf_reserve(plain, jwe->text.len + EVP_MAX_BLOCK_LENGTH);
  bool is_gcm = content->digest[0] == '\0';
  int len = 0, rest = 0;
  bool done = cipher != NULL && context != NULL && room != NULL &&
              EVP_DecryptInit_ex(context, cipher, NULL, is_gcm ? key : key + content->key_len / 2,
                                 jwe->iv.bytes) == 1;

  if (is_gcm)
    done = done &&
           EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, (int)jwe->tag.len,
                               (void *)jwe->tag.bytes) == 1 &&
           EVP_DecryptUpdate(context, NULL, &len, jwe->header_text.bytes,
                             (int)jwe->header_text.len) == 1;
  done =
      done &&
      EVP_DecryptUpdate(context, (uint8_t *)room, &len, jwe->text.bytes, (int)jwe->text.len) == 1 &&
      EVP_DecryptFinal_ex(context, (uint8_t *)room + len, &rest) == 1;
  if (done)
    plain->len += (size_t)(len + rest);
  else if (room != NULL)
    OPENSSL_cleanse(room, jwe->text.len + EVP_MAX_BLOCK_LENGTH);
  EVP_CIPHER_CTX_free(context);
  EVP_CIPHER_free(cipher);
  return done;
}

bool cx_jwe_decrypt(const struct cx_jwe_method *method, const struct cx_jwe *jwe, EVP_PKEY *pkey,
                    struct cx_buf *plain) {
  bool (*open_with)(const struct cx_jwe_method *, const struct cx_jwe *, EVP_PKEY *, uint8_t *) =
      method->key->digest[0] != '\0' ? open_rsa : open_ec;
  uint8_t key[KEY_MAX], none[KEY_MAX];
  bool is_open, done;

  if (!EVP_PKEY_is_a(pkey, method->key->kind) || RAND_bytes(none, sizeof none) != 1)
    return false;
  is_open = open_with(method, jwe, pkey, key);
  if (!is_open)
    memcpy(key, none, sizeof key);
  done = (method->content->digest[0] == '\0' || check_mac(method->content, jwe, key)) &&
         decrypt_content(method->content, jwe, key, plain) && is_open;
  OPENSSL_cleanse(key, sizeof key);
  return done;
}
