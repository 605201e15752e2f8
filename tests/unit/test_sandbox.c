/*
 * The SAML helper's sandbox: what a subverted helper might try ends it.
 * SPDX-License-Identifier: PostgreSQL
 *
 * Each call is made twice, in processes of their own: without the sandbox, where it must come
 * back (so the test really makes it), and inside, where the process must be killed for it.
 */
#include <config.h>

#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char page[4096] = "of this process";
static int null_file;

static long call_open(void) {
  return syscall(SYS_openat, AT_FDCWD, "/etc/passwd", O_RDONLY);
}

static long call_create(void) {
  return syscall(SYS_openat, AT_FDCWD, "/tmp", O_TMPFILE | O_RDWR, 0600);
}

static long call_openat2(void) {
  const uint64_t how[3] = {O_RDONLY, 0, 0};

  return syscall(437, AT_FDCWD, "/etc/passwd", how, sizeof how);
}

static long call_socket(void) {
  return syscall(SYS_socket, AF_INET, SOCK_STREAM, 0);
}

static long call_unix_socket(void) {
  return syscall(SYS_socket, AF_UNIX, SOCK_STREAM, 0);
}

static long call_socketpair(void) {
  int ends[2];

  return syscall(SYS_socketpair, AF_UNIX, SOCK_STREAM, 0, ends);
}

/* Descriptors can come through a socket, too. */
static long call_recvmsg(void) {
  struct msghdr message = {.msg_iov = NULL};

  return syscall(SYS_recvmsg, null_file, &message, MSG_DONTWAIT);
}

static long call_kill(void) {
  return syscall(SYS_kill, getppid(), 0);
}

static long call_tgkill(void) {
  return syscall(SYS_tgkill, getppid(), getppid(), 0);
}

static long call_pidfd_open(void) {
  return syscall(434, getppid(), 0);
}

static long call_ptrace(void) {
  return syscall(SYS_ptrace, PTRACE_TRACEME, 0, 0, 0);
}

static long call_readv(void) {
  char copy[sizeof page];
  const struct iovec own = {copy, sizeof copy}, other = {page, sizeof page};

  return syscall(SYS_process_vm_readv, getpid(), &own, 1UL, &other, 1UL, 0UL);
}

static long call_writev(void) {
  char copy[sizeof page] = "";
  const struct iovec own = {copy, sizeof copy}, other = {page, sizeof page};

  return syscall(SYS_process_vm_writev, getpid(), &own, 1UL, &other, 1UL, 0UL);
}

static long call_clone(void) {
  long child = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);

  if (child == 0)
    _exit(0);
  return child;
}

static long call_execve(void) {
  char *const arguments[] = {(char *)"true", NULL};

  return syscall(SYS_execve, "/bin/true", arguments, NULL);
}

static long call_dup(void) {
  return syscall(SYS_dup, null_file);
}

static long call_ioctl(void) {
  return syscall(SYS_ioctl, null_file, 0x5401, page);
}

static long call_prctl(void) {
  return syscall(SYS_prctl, PR_SET_PDEATHSIG, 0, 0, 0, 0);
}

static long call_setrlimit(void) {
  const struct rlimit none = {0, 0};

  return syscall(SYS_prlimit64, 0, RLIMIT_CORE, &none, NULL);
}

static long call_setitimer(void) {
  const struct itimerval never = {.it_value = {0, 0}};

  return syscall(SYS_setitimer, ITIMER_REAL, &never, NULL);
}

static long call_memfd(void) {
  return syscall(SYS_memfd_create, "code", 0U);
}

static long call_chdir(void) {
  return syscall(SYS_chdir, "/");
}

static long call_unlink(void) {
  return syscall(SYS_unlinkat, AT_FDCWD, "/nowhere/at/all", 0);
}

static long call_io_uring(void) {
  return syscall(425, 1U, page);
}

static long call_setuid(void) {
  return syscall(SYS_setuid, getuid());
}

static long map_executable(void) {
  void *place =
      mmap(NULL, sizeof page, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  return place == MAP_FAILED ? -1 : 0;
}

static long make_executable(void) {
  void *place = mmap(NULL, sizeof page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

  return place == MAP_FAILED ? -1 : mprotect(place, sizeof page, PROT_READ | PROT_EXEC);
}

/* The other ABI of the same processor has other numbers: open is 2 there as well. */
#if defined(__x86_64__)
static long call_x32(void) {
  return syscall(0x40000000L + SYS_open, "/etc/passwd", O_RDONLY);
}

/* And the older one: 20 is getpid in 32 bits, which is writev in 64. */
static long call_32_bits(void) {
  long result;

  __asm__ volatile("int $0x80" : "=a"(result) : "a"(20) : "memory");
  return result > 0 ? 0 : -1;
}
#else
#define call_32_bits NULL
#endif

static const struct {
  const char *name;
  long (*make)(void);
  int own_errno; /* how it fails outside, made as it is here; 0: it succeeds */
} forbidden[] = {
    {"open", call_open, 0},
    {"open to write", call_create, 0},
    {"openat2", call_openat2, 0},
    {"socket", call_socket, 0},
    {"socket of this host", call_unix_socket, 0},
    {"socketpair", call_socketpair, 0},
    {"recvmsg", call_recvmsg, ENOTSOCK},
    {"kill", call_kill, 0},
    {"tgkill", call_tgkill, 0},
    {"pidfd_open", call_pidfd_open, 0},
    {"ptrace", call_ptrace, 0},
    {"process_vm_readv", call_readv, 0},
    {"process_vm_writev", call_writev, 0},
    {"clone", call_clone, 0},
    {"execve", call_execve, 0},
    {"dup", call_dup, 0},
    {"ioctl", call_ioctl, ENOTTY},
    {"prctl", call_prctl, 0},
    {"prlimit64", call_setrlimit, 0},
    {"setitimer", call_setitimer, 0},
    {"memfd_create", call_memfd, 0},
    {"chdir", call_chdir, 0},
    {"unlinkat", call_unlink, ENOENT},
    {"io_uring_setup", call_io_uring, EINVAL},
    {"setuid", call_setuid, 0},
    {"mmap of code", map_executable, 0},
    {"mprotect to code", make_executable, 0},
#if defined(__x86_64__)
    {"a call of the x32 ABI", call_x32, ENOSYS},
    {"a call of the 32 bit ABI", call_32_bits, 0},
#endif
};

/* Runs a call in a process of its own, which ends with 0 or errno, 255 where it is not reached. */
static int run(long (*make)(void), bool is_inside) {
  pid_t child = fork();
  int status = 0;

  assert_true(child >= 0);
  if (child == 0) {
    signal(SIGSEGV, SIG_DFL); /* not cmocka's, which would go on with the tests */
    errno = 0;
    if (is_inside && (!saml_sandbox_limit(SAML_LIFE_MAX_MS) || !saml_sandbox_enter()))
      _exit(255);
    _exit(make() >= 0 ? 0 : errno);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  return status;
}

static void forbidden_calls_end_the_process(void **state) {
  size_t i;

  (void)state;
  for (i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++) {
    int status = run(forbidden[i].make, true);

    if (forbidden[i].make == call_32_bits && WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV)
      continue; /* a kernel without that ABI */
    if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGSYS)
      fail_msg("%s: inside it ends with status %#x, not by SIGSYS", forbidden[i].name,
               (unsigned)status);
  }
}

/* A container may forbid some of them by itself: then the process inside would not have shown much. */
static void the_same_calls_come_back_outside(void **state) {
  size_t i;

  (void)state;
  for (i = 0; i < sizeof forbidden / sizeof forbidden[0]; i++) {
    int status = run(forbidden[i].make, false), code = WEXITSTATUS(status);

    if (forbidden[i].make == call_32_bits && WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV)
      print_message("%s: this system has none\n", forbidden[i].name);
    else if (!WIFEXITED(status))
      fail_msg("%s: outside it ends with status %#x", forbidden[i].name, (unsigned)status);
    else if (code == EPERM || (code == ENOSYS && forbidden[i].own_errno != ENOSYS))
      print_message("%s: this system forbids it outside too\n", forbidden[i].name);
    else if (code != forbidden[i].own_errno)
      fail_msg("%s: outside it fails: %s", forbidden[i].name, strerror(code));
  }
}

static long use_what_is_allowed(void) {
  char *memory = malloc(8 * 1024 * 1024), byte;
  long length = -1;

  if (memory == NULL)
    return -1;
  memset(memory, 1, 8 * 1024 * 1024);
  memory = realloc(memory, 16 * 1024 * 1024);
  if (memory != NULL && syscall(SYS_getrandom, &byte, 1, 0) == 1)
    length = write(null_file, "", 0);
  free(memory);
  return length;
}

static void what_the_helper_needs_works_inside(void **state) {
  int status = run(use_what_is_allowed, true);

  (void)state;
  assert_int_equal(status, 0);
}

/* ---- limits, as they are before the filter ---- */

static bool has_limit(__rlimit_resource_t which, rlim_t most) {
  struct rlimit limit;

  return getrlimit(which, &limit) == 0 && limit.rlim_cur == most && limit.rlim_max == most;
}

static int look_at_limits(void) {
  struct itimerval life;
  int parent = 0;

  if (!saml_sandbox_limit(1500) || !has_limit(RLIMIT_CPU, 5) || !has_limit(RLIMIT_CORE, 0) ||
      !has_limit(RLIMIT_FSIZE, 0) || !has_limit(RLIMIT_NPROC, 0))
    return 1;
  if (prctl(PR_GET_PDEATHSIG, &parent) != 0 || parent != SIGKILL)
    return 2;
  if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1 || prctl(PR_GET_DUMPABLE) != 0)
    return 3;
  if (getitimer(ITIMER_REAL, &life) != 0 || life.it_value.tv_sec > 1 ||
      (life.it_value.tv_sec == 0 && life.it_value.tv_usec == 0))
    return 4;
  return 0;
}

static void limits_are_set(void **state) {
  pid_t child = fork();
  int status = 0;

  (void)state;
  if (child == 0)
    _exit(look_at_limits());
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_int_equal(status, 0);
}

static void a_life_without_end_is_refused(void **state) {
  (void)state;
  assert_false(saml_sandbox_limit(0));
  assert_false(saml_sandbox_limit(SAML_LIFE_MAX_MS + 1));
}

/* With the caller stopped or gone, the process ends by itself, in the middle of whatever it does. */
static void spin(void) {
  volatile unsigned long count = 0;

  for (;;)
    count++;
}

static void life_ends_in_time(void **state) {
  pid_t child = fork();
  int status = 0;

  (void)state;
  if (child == 0) {
    if (saml_sandbox_limit(100) && saml_sandbox_enter())
      spin();
    _exit(255);
  }
  assert_int_equal(waitpid(child, &status, 0), child);
  assert_true(WIFSIGNALED(status));
  assert_int_equal(WTERMSIG(status), SIGALRM);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(forbidden_calls_end_the_process),
      cmocka_unit_test(the_same_calls_come_back_outside),
      cmocka_unit_test(what_the_helper_needs_works_inside),
      cmocka_unit_test(limits_are_set),
      cmocka_unit_test(a_life_without_end_is_refused),
      cmocka_unit_test(life_ends_in_time),
  };

  null_file = open("/dev/null", O_RDWR);
  return cmocka_run_group_tests_name("sandbox", tests, NULL, NULL);
}
