/*
 * What this process knows of itself: the server's own notes, its title, /proc/self.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <config.h> /* program_invocation_name is GNU's */

#include "process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#define MICROSECONDS INT64_C(1000000)

static size_t read_file(const char *path, char *room, size_t size) {
  int file = open(path, O_RDONLY | O_CLOEXEC);
  size_t len = 0;
  ssize_t n = 0;

  if (file < 0)
    return 0;
  do {
    n = read(file, room + len, size - len);
    if (n > 0)
      len += (size_t)n;
  } while ((n > 0 && len < size) || (n < 0 && errno == EINTR));
  close(file);
  return n < 0 ? 0 : len;
}

static int64_t now(clockid_t clock) {
  struct timespec time;

  if (clock_gettime(clock, &time) != 0)
    return 0;
  return (int64_t)time.tv_sec * MICROSECONDS + time.tv_nsec / 1000;
}

/* Clock ticks after boot, field 22 of proc(5) stat; text is what follows the name. */
static int64_t start_time(const char *text) {
  long per_second = sysconf(_SC_CLK_TCK);
  int64_t ticks;
  char *end;
  int field;

  for (field = 2; field < 22; field++) {
    text = strchr(text, ' ');
    if (text == NULL)
      return 0;
    text++;
  }
  errno = 0;
  ticks = strtoll(text, &end, 10);
  if (errno != 0 || end == text || *end != ' ' || ticks <= 0 || per_second <= 0 ||
      ticks > INT64_MAX / MICROSECONDS)
    return 0;
  return now(CLOCK_REALTIME) - now(CLOCK_BOOTTIME) + ticks * MICROSECONDS / per_second;
}

/* The name in stat stands in brackets and may itself hold any byte. */
static int64_t kernel_start(void) {
  char stat[1024];
  size_t len = read_file("/proc/self/stat", stat, sizeof stat - 1);
  const char *bracket;

  stat[len] = '\0';
  bracket = strrchr(stat, ')');
  return bracket != NULL ? start_time(bracket + 1) : 0;
}

static bool has_name(const char *wanted) {
  char name[16] = "";

  return prctl(PR_GET_NAME, name) == 0 && strcmp(name, wanted) == 0;
}

/*
 * The server's public variables that hold a time: int64 in every release, microseconds
 * since 2000. A program that has none of that name leaves the address NULL.
 */
extern const int64_t MyStartTimestamp __attribute__((weak));
extern const int64_t PgStartTime __attribute__((weak));

static int64_t server_time(const int64_t *time) {
  static const int64_t year_2000 = INT64_C(946684800000000);

  return time != NULL && *time > 0 && *time < INT64_MAX - year_2000 ? *time + year_2000 : 0;
}

static bool is_near(int64_t time, int64_t other) {
  return time - other <= 60 * MICROSECONDS && other - time <= 60 * MICROSECONDS;
}

/*
 * What pg_stat_activity shows as backend_start, to the microsecond; else the kernel's note of this
 * process, which also keeps another program's variable of that name out. It costs more than the
 * rest here, and the clock tells as much of a login that just began.
 */
static void read_start(struct cx_process *process) {
  int64_t start = server_time(&MyStartTimestamp), postmaster = server_time(&PgStartTime);
  bool is_server = process->is_postgres && start != 0 && postmaster != 0 && postmaster <= start;

  if (!is_server || !is_near(start, now(CLOCK_REALTIME))) {
    process->start = kernel_start();
    if (!is_server || !is_near(start, process->start))
      return;
  }
  process->start = start;
  process->postmaster_start = postmaster;
}

/*
 * The C library's pointer to the first argument: where PostgreSQL, as others do, writes its title.
 * /proc/self/cmdline shows the same bytes, by four calls to the kernel.
 */
static size_t read_title(char *room, size_t size) {
  size_t len = strnlen(program_invocation_name, size);

  memcpy(room, program_invocation_name, len);
  return len;
}

void cx_process_read(struct cx_process *process_out) {
  static const char prefix[] = "postgres: ";

  process_out->pid = getpid();
  process_out->start = 0;
  process_out->postmaster_start = 0;
  process_out->is_postgres = has_name("postgres");
  if (gethostname(process_out->host, sizeof process_out->host) != 0)
    process_out->host[0] = '\0';
  process_out->host[sizeof process_out->host - 1] = '\0';
  process_out->title_len = read_title(process_out->title, sizeof process_out->title);
  if (process_out->title_len >= sizeof prefix - 1 &&
      memcmp(process_out->title, prefix, sizeof prefix - 1) == 0)
    process_out->is_postgres = true;
  read_start(process_out);
}
