/*
 * One message out, one answer back. pam_prompt and pam_get_authtok are not used:
 * they write to syslog when the conversation fails, which is psql's normal start.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "conv.h"

#include <stdlib.h>
#include <string.h>

static void wipe(char **answer) {
  if (*answer != NULL)
    explicit_bzero(*answer, strlen(*answer));
  free(*answer);
  *answer = NULL;
}

static bool converse(pam_handle_t *pamh, int style, const char *text, char **answer_out) {
  struct pam_message message = {style, text};
  const struct pam_message *messages = &message;
  struct pam_response *response = NULL;
  const struct pam_conv *conv;
  const void *item = NULL;

  *answer_out = NULL;
  if (pam_get_item(pamh, PAM_CONV, &item) != PAM_SUCCESS || item == NULL)
    return false;
  conv = item;
  if (conv->conv == NULL || conv->conv(1, &messages, &response, conv->appdata_ptr) != PAM_SUCCESS)
    return false;
  if (response != NULL)
    *answer_out = response->resp;
  free(response);
  return true;
}

static const char *stored(const pam_handle_t *pamh) {
  const void *item = NULL;

  return pam_get_item(pamh, PAM_AUTHTOK, &item) == PAM_SUCCESS ? item : NULL;
}

static int prompt(pam_handle_t *pamh) {
  char *answer;
  int code;

  if (!converse(pamh, PAM_PROMPT_ECHO_OFF, "Token: ", &answer) || answer == NULL)
    return PAM_CONV_ERR;
  code = pam_set_item(pamh, PAM_AUTHTOK, answer);
  wipe(&answer);
  return code;
}

int cx_conv_ask(pam_handle_t *pamh, struct cx_password *password_out) {
  const char *bytes = stored(pamh);
  int code;

  *password_out = (struct cx_password){NULL, 0};
  if (bytes == NULL) {
    code = prompt(pamh);
    if (code != PAM_SUCCESS)
      return code;
    bytes = stored(pamh);
  }
  if (bytes == NULL || bytes[0] == '\0')
    return PAM_AUTH_ERR;
  *password_out = (struct cx_password){bytes, strlen(bytes)};
  return PAM_SUCCESS;
}

bool cx_conv_tell(pam_handle_t *pamh, const char *line) {
  char *answer;
  bool is_told = converse(pamh, PAM_ERROR_MSG, line, &answer);

  wipe(&answer);
  return is_told;
}
