/*
 * Reaping: read the stamps, judge each, end what must end, take back what it had, say so.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "reap.h"

#include <cortexauth/cortexauth.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "alive.h"
#include "common/pg.h"
#include "doomed.h"
#include "dropped.h"
#include "notice.h"
#include "sight.h"

#define TIMEOUT 30     /* seconds, of a statement and of waiting for a lock */
#define WATCH_PAUSE 10 /* seconds between two rounds: well within the minute that is promised */
#define END_MAX 60     /* seconds that a backend may take to end */

struct reaping {
  const struct cli *cli;
  struct cortex_settings *settings;
  struct cortex_policy *policy; /* NULL: it cannot be read, so nothing is judged by it */
  struct pg *pg;
  struct notice notice;
  int64_t now; /* microseconds since 1970 */
  struct doomed_list doomed;
  struct dropped dropped;
  struct cortex_session_end *due; /* noted by earlier ones and not recorded */
  size_t due_count;
  PGresult *leavers; /* pid and start of each session of theirs; NULL: nobody can tell */
  size_t live;       /* sessions of this server that go on */
  struct sight sight;
  bool failed; /* something could not be done */
};

static void fail(struct reaping *reaping, const struct cortex_error *error) {
  cli_complain_error(error);
  reaping->failed = true;
}

/* ---- judging ---- */

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

static const struct cortex_session_end *find_due(const struct reaping *reaping,
                                                 const struct cortex_session *session) {
  size_t i;

  for (i = 0; i < reaping->due_count; i++)
    if (reaping->due[i].pid == session->pid &&
        reaping->due[i].backend_start == session->backend_start)
      return &reaping->due[i];
  return NULL;
}

static bool is_verdict(enum cortex_reason reason) {
  return reason != CORTEX_INTERNAL && reason != CORTEX_STATE_UNAVAILABLE;
}

/* Its stamp goes once the end is recorded, if there was one. */
static bool visit_gone(struct reaping *reaping, const struct cortex_session *session) {
  enum cortex_reason reason;

  dropped_put(&reaping->dropped, session->role);
  if (find_due(reaping, session) == NULL) {
    forget(reaping, session->pid);
    return true;
  }
  reason = cortex_session_judge(session, reaping->settings, reaping->policy, reaping->now, NULL);
  return doomed_put(&reaping->doomed, session, FATE_RECORD,
                    is_verdict(reason) ? reason : CORTEX_OK);
}

/* Whose session would go on: on a standby the cut comes with the catalogs, and no cut changes a role
 * of one level, or one that is assumed. */
static bool is_leaver(const struct reaping *reaping, const struct cortex_session *session) {
  int row, rows = reaping->leavers != NULL ? PQntuples(reaping->leavers) : 0;

  for (row = 0; row < rows; row++)
    if (strtoll(PQgetvalue(reaping->leavers, row, 0), NULL, 10) == session->pid &&
        strtoll(PQgetvalue(reaping->leavers, row, 1), NULL, 10) == session->backend_start)
      return true;
  return false;
}

static bool visit_live(struct reaping *reaping, const struct cortex_session *session) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  const struct cortex_session_end *due;
  enum cortex_reason reason =
      is_leaver(reaping, session)
          ? CORTEX_POLICY_DENIED
          : cortex_session_judge(session, reaping->settings, reaping->policy, reaping->now, &error);

  if (!is_verdict(reason)) {
    fail(reaping, &error);
    return true;
  }
  if (reason != CORTEX_OK)
    return doomed_put(&reaping->doomed, session, FATE_END, reason);
  reaping->live++;
  notice_put(&reaping->notice, session);
  due = find_due(reaping, session);
  return due == NULL || reaping->now / 1000000 - due->told_at < END_MAX ||
         doomed_put(&reaping->doomed, session, FATE_SPARE, CORTEX_OK);
}

static bool visit(const struct cortex_session *session, const char *name,
                  const struct cortex_error *cause, void *context) {
  struct reaping *reaping = context;
  bool fine = true;

  if (session == NULL)
    visit_damaged(reaping, name, cause);
  else if (!is_alive(session->pid))
    fine = visit_gone(reaping, session);
  else if (session->postmaster_start == reaping->sight.server.started)
    fine = visit_live(reaping, session);
  if (!fine) {
    cli_complain("out of memory");
    reaping->failed = true;
  }
  return fine;
}

/* ---- ending ---- */

static bool complain_pg(struct reaping *reaping) {
  cli_complain("database: %s%s", pg_message(reaping->pg), pg_hint(reaping->pg));
  reaping->failed = true;
  return false;
}

static bool ask_server(struct reaping *reaping) {
  const struct pg_setup setup = {.conninfo =
                                     cortex_settings_value(reaping->settings, "sync", "conninfo"),
                                 .program = "cortex-sync",
                                 .statement_timeout = TIMEOUT,
                                 .lock_timeout = TIMEOUT};

  return (pg_renew(&setup, &reaping->pg) && sight_ask(reaping->pg, &reaping->sight)) ||
         complain_pg(reaping);
}

static bool require_sight(struct reaping *reaping) {
  const char *folder = cortex_settings_value(reaping->settings, "session", "path");

  if (sight_reaches(reaping->pg, &reaping->sight, folder))
    return true;
  reaping->failed = true;
  return false;
}

static bool ask_leavers(struct reaping *reaping) {
  return (pg_send(reaping->pg, "SELECT pid, started FROM cortex.leaver_sessions()", NULL, 0) &&
          pg_sync(reaping->pg) && (reaping->leavers = pg_take(reaping->pg)) != NULL &&
          pg_settle(reaping->pg)) ||
         complain_pg(reaping);
}

/* The end that the server confirms, by pid and start. */
static void mark_ended(struct reaping *reaping, const PGresult *result) {
  int row, rows = PQntuples(result);
  size_t i;

  for (row = 0; row < rows; row++) {
    int64_t pid = strtoll(PQgetvalue(result, row, 0), NULL, 10);
    int64_t start = strtoll(PQgetvalue(result, row, 1), NULL, 10);

    for (i = 0; i < reaping->doomed.count; i++)
      if (reaping->doomed.items[i].session.pid == pid &&
          reaping->doomed.items[i].session.backend_start == start)
        reaping->doomed.items[i].is_ended = true;
  }
}

/*
 * Without the extension by the view that everybody has, for which the role needs pg_signal_backend
 * and pg_read_all_stats; with it through the extension, which looks at the stamps again. OFFSET 0
 * keeps the end of a session behind the conditions: the planner asks those in any order, and would
 * end others.
 */
static const char *const ways[] = {
    "SELECT m.pid, m.started FROM ("
    "SELECT a.pid, w.started "
    "FROM unnest($1::integer[], $2::bigint[]) AS w(pid, started) "
    "JOIN pg_stat_activity a ON a.pid = w.pid "
    "AND a.backend_type = 'client backend' AND a.pid <> pg_backend_pid() "
    "AND (date_part('epoch', a.backend_start) * 1000000)::bigint = w.started "
    "OFFSET 0) m WHERE pg_terminate_backend(m.pid)",
    "SELECT pid, started FROM cortex.reap($1, $2)"};

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

  for (i = 0; i < reaping->doomed.count; i++) {
    if (reaping->doomed.items[i].fate != FATE_END)
      continue;
    put_bigint(&pids, reaping->doomed.items[i].session.pid);
    put_bigint(&starts, reaping->doomed.items[i].session.backend_start);
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
  return reaping->doomed.ends == 0 || end_by(reaping, ways[reaping->sight.has_extension]) ||
         complain_pg(reaping);
}

/* ---- the proof ---- */

static bool record(struct reaping *reaping, struct cortex_record *entries, size_t count) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  struct cortex_audit_options options;
  char host[256] = "";
  size_t i;

  gethostname(host, sizeof host - 1);
  for (i = 0; i < count; i++)
    entries[i].host = host;
  cortex_audit_options_get(reaping->settings, &options);
  if (cortex_audit_append_all(&options, entries, count, cortex_clock_system(), 0, &error) ==
      CORTEX_OK)
    return true;
  fail(reaping, &error);
  return false;
}

/* One that has its record goes without: only that it takes so long is left to say. */
static void note_recorded(struct doomed *doomed, const struct cortex_session_end *end,
                          int64_t now) {
  if (doomed->is_ended && now - end->told_at >= END_MAX)
    cli_complain(
        "session of %s on %s (pid %" PRId64 "): told to end %" PRId64
        " s ago and still there: look at the process, it may be stopped or wait for a disk",
        doomed->session.role, doomed->session.service, end->pid, now - end->told_at);
  doomed->is_ended = false;
}

/* Many records at a time: with fsync = yes each write waits for the disk. */
static bool record_ends(const struct cortex_session_end *ends, size_t count, void *context) {
  struct reaping *reaping = context;
  struct cortex_record *entries = calloc(CORTEX_AUDIT_BATCH, sizeof *entries);
  size_t used = 0, i;
  bool fine = entries != NULL;

  if (entries == NULL) {
    cli_complain("out of memory");
    reaping->failed = true;
  }
  for (i = 0; fine && i < count; i++) {
    if (ends[i].is_recorded)
      note_recorded(&reaping->doomed.items[i], &ends[i], reaping->now / 1000000);
    else if (ends[i].is_over)
      entries[used++] = doomed_record(&reaping->doomed.items[i]);
    if (used == CORTEX_AUDIT_BATCH || (used > 0 && i + 1 == count)) {
      fine = record(reaping, entries, used);
      used = 0;
    }
  }
  free(entries);
  return fine;
}

/* One that the server did not find may be gone by now, and who was told it is then not known. */
static bool is_over(const struct doomed *doomed) {
  return doomed->is_ended || doomed->fate == FATE_RECORD ||
         (doomed->fate == FATE_END && !is_alive(doomed->session.pid));
}

/*
 * Noted, told, recorded, in this order: who is killed between leaves the rest to the next round.
 * What cannot be noted is told and recorded all the same.
 */
static bool end_and_record(struct reaping *reaping, struct cortex_session_end *ends) {
  const struct cortex_clock *clock = cortex_clock_system();
  struct cortex_error error = CORTEX_ERROR_NONE;
  size_t count = reaping->doomed.count, i;
  bool is_noted =
      cortex_session_note_ends(reaping->settings, ends, count, clock, &error) == CORTEX_OK;

  if (!is_noted)
    fail(reaping, &error);
  if (!end_sessions(reaping))
    return false; /* which were told is not known: what is noted stays due */
  for (i = 0; i < count; i++)
    ends[i].is_over = is_over(&reaping->doomed.items[i]);
  if (!is_noted)
    (void)record_ends(ends, count, reaping);
  else if (cortex_session_record_ends(reaping->settings, ends, count, record_ends, reaping, clock,
                                      &error) != CORTEX_OK)
    fail(reaping, &error);
  for (i = 0; i < count; i++)
    if (reaping->doomed.items[i].fate == FATE_RECORD && ends[i].is_recorded)
      forget(reaping, reaping->doomed.items[i].session.pid);
  return true;
}

static bool end_doomed(struct reaping *reaping) {
  struct cortex_session_end *ends;
  bool fine;

  if (reaping->doomed.count == 0)
    return true;
  ends = doomed_list_ends(&reaping->doomed);
  if (ends == NULL) {
    cli_complain("out of memory");
    reaping->failed = true;
    return false;
  }
  fine = end_and_record(reaping, ends);
  free(ends);
  return fine;
}

static void tell(const struct reaping *reaping, const char *did) {
  size_t i;

  for (i = 0; i < reaping->doomed.count; i++) {
    const struct doomed *doomed = &reaping->doomed.items[i];

    if ((did != NULL ? doomed->fate == FATE_END : doomed->is_ended) &&
        !cli_has(reaping->cli, "quiet"))
      printf("%s session of %s on %s (pid %" PRId64 ", login %s): %s\n",
             did != NULL ? did : "ended", doomed->session.role, doomed->session.service,
             doomed->session.pid, doomed->session.reference, cortex_reason_name(doomed->reason));
  }
}

/* ---- what ended sessions leave behind ---- */

/* grant: what was revoked, and why; "": the role is cut, something depends on it; NULL: dropped. */
static void record_settled(struct reaping *reaping, const char *name, const char *grant,
                           const char *why) {
  bool is_cut = grant != NULL && grant[0] == '\0', is_revoked = grant != NULL && !is_cut;
  struct cortex_record entry = {
      .event = is_revoked ? CORTEX_EVENT_REVOKED
               : is_cut   ? CORTEX_EVENT_ROLE_CUT
                          : CORTEX_EVENT_ROLE_DROPPED,
      .role = name,
      .grant = is_revoked ? grant : NULL,
      .detail = is_cut ? "its last session has ended, and something depends on it" : why,
  };

  (void)record(reaping, &entry, 1);
  if (cli_has(reaping->cli, "quiet"))
    return;
  if (is_revoked)
    printf("revoked %s from %s\n", grant, name);
  else
    printf("%s %s\n", is_cut ? "cut" : "dropped", name);
}

static bool settle_by(struct reaping *reaping, const char *sql, const char *why) {
  PGresult *result;
  int row;

  if (!pg_send(reaping->pg, "BEGIN ISOLATION LEVEL READ COMMITTED", NULL, 0) ||
      !pg_send(reaping->pg, sql, NULL, 0) || !pg_send(reaping->pg, "COMMIT", NULL, 0) ||
      !pg_sync(reaping->pg) || !pg_skip(reaping->pg, 1))
    return false;
  result = pg_take(reaping->pg);
  if (result == NULL)
    return false;
  for (row = 0; row < PQntuples(result); row++)
    if (PQgetvalue(result, row, 2)[0] == 't')
      cli_complain(
          "a person made %s a member of %s, and a transaction holds that: it is taken back "
          "when this has ended",
          PQgetvalue(result, row, 0), PQgetvalue(result, row, 1));
    else
      record_settled(reaping, PQgetvalue(result, row, 0),
                     PQgetisnull(result, row, 1) ? NULL : PQgetvalue(result, row, 1), why);
  PQclear(result);
  return pg_skip(reaping->pg, 1) && pg_settle(reaping->pg);
}

/*
 * What people granted of their roles, as they can before 15, and as an upgrade to 15 keeps it;
 * while it is known who granted it, so before roles are dropped. Then memberships that no live
 * session was permitted any more, and roles of one level: that takes turns with logins, so it must
 * see what they have done meanwhile.
 */
static bool settle_once(struct reaping *reaping) {
  return (pg_version(reaping->pg) >= 160000 ||
          settle_by(reaping, "SELECT name, role, is_held FROM cortex.settle_own_grants()",
                    "a person granted it, which only the policy may")) &&
         settle_by(reaping, "SELECT name, role, false FROM cortex.settle_logins()",
                   "its last session has ended");
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

/* No fault of the round: the notes end by themselves. */
static void distrust(struct reaping *reaping) {
  struct cortex_error error = CORTEX_ERROR_NONE;

  if (!dropped_distrust(&reaping->dropped, reaping->settings, reaping->pg, &error))
    cli_complain("database: %s", pg_message(reaping->pg));
  else if (error.reason != CORTEX_OK)
    cli_complain_error(&error);
}

static bool reap(struct reaping *reaping) {
  struct cortex_error error = CORTEX_ERROR_NONE;

  if (!ask_server(reaping) || !require_sight(reaping) ||
      (reaping->sight.has_extension && !ask_leavers(reaping)))
    return false;
  if (cortex_session_due_ends(reaping->settings, &reaping->due, &reaping->due_count, &error) !=
      CORTEX_OK)
    fail(reaping, &error);
  if (cortex_session_each(reaping->settings, visit, reaping, &error) != CORTEX_OK) {
    fail(reaping, &error);
    return false;
  }
  if (cli_has(reaping->cli, "check")) {
    tell(reaping, "would end");
    return true;
  }
  if (!end_doomed(reaping))
    return false;
  tell(reaping, NULL);
  if (reaping->sight.has_extension && !settle(reaping))
    return false;
  distrust(reaping);
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
  doomed_clear(&reaping->doomed);
  dropped_clear(&reaping->dropped);
  free(reaping->due);
  PQclear(reaping->leavers);
  notice_clear(&reaping->notice);
  cortex_policy_free(&reaping->policy);
  cortex_settings_free(&reaping->settings);
}

/* The connection stays for the next round: by then somebody may hold every other one. */
static enum cli_exit round_once(const struct cli *cli, struct pg **pg) {
  const struct cortex_clock *clock = cortex_clock_system();
  struct reaping reaping = {.cli = cli, .pg = *pg, .now = clock->now(clock)};
  enum cli_exit exit = load(&reaping);

  if (exit == CLI_DONE && reap(&reaping))
    mark(&reaping);
  if (exit == CLI_DONE && reaping.failed)
    exit = CLI_OUTSIDE;
  else if (exit == CLI_DONE && cli_has(cli, "check") && reaping.doomed.ends > 0)
    exit = CLI_NO;
  *pg = reaping.pg;
  clear(&reaping);
  return exit;
}

/* A configuration that is being edited ends no watch: that would let everybody's sessions go on. */
enum cli_exit reap_run(const struct cli *cli) {
  const struct timespec pause = {WATCH_PAUSE, 0};
  struct pg *pg = NULL;
  enum cli_exit exit = round_once(cli, &pg);

  while (cli_has(cli, "watch") && exit != CLI_USAGE) {
    fflush(stdout);
    nanosleep(&pause, NULL);
    (void)round_once(cli, &pg);
  }
  pg_close(&pg);
  return exit;
}
