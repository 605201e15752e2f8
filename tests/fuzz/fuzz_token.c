/*
 * Fuzzes a credential from its first byte to the signature check.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <cortexauth/credential.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char config[] = "[oidc \"f\"]\nissuer = https://op.example\naudience = cortex\n"
                             "algorithms = RS256, ES256, EdDSA\n";
static const char keys[] = "{\"keys\":[{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"k1\","
                           "\"x\":\"hOZnnRh_NXt6ELhXgoq-9NFYbuJNh7-SYJYfIe_jWAw\","
                           "\"y\":\"JrKccQetk6QXiO5Fh-nZWHGvi6m92fuZm0TUppiZIKs\"},"
                           "{\"kty\":\"OKP\",\"crv\":\"Ed25519\","
                           "\"x\":\"LBX3jn9B2pGXf-tkE3F733Bq6_FbCi4G-UAn176G84o\"}]}";

/* Read once: they are not what is fuzzed here. */
static struct cortex_settings *settings;
static struct cortex_keyring *keyring;

static void prepare(void) {
  if (settings != NULL)
    return;
  keyring = cortex_keyring_new();
  if (keyring == NULL || cortex_keyring_put(keyring, "f", keys, strlen(keys)) != CORTEX_OK ||
      cortex_settings_parse("f", config, strlen(config), &settings, NULL) != CORTEX_OK)
    abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct cortex_identity *identity = NULL;
  struct cortex_error error = CORTEX_ERROR_NONE;
  struct cortex_credential credential = {.bytes = data,
                                         .len = size,
                                         .now = 1700000000,
                                         .real_now = 1700000000};

  prepare();
  credential.keyring = keyring;
  if (cortex_verify(settings, &credential, &identity, &error) == CORTEX_OK)
    abort(); /* the private halves of these keys were never kept */
  return 0;
}
