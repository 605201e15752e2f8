/*
 * The verdict as module data of the PAM handle.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "verdict.h"

#include <stdlib.h>
#include <string.h>

#define DATA_NAME "cortex_verdict"

enum { PARTS = 4 };

/* Whom and what the allow is for: PARTS strings, each with its NUL. */
struct verdict {
  size_t len;
  char key[];
};

static void cleanup(pam_handle_t *pamh, void *data, int status) {
  (void)pamh;
  (void)status;
  free(data);
}

static bool parts_of(const struct cx_call *call, const char *parts[PARTS]) {
  const void *service = NULL;

  if (pam_get_item(call->pamh, PAM_SERVICE, &service) != PAM_SUCCESS || service == NULL)
    return false;
  parts[0] = call->user;
  parts[1] = service;
  parts[2] = call->args.service;
  parts[3] = call->args.config;
  return true;
}

static struct verdict *make(const struct cx_call *call) {
  const char *parts[PARTS];
  struct verdict *verdict;
  size_t len = 0, used = 0, i;

  if (!parts_of(call, parts))
    return NULL;
  for (i = 0; i < PARTS; i++)
    len += strlen(parts[i]) + 1;
  verdict = malloc(sizeof *verdict + len);
  if (verdict == NULL)
    return NULL;
  verdict->len = len;
  for (i = 0; i < PARTS; i++) {
    memcpy(verdict->key + used, parts[i], strlen(parts[i]) + 1);
    used += strlen(parts[i]) + 1;
  }
  return verdict;
}

bool cx_verdict_keep(const struct cx_call *call) {
  struct verdict *verdict = make(call);

  if (verdict == NULL)
    return false;
  if (pam_set_data(call->pamh, DATA_NAME, verdict, cleanup) == PAM_SUCCESS)
    return true;
  free(verdict);
  return false;
}

bool cx_verdict_drop(pam_handle_t *pamh) {
  const void *data = NULL;

  if (pam_get_data(pamh, DATA_NAME, &data) != PAM_SUCCESS || data == NULL)
    return true;
  return pam_set_data(pamh, DATA_NAME, NULL, NULL) == PAM_SUCCESS;
}

bool cx_verdict_is_kept(const struct cx_call *call) {
  const struct verdict *kept;
  struct verdict *asked;
  const void *data = NULL;
  bool is_kept;

  if (pam_get_data(call->pamh, DATA_NAME, &data) != PAM_SUCCESS || data == NULL)
    return false;
  kept = data;
  asked = make(call);
  is_kept =
      asked != NULL && asked->len == kept->len && memcmp(asked->key, kept->key, kept->len) == 0;
  free(asked);
  return is_kept;
}
