/*
 * The clock's part of cortexctl doctor: is it kept right, and what do others say?
 * SPDX-License-Identifier: PostgreSQL
 */
#include "doctor.h"

#include <inttypes.h>
#include <sys/timex.h>

#include <cortexauth/clock.h>

#define TOLERANCE 5 /* seconds: an answer takes its time */

static int64_t now(void) {
  const struct cortex_clock *clock = cortex_clock_system();

  return clock->now(clock) / 1000000;
}

static void ask_server(struct doctor *doctor) {
  json_t *rows =
      doctor->pg == NULL
          ? NULL
          : doctor_ask(doctor, "select to_jsonb(extract(epoch from clock_timestamp())::bigint)");
  int64_t ahead = (int64_t)json_integer_value(json_array_get(rows, 0)) - now();

  if (json_array_size(rows) == 1 && (ahead > TOLERANCE || ahead < -TOLERANCE))
    check_find(&doctor->check, CHECK_CLOCK_DIFFERS, doctor_place(NULL),
               "the database server's clock is %" PRId64 " s %s", ahead > 0 ? ahead : -ahead,
               ahead > 0 ? "ahead" : "behind");
  json_decref(rows);
}

void doctor_clock(struct doctor *doctor) {
  struct timex state = {.modes = 0};

  if (adjtimex(&state) == TIME_ERROR || (state.status & STA_UNSYNC) != 0)
    check_find(&doctor->check, CHECK_CLOCK_UNSYNCHRONISED, doctor_place(NULL),
               "the kernel says that nothing keeps its clock right");
  ask_server(doctor);
}
