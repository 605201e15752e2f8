/*
 * One visit to the trail: everything that is due, in one write.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "audit/audit.h"

#include <stdio.h>

#include "audit/record.h"
#include "audit/refusals.h"
#include "audit/sink_syslog.h"

/* Sums of every slot, three records of the trail's own; the caller's come on top. */
#define BATCH_MAX ((size_t)CX_CHAIN_LINE_MAX * 3)
#define LINE_USUAL 2000 /* room for a usual record at once: growing copies and wipes */
#define MINUTE 60000000LL /* microseconds */

struct visit {
  const struct cortex_audit_options *options;
  const struct cortex_record *records;
  size_t record_count; /* 0: only what is due */
  struct cx_wait wait;
  int64_t now;
  struct cx_trail trail;
  struct cx_refusals refusals;
  struct cx_buf batch;
};

bool cx_audit_put(struct cx_buf *batch, const struct cortex_record *record, int64_t now,
                  struct cx_chain_head *head) {
  struct cortex_record dated = *record;
  size_t start = batch->len;

  if (dated.time == 0)
    dated.time = now;
  cx_record_put(batch, &dated);
  return !batch->failed && cx_chain_seal(batch, start, head);
}

static bool put_own(struct visit *visit, struct cortex_record record) {
  record.host = visit->record_count > 0 ? visit->records[0].host : NULL;
  return cx_audit_put(&visit->batch, &record, visit->now, &visit->trail.head);
}

/* Says how this file goes on from what was there: a torn line, an earlier file. */
static bool put_link(struct visit *visit) {
  struct cx_trail *trail = &visit->trail;
  char detail[sizeof trail->old_name + 16];

  if (trail->open_line)
    cx_buf_put(&visit->batch, "\n", 1);
  if (trail->old_fd >= 0) {
    snprintf(detail, sizeof detail, "continues %s", trail->old_name);
    return put_own(visit, (struct cortex_record){.event = CORTEX_EVENT_ROTATED,
                                                 .count = trail->torn,
                                                 .detail = detail});
  }
  if (trail->torn == 0 && !trail->open_line)
    return true;
  return put_own(visit, (struct cortex_record){.event = CORTEX_EVENT_RECOVERED,
                                               .count = trail->torn,
                                               .detail = trail->torn == 0
                                                             ? "the last line lacked its newline"
                                                             : NULL});
}

static bool put_refusals(struct visit *visit) {
  struct cx_refusals_room room;
  struct cortex_record sum;

  while (cx_refusals_take_due(&visit->refusals, visit->now / MINUTE, &sum, &room))
    if (!put_own(visit, sum))
      return false;
  return true;
}

/* A record of the caller's, unless it is one of too many refusals and only counts. */
static bool put_record(struct visit *visit, const struct cortex_record *record) {
  if (record->before_signature &&
      !cx_refusals_count(&visit->refusals, record->address, visit->now / MINUTE))
    return true;
  return cx_audit_put(&visit->batch, record, visit->now, &visit->trail.head);
}

static bool put_records(struct visit *visit) {
  size_t i;

  for (i = 0; i < visit->record_count; i++)
    if (!put_record(visit, &visit->records[i]))
      return false;
  return true;
}

static enum cortex_reason write_due(struct visit *visit, struct cortex_error *error) {
  if (!put_link(visit) || !put_refusals(visit) || !put_records(visit))
    return cx_error_at(error, CORTEX_AUDIT_UNAVAILABLE,
                       (struct cx_place){visit->options->file, 0, 0},
                       "no audit record can be made: out of memory");
  if (visit->batch.len == 0)
    return CORTEX_OK;
  return cx_trail_write(&visit->trail, &visit->batch, error);
}

static bool is_anchor_due(const struct visit *visit, uint64_t before) {
  uint64_t every = (uint64_t)visit->options->anchor_every;

  if (visit->trail.head.seq == before)
    return false;
  return visit->trail.begins ||
         (visit->options->anchor_every > 0 && before / every != visit->trail.head.seq / every);
}

static enum cortex_reason visit_trail(struct visit *visit, struct cortex_error *error) {
  bool counts = visit->record_count > 0 && visit->records[0].before_signature;
  enum cortex_reason reason;
  uint64_t before;

  reason = cx_trail_open(visit->options->file, visit->record_count > 0, &visit->wait, &visit->trail,
                         error);
  if (reason != CORTEX_OK || visit->trail.fd < 0)
    return reason;
  before = visit->trail.head.seq;
  cx_buf_init(&visit->batch, BATCH_MAX + visit->record_count * CX_CHAIN_LINE_MAX);
  (void)cx_buf_reserve(&visit->batch, LINE_USUAL * (visit->record_count + 1));
  cx_refusals_open(&visit->refusals, visit->options->file, counts);
  reason = write_due(visit, error);
  if (reason == CORTEX_OK)
    cx_refusals_close(&visit->refusals);
  else
    cx_refusals_abandon(&visit->refusals);
  if (reason == CORTEX_OK && visit->options->fsync && visit->batch.len > 0)
    reason = cx_trail_sync(&visit->trail, error);
  cx_trail_close(&visit->trail);
  if (reason == CORTEX_OK && is_anchor_due(visit, before))
    cx_anchor_send(visit->options, &visit->trail.head);
  cx_buf_clear(&visit->batch);
  return reason;
}

enum cortex_reason cortex_audit_append_all(const struct cortex_audit_options *options,
                                           const struct cortex_record *records, size_t count,
                                           const struct cortex_clock *clock, int64_t deadline,
                                           struct cortex_error *error) {
  struct visit visit = {.options = options, .records = records, .record_count = count};
  size_t i;

  for (i = 0; i < count; i++)
    if (cortex_event_name(records[i].event) == NULL)
      return cx_error_set(error, CORTEX_AUDIT_UNAVAILABLE, "no such audit event");
  if (count > CORTEX_AUDIT_BATCH)
    return cx_error_set(error, CORTEX_AUDIT_UNAVAILABLE, "too many records for one write");
  visit.wait = cx_wait_start(clock, deadline);
  visit.now = clock->now(clock);
  return visit_trail(&visit, error);
}

enum cortex_reason cortex_audit_append(const struct cortex_audit_options *options,
                                       const struct cortex_record *record,
                                       const struct cortex_clock *clock, int64_t deadline,
                                       struct cortex_error *error) {
  return cortex_audit_append_all(options, record, 1, clock, deadline, error);
}

enum cortex_reason cortex_audit_flush(const struct cortex_audit_options *options,
                                      const struct cortex_clock *clock, int64_t deadline,
                                      struct cortex_error *error) {
  struct visit visit = {.options = options};

  visit.wait = cx_wait_start(clock, deadline);
  visit.now = clock->now(clock);
  return visit_trail(&visit, error);
}
