/*
 * cortex-sync: brings roles and memberships in line with the policy.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "attributes.h"
#include "carry.h"
#include "clusters.h"
#include "print.h"
#include "progress.h"
#include "reap.h"
#include "script.h"
#include "state.h"
#include "sync.h"

#define LOCK_TIMEOUT 10 /* seconds */
#define LOCK_TRIES 5    /* a fifth of a second apart */

/* Bytes; the C library takes no more. */
#define MEMORY_KEPT (32 << 20)

static const char *setting(const struct sync *sync, const char *key) {
  return cortex_settings_value(sync->settings, "sync", key);
}

/* ---- reading ---- */

static enum cli_exit complain_input(const struct cortex_error *error, enum cortex_reason reason) {
  cli_complain_error(error);
  return reason == CORTEX_INTERNAL ? CLI_OUTSIDE : CLI_USAGE;
}

static enum cli_exit load(struct sync *sync) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  const char *config = cli_value(sync->cli, "config");
  enum cortex_reason reason =
      cortex_settings_load(config != NULL ? config : CONFIG_DEFAULT, &sync->settings, &error);

  if (reason == CORTEX_OK)
    reason = cortex_policy_load(sync->settings, &sync->policy, &error);
  if (reason != CORTEX_OK)
    return complain_input(&error, reason);
  return sources_list(sync->settings, &sync->sources) ? CLI_DONE : CLI_OUTSIDE;
}

/* The database works on the answers while the directory is read. */
static bool ask(struct sync *sync) {
  struct pg_setup setup = {.conninfo = sync->conninfo,
                           .program = "cortex-sync",
                           .statement_timeout = sync->timeout,
                           .lock_timeout = LOCK_TIMEOUT};

  pg_close(&sync->pg);
  return pg_open(&setup, &sync->pg) && state_ask(sync->pg, cli_has(sync->cli, "apply")) &&
         pg_sync(sync->pg);
}

static bool is_locked(const struct sync *sync) {
  return pg_failed(sync->pg) && strcmp(pg_sqlstate(sync->pg), "55P03") == 0;
}

enum cli_exit sync_complain(const struct sync *sync) {
  cli_complain("%s%s%sdatabase: %s%s", sync->name != NULL ? "cluster " : "",
               sync->name != NULL ? sync->name : "", sync->name != NULL ? ": " : "",
               pg_message(sync->pg), pg_hint(sync->pg));
  return CLI_OUTSIDE;
}

/* A run that has just ended may still hold the lock for the moment that its backend needs to go. */
static enum cli_exit take_state(struct sync *sync) {
  const struct timespec moment = {0, 200 * 1000 * 1000};
  bool fine = state_take(sync->pg, &sync->model);
  int tries;

  for (tries = 0; !fine && is_locked(sync); tries++) {
    if (tries == LOCK_TRIES && !cli_has(sync->cli, "wait"))
      break;
    nanosleep(&moment, NULL);
    fine = ask(sync) && state_take(sync->pg, &sync->model);
    tries -= tries == LOCK_TRIES;
  }
  if (!fine || !pg_settle(sync->pg) || !attributes_read(sync->pg, &sync->model)) {
    (void)sync_complain(sync);
    return is_locked(sync) ? SYNC_ACTIVE : CLI_OUTSIDE;
  }
  if (pg_warning(sync->pg) != NULL)
    cli_complain("database: %s", pg_warning(sync->pg));
  pg_forget_warning(sync->pg);
  return CLI_DONE;
}

enum cli_exit sync_connect(struct sync *sync) {
  return ask(sync) ? take_state(sync) : sync_complain(sync);
}

static enum cli_exit read_wanted(struct sync *sync) {
  struct wanted_from from = {sync->settings, sync->policy, &sync->sources,
                             sync->cluster,  sync->name,   sync->pg};
  struct cortex_error error = CORTEX_ERROR_NONE;
  enum wanted_state state = wanted_read(&from, &sync->model, &error);

  sync->model.adopts = cli_has(sync->cli, "adopt");
  sync->is_incomplete = state == WANTED_INCOMPLETE;
  if (state <= WANTED_INCOMPLETE)
    return CLI_DONE;
  cli_complain_error(&error);
  return state == WANTED_BAD ? CLI_USAGE : CLI_OUTSIDE;
}

/* ---- applying ---- */

/* What could not be recorded is not done, unless the operator asks no records. */
bool sync_needs_record(const struct sync *sync) {
  const char *required = cortex_settings_value(sync->settings, "audit", "required");

  return required == NULL || strcmp(required, "no") != 0;
}

/* What all records of a run have in common. */
static bool prepare_record(struct sync *sync) {
  sync->record = (struct record_run){.options = &sync->audit,
                                     .host = sync->host,
                                     .database = pg_database(sync->pg),
                                     .policy_digest = cortex_policy_digest(sync->policy)};
  cortex_audit_options_get(sync->settings, &sync->audit);
  gethostname(sync->host, sizeof sync->host - 1);
  return record_reference(sync->record.reference);
}

static enum cli_exit run_objects(struct sync *sync) {
  sync->objects = (struct objects){
      .run = {.settings = sync->settings,
              .policy = sync->policy,
              .label = sync->name,
              .cluster = sync->cluster,
              .conninfo = sync->conninfo,
              .timeout = sync->timeout,
              .strict = cli_has(sync->cli, "strict"),
              .allowed = sync->allowed},
      .record = &sync->record,
      .needs_record = sync_needs_record(sync)};
  return objects_run(&sync->objects, &sync->model, setting(sync, "leaver_grace"), sync->pg,
                     cli_has(sync->cli, "apply") && !sync->is_refused);
}

/* ---- the run ---- */

static enum cli_exit make_plan(struct sync *sync) {
  progress_say("cortex-sync: comparing %zu people", sync->model.people);
  plan_make(&sync->model, &sync->plan);
  if (sync->plan.failed) {
    cli_complain("out of memory");
    return CLI_OUTSIDE;
  }
  sync->has_plan = true;
  sync->is_refused = !valve_check(&sync->model, &sync->plan, sync->allowed, &sync->valve);
  return CLI_DONE;
}

static enum cli_exit report(struct sync *sync, enum cli_exit exit) {
  const struct print_result result = {&sync->model,     &sync->plan,      &sync->valve,
                                      sync->is_refused, sync->is_applied, &sync->ended,
                                      sync->name,       &sync->objects,   sync->transactions};
  bool printed = cli_has(sync->cli, "json")  ? print_json(&result)
                 : cli_has(sync->cli, "sql") ? script_print(&sync->model, &sync->plan,
                                                            &sync->objects, sync->record.database,
                                                            sync->record.policy_digest)
                                             : print_text(&result, cli_has(sync->cli, "quiet"));

  sync->is_reported = true;
  if (exit != CLI_DONE || !printed)
    return printed ? exit : CLI_OUTSIDE;
  if (sync->is_refused || objects_are_refused(&sync->objects))
    return SYNC_REFUSED;
  if (cli_has(sync->cli, "check") &&
      !(plan_is_empty(&sync->plan) && objects_are_in_sync(&sync->objects)))
    return CLI_NO;
  return sync->model.rejections.count + sync->plan.refused.count +
                     objects_rejected(&sync->objects) >
                 0
             ? SYNC_REJECTED
             : CLI_DONE;
}

/* It gets the primary's roles. No fault of the run: timers may run on both, and whoever is promoted
 * goes on by its own. */
static enum cli_exit report_standby(struct sync *sync) {
  bool printed = cli_has(sync->cli, "json")
                     ? print_json_standby(sync->name)
                     : print_standby(sync->name, cli_has(sync->cli, "quiet"));

  progress_end();
  sync->is_reported = true;
  return printed ? CLI_DONE : CLI_OUTSIDE;
}

/* One that could not be reached is not tried again: the others would wait as long once more. */
static enum cli_exit go(struct sync *sync) {
  bool asked;
  enum cli_exit exit;

  progress_say("cortex-sync: reading directories");
  asked = sync->pg == NULL && ask(sync);
  if (asked && cli_has(sync->cli, "apply") && pg_is_standby(sync->pg))
    return report_standby(sync);
  exit = read_wanted(sync);
  progress_end();

  if (exit != CLI_DONE)
    return exit;
  if (!asked)
    return sync_complain(sync);
  exit = take_state(sync);
  if (exit == CLI_DONE)
    exit = make_plan(sync);
  if (exit != CLI_DONE)
    return exit;
  if (!prepare_record(sync))
    cli_complain("the system gives no random bytes");
  if (sync->record.reference[0] == '\0')
    return CLI_OUTSIDE;
  progress_say("cortex-sync: changing roles");
  if (cli_has(sync->cli, "apply") && !sync->is_refused)
    exit = carry_out(sync);
  progress_say("cortex-sync: looking at databases");
  if (exit == CLI_DONE)
    exit = run_objects(sync);
  progress_end();
  exit = report(sync, exit);
  return sync->is_incomplete && exit != SYNC_REFUSED ? CLI_OUTSIDE : exit;
}

/* What is left after the run. */
static void put_drift(const struct sync *sync, struct metrics_row *row) {
  const struct plan *plan = &sync->plan;
  const size_t counts[METRICS_KINDS] = {plan->groups.count + plan->logins.count,
                                        plan->restore.count,
                                        plan->cut.count,
                                        plan->grant.count,
                                        plan->revoke.count + plan->cut_edges.count,
                                        plan->attributes.count,
                                        0,
                                        0};

  if (!sync->is_applied)
    memcpy(row->drift, counts, sizeof counts);
  row->drift[METRICS_PRIVILEGE] = objects_left(&sync->objects, &row->extra);
  row->drift[METRICS_DROP] = leavers_left(&sync->objects.leavers);
}

static bool put_metrics(struct sync *sync, enum cli_exit exit) {
  struct metrics_row *items =
      realloc(sync->metrics.items, (sync->metrics.count + 1) * sizeof *items);

  if (items == NULL)
    return false;
  sync->metrics.items = items;
  items += sync->metrics.count++;
  *items = (struct metrics_row){
      .cluster = sync->name != NULL ? sync->name : "",
      .exit = (int)exit,
      .is_success = exit == CLI_DONE || exit == SYNC_REJECTED,
      .is_refused = sync->is_refused || objects_are_refused(&sync->objects),
      .is_incomplete = sync->is_incomplete,
      .has_plan = sync->has_plan,
      .people = sync->model.people,
      .rejected = sync->model.rejections.count + sync->plan.refused.count +
                  objects_rejected(&sync->objects),
      .removals = plan_removals(&sync->plan)};
  put_drift(sync, items);
  return true;
}

/* Whose plan is right for the server nobody can tell: neither is made. */
static enum cli_exit complain_twin(const struct sync *sync, const struct cluster *cluster,
                                   const struct cluster *twin) {
  cli_complain("%s:%u: [cluster \"%s\"] reaches the same server as [cluster \"%s\"] (line %u): "
               "each would take away what the other gives. Set conninfo right, or make one section "
               "of both",
               cli_value_or(sync->cli, "config", CONFIG_DEFAULT),
               cortex_section_line(cluster->section, "conninfo"),
               cortex_section_label(cluster->section), cortex_section_label(twin->section),
               cortex_section_line(twin->section, "conninfo"));
  return CLI_USAGE;
}

/* One cluster, from nothing to nothing; twin: another section that reaches its server, or NULL. */
static enum cli_exit run_cluster(struct sync *sync, const struct cluster *cluster,
                                 const struct cluster *twin) {
  enum cli_exit exit = CLI_OUTSIDE;

  if (model_init(&sync->model))
    exit = twin != NULL ? complain_twin(sync, cluster, twin) : go(sync);
  progress_end();
  if (cli_has(sync->cli, "json") && !sync->is_reported &&
      !print_json_failure(sync->name, (int)exit))
    exit = CLI_OUTSIDE;
  if (!put_metrics(sync, exit))
    exit = CLI_OUTSIDE;

  free(sync->ended.items);
  sync->ended = (struct ended_list){0};
  sync->is_applied = sync->is_refused = sync->is_incomplete = sync->has_plan = sync->is_reported =
      false;
  sync->transactions = 0;
  objects_clear(&sync->objects);
  plan_clear(&sync->plan);
  model_clear(&sync->model);
  pg_close(&sync->pg);
  return exit;
}

/* What is worse for an operator: nothing done, refused, waiting, wrong, partly, differing. */
static int weight_of(enum cli_exit exit) {
  static const enum cli_exit order[] = {CLI_DONE,     CLI_NO,      SYNC_REJECTED, SYNC_ACTIVE,
                                        SYNC_REFUSED, CLI_OUTSIDE, CLI_USAGE};
  size_t i;

  for (i = 0; i < sizeof order / sizeof order[0]; i++)
    if (order[i] == exit)
      break;
  return (int)i;
}

/* Each [cluster]: one that fails does not keep the others waiting. */
static enum cli_exit run_each(struct sync *sync, const struct cluster_list *clusters) {
  enum cli_exit worst = CLI_DONE, exit;
  size_t i;

  for (i = 0; i < clusters->count; i++) {
    struct cluster *cluster = &clusters->items[i];

    sync->name = cortex_section_label(cluster->section);
    sync->conninfo = cortex_section_value(cluster->section, "conninfo");
    sync->cluster = cortex_section_value(cluster->section, "cluster");
    sync->pg = cluster->failed;
    cluster->failed = NULL;
    exit = run_cluster(sync, cluster, clusters_twin(clusters, cluster));
    worst = weight_of(exit) > weight_of(worst) ? exit : worst;
  }
  return worst;
}

static enum cli_exit run_clusters(struct sync *sync) {
  struct cluster_list clusters;
  enum cli_exit exit = CLI_USAGE;

  if (!clusters_list(sync->settings, sync->timeout, &clusters)) {
    cli_complain("out of memory");
    return CLI_OUTSIDE;
  }
  sync->conninfo = setting(sync, "conninfo");
  sync->cluster = setting(sync, "cluster");
  if (clusters.count > 0)
    exit = run_each(sync, &clusters);
  else if (sync->conninfo != NULL)
    exit = run_cluster(sync, NULL, NULL);
  else
    cli_complain("[sync] conninfo is missing: it says which cluster to bring in line");
  clusters_clear(&clusters);
  return exit;
}

static enum cli_exit run(const struct cli *cli) {
  struct sync sync = {.cli = cli, .allowed = VALVE_NOT_GIVEN};
  enum cli_exit exit;

  if (cli_has(cli, "apply") && cli_has(cli, "check"))
    return cli_misuse(cli, "--apply and --check exclude each other");
  if (cli_has(cli, "apply") && cli_has(cli, "reap"))
    return cli_misuse(cli, "--apply and --reap exclude each other");
  if (cli_has(cli, "sql") && (cli_has(cli, "apply") || cli_has(cli, "json") || cli_has(cli, "reap")))
    return cli_misuse(cli, "--sql prints a plan: it goes without --apply, --json and --reap");
  if (cli_has(cli, "watch") && !cli_has(cli, "reap"))
    return cli_misuse(cli, "--watch goes with --reap");
  if (cli_has(cli, "reap"))
    return reap_run(cli);
  if (!cli_number(cli, "allow-removals", 0, INT32_MAX, &sync.allowed))
    return CLI_USAGE;
  exit = load(&sync);
  if (exit == CLI_DONE && !cortex_duration_parse(setting(&sync, "timeout"), &sync.timeout))
    sync.timeout = 60;
  if (exit == CLI_DONE)
    exit = run_clusters(&sync);
  if (cli_has(cli, "metrics") && sync.metrics.count > 0 &&
      !metrics_write(cli_value(cli, "metrics"), &sync.metrics, (int64_t)time(NULL)))
    exit = CLI_OUTSIDE;
  free(sync.metrics.items);
  free(sync.sources.items);
  cortex_policy_free(&sync.policy);
  cortex_settings_free(&sync.settings);
  return exit;
}

int main(int argc, char **argv) {
  static const struct cli_option options[] = {
      {"config", "FILE", "configuration (" CONFIG_DEFAULT ")", false, false},
      {"apply", NULL, "make the changes; without it they are only shown", false, false},
      {"check", NULL, "change nothing; exit 1 where something differs", false, false},
      {"allow-removals", "N", "let this run take away up to N logins and memberships", false,
       false},
      {"strict", NULL, "revoke privileges of group roles that no rule says", false, false},
      {"adopt", NULL, "take over roles of people that somebody else made", false, false},
      {"wait", NULL, "wait for another run to end", false, false},
      {"reap", NULL, "end sessions that are over, revoked or no longer permitted", false, false},
      {"watch", NULL, "with --reap: go on, a round every ten seconds", false, false},
      {"json", NULL, "print one JSON object", false, false},
      {"sql", NULL, "print the plan as a script for psql, to be looked at and run", false, false},
      {"metrics", "FILE", "write what was found for Prometheus' textfile collector", false, false},
      {"quiet", NULL, "print no line for each change", false, false},
      {0},
  };
  static const struct cli_verb verb = {
      "", "", 0, 0, "bring roles and memberships in line with the policy", options, run};
  static const struct cli_verb *const verbs[] = {&verb, NULL};
  static const struct cli_program program = {"cortex-sync", "cortex-sync(8)",
                                             "Bring roles and memberships in line with the policy",
                                             verbs};

  /* Lists of megabytes come and go: a page that is kept is none to get anew. */
  mallopt(M_MMAP_THRESHOLD, MEMORY_KEPT);
  mallopt(M_TRIM_THRESHOLD, 2 * MEMORY_KEPT);
  /* Who stops reading what is printed stops neither the work nor its records. */
  signal(SIGPIPE, SIG_IGN);
  return cli_main(&program, argc, argv);
}
