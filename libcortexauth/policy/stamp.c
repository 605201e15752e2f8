/*
 * The stamp of a policy image: what the policy was made from, and what a login wants to know.
 * SPDX-License-Identifier: PostgreSQL
 *
 * Head, sources, services in the order of their names. The head has the digest of the built-in
 * schema: an image validated against another release's must not be used.
 */
#include <config.h>

#include "policy/stamp.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/folder.h"
#include "policy/schema.h"

/* Raise with any change below, or of what is checked when a policy is loaded. */
static const char stamp_name[24] = "cortex 2 " PACKAGE_VERSION;

#define SOURCES_MAX (64 * 1024 * 1024)

struct head {
  char name[sizeof stamp_name];
  char digest[CX_HASH_HEX];
  char schema[CX_HASH_HEX];
  struct cx_stamp_file file;
  uint32_t service_count;
  uint32_t sources_len;
};

enum role { FOLDER, POLICY, ENTITIES, LINKS, SCHEMA, ROLES };

/* A source, followed by its path and a NUL, filled up to whole records' alignment. */
struct source {
  uint64_t device, inode;
  int64_t size;
  int64_t modified, modified_ns, changed, changed_ns;
  uint32_t role;
  uint32_t path_len; /* with its NUL and what fills up */
};

static size_t fill_up(size_t len) {
  return (len + 7) / 8 * 8;
}

static bool look(const char *path, enum role role, struct source *source) {
  struct stat status;

  memset(source, 0, sizeof *source);
  if (stat(path, &status) != 0)
    return false;
  source->device = (uint64_t)status.st_dev;
  source->inode = (uint64_t)status.st_ino;
  source->size = status.st_size;
  source->modified = status.st_mtim.tv_sec;
  source->modified_ns = status.st_mtim.tv_nsec;
  source->changed = status.st_ctim.tv_sec;
  source->changed_ns = status.st_ctim.tv_nsec;
  source->role = (uint32_t)role;
  source->path_len = (uint32_t)fill_up(strlen(path) + 1);
  return true;
}

struct listing {
  struct cx_buf *sources;
  int64_t newest;
  struct cortex_error *error;
};

static enum cortex_reason put_source(struct listing *listing, const char *path, enum role role) {
  static const char zeros[8];
  struct source source;
  size_t len = strlen(path) + 1;

  if (path[0] == '\0' || !look(path, role, &source))
    return cx_error_at(listing->error, CORTEX_POLICY_UNAVAILABLE, (struct cx_place){path, 0, 0},
                       "cannot be looked at: %s", strerror(errno));
  if (source.changed > listing->newest)
    listing->newest = source.changed;
  cx_buf_put(listing->sources, &source, sizeof source);
  cx_buf_put(listing->sources, path, len);
  cx_buf_put(listing->sources, zeros, source.path_len - len);
  return CORTEX_OK;
}

static enum cortex_reason put_policy(void *context, const char *path) {
  return put_source(context, path, POLICY);
}

/* The files that the settings name, by role; NULL: none, or not a single one. */
static const char *named_file(const struct cx_policy_settings *settings, uint32_t role) {
  const char *const files[ROLES] = {
      [FOLDER] = settings->path,
      [ENTITIES] = settings->entities,
      [LINKS] = settings->links,
      [SCHEMA] = settings->schema,
  };

  return role < ROLES ? files[role] : NULL;
}

enum cortex_reason cx_stamp_sources(const struct cx_policy_settings *settings,
                                    struct cx_buf *sources, int64_t *changed_out,
                                    struct cortex_error *error) {
  struct listing listing = {sources, INT64_MIN, error};
  enum cortex_reason reason = CORTEX_OK;
  uint32_t role;

  cx_buf_init(sources, SOURCES_MAX);
  for (role = FOLDER; role < ROLES && reason == CORTEX_OK; role++)
    if (named_file(settings, role) != NULL)
      reason = put_source(&listing, named_file(settings, role), (enum role)role);
  if (reason == CORTEX_OK)
    reason = cx_folder_visit(settings->path, put_policy, &listing, error);
  if (reason == CORTEX_OK && sources->failed)
    reason = cx_error_memory(error);
  *changed_out = listing.newest;
  if (reason != CORTEX_OK)
    cx_buf_clear(sources);
  return reason;
}

struct cx_stamp_file cx_stamp_file_of(const struct stat *status) {
  struct cx_stamp_file file = {(uint64_t)status->st_ino, status->st_mtim.tv_sec,
                               status->st_mtim.tv_nsec};

  return file;
}

bool cx_stamp_make(const struct cortex_policy *policy, const struct cx_buf *sources,
                   const struct cx_stamp_file *file, struct cx_buf *stamp) {
  struct head head = {.file = *file,
                      .service_count = (uint32_t)policy->service_count,
                      .sources_len = (uint32_t)sources->len};

  memcpy(head.name, stamp_name, sizeof head.name);
  memcpy(head.digest, policy->digest, sizeof head.digest);
  memcpy(head.schema, cx_schema_digest, sizeof head.schema);
  cx_buf_init(stamp, SOURCES_MAX);
  cx_buf_put(stamp, &head, sizeof head);
  cx_buf_put(stamp, sources->bytes, sources->len);
  cx_buf_put(stamp, policy->sorted, policy->service_count * sizeof *policy->sorted);
  return !stamp->failed;
}

/* Takes len bytes, filled up, off the front; NULL when they are not there. */
static const void *take(struct cedar_text *rest, size_t len) {
  const char *at = rest->ptr;

  if (len > rest->len || fill_up(len) > rest->len)
    return NULL;
  rest->ptr += fill_up(len);
  rest->len -= fill_up(len);
  return at;
}

/* Whether one source is what it was; counts the roles met. */
static bool is_same(const struct source *then, const char *path,
                    const struct cx_policy_settings *settings, unsigned met[ROLES]) {
  const char *named = named_file(settings, then->role);
  struct source now;

  if (then->role >= ROLES || (then->role != POLICY && (named == NULL || strcmp(named, path) != 0)))
    return false;
  met[then->role]++;
  return look(path, (enum role)then->role, &now) && memcmp(&now, then, sizeof now) == 0;
}

static bool are_current(struct cedar_text rest, const struct cx_policy_settings *settings) {
  unsigned met[ROLES] = {0};
  const struct source *source;
  const char *path;
  uint32_t role;

  while (rest.len > 0) {
    source = take(&rest, sizeof *source);
    path = source != NULL ? take(&rest, source->path_len) : NULL;
    if (path == NULL || memchr(path, '\0', source->path_len) == NULL ||
        !is_same(source, path, settings, met))
      return false;
  }
  for (role = FOLDER; role < ROLES; role++)
    if (role != POLICY && met[role] != (named_file(settings, role) != NULL))
      return false;
  return met[POLICY] > 0;
}

bool cx_stamp_read(const struct cedar_store *store, const struct cx_policy_settings *settings,
                   struct cx_stamp *stamp_out) {
  const char *bytes = cedar_store_stamp(store, 0, sizeof(struct head));
  struct cedar_text sources;
  struct head head;

  memset(stamp_out, 0, sizeof *stamp_out);
  if (bytes == NULL)
    return false;
  memcpy(&head, bytes, sizeof head);
  if (memcmp(head.name, stamp_name, sizeof head.name) != 0 ||
      memcmp(head.schema, cx_schema_digest, sizeof head.schema) != 0)
    return false;
  sources.len = head.sources_len;
  sources.ptr = cedar_store_stamp(store, sizeof head, sources.len);
  if (sources.ptr == NULL)
    return false;
  stamp_out->file = head.file;
  stamp_out->digest = bytes + offsetof(struct head, digest);
  stamp_out->service_count = head.service_count;
  stamp_out->service_order = sizeof head + sources.len;
  stamp_out->is_current = are_current(sources, settings);
  return true;
}
