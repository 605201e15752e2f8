/*
 * One login through the library: the facts in, the outcome out.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "call.h"

#include <cortexauth/clock.h>
#include <cortexauth/credential.h>
#include <stdio.h>
#include <string.h>

#include "address.h"
#include "title.h"

/* Well below PostgreSQL's authentication_timeout, which does not stop a module. */
#define DEADLINE_NANOSECONDS INT64_C(2000000000)

void cx_call_refuse(struct cx_call *call, enum cortex_reason reason, const char *sentence) {
  call->outcome.effect = CORTEX_DENY;
  call->outcome.reason = reason;
  call->outcome.error = (struct cortex_error)CORTEX_ERROR_NONE;
  call->outcome.error.reason = reason;
  snprintf(call->outcome.error.message, sizeof call->outcome.error.message, "%s", sentence);
}

bool cx_call_begin(struct cx_call *call, pam_handle_t *pamh, int flags, int argc,
                   const char **argv) {
  const void *user = NULL;

  memset(call, 0, sizeof *call);
  call->pamh = pamh;
  call->flags = flags;
  call->outcome.reason = CORTEX_INTERNAL;
  if (pam_get_item(pamh, PAM_USER, &user) == PAM_SUCCESS)
    call->user = user;
  if (!cx_args_parse(argc, argv, &call->args, &call->outcome.error)) {
    call->outcome.reason = call->outcome.error.reason;
    return false;
  }
  if (call->user == NULL || call->user[0] == '\0') {
    cx_call_refuse(call, CORTEX_BAD_USERNAME, "the application names no user");
    return false;
  }
  if (strlen(call->user) > CX_USER_MAX) {
    cx_call_refuse(call, CORTEX_BAD_USERNAME, "the user's name is longer than a role's can be");
    return false;
  }
  return true;
}

/*
 * With pam_use_hostname=1 PostgreSQL gives a name; its title still has the number
 * (unless log_hostname=on). A client without an address would pass as local.
 */
static bool find_address(pam_handle_t *pamh, const struct cx_title *title,
                         char address_out[INET6_ADDRSTRLEN]) {
  const void *rhost = NULL;
  enum cx_address_kind kind;

  if (pam_get_item(pamh, PAM_RHOST, &rhost) != PAM_SUCCESS)
    return false;
  kind = cx_address_parse(rhost, address_out);
  if (kind == CX_ADDRESS_NAME && title->kind == CX_TITLE_BACKEND)
    return cx_address_parse(title->host, address_out) == CX_ADDRESS_NUMERIC;
  return kind != CX_ADDRESS_NAME;
}

/* An unreadable title is passed as a database that no service has: the record shows the refusal. */
static const char *database_of(const struct cx_title *title) {
  return title->kind == CX_TITLE_FOREIGN ? NULL : title->database;
}

/* The library must have refused these by itself; an allow does not depend on that. */
static void check_allow(struct cx_call *call, const struct cx_title *title, size_t len) {
  if (call->outcome.effect == CORTEX_DENY)
    return;
  if (title->kind == CX_TITLE_UNREADABLE)
    cx_call_refuse(call, CORTEX_SERVICE_MISMATCH,
                   "the database being entered cannot be told from the process title");
  else if (len > CORTEX_CREDENTIAL_MAX)
    cx_call_refuse(call, CORTEX_TOO_LARGE, cortex_reason_sentence(CORTEX_TOO_LARGE));
  else if (call->outcome.reason != CORTEX_OK)
    cx_call_refuse(call, CORTEX_INTERNAL, "the library's answer contradicts itself");
}

void cx_call_login(struct cx_call *call, const struct cx_password *password) {
  const struct cortex_clock *clock = cortex_clock_system();
  int64_t deadline = clock->monotonic(clock) + DEADLINE_NANOSECONDS;
  char address[INET6_ADDRSTRLEN];
  struct cx_title title;
  struct cortex_request request;

  cx_process_read(&call->process);
  request = (struct cortex_request){
      .config = call->args.config,
      .service = call->args.service,
      .role = call->user,
      .host = call->process.host,
      .credential = password->bytes,
      .credential_len = password->len,
      .pid = call->process.pid,
      .backend_start = call->process.start,
      .postmaster_start = call->process.postmaster_start,
      .clock = clock,
      .deadline = deadline,
  };
  cx_title_parse(&call->process, call->user, &title);
  if (!find_address(call->pamh, &title, address)) {
    cx_call_refuse(call, CORTEX_CONFIG_INVALID,
                   call->process.is_postgres
                       ? "PAM_RHOST is not a numeric address; set pam_use_hostname=0 in pg_hba.conf"
                       : "PAM_RHOST, as the program sets it, is a name and not a numeric address");
    return;
  }
  request.database = database_of(&title);
  request.address = address[0] != '\0' ? address : NULL;
  (void)cortex_login(&request, &call->outcome);
  check_allow(call, &title, password->len);
}
