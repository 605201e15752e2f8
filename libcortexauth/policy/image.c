/*
 * The policy image: a loaded policy as a file, so that a login need not read and check it again.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <config.h> /* mkostemp is not in POSIX 2008 */

#include "policy/image.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "policy/stamp.h"
#include "util/file.h"

#define IMAGE_MAX ((size_t)1 << 30)

/*
 * An image that is read whole in no time is compared with its digest too: that also shows one
 * that somebody writes over in place. Larger ones are compared by cortexctl check.
 */
#define DIGEST_MAX ((size_t)1 << 20)

/* A change in the same tick of the file system's clock as the look at it would not show. */
#define SETTLED_SECONDS 2

static enum cortex_image_state fail(struct cortex_error *why, enum cortex_image_state state,
                                    const char *path, const char *what) {
  cx_error_at(why, CORTEX_POLICY_UNAVAILABLE, (struct cx_place){path, 0, 0}, "%s", what);
  return state;
}

static enum cortex_image_state open_stamp(const struct cx_policy_settings *settings,
                                          struct cortex_policy *policy, bool is_whole,
                                          struct cortex_error *why) {
  struct cedar_text bytes;
  struct cx_stamp stamp;

  if (!cedar_image_stamp(policy->image, policy->image_len, &bytes) ||
      !cx_stamp_read(bytes, settings, &stamp))
    return fail(why, CORTEX_IMAGE_REFUSED, settings->image, "is no image of this version");
  if ((is_whole || policy->image_len <= DIGEST_MAX) &&
      !cedar_image_is_intact(policy->image, policy->image_len))
    return fail(why, CORTEX_IMAGE_REFUSED, settings->image, "is damaged");
  if (!stamp.is_current)
    return fail(why, CORTEX_IMAGE_STALE, settings->image,
                "is older than the policies: \"cortexctl policy image\" makes a new one");
  if (cedar_store_open_image(policy->image, policy->image_len, NULL, &policy->store, NULL) !=
      CEDAR_OK)
    return fail(why, CORTEX_IMAGE_REFUSED, settings->image, "is damaged");
  memcpy(policy->digest, stamp.digest, CX_HASH_HEX);
  policy->service_order = stamp.service_order;
  policy->service_count = stamp.service_count;
  return CORTEX_IMAGE_CURRENT;
}

enum cortex_image_state cx_image_open(const struct cx_policy_settings *settings,
                                      struct cortex_policy *policy, bool is_whole,
                                      struct cortex_error *why) {
  const struct cx_file_rules rules = {CORTEX_POLICY_UNAVAILABLE, IMAGE_MAX, true};
  enum cortex_image_state state = CORTEX_IMAGE_REFUSED;
  struct cx_buf content;

  errno = 0;
  if (cx_file_read(settings->image, &rules, &content, NULL, why) != CORTEX_OK)
    return errno == ENOENT ? CORTEX_IMAGE_ABSENT : CORTEX_IMAGE_REFUSED;
  policy->image_len = content.len;
  policy->image = cx_buf_take(&content);
  if (policy->image != NULL)
    state = open_stamp(settings, policy, is_whole, why);
  else
    fail(why, CORTEX_IMAGE_REFUSED, settings->image, "is empty");
  if (state != CORTEX_IMAGE_CURRENT)
    cx_image_close(policy);
  return state;
}

void cx_image_close(struct cortex_policy *policy) {
  if (policy->image == NULL)
    return;
  cedar_store_free(&policy->store);
  free(policy->image);
  policy->image = NULL;
  policy->image_len = 0;
  policy->service_order = NULL;
  policy->service_count = 0;
  policy->digest[0] = '\0';
}

enum cortex_image_state cortex_policy_check_image(const struct cortex_settings *settings,
                                                  struct cortex_error *why) {
  struct cortex_policy policy = {.store = NULL};
  enum cortex_image_state state = cx_image_open(&settings->policy, &policy, true, why);

  cx_image_close(&policy);
  return state;
}

/* ---- writing ---- */

static bool put(void *context, const char *bytes, size_t len) {
  return cx_file_write(*(const int *)context, bytes, len);
}

/* Readable where the folder is: who may read the cache may read the image, and nobody else. */
static bool fill(int fd, const char *path, const struct cortex_policy *policy,
                 const struct cx_buf *stamp) {
  struct cedar_sink sink = {put, &fd};
  char folder[PATH_MAX];
  const char *slash = strrchr(path, '/');
  struct stat status;

  snprintf(folder, sizeof folder, "%.*s/", (int)(slash - path), path);
  if (stat(folder, &status) != 0 ||
      (status.st_gid != getegid() && fchown(fd, (uid_t)-1, status.st_gid) != 0 && errno != EPERM) ||
      fchmod(fd, 0640) != 0)
    return false;
  return cedar_store_write_image(policy->store, (struct cedar_text){stamp->bytes, stamp->len},
                                 &sink) == CEDAR_OK &&
         fsync(fd) == 0;
}

/* As a new file: a login may be reading the old one. */
static enum cortex_reason replace(const char *path, const struct cortex_policy *policy,
                                  const struct cx_buf *stamp, struct cortex_error *error) {
  struct cx_place place = {path, 0, 0};
  char name[PATH_MAX];
  int fd, len = snprintf(name, sizeof name, "%s.XXXXXX", path);
  bool done;

  if (len < 0 || (size_t)len >= sizeof name)
    return cx_error_at(error, CORTEX_STATE_UNAVAILABLE, place, "the path is too long");
  fd = mkostemp(name, O_CLOEXEC);
  if (fd < 0)
    return cx_error_at(error, CORTEX_STATE_UNAVAILABLE, place, "cannot be made: %s",
                       strerror(errno));
  done = fill(fd, path, policy, stamp) && rename(name, path) == 0;
  if (!done) {
    cx_error_at(error, CORTEX_STATE_UNAVAILABLE, place, "cannot be written: %s", strerror(errno));
    unlink(name);
  }
  close(fd);
  return done ? CORTEX_OK : CORTEX_STATE_UNAVAILABLE;
}

/* The same sources before and after loading, and none too young to tell. */
static enum cortex_reason compare(const struct cortex_settings *settings,
                                  const struct cx_buf *before, int64_t changed, int64_t now,
                                  struct cortex_error *error) {
  enum cortex_reason reason;
  struct cx_buf after;

  if (changed >= now - SETTLED_SECONDS)
    return cx_error_at(error, CORTEX_POLICY_UNAVAILABLE,
                       (struct cx_place){settings->policy.path, 0, 0},
                       "the policies have changed just now, or their times lie ahead");
  reason = cx_stamp_sources(&settings->policy, &after, &changed, error);
  if (reason != CORTEX_OK)
    return reason;
  if (after.len != before->len || memcmp(after.bytes, before->bytes, after.len) != 0)
    reason = cx_error_at(error, CORTEX_POLICY_UNAVAILABLE,
                         (struct cx_place){settings->policy.path, 0, 0},
                         "the policies change while they are read");
  cx_buf_clear(&after);
  return reason;
}

enum cortex_reason cortex_policy_write_image(const struct cortex_settings *settings, int64_t now,
                                             bool *is_early_out, struct cortex_error *error) {
  struct cortex_policy *policy = NULL;
  struct cx_buf sources, stamp;
  enum cortex_reason reason;
  int64_t changed;

  *is_early_out = false;
  reason = cx_stamp_sources(&settings->policy, &sources, &changed, error);
  if (reason != CORTEX_OK)
    return reason;
  cx_buf_init(&stamp, 0);
  reason = cortex_policy_load_text(settings, &policy, error);
  if (reason == CORTEX_OK) {
    reason = compare(settings, &sources, changed, now, error);
    *is_early_out = reason == CORTEX_POLICY_UNAVAILABLE;
  }
  if (reason == CORTEX_OK && !cx_stamp_make(policy, &sources, &stamp))
    reason = cx_error_memory(error);
  if (reason == CORTEX_OK)
    reason = replace(settings->policy.image, policy, &stamp, error);
  cx_buf_clear(&stamp);
  cx_buf_clear(&sources);
  cortex_policy_free(&policy);
  return reason;
}
