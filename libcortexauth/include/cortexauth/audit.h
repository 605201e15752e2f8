/*
 * Audit: one line per decision or change, chained by hashes.
 * SPDX-License-Identifier: PostgreSQL
 *
 * The format of a line and what the chain can and cannot show: cortex-audit(5).
 */
#ifndef CORTEXAUTH_AUDIT_H
#define CORTEXAUTH_AUDIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cortexauth/clock.h>
#include <cortexauth/decision.h>
#include <cortexauth/error.h>
#include <cortexauth/settings.h>

enum cortex_event {
#define EVENT(symbol, name, sentence) CORTEX_EVENT_##symbol,
#include <cortexauth/event.def>
#undef EVENT
  CORTEX_EVENTS /* how many there are */
};

/* The name in records, and one sentence on it. NULL outside the enum. Static storage. */
CORTEX_API const char *cortex_event_name(enum cortex_event event);
CORTEX_API const char *cortex_event_sentence(enum cortex_event event);

/* The event of a name; CORTEX_EVENTS when there is none of that name. */
CORTEX_API enum cortex_event cortex_event_parse(const char *name);

/*
 * What one record says. Start from all zero: what is NULL or 0 is left out of
 * the line. Strings are NUL-terminated, any bytes: they are escaped, cut when
 * too long (with U+2026 at the cut), and bytes that are not UTF-8 become U+FFFD.
 * Nothing here may be, or hold, a credential, key or secret.
 */
struct cortex_record {
  enum cortex_event event;
  int64_t time; /* microseconds since 1970; 0: the clock's now */
  const char *reference;
  const char *host;
  const char *service;
  const char *database;
  const char *role;
  const char *grant;   /* the other role, where a membership changed */
  const char *address; /* numeric IP */
  int64_t pid;
  int64_t backend_start; /* microseconds since 1970 */
  const char *issuer;
  const char *subject;
  const char *sid; /* the session at the issuer */
  const char *username;
  const char *const *groups;
  size_t group_count;
  const char *token_id;      /* a hash, never the credential */
  enum cortex_effect effect; /* written for a login only */
  unsigned levels;           /* bits of enum cortex_level */
  const char *const *policies;
  size_t policy_count;
  const char *policy_digest;
  int64_t session_until;     /* seconds since 1970 */
  enum cortex_reason reason; /* written for a login always, else unless CORTEX_OK */
  int64_t duration;          /* microseconds */
  int64_t count;             /* of refusals: how many; of recovered: how many bytes */
  const char *detail;        /* a few words more */

  /*
   * A refusal before any signature was verified, which a stranger can cause at
   * will: beyond 20 in a minute from an address it is only counted. Not written.
   */
  bool before_signature;
};

/* Where and how the trail is written: the values of [audit]. */
struct cortex_audit_options {
  const char *file;       /* absolute path */
  bool fsync;             /* each record reaches the disk before the call ends */
  int syslog;             /* facility number of anchors, RFC 5424 6.2.1 */
  int64_t anchor_every;   /* records between anchors; 0: only where a file begins */
  const char *log_socket; /* NULL: /dev/log */
};

/*
 * The [audit] section as options. Strings are borrowed from the settings.
 * options_out->file is NULL when no audit file is configured.
 */
CORTEX_API void cortex_audit_options_get(const struct cortex_settings *settings,
                                         struct cortex_audit_options *options_out);

/*
 * Appends one record to the trail, and with it what is due: the closing of a
 * torn last line, the sums of refusals, the link to a rotated file.
 * On failure nothing was appended, or only bytes that the next writer closes.
 *
 *   in   deadline: on clock->monotonic; 0: none. The wait for other writers ends
 *        there, and after half a second anyway.
 *   gives  CORTEX_OK (written, or counted where before_signature says so),
 *          CORTEX_AUDIT_UNAVAILABLE with the file in the error
 *   makes the file (0660) when its folder exists; sends anchors to syslog without
 *   waiting, and a failure of those is not told; safe among processes and threads
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_audit_append(const struct cortex_audit_options *options, const struct cortex_record *record,
                    const struct cortex_clock *clock, int64_t deadline, struct cortex_error *error);

/* The most records of one cortex_audit_append_all. */
#define CORTEX_AUDIT_BATCH 256

/*
 * The same for several records that stand together: one lock, one write, one
 * reaching of the disk. For programs that report many changes at once.
 *   in   count: at most CORTEX_AUDIT_BATCH; 0 is cortex_audit_flush
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason cortex_audit_append_all(
    const struct cortex_audit_options *options, const struct cortex_record *records, size_t count,
    const struct cortex_clock *clock, int64_t deadline, struct cortex_error *error);

/*
 * Writes the sums of refusals whose minute is over, and closes a torn last
 * line. For programs that run now and then: any append does the same.
 * As cortex_audit_append; an absent file is fine and stays absent.
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_audit_flush(const struct cortex_audit_options *options, const struct cortex_clock *clock,
                   int64_t deadline, struct cortex_error *error);

#define CORTEX_AUDIT_PATH_MAX 4096

/*
 * Starts a new file and keeps the old one as FILE.SEQ (its first sequence
 * in 12 digits). The new file continues the chain and is complete before it can
 * be seen; writers that run meanwhile lose nothing. A file without records is
 * not rotated.
 *
 *   out  archive_out: CORTEX_AUDIT_PATH_MAX bytes: the kept file's path, empty
 *        when there was nothing to rotate and on failure
 *   gives  CORTEX_OK, CORTEX_AUDIT_UNAVAILABLE
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_audit_rotate(const struct cortex_audit_options *options, const struct cortex_clock *clock,
                    int64_t deadline, char *archive_out, struct cortex_error *error);

/* ---- verifying ---- */

enum cortex_finding_kind {
  /* breaks */
  CORTEX_FINDING_EDITED,     /* a line that is not as it was written */
  CORTEX_FINDING_REMOVED,    /* records are missing before this line */
  CORTEX_FINDING_REORDERED,  /* a record stands too late, or before others that it follows */
  CORTEX_FINDING_DUPLICATED, /* a record was there before */
  CORTEX_FINDING_TORN,       /* the file ends inside a line */
  CORTEX_FINDING_RESTARTED,  /* a chain of its own begins */
  CORTEX_FINDING_ANCHOR,     /* an anchor names another hash for this record */
  CORTEX_FINDING_CUT,        /* an anchor names a sequence past the end */
  /* notes: nothing is wrong */
  CORTEX_FINDING_RECOVERED, /* torn bytes that a later record accounts for */
  CORTEX_FINDING_CONTINUED, /* the first file continues one that was not given */
  CORTEX_FINDINGS
};

/* "edited", "removed", …; NULL outside the enum. Static storage. */
CORTEX_API const char *cortex_finding_name(enum cortex_finding_kind kind);
CORTEX_API bool cortex_finding_is_break(enum cortex_finding_kind kind);

/* One break or note; neighbours of the same kind come as one range. Lives during the call. */
struct cortex_finding {
  enum cortex_finding_kind kind;
  const char *file;   /* as given; NULL: no file, an anchor only */
  uint64_t line;      /* 1-based; 0: no line */
  uint64_t last_line; /* same as line for one line */
  uint64_t seq;       /* sequences that were found or are missing; 0: not known */
  uint64_t last_seq;
  const char *text; /* what was seen, one line of plain text */
};

/* An anchor: this sequence had this hash. */
struct cortex_anchor {
  uint64_t seq;
  char hash[65]; /* lower case hex */
};

/* Reads SEQ:HASH, alone. false: it is not one. */
CORTEX_API CORTEX_MUSTCHECK bool cortex_anchor_parse(const char *text,
                                                     struct cortex_anchor *anchor_out);

/* What to verify. */
struct cortex_audit_check {
  const char *const *files; /* oldest first: together one chain */
  size_t file_count;
  const struct cortex_anchor *anchors;
  size_t anchor_count;
  const char *anchors_file; /* NULL: none; SEQ:HASH anywhere in a line, so syslog's own lines do */
  void (*report)(void *context, const struct cortex_finding *finding); /* NULL: only the summary */
  void *context;
};

struct cortex_audit_summary {
  bool intact;      /* everything was read and there is no break */
  uint64_t records; /* lines that are records */
  uint64_t first_seq;
  uint64_t last_seq;
  char last_hash[65]; /* with last_seq the anchor of the end */
  uint64_t breaks;
  uint64_t notes;
  uint64_t anchors_met;
  uint64_t anchors_earlier; /* older than the first record: could not be checked */
};

/*
 * Walks the chain and reports each break once, in the order it becomes known.
 * Takes no more of a growing file than was there at the start. A cut tail and a
 * chain rewritten from some place to its end show against an anchor only.
 *
 *   out  summary_out: written always; all zero (not intact) on failure
 *   gives  CORTEX_OK when everything could be read, whatever was found;
 *          CORTEX_AUDIT_UNAVAILABLE, CORTEX_TOO_LARGE (over 100000 anchors),
 *          CORTEX_INTERNAL
 *   memory does not grow with the files; writes nothing
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_audit_verify(const struct cortex_audit_check *check,
                    struct cortex_audit_summary *summary_out, struct cortex_error *error);

/* ---- reading back ---- */

struct cortex_audit_entry;

/*
 * Finds the record of a reference. Does not verify the chain.
 *
 *   out  entry_out: release with cortex_audit_entry_free; NULL on failure, and
 *        with CORTEX_OK when no record of the file has this reference
 *   gives  CORTEX_OK, CORTEX_AUDIT_UNAVAILABLE, CORTEX_INTERNAL
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_audit_find(const char *file, const char *reference, struct cortex_audit_entry **entry_out,
                  struct cortex_error *error);
CORTEX_API void cortex_audit_entry_free(struct cortex_audit_entry **entry);

/* The record's fields; before_signature is never set. Borrowed until the entry is freed. */
CORTEX_API const struct cortex_record *
cortex_audit_entry_record(const struct cortex_audit_entry *entry);

/* Sequence of the record; its line in the file, 1-based; the line's own text. */
CORTEX_API uint64_t cortex_audit_entry_seq(const struct cortex_audit_entry *entry);
CORTEX_API uint64_t cortex_audit_entry_line(const struct cortex_audit_entry *entry);
CORTEX_API const char *cortex_audit_entry_text(const struct cortex_audit_entry *entry);

#endif
