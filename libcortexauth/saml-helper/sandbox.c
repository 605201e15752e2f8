/*
 * What the helper may still do once it reads what a stranger sent: nearly nothing.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "sandbox.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error "the helper's filter of system calls knows x86-64 and arm64 only"
#endif

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1
#endif

#define SECONDS (SAML_LIFE_MAX_MS / 1000) /* of processor time */
#define MEMORY (512UL * 1024 * 1024)

static bool set_limit(int which, rlim_t most) {
  const struct rlimit limit = {most, most};

  return setrlimit((__rlimit_resource_t)which, &limit) == 0;
}

/* The signal's default action ends the process, whoever is left to notice. */
static bool limit_life(unsigned milliseconds) {
  const struct itimerval life = {
      .it_value = {.tv_sec = milliseconds / 1000, .tv_usec = milliseconds % 1000 * 1000L}};

  return milliseconds > 0 && milliseconds <= SAML_LIFE_MAX_MS &&
         setitimer(ITIMER_REAL, &life, NULL) == 0;
}

bool saml_sandbox_limit(unsigned milliseconds) {
  return limit_life(milliseconds) && prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && prctl(PR_SET_DUMPABLE, 0) == 0 &&
         prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 && set_limit(RLIMIT_CPU, SECONDS) &&
         set_limit(RLIMIT_CORE, 0) && set_limit(RLIMIT_FSIZE, 0) && set_limit(RLIMIT_NPROC, 0)
#ifndef SANITIZED /* whose shadow is larger than any memory */
         && set_limit(RLIMIT_AS, MEMORY)
#endif
      ;
}

#define WORD(member) (uint32_t)offsetof(struct seccomp_data, member)
#define LOAD(member) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, WORD(member))
#define KILL BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS)
#define PASS BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define ALLOW(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), PASS

/* The third argument must not make memory executable. */
#define ALLOW_DATA(call)                                                                           \
  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 4), LOAD(args[2]),                            \
      BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 0, 1), KILL, PASS

/*
 * The calls of libc's memory, of reading and writing what is open, and of
 * OpenSSL's randomness. No open, no socket, no exec, no signal to anybody. The
 * numbers of the x32 ABI are none of these, so they end the process too.
 */
static const struct sock_filter filter[] = {
    LOAD(arch),
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
    KILL,
    LOAD(nr),
    ALLOW(read),
    ALLOW(write),
    ALLOW(brk),
    ALLOW(munmap),
    ALLOW(mremap),
    ALLOW(madvise),
    ALLOW(futex),
    ALLOW(getrandom),
    ALLOW(getpid),
    ALLOW(gettid),
    ALLOW(clock_gettime),
    ALLOW(exit),
    ALLOW(exit_group),
#ifdef SANITIZED
    ALLOW(sigaltstack),
    ALLOW(rt_sigprocmask),
    ALLOW(sched_yield),
#endif
    ALLOW_DATA(mmap),
    BPF_STMT(BPF_LD | BPF_W | BPF_ABS, WORD(nr)),
    ALLOW_DATA(mprotect),
    KILL,
};

bool saml_sandbox_enter(void) {
  const struct sock_fprog program = {sizeof filter / sizeof filter[0], (struct sock_filter *)filter};

  return set_limit(RLIMIT_NOFILE, 0) &&
         prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program, 0, 0) == 0;
}
