/*
 * The requests that logins leave when they lack an issuer's keys or a policy image: files in
 * requests/ of the state.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "requests.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <cortexauth/state.h>

#include "common/cli.h"
#include "refresh_kind.h"

bool requests_open(const struct cortex_settings *settings, bool is_watched,
                   struct requests *requests_out) {
  const char *state = cortex_settings_value(settings, "state", "path");
  size_t size = strlen(state) + sizeof "/requests";

  *requests_out = (struct requests){malloc(size), -1, false};
  if (requests_out->folder == NULL)
    return false;
  snprintf(requests_out->folder, size, "%s/requests", state);
  if (is_watched)
    requests_out->watch = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  return true;
}

void requests_close(struct requests *requests) {
  if (requests->watch >= 0)
    close(requests->watch);
  free(requests->folder);
  *requests = (struct requests){NULL, -1, false};
}

static bool make_path(const struct requests *requests, const char *label, char path[PATH_MAX]) {
  int len = snprintf(path, PATH_MAX, "%s/%s", requests->folder, label);

  return len > 0 && len < PATH_MAX;
}

bool requests_has(const struct requests *requests, const char *label) {
  char path[PATH_MAX];

  return strcmp(label, ".") != 0 && strcmp(label, "..") != 0 &&
         make_path(requests, label, path) && faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static bool take_away(int folder, const char *name) {
  return unlinkat(folder, name, 0) == 0 ||
         (errno == EISDIR && unlinkat(folder, name, AT_REMOVEDIR) == 0) || errno == ENOENT;
}

void requests_take(const struct requests *requests, const char *label) {
  char path[PATH_MAX];

  if (make_path(requests, label, path))
    take_away(AT_FDCWD, path);
}

static bool is_asked_for(const struct cortex_settings *settings, const char *name) {
  const struct cortex_issuer *issuer;
  size_t i;

  if (strcmp(name, CORTEX_REQUEST_IMAGE) == 0)
    return true;
  for (i = 0; (issuer = cortex_settings_issuer(settings, i)) != NULL; i++)
    if (strcmp(cortex_issuer_label(issuer), name) == 0)
      return refresh_kind_of(issuer) != NULL && cortex_issuer_is_fetched(issuer);
  return false;
}

/* Each time, since the folder may be another one by now; it costs a call when it is not. */
static void renew_watch(struct requests *requests) {
  char events[4096];

  if (requests->watch < 0)
    return;
  requests->is_watched = inotify_add_watch(requests->watch, requests->folder,
                                           IN_CREATE | IN_MOVED_TO | IN_ONLYDIR) >= 0;
  while (read(requests->watch, events, sizeof events) > 0)
    continue;
}

bool requests_tidy(struct requests *requests, const struct cortex_settings *settings) {
  struct dirent *entry;
  bool is_tidy = true;
  DIR *folder;

  renew_watch(requests);
  folder = opendir(requests->folder);
  if (folder == NULL && errno != ENOENT) {
    cli_complain("%s: %s", requests->folder, strerror(errno));
    return false;
  }
  while (folder != NULL && (entry = readdir(folder)) != NULL)
    if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
        !is_asked_for(settings, entry->d_name) && !take_away(dirfd(folder), entry->d_name)) {
      cli_complain("%s/%s: no request, and cannot be removed: %s", requests->folder, entry->d_name,
                   strerror(errno));
      is_tidy = false;
    }
  if (folder != NULL)
    closedir(folder);
  return is_tidy;
}
