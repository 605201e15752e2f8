/*
 * The stamp of a policy image: what the policy was made from, and what a login wants to know.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_POLICY_STAMP_H
#define CX_POLICY_STAMP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>

#include "policy/policy.h"
#include "util/buf.h"

/*
 * Looks at every source of a policy: the folder, its policy files, entities, links, schema. Each
 * is written with device, inode, size and both times, so that two stamps of one state are equal
 * bytes. The folder's own times show files that come and go.
 *
 *   out  sources: made by this call; cx_buf_clear it on success
 *   out  changed_out: when the newest change was, in seconds since 1970
 *   gives  CORTEX_OK, CORTEX_POLICY_UNAVAILABLE with the path, CORTEX_INTERNAL
 */
CORTEX_MUSTCHECK enum cortex_reason cx_stamp_sources(const struct cx_policy_settings *settings,
                                                     struct cx_buf *sources, int64_t *changed_out,
                                                     struct cortex_error *error);

/*
 * What tells an image's file from another one, and from itself once somebody wrote to it: its
 * writer sets its mtime, to one that lies back, and the next write changes that.
 */
struct cx_stamp_file {
  uint64_t inode;
  int64_t modified;
  int64_t modified_ns;
};

struct cx_stamp_file cx_stamp_file_of(const struct stat *status);

/* Puts the policy's digest, its sources, the order of its services and its file together. */
CORTEX_MUSTCHECK bool cx_stamp_make(const struct cortex_policy *policy,
                                    const struct cx_buf *sources, const struct cx_stamp_file *file,
                                    struct cx_buf *stamp);

/* What cx_stamp_read finds; borrowed from the store. */
struct cx_stamp {
  struct cx_stamp_file file;
  const char *digest;   /* CX_HASH_HEX digits, no NUL */
  size_t service_order; /* where in the stamp the services' entities are */
  size_t service_count;
  bool is_current; /* its sources are still what they were, and those of the settings */
};

/*
 * Reads the stamp of an image and looks at its sources again; false when it is of no or another
 * version.
 */
CORTEX_MUSTCHECK bool cx_stamp_read(const struct cedar_store *store,
                                    const struct cx_policy_settings *settings,
                                    struct cx_stamp *stamp_out);

#endif
