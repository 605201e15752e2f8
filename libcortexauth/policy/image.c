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

/* Images up to this size are read as a whole: it costs less than a few small pieces. */
#define AT_ONCE ((size_t)64 << 10)

/* A change in the same tick of the file system's clock as the look at it would not show. */
#define SETTLED_SECONDS 2

struct cx_image {
  int fd;
  size_t size;
  struct cx_stamp_file file; /* what the file must go on to be */
  bool has_read;             /* since the file was last looked at */
  bool is_bad;
  size_t service_order;
};

static enum cortex_image_state fail(struct cortex_error *why, enum cortex_image_state state,
                                    const char *path, const char *what) {
  cx_error_at(why, CORTEX_POLICY_UNAVAILABLE, (struct cx_place){path, 0, 0}, "%s", what);
  return state;
}

/* ---- what the store is given ---- */

static bool read_piece(void *context, uint64_t offset, void *into, size_t len) {
  struct cx_image *image = context;

  image->has_read = true;
  return cx_file_pread(image->fd, into, len, (off_t)offset) == (ssize_t)len;
}

static bool is_the_file(const struct cx_image *image) {
  struct stat status;
  struct cx_stamp_file file;

  if (fstat(image->fd, &status) != 0)
    return false;
  file = cx_stamp_file_of(&status);
  return status.st_size >= 0 && (size_t)status.st_size == image->size &&
         memcmp(&file, &image->file, sizeof file) == 0;
}

bool cx_image_is_good(const struct cortex_policy *policy) {
  struct cx_image *image = policy->image;

  if (image == NULL)
    return true;
  if (image->has_read)
    image->is_bad = image->is_bad || !is_the_file(image);
  image->has_read = false;
  return !image->is_bad && !cedar_store_failed(policy->store);
}

bool cx_image_service(const struct cortex_policy *policy, size_t index, uint32_t *entity_out) {
  const char *at = cedar_store_stamp(
      policy->store, policy->image->service_order + index * sizeof *entity_out, sizeof *entity_out);

  if (at == NULL)
    return false;
  memcpy(entity_out, at, sizeof *entity_out);
  return true;
}

/* ---- opening ---- */

static enum cortex_image_state open_store(const struct cx_policy_settings *settings,
                                          struct cortex_policy *policy, struct cortex_error *why) {
  struct cx_image *image = policy->image;
  const struct cedar_image_source source = {read_piece, image, image->size, AT_ONCE};
  struct cx_stamp stamp;

  if (cedar_store_read_image(&source, NULL, &policy->store, NULL) != CEDAR_OK ||
      !cx_stamp_read(policy->store, settings, &stamp))
    return fail(why, CORTEX_IMAGE_REFUSED, settings->image, "is no image of this version");
  image->file = stamp.file;
  image->service_order = stamp.service_order;
  if (!cx_image_is_good(policy))
    return fail(why, CORTEX_IMAGE_REFUSED, settings->image,
                "was written to since it was made, or is a copy");
  if (!stamp.is_current)
    return fail(why, CORTEX_IMAGE_STALE, settings->image,
                "is older than the policies: \"cortexctl policy image\" makes a new one");
  memcpy(policy->digest, stamp.digest, CX_HASH_HEX);
  policy->service_count = stamp.service_count;
  return CORTEX_IMAGE_CURRENT;
}

static struct cx_image *new_image(const struct cx_file *file) {
  struct cx_image *image = calloc(1, sizeof *image);

  if (image == NULL)
    return NULL;
  image->fd = file->fd;
  image->size = file->size;
  return image;
}

enum cortex_image_state cx_image_open(const struct cx_policy_settings *settings,
                                      struct cortex_policy *policy, struct cortex_error *why) {
  const struct cx_file_rules rules = {CORTEX_POLICY_UNAVAILABLE, IMAGE_MAX, true};
  enum cortex_image_state state;
  struct cx_file file;

  errno = 0;
  if (cx_file_open(settings->image, &rules, &file, why) != CORTEX_OK)
    return errno == ENOENT ? CORTEX_IMAGE_ABSENT : CORTEX_IMAGE_REFUSED;
  policy->image = new_image(&file);
  if (policy->image == NULL) {
    close(file.fd);
    cx_error_memory(why);
    return CORTEX_IMAGE_REFUSED;
  }
  state = open_store(settings, policy, why);
  if (state != CORTEX_IMAGE_CURRENT)
    cx_image_close(policy);
  return state;
}

void cx_image_close(struct cortex_policy *policy) {
  struct cx_image *image = policy->image;

  if (image == NULL)
    return;
  cedar_store_free(&policy->store);
  close(image->fd);
  free(image);
  policy->image = NULL;
  policy->service_count = 0;
  policy->digest[0] = '\0';
}

/* All of it, in memory that is aligned as Cedar asks. */
static bool is_intact(const struct cx_image *image) {
  char *bytes = aligned_alloc(16, (image->size + 15) / 16 * 16);
  bool intact = bytes != NULL &&
                cx_file_pread(image->fd, bytes, image->size, 0) == (ssize_t)image->size &&
                cedar_image_is_intact(bytes, image->size);

  free(bytes);
  return intact;
}

enum cortex_image_state cortex_policy_check_image(const struct cortex_settings *settings,
                                                  struct cortex_error *why) {
  struct cortex_policy policy = {.store = NULL};
  enum cortex_image_state state = cx_image_open(&settings->policy, &policy, why);

  if (state == CORTEX_IMAGE_CURRENT && !is_intact(policy.image))
    state = fail(why, CORTEX_IMAGE_REFUSED, settings->policy.image, "is damaged");
  cx_image_close(&policy);
  return state;
}

/* ---- writing ---- */

static bool put(void *context, const char *bytes, size_t len) {
  return cx_file_write(*(const int *)context, bytes, len);
}

/* Readable where the folder is: who may read the cache may read the image, and nobody else. */
static bool share(int fd, const char *path) {
  char folder[PATH_MAX];
  const char *slash = strrchr(path, '/');
  struct stat status;

  snprintf(folder, sizeof folder, "%.*s/", (int)(slash - path), path);
  return stat(folder, &status) == 0 &&
         (status.st_gid == getegid() || fchown(fd, (uid_t)-1, status.st_gid) == 0 ||
          errno == EPERM) &&
         fchmod(fd, 0640) == 0;
}

/* The file gets the time of its newest source, and the stamp says which file that is. */
static bool fill(int fd, const char *path, const struct cortex_policy *policy,
                 const struct cx_buf *sources, int64_t changed) {
  const struct timespec times[2] = {{.tv_sec = changed}, {.tv_sec = changed}};
  struct cedar_sink sink = {put, &fd};
  struct cx_stamp_file file;
  struct stat status;
  struct cx_buf stamp;
  bool done = share(fd, path) && futimens(fd, times) == 0 && fstat(fd, &status) == 0;

  if (!done)
    return false;
  file = cx_stamp_file_of(&status);
  done = cx_stamp_make(policy, sources, &file, &stamp) &&
         cedar_store_write_image(policy->store, (struct cedar_text){stamp.bytes, stamp.len},
                                 &sink) == CEDAR_OK;
  cx_buf_clear(&stamp);
  return done && futimens(fd, times) == 0 && fsync(fd) == 0;
}

/* As a new file: a login may be reading the old one. */
static enum cortex_reason replace(const char *path, const struct cortex_policy *policy,
                                  const struct cx_buf *sources, int64_t changed,
                                  struct cortex_error *error) {
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
  done = fill(fd, path, policy, sources, changed) && rename(name, path) == 0;
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
  struct cx_buf sources;
  enum cortex_reason reason;
  int64_t changed;

  *is_early_out = false;
  reason = cx_stamp_sources(&settings->policy, &sources, &changed, error);
  if (reason != CORTEX_OK)
    return reason;
  reason = cortex_policy_load_text(settings, &policy, error);
  if (reason == CORTEX_OK) {
    reason = compare(settings, &sources, changed, now, error);
    *is_early_out = reason == CORTEX_POLICY_UNAVAILABLE;
  }
  if (reason == CORTEX_OK)
    reason = replace(settings->policy.image, policy, &sources, changed, error);
  cx_buf_clear(&sources);
  cortex_policy_free(&policy);
  return reason;
}
