/*
 * Walks a chain and says where it does not hold.
 * SPDX-License-Identifier: PostgreSQL
 *
 * The head is what the next record must follow. A line that is no record, or
 * whose bytes were changed beyond recognition, joins the gap; what the gap was
 * comes out at the next record: torn bytes that it accounts for, or an edit.
 */
#include <config.h>

#include <string.h>

#include "audit/anchors.h"
#include "audit/chain.h"
#include "audit/findings.h"
#include "audit/reader.h"

struct gap {
  const char *file; /* NULL: no gap */
  uint64_t line, last_line;
  uint64_t bytes;
  bool is_open; /* its last line has no newline */
};

struct walk {
  struct cx_findings findings;
  struct cx_anchors anchors;
  const char *file;
  bool file_begins; /* no record of this file was seen yet */
  bool started;     /* a record was seen */
  bool loose;       /* the head's hash is not known for sure: the next prev is taken as it is */
  bool open_end;    /* the last record lacks its newline */
  struct cx_chain_head head;
  const char *head_file;
  uint64_t head_line;
  struct gap gap;
  struct gap before; /* the torn end of the file before, when this file's gap goes on from it */
};

/* A line that ends as a record does. */
struct record_line {
  const struct cx_line *line;
  struct cx_chain_link link;
  bool sound; /* its hash is that of its bytes */
};

static struct cortex_finding finding_at(const struct walk *walk, enum cortex_finding_kind kind,
                                        const struct record_line *record, const char *text) {
  return (struct cortex_finding){.kind = kind,
                                 .file = walk->file,
                                 .line = record->line->number,
                                 .last_line = record->line->number,
                                 .seq = record->link.seq,
                                 .last_seq = record->link.seq,
                                 .text = text};
}

static bool follows(const struct walk *walk, const struct record_line *record) {
  return memcmp(record->link.prev, walk->head.hash, CX_CHAIN_HEX) == 0;
}

/* ---- the gap ---- */

static uint64_t gap_lines(const struct gap *gap) {
  return gap->file == NULL ? 0 : gap->last_line - gap->line + 1;
}

/* The bytes a record of the trail's own accounts for; no string can hold these members. */
static bool accounts_for(const struct record_line *record, uint64_t bytes) {
  static const char *const events[] = {",\"event\":\"recovered\"", ",\"event\":\"rotated\""};
  static const char member[] = ",\"count\":";
  const char *text = record->line->bytes, *at = NULL;
  uint64_t count = 0;
  size_t i, len = record->link.covered;

  for (i = 0; i < 2 && at == NULL; i++)
    at = memmem(text, len, events[i], strlen(events[i]));
  if (at == NULL)
    return false;
  at = memmem(text, len, member, strlen(member));
  if (at == NULL)
    return false;
  for (at += strlen(member); *at >= '0' && *at <= '9' && count <= bytes; at++)
    count = count * 10 + (uint64_t)(*at - '0');
  return bytes == count || bytes == count + 1; /* the newline that closed them */
}

static void tell_gap(struct walk *walk, struct gap *gap, enum cortex_finding_kind kind,
                     uint64_t seqs, const char *text) {
  struct cortex_finding finding = {.kind = kind,
                                   .file = gap->file,
                                   .line = gap->line,
                                   .last_line = gap->last_line,
                                   .text = text};

  if (gap->file == NULL)
    return;
  if (seqs > 0) {
    finding.seq = walk->head.seq + 1;
    finding.last_seq = walk->head.seq + seqs;
  }
  cx_findings_end_run(&walk->findings);
  cx_findings_tell(&walk->findings, &finding);
  *gap = (struct gap){.file = NULL};
}

/* What the gap was, seen from the record behind it. */
static void settle_gap(struct walk *walk, const struct record_line *record) {
  static const char accounted[] = "torn bytes that a later record accounts for";
  uint64_t next = walk->head.seq + 1, missing, lines = gap_lines(&walk->gap);

  if (lines == 0)
    return;
  if (record->sound && record->link.seq == next && follows(walk, record) &&
      accounts_for(record, walk->gap.bytes + walk->before.bytes)) {
    tell_gap(walk, &walk->before, CORTEX_FINDING_RECOVERED, 0, accounted);
    tell_gap(walk, &walk->gap, CORTEX_FINDING_RECOVERED, 0, accounted);
    return;
  }
  missing = record->link.seq > next ? record->link.seq - next : 0;
  if (!walk->started && missing > lines)
    missing = 0; /* a file that begins in the middle of a chain */
  if (missing > lines)
    missing = lines;
  tell_gap(walk, &walk->before, CORTEX_FINDING_EDITED, 0, "not a record");
  tell_gap(walk, &walk->gap, CORTEX_FINDING_EDITED, missing,
           missing > 0 ? "not a record any more" : "not a record");
  walk->head.seq += missing;
  walk->loose = walk->loose || missing > 0;
}

static void join_gap(struct walk *walk, const struct cx_line *line) {
  struct gap *gap = &walk->gap;

  if (gap->file != NULL && gap->file != walk->file) {
    tell_gap(walk, &walk->before, CORTEX_FINDING_EDITED, 0, "not a record");
    walk->before = *gap;
    gap->file = NULL;
  }
  if (gap->file == NULL)
    *gap = (struct gap){.file = walk->file, .line = line->number};
  gap->last_line = line->number;
  gap->bytes += line->total;
  gap->is_open = !line->ended;
}

/* At the end of everything no record accounts for the gap. */
static void end_gap(struct walk *walk) {
  struct gap *gap = &walk->gap, torn = *gap;

  tell_gap(walk, &walk->before, CORTEX_FINDING_EDITED, 0, "not a record");
  if (!gap->is_open) {
    tell_gap(walk, gap, CORTEX_FINDING_EDITED, gap_lines(gap), "not a record");
  } else {
    torn.line = torn.last_line;
    gap->last_line--;
    if (gap_lines(gap) > 0)
      tell_gap(walk, gap, CORTEX_FINDING_EDITED, 0, "not a record");
    tell_gap(walk, &torn, CORTEX_FINDING_TORN, 1, "the file ends inside this line");
  }
  if (walk->open_end) {
    torn = (struct gap){walk->head_file, walk->head_line, walk->head_line, 0, true};
    tell_gap(walk, &torn, CORTEX_FINDING_TORN, 0, "the last line lacks its newline");
  }
}

/* ---- records ---- */

static void adopt(struct walk *walk, const struct record_line *record, uint64_t seq) {
  if (!walk->started)
    walk->findings.summary->first_seq = seq;
  walk->started = true;
  walk->head.seq = seq;
  memcpy(walk->head.hash, record->link.hash, CX_CHAIN_HEX);
  walk->head_file = walk->file;
  walk->head_line = record->line->number;
  walk->loose = !record->sound;
}

static void check_anchors(struct walk *walk, const struct record_line *record) {
  size_t i = cx_anchors_find(&walk->anchors, record->link.seq);
  struct cortex_finding finding =
      finding_at(walk, CORTEX_FINDING_ANCHOR, record, "an anchor names another hash");

  for (; i < walk->anchors.count && walk->anchors.items[i].seq == record->link.seq; i++) {
    if (memcmp(walk->anchors.items[i].hash, record->link.hash, CX_CHAIN_HEX) == 0)
      walk->findings.summary->anchors_met++;
    else
      cx_findings_tell(&walk->findings, &finding);
  }
}

static void open_hole(struct walk *walk, const struct record_line *record) {
  struct cx_hole hole = {walk->head.seq + 1, record->link.seq - 1, walk->file,
                         record->line->number, record->link.seq};

  cx_findings_open_hole(&walk->findings, &hole);
}

static void take_first(struct walk *walk, const struct record_line *record) {
  static const char rotated[] = ",\"event\":\"rotated\"";
  struct cortex_finding finding =
      finding_at(walk, CORTEX_FINDING_CONTINUED, record, "the earlier files were not given");

  if (record->link.seq == walk->head.seq + 1) {
    if (!follows(walk, record) && !walk->loose) {
      finding.kind = CORTEX_FINDING_EDITED;
      finding.text = "the first record names a record before it";
      cx_findings_tell(&walk->findings, &finding);
    }
  } else if (memmem(record->line->bytes, record->link.covered, rotated, strlen(rotated)) != NULL) {
    cx_findings_tell(&walk->findings, &finding);
  } else {
    open_hole(walk, record);
  }
  adopt(walk, record, record->link.seq);
}

/* The head's own hash was right when it was read, yet its successor saw another. */
static void check_follows(struct walk *walk, const struct record_line *record) {
  struct cortex_finding finding = {.kind = CORTEX_FINDING_EDITED,
                                   .file = walk->head_file,
                                   .line = walk->head_line,
                                   .last_line = walk->head_line,
                                   .seq = walk->head.seq,
                                   .last_seq = walk->head.seq,
                                   .text = "rewritten: the next record follows another hash"};

  if (walk->loose || follows(walk, record))
    return;
  cx_findings_end_run(&walk->findings);
  cx_findings_tell(&walk->findings, &finding);
}

/* A record whose sequence was passed already. */
static void take_late(struct walk *walk, const struct record_line *record) {
  struct cortex_finding finding =
      finding_at(walk, CORTEX_FINDING_DUPLICATED, record, "this sequence was there before");
  struct cx_chain_head first;

  cx_chain_init(&first);
  if (cx_findings_fill_hole(&walk->findings, record->link.seq)) {
    finding.kind = CORTEX_FINDING_REORDERED;
    finding.text = "this record stands too late";
  } else if (walk->file_begins && record->link.seq == 1 &&
             memcmp(record->link.prev, first.hash, CX_CHAIN_HEX) == 0) {
    finding.kind = CORTEX_FINDING_RESTARTED;
    finding.text = "a chain of its own begins, which does not continue the file before";
    adopt(walk, record, 1);
  }
  cx_findings_extend(&walk->findings, &finding);
  if (finding.kind != CORTEX_FINDING_DUPLICATED)
    check_anchors(walk, record);
}

static void take_edited(struct walk *walk, const struct record_line *record) {
  struct cortex_finding finding = finding_at(walk, CORTEX_FINDING_EDITED, record,
                                             "its hash is not that of its bytes");

  if (walk->started)
    finding.seq = finding.last_seq = walk->head.seq + 1;
  cx_findings_extend(&walk->findings, &finding);
  adopt(walk, record, finding.seq);
}

static void take_record(struct walk *walk, const struct record_line *record) {
  walk->findings.summary->records++;
  settle_gap(walk, record);
  if (!record->sound) {
    take_edited(walk, record);
    return;
  }
  /* the edited line before may have lied about its number */
  if (walk->started && walk->loose && follows(walk, record))
    walk->head.seq = record->link.seq - 1;
  if (!walk->started) {
    take_first(walk, record);
    check_anchors(walk, record);
  } else if (record->link.seq <= walk->head.seq) {
    take_late(walk, record);
  } else {
    cx_findings_end_run(&walk->findings);
    if (record->link.seq == walk->head.seq + 1)
      check_follows(walk, record);
    else
      open_hole(walk, record);
    adopt(walk, record, record->link.seq);
    check_anchors(walk, record);
  }
}

/* An edited line is still in its place when its number or its predecessor says so. */
static bool is_in_place(const struct walk *walk, const struct record_line *record) {
  return !walk->started || record->link.seq == walk->head.seq + 1 || follows(walk, record);
}

static void take_line(struct walk *walk, const struct cx_line *line) {
  struct record_line record = {.line = line};
  char hash[CX_CHAIN_HEX + 1];

  walk->open_end = false;
  if (!line->whole || line->len == 0 || line->bytes[0] != '{' ||
      !cx_chain_parse(line->bytes, line->len, &record.link)) {
    join_gap(walk, line);
    return;
  }
  cx_chain_hash(line->bytes, record.link.covered, hash);
  record.sound = memcmp(hash, record.link.hash, CX_CHAIN_HEX) == 0;
  if (!record.sound && !is_in_place(walk, &record)) {
    join_gap(walk, line);
    return;
  }
  take_record(walk, &record);
  walk->open_end = !line->ended;
  walk->file_begins = false;
}

/* ---- the whole ---- */

static enum cortex_reason walk_reader(struct walk *walk, struct cx_reader *reader,
                                      struct cortex_error *error) {
  enum cortex_reason reason = CORTEX_OK;
  struct cx_line line;

  walk->file = reader->path;
  walk->file_begins = true;
  while (reason == CORTEX_OK) {
    reason = cx_reader_next(reader, &line, error);
    if (reason != CORTEX_OK || line.total == 0)
      break;
    take_line(walk, &line);
  }
  return reason;
}

static enum cortex_reason walk_file(struct walk *walk, const char *path,
                                    struct cortex_error *error) {
  struct cx_reader reader;
  enum cortex_reason reason = cx_reader_open(path, &reader, error);

  if (reason == CORTEX_OK)
    reason = walk_reader(walk, &reader, error);
  cx_reader_close(&reader);
  return reason;
}

/* The last one is opened first: rotation may put another file in its place meanwhile. */
static enum cortex_reason walk_files(struct walk *walk, const char *const *files, size_t count,
                                     struct cortex_error *error) {
  struct cx_reader last;
  enum cortex_reason reason;
  size_t i;

  if (count == 0)
    return CORTEX_OK;
  reason = cx_reader_open(files[count - 1], &last, error);
  for (i = 0; i + 1 < count && reason == CORTEX_OK; i++)
    reason = walk_file(walk, files[i], error);
  if (reason == CORTEX_OK)
    reason = walk_reader(walk, &last, error);
  cx_reader_close(&last);
  return reason;
}

static void check_end(struct walk *walk) {
  struct cortex_audit_summary *summary = walk->findings.summary;
  size_t later = cx_anchors_find(&walk->anchors, walk->head.seq + 1);
  struct cortex_finding finding = {.kind = CORTEX_FINDING_CUT,
                                   .seq = walk->head.seq + 1,
                                   .text = "an anchor names a later record than the last one"};

  end_gap(walk);
  cx_findings_end(&walk->findings);
  if (later < walk->anchors.count) {
    finding.last_seq = walk->anchors.items[walk->anchors.count - 1].seq;
    cx_findings_tell(&walk->findings, &finding);
  }
  summary->anchors_earlier = cx_anchors_find(&walk->anchors, summary->first_seq);
  summary->last_seq = walk->head.seq;
  memcpy(summary->last_hash, walk->head.hash, sizeof summary->last_hash);
  summary->intact = summary->breaks == 0;
}

enum cortex_reason cortex_audit_verify(const struct cortex_audit_check *check,
                                       struct cortex_audit_summary *summary_out,
                                       struct cortex_error *error) {
  struct walk walk = {.findings = {.check = check, .summary = summary_out}};
  enum cortex_reason reason;

  *summary_out = (struct cortex_audit_summary){.intact = false};
  cx_chain_init(&walk.head);
  reason = cx_anchors_load(check, &walk.anchors, error);
  if (reason == CORTEX_OK)
    reason = walk_files(&walk, check->files, check->file_count, error);
  if (reason == CORTEX_OK)
    check_end(&walk);
  else
    *summary_out = (struct cortex_audit_summary){.intact = false};
  cx_anchors_clear(&walk.anchors);
  return reason;
}
