/*
 * The running server as the kernel sees it: its user and its groups.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "doctor_process.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void read_groups(const char *text, struct doctor_process *process) {
  while (process->group_count < DOCTOR_GROUPS) {
    char *end;
    unsigned long gid = strtoul(text, &end, 10);

    if (end == text)
      return;
    process->groups[process->group_count++] = (gid_t)gid;
    text = end;
  }
}

/* The second number of "Uid:" and "Gid:" is the effective one. */
static unsigned long second(const char *text) {
  char *end;

  (void)strtoul(text, &end, 10);
  return strtoul(end, NULL, 10);
}

bool doctor_process_read(pid_t pid, struct doctor_process *process_out) {
  char path[64], line[4096];
  bool has_user = false;
  FILE *file;

  *process_out = (struct doctor_process){.parent = 0};
  snprintf(path, sizeof path, "/proc/%ld/status", (long)pid);
  file = fopen(path, "re");
  if (file == NULL)
    return false;
  while (fgets(line, sizeof line, file) != NULL) {
    line[strcspn(line, "\n")] = '\0';
    if (strncmp(line, "Name:\t", 6) == 0)
      snprintf(process_out->name, sizeof process_out->name, "%.31s", line + 6);
    else if (strncmp(line, "PPid:", 5) == 0)
      process_out->parent = (pid_t)strtol(line + 5, NULL, 10);
    else if (strncmp(line, "Uid:", 4) == 0 && (has_user = true))
      process_out->uid = (uid_t)second(line + 4);
    else if (strncmp(line, "Gid:", 4) == 0)
      process_out->groups[process_out->group_count++] = (gid_t)second(line + 4);
    else if (strncmp(line, "Groups:", 7) == 0)
      read_groups(line + 7, process_out);
  }
  fclose(file);
  return has_user;
}

static bool is_server(pid_t pid) {
  struct doctor_process own, parent;

  return doctor_process_read(pid, &own) && strcmp(own.name, "postgres") == 0 &&
         !(doctor_process_read(own.parent, &parent) && strcmp(parent.name, "postgres") == 0);
}

pid_t doctor_process_find(void) {
  DIR *folder = opendir("/proc");
  const struct dirent *entry;
  pid_t found = 0;
  size_t count = 0;

  if (folder == NULL)
    return 0;
  while ((entry = readdir(folder)) != NULL) {
    pid_t pid = isdigit((unsigned char)*entry->d_name) ? (pid_t)strtol(entry->d_name, NULL, 10) : 0;

    if (pid > 0 && is_server(pid)) {
      found = pid;
      count++;
    }
  }
  closedir(folder);
  return count == 1 ? found : 0;
}

/* The bit is the one for others; the group's stands three places higher, the owner's six. */
static bool may(const struct doctor_process *process, const struct stat *file, mode_t bit) {
  size_t i;

  if (process->uid == 0)
    return true;
  if (process->uid == file->st_uid)
    return (file->st_mode & bit << 6) != 0;
  for (i = 0; i < process->group_count; i++)
    if (process->groups[i] == file->st_gid)
      return (file->st_mode & bit << 3) != 0;
  return (file->st_mode & bit) != 0;
}

bool doctor_process_may_read(const struct doctor_process *process, const struct stat *file) {
  return may(process, file, S_IROTH);
}

bool doctor_process_may_enter(const struct doctor_process *process, const struct stat *folder) {
  return may(process, folder, S_IXOTH);
}
