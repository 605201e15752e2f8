/*
 * A credential from a file, verified with the issuer's keys.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "proof.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cortexauth/clock.h>

#include "common/cli.h"
#include "common/helper.h"
#include "common/issuer_keys.h"

/* One byte more than the largest credential and its CRLF: too large even without a line end. */
#define ROOM (CORTEX_CREDENTIAL_MAX + 3)
#define NETWORK_TIME INT64_C(4000000000) /* nanoseconds, of the five seconds in all */
#define HELPER_TIME INT64_C(4700000000)  /* and until the helper of SAML must have answered */

static bool read_all(int fd, struct proof *proof) {
  while (proof->len < ROOM) {
    ssize_t got = read(fd, proof->bytes + proof->len, ROOM - proof->len);

    if (got == 0)
      break;
    if (got < 0 && errno != EINTR)
      return false;
    if (got > 0)
      proof->len += (size_t)got;
  }
  return true;
}

static void drop_line_end(struct proof *proof) {
  if (proof->len == 0 || proof->bytes[proof->len - 1] != '\n')
    return;
  proof->len--;
  if (proof->len > 0 && proof->bytes[proof->len - 1] == '\r')
    proof->len--;
}

bool proof_read(const char *path, struct proof *proof) {
  bool standard = strcmp(path, "-") == 0;
  int fd = standard ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
  bool done = false;

  proof->len = 0;
  proof->bytes = malloc(ROOM);
  if (proof->bytes == NULL || fd < 0 || !read_all(fd, proof)) {
    cli_complain("%s: %s", standard ? "standard input" : path, strerror(errno));
  } else {
    drop_line_end(proof);
    done = true;
  }
  if (!standard && fd >= 0)
    close(fd);
  return done;
}

void proof_clear(struct proof *proof) {
  if (proof->bytes != NULL)
    explicit_bzero(proof->bytes, ROOM);
  free(proof->bytes);
  proof->bytes = NULL;
  proof->len = 0;
}

/* As a login judges it: without a kid, and in SAML, another key shows as a bad signature. */
static bool lacks_keys(enum cortex_reason reason) {
  return cortex_reason_class(reason) == CORTEX_CLASS_KEYS || reason == CORTEX_SIGNATURE_INVALID;
}

/* The configured issuer whose keys are missing; NULL when fetching cannot help. */
static const struct cortex_issuer *find_keyless(const struct cortex_settings *settings,
                                                const struct cortex_error *error) {
  size_t i;

  for (i = 0; i < cortex_settings_issuer_count(settings); i++) {
    const struct cortex_issuer *issuer = cortex_settings_issuer(settings, i);

    if (strcmp(cortex_issuer_label(issuer), error->source) == 0 && issuer_keys_are_remote(issuer))
      return issuer;
  }
  return NULL;
}

/* The first answer stays; why nothing better could be had is added to it. */
static void add_cause(struct cortex_error *error, const char *why) {
  size_t len = strlen(error->message);

  snprintf(error->message + len, sizeof error->message - len, "%s%s", len > 0 ? "; " : "", why);
}

static bool fetch_keys(const struct cortex_issuer *issuer, struct cortex_keyring *keyring,
                       int64_t deadline, struct cortex_error *error) {
  struct fetch_result result;
  bool done = false;

  if (!issuer_keys_fetch(issuer, deadline, &result))
    add_cause(error, result.why);
  else if (cortex_keyring_put(keyring, cortex_issuer_label(issuer), result.bytes, result.len) !=
           CORTEX_OK)
    add_cause(error, "out of memory");
  else
    done = true;
  fetch_result_clear(&result);
  return done;
}

/*
 * Fetches once what an issuer lacks, and asks again. Whose a SAML response is cannot be told
 * while metadata is missing: so each section that lacks some gets its turn.
 */
static enum cortex_reason retry(const struct cortex_settings *settings,
                                struct cortex_credential *credential,
                                struct cortex_keyring *keyring, int64_t deadline,
                                struct cortex_identity **identity_out, struct cortex_error *error) {
  size_t left = cortex_settings_issuer_count(settings);
  enum cortex_reason reason = error->reason;
  const struct cortex_issuer *issuer, *before = NULL;

  while (left-- > 0 && lacks_keys(reason) && (issuer = find_keyless(settings, error)) != NULL &&
         issuer != before && fetch_keys(issuer, keyring, deadline, error)) {
    *error = (struct cortex_error)CORTEX_ERROR_NONE;
    reason = cortex_verify(settings, credential, identity_out, error);
    before = issuer;
  }
  return reason;
}

enum cortex_reason proof_verify(const struct proof *proof, const struct cortex_settings *settings,
                                struct cortex_identity **identity_out, struct cortex_error *error) {
  const struct cortex_clock *clock = cortex_clock_system();
  int64_t start = clock->monotonic(clock);
  struct cortex_keyring *keyring = cortex_keyring_new();
  struct cortex_credential credential = {.bytes = proof->bytes,
                                         .len = proof->len,
                                         .keyring = keyring,
                                         .now = proof->now,
                                         .real_now = clock->now(clock) / 1000000,
                                         .clock = clock,
                                         .deadline = start + HELPER_TIME,
                                         .helper = helper_path()};
  enum cortex_reason reason = cortex_verify(settings, &credential, identity_out, error);

  if (lacks_keys(reason) && !proof->offline && keyring != NULL)
    reason = retry(settings, &credential, keyring, start + NETWORK_TIME, identity_out, error);
  cortex_keyring_free(&keyring);
  return reason;
}
