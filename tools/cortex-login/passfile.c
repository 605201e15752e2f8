/*
 * A password file of libpq (PGPASSFILE) that holds a token, for drivers and pools.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "passfile.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cache.h"
#include "private_file.h"
#include "text.h"
#include "wipe.h"

#define FILE_MAX (200 * 1024)

/* ":" and "\" are the format's own (PostgreSQL, "The Password File"). */
static void put_field(struct text *line, const char *value) {
  for (value = value != NULL ? value : "*"; *value != '\0'; value++) {
    if (*value == ':' || *value == '\\')
      text_put(line, "\\");
    text_put_bytes(line, value, 1);
  }
}

/* A value with a line break would be a line of its own. */
static bool is_one_line(const struct profile *profile) {
  const char *const values[] = {profile->host, profile->port, profile->database, profile->user};
  size_t i;

  for (i = 0; i < sizeof values / sizeof values[0]; i++)
    if (values[i] != NULL && strpbrk(values[i], "\r\n") != NULL)
      return false;
  return true;
}

/* Everything up to the token. */
static void put_key(struct text *line, const char *host, const struct profile *profile) {
  put_field(line, host);
  text_put(line, ":");
  put_field(line, profile->port);
  text_put(line, ":");
  put_field(line, profile->database);
  text_put(line, ":");
  put_field(line, profile->user);
  text_put(line, ":");
}

/* The old lines with ours among them. */
static void merge(const struct text *old, const struct text *key, const struct text *line,
                  struct text *merged) {
  const char *at = old->bytes != NULL ? old->bytes : "";
  struct text rest = {0};
  bool placed = false;

  while (*at != '\0') {
    size_t len = strcspn(at, "\n");

    if (len >= key->len && memcmp(at, key->bytes, key->len) == 0) {
      if (!placed)
        text_put_bytes(&rest, line->bytes, line->len);
      placed = true;
    } else {
      text_put_bytes(&rest, at, len);
      text_put(&rest, "\n");
    }
    at += len + (at[len] == '\n' ? 1 : 0);
  }
  if (!placed)
    text_put_bytes(merged, line->bytes, line->len);
  if (rest.len > 0)
    text_put_bytes(merged, rest.bytes, rest.len);
  merged->failed = merged->failed || rest.failed;
  text_clear(&rest);
}

static enum cli_exit replace(int folder, const char *path, const char *name, const struct text *key,
                             const struct text *line) {
  struct text old = {0}, merged = {0};
  enum cli_exit code = CLI_OUTSIDE;

  if (!private_file_read(folder, path, name, FILE_MAX, &old)) {
    code = CLI_USAGE;
  } else {
    merge(&old, key, line, &merged);
    /* Nothing to write where nothing changed: a watcher is not woken. */
    if (text_end(&merged) != NULL &&
        ((old.len == merged.len && memcmp(old.bytes, merged.bytes, old.len) == 0) ||
         private_file_write(folder, path, name, merged.bytes, merged.len)))
      code = CLI_DONE;
  }
  text_clear(&old);
  text_clear(&merged);
  return code;
}

static enum cli_exit put_line(const char *file, const struct text *key, const struct text *line) {
  const char *slash = strrchr(file, '/'), *name = slash != NULL ? slash + 1 : file;
  struct text path = {0};
  enum cli_exit code = CLI_OUTSIDE;
  int folder, lock;

  text_put_bytes(&path, slash != NULL ? file : ".",
                 slash == NULL   ? 1
                 : slash == file ? 1
                                 : (size_t)(slash - file));
  folder = text_end(&path) != NULL ? open(path.bytes, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
  if (folder < 0 || *name == '\0') {
    cli_complain("%s: %s", file, *name == '\0' ? "is a folder" : strerror(errno));
    code = CLI_USAGE;
  } else {
    /* Two writers must not lose each other's line. */
    if (cache_lock_passfiles(&lock))
      code = replace(folder, path.bytes, name, key, line);
    if (lock >= 0)
      close(lock);
  }
  if (folder >= 0)
    close(folder);
  text_clear(&path);
  return code;
}

static enum cli_exit put_for(const char *file, const char *host, const struct profile *profile,
                             const char *token) {
  struct text key = {0}, line = {0};
  enum cli_exit code = CLI_OUTSIDE;

  put_key(&key, host, profile);
  put_key(&line, host, profile);
  put_field(&line, token);
  text_put(&line, "\n");
  if (text_end(&key) != NULL && text_end(&line) != NULL)
    code = put_line(file, &key, &line);
  text_clear(&key);
  text_clear(&line);
  return code;
}

enum cli_exit passfile_put(const char *file, const struct profile *profile, const char *token) {
  enum cli_exit code;

  if (!is_one_line(profile)) {
    cli_complain("%s: host, port, database and user may not hold a line break", profile->label);
    return CLI_USAGE;
  }
  code = put_for(file, profile->host, profile, token);
  /* What libpq looks for in place of its default folder, and other drivers of any. */
  if (code == CLI_DONE && profile->host != NULL && *profile->host == '/')
    code = put_for(file, "localhost", profile, token);
  return code;
}
