/*
 * The files' part of cortexctl check: the audit trail and the services' PAM files.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "check.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cortexauth/audit.h>

#include "pam_file.h"

/* ---- audit trail ---- */

/* Opened as a writer opens it, and nothing written. */
static void check_trail(struct check *check, const char *file) {
  struct check_place place = check_key_place(check, "audit", "file");
  struct stat status;
  int fd = open(file, O_RDWR | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);

  if (fd < 0 || fstat(fd, &status) != 0)
    check_find(check, CHECK_AUDIT_UNUSABLE, place, "%s: %s", file, strerror(errno));
  else if (!S_ISREG(status.st_mode))
    check_find(check, CHECK_AUDIT_UNUSABLE, place, "%s is not a regular file", file);
  else if ((status.st_mode & S_IWOTH) != 0)
    check_find(check, CHECK_AUDIT_WRITABLE, place, "%s: everybody can write to the audit trail",
               file);
  else if ((status.st_mode & S_IROTH) != 0)
    check_find(check, CHECK_AUDIT_READABLE, place, "%s: everybody can read the audit trail", file);
  if (fd >= 0)
    close(fd);
}

void check_audit(struct check *check) {
  struct check_place place = check_key_place(check, "audit", "file");
  struct cortex_audit_options audit;
  char path[PATH_MAX];
  struct stat status;

  cortex_audit_options_get(check->settings, &audit);
  if (lstat(audit.file, &status) == 0 && S_ISLNK(status.st_mode)) {
    check_find(check, CHECK_AUDIT_UNUSABLE, place, "%s is a symbolic link, which no login follows",
               audit.file);
    check_fix(check, "write the path that the link leads to in its place");
    return;
  }
  if (access(audit.file, F_OK) == 0 || errno != ENOENT) {
    check_trail(check, audit.file);
    return;
  }
  snprintf(path, sizeof path, "%s", audit.file);
  if (access(dirname(path), W_OK | X_OK) != 0) /* dirname works in place */
    check_find(check, CHECK_AUDIT_UNUSABLE, place, "%s cannot be made in its folder: %s",
               audit.file, strerror(errno));
}

/* ---- policy image ---- */

void check_image(struct check *check) {
  struct cortex_error why = CORTEX_ERROR_NONE;
  enum cortex_image_state state = cortex_policy_check_image(check->settings, &why);

  if (state == CORTEX_IMAGE_STALE || state == CORTEX_IMAGE_REFUSED)
    check_find(check, CHECK_IMAGE_UNUSED, (struct check_place){why.source, 0, 0},
               "%s; logins read the policies' text", why.message);
}

/* ---- PAM files ---- */

static void check_pam_line(struct check *check, const struct pam_file *file, const char *type,
                           const struct cortex_service *service) {
  struct check_place place = {file->path, 0, 0};
  struct pam_line line;

  if (!pam_file_find(file, type, &line)) {
    check_find(check, CHECK_PAM_LINE_MISSING, place,
               "there is no line \"%s required pam_cortex.so service=%s\"", type, service->name);
    return;
  }
  place.line = line.number;
  if (strcmp(line.control, "required") != 0 && strcmp(line.control, "requisite") != 0)
    check_find(check, CHECK_PAM_LINE_OPTIONAL, place, "\"%s\" must be required, not %s", type,
               line.control);
  if (strcmp(line.service, service->name) != 0)
    check_find(check, CHECK_PAM_LINE_FOREIGN, place,
               "service=%s does not belong into the file of \"%s\"", line.service, service->name);
}

void check_pam(struct check *check) {
  struct cortex_service service;
  size_t i;

  for (i = 0; cortex_policy_service(check->policy, i, &service); i++) {
    struct pam_file file;

    if (pam_file_load(check->pam_folder, service.name, &file)) {
      check_pam_line(check, &file, "auth", &service);
      check_pam_line(check, &file, "account", &service);
    } else {
      check_find(check, CHECK_PAM_FILE_MISSING, (struct check_place){file.path, 0, 0},
                 "%s: \"cortexctl service render %s\" prints what belongs there",
                 strerror(file.failure), service.name);
    }
    pam_file_clear(&file);
  }
}
