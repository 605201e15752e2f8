/*
 * A throwaway state folder with settings that name it.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "statefolder.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static struct cortex_settings *make_settings(const char *path) {
  struct cortex_settings *settings = NULL;
  char text[512];

  snprintf(text, sizeof text,
           "[oidc \"a\"]\nissuer = https://a.example\naudience = db\njwks_file = a.jwks\n"
           "[state]\npath = %s\n",
           path);
  assert_int_equal(cortex_settings_parse("test.conf", text, strlen(text), &settings, NULL),
                   CORTEX_OK);
  return settings;
}

int statefolder_setup(void **state) {
  struct statefolder *folder = calloc(1, sizeof *folder);
  int part;

  assert_non_null(folder);
  scratch_make(folder->path);
  folder->settings = make_settings(folder->path);
  for (part = 0; part < CX_STATE_PARTS; part++)
    assert_int_equal(mkdir(statefolder_name(folder, (enum cx_state_part)part, NULL), 0750), 0);
  folder->wait.clock = cortex_clock_system();
  folder->wait.until = INT64_MAX;
  *state = folder;
  return 0;
}

int statefolder_teardown(void **state) {
  struct statefolder *folder = *state;

  scratch_remove(folder->path);
  cortex_settings_free(&folder->settings);
  free(folder);
  return 0;
}

const char *statefolder_name(struct statefolder *folder, enum cx_state_part part,
                             const char *file) {
  snprintf(folder->name, sizeof folder->name, "%s/%s%s%s", folder->path, cx_state_part_name(part),
           file != NULL ? "/" : "", file != NULL ? file : "");
  return folder->name;
}

void statefolder_put(struct statefolder *folder, enum cx_state_part part, const char *file,
                     const void *bytes, size_t len) {
  FILE *stream = fopen(statefolder_name(folder, part, file), "w");

  assert_non_null(stream);
  assert_int_equal(fwrite(bytes, 1, len, stream), len);
  assert_int_equal(fclose(stream), 0);
}

char *statefolder_get(struct statefolder *folder, enum cx_state_part part, const char *file,
                      size_t *len_out) {
  FILE *stream = fopen(statefolder_name(folder, part, file), "r");
  char *bytes = calloc(1, 1 << 16);

  assert_non_null(stream);
  assert_non_null(bytes);
  *len_out = fread(bytes, 1, (1 << 16) - 1, stream);
  fclose(stream);
  return bytes;
}
