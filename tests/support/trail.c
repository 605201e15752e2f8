/*
 * What tests of the audit trail share: a folder, a clock that is set by hand, files as text.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "trail.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

static int64_t stand_still(const struct cortex_clock *clock) {
  return clock->offset;
}

static int64_t run(const struct cortex_clock *clock) {
  struct timespec now;

  (void)clock;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

void trail_start(struct trail *trail) {
  memset(trail, 0, sizeof *trail);
  scratch_make(trail->folder);
  snprintf(trail->file, sizeof trail->file, "%s/audit.jsonl", trail->folder);
  snprintf(trail->log_socket, sizeof trail->log_socket, "%s/log", trail->folder);
  trail->clock = (struct cortex_clock){stand_still, run, 1700000000000000LL};
  trail->options = (struct cortex_audit_options){
      .file = trail->file, .syslog = 10, .anchor_every = 1000, .log_socket = trail->log_socket};
}

void trail_stop(struct trail *trail) {
  scratch_remove(trail->folder);
}

int trail_setup(void **state) {
  struct trail *trail = malloc(sizeof *trail);

  if (trail == NULL)
    return -1;
  trail_start(trail);
  *state = trail;
  return 0;
}

int trail_teardown(void **state) {
  trail_stop(*state);
  free(*state);
  return 0;
}

enum cortex_reason trail_append(struct trail *trail, const struct cortex_record *record) {
  memset(&trail->error, 0, sizeof trail->error);
  return cortex_audit_append(&trail->options, record, &trail->clock, 0, &trail->error);
}

void trail_fill(struct trail *trail, unsigned count) {
  static const char *const groups[] = {"engineers", "on-call"};
  struct cortex_audit_summary summary = {.last_seq = 0};
  const char *files[] = {trail->file};
  struct cortex_audit_check check = {.files = files, .file_count = 1};
  char reference[32];
  unsigned i;

  if (access(trail->file, F_OK) == 0)
    assert_int_equal(cortex_audit_verify(&check, &summary, NULL), CORTEX_OK);
  for (i = 0; i < count; i++) {
    snprintf(reference, sizeof reference, "r%015llu",
             (unsigned long long)summary.last_seq + i + 1);
    assert_int_equal(trail_append(trail, &(struct cortex_record){.event = CORTEX_EVENT_LOGIN,
                                                                 .reference = reference,
                                                                 .role = "alice",
                                                                 .groups = groups,
                                                                 .group_count = 2,
                                                                 .reason = CORTEX_POLICY_DENIED}),
                     CORTEX_OK);
  }
}

const char *trail_path(const struct trail *trail, const char *suffix) {
  static char path[256];

  snprintf(path, sizeof path, "%s%s", trail->file, suffix);
  return path;
}

char *trail_read(const char *path, size_t *len_out) {
  FILE *file = fopen(path, "rbe");
  char *bytes;
  long len;

  *len_out = 0;
  if (file == NULL)
    return NULL;
  assert_int_equal(fseek(file, 0, SEEK_END), 0);
  len = ftell(file);
  rewind(file);
  bytes = malloc((size_t)len + 1);
  assert_non_null(bytes);
  *len_out = fread(bytes, 1, (size_t)len, file);
  bytes[*len_out] = '\0';
  fclose(file);
  return bytes;
}

void trail_write(const char *path, const char *bytes, size_t len) {
  FILE *file = fopen(path, "wbe");

  assert_non_null(file);
  assert_int_equal(fwrite(bytes, 1, len, file), len);
  assert_int_equal(fclose(file), 0);
}

static void tell(void *context, const struct cortex_finding *finding) {
  struct verdict *verdict = context;
  size_t at = strlen(verdict->text);

  assert_non_null(finding->text);
  snprintf(verdict->text + at, sizeof verdict->text - at, "%s%s %llu-%llu %llu-%llu",
           at > 0 ? "; " : "", cortex_finding_name(finding->kind),
           (unsigned long long)finding->line, (unsigned long long)finding->last_line,
           (unsigned long long)finding->seq, (unsigned long long)finding->last_seq);
}

void trail_verify(const struct trail *trail, const char *const *files, size_t count,
                  const char *anchors, struct verdict *verdict_out) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  struct cortex_audit_check check = {.files = files,
                                     .file_count = count,
                                     .anchors_file = anchors,
                                     .report = tell,
                                     .context = verdict_out};

  (void)trail;
  memset(verdict_out, 0, sizeof *verdict_out);
  assert_int_equal(cortex_audit_verify(&check, &verdict_out->summary, &error), CORTEX_OK);
}

void trail_expect(const struct trail *trail, const char *findings) {
  const char *files[] = {trail->file};
  struct verdict verdict;

  trail_verify(trail, files, 1, NULL, &verdict);
  assert_string_equal(verdict.text, findings);
}
