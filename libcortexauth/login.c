/*
 * One login: verify, admit, decide, record; and what of it outlives the login.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <cortexauth/audit.h>
#include <cortexauth/credential.h>
#include <cortexauth/login.h>
#include <cortexauth/revocation.h>
#include <cortexauth/state.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "identity/identity.h"
#include "policy/policy.h"
#include "session/jit.h"
#include "session/session.h"
#include "settings/settings.h"
#include "state/binding.h"
#include "state/refresh_request.h"
#include "state/replay.h"
#include "util/error.h"

/* A record is written even when the login's time is over; this much is left for it. */
#define RECORD_GRACE_NS INT64_C(500000000)

/* What a SAML response may take to read where the caller names no deadline. */
#define HELPER_NS INT64_C(2000000000)

struct login {
  const struct cortex_request *request;
  struct cortex_settings *settings;
  struct cortex_identity *identity;
  struct cortex_policy *policy;
  struct cortex_decision *decision;
  int64_t now;     /* microseconds since 1970 */
  int64_t started; /* on the monotonic clock */
  bool is_signed;  /* a signature was verified, whatever became of the credential */
  bool is_bound;   /* the username belongs to this subject already */
  bool was_bound;  /* it does so from this login on */
  const char *reference;
  struct cortex_error *notice; /* of the outcome */
  bool has_stamp;              /* the session's stamp is there */
};

static int64_t monotonic(const struct login *login) {
  return login->request->clock->monotonic(login->request->clock);
}

static enum cortex_reason check_deadline(const struct login *login, const char *step,
                                         struct cortex_error *error) {
  if (login->request->deadline == 0 || monotonic(login) < login->request->deadline)
    return CORTEX_OK;
  return cx_error_set(error, CORTEX_DEADLINE, "the login's time was over after %s", step);
}

static enum cortex_reason load(struct login *login, struct cortex_error *error) {
  const struct cortex_request *request = login->request;

  if (request->config == NULL || request->service == NULL || request->role == NULL)
    return cx_error_set(error, CORTEX_CONFIG_INVALID,
                        "configuration, service or role is not given");
  return cortex_settings_load(request->config, &login->settings, error);
}

/*
 * Reasons that only a credential with a verified signature can give: claims are
 * looked at last. Others can be caused by a stranger, and their records are capped.
 */
static bool proves_signature(enum cortex_reason reason) {
  static const enum cortex_reason reasons[] = {
      CORTEX_OK,       CORTEX_AUDIENCE_MISMATCH,   CORTEX_TOKEN_EXPIRED,
      CORTEX_TOO_OLD,  CORTEX_NOT_YET_VALID,       CORTEX_ISSUED_IN_FUTURE,
      CORTEX_REPLAYED, CORTEX_BOUND_TOKEN_REFUSED, CORTEX_MISSING_USERNAME,
      CORTEX_REVOKED,  CORTEX_BAD_USERNAME,        CORTEX_CONFIRMATION_INVALID,
      CORTEX_CONDITIONS_INVALID, CORTEX_RECIPIENT_MISMATCH, CORTEX_SESSION_OVER};
  size_t i;

  for (i = 0; i < sizeof reasons / sizeof reasons[0]; i++)
    if (reasons[i] == reason)
      return true;
  return false;
}

/*
 * What a refresh could bring. Another key of the issuer's, where it has a kid of its own, is an unknown
 * one; in a token without, and in SAML, it shows as a signature that does not verify.
 */
static bool lacks_keys(enum cortex_reason reason) {
  return cortex_reason_class(reason) == CORTEX_CLASS_KEYS || reason == CORTEX_SIGNATURE_INVALID;
}

/* A refresh is asked for, and this login does not wait. */
static void ask_for_keys(const struct login *login, enum cortex_reason reason, const char *label) {
  const struct cortex_settings *settings = login->settings;
  size_t i;

  if (!lacks_keys(reason))
    return;
  for (i = 0; i < settings->issuer_count; i++)
    if (strcmp(settings->issuers[i].label, label) == 0 &&
        cortex_issuer_is_fetched(&settings->issuers[i]))
      (void)cx_refresh_request_leave(settings->state.path, settings->issuers[i].label);
}

/*
 * The text was read in place of an image: that costs time, and nothing else. Whoever asks for a new
 * one says so, and none of those who come before it is there.
 */
static void ask_for_image(struct login *login, const struct cortex_error *fault) {
  if (fault->reason != CORTEX_OK &&
      cx_refresh_request_leave(login->settings->state.path, CORTEX_REQUEST_IMAGE))
    *login->notice = *fault;
}

/* A helper is never waited for without an end. */
static int64_t helper_deadline(const struct login *login) {
  return login->request->deadline != 0 ? login->request->deadline : login->started + HELPER_NS;
}

static enum cortex_reason verify(struct login *login, struct cortex_error *error) {
  const struct cortex_credential credential = {
      .bytes = login->request->credential,
      .len = login->request->credential_len,
      .now = login->now / 1000000,
      .real_now = login->now / 1000000,
      .clock = login->request->clock,
      .deadline = helper_deadline(login),
  };
  enum cortex_reason reason = cortex_verify(login->settings, &credential, &login->identity, error);

  ask_for_keys(login, reason, error->source);
  login->is_signed = proves_signature(reason);
  return reason != CORTEX_OK ? reason : check_deadline(login, "verifying", error);
}

/* An image that turns out to be damaged only when it is asked gives way to the text. */
static enum cortex_reason ask_policy(struct login *login, const struct cortex_question *question,
                                     struct cortex_error *error) {
  struct cortex_error cause = CORTEX_ERROR_NONE;
  enum cortex_reason reason = cortex_decide(login->policy, question, &login->decision, &cause);

  if (reason == CORTEX_POLICY_UNAVAILABLE && cortex_policy_is_image(login->policy)) {
    ask_for_image(login, &cause);
    cause = (struct cortex_error)CORTEX_ERROR_NONE;
    cortex_decision_free(&login->decision);
    cortex_policy_free(&login->policy);
    reason = cortex_policy_load_text(login->settings, &login->policy, &cause);
    if (reason == CORTEX_OK)
      reason = cortex_decide(login->policy, question, &login->decision, &cause);
  }
  if (reason != CORTEX_OK)
    *error = cause;
  return reason;
}

static enum cortex_reason decide(struct login *login, struct cortex_error *error) {
  const struct cortex_request *request = login->request;
  const struct cortex_question question = {
      .identity = login->identity,
      .service = request->service,
      .role = request->role,
      .database = request->database,
      .address = request->address,
      .now = login->now,
  };
  struct cortex_error fault = CORTEX_ERROR_NONE;
  enum cortex_reason reason = cx_policy_load(login->settings, &login->policy, &fault, error);

  ask_for_image(login, &fault);
  if (reason == CORTEX_OK)
    reason = check_deadline(login, "loading the policy", error);
  if (reason == CORTEX_OK)
    reason = ask_policy(login, &question, error);
  if (reason == CORTEX_OK)
    reason = cortex_service_check_audience(login->policy, login->settings, login->identity,
                                           request->service, error);
  return reason == CORTEX_OK ? check_deadline(login, "deciding", error) : reason;
}

static struct cx_wait wait_of(const struct login *login) {
  return cx_wait_start(login->request->clock, login->request->deadline);
}

/* Only a login that is allowed uses its credential up: a refused one may be put right and retried. */
static enum cortex_reason use_up(const struct login *login, struct cortex_error *error) {
  const struct cortex_request *request = login->request;
  const struct cortex_issuer *issuer =
      cx_settings_find_issuer(login->settings, login->identity->label);
  struct cx_wait wait = wait_of(login);
  bool is_saml;
  struct cx_use use = {
      .token_id = login->identity->token_id,
      .usable_until = login->identity->usable_until,
      .now = login->now / 1000000,
      .service = request->service,
      .role = request->role,
      .address = request->address,
  };

  if (issuer == NULL)
    return cx_error_set(error, CORTEX_INTERNAL, "the credential's issuer has no section");
  is_saml = cx_issuer_is(issuer, CX_KIND_SAML);
  use.window = is_saml ? issuer->saml.reuse_window : issuer->oidc.reuse_window;
  if (login->identity->one_time) /* SAML core 2.5.1.5: no option of ours makes it more */
    use.window = 0;
  else if (!(is_saml ? issuer->saml.one_use : issuer->oidc.one_use))
    return CORTEX_OK;
  return cx_replay_use(login->settings, &use, &wait, error);
}

/* The username, never the role that is assumed: that one is shared. */
static enum cortex_reason bind_name(struct login *login, struct cortex_error *error) {
  struct cx_wait wait = wait_of(login);

  if (login->is_bound)
    return CORTEX_OK;
  return cx_binding_claim(login->settings, login->identity, login->now / 1000000, &wait,
                          &login->was_bound, error);
}

static enum cortex_reason check_reaper(const struct login *login, struct cortex_error *error) {
  return cx_session_check_reaper(login->settings, login->now / 1000000, error);
}

/* What becomes a session says so before it begins: other logins count it from here on. */
static enum cortex_reason begin_session(struct login *login, struct cortex_error *error) {
  const struct cortex_request *request = login->request;
  const struct cx_session_stamp stamp = {
      .pid = request->pid,
      .backend_start = request->backend_start,
      .postmaster_start = request->postmaster_start,
      .session_until = cortex_decision_session_until(login->decision),
      .levels = cortex_decision_levels(login->decision),
      .reference = login->reference,
      .service = request->service,
      .database = request->database,
      .role = request->role,
      .address = request->address,
      .identity = login->identity,
  };
  enum cortex_reason reason;

  if (request->postmaster_start == 0)
    return CORTEX_OK;
  reason = cx_session_begin(login->settings, &stamp, error);
  login->has_stamp = reason == CORTEX_OK;
  return reason;
}

/* A shared role is an operator's: only a person's own roles are made. */
static enum cortex_reason prepare_role(const struct login *login, struct cortex_error *error) {
  const struct cortex_request *request = login->request;
  const struct cx_jit jit = {
      .settings = login->settings,
      .policy = login->policy,
      .identity = login->identity,
      .service = request->service,
      .role = request->role,
      .levels = cortex_decision_levels(login->decision),
      .standing = cx_decision_standing(login->decision),
      .postmaster_start = request->postmaster_start,
      .now = login->now / 1000000,
      .clock = request->clock,
      .deadline = request->deadline,
  };

  if (!login->settings->roles.jit || jit.levels == CORTEX_LEVEL_ASSUME ||
      request->postmaster_start == 0)
    return CORTEX_OK;
  return cx_jit_prepare(&jit, error);
}

static void fill_identity(const struct login *login, struct cortex_record *record) {
  const struct cortex_identity *identity = login->identity;

  if (identity == NULL)
    return;
  record->issuer = identity->issuer;
  record->subject = identity->subject;
  record->sid = identity->sid;
  record->username = identity->username;
  record->groups = (const char *const *)identity->groups.items;
  record->group_count = identity->groups.count;
  record->token_id = identity->token_id;
}

/* The ids of the policies that decided, each once. Borrowed strings in an array to be freed. */
static const char **list_policies(const struct cortex_decision *decision, size_t *count_out) {
  struct cortex_determining item;
  const char **ids;
  size_t i, j, count = 0;

  *count_out = 0;
  while (decision != NULL && cortex_decision_determining(decision, count, &item))
    count++;
  ids = calloc(count + 1, sizeof *ids);
  for (i = 0; ids != NULL && i < count; i++) {
    if (!cortex_decision_determining(decision, i, &item) || item.failure != NULL)
      continue;
    for (j = 0; j < *count_out; j++)
      if (strcmp(ids[j], item.id) == 0)
        break;
    if (j == *count_out)
      ids[(*count_out)++] = item.id;
  }
  return ids;
}

static enum cortex_reason append(const struct login *login, const struct cortex_record *record,
                                 struct cortex_error *error) {
  const struct cortex_clock *clock = login->request->clock;
  int64_t deadline = monotonic(login) + RECORD_GRACE_NS;
  struct cortex_audit_options options;

  cortex_audit_options_get(login->settings, &options);
  return cortex_audit_append(&options, record, clock, deadline, error);
}

static const char *detail_of(const struct login *login, const struct cortex_outcome *outcome) {
  if (outcome->reason != CORTEX_OK)
    return outcome->error.message;
  return login->was_bound ? "the username belongs to this subject from now on" : NULL;
}

static enum cortex_reason record(const struct login *login, const struct cortex_outcome *outcome,
                                 struct cortex_error *error) {
  const struct cortex_request *request = login->request;
  struct cortex_record entry = {
      .event = CORTEX_EVENT_LOGIN,
      .time = login->now,
      .reference = outcome->reference,
      .host = request->host,
      .service = request->service,
      .database = request->database,
      .role = request->role,
      .address = request->address,
      .pid = request->pid,
      .backend_start = request->backend_start,
      .effect = outcome->effect,
      .levels = outcome->levels,
      .session_until = outcome->session_until,
      .reason = outcome->reason,
      .duration = (monotonic(login) - login->started) / 1000,
      .detail = detail_of(login, outcome),
      .before_signature = !login->is_signed,
  };
  const char **policies = list_policies(login->decision, &entry.policy_count);
  enum cortex_reason reason;

  entry.policies = policies;
  if (login->policy != NULL)
    entry.policy_digest = cortex_policy_digest(login->policy);
  fill_identity(login, &entry);
  reason = append(login, &entry, error);
  free(policies);
  return reason;
}

/*
 * An allow that nobody can read about later is no allow, unless the operator says so. Any other
 * answer stays, and its reference, which leads to no record, is told as such.
 */
static void record_outcome(const struct login *login, struct cortex_outcome *outcome) {
  struct cortex_error why = CORTEX_ERROR_NONE;
  enum cortex_reason reason = record(login, outcome, &why);

  if (reason == CORTEX_OK)
    return;
  if (!login->settings->audit.required || outcome->effect == CORTEX_DENY) {
    *login->notice = why;
    login->notice->reason = CORTEX_AUDIT_UNAVAILABLE;
    return;
  }
  outcome->effect = CORTEX_DENY;
  outcome->reason = reason;
  outcome->levels = 0;
  outcome->session_until = 0;
  outcome->error = why;
}

static enum cortex_reason run(struct login *login, struct cortex_error *error) {
  enum cortex_reason reason = load(login, error);

  if (reason == CORTEX_OK)
    reason = verify(login, error);
  if (reason == CORTEX_OK)
    reason = cortex_revocation_check(login->settings, login->identity, error);
  if (reason == CORTEX_OK)
    reason = cortex_identity_admit(login->identity, login->settings, error);
  if (reason == CORTEX_OK)
    reason = cortex_binding_check(login->settings, login->identity, &login->is_bound, error);
  if (reason == CORTEX_OK)
    reason = check_reaper(login, error);
  if (reason == CORTEX_OK)
    reason = decide(login, error);
  if (reason == CORTEX_OK)
    reason =
        cortex_binding_check_role(login->settings, login->identity, login->request->role, error);
  if (reason == CORTEX_OK)
    reason = use_up(login, error);
  if (reason == CORTEX_OK)
    reason = bind_name(login, error);
  if (reason == CORTEX_OK)
    reason = begin_session(login, error);
  if (reason == CORTEX_OK)
    reason = prepare_role(login, error);
  return reason;
}

/* 80 random bits in the 32 letters of Crockford's base 32, lower case: easy to read out. */
static bool make_reference(char *reference) {
  static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";
  unsigned char random[CORTEX_REFERENCE_LEN];
  size_t i;

  if (getrandom(random, sizeof random, 0) != (ssize_t)sizeof random)
    return false;
  for (i = 0; i < sizeof random; i++)
    reference[i] = letters[random[i] & 31];
  reference[i] = '\0';
  return true;
}

enum cortex_reason cortex_login(const struct cortex_request *request,
                                struct cortex_outcome *outcome) {
  struct login login = {
      .request = request, .reference = outcome->reference, .notice = &outcome->notice};

  memset(outcome, 0, sizeof *outcome);
  outcome->reason = CORTEX_INTERNAL;
  if (request->clock == NULL || !make_reference(outcome->reference)) {
    cx_error_set(&outcome->error, CORTEX_INTERNAL, "there is no clock or no randomness");
    return CORTEX_INTERNAL;
  }
  login.now = request->clock->now(request->clock);
  login.started = monotonic(&login);
  outcome->reason = run(&login, &outcome->error);
  if (outcome->reason == CORTEX_OK) {
    outcome->levels = cortex_decision_levels(login.decision);
    outcome->session_until = cortex_decision_session_until(login.decision);
    outcome->effect = cortex_decision_effect(login.decision);
  }
  if (login.settings != NULL)
    record_outcome(&login, outcome);
  if (login.has_stamp && outcome->effect == CORTEX_DENY)
    cx_session_drop(login.settings, request->pid);
  cortex_decision_free(&login.decision);
  cortex_policy_free(&login.policy);
  cortex_identity_free(&login.identity);
  cortex_settings_free(&login.settings);
  return outcome->reason;
}
