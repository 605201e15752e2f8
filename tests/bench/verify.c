/*
 * What verifying one token costs, in processes that are new and in one that is warm.
 * SPDX-License-Identifier: PostgreSQL
 *
 * usage: verify LIBRARY CONFIG TOKEN_FILE
 *
 * "fresh": a process that was just forked by one that has OpenSSL ready, as
 * PostgreSQL with ssl=on has; it loads the library, the configuration and the
 * key, and verifies. Beside it what of that the loading alone takes, and what
 * the loading of a library with nothing in it takes on this machine. "warm": one
 * verification of many in one process with the keys at hand, beside OpenSSL's
 * bare RSA check of a digest by the same size of key, in turns. Prints
 * microseconds, and of warm the ratio; read ratios. Build by hand:
 *   cc -O2 -Ilibcortexauth/include tests/bench/verify.c -lcrypto
 * and make the files by cortexctl dev-issuer and dev-token.
 */
#include <cortexauth/credential.h>
#include <dlfcn.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FRESH 400
#define ROUNDS 41
#define A_ROUND 200
#define EMPTY "libutil.so.1" /* glibc keeps its name only */

static const char *library, *config;
static char token[65536];
static size_t token_len;

/* The calls of the library, looked up as a program that loads a module does. */
static enum cortex_reason (*load)(const char *, struct cortex_settings **, struct cortex_error *);
static enum cortex_reason (*verify)(const struct cortex_settings *,
                                    const struct cortex_credential *, struct cortex_identity **,
                                    struct cortex_error *);
static void (*forget)(struct cortex_identity **);

static double now(void) {
  struct timespec time;

  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e6 + (double)time.tv_nsec / 1e3;
}

static void need(int met, const char *what) {
  if (met)
    return;
  fprintf(stderr, "verify: %s\n", what);
  _exit(2);
}

static void open_library(void) {
  void *handle = dlopen(library, RTLD_NOW | RTLD_LOCAL);

  need(handle != NULL, "the library cannot be loaded");
  *(void **)&load = dlsym(handle, "cortex_settings_load");
  *(void **)&verify = dlsym(handle, "cortex_verify");
  *(void **)&forget = dlsym(handle, "cortex_identity_free");
  need(load != NULL && verify != NULL && forget != NULL, "the library lacks a call");
}

static struct cortex_settings *open_settings(void) {
  struct cortex_settings *settings;

  need(load(config, &settings, NULL) == CORTEX_OK, "the configuration is refused");
  return settings;
}

static void verify_once(const struct cortex_settings *settings, const void *keyring) {
  struct cortex_credential credential = {.bytes = token, .len = token_len, .keyring = keyring, .now = time(NULL), .real_now = time(NULL)};
  struct cortex_identity *identity;

  need(verify(settings, &credential, &identity, NULL) == CORTEX_OK, "the token is refused");
  forget(&identity);
}

struct fresh {
  double empty, loaded, configured, verified, faults;
};

static double faults_now(void) {
  struct rusage usage;

  getrusage(RUSAGE_SELF, &usage);
  return (double)usage.ru_minflt;
}

/* The parent has used OpenSSL; the child's clock starts right after the fork. */
static struct fresh run_fresh(struct fresh *shared) {
  pid_t child = fork();

  if (child == 0) {
    struct cortex_settings *settings;
    double start = now();

    need(dlopen(EMPTY, RTLD_NOW) != NULL, "there is no " EMPTY);
    shared->empty = now() - start;
    shared->faults = faults_now();
    start = now();
    open_library();
    shared->loaded = now() - start;
    settings = open_settings();
    shared->configured = now() - start;
    verify_once(settings, NULL);
    shared->verified = now() - start;
    shared->faults = faults_now() - shared->faults;
    _exit(0);
  }
  waitpid(child, NULL, 0);
  return *shared;
}

static int compare(const void *left, const void *right) {
  double a = *(const double *)left, b = *(const double *)right;

  return (a > b) - (a < b);
}

static double median(double *values, size_t count) {
  qsort(values, count, sizeof *values, compare);
  return values[count / 2];
}

static void measure_fresh(void) {
  static double empty[FRESH], loaded[FRESH], configured[FRESH], verified[FRESH];
  static double faults[FRESH];
  struct fresh *shared =
      mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  size_t i;

  need(shared != MAP_FAILED, "no shared memory");
  for (i = 0; i < FRESH; i++) {
    struct fresh one = run_fresh(shared);

    empty[i] = one.empty;
    loaded[i] = one.loaded;
    configured[i] = one.configured - one.loaded;
    verified[i] = one.verified;
    faults[i] = one.faults;
  }
  printf("fresh %.0f us", median(verified, FRESH));
  printf(" (10th percentile %.0f)", verified[FRESH / 10]);
  printf(", of it loading %.0f, configuration %.0f; %.0f page faults; an empty library %.0f us\n",
         median(loaded, FRESH), median(configured, FRESH), median(faults, FRESH),
         median(empty, FRESH));
}

/* The bare check: key, context and digest are there, only the operation is counted. */
static EVP_PKEY_CTX *make_bare(unsigned char *signature, size_t *len, unsigned char *digest) {
  EVP_PKEY *key = EVP_RSA_gen(2048);
  EVP_PKEY_CTX *signer = EVP_PKEY_CTX_new(key, NULL), *checker = EVP_PKEY_CTX_new(key, NULL);

  memset(digest, 7, 32);
  need(EVP_PKEY_sign_init(signer) == 1 &&
           EVP_PKEY_CTX_set_signature_md(signer, EVP_sha256()) == 1 &&
           EVP_PKEY_sign(signer, signature, len, digest, 32) == 1 &&
           EVP_PKEY_verify_init(checker) == 1 &&
           EVP_PKEY_CTX_set_signature_md(checker, EVP_sha256()) == 1,
       "OpenSSL fails");
  EVP_PKEY_CTX_free(signer);
  EVP_PKEY_free(key);
  return checker;
}

static char *read_file(const char *path, size_t *len_out) {
  static char bytes[1 << 20];
  FILE *file = fopen(path, "r");

  need(file != NULL, "a file cannot be read");
  *len_out = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  return bytes;
}

/* Keys parsed once, as a long-running program has them. */
static struct cortex_keyring *make_keyring(void) {
  void *handle = dlopen(library, RTLD_NOW);
  struct cortex_keyring *(*new)(void);
  enum cortex_reason (*put)(struct cortex_keyring *, const char *, const char *, size_t);
  struct cortex_keyring *keyring;
  char path[4096], *slash;
  size_t len;
  char *bytes;

  *(void **)&new = dlsym(handle, "cortex_keyring_new");
  *(void **)&put = dlsym(handle, "cortex_keyring_put");
  snprintf(path, sizeof path - 16, "%s", config);
  slash = strrchr(path, '/');
  strcpy(slash != NULL ? slash + 1 : path, "jwks.json");
  bytes = read_file(path, &len);
  keyring = new ();
  need(put(keyring, "dev", bytes, len) == CORTEX_OK, "the keys are refused");
  return keyring;
}

static void measure_warm(void) {
  static double whole[ROUNDS], bare[ROUNDS], ratio[ROUNDS];
  unsigned char signature[256], digest[32];
  size_t len = sizeof signature, i, j;
  EVP_PKEY_CTX *checker = make_bare(signature, &len, digest);
  struct cortex_settings *settings;
  struct cortex_keyring *keyring;

  open_library();
  settings = open_settings();
  keyring = make_keyring();
  for (i = 0; i < ROUNDS; i++) {
    double start = now(), middle;

    for (j = 0; j < A_ROUND; j++)
      verify_once(settings, keyring);
    middle = now();
    for (j = 0; j < A_ROUND; j++)
      need(EVP_PKEY_verify(checker, signature, len, digest, sizeof digest) == 1, "no good");
    bare[i] = (now() - middle) / A_ROUND;
    whole[i] = (middle - start) / A_ROUND;
    ratio[i] = whole[i] / bare[i];
  }
  printf("warm %.1f us, bare RSA-2048 %.1f us, ratio %.2f\n", median(whole, ROUNDS),
         median(bare, ROUNDS), median(ratio, ROUNDS));
}

int main(int count, char **arguments) {
  unsigned char signature[256], digest[32];
  size_t len = sizeof signature;
  char *bytes;

  need(count == 4, "usage: verify LIBRARY CONFIG TOKEN_FILE");
  library = arguments[1];
  config = arguments[2];
  bytes = read_file(arguments[3], &token_len);
  while (token_len > 0 && bytes[token_len - 1] == '\n')
    token_len--;
  need(token_len <= sizeof token, "the token is too large");
  memcpy(token, bytes, token_len);
  EVP_PKEY_CTX_free(make_bare(signature, &len, digest)); /* as a server that has served TLS */
  measure_fresh();
  measure_warm();
  return 0;
}
