/*
 * What a run found, for Prometheus' textfile collector.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "metrics.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/cli.h"

#define PATH_SIZE 4096
#define SUCCESS "cortex_sync_last_success_timestamp_seconds"

static const char *const kinds[METRICS_KINDS] = {"create", "restore",   "cut",       "grant",
                                                 "revoke", "attribute", "privilege", "drop"};

struct writing {
  const struct metrics *metrics;
  const char *old; /* the path of the file as it was */
  int64_t now;
  FILE *file;
};

/* Text format 0.0.4; labels hold letters, digits, ".", "_" and "-" only, so nothing is escaped. */
static void put_head(const struct writing *writing, const char *name, const char *help) {
  fprintf(writing->file, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name);
}

static void put(const struct writing *writing, const char *name, const struct metrics_row *row,
                int64_t value) {
  fprintf(writing->file, "%s{cluster=\"%s\"} %" PRId64 "\n", name, row->cluster, value);
}

/* 0: it is not there. */
static int64_t old_success(const struct writing *writing, const struct metrics_row *row) {
  FILE *file = fopen(writing->old, "re");
  char line[256], start[160];
  int64_t found = 0;
  int len = snprintf(start, sizeof start, SUCCESS "{cluster=\"%s\"} ", row->cluster);

  while (file != NULL && fgets(line, sizeof line, file) != NULL)
    if (strncmp(line, start, (size_t)len) == 0)
      found = strtoll(line + len, NULL, 10);
  if (file != NULL)
    fclose(file);
  return found;
}

static int64_t success_of(const struct writing *writing, const struct metrics_row *row) {
  return row->is_success ? writing->now : old_success(writing, row);
}

static int64_t time_of(const struct writing *writing, const struct metrics_row *row) {
  (void)row;
  return writing->now;
}

static int64_t exit_of(const struct writing *writing, const struct metrics_row *row) {
  (void)writing;
  return row->exit;
}

static int64_t refused_of(const struct writing *writing, const struct metrics_row *row) {
  (void)writing;
  return row->is_refused;
}

static int64_t incomplete_of(const struct writing *writing, const struct metrics_row *row) {
  (void)writing;
  return row->is_incomplete;
}

static int64_t people_of(const struct writing *writing, const struct metrics_row *row) {
  (void)writing;
  return (int64_t)row->people;
}

static int64_t rejected_of(const struct writing *writing, const struct metrics_row *row) {
  (void)writing;
  return (int64_t)row->rejected;
}

static int64_t removals_of(const struct writing *writing, const struct metrics_row *row) {
  (void)writing;
  return (int64_t)row->removals;
}

static int64_t extra_of(const struct writing *writing, const struct metrics_row *row) {
  (void)writing;
  return (int64_t)row->extra;
}

/* In the order of cortex-sync(8). */
static const struct {
  const char *name;
  const char *help;
  int64_t (*value)(const struct writing *writing, const struct metrics_row *row);
  bool always; /* known without a plan */
} families[] = {
    {"cortex_sync_last_run_timestamp_seconds", "When the last run ended.", time_of, true},
    {SUCCESS, "When the last run ended that exited with 0 or 4; 0: never.", success_of, true},
    {"cortex_sync_exit_code", "How the last run ended.", exit_of, true},
    {"cortex_sync_valve_refused", "1: a valve refused the plan.", refused_of, true},
    {"cortex_sync_directory_incomplete", "1: a directory could not be read whole.", incomplete_of,
     true},
    {"cortex_sync_people", "People that the directories name.", people_of, false},
    {"cortex_sync_rejected_names", "Names that got nothing.", rejected_of, false},
    {"cortex_sync_removals", "Logins and memberships that the plan took away.", removals_of, false},
    {"cortex_sync_extra_privileges", "Privileges of group roles that no rule says.", extra_of,
     false},
};

static void put_drift(const struct writing *writing) {
  size_t i, kind;

  put_head(writing, "cortex_sync_drift", "Differences that are left after the run.");
  for (i = 0; i < writing->metrics->count; i++)
    for (kind = 0; writing->metrics->items[i].has_plan && kind < METRICS_KINDS; kind++)
      fprintf(writing->file, "cortex_sync_drift{cluster=\"%s\",kind=\"%s\"} %zu\n",
              writing->metrics->items[i].cluster, kinds[kind],
              writing->metrics->items[i].drift[kind]);
}

static void put_all(const struct writing *writing) {
  size_t i, family;

  for (family = 0; family < sizeof families / sizeof families[0]; family++) {
    put_head(writing, families[family].name, families[family].help);
    for (i = 0; i < writing->metrics->count; i++) {
      const struct metrics_row *row = &writing->metrics->items[i];

      if (families[family].always || row->has_plan)
        put(writing, families[family].name, row, families[family].value(writing, row));
    }
  }
  put_drift(writing);
}

/* The collector reads files as they end in .prom, so it never meets this one. */
bool metrics_write(const char *path, const struct metrics *metrics, int64_t now) {
  struct writing writing = {metrics, path, now, NULL};
  struct stat there;
  char temporary[PATH_SIZE];
  int len = snprintf(temporary, sizeof temporary, "%s.XXXXXX", path), descriptor = -1;
  bool fine = len > 0 && (size_t)len < sizeof temporary;

  /* Whoever may write in /dev would put a file in a device's place. */
  if (lstat(path, &there) == 0 && !S_ISREG(there.st_mode)) {
    cli_complain("--metrics %s: is there and no regular file", path);
    return false;
  }
  errno = ENAMETOOLONG;
  descriptor = fine ? mkstemp(temporary) : -1;
  writing.file = descriptor >= 0 ? fdopen(descriptor, "w") : NULL;
  fine = writing.file != NULL;
  if (fine) {
    put_all(&writing);
    fine = fflush(writing.file) == 0 && fchmod(descriptor, 0644) == 0 && fsync(descriptor) == 0;
    fine = fclose(writing.file) == 0 && fine && rename(temporary, path) == 0;
  }
  if (!fine) {
    cli_complain("--metrics %s: %s", path, strerror(errno));
    if (descriptor >= 0)
      unlink(temporary);
  }
  return fine;
}
