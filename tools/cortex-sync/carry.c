/*
 * Carrying out a plan: in one transaction, or in as few as the server has room for.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "carry.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "circle.h"
#include "ending.h"
#include "holder.h"
#include "parts.h"
#include "progress.h"

/* Below so many roles no server is too small. */
#define PARTS_NEVER 500

/* One for each thing that may be in the way. */
#define TRIES 3

static enum cli_exit hang_up(const char *what) {
  cli_complain("%s; nothing was changed", what);
  return CLI_OUTSIDE;
}

static enum cli_exit judge_record(const struct sync *sync, enum cortex_reason reason,
                                  const struct cortex_error *error) {
  if (reason == CORTEX_OK)
    return CLI_DONE;
  cli_complain_error(error);
  return sync_needs_record(sync) ? CLI_OUTSIDE : CLI_DONE;
}

/* ---- one transaction ---- */

static enum cli_exit commit(struct sync *sync, const struct plan *part, bool is_last) {
  const struct record_run *run = &sync->record;
  const size_t before = sync->ended.count;
  struct cortex_error error = CORTEX_ERROR_NONE;
  enum cortex_reason reason = record_plan(run, &sync->model, part, &error);
  enum cli_exit exit = judge_record(sync, reason, &error);
  struct ended_list ended;
  struct ending ending;

  if (exit != CLI_DONE)
    return hang_up("the changes could not be recorded");
  ending_note(sync, part, &ending);
  if (!apply_commit(sync->pg, &sync->model, part, is_last ? run->policy_digest : NULL,
                    &sync->ended)) {
    exit = sync_complain(sync);
    if (pg_lost(sync->pg))
      cli_complain("whether the changes were made is not known: run again to see what is left");
    reason = record_undone(run, "changes to roles", NULL, !pg_lost(sync->pg), &error);
    judge_record(sync, reason, &error);
    ending_clear(&ending); /* what was told all the same stays noted, for the reaper to record */
    return exit;
  }
  sync->transactions++;
  sync->is_applied = is_last;
  if (!apply_end_again(sync->pg, &sync->model, part, &sync->ended)) {
    exit = sync_complain(sync);
    cli_complain("the changes were made; sessions that began meanwhile may go on");
  }
  ended = (struct ended_list){sync->ended.items + before, sync->ended.count - before};
  reason = ending_record(sync, &ending, &ended, &error);
  ending_clear(&ending);
  return judge_record(sync, reason, &error) == CLI_DONE ? exit : CLI_OUTSIDE;
}

static enum cli_exit carry_part(struct sync *sync, const struct plan *part, bool is_last) {
  if (!apply_changes(sync->pg, &sync->model, part))
    return sync_complain(sync);
  if (pg_warning(sync->pg) != NULL)
    return hang_up(pg_warning(sync->pg));
  return commit(sync, part, is_last);
}

/* ---- several ---- */

static enum cli_exit carry_parts(struct sync *sync, const struct parts *parts) {
  enum cli_exit exit = CLI_DONE;
  size_t i, count = parts_count(parts);

  for (i = 0; exit == CLI_DONE && i < count; i++) {
    struct plan part;

    progress_say("cortex-sync: transaction %zu of %zu", i + 1, count);
    parts_get(parts, i, &part);
    exit = part.failed ? hang_up("out of memory") : carry_part(sync, &part, i + 1 == count);
    plan_clear(&part);
    if (exit != CLI_DONE)
      cli_complain("transaction %zu of %zu failed: those before it are done, run again for the "
                   "rest",
                   i + 1, count);
  }
  return exit;
}

/* Room of the server's lock table; -1 when it does not say. */
static int64_t ask_room(struct sync *sync) {
  int64_t room = -1;
  PGresult *result;

  if (!pg_send(sync->pg,
               "SELECT current_setting('max_locks_per_transaction')::bigint * "
               "(current_setting('max_connections')::bigint + "
               "current_setting('max_prepared_transactions')::bigint)",
               NULL, 0) ||
      !pg_sync(sync->pg))
    return -1;
  result = pg_take(sync->pg);
  if (result != NULL)
    room = strtoll(PQgetvalue(result, 0, 0), NULL, 10);
  PQclear(result);
  return pg_settle(sync->pg) ? room : -1;
}

static enum cli_exit carry_all(struct sync *sync) {
  size_t locks = parts_locks(&sync->model, &sync->plan, pg_version(sync->pg));
  struct parts parts;
  enum cli_exit exit;
  int64_t room;

  if (locks < PARTS_NEVER)
    return carry_part(sync, &sync->plan, true);
  room = ask_room(sync);
  if (room < 0)
    return sync_complain(sync);
  if (locks <= (size_t)room)
    return carry_part(sync, &sync->plan, true);
  if (!parts_init(&sync->model, &sync->plan, (size_t)room, &parts))
    return hang_up("out of memory");
  cli_complain("the changes need %zu locks and the server has room for %" PRId64
               ": they are made in %zu transactions, what takes away first",
               locks, room, parts_count(&parts));
  exit = carry_parts(sync, &parts);
  parts_clear(&parts);
  return exit;
}

/* ---- what must not wait ---- */

static bool must_not_wait(const struct plan *plan) {
  return plan->cut.count + plan->revoke.count > 0;
}

static bool gives(const struct plan *plan) {
  return plan->groups.count + plan->logins.count + plan->grant.count + plan->attributes.count +
             plan->restore.count + plan->adopt.count + plan->people.count + plan->note.count >
         0;
}

/* Another start, for the transaction has failed and the cluster may have changed. */
static enum cli_exit plan_anew(struct sync *sync) {
  enum cli_exit exit = sync_connect(sync);

  if (exit != CLI_DONE)
    return exit;
  sync->record.database = pg_database(sync->pg); /* the other connection's is gone */
  plan_clear(&sync->plan);
  plan_make(&sync->model, &sync->plan);
  return sync->plan.failed ? hang_up("out of memory") : CLI_DONE;
}

static enum cli_exit carry_losses(struct sync *sync) {
  struct plan losses;
  enum cli_exit exit = plan_anew(sync);

  if (exit != CLI_DONE)
    return exit;
  parts_losses(&sync->model, &sync->plan, &losses);
  if (losses.failed)
    exit = hang_up("out of memory");
  else if (must_not_wait(&losses) &&
           valve_check(&sync->model, &losses, sync->allowed, &sync->valve))
    exit = carry_part(sync, &losses, false);
  if (exit == CLI_DONE && must_not_wait(&losses))
    cli_complain("what takes away was done all the same; what gives was not");
  plan_clear(&losses);
  return exit;
}

/* ---- beside others ---- */

static enum cli_exit carry_whole(struct sync *sync) {
  if (!plan_is_empty(&sync->plan))
    return carry_all(sync);
  return apply_nothing(sync->pg, sync->record.policy_digest) ? CLI_DONE : sync_complain(sync);
}

/* A session may hold what the change of its own role needs: a password that is not committed. */
static bool is_held(const struct sync *sync) {
  return sync->transactions == 0 && holder_matters(&sync->plan) &&
         strcmp(pg_sqlstate(sync->pg), "55P03") == 0;
}

/* A group is a member of somebody who should be in it. */
static bool is_circular(const struct sync *sync) {
  return sync->transactions == 0 && sync->plan.grant.count > 0 &&
         strcmp(pg_sqlstate(sync->pg), "0LP01") == 0;
}

static bool is_beside_others(const struct sync *sync) {
  return is_held(sync) || is_circular(sync) ||
         (sync->transactions == 0 && pg_is_overtaken(sync->pg));
}

/* Whom the plan takes something from: their sessions end in any case. */
static enum cli_exit end_first(struct sync *sync) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  enum cli_exit exit = CLI_DONE;
  struct ending ending;

  ending_note(sync, &sync->plan, &ending);
  if (!apply_end_again(sync->pg, &sync->model, &sync->plan, &sync->ended))
    exit = sync_complain(sync);
  else
    exit = judge_record(sync, ending_record(sync, &ending, &sync->ended, &error), &error);
  ending_clear(&ending);
  return exit;
}

static enum cli_exit weigh_anew(struct sync *sync) {
  enum cli_exit exit = plan_anew(sync);

  sync->is_refused =
      exit == CLI_DONE && !valve_check(&sync->model, &sync->plan, sync->allowed, &sync->valve);
  return exit;
}

/* Whoever is held all the same is left out: one of them would keep everybody else waiting. */
static enum cli_exit free_held(struct sync *sync) {
  enum cli_exit exit = end_first(sync);
  bool found;

  if (exit != CLI_DONE)
    return exit;
  if (!holder_find(sync, &found))
    return sync_complain(sync);
  return found ? weigh_anew(sync) : CLI_DONE;
}

/* So is who can be given nothing. */
static enum cli_exit free_circle(struct sync *sync) {
  return circle_find(sync) ? weigh_anew(sync) : sync_complain(sync);
}

static enum cli_exit carry_again(struct sync *sync) {
  const bool held = is_held(sync), circular = is_circular(sync);
  enum cli_exit exit;

  cli_complain(held ? "somebody holds what the changes need: ending the sessions that are to end "
                      "first, and reading the roles again"
               : circular
                   ? "memberships would go in a circle: reading the roles again, to leave out whose"
                   : "somebody else changes roles at the same time: reading them again");
  exit = weigh_anew(sync);
  if (exit == CLI_DONE && held && !sync->is_refused)
    exit = free_held(sync);
  if (exit == CLI_DONE && circular && !sync->is_refused)
    exit = free_circle(sync);
  return exit == CLI_DONE && !sync->is_refused ? carry_whole(sync) : exit;
}

/* ---- what logins believe ---- */

static bool is_ended(const char *role, void *context) {
  const struct sync *sync = context;
  uint32_t number = names_find(&sync->model.names, role, strlen(role));
  size_t i;

  for (i = 0; i < sync->plan.end.count; i++)
    if (sync->plan.end.items[i] == number)
      return true;
  return false;
}

/*
 * Logins note for some minutes that a role holds what it should. Of a role that has lost something
 * that is no longer so. Where it cannot be said, the notes end by themselves.
 */
static void distrust_notes(struct sync *sync) {
  const char *jit = cortex_settings_value(sync->settings, "roles", "jit");
  struct cortex_error error = CORTEX_ERROR_NONE;

  if (jit == NULL || strcmp(jit, "yes") != 0 || sync->plan.end.count == 0)
    return;
  if (cortex_session_distrust(sync->settings, is_ended, sync, &error) != CORTEX_OK)
    cli_complain_error(&error);
}

enum cli_exit carry_out(struct sync *sync) {
  enum cli_exit exit = carry_whole(sync);
  int tries;

  for (tries = 0; exit != CLI_DONE && tries < TRIES && is_beside_others(sync); tries++)
    exit = carry_again(sync);
  if (exit != CLI_DONE && sync->transactions == 0 && gives(&sync->plan) &&
      must_not_wait(&sync->plan) && pg_failed(sync->pg))
    carry_losses(sync);
  distrust_notes(sync);
  return exit;
}
