/*
 * Revocations: a file each, whose name is a hash of what it revokes.
 * SPDX-License-Identifier: PostgreSQL
 *
 * A login asks for two or three names, however many there are. That the file is
 * there is what revokes; its content is for the list.
 */
#include <cortexauth/revocation.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "identity/identity.h"
#include "state/entry.h"
#include "util/hash.h"
#include "util/text.h"

#define NAME_ROOM (sizeof "subject-" + CX_HASH_HEX)

static const char *const kinds[CORTEX_REVOCATION_KINDS] = {
    [CORTEX_REVOCATION_SUBJECT] = "subject",
    [CORTEX_REVOCATION_SID] = "sid",
    [CORTEX_REVOCATION_TOKEN] = "token",
};

const char *cortex_revocation_kind_name(enum cortex_revocation_kind kind) {
  return (unsigned)kind < CORTEX_REVOCATION_KINDS ? kinds[kind] : NULL;
}

static bool is_token_id(const char *text) {
  return strlen(text) == CX_HASH_HEX && strspn(text, "0123456789abcdef") == CX_HASH_HEX;
}

/* The issuer's NUL ends it, so that no two pairs are hashed as the same bytes. */
static void put_name(enum cortex_revocation_kind kind, const char *issuer, const char *value,
                     char name_out[NAME_ROOM]) {
  char hex[CX_HASH_HEX + 1];
  struct cx_hash hash;

  if (kind == CORTEX_REVOCATION_TOKEN) {
    snprintf(name_out, NAME_ROOM, "token-%s", value);
    return;
  }
  cx_hash_init(&hash);
  cx_hash_put(&hash, issuer, strlen(issuer) + 1);
  cx_hash_put(&hash, value, strlen(value));
  cx_hash_hex(&hash, hex);
  snprintf(name_out, NAME_ROOM, "%s-%s", kinds[kind], hex);
}

/* ---- the login's question ---- */

static enum cortex_reason ask(const struct cx_state *state, enum cortex_revocation_kind kind,
                              const char *issuer, const char *value, struct cortex_error *error) {
  static const char *const said[CORTEX_REVOCATION_KINDS] = {
      [CORTEX_REVOCATION_SUBJECT] = "the subject was revoked",
      [CORTEX_REVOCATION_SID] = "the session at the issuer was revoked",
      [CORTEX_REVOCATION_TOKEN] = "the credential was revoked",
  };
  char name[NAME_ROOM];
  struct stat status;

  if (issuer == NULL || value == NULL || *value == '\0')
    return CORTEX_OK;
  put_name(kind, issuer, value, name);
  /* AT_SYMLINK_NOFOLLOW: whatever has the name revokes, a link that leads nowhere too */
  if (fstatat(state->fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0)
    return cx_error_set(error, CORTEX_REVOKED, "%s", said[kind]);
  return errno == ENOENT ? CORTEX_OK : cx_state_refuse(state, name, error, strerror(errno));
}

enum cortex_reason cortex_revocation_check(const struct cortex_settings *settings,
                                           const struct cortex_identity *identity,
                                           struct cortex_error *error) {
  struct cx_state state;
  enum cortex_reason reason = cx_state_open(settings, CX_STATE_REVOKED, &state, error);

  if (reason == CORTEX_OK)
    reason = ask(&state, CORTEX_REVOCATION_SUBJECT, identity->issuer, identity->subject, error);
  if (reason == CORTEX_OK) /* a subject of one session is not who comes back in the next */
    reason = ask(&state, CORTEX_REVOCATION_SUBJECT, identity->issuer, identity->owner, error);
  if (reason == CORTEX_OK)
    reason = ask(&state, CORTEX_REVOCATION_SID, identity->issuer, identity->sid, error);
  if (reason == CORTEX_OK)
    reason = ask(&state, CORTEX_REVOCATION_TOKEN, identity->issuer, identity->token_id, error);
  cx_state_close(&state);
  return reason;
}

/* ---- changes ---- */

static bool is_name(const char *text) {
  return text != NULL && *text != '\0' && cx_text_is_utf8(text, strlen(text));
}

static enum cortex_reason check(const struct cortex_revocation *revocation,
                                struct cortex_error *error) {
  if (cortex_revocation_kind_name(revocation->kind) == NULL || !is_name(revocation->issuer) ||
      !is_name(revocation->value))
    return cx_error_set(error, CORTEX_MALFORMED, "issuer and value must be text that is not empty");
  if (revocation->kind == CORTEX_REVOCATION_TOKEN && !is_token_id(revocation->value))
    return cx_error_set(error, CORTEX_MALFORMED, "a token id is 64 digits of lower case hex");
  return CORTEX_OK;
}

/* No credential has such a value: read out of a file with CRLF it would revoke nobody, unseen. */
static enum cortex_reason check_new(const struct cortex_revocation *revocation,
                                    struct cortex_error *error) {
  enum cortex_reason reason = check(revocation, error);

  if (reason == CORTEX_OK && cx_text_has_control(revocation->value, strlen(revocation->value)))
    return cx_error_set(error, CORTEX_MALFORMED,
                        "the value holds a control character, such as the end of a line");
  return reason;
}

static enum cortex_reason write_entry(const struct cx_state *state, const char *name,
                                      const struct cortex_revocation *revocation,
                                      struct cortex_error *error) {
  struct cx_buf buf;

  cx_buf_init(&buf, CX_ENTRY_MAX);
  cx_entry_put_text(&buf, "kind", kinds[revocation->kind]);
  cx_entry_put_text(&buf, "issuer", revocation->issuer);
  cx_entry_put_text(&buf, "value", revocation->value);
  cx_entry_put_number(&buf, "since", revocation->since);
  cx_entry_put_number(&buf, "until", revocation->until);
  if (revocation->by != NULL)
    cx_entry_put_text(&buf, "by", revocation->by);
  return cx_entry_write(state, name, &buf, error);
}

/* Removes what ended; a file that cannot be read stays, and revokes. */
static enum cortex_reason forget(const struct cx_state *state, const char *name, void *context,
                                 struct cortex_error *error) {
  int64_t now = *(const int64_t *)context, until;
  const cx_json *entry = NULL;
  bool existed;

  if (cx_entry_read(state, name, &entry, NULL) != CORTEX_OK)
    return CORTEX_OK;
  until = cx_entry_number(entry, "until");
  cx_json_release(entry);
  if (until <= 0 || until >= now)
    return CORTEX_OK;
  return cx_state_remove(state, name, CX_STATE_QUICK, &existed, error);
}

enum cortex_reason cortex_revocation_put(const struct cortex_settings *settings,
                                         const struct cortex_revocation *revocation,
                                         const struct cortex_clock *clock, bool *existed_out,
                                         struct cortex_error *error) {
  struct cx_wait wait = cx_wait_start(clock, 0);
  int64_t now = clock->now(clock) / 1000000;
  enum cortex_reason reason;
  struct cx_state state = {.fd = -1};
  struct stat status;
  char name[NAME_ROOM];
  int lock = -1;

  *existed_out = false;
  reason = check_new(revocation, error);
  if (reason == CORTEX_OK)
    reason = cx_state_open(settings, CX_STATE_REVOKED, &state, error);
  if (reason == CORTEX_OK)
    reason = cx_state_lock(&state, &wait, &lock, error);
  if (reason == CORTEX_OK) {
    put_name(revocation->kind, revocation->issuer, revocation->value, name);
    *existed_out = fstatat(state.fd, name, &status, AT_SYMLINK_NOFOLLOW) == 0;
    reason = write_entry(&state, name, revocation, error);
  }
  if (reason == CORTEX_OK)
    reason = cx_state_each(&state, forget, &now, error);
  if (lock >= 0)
    close(lock);
  cx_state_close(&state);
  return reason;
}

enum cortex_reason cortex_revocation_lift(const struct cortex_settings *settings,
                                          const struct cortex_revocation *revocation,
                                          bool *existed_out, struct cortex_error *error) {
  enum cortex_reason reason = check(revocation, error);
  struct cx_state state;
  char name[NAME_ROOM];

  *existed_out = false;
  if (reason != CORTEX_OK)
    return reason;
  reason = cx_state_open(settings, CX_STATE_REVOKED, &state, error);
  if (reason == CORTEX_OK) {
    put_name(revocation->kind, revocation->issuer, revocation->value, name);
    reason = cx_state_remove(&state, name, CX_STATE_DURABLE, existed_out, error);
  }
  cx_state_close(&state);
  return reason;
}

/* ---- the list ---- */

struct listing {
  void (*visit)(void *context, const struct cortex_revocation *revocation);
  void *context;
};

static enum cortex_revocation_kind kind_of(const char *name) {
  unsigned kind;

  for (kind = 0; kind < CORTEX_REVOCATION_KINDS; kind++)
    if (name != NULL && strcmp(kinds[kind], name) == 0)
      break;
  return (enum cortex_revocation_kind)kind;
}

static enum cortex_reason list(const struct cx_state *state, const char *name, void *context,
                               struct cortex_error *error) {
  const struct listing *listing = context;
  struct cortex_revocation revocation;
  enum cortex_reason reason;
  const cx_json *entry = NULL;

  reason = cx_entry_read(state, name, &entry, error);
  if (reason != CORTEX_OK || entry == NULL) /* lifted meanwhile */
    return reason;
  revocation = (struct cortex_revocation){.kind = kind_of(cx_entry_text(entry, "kind")),
                                          .issuer = cx_entry_text(entry, "issuer"),
                                          .value = cx_entry_text(entry, "value"),
                                          .by = cx_entry_text(entry, "by"),
                                          .since = cx_entry_number(entry, "since"),
                                          .until = cx_entry_number(entry, "until")};
  if (check(&revocation, NULL) == CORTEX_OK)
    listing->visit(listing->context, &revocation);
  else
    reason = cx_state_refuse(state, name, error, "is damaged");
  cx_json_release(entry);
  return reason;
}

enum cortex_reason
cortex_revocation_each(const struct cortex_settings *settings,
                       void (*visit)(void *context, const struct cortex_revocation *revocation),
                       void *context, struct cortex_error *error) {
  struct listing listing = {visit, context};
  struct cx_state state;
  enum cortex_reason reason = cx_state_open(settings, CX_STATE_REVOKED, &state, error);

  if (reason == CORTEX_OK)
    reason = cx_state_each(&state, list, &listing, error);
  cx_state_close(&state);
  return reason;
}
