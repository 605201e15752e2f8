/*
 * The private cache: its folder, its locks, what is kept.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <config.h>

#include "cache.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "common/discovery.h"
#include "private_file.h"
#include "provider.h"
#include "text.h"
#include "wipe.h"

#define KEPT_MAX (4 * 65536)
#define POLL_MS 50
#define NAME_ROOM (PROFILE_NAME_MAX + 16)

/* ---- the folder ---- */

static bool is_made(const char *path) {
  return mkdir(path, 0700) == 0 || errno == EEXIST;
}

/*
 * XDG Base Directory: a relative path counts as unset.
 *   out  problem_out: NULL, or why the folder is not there
 *   gives  its path; NULL, with a problem, when nothing says where it is
 */
static char *find_place(const char **problem_out) {
  const char *folder = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
  struct text path = {0};
  char *place;

  *problem_out = NULL;
  if (folder != NULL && *folder == '/') {
    text_put(&path, folder);
  } else if (home != NULL && *home == '/') {
    text_put(&path, home);
    text_put(&path, "/.cache");
  } else {
    *problem_out = "neither XDG_CACHE_HOME nor HOME is set";
    return NULL;
  }
  if (text_end(&path) != NULL && !is_made(path.bytes))
    *problem_out = strerror(errno);
  text_put(&path, "/cortex-login");
  place = text_take(&path);
  if (place == NULL)
    *problem_out = "out of memory";
  else if (*problem_out == NULL && !is_made(place))
    *problem_out = strerror(errno);
  return place;
}

static enum cli_exit open_folder(const char *path, int *folder_out) {
  struct stat status;

  *folder_out = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (*folder_out < 0 || fstat(*folder_out, &status) != 0) {
    cli_complain("%s: %s", path, strerror(errno));
    return CLI_USAGE;
  }
  if (status.st_uid != geteuid())
    cli_complain("%s: is owned by somebody else; was it you under another name, as by sudo?", path);
  else if ((status.st_mode & (S_IRWXG | S_IRWXO)) != 0)
    cli_complain("%s: must be yours alone (chmod 700 \"%s\")", path, path);
  else
    return CLI_DONE;
  return CLI_USAGE;
}

/* ---- locks ---- */

/* The lock belongs to the open file, so it ends with the process, however that ends. */
static bool wait_for_lock(int fd, int64_t seconds, const char *label) {
  const struct timespec pause = {0, POLL_MS * 1000000L};
  struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
  int64_t end = provider_deadline(seconds), told = provider_deadline(1);
  bool quiet = false;

  while (fcntl(fd, F_OFD_SETLK, &lock) != 0) {
    if ((errno != EAGAIN && errno != EACCES && errno != EINTR) || provider_deadline(0) > end)
      return false;
    if (!quiet && provider_deadline(0) > told) {
      cli_complain("waiting for another cortex-login that is busy with \"%s\"", label);
      quiet = true;
    }
    nanosleep(&pause, NULL);
  }
  return true;
}

static int open_lock(int folder, const char *path, const char *name, int64_t seconds,
                     const char *label) {
  int fd = openat(folder, name, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);

  if (fd < 0 || !private_file_check(fd, path, name)) {
    if (fd < 0)
      cli_complain("%s/%s: %s", path, name, strerror(errno));
  } else if (wait_for_lock(fd, seconds, label)) {
    return fd;
  } else {
    cli_complain("%s/%s: another process holds it", path, name);
  }
  if (fd >= 0)
    close(fd);
  return -1;
}

enum cli_exit cache_open(const struct profile *profile, struct cache *cache_out) {
  char name[NAME_ROOM];
  const char *problem;
  enum cli_exit code;

  *cache_out = (struct cache)CACHE_NONE;
  cache_out->profile = profile;
  if (!profile->is_cached)
    return CLI_DONE;
  cache_out->path = find_place(&problem);
  if (problem != NULL) {
    cli_complain("%s: there is no place for the cache: %s (cache = no does without)",
                 cache_out->path != NULL ? cache_out->path : profile->label, problem);
    return CLI_USAGE;
  }
  code = open_folder(cache_out->path, &cache_out->folder);
  if (code != CLI_DONE)
    return code;
  snprintf(name, sizeof name, "%s.lock", profile->label);
  cache_out->lock = open_lock(cache_out->folder, cache_out->path, name,
                              profile->timeout_seconds + 60, profile->label);
  return cache_out->lock >= 0 ? CLI_DONE : CLI_OUTSIDE;
}

void cache_close(struct cache *cache) {
  if (cache->folder >= 0)
    close(cache->folder);
  if (cache->lock >= 0)
    close(cache->lock);
  wipe_free(cache->path);
  *cache = (struct cache)CACHE_NONE;
}

bool cache_lock_passfiles(int *lock_out) {
  const char *problem;
  char *path = find_place(&problem);
  int folder = -1;

  *lock_out = -1;
  if (problem == NULL && open_folder(path, &folder) == CLI_DONE)
    *lock_out = open_lock(folder, path, ".passfile.lock", 60, "a password file");
  if (folder >= 0)
    close(folder);
  wipe_free(path);
  return problem != NULL || *lock_out >= 0;
}

/* ---- what is kept ---- */

/* Tokens are for one client, scope and kind of login: a profile that changed gets new ones. */
static bool fingerprint(const struct profile *profile, char *hex, size_t size) {
  const char *const parts[] = {profile->issuer,
                               profile->client_id,
                               profile->scope,
                               profile->audience,
                               profile->resource,
                               profile->sso_url,
                               profile->flow_kind == FLOW_CLIENT ? "client" : "person"};
  unsigned char digest[32];
  struct text all = {0};
  bool done;
  size_t i;

  for (i = 0; i < sizeof parts / sizeof parts[0]; i++)
    text_put_pair(&all, "p", parts[i] != NULL ? parts[i] : "");
  done = text_end(&all) != NULL && size >= 2 * sizeof digest + 1 &&
         EVP_Digest(all.bytes, all.len, digest, NULL, EVP_sha256(), NULL) == 1;
  for (i = 0; done && i < sizeof digest; i++)
    snprintf(hex + 2 * i, 3, "%02x", digest[i]);
  text_clear(&all);
  return done;
}

static char *dup_member(const json_t *kept, const char *name) {
  const char *text = discovery_text(kept, name);

  return text != NULL ? wipe_dup(text) : NULL;
}

static void read_kept(const char *bytes, size_t len, const struct profile *profile,
                      struct tokens *tokens) {
  json_t *kept = json_loadb(bytes, len, JSON_REJECT_DUPLICATES, NULL);
  const char *whose = discovery_text(kept, "for");
  char wanted[65];

  if (whose != NULL && fingerprint(profile, wanted, sizeof wanted) && strcmp(whose, wanted) == 0) {
    tokens->id_token = dup_member(kept, "id_token");
    tokens->access_token = dup_member(kept, "access_token");
    tokens->refresh_token = dup_member(kept, "refresh_token");
    tokens->subject = dup_member(kept, "subject");
    tokens->id_expires = json_integer_value(json_object_get(kept, "id_expires"));
    tokens->access_expires = json_integer_value(json_object_get(kept, "access_expires"));
  }
  json_decref(kept);
}

static void name_kept(const struct cache *cache, char *name, size_t size) {
  snprintf(name, size, "%s.json", cache->profile->label);
}

enum cli_exit cache_load(const struct cache *cache, struct tokens *tokens_out) {
  char name[NAME_ROOM];
  struct text kept = {0};
  enum cli_exit code = CLI_DONE;

  memset(tokens_out, 0, sizeof *tokens_out);
  if (cache->folder < 0)
    return CLI_DONE;
  name_kept(cache, name, sizeof name);
  if (!private_file_read(cache->folder, cache->path, name, KEPT_MAX, &kept))
    code = CLI_USAGE;
  else if (kept.len > 0)
    read_kept(kept.bytes, kept.len, cache->profile, tokens_out);
  text_clear(&kept);
  return code;
}

bool cache_store(const struct cache *cache, const struct tokens *tokens) {
  char name[NAME_ROOM], mark[65];
  char *bytes = NULL;
  json_t *kept;
  bool done;

  if (cache->folder < 0)
    return true;
  name_kept(cache, name, sizeof name);
  if (!fingerprint(cache->profile, mark, sizeof mark))
    return false;
  kept = json_pack("{s:s, s:s*, s:s*, s:s*, s:s*, s:I, s:I}", "for", mark, "id_token",
                   tokens->id_token, "access_token", tokens->access_token, "refresh_token",
                   tokens->refresh_token, "subject", tokens->subject, "id_expires",
                   (json_int_t)tokens->id_expires, "access_expires",
                   (json_int_t)tokens->access_expires);
  bytes = kept != NULL ? json_dumps(kept, JSON_COMPACT) : NULL;
  done =
      bytes != NULL && private_file_write(cache->folder, cache->path, name, bytes, strlen(bytes));
  if (bytes == NULL)
    cli_complain("%s/%s: out of memory", cache->path, name);
  wipe_free(bytes);
  json_decref(kept);
  return done;
}

bool cache_remove(const struct cache *cache) {
  char name[NAME_ROOM];

  if (cache->folder < 0)
    return true;
  name_kept(cache, name, sizeof name);
  if (unlinkat(cache->folder, name, 0) == 0 || errno == ENOENT)
    return true;
  cli_complain("%s/%s: %s", cache->path, name, strerror(errno));
  return false;
}
