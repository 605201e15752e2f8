/*
 * Files of profiles: which are read, and sections into profiles.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "profile_file.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cortexauth/ini.h>

#include "text.h"
#include "wipe.h"

#define PROFILES_MAX 256
#define NAME_LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-"

const char *profile_folder(const char *file) {
  static char folder[PATH_MAX];
  const char *slash = strrchr(file, '/');

  if (slash == NULL)
    return ".";
  snprintf(folder, sizeof folder, "%.*s", (int)(slash == file ? 1 : slash - file), file);
  return folder;
}

/* ---- one file ---- */

struct loader {
  struct profiles *profiles;
  const char *file;
  size_t first; /* the first profile of this file */
  size_t open;  /* profiles that have been begun */
};

/* A profile's file name in the cache is its name, so it has no slash and no dot in front. */
static bool is_name(const char *label) {
  size_t len = strlen(label);

  return len > 0 && len <= PROFILE_NAME_MAX && strspn(label, NAME_LETTERS) == len && *label != '.';
}

static bool is_known(const struct loader *loader, size_t from, const char *label) {
  size_t i;

  for (i = from; i < loader->open; i++)
    if (strcmp(loader->profiles->items[i].label, label) == 0)
      return true;
  return false;
}

static enum cortex_reason on_section(void *context, unsigned line, const char *name,
                                     const char *label, char *message, size_t size) {
  struct loader *loader = context;
  struct profile *profile = &loader->profiles->items[loader->open];

  if (strcmp(name, "profile") != 0 || label == NULL || !is_name(label))
    snprintf(message, size,
             "a section is [profile \"NAME\"], the name of 1 to %d letters, digits and \"._-\", "
             "not with a dot in front",
             PROFILE_NAME_MAX);
  else if (is_known(loader, loader->first, label))
    snprintf(message, size, "profile \"%s\" is there twice", label);
  else if (loader->open == PROFILES_MAX)
    snprintf(message, size, "more than %d profiles", PROFILES_MAX);
  else {
    snprintf(profile->label, sizeof profile->label, "%s", label);
    profile->file = loader->file;
    profile->line = line;
    loader->open++;
    return CORTEX_OK;
  }
  return CORTEX_CONFIG_INVALID;
}

static enum cortex_reason on_pair(void *context, unsigned line, const char *key, const char *value,
                                  char *message, size_t size) {
  struct loader *loader = context;

  (void)line;
  if (loader->open == loader->first) {
    snprintf(message, size, "%s stands before the first section", key);
    return CORTEX_CONFIG_INVALID;
  }
  return profile_put(&loader->profiles->items[loader->open - 1], key, value, message, size)
             ? CORTEX_OK
             : CORTEX_CONFIG_INVALID;
}

/* Each profile must be complete; a name that an earlier file has is left out. */
static bool finish(struct loader *loader) {
  struct profiles *profiles = loader->profiles;
  char message[256];
  size_t i;

  for (i = loader->first; i < loader->open; i++) {
    struct profile *profile = &profiles->items[i];
    size_t earlier;

    if (!profile_finish(profile, message, sizeof message)) {
      fprintf(stderr, "%s:%u: %s\n", profile->file, profile->line, message);
      return false;
    }
    for (earlier = 0; earlier < loader->first; earlier++)
      if (strcmp(profiles->items[earlier].label, profile->label) == 0)
        break;
    if (earlier < loader->first) {
      profile_clear(profile);
    } else if (&profiles->items[profiles->count] != profile) {
      profiles->items[profiles->count++] = *profile;
      memset(profile, 0, sizeof *profile);
    } else {
      profiles->count++;
    }
  }
  return true;
}

static enum cli_exit load_file(struct profiles *profiles, const char *file) {
  struct loader loader = {profiles, file, profiles->count, profiles->count};
  struct cortex_ini_handler handler = {on_section, on_pair, &loader};
  struct cortex_error error = CORTEX_ERROR_NONE;

  if (cortex_ini_load(file, &handler, &error) != CORTEX_OK) {
    cli_complain_error(&error);
    return CLI_USAGE;
  }
  return finish(&loader) ? CLI_DONE : CLI_USAGE;
}

/* ---- which files ---- */

/* XDG Base Directory: a relative path counts as unset. */
static char *user_file(void) {
  const char *folder = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
  struct text path = {0};

  if (folder != NULL && *folder == '/') {
    text_put(&path, folder);
  } else if (home != NULL && *home == '/') {
    text_put(&path, home);
    text_put(&path, "/.config");
  } else {
    return NULL;
  }
  text_put(&path, "/cortex-login/config");
  return text_take(&path);
}

/*
 * A file that is not there is left out; one that cannot be looked at is not, unless profiles of the
 * user's own are there: on a database host the system's folder is for the server's group alone.
 */
static bool is_wanted(struct profiles *profiles, const char *file) {
  if (file == NULL || access(file, F_OK) == 0)
    return file != NULL;
  profiles->is_hidden = errno == EACCES && profiles->count > 0;
  return errno != ENOENT && errno != ENOTDIR && !profiles->is_hidden;
}

enum cli_exit profiles_load(const char *file, struct profiles *profiles_out) {
  enum cli_exit code = CLI_DONE;
  size_t i;

  memset(profiles_out, 0, sizeof *profiles_out);
  profiles_out->items = calloc(PROFILES_MAX, sizeof *profiles_out->items);
  profiles_out->files[0] = file != NULL ? wipe_dup(file) : user_file();
  profiles_out->files[1] = file != NULL ? NULL : wipe_dup(SYSTEM_FILE);
  if (profiles_out->items == NULL) {
    cli_complain("out of memory");
    return CLI_OUTSIDE;
  }
  for (i = 0; i < 2 && code == CLI_DONE; i++)
    if ((i == 0 && file != NULL) || is_wanted(profiles_out, profiles_out->files[i]))
      code = load_file(profiles_out, profiles_out->files[i]);
  if (code == CLI_DONE && profiles_out->count == 0) {
    cli_complain("there is no profile: write one into %s or " SYSTEM_FILE ", see cortex-login(1)",
                 profiles_out->files[0] != NULL ? profiles_out->files[0] : "--config FILE");
    code = CLI_USAGE;
  }
  return code;
}

void profiles_clear(struct profiles *profiles) {
  size_t i;

  for (i = 0; profiles->items != NULL && i < PROFILES_MAX; i++)
    profile_clear(&profiles->items[i]);
  free(profiles->items);
  wipe_free(profiles->files[0]);
  wipe_free(profiles->files[1]);
  memset(profiles, 0, sizeof *profiles);
}

struct profile *profiles_find(struct profiles *profiles, const char *name) {
  const char *wanted = name != NULL ? name : "default";
  char list[256] = "";
  size_t i, used = 0;

  for (i = 0; i < profiles->count; i++)
    if (strcmp(profiles->items[i].label, wanted) == 0)
      return &profiles->items[i];
  if (name == NULL && profiles->count == 1)
    return &profiles->items[0];
  for (i = 0; i < profiles->count && used < sizeof list; i++)
    used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", i > 0 ? ", " : "",
                             profiles->items[i].label);
  if (name == NULL)
    cli_complain("which profile? There are: %s", list);
  else
    cli_complain("there is no profile '%s', but: %s", name, list);
  if (profiles->is_hidden)
    cli_complain(SYSTEM_FILE ": %s", strerror(EACCES));
  return NULL;
}
