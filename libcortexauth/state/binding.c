/*
 * Bindings: a file each, named after the role.
 * SPDX-License-Identifier: PostgreSQL
 *
 * All changes are made under the file's lock and by rename, so that readers
 * need none: a login that finds its own line has opened and read one file.
 */
#include "state/binding.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "identity/identity.h"
#include "identity/role.h"
#include "state/entry.h"
#include "util/text.h"

#define NAME_ROOM (3 * CX_ROLE_MAX + 1)

/*
 * The role as a file's name: letters, digits, "-", "_" and dots but the first
 * stand for themselves, any other byte is %XX. Two roles never have one name.
 */
static bool put_name(const char *role, char name_out[NAME_ROOM]) {
  static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.";
  size_t len = strlen(role), at = 0, i;

  name_out[0] = '\0';
  if (len == 0 || len > CX_ROLE_MAX)
    return false;
  for (i = 0; i < len; i++) {
    bool is_plain = strchr(plain, role[i]) != NULL && (i > 0 || role[i] != '.');

    at += (size_t)snprintf(name_out + at, NAME_ROOM - at, is_plain ? "%c" : "%%%02X",
                           (unsigned char)role[i]);
  }
  return true;
}

/* What a binding begins with; its line goes on with when and by whom it was made. */
static void put_owner(struct cx_buf *buf, const char *role, const char *issuer,
                      const char *subject) {
  cx_buf_init(buf, CX_ENTRY_MAX);
  cx_entry_put_text(buf, "role", role);
  cx_entry_put_text(buf, "issuer", issuer);
  cx_entry_put_text(buf, "subject", subject);
}

static enum cortex_reason write_owner(const struct cx_state *state, const char *name,
                                      const struct cortex_binding *binding,
                                      struct cortex_error *error) {
  struct cx_buf buf;

  put_owner(&buf, binding->role, binding->issuer, binding->subject);
  cx_entry_put_number(&buf, "since", binding->since);
  if (binding->by != NULL)
    cx_entry_put_text(&buf, "by", binding->by);
  return cx_entry_write(state, name, &buf, error);
}

/* ---- whose it is ---- */

/* Does the line say that the role belongs to exactly these? We alone write it, in one way. */
static bool begins_with(const struct cx_buf *content, const struct cx_buf *owner) {
  return content->len > owner->len + 2 &&
         memcmp(content->bytes, owner->bytes, owner->len) == 0 &&
         memcmp(content->bytes + content->len - 2, "}\n", 2) == 0;
}

static bool is_text(const cx_json *entry, const char *name, const char *text) {
  const char *value = cx_entry_text(entry, name);

  return value != NULL && strcmp(value, text) == 0;
}

/* Not the line we would write: another's, or the same put in another way, or no binding at all. */
static enum cortex_reason compare(const struct cx_state *state, const char *name,
                                  const struct cortex_identity *identity, const char *role,
                                  bool *is_same_out, struct cortex_error *error) {
  enum cortex_reason reason;
  const cx_json *entry = NULL;

  reason = cx_entry_read(state, name, &entry, error);
  if (reason != CORTEX_OK)
    return reason;
  if (!is_text(entry, "role", role) || cx_entry_text(entry, "issuer") == NULL ||
      cx_entry_text(entry, "subject") == NULL)
    reason = cx_state_refuse(state, name, error, "is damaged");
  else if (is_text(entry, "issuer", identity->issuer) &&
           is_text(entry, "subject", cx_identity_owner(identity)))
    *is_same_out = true;
  else
    reason = cx_error_set(error, CORTEX_SUBJECT_MISMATCH,
                          "\"%s\" belongs to another subject: \"cortexctl binding show\" names it",
                          role);
  cx_json_release(entry);
  return reason;
}

static enum cortex_reason look(const struct cx_state *state, const struct cortex_identity *identity,
                               const char *role, const char *name, bool *is_bound_out,
                               struct cortex_error *error) {
  struct cx_buf owner, content;
  enum cortex_reason reason;

  *is_bound_out = false;
  put_owner(&owner, role, identity->issuer, cx_identity_owner(identity));
  cx_buf_put_text(&owner, ",\"since\":");
  if (owner.failed) {
    cx_buf_clear(&owner);
    return cx_error_memory(error);
  }
  reason = cx_state_read(state, name, CX_ENTRY_MAX, &content, error);
  if (reason == CORTEX_OK && content.bytes != NULL) {
    *is_bound_out = begins_with(&content, &owner);
    if (!*is_bound_out)
      reason = compare(state, name, identity, role, is_bound_out, error);
  }
  cx_buf_clear(&content);
  cx_buf_clear(&owner);
  return reason;
}

static enum cortex_reason start(const struct cortex_settings *settings,
                                const struct cortex_identity *identity, const char *role,
                                char name_out[NAME_ROOM], struct cx_state *state_out,
                                struct cortex_error *error) {
  state_out->fd = -1;
  if (identity->issuer == NULL || cx_identity_owner(identity) == NULL || *cx_identity_owner(identity) == '\0')
    return cx_error_set(error, CORTEX_SUBJECT_MISMATCH,
                        "the credential names no subject that a role could belong to");
  if (role == NULL || !put_name(role, name_out))
    return cx_error_set(error, CORTEX_BAD_USERNAME, "a role name has 1 to %d bytes", CX_ROLE_MAX);
  return cx_state_open(settings, CX_STATE_BINDINGS, state_out, error);
}

enum cortex_reason cortex_binding_check(const struct cortex_settings *settings,
                                        const struct cortex_identity *identity, bool *is_bound_out,
                                        struct cortex_error *error) {
  char name[NAME_ROOM];
  struct cx_state state;
  enum cortex_reason reason = start(settings, identity, identity->username, name, &state, error);

  *is_bound_out = false;
  if (reason == CORTEX_OK)
    reason = look(&state, identity, identity->username, name, is_bound_out, error);
  cx_state_close(&state);
  return reason;
}

enum cortex_reason cortex_binding_check_role(const struct cortex_settings *settings,
                                             const struct cortex_identity *identity,
                                             const char *role, struct cortex_error *error) {
  char name[NAME_ROOM];
  struct cx_state state;
  enum cortex_reason reason;
  bool is_bound;

  if (role == NULL || strcmp(role, identity->username) == 0)
    return CORTEX_OK;
  reason = start(settings, identity, role, name, &state, error);
  if (reason == CORTEX_OK)
    reason = look(&state, identity, role, name, &is_bound, error);
  cx_state_close(&state);
  return reason;
}

/* ---- changes ---- */

enum cortex_reason cx_binding_claim(const struct cortex_settings *settings,
                                    const struct cortex_identity *identity, int64_t now,
                                    const struct cx_wait *wait, bool *bound_out,
                                    struct cortex_error *error) {
  struct cortex_binding binding = {identity->username, identity->issuer, cx_identity_owner(identity),
                                   "login", now};
  char name[NAME_ROOM];
  struct cx_state state;
  bool is_bound = false;
  int lock = -1;
  enum cortex_reason reason = start(settings, identity, identity->username, name, &state, error);

  *bound_out = false;
  if (reason == CORTEX_OK)
    reason = cx_state_lock_name(&state, name, wait, &lock, error);
  if (reason == CORTEX_OK)
    reason = look(&state, identity, identity->username, name, &is_bound, error);
  if (reason == CORTEX_OK && !is_bound) {
    reason = write_owner(&state, name, &binding, error);
    *bound_out = reason == CORTEX_OK;
  }
  if (lock >= 0)
    close(lock);
  cx_state_close(&state);
  return reason;
}

static enum cortex_reason start_change(const struct cortex_settings *settings, const char *role,
                                       const struct cortex_clock *clock, char name_out[NAME_ROOM],
                                       struct cx_state *state_out, int *lock_out,
                                       struct cortex_error *error) {
  struct cx_wait wait = cx_wait_start(clock, 0);
  enum cortex_reason reason;

  *lock_out = -1;
  state_out->fd = -1;
  if (role == NULL || !put_name(role, name_out))
    return cx_error_set(error, CORTEX_BAD_USERNAME, "a role name has 1 to %d bytes", CX_ROLE_MAX);
  reason = cx_state_open(settings, CX_STATE_BINDINGS, state_out, error);
  if (reason == CORTEX_OK)
    reason = cx_state_lock_name(state_out, name_out, &wait, lock_out, error);
  return reason;
}

static bool is_name(const char *text) {
  return text != NULL && *text != '\0' && cx_text_is_utf8(text, strlen(text)) &&
         !cx_text_has_control(text, strlen(text));
}

enum cortex_reason cortex_binding_put(const struct cortex_settings *settings,
                                      const struct cortex_binding *binding,
                                      const struct cortex_clock *clock,
                                      struct cortex_error *error) {
  char name[NAME_ROOM];
  struct cx_state state;
  enum cortex_reason reason;
  int lock;

  if (!is_name(binding->issuer) || !is_name(binding->subject))
    return cx_error_set(error, CORTEX_MALFORMED,
                        "issuer and subject must be text, not empty, without control characters");
  if (binding->role == NULL)
    return cx_error_set(error, CORTEX_BAD_USERNAME, "there is no role");
  reason = cx_role_check(binding->role, &settings->roles.protected, error);
  if (reason != CORTEX_OK)
    return reason;
  reason = start_change(settings, binding->role, clock, name, &state, &lock, error);
  if (reason == CORTEX_OK)
    reason = write_owner(&state, name, binding, error);
  if (lock >= 0)
    close(lock);
  cx_state_close(&state);
  return reason;
}

enum cortex_reason cortex_binding_release(const struct cortex_settings *settings, const char *role,
                                          const struct cortex_clock *clock, bool *existed_out,
                                          struct cortex_error *error) {
  char name[NAME_ROOM];
  struct cx_state state;
  int lock;
  enum cortex_reason reason = start_change(settings, role, clock, name, &state, &lock, error);

  *existed_out = false;
  if (reason == CORTEX_OK)
    reason = cx_state_remove(&state, name, CX_STATE_DURABLE, existed_out, error);
  if (lock >= 0)
    close(lock);
  cx_state_close(&state);
  return reason;
}

/* ---- the list ---- */

struct listing {
  void (*visit)(void *context, const struct cortex_binding *binding);
  void *context;
};

static enum cortex_reason list(const struct cx_state *state, const char *name, void *context,
                               struct cortex_error *error) {
  const struct listing *listing = context;
  struct cortex_binding binding;
  char expected[NAME_ROOM];
  enum cortex_reason reason;
  const cx_json *entry = NULL;

  reason = cx_entry_read(state, name, &entry, error);
  if (reason != CORTEX_OK || entry == NULL)
    return reason;
  binding = (struct cortex_binding){.role = cx_entry_text(entry, "role"),
                                    .issuer = cx_entry_text(entry, "issuer"),
                                    .subject = cx_entry_text(entry, "subject"),
                                    .by = cx_entry_text(entry, "by"),
                                    .since = cx_entry_number(entry, "since")};
  if (binding.role != NULL && binding.issuer != NULL && binding.subject != NULL &&
      put_name(binding.role, expected) && strcmp(expected, name) == 0)
    listing->visit(listing->context, &binding);
  else
    reason = cx_state_refuse(state, name, error, "is damaged");
  cx_json_release(entry);
  return reason;
}

enum cortex_reason cortex_binding_each(const struct cortex_settings *settings, const char *role,
                                       void (*visit)(void *context,
                                                     const struct cortex_binding *binding),
                                       void *context, struct cortex_error *error) {
  struct listing listing = {visit, context};
  enum cortex_reason reason;
  struct cx_state state;
  char name[NAME_ROOM];

  if (role != NULL && !put_name(role, name))
    return cx_error_set(error, CORTEX_BAD_USERNAME, "a role name has 1 to %d bytes", CX_ROLE_MAX);
  reason = cx_state_open(settings, CX_STATE_BINDINGS, &state, error);
  if (reason == CORTEX_OK)
    reason = role != NULL ? list(&state, name, &listing, error)
                          : cx_state_each(&state, list, &listing, error);
  cx_state_close(&state);
  return reason;
}
