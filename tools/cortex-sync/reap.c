/*
 * Reaping: read the stamps, judge each, end what must end, take back what it had, say so.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "reap.h"

#include <cortexauth/cortexauth.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/pg.h"
#include "notice.h"

#define CONFIG_DEFAULT "/etc/cortex/cortex.conf"
#define TIMEOUT 30     /* seconds, of a statement and of waiting for a lock */
#define WATCH_PAUSE 10 /* seconds between two rounds: well within the minute that is promised */
#define END_MAX 60     /* seconds that a backend may take to end */

/* A session that must end: a copy of its stamp, and why. */
struct doomed {
  struct cortex_session session; /* its strings are those of texts */
  enum cortex_reason reason;
  bool is_ended;
  char *texts[7];
};

struct reaping {
  const struct cli *cli;
  struct cortex_settings *settings;
  struct cortex_policy *policy; /* NULL: it cannot be read, so nothing is judged by it */
  struct pg *pg;
  struct notice notice;
  int64_t now;        /* microseconds since 1970 */
  int64_t postmaster; /* start of the server that is asked, microseconds since 1970 */
  struct doomed *doomed;
  size_t count;
  size_t live; /* sessions of this server that go on */
  bool failed; /* something could not be done */
};

static void fail(struct reaping *reaping, const struct cortex_error *error) {
  cli_complain_error(error);
  reaping->failed = true;
}

/* ---- judging ---- */

/*
 * A process of that pid is there. It may be a later one: then the server knows another start
 * and ends nothing, and the next login of that pid replaces the stamp. To compare starts
 * here would trust the wall clock, and a clock that was set would hide live sessions.
 */
static bool is_alive(int64_t pid) {
  return kill((pid_t)pid, 0) == 0 || errno != ESRCH;
}

static bool copy_texts(struct doomed *doomed, const struct cortex_session *session) {
  const char *const texts[] = {session->reference,
                               session->service,
                               session->database,
                               session->role,
                               cortex_identity_issuer(session->identity),
                               cortex_identity_subject(session->identity),
                               cortex_identity_username(session->identity)};
  size_t i;

  for (i = 0; i < sizeof texts / sizeof texts[0]; i++) {
    doomed->texts[i] = texts[i] != NULL ? strdup(texts[i]) : NULL;
    if (texts[i] != NULL && doomed->texts[i] == NULL)
      return false;
  }
  doomed->session.reference = doomed->texts[0];
  doomed->session.service = doomed->texts[1];
  doomed->session.database = doomed->texts[2];
  doomed->session.role = doomed->texts[3];
  return true;
}

static bool put(struct reaping *reaping, const struct cortex_session *session,
                enum cortex_reason reason) {
  struct doomed *items = realloc(reaping->doomed, (reaping->count + 1) * sizeof *reaping->doomed);

  if (items == NULL)
    return false;
  reaping->doomed = items;
  items[reaping->count] = (struct doomed){.session = *session, .reason = reason};
  items[reaping->count].session.identity = NULL;
  return copy_texts(&items[reaping->count++], session);
}

static void forget(struct reaping *reaping, int64_t pid) {
  struct cortex_error error = CORTEX_ERROR_NONE;

  if (!cli_has(reaping->cli, "check") &&
      cortex_session_forget(reaping->settings, pid, &error) != CORTEX_OK)
    fail(reaping, &error);
}

/* A power failure may leave the stamp of a session that is gone in any state: that is no more in
 * the way. */
static void visit_damaged(struct reaping *reaping, const char *name,
                          const struct cortex_error *cause) {
  int64_t pid = strtoll(name, NULL, 10);

  cli_complain("session stamp %s: %s", name, cause->message);
  if (pid <= 0 || pid > INT32_MAX || is_alive(pid))
    reaping->failed = true;
  else
    forget(reaping, pid);
}

static bool visit(const struct cortex_session *session, const char *name,
                  const struct cortex_error *cause, void *context) {
  struct reaping *reaping = context;
  struct cortex_error error = CORTEX_ERROR_NONE;
  enum cortex_reason reason;

  if (session == NULL) {
    visit_damaged(reaping, name, cause);
    return true;
  }
  if (!is_alive(session->pid)) {
    forget(reaping, session->pid);
    return true;
  }
  if (session->postmaster_start != reaping->postmaster)
    return true;
  reason = cortex_session_judge(session, reaping->settings, reaping->policy, reaping->now, &error);
  reaping->live += reason == CORTEX_OK;
  if (reason == CORTEX_OK)
    notice_put(&reaping->notice, session);
  if (reason == CORTEX_INTERNAL || reason == CORTEX_STATE_UNAVAILABLE)
    fail(reaping, &error);
  else if (reason != CORTEX_OK && !put(reaping, session, reason)) {
    cli_complain("out of memory");
    reaping->failed = true;
    return false;
  }
  return true;
}

/* ---- ending ---- */

static bool complain_pg(struct reaping *reaping) {
  cli_complain("database: %s", pg_message(reaping->pg));
  reaping->failed = true;
  return false;
}

static bool take_number(struct pg *pg, int64_t *number_out) {
  PGresult *result = pg_take(pg);

  if (result == NULL || PQntuples(result) != 1) {
    PQclear(result);
    return false;
  }
  *number_out = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
  PQclear(result);
  return pg_settle(pg);
}

static bool ask_server(struct reaping *reaping) {
  const struct pg_setup setup = {.conninfo =
                                     cortex_settings_value(reaping->settings, "sync", "conninfo"),
                                 .program = "cortex-sync",
                                 .statement_timeout = TIMEOUT,
                                 .lock_timeout = TIMEOUT};

  if (!pg_open(&setup, &reaping->pg) ||
      !pg_send(reaping->pg,
               "SELECT (date_part('epoch', pg_postmaster_start_time()) * 1000000)::bigint", NULL,
               0) ||
      !pg_sync(reaping->pg) || !take_number(reaping->pg, &reaping->postmaster))
    return complain_pg(reaping);
  return true;
}

/* The end that the server confirms, by pid and start. */
static void mark_ended(struct reaping *reaping, const PGresult *result) {
  int row, rows = PQntuples(result);
  size_t i;

  for (row = 0; row < rows; row++) {
    int64_t pid = strtoll(PQgetvalue(result, row, 0), NULL, 10);
    int64_t start = strtoll(PQgetvalue(result, row, 1), NULL, 10);

    for (i = 0; i < reaping->count; i++)
      if (reaping->doomed[i].session.pid == pid &&
          reaping->doomed[i].session.backend_start == start)
        reaping->doomed[i].is_ended = true;
  }
}

/*
 * Through the extension, which looks at the stamps again; without it by the view that everybody
 * has, for which the role needs pg_signal_backend and pg_read_all_stats. OFFSET 0 keeps the end
 * of a session behind the conditions: the planner asks those in any order, and would end others.
 */
static const char *const ways[] = {
    "SELECT pid, started FROM cortex.reap($1, $2)",
    "SELECT m.pid, m.started FROM ("
    "SELECT a.pid, w.started "
    "FROM unnest($1::integer[], $2::bigint[]) AS w(pid, started) "
    "JOIN pg_stat_activity a ON a.pid = w.pid "
    "AND a.backend_type = 'client backend' AND a.pid <> pg_backend_pid() "
    "AND (date_part('epoch', a.backend_start) * 1000000)::bigint = w.started "
    "OFFSET 0) m WHERE pg_terminate_backend(m.pid)"};

static void put_bigint(struct pg_array *array, int64_t number) {
  char text[24];

  snprintf(text, sizeof text, "%" PRId64, number);
  pg_array_put(array, text);
}

static bool end_by(struct reaping *reaping, const char *sql) {
  struct pg_array pids = {0}, starts = {0};
  const char *values[2];
  PGresult *result = NULL;
  bool is_done = false;
  size_t i;

  for (i = 0; i < reaping->count; i++) {
    put_bigint(&pids, reaping->doomed[i].session.pid);
    put_bigint(&starts, reaping->doomed[i].session.backend_start);
  }
  values[0] = pg_array_end(&pids);
  values[1] = pg_array_end(&starts);
  if (values[0] != NULL && values[1] != NULL && pg_send(reaping->pg, sql, values, 2) &&
      pg_sync(reaping->pg) && (result = pg_take(reaping->pg)) != NULL) {
    mark_ended(reaping, result);
    is_done = pg_settle(reaping->pg);
  }
  PQclear(result);
  pg_array_clear(&pids);
  pg_array_clear(&starts);
  return is_done;
}

static bool end_sessions(struct reaping *reaping) {
  if (reaping->count == 0 || end_by(reaping, ways[0]))
    return true;
  if (!pg_lacks_extension(reaping->pg))
    return complain_pg(reaping);
  pg_close(&reaping->pg);
  return ask_server(reaping) && (end_by(reaping, ways[1]) || complain_pg(reaping));
}

/* ---- the proof ---- */

/* What was noted before has its record: only that it takes so long is left to say. */
static void take_note(struct doomed *doomed, const struct cortex_session_end *end, int64_t now) {
  if (end->told_at == 0)
    return;
  doomed->is_ended = false;
  if (now - end->told_at >= END_MAX)
    cli_complain(
        "session of %s on %s (pid %" PRId64 "): told to end %" PRId64
        " s ago and still there: look at the process, it may be stopped or wait for a disk",
        doomed->session.role, doomed->session.service, end->pid, now - end->told_at);
}

static bool note_ends(struct reaping *reaping) {
  struct cortex_session_end *ends = calloc(reaping->count + 1, sizeof *ends);
  struct cortex_error error = CORTEX_ERROR_NONE;
  size_t count = 0, i;

  if (ends == NULL)
    return false;
  for (i = 0; i < reaping->count; i++)
    if (reaping->doomed[i].is_ended)
      ends[count++] = (struct cortex_session_end){reaping->doomed[i].session.pid,
                                                  reaping->doomed[i].session.backend_start, 0};
  if (count > 0 && cortex_session_note_ends(reaping->settings, ends, count, cortex_clock_system(),
                                            &error) != CORTEX_OK)
    fail(reaping, &error);
  for (i = 0, count = 0; i < reaping->count; i++)
    if (reaping->doomed[i].is_ended)
      take_note(&reaping->doomed[i], &ends[count++], reaping->now / 1000000);
  free(ends);
  return true;
}

static void record(struct reaping *reaping, struct cortex_record *entries, size_t count) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  struct cortex_audit_options options;
  char host[256] = "";
  size_t i;

  gethostname(host, sizeof host - 1);
  for (i = 0; i < count; i++)
    entries[i].host = host;
  cortex_audit_options_get(reaping->settings, &options);
  if (cortex_audit_append_all(&options, entries, count, cortex_clock_system(), 0, &error) !=
      CORTEX_OK)
    fail(reaping, &error);
}

static struct cortex_record entry_of(const struct doomed *doomed) {
  return (struct cortex_record){
      .event = CORTEX_EVENT_SESSION_ENDED,
      .reference = doomed->session.reference,
      .service = doomed->session.service,
      .database = doomed->session.database,
      .role = doomed->session.role,
      .pid = doomed->session.pid,
      .backend_start = doomed->session.backend_start,
      .issuer = doomed->texts[4],
      .subject = doomed->texts[5],
      .username = doomed->texts[6],
      .session_until = doomed->session.session_until,
      .reason = doomed->reason,
  };
}

/* Many records at a time: with fsync = yes each write waits for the disk. */
static void record_ended(struct reaping *reaping) {
  struct cortex_record *entries = calloc(CORTEX_AUDIT_BATCH, sizeof *entries);
  size_t count = 0, i;

  if (entries == NULL) {
    cli_complain("out of memory");
    reaping->failed = true;
    return;
  }
  for (i = 0; i < reaping->count; i++) {
    if (reaping->doomed[i].is_ended)
      entries[count++] = entry_of(&reaping->doomed[i]);
    if (count == CORTEX_AUDIT_BATCH || (count > 0 && i + 1 == reaping->count)) {
      record(reaping, entries, count);
      count = 0;
    }
  }
  free(entries);
}

static void tell(const struct reaping *reaping, const char *did) {
  size_t i;

  for (i = 0; i < reaping->count; i++) {
    const struct doomed *doomed = &reaping->doomed[i];

    if ((did != NULL || doomed->is_ended) && !cli_has(reaping->cli, "quiet"))
      printf("%s session of %s on %s (pid %" PRId64 ", login %s): %s\n",
             did != NULL ? did : "ended", doomed->session.role, doomed->session.service,
             doomed->session.pid, doomed->session.reference, cortex_reason_name(doomed->reason));
  }
}

/* ---- what ended sessions leave behind ---- */

/* grant: what was revoked; "": the role owns something and lost its login only; NULL: dropped. */
static void record_settled(struct reaping *reaping, const char *name, const char *grant) {
  bool is_cut = grant != NULL && grant[0] == '\0', is_revoked = grant != NULL && !is_cut;
  struct cortex_record entry = {
      .event = is_revoked ? CORTEX_EVENT_REVOKED
               : is_cut   ? CORTEX_EVENT_ROLE_CUT
                          : CORTEX_EVENT_ROLE_DROPPED,
      .role = name,
      .grant = is_revoked ? grant : NULL,
      .detail = is_cut ? "its last session has ended, and it owns something"
                       : "its last session has ended",
  };

  record(reaping, &entry, 1);
  if (cli_has(reaping->cli, "quiet"))
    return;
  if (is_revoked)
    printf("revoked %s from %s\n", grant, name);
  else
    printf("%s %s\n", is_cut ? "cut" : "dropped", name);
}

/*
 * Memberships that no live session was permitted any more, and roles of one level. It takes turns
 * with logins, so it must see what they have done meanwhile.
 */
static bool settle_once(struct reaping *reaping) {
  PGresult *result;
  int row;

  if (!pg_send(reaping->pg, "BEGIN ISOLATION LEVEL READ COMMITTED", NULL, 0) ||
      !pg_send(reaping->pg, "SELECT name, role FROM cortex.settle_logins()", NULL, 0) ||
      !pg_send(reaping->pg, "COMMIT", NULL, 0) || !pg_sync(reaping->pg) || !pg_skip(reaping->pg, 1))
    return false;
  result = pg_take(reaping->pg);
  if (result == NULL)
    return pg_lacks_extension(reaping->pg);
  for (row = 0; row < PQntuples(result); row++)
    record_settled(reaping, PQgetvalue(result, row, 0),
                   PQgetisnull(result, row, 1) ? NULL : PQgetvalue(result, row, 1));
  PQclear(result);
  return pg_skip(reaping->pg, 1) && pg_settle(reaping->pg);
}

/* One role that an administrator drops at the same moment is to keep nobody's levels. */
static bool settle(struct reaping *reaping) {
  if (settle_once(reaping))
    return true;
  if (!pg_is_overtaken(reaping->pg))
    return complain_pg(reaping);
  pg_close(&reaping->pg);
  return ask_server(reaping) && (settle_once(reaping) || complain_pg(reaping));
}

/* ---- one round ---- */

static enum cli_exit load(struct reaping *reaping) {
  struct cortex_error error = CORTEX_ERROR_NONE;

  if (cortex_settings_load(cli_value_or(reaping->cli, "config", CONFIG_DEFAULT), &reaping->settings,
                           &error) != CORTEX_OK) {
    cli_complain_error(&error);
    return CLI_USAGE;
  }
  if (cortex_settings_value(reaping->settings, "sync", "conninfo") == NULL) {
    cli_complain("[sync] conninfo is missing: it says whose sessions to look after");
    return CLI_USAGE;
  }
  if (!notice_init(&reaping->notice, reaping->settings, reaping->now / 1000000, &error))
    cli_complain_error(&error);
  /* Whole, for a round asks about many: none is to meet an image that changed meanwhile. */
  if (cortex_policy_load(reaping->settings, &reaping->policy, &error) != CORTEX_OK ||
      cortex_policy_make_whole(reaping->policy, &error) != CORTEX_OK) {
    cortex_policy_free(&reaping->policy);
    fail(reaping, &error);
  }
  return CLI_DONE;
}

static bool reap(struct reaping *reaping) {
  struct cortex_error error = CORTEX_ERROR_NONE;

  if (!ask_server(reaping))
    return false;
  if (cortex_session_each(reaping->settings, visit, reaping, &error) != CORTEX_OK) {
    fail(reaping, &error);
    return false;
  }
  if (cli_has(reaping->cli, "check")) {
    tell(reaping, "would end");
    return true;
  }
  if (!end_sessions(reaping))
    return false;
  if (!note_ends(reaping)) {
    cli_complain("out of memory");
    reaping->failed = true;
  }
  record_ended(reaping);
  tell(reaping, NULL);
  if (!settle(reaping))
    return false;
  /* Last, and no fault of the round: an end waits for no notice. */
  if (!notice_send(&reaping->notice, reaping->pg))
    cli_complain("notice: %s", pg_message(reaping->pg));
  return true;
}

/* Logins that rely on a reaper may go on only while it does all of its work. */
static void mark(struct reaping *reaping) {
  struct cortex_error error = CORTEX_ERROR_NONE;

  if (!reaping->failed && !cli_has(reaping->cli, "check") &&
      cortex_session_mark_reaped(reaping->settings, reaping->now / 1000000, cortex_clock_system(),
                                 &error) != CORTEX_OK)
    fail(reaping, &error);
}

static void clear(struct reaping *reaping) {
  size_t i, j;

  for (i = 0; i < reaping->count; i++)
    for (j = 0; j < sizeof reaping->doomed[i].texts / sizeof reaping->doomed[i].texts[0]; j++)
      free(reaping->doomed[i].texts[j]);
  free(reaping->doomed);
  notice_clear(&reaping->notice);
  pg_close(&reaping->pg);
  cortex_policy_free(&reaping->policy);
  cortex_settings_free(&reaping->settings);
}

static enum cli_exit round_once(const struct cli *cli) {
  const struct cortex_clock *clock = cortex_clock_system();
  struct reaping reaping = {.cli = cli, .now = clock->now(clock)};
  enum cli_exit exit = load(&reaping);

  if (exit == CLI_DONE && reap(&reaping))
    mark(&reaping);
  if (exit == CLI_DONE && reaping.failed)
    exit = CLI_OUTSIDE;
  else if (exit == CLI_DONE && cli_has(cli, "check") && reaping.count > 0)
    exit = CLI_NO;
  clear(&reaping);
  return exit;
}

/* A configuration that is being edited ends no watch: that would let everybody's sessions go on. */
enum cli_exit reap_run(const struct cli *cli) {
  const struct timespec pause = {WATCH_PAUSE, 0};
  enum cli_exit exit = round_once(cli);

  while (cli_has(cli, "watch") && exit != CLI_USAGE) {
    fflush(stdout);
    nanosleep(&pause, NULL);
    (void)round_once(cli);
  }
  return exit;
}
