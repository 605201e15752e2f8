/*
 * What tests of the audit trail share: a folder, a clock that is set by hand, files as text.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef TEST_TRAIL_H
#define TEST_TRAIL_H

#include <cortexauth/audit.h>
#include <stdio.h>

#include "scratch.h"

struct trail {
  char folder[SCRATCH_PATH];
  char file[128];
  char log_socket[128];
  struct cortex_clock clock; /* stands still; offset is the time in microseconds */
  struct cortex_audit_options options;
  struct cortex_error error; /* of the last call */
};

/* A fresh folder below TMPDIR without an audit file; no anchors go anywhere. */
void trail_start(struct trail *trail);
void trail_stop(struct trail *trail);

/* Fixtures for cmocka: *state is the trail. */
int trail_setup(void **state);
int trail_teardown(void **state);

/* Appends `count` logins with references r00000000000000N by sequence; fails the test otherwise. */
void trail_fill(struct trail *trail, unsigned count);
enum cortex_reason trail_append(struct trail *trail, const struct cortex_record *record);

/* A path in the folder: file plus suffix. Static storage, one at a time. */
const char *trail_path(const struct trail *trail, const char *suffix);

/* Whole content, NUL-terminated, release with free. NULL: no such file. */
char *trail_read(const char *path, size_t *len_out);
void trail_write(const char *path, const char *bytes, size_t len);

/* What verifying said: one "kind line[-line] seq[-seq]" per finding, joined by "; ". */
struct verdict {
  struct cortex_audit_summary summary;
  char text[2048];
};
void trail_verify(const struct trail *trail, const char *const *files, size_t count,
                  const char *anchors, struct verdict *verdict_out);

/* The same for the one file, with the text compared. */
void trail_expect(const struct trail *trail, const char *findings);

#endif
