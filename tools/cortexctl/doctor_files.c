/*
 * The files' part of cortexctl doctor: owners, modes, folders, and whether the server can read
 * them. SPDX-License-Identifier: PostgreSQL
 */
#include "doctor.h"

#include <errno.h>
#include <glob.h>
#include <grp.h>
#include <libgen.h>
#include <limits.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor_process.h"

/* Keys that name a trusted file, which a login reads. */
static const char *const policy_keys[] = {"path", "entities", "links", "schema"};
static const char *const issuer_keys[] = {"jwks_file", "metadata_file", "decryption_key_file",
                                          "sp_key_file", "sp_cert_file"};

struct files {
  struct doctor *doctor;
  struct doctor_process server;
  bool has_server;
  char closed[PATH_MAX]; /* the folder that was found closed to the server last */
};

struct check_place doctor_place(const char *file) {
  return (struct check_place){file, 0, 0};
}

static const char *user_name(uid_t uid, char text[32]) {
  const struct passwd *user = getpwuid(uid);

  if (user != NULL)
    snprintf(text, 32, "%s", user->pw_name);
  else
    snprintf(text, 32, "%lu", (unsigned long)uid);
  return text;
}

static const char *group_name(gid_t gid, char text[32]) {
  const struct group *group = getgrgid(gid);

  if (group != NULL)
    snprintf(text, 32, "%s", group->gr_name);
  else
    snprintf(text, 32, "%lu", (unsigned long)gid);
  return text;
}

/* ---- owners and modes ---- */

static void judge_owner(struct check *check, const char *path, const struct stat *status) {
  char owner[32];

  if ((status->st_mode & S_IWOTH) != 0 ||
      ((status->st_mode & S_IWGRP) != 0 && status->st_gid != 0)) {
    check_find(check, CHECK_FILE_UNTRUSTED, doctor_place(path), "mode %04o lets others write to it",
               (unsigned)status->st_mode & 07777U);
    check_fix(check, "chown root:cortex %s && chmod %s %s", path,
              S_ISDIR(status->st_mode) ? "0750" : "0640", path);
  } else if (status->st_uid != 0) {
    bool is_caller = status->st_uid == geteuid();

    check_find(check, is_caller ? CHECK_FILE_OWNER : CHECK_FILE_UNTRUSTED, doctor_place(path),
               "it belongs to %s", user_name(status->st_uid, owner));
    check_fix(check, "chown root:cortex %s", path);
  }
}

/* Whoever can write there can put another file under this name. */
static void judge_folder(struct check *check, const char *path) {
  char folder[PATH_MAX], *name;
  struct stat status;

  snprintf(folder, sizeof folder, "%s", path);
  name = dirname(folder); /* in place */
  if (stat(name, &status) != 0 || (status.st_mode & S_ISVTX) != 0)
    return;
  if ((status.st_mode & S_IWOTH) == 0 && ((status.st_mode & S_IWGRP) == 0 || status.st_gid == 0))
    return;
  check_find(check, CHECK_FOLDER_WRITABLE, doctor_place(path), "its folder %s has mode %04o", name,
             (unsigned)status.st_mode & 07777U);
  check_fix(check, "chown root:root %s && chmod go-w %s", name, name);
}

/* ---- the running server ---- */

static bool is_member_now(uid_t uid, gid_t gid) {
  const struct passwd *user = getpwuid(uid);
  gid_t groups[DOCTOR_GROUPS];
  int i, count = DOCTOR_GROUPS;

  if (user == NULL || getgrouplist(user->pw_name, user->pw_gid, groups, &count) < 0)
    return false;
  for (i = 0; i < count; i++)
    if (groups[i] == gid)
      return true;
  return false;
}

/* The uppermost folder on the way to the file that the server cannot enter. */
static bool find_closed(const struct doctor_process *server, const char *path,
                        char folder[PATH_MAX], struct stat *status) {
  char way[PATH_MAX], *at = way;
  struct stat now;
  bool found = false;

  snprintf(way, sizeof way, "%s", path);
  do {
    at = dirname(at); /* in place */
    if (stat(at, &now) == 0 && !doctor_process_may_enter(server, &now)) {
      snprintf(folder, PATH_MAX, "%s", at);
      *status = now;
      found = true;
    }
  } while (strcmp(at, "/") != 0 && strcmp(at, ".") != 0);
  return found;
}

/* What is closed is the file itself, or a folder on the way to it. */
static void report_closed(const struct files *files, const char *path, const char *closed,
                          const struct stat *status) {
  struct check *check = &files->doctor->check;
  bool is_folder = S_ISDIR(status->st_mode);
  char user[32], group[32];

  user_name(files->server.uid, user);
  group_name(status->st_gid, group);
  if ((status->st_mode & (is_folder ? S_IXGRP : S_IRGRP)) != 0 &&
      is_member_now(files->server.uid, status->st_gid)) {
    check_find(check, CHECK_SERVER_GROUPS, doctor_place(path),
               "process %ld of %s is not in the group %s of %s, though the user is",
               (long)files->doctor->postmaster, user, group, closed);
  } else {
    check_find(check, CHECK_SERVER_UNREADABLE, doctor_place(path),
               "process %ld of %s cannot %s %s (group %s, mode %04o)",
               (long)files->doctor->postmaster, user, is_folder ? "enter" : "read", closed, group,
               (unsigned)status->st_mode & 07777U);
    check_fix(check,
              "adduser %s cortex; chgrp cortex %s && chmod g+%c %s; systemctl restart postgresql",
              user, closed, is_folder ? 'x' : 'r', closed);
  }
}

/* A folder is named once, with the first file that lies there. */
static void judge_access(struct files *files, const char *path, const struct stat *status) {
  char folder[PATH_MAX];
  struct stat closed;

  if (!files->has_server)
    return;
  if (!find_closed(&files->server, path, folder, &closed)) {
    if (!doctor_process_may_read(&files->server, status))
      report_closed(files, path, path, status);
  } else if (strcmp(folder, files->closed) != 0) {
    snprintf(files->closed, sizeof files->closed, "%s", folder);
    report_closed(files, path, folder, &closed);
  }
}

static void judge_file(struct files *files, const char *path) {
  struct stat status;

  if (path == NULL || stat(path, &status) != 0)
    return; /* what is missing is an error of whoever reads it */
  judge_owner(&files->doctor->check, path, &status);
  judge_folder(&files->doctor->check, path);
  judge_access(files, path, &status);
}

static void judge_policies(struct files *files, const char *folder) {
  char pattern[PATH_MAX];
  glob_t found;
  size_t i;

  if (folder == NULL || snprintf(pattern, sizeof pattern, "%s/*.cedar", folder) >= PATH_MAX)
    return;
  if (glob(pattern, 0, NULL, &found) == 0)
    for (i = 0; i < found.gl_pathc; i++)
      judge_file(files, found.gl_pathv[i]);
  globfree(&found);
}

/* Nothing is refused for it: logins parse the text instead, and no log says so. */
static void judge_image(const struct files *files) {
  struct check *check = &files->doctor->check;
  const char *path = cortex_settings_value(check->settings, "policy", "image");
  char folder[PATH_MAX], user[32], group[32], *name;
  struct stat status;

  if (path == NULL || !files->has_server || stat(path, &status) != 0 ||
      doctor_process_may_read(&files->server, &status))
    return;
  snprintf(folder, sizeof folder, "%s", path);
  name = dirname(folder); /* in place */
  user_name(files->server.uid, user);
  check_find(check, CHECK_IMAGE_UNUSED, doctor_place(path),
             "process %ld of %s cannot read it (group %s, mode %04o)",
             (long)files->doctor->postmaster, user, group_name(status.st_gid, group),
             (unsigned)status.st_mode & 07777U);
  /* The folder too: whoever writes the image anew gives it the folder's group. */
  check_fix(check, "chgrp cortex %s %s && chmod g+r %s", name, path, path);
}

/* ---- the cache: written by cortex alone ---- */

static void judge_cache(const struct files *files) {
  struct check *check = &files->doctor->check;
  const char *folder = cortex_settings_value(check->settings, "cache", "path");
  const struct passwd *server = files->has_server ? NULL : getpwnam("postgres");
  uid_t uid = files->has_server ? files->server.uid : server != NULL ? server->pw_uid : (uid_t)-1;
  struct stat status;
  char owner[32];

  if (folder == NULL || stat(folder, &status) != 0)
    return;
  if ((status.st_mode & S_IWOTH) != 0 || status.st_uid == uid ||
      ((status.st_mode & S_IWGRP) != 0 && status.st_gid != 0)) {
    check_find(check, CHECK_CACHE_WRITABLE, doctor_place(folder),
               "it belongs to %s and has mode %04o", user_name(status.st_uid, owner),
               (unsigned)status.st_mode & 07777U);
    check_fix(check, "chown cortex:cortex %s && chmod 0750 %s", folder, folder);
  }
}

void doctor_files(struct doctor *doctor) {
  const struct cortex_settings *settings = doctor->check.settings;
  struct files files = {.doctor = doctor};
  const struct cortex_issuer *issuer;
  size_t i, key;

  files.has_server =
      doctor->postmaster > 0 && doctor_process_read(doctor->postmaster, &files.server);
  judge_file(&files, doctor->check.config);
  if (settings == NULL)
    return;
  for (key = 0; key < sizeof policy_keys / sizeof policy_keys[0]; key++)
    judge_file(&files, cortex_settings_value(settings, "policy", policy_keys[key]));
  judge_policies(&files, cortex_settings_value(settings, "policy", "path"));
  for (i = 0; (issuer = cortex_settings_issuer(settings, i)) != NULL; i++)
    for (key = 0; key < sizeof issuer_keys / sizeof issuer_keys[0]; key++)
      judge_file(&files, cortex_issuer_value(issuer, issuer_keys[key]));
  judge_image(&files);
  judge_cache(&files);
}
