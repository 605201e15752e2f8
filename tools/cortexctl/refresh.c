/*
 * Keeping issuers' keys in the cache fresh: when each is fetched, and what becomes of the answer.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "refresh.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <cortexauth/clock.h>
#include <cortexauth/state.h>

#include "common/cli.h"
#include "cortexctl.h"
#include "refresh_kind.h"
#include "refresh_state.h"
#include "requests.h"

#define ASK_NS INT64_C(10000000000) /* an issuer's documents together */
#define DEFAULT_INTERVAL 900        /* of an issuer that states no age */
#define BACKOFF_MAX 900             /* an issuer that is back is noticed by then */
#define AT_ONCE 16 /* issuers asked at a time: more would wait for each other within their deadlines */
#define IDLE_MS 60000
#define IMAGE_TRIES 5     /* a second apart: its sources settle within three */
#define IMAGE_HOLD_MAX 60 /* seconds that a request in vain stays */
#define LOOK_MS 1000 /* between looks for requests where they cannot be watched */

enum step { STEP_IDLE, STEP_POINTER, STEP_DOCUMENT };

/* One issuer. */
struct job {
  const struct cortex_issuer *issuer;
  const struct refresh_kind *kind;
  struct cache_place place;
  struct refresh_state state;
  enum step step;
  char *url;
  int64_t deadline;
  int64_t asked;   /* when this attempt began */
  int64_t max_age; /* the shortest that its answers stated */
  struct fetch_result result;
  bool is_seen; /* of REFRESH_ONCE: it has had its turn */
  bool was_run;
  bool has_failed;
};

struct run {
  const struct cortex_settings *settings;
  const struct refresh_options *options;
  struct fetch_pool *pool;
  struct requests requests;
  bool is_tidy; /* all that lies among them is a request */
  struct job *jobs;
  size_t count;
  size_t active;
  int64_t image_at;  /* a request for the policy image is not looked at before */
  unsigned image_tries;
  int64_t stale, min_refresh, max_refresh;
};

static int64_t real_now(void) {
  const struct cortex_clock *clock = cortex_clock_system();

  return clock->now(clock) / 1000000;
}

/* ---- when ---- */

static int64_t at_most(int64_t value, int64_t bound) {
  return value < bound ? value : bound;
}

static int64_t at_least(int64_t value, int64_t bound) {
  return value > bound ? value : bound;
}

/* A part of a tenth at random, so that hosts do not ask in step. */
static int64_t jitter(int64_t seconds) {
  uint32_t random = 0;

  if (getrandom(&random, sizeof random, GRND_NONBLOCK) != (ssize_t)sizeof random)
    return 0;
  return seconds / 10 * (random % 1000) / 1000;
}

/* How long an answer is taken as fresh; within the operator's bounds, and well before it is stale. */
static int64_t interval(const struct run *run, int64_t max_age) {
  int64_t seconds = max_age == FETCH_AGE_UNKNOWN ? DEFAULT_INTERVAL : max_age;

  seconds = at_most(at_most(seconds, run->max_refresh), run->stale / 2);
  return at_least(at_least(seconds, run->min_refresh), 1);
}

static int64_t backoff(const struct run *run, int64_t failures) {
  int64_t seconds = at_least(run->min_refresh, 1), bound = at_most(BACKOFF_MAX, run->max_refresh);

  while (--failures > 0 && seconds < bound)
    seconds *= 2;
  seconds = at_least(at_most(seconds, bound), 1);
  return seconds + jitter(seconds);
}

static bool is_held(const struct run *run, const struct job *job, int64_t now) {
  struct refresh_found found;

  return job->kind->look(run->settings, job->issuer, now, &found, NULL) == CORTEX_OK &&
         found.count.usable > 0;
}

/* A time far ahead is from a clock that was wrong. */
static bool is_past(const struct run *run, int64_t time, int64_t now) {
  return time <= now || time > now + at_least(run->max_refresh, BACKOFF_MAX) * 2;
}

static bool is_fresh(const struct run *run, const struct job *job, int64_t now) {
  return !is_past(run, job->state.fresh_until, now) && is_held(run, job, now);
}

static bool is_due(const struct run *run, const struct job *job, int64_t now) {
  return is_past(run, job->state.next, now) ||
         (job->state.failures == 0 && !is_held(run, job, now));
}

/* Requests of one issuer are served once in min_refresh, whatever was fetched in between. */
static int64_t request_at(const struct run *run, const struct job *job, int64_t now) {
  int64_t at = job->state.requested + run->min_refresh;

  return job->state.requested > now ? now : at;
}

/* ---- one issuer ---- */

static void save(const struct job *job) {
  if (!refresh_state_save(&job->place, &job->state))
    cli_complain("%s: %s.refresh.json: %s", job->place.folder, job->place.label, strerror(errno));
}

static void end(struct run *run, struct job *job) {
  fetch_result_clear(&job->result);
  free(job->url);
  job->url = NULL;
  job->step = STEP_IDLE;
  job->was_run = true;
  run->active--;
}

static void fail(struct run *run, struct job *job, const char *why) {
  int64_t now = real_now();

  job->state.failures++;
  job->state.failed = now;
  job->state.next = now + backoff(run, job->state.failures);
  snprintf(job->state.error, sizeof job->state.error, "%s", why);
  job->has_failed = true;
  save(job);
  cli_complain("%s: %s", job->place.label, why);
  end(run, job);
}

static void succeed(struct run *run, struct job *job, const char *what) {
  int64_t now = real_now(), seconds = interval(run, job->max_age);

  job->state.asked = job->asked;
  job->state.fresh_until = job->max_age == FETCH_AGE_UNKNOWN ? 0 : now + seconds;
  job->state.next = now + at_least(seconds - jitter(seconds), run->min_refresh);
  job->state.failed = 0;
  job->state.failures = 0;
  *job->state.error = '\0';
  job->has_failed = false;
  save(job);
  printf("%s: %s, next refresh in %" PRId64 " s\n", job->place.label, what, seconds);
  fflush(stdout);
  end(run, job);
}

/* Another refresh may have had a later answer meanwhile: that one stays. */
static bool is_overtaken(const struct job *job) {
  struct refresh_state saved;

  refresh_state_load(&job->place, &saved);
  return saved.asked > job->asked;
}

static bool store(const struct job *job, const struct refresh_product *product) {
  size_t i;

  for (i = 0; i < product->count; i++)
    if (!cache_file_write(&job->place, product->files[i].suffix, product->files[i].bytes,
                          product->files[i].len))
      return false;
  return true;
}

/* The shortest that was stated holds. */
static void note_age(struct job *job, int64_t age) {
  if (age != FETCH_AGE_UNKNOWN && (job->max_age == FETCH_AGE_UNKNOWN || age < job->max_age))
    job->max_age = age;
}

static void take_document(struct run *run, struct job *job) {
  struct refresh_product product = {.count = 0, .max_age = FETCH_AGE_UNKNOWN};
  char why[512];

  if (!job->kind->judge(run->settings, job->issuer, &job->result, real_now(), &product, why,
                        sizeof why)) {
    fail(run, job, why);
  } else if (is_overtaken(job)) {
    refresh_state_load(&job->place, &job->state);
    end(run, job);
  } else if (!store(job, &product)) {
    snprintf(why, sizeof why, "%s: %s", job->place.folder, strerror(errno));
    fail(run, job, why);
  } else {
    snprintf(job->state.etag, sizeof job->state.etag, "%s", job->result.etag);
    snprintf(job->state.url, sizeof job->state.url, "%s",
             strlen(job->url) <= REFRESH_URL_MAX ? job->url : "");
    note_age(job, product.max_age);
    succeed(run, job, product.summary);
  }
  refresh_product_clear(&product);
}

/* The document that is held still says how long it is fresh. */
static void take_unchanged(struct run *run, struct job *job) {
  struct refresh_found found;
  const char *const *suffix;
  char why[512];

  for (suffix = job->kind->suffixes; *suffix != NULL; suffix++)
    if (!cache_file_touch(&job->place, *suffix)) {
      snprintf(why, sizeof why, "%s/%s.%s: %s", job->place.folder, job->place.label, *suffix,
               strerror(errno));
      *job->state.etag = '\0'; /* the whole document, next time */
      fail(run, job, why);
      return;
    }
  if (job->kind->look(run->settings, job->issuer, real_now(), &found, NULL) == CORTEX_OK)
    note_age(job, found.max_age);
  succeed(run, job, "not changed");
}

static void ask(struct run *run, struct job *job) {
  const struct fetch_target target = {
      .url = job->url,
      .ca_file = cortex_issuer_value(job->issuer, job->kind->ca_key),
      .proxy = cortex_issuer_value(job->issuer, "proxy"),
      .etag = job->step == STEP_DOCUMENT && !run->options->is_forced &&
                      strcmp(job->state.url, job->url) == 0 && is_held(run, job, real_now())
                  ? job->state.etag
                  : NULL,
      .deadline = job->deadline};
  char why[sizeof job->result.why];

  if (fetch_pool_start(run->pool, &target, &job->result, job))
    return;
  memcpy(why, job->result.why, sizeof why);
  fail(run, job, why);
}

static void start(struct run *run, struct job *job, int64_t now) {
  const struct cortex_clock *clock = cortex_clock_system();
  bool is_pointer = false;

  run->active++;
  job->asked = now;
  job->max_age = FETCH_AGE_UNKNOWN;
  job->deadline = clock->monotonic(clock) + ASK_NS;
  job->url = job->kind->begin(job->issuer, &is_pointer);
  job->step = is_pointer ? STEP_POINTER : STEP_DOCUMENT;
  if (job->url == NULL)
    fail(run, job, "out of memory");
  else
    ask(run, job);
}

static void follow(struct run *run, struct job *job) {
  char why[512];
  char *url = job->kind->follow(job->issuer, job->url, &job->result, why, sizeof why);

  fetch_result_clear(&job->result);
  if (url == NULL) {
    fail(run, job, why);
    return;
  }
  free(job->url);
  job->url = url;
  job->step = STEP_DOCUMENT;
  ask(run, job);
}

static void take_answer(struct run *run, struct job *job, bool is_done) {
  char why[sizeof job->result.why];

  note_age(job, job->result.max_age);
  memcpy(why, job->result.why, sizeof why);
  if (!is_done)
    fail(run, job, why);
  else if (job->step == STEP_POINTER)
    follow(run, job);
  else if (job->result.not_modified)
    take_unchanged(run, job);
  else
    take_document(run, job);
}

/* ---- all issuers ---- */

/* Each once, as others end: what is fresh is said to be so. */
static void start_once(struct run *run, int64_t now) {
  size_t i;

  for (i = 0; i < run->count && run->active < AT_ONCE; i++) {
    struct job *job = &run->jobs[i];

    if (job->is_seen)
      continue;
    job->is_seen = true;
    if (run->options->is_forced || !is_fresh(run, job, now))
      start(run, job, now);
    else
      printf("%s: fresh for %" PRId64 " s, as its issuer says\n", job->place.label,
             job->state.fresh_until - now);
  }
}

/*
 * The policy image, where a login found one that is not current; gives the seconds until there may
 * be more to do. A request that brings nothing stays for a while: as long as it is there, no login
 * asks or speaks of it again.
 */
static int64_t serve_image(struct run *run, int64_t now) {
  enum policy_image_answer answer = POLICY_IMAGE_WRITTEN;

  if (run->options->label != NULL || !requests_has(&run->requests, CORTEX_REQUEST_IMAGE))
    return IDLE_MS / 1000;
  if (run->image_at > now)
    return run->image_at - now;
  if (run->image_tries < IMAGE_TRIES)
    answer = policy_image_serve(run->settings);
  if (answer == POLICY_IMAGE_WRITTEN) {
    requests_take(&run->requests, CORTEX_REQUEST_IMAGE);
    run->image_tries = 0;
    return IDLE_MS / 1000;
  }
  run->image_tries = answer == POLICY_IMAGE_EARLY ? run->image_tries + 1 : IMAGE_TRIES;
  run->image_at = now + (answer == POLICY_IMAGE_EARLY
                             ? 1
                             : at_least(at_most(run->min_refresh, IMAGE_HOLD_MAX), 1));
  return run->image_at - now;
}

/* Starts what is due or asked for; gives the seconds until there may be more. */
static int64_t start_wanted(struct run *run, int64_t now) {
  int64_t wait;
  size_t i;

  run->is_tidy = requests_tidy(&run->requests, run->settings);
  wait = serve_image(run, now);
  for (i = 0; i < run->count; i++) {
    struct job *job = &run->jobs[i];
    bool is_asked_for;

    if (job->step != STEP_IDLE || run->active >= AT_ONCE)
      continue;
    is_asked_for = requests_has(&run->requests, job->place.label);
    if (is_asked_for && request_at(run, job, now) <= now) {
      requests_take(&run->requests, job->place.label);
      job->state.requested = now;
      start(run, job, now);
    } else if (is_due(run, job, now)) {
      start(run, job, now);
    } else {
      wait = at_most(wait, at_least(job->state.next - now, 1));
      if (is_asked_for)
        wait = at_most(wait, at_least(request_at(run, job, now) - now, 1));
    }
  }
  return wait;
}

static bool has_requests(const struct run *run) {
  size_t i;

  for (i = 0; i < run->count; i++)
    if (requests_has(&run->requests, run->jobs[i].place.label))
      return true;
  return run->options->label == NULL && requests_has(&run->requests, CORTEX_REQUEST_IMAGE);
}

static bool is_over(const struct run *run) {
  switch (run->options->mode) {
  case REFRESH_ONCE:
    return run->active == 0;
  case REFRESH_REQUESTED:
    return run->active == 0 && !has_requests(run);
  case REFRESH_WATCH:
    break;
  }
  return false;
}

static bool is_readable(int fd) {
  struct pollfd wanted = {.fd = fd, .events = POLLIN};

  return fd >= 0 && poll(&wanted, 1, 0) > 0;
}

static void serve(struct run *run) {
  const int fds[] = {run->requests.watch, run->options->signals};
  struct job *job;
  bool is_done;
  int wait;

  for (;;) {
    wait = IDLE_MS;
    if (run->options->mode == REFRESH_ONCE)
      start_once(run, real_now());
    else
      wait = (int)start_wanted(run, real_now()) * 1000;
    if (is_over(run))
      return;
    if (!run->requests.is_watched)
      wait = (int)at_most(wait, LOOK_MS);
    fetch_pool_wait(run->pool, fds, sizeof fds / sizeof fds[0], wait);
    while ((job = fetch_pool_next(run->pool, &is_done)) != NULL)
      take_answer(run, job, is_done);
    if (is_readable(run->options->signals))
      return;
  }
}

static int64_t get_duration(const struct cortex_settings *settings, const char *key) {
  int64_t seconds = 0;

  return cortex_duration_parse(cortex_settings_value(settings, "cache", key), &seconds) ? seconds
                                                                                        : 0;
}

static bool make_jobs(struct run *run) {
  const struct cortex_issuer *issuer;
  size_t i;

  run->jobs = calloc(cortex_settings_issuer_count(run->settings) + 1, sizeof *run->jobs);
  for (i = 0; run->jobs != NULL && (issuer = cortex_settings_issuer(run->settings, i)) != NULL;
       i++) {
    struct job *job = &run->jobs[run->count];
    const char *label = cortex_issuer_label(issuer);

    if (refresh_kind_of(issuer) == NULL || !cortex_issuer_is_fetched(issuer) ||
        (run->options->label != NULL && strcmp(run->options->label, label) != 0))
      continue;
    *job = (struct job){.issuer = issuer,
                        .kind = refresh_kind_of(issuer),
                        .place = {cortex_settings_value(run->settings, "cache", "path"), label}};
    refresh_state_load(&job->place, &job->state);
    run->count++;
  }
  return run->jobs != NULL;
}

static void free_run(struct run *run) {
  size_t i;

  fetch_pool_free(&run->pool);
  for (i = 0; i < run->count; i++) {
    fetch_result_clear(&run->jobs[i].result);
    free(run->jobs[i].url);
  }
  free(run->jobs);
  requests_close(&run->requests);
}

/* Better known before anything is asked than after. */
static bool check_folder(const struct cortex_settings *settings) {
  const char *path = cortex_settings_value(settings, "cache", "path");
  int fd = cache_folder_open(path);

  if (fd < 0 || faccessat(AT_FDCWD, path, W_OK, AT_EACCESS) != 0) {
    cli_complain("%s: %s", path, strerror(errno));
    if (fd >= 0)
      close(fd);
    return false;
  }
  close(fd);
  return true;
}

bool refresh_run(const struct cortex_settings *settings, const struct refresh_options *options,
                 struct refresh_outcome *outcome_out) {
  struct run run = {.settings = settings,
                    .options = options,
                    .requests = {NULL, -1, false},
                    .is_tidy = true,
                    .stale = get_duration(settings, "stale"),
                    .min_refresh = get_duration(settings, "min_refresh"),
                    .max_refresh = get_duration(settings, "max_refresh")};
  bool done = false;
  size_t i;

  *outcome_out = (struct refresh_outcome){0, 0, true};
  if (!check_folder(settings))
    return false;
  run.pool = fetch_pool_new();
  if (run.pool == NULL || !make_jobs(&run) ||
      !requests_open(settings, options->mode != REFRESH_ONCE, &run.requests)) {
    cli_complain("out of memory");
  } else {
    serve(&run);
    done = true;
  }
  outcome_out->issuers = run.count;
  outcome_out->is_tidy = run.is_tidy;
  for (i = 0; i < run.count; i++)
    outcome_out->failed += run.jobs[i].was_run && run.jobs[i].has_failed;
  free_run(&run);
  return done;
}
