/*
 * What a verification may cost at worst: inputs that are as large and as odd as may be.
 * SPDX-License-Identifier: PostgreSQL
 *
 * Counted is the thread's CPU time, the least of three runs, so that a busy
 * machine does not matter; the limit is what every single case has to keep.
 */
#include <cortexauth/credential.h>
#include <openssl/rand.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "identity/identity.h"
#include "jwt.h"
#include "util/buf.h"

#define NOW 1700000000
#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SECONDS_MAX 0.2 /* what is checked at each access takes longer */
#endif
#endif
#ifndef SECONDS_MAX
#define SECONDS_MAX 0.05
#endif
#define RUNS 5
#define PAYLOAD_MAX 48500 /* with header and signature a little below the limit in base64 */
#define BYTES_MAX (1024 * 1024)
#define HEAD                                                                                       \
  "{\"iss\":\"https://op.example\",\"sub\":\"alice\",\"aud\":\"cortex\",\"iat\":1699999990,"       \
  "\"exp\":1700000300"

static struct jwt_key *key;

static double seconds_now(void) {
  struct timespec now;

  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct input {
  const char *settings; /* further lines of the section */
  const char *keys;     /* NULL: the one that signed */
  const char *token;
  size_t len;
};

static enum cortex_reason measure(const struct input *input) {
  char config[8192];
  struct cortex_settings *settings;
  struct cortex_keyring *keyring = cortex_keyring_new();
  char *own = jwt_key_set(key, "k1");
  const char *keys = input->keys != NULL ? input->keys : own;
  struct cortex_credential credential = {.bytes = input->token, .len = input->len, .keyring = keyring, .now = NOW, .real_now = NOW};
  enum cortex_reason reason = CORTEX_INTERNAL;
  double least = 1e9, start, took;
  int i;

  snprintf(config, sizeof config,
           "[oidc \"m\"]\nissuer = https://op.example\naudience = cortex\n%s",
           input->settings != NULL ? input->settings : "");
  assert_int_equal(cortex_settings_parse("c", config, strlen(config), &settings, NULL), CORTEX_OK);
  assert_int_equal(cortex_keyring_put(keyring, "m", keys, strlen(keys)), CORTEX_OK);
  for (i = 0; i < RUNS; i++) {
    struct cortex_identity *identity = NULL;

    start = seconds_now();
    reason = cortex_verify(settings, &credential, &identity, NULL);
    cortex_identity_free(&identity);
    took = seconds_now() - start;
    least = took < least ? took : least;
  }
  if (least > SECONDS_MAX)
    fail_msg("%.1f ms, at most %.0f are allowed", least * 1e3, SECONDS_MAX * 1e3);
  cortex_settings_free(&settings);
  cortex_keyring_free(&keyring);
  free(own);
  return reason;
}

static char *sign(const char *payload) {
  static const char header[] = "{\"alg\":\"RS256\",\"kid\":\"k1\"}";

  return jwt_sign(key, "RS256", (struct jwt_bytes){header, strlen(header)},
                  (struct jwt_bytes){payload, strlen(payload)});
}

/* The piece with the number in place of each "#". */
static void put_piece(struct cx_buf *buf, const char *piece, unsigned number) {
  for (; *piece != '\0'; piece++) {
    if (*piece == '#')
      cx_buf_printf(buf, "%u", number);
    else
      cx_buf_put(buf, piece, 1);
  }
}

/* A payload of a start, as many pieces as fit, and an end; signed. */
static enum cortex_reason measure_pieces(const char *settings, const char *start, const char *piece,
                                         const char *end) {
  struct cx_buf payload;
  struct input input = {settings, NULL, NULL, 0};
  enum cortex_reason reason;
  char *token;
  unsigned i;

  cx_buf_init(&payload, BYTES_MAX);
  cx_buf_put_text(&payload, start);
  for (i = 0; payload.len + strlen(piece) + strlen(end) + 16 < PAYLOAD_MAX; i++)
    put_piece(&payload, piece, i);
  cx_buf_put_text(&payload, end);
  token = sign(payload.bytes);
  input.token = token;
  input.len = strlen(token);
  assert_in_range(input.len, 60000, CORTEX_CREDENTIAL_MAX);
  reason = measure(&input);
  cx_buf_clear(&payload);
  free(token);
  return reason;
}

static void largest_payloads_are_quick(void **state) {
  static const char deep[] = "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]]]]]]]]]],";

  (void)state;
  assert_int_equal(measure_pieces(NULL, HEAD ",\"groups\":[\"x\"", ",\"g#\"", "]}"), CORTEX_OK);
  assert_int_equal(measure_pieces(NULL, HEAD, ",\"m#\":#", "}"), CORTEX_OK);
  assert_int_equal(measure_pieces(NULL, HEAD ",\"x\":[", deep, "0]}"), CORTEX_OK);
  assert_int_equal(measure_pieces(NULL, HEAD ",\"x\":[", "{},", "0]}"), CORTEX_OK);
  assert_int_equal(measure_pieces(NULL, HEAD ",\"scope\":\"", "s ", "\"}"), CORTEX_OK);
  assert_int_equal(measure_pieces(NULL, HEAD ",\"x\":\"", "\\u00e9", "\"}"), CORTEX_OK);
  assert_int_equal(measure_pieces("mfa_amr = a, b, c, d\n", HEAD ",\"amr\":[\"x\"", ",\"#\"", "]}"),
                   CORTEX_OK);
  assert_int_equal(measure_pieces(NULL, "", "[", ""), CORTEX_MALFORMED);
  assert_int_equal(measure_pieces(NULL, HEAD ",\"x\":", "1", "}"), CORTEX_CLAIM_MISMATCH);
  assert_int_equal(measure_pieces(NULL, HEAD ",\"x\":0.", "1", "}"), CORTEX_OK);
}

/* Names that spell the path in many ways, in the settings the longest path there is. */
static void paths_with_many_ways_are_quick(void **state) {
  char line[4096] = "username_claim = x", *end = line + strlen(line);
  size_t i;

  (void)state;
  for (i = 0; i < 2000; i++)
    memcpy(end + 2 * i, ".x", 3);
  strcat(line, "\n");
  assert_int_equal(measure_pieces(line, HEAD ",\"x\":{\"x\":{\"x.x\":{\"x\":{\"x\":0}}}}",
                                  ",\"x.x.x.x.x.x.x.x.x.x#\":{\"x\":#}", "}"),
                   CORTEX_MISSING_USERNAME);
}

static void expressions_are_quick_on_any_name(void **state) {
  static const char *const lines[] = {
      "username_map = /(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)(.*)!/x/\n",
      "username_map = /((((((((((a*)*)*)*)*)*)*)*)*)*)*!/x/\n",
      "username_map = /(a|aa|aaa|b|ab|ba)*(a|aa|aaa)*!/x/\n",
      "username_map = /a{1,255}/x/\n",
      "username_map = /(a{1,15}){1,16}!/x/\n",
      "username_map = /((a?){5}){5}(a?){200}!/x/\n",
      "username_map = /(((a{0,4}){0,4}){0,4}){0,3}!/x/\n",
      "username_map = /(.?.?.?.?.?.?.?.?){0,30}!/x/\n",
  };
  char payload[1024], name[256];
  size_t i;

  (void)state;
  memset(name, 'a', 255);
  name[255] = '\0';
  snprintf(payload, sizeof payload,
           "{\"iss\":\"https://op.example\",\"sub\":\"%s\",\"aud\":\"cortex\",\"iat\":1699999990,"
           "\"exp\":1700000300}",
           name);
  for (i = 0; i < sizeof lines / sizeof lines[0]; i++) {
    char *token = sign(payload);
    struct input input = {lines[i], NULL, token, strlen(token)};

    assert_int_equal(measure(&input), i == 3 ? CORTEX_OK : CORTEX_MISSING_USERNAME);
    free(token);
  }
}

/* The largest modulus, the longest exponent, and as many keys of one kid as are tried. */
static void largest_keys_are_quick(void **state) {
  unsigned char modulus[2048];
  struct cx_buf keys;
  char *number, *token = sign(HEAD "}"), *last = strrchr(token, '.'), *signature;
  struct input input = {NULL, NULL, NULL, 0};
  struct cx_buf forged;
  unsigned i;

  (void)state;
  cx_buf_init(&keys, BYTES_MAX);
  cx_buf_init(&forged, BYTES_MAX);
  for (i = 0; i < 6; i++) {
    assert_int_equal(RAND_bytes(modulus, sizeof modulus), 1);
    modulus[0] |= 0x80;
    modulus[2047] |= 1;
    number = jwt_encode(modulus, sizeof modulus);
    cx_buf_printf(&keys, "%s{\"kty\":\"RSA\",\"kid\":\"k1\",\"e\":\"_____w\",\"n\":\"%s\"}",
                  i == 0 ? "{\"keys\":[" : ",", number);
    free(number);
  }
  cx_buf_put_text(&keys, "]}");
  modulus[0] = 0;
  signature = jwt_encode(modulus, sizeof modulus);
  cx_buf_put(&forged, token, (size_t)(last + 1 - token));
  cx_buf_put_text(&forged, signature);
  input = (struct input){NULL, keys.bytes, forged.bytes, forged.len};
  assert_int_equal(measure(&input), CORTEX_SIGNATURE_INVALID);
  cx_buf_clear(&keys);
  cx_buf_clear(&forged);
  free(signature);
  free(token);
}

static void bytes_without_form_are_quick(void **state) {
  static const char *const pieces[] = {".", "{", "e", "eyJ", "=", "\xff", "A.", "..A"};
  char *bytes = malloc(CORTEX_CREDENTIAL_MAX);
  size_t i, j;

  (void)state;
  for (i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
    struct input input = {NULL, NULL, bytes, CORTEX_CREDENTIAL_MAX};

    for (j = 0; j < CORTEX_CREDENTIAL_MAX; j++)
      bytes[j] = pieces[i][j % strlen(pieces[i])];
    assert_int_not_equal(measure(&input), CORTEX_OK);
  }
  free(bytes);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(largest_payloads_are_quick),
      cmocka_unit_test(paths_with_many_ways_are_quick),
      cmocka_unit_test(expressions_are_quick_on_any_name),
      cmocka_unit_test(largest_keys_are_quick),
      cmocka_unit_test(bytes_without_form_are_quick),
  };
  int failed;

  key = jwt_key_new("RSA");
  failed = cmocka_run_group_tests_name("oidc cost", tests, NULL, NULL);
  jwt_key_free(key);
  return failed;
}
