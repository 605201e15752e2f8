/*
 * The running server as the kernel sees it: its user and its groups.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXCTL_DOCTOR_PROCESS_H
#define CORTEXCTL_DOCTOR_PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/stat.h>
#include <sys/types.h>

#define DOCTOR_GROUPS 256

struct doctor_process {
  pid_t parent;
  char name[32];
  uid_t uid; /* effective, as the groups are */
  gid_t groups[DOCTOR_GROUPS];
  size_t group_count;
};

/* Of /proc; false: there is none, or it cannot be seen. */
bool doctor_process_read(pid_t pid, struct doctor_process *process_out);

/* The one running server of this host; 0: none, or several. */
pid_t doctor_process_find(void);

/* By owner, group and mode; access lists are not looked at. */
bool doctor_process_may_read(const struct doctor_process *process, const struct stat *file);
bool doctor_process_may_enter(const struct doctor_process *process, const struct stat *folder);

#endif
