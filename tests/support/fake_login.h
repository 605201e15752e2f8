/*
 * A library that answers as it is told: stands in for cortex_login in tests of
 * the module. The program that links it must export its symbols, so that the
 * module, loaded later, finds this cortex_login before the library's own.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SUPPORT_FAKE_LOGIN_H
#define SUPPORT_FAKE_LOGIN_H

#include <cortexauth/login.h>
#include <stdbool.h>

#define FAKE_REFERENCE "0123456789abcdef"

struct fake_login {
  struct cortex_outcome answer;
  unsigned calls;
  /* what the last call was given */
  char config[256], service[256], role[256], host[256];
  char database[256], address[64];
  bool has_database, has_address;
  size_t credential_len;
  char credential[64]; /* its first bytes */
  int64_t pid, backend_start, deadline, asked_at;
};

extern struct fake_login fake_login;

/* From now on the answer is this, with a reference; no call was made. */
void fake_login_set(enum cortex_effect effect, enum cortex_reason reason, const char *message);

#endif
