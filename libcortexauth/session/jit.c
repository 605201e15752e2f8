/*
 * What must be true of a role before its session begins, and whether that is known already.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "session/jit.h"

#include <cortexauth/session.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "identity/identity.h"
#include "policy/image.h"
#include "session/jit_call.h"
#include "state/folder.h"
#include "util/buf.h"
#include "util/hash.h"
#include "util/object.h"

/*
 * How long a note that nothing had to change is believed. It never grants: where a role was
 * dropped or locked meanwhile, PostgreSQL refuses the login and the note is soon forgotten.
 * What cortex-sync takes away it has forgotten at once.
 */
#define NOTE_LIFE INT64_C(300) /* seconds */
#define NOTE_PREFIX "ready-"
#define NOTE_MAX 256

#define TIMEOUT_MAX 1500   /* milliseconds */
#define RECORD_RESERVE 200 /* milliseconds that are left for the record */
#define ARRAY_MAX (64 * 1024)
#define NAME_ROOM 256

enum array { UNIVERSE, LEVELS, ROLES, STANDING, ARRAYS };

struct wish {
  struct cx_buf arrays[ARRAYS]; /* PostgreSQL's array literals */
  char note_name[sizeof NOTE_PREFIX + CX_HASH_HEX];
  char note[NOTE_MAX];
};

/* ---- what is wanted ---- */

/* Every element is quoted: then only the quote and the backslash mean anything. */
static void put_element(struct cx_buf *array, const char *text) {
  cx_buf_put_text(array, array->len == 0 ? "{\"" : ",\"");
  for (; *text != '\0'; text++) {
    if (*text == '"' || *text == '\\')
      cx_buf_put(array, "\\", 1);
    cx_buf_put(array, text, 1);
  }
  cx_buf_put(array, "\"", 1);
}

static void put_level(const struct cx_jit *jit, struct wish *wish, enum cortex_level level) {
  const char *role;
  size_t i;

  for (i = 0; (role = cortex_policy_grant(jit->policy, jit->service, level, i)) != NULL; i++) {
    put_element(&wish->arrays[UNIVERSE], role);
    if ((jit->levels & level) == 0)
      continue;
    put_element(&wish->arrays[LEVELS], cortex_level_name(level));
    put_element(&wish->arrays[ROLES], role);
    put_element(&wish->arrays[STANDING], (jit->standing & level) != 0 ? "true" : "false");
  }
}

static void hash_text(struct cx_hash *hash, const char *text) {
  cx_hash_put(hash, text, strlen(text) + 1);
}

/* The note's name says whose it is, its text what was wanted, of which server's life, of which
 * role. */
static void name_note(const struct cx_jit *jit, struct wish *wish) {
  struct cx_hash hash;
  char hex[CX_HASH_HEX + 1], start[NAME_ROOM];
  size_t i;

  cx_hash_init(&hash);
  hash_text(&hash, jit->role);
  hash_text(&hash, jit->service);
  cx_hash_hex(&hash, hex);
  snprintf(wish->note_name, sizeof wish->note_name, NOTE_PREFIX "%s", hex);
  cx_hash_init(&hash);
  snprintf(start, sizeof start, "%" PRId64, jit->postmaster_start);
  hash_text(&hash, start);
  hash_text(&hash, jit->identity->issuer);
  hash_text(&hash, jit->identity->subject);
  for (i = 0; i < ARRAYS; i++)
    hash_text(&hash, wish->arrays[i].bytes);
  cx_hash_hex(&hash, hex);
  snprintf(wish->note, sizeof wish->note, "%s %s", hex, jit->role);
}

static bool make_wish(const struct cx_jit *jit, struct wish *wish) {
  unsigned level;
  size_t i;

  for (i = 0; i < ARRAYS; i++)
    cx_buf_init(&wish->arrays[i], ARRAY_MAX);
  for (level = CORTEX_LEVEL_READ; level <= CORTEX_LEVEL_ADMIN; level <<= 1)
    put_level(jit, wish, (enum cortex_level)level);
  for (i = 0; i < ARRAYS; i++) {
    cx_buf_put_text(&wish->arrays[i], wish->arrays[i].len == 0 ? "{}" : "}");
    if (wish->arrays[i].failed)
      return false;
  }
  name_note(jit, wish);
  return true;
}

/* ---- what is known ---- */

/* A role of one level (USER/LEVEL) is dropped with its last session: nothing of it stays true. */
static bool may_note(const struct cx_jit *jit) {
  return jit->levels == jit->standing && strchr(jit->role, '/') == NULL;
}

/*
 * Only a login whose levels are all standing may rely on a note. One that needs more takes the
 * note away before it counts the live sessions, and this session's stamp is already
 * there: either that login sees this session, or this one finds no note.
 */
static bool is_noted(const struct cx_jit *jit, const struct cx_state *state,
                     const struct wish *wish) {
  struct cx_buf content;
  struct stat status;
  bool is_same;

  if (!may_note(jit) ||
      cx_state_read(state, wish->note_name, NOTE_MAX, &content, NULL) != CORTEX_OK)
    return false;
  is_same = content.bytes != NULL && strcmp(content.bytes, wish->note) == 0;
  cx_buf_clear(&content);
  return is_same && fstatat(state->fd, wish->note_name, &status, 0) == 0 &&
         jit->now - status.st_mtim.tv_sec < NOTE_LIFE && status.st_mtim.tv_sec <= jit->now + 1;
}

struct distrust {
  cortex_session_concern concern;
  void *context;
};

static enum cortex_reason distrust_one(const struct cx_state *state, const char *name,
                                       void *context, struct cortex_error *error) {
  const struct distrust *distrust = context;
  struct cx_buf content;
  bool existed, is_concerned;
  enum cortex_reason reason;

  if (strncmp(name, NOTE_PREFIX, strlen(NOTE_PREFIX)) != 0)
    return CORTEX_OK;
  reason = cx_state_read(state, name, NOTE_MAX, &content, error);
  if (reason != CORTEX_OK)
    return reason;
  is_concerned = content.bytes != NULL &&
                 (content.len <= CX_HASH_HEX + 1 ||
                  distrust->concern(content.bytes + CX_HASH_HEX + 1, distrust->context));
  cx_buf_clear(&content);
  return is_concerned ? cx_state_remove(state, name, CX_STATE_QUICK, &existed, error) : CORTEX_OK;
}

enum cortex_reason cortex_session_distrust(const struct cortex_settings *settings,
                                           cortex_session_concern concern, void *context,
                                           struct cortex_error *error) {
  struct distrust distrust = {concern, context};
  struct cx_state state;
  enum cortex_reason reason = cx_state_open(settings, CX_STATE_SESSIONS, &state, error);

  if (reason == CORTEX_OK)
    reason = cx_state_each(&state, distrust_one, &distrust, error);
  cx_state_close(&state);
  return reason;
}

/* ---- the call ---- */

static int timeout_of(const struct cx_jit *jit) {
  int64_t left;

  if (jit->deadline == 0)
    return TIMEOUT_MAX;
  left = (jit->deadline - jit->clock->monotonic(jit->clock)) / 1000000 - RECORD_RESERVE;
  return left > TIMEOUT_MAX ? TIMEOUT_MAX : (int)(left > 0 ? left : 0);
}

/* No file can be there, and libpq does not complain into the server's log of one that is not. */
#define NO_FILE "/dev/null/none"

/*
 * Explicit in everything that libpq would otherwise look for elsewhere. Of notices it would speak
 * on standard error, which is the server's log.
 */
static enum cortex_reason call(const struct cx_jit *jit, const struct wish *wish,
                               struct cortex_error *error) {
  char options[2 * NAME_ROOM], server[24];
  const char *keywords[CX_CONNINFO_KEYWORDS + 8] = {
      "options", "application_name", "client_encoding", "passfile", "sslmode", "gssencmode"};
  const char *values[CX_CONNINFO_KEYWORDS + 8] = {options, "pam_cortex", "UTF8",
                                                  NO_FILE, "disable",    "disable"};
  struct cx_jit_query query = {.keywords = keywords, .values = values, .timeout = timeout_of(jit)};
  const char *parameters[CX_JIT_VALUES] = {jit->role,
                                           jit->identity->issuer,
                                           jit->identity->subject,
                                           jit->service,
                                           wish->arrays[UNIVERSE].bytes,
                                           wish->arrays[LEVELS].bytes,
                                           wish->arrays[ROLES].bytes,
                                           wish->arrays[STANDING].bytes,
                                           server};
  cx_jit_call_fn *run;
  enum cortex_reason reason = cx_object_find("jit", CX_JIT_CALL, (cx_object_call **)&run, error);
  size_t i;

  if (reason != CORTEX_OK)
    return reason;
  for (i = 0; i < CX_CONNINFO_KEYWORDS; i++) {
    keywords[6 + i] = cx_conninfo_keyword(i);
    values[6 + i] = jit->settings->roles.jit_conninfo.values[i];
  }
  snprintf(server, sizeof server, "%" PRId64, jit->postmaster_start);
  snprintf(options, sizeof options,
           "-c statement_timeout=%d -c lock_timeout=%d -c synchronous_commit=local "
           "-c search_path=pg_catalog -c default_transaction_isolation=read\\ committed "
           "-c default_transaction_read_only=off -c client_min_messages=error",
           query.timeout, query.timeout);
  memcpy(query.parameters, parameters, sizeof parameters);
  if (run(&query))
    return CORTEX_OK;
  return cx_error_set(error, CORTEX_ROLE_UNAVAILABLE, "the role could not be made ready: %s",
                      query.message);
}

static enum cortex_reason make_ready(const struct cx_jit *jit, const struct cx_state *state,
                                     const struct wish *wish, struct cortex_error *error) {
  bool existed;
  enum cortex_reason reason =
      cx_state_remove(state, wish->note_name, CX_STATE_QUICK, &existed, error);

  if (reason == CORTEX_OK)
    reason = call(jit, wish, error);
  /* It saves the next login work. Others of this role may be writing it too: no cause to refuse. */
  if (reason == CORTEX_OK && may_note(jit))
    (void)!cx_state_write(state, wish->note_name, wish->note, strlen(wish->note), CX_STATE_QUICK,
                          NULL);
  return reason;
}

enum cortex_reason cx_jit_prepare(const struct cx_jit *jit, struct cortex_error *error) {
  struct cx_state state;
  struct wish wish;
  enum cortex_reason reason = cx_state_open(jit->settings, CX_STATE_SESSIONS, &state, error);
  size_t i;

  if (!make_wish(jit, &wish) && reason == CORTEX_OK)
    reason = cx_error_memory(error);
  /* A grant that could not be read looks like none, and the role would lose what it holds. */
  if (reason == CORTEX_OK && !cx_image_is_good(jit->policy))
    reason = cx_error_set(error, CORTEX_POLICY_UNAVAILABLE,
                          "the policy image was written to while it was read");
  if (reason == CORTEX_OK && !is_noted(jit, &state, &wish))
    reason = make_ready(jit, &state, &wish, error);
  cx_state_close(&state);
  for (i = 0; i < ARRAYS; i++)
    cx_buf_clear(&wish.arrays[i]);
  return reason;
}
