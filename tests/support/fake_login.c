/*
 * Remembering the request, giving the prepared answer.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "fake_login.h"

#include <stdio.h>
#include <string.h>

struct fake_login fake_login;

void fake_login_set(enum cortex_effect effect, enum cortex_reason reason, const char *message) {
  memset(&fake_login, 0, sizeof fake_login);
  fake_login.answer.effect = effect;
  fake_login.answer.reason = reason;
  fake_login.answer.error.reason = message != NULL ? reason : CORTEX_OK;
  fake_login.answer.levels = effect == CORTEX_ALLOW ? CORTEX_LEVEL_READ | CORTEX_LEVEL_WRITE : 0;
  fake_login.answer.session_until = effect == CORTEX_ALLOW ? 1900000000 : 0;
  snprintf(fake_login.answer.reference, sizeof fake_login.answer.reference, FAKE_REFERENCE);
  if (message != NULL)
    snprintf(fake_login.answer.error.message, sizeof fake_login.answer.error.message, "%s",
             message);
}

static void keep(char *room, size_t size, const char *text) {
  snprintf(room, size, "%s", text != NULL ? text : "");
}

enum cortex_reason cortex_login(const struct cortex_request *request,
                                struct cortex_outcome *outcome) {
  struct fake_login *fake = &fake_login;
  size_t len = request->credential_len;

  fake->calls++;
  keep(fake->config, sizeof fake->config, request->config);
  keep(fake->service, sizeof fake->service, request->service);
  keep(fake->role, sizeof fake->role, request->role);
  keep(fake->host, sizeof fake->host, request->host);
  keep(fake->database, sizeof fake->database, request->database);
  keep(fake->address, sizeof fake->address, request->address);
  fake->has_database = request->database != NULL;
  fake->has_address = request->address != NULL;
  fake->credential_len = len;
  if (len >= sizeof fake->credential)
    len = sizeof fake->credential - 1;
  memcpy(fake->credential, request->credential, len);
  fake->credential[len] = '\0';
  fake->pid = request->pid;
  fake->backend_start = request->backend_start;
  fake->deadline = request->deadline;
  fake->asked_at = request->clock->monotonic(request->clock);
  *outcome = fake->answer;
  return outcome->reason;
}
