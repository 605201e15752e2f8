/*
 * The trail's part of cortexctl doctor: chain, anchors, room, and the clock that its records show.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "doctor.h"

#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cortexauth/audit.h>
#include <cortexauth/clock.h>

#include "trail_files.h"

#define ROOM_LEAST 5 /* percent */
#define LOG_SOCKET "/dev/log"
#define AHEAD 60 /* seconds by which a record may be ahead */

static void keep_break(void *context, const struct cortex_finding *finding) {
  struct check *check = context;

  if (!cortex_finding_is_break(finding->kind))
    return;
  check_find(check, CHECK_AUDIT_BROKEN,
             (struct check_place){finding->file, (unsigned)finding->line, 0}, "%s: %s",
             cortex_finding_name(finding->kind), finding->text);
  check_fix(check, "cortexctl audit verify --config %s", check->config);
}

static void judge_chain(struct doctor *doctor, const char *file) {
  struct check *check = &doctor->check;
  struct cortex_audit_check question = {
      .anchors_file = doctor->anchors_file, .report = keep_break, .context = check};
  struct cortex_error error = CORTEX_ERROR_NONE;
  struct cortex_audit_summary summary = {.intact = false};
  struct trail_files files;

  if (!trail_files_find(file, &files))
    return;
  question.files = files.names;
  question.file_count = files.count;
  if (access(file, F_OK) != 0)
    question.file_count = 0; /* not begun, or the folder's finding */
  if (question.file_count > 0 && cortex_audit_verify(&question, &summary, &error) != CORTEX_OK)
    check_find(check, CHECK_AUDIT_UNUSABLE, doctor_place(file), "%s", error.message);
  else if (doctor->anchors_file == NULL)
    check_find(check, CHECK_AUDIT_UNANCHORED, doctor_place(file),
               "the chain was verified without anchors");
  else if (summary.intact && summary.records > 0 && summary.anchors_met == 0)
    check_find(check, CHECK_AUDIT_UNANCHORED, doctor_place(file), "no anchor of %s was met",
               doctor->anchors_file);
  trail_files_clear(&files);
}

/* The file is written with each record: a time ahead of the clock is one that was set back. */
static void judge_time(struct check *check, const char *file) {
  const struct cortex_clock *clock = cortex_clock_system();
  int64_t now = clock->now(clock) / 1000000;
  struct stat status;

  if (stat(file, &status) == 0 && status.st_mtim.tv_sec > now + AHEAD)
    check_find(check, CHECK_CLOCK_BEHIND, doctor_place(file),
               "the last record was written %" PRId64 " s ahead of the clock",
               (int64_t)status.st_mtim.tv_sec - now);
}

static void judge_room(struct check *check, const char *file) {
  char path[PATH_MAX];
  struct statvfs room;
  const char *folder;

  snprintf(path, sizeof path, "%s", file);
  folder = dirname(path); /* in place */
  if (statvfs(folder, &room) != 0 || room.f_blocks == 0)
    return;
  if (room.f_bavail * 100 / room.f_blocks < ROOM_LEAST)
    check_find(check, CHECK_AUDIT_DISK, doctor_place(file), "%s has %llu %% of its room left",
               folder, (unsigned long long)(room.f_bavail * 100 / room.f_blocks));
}

void doctor_audit(struct doctor *doctor) {
  struct check *check = &doctor->check;
  struct cortex_audit_options audit;
  struct stat status;

  if (check->settings == NULL)
    return;
  check_audit(check);
  cortex_audit_options_get(check->settings, &audit);
  judge_chain(doctor, audit.file);
  judge_time(check, audit.file);
  judge_room(check, audit.file);
  if (strcmp(cortex_settings_value(check->settings, "audit", "required"), "yes") != 0)
    check_find(check, CHECK_AUDIT_OPTIONAL, check_key_place(check, "audit", "required"),
               "required is not yes");
  if (stat(LOG_SOCKET, &status) != 0 || !S_ISSOCK(status.st_mode))
    check_find(check, CHECK_SYSLOG_ABSENT, doctor_place(NULL), "there is no " LOG_SOCKET);
}
