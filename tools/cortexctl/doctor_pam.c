/*
 * PAM's part of cortexctl doctor: what else is in the services' files, and what "other" does.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "doctor.h"

#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#include "doctor_process.h"
#include "pam_file.h"

#define INCLUDES 8 /* how deep files include each other */

/* ---- one file of a service ---- */

/* All but auth and account is never asked by PostgreSQL. */
static bool is_asked(const struct pam_line *line) {
  return strcasecmp(line->type, "auth") == 0 || strcasecmp(line->type, "account") == 0 ||
         strcmp(line->type, "@include") == 0;
}

static void judge_module(struct check *check, const struct pam_file *file,
                         const struct pam_line *line) {
  char path[PATH_MAX];

  if (*line->module == '/')
    snprintf(path, sizeof path, "%s", line->module);
  else
    snprintf(path, sizeof path, "%s/%s", PAM_MODULES, line->module);
  if (access(path, F_OK) == 0)
    return;
  check_find(check, CHECK_PAM_MODULE_MISSING, (struct check_place){file->path, line->number, 0},
             "there is no %s", path);
}

static void judge_owner(struct check *check, const char *path) {
  struct stat status;

  if (stat(path, &status) != 0 || ((status.st_uid == 0 || status.st_uid == geteuid()) &&
                                   (status.st_mode & (S_IWGRP | S_IWOTH)) == 0))
    return;
  check_find(check, CHECK_PAM_FILE_OWNER, doctor_place(path), "owner %lu, mode %04o",
             (unsigned long)status.st_uid, (unsigned)status.st_mode & 07777U);
  check_fix(check, "chown root:root %s && chmod 0644 %s", path, path);
}

/* PAM says nothing of a file that it cannot open. */
static void judge_access(struct check *check, const struct doctor_process *server,
                         const char *path) {
  struct stat status;

  if (stat(path, &status) != 0 || doctor_process_may_read(server, &status))
    return;
  check_find(check, CHECK_PAM_FILE_UNREADABLE, doctor_place(path),
             "the server's user cannot read it (mode %04o)", (unsigned)status.st_mode & 07777U);
  check_fix(check, "chmod 0644 %s", path);
}

static void judge_lines(struct check *check, const struct pam_file *file) {
  struct pam_cursor cursor = {0, 0};
  struct pam_line line;
  bool is_module_judged = false;

  while (pam_file_next(file, &cursor, &line)) {
    if (line.is_ours && !is_module_judged) {
      judge_module(check, file, &line);
      is_module_judged = true;
    } else if (!line.is_ours && is_asked(&line)) {
      check_find(check, CHECK_PAM_LINE_BYPASS, (struct check_place){file->path, line.number, 0},
                 "\"%s %s %s\" beside Cortex", line.type, line.control, line.module);
    }
  }
}

/* A file that begins like ours, for a service that nobody describes. */
static void judge_stray(struct check *check, const char *service, const char *path) {
  struct cortex_service found;
  char name[256];
  size_t i;

  for (i = 0; cortex_policy_service(check->policy, i, &found); i++)
    if (pam_file_name(found.name, name, sizeof name) && strcmp(name + 7, service) == 0)
      return;
  check_find(check, CHECK_PAM_FILE_STRAY, doctor_place(path), "no Service has a name like \"%s\"",
             service);
  check_fix(check, "rm %s", path);
}

static void judge_services(struct doctor *doctor) {
  struct check *check = &doctor->check;
  struct doctor_process server;
  bool has_server = doctor->postmaster > 0 && doctor_process_read(doctor->postmaster, &server);
  char pattern[PATH_MAX];
  glob_t found;
  size_t i;

  snprintf(pattern, sizeof pattern, "%.4000s/cortex-*", check->pam_folder);
  if (glob(pattern, 0, NULL, &found) == 0)
    for (i = 0; i < found.gl_pathc; i++) {
      const char *path = found.gl_pathv[i];
      struct pam_file file;

      judge_owner(check, path);
      if (has_server)
        judge_access(check, &server, path);
      if (pam_file_open(check->pam_folder, strrchr(path, '/') + 1, &file))
        judge_lines(check, &file);
      pam_file_clear(&file);
      if (check->policy != NULL)
        judge_stray(check, strrchr(path, '/') + 8, path);
    }
  globfree(&found);
}

/* ---- what PAM falls back to ---- */

struct other {
  size_t modules; /* that are loaded at each login, pam_deny aside */
  bool is_open;   /* something may accept */
};

static void read_other(const char *folder, const char *name, int depth, struct other *other) {
  struct pam_cursor cursor = {0, 0};
  struct pam_file file;
  struct pam_line line;

  if (pam_file_open(folder, name, &file))
    while (pam_file_next(&file, &cursor, &line)) {
      bool is_include = strcmp(line.type, "@include") == 0;

      if (is_include || strcmp(line.control, "include") == 0 ||
          strcmp(line.control, "substack") == 0) {
        if (depth < INCLUDES)
          read_other(folder, is_include ? line.control : line.module, depth + 1, other);
      } else if (strcmp(line.module, "pam_deny.so") != 0 &&
                 strcmp(line.module, "pam_warn.so") != 0) {
        other->modules++;
        other->is_open = other->is_open || is_asked(&line);
      }
    }
  pam_file_clear(&file);
}

static void judge_other(struct check *check) {
  struct other other = {0, false};
  char path[PATH_MAX];

  snprintf(path, sizeof path, "%.4000s/other", check->pam_folder);
  read_other(check->pam_folder, "other", 0, &other);
  if (other.is_open)
    check_find(check, CHECK_PAM_OTHER_OPEN, doctor_place(path),
               "its auth or account lines ask other modules than pam_deny.so");
  if (other.modules > 0)
    check_find(check, CHECK_PAM_OTHER_COST, doctor_place(path), "it loads %zu modules",
               other.modules);
}

void doctor_pam(struct doctor *doctor) {
  if (doctor->check.policy != NULL)
    check_pam(&doctor->check);
  judge_services(doctor);
  judge_other(&doctor->check);
}
