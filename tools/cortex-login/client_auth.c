/*
 * How the client shows who it is: by secret or by a signed assertion.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "client_auth.h"

#include <stdlib.h>
#include <string.h>

#include <cortexauth/file.h>

#include "assertion.h"
#include "tokens.h"
#include "wipe.h"

#define LINE_FILE_MAX (TOKEN_MAX + 2)

char *client_auth_read_line(const char *file) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  char *bytes = NULL, *line = NULL;
  size_t len = 0, size;

  if (cortex_file_load(file, LINE_FILE_MAX, &bytes, &len, &error) != CORTEX_OK) {
    cli_complain_error(&error);
    return NULL;
  }
  size = len;
  if (len > 0 && bytes[len - 1] == '\n')
    len--;
  if (len > 0 && bytes[len - 1] == '\r')
    len--;
  if (memchr(bytes, '\0', len) != NULL || memchr(bytes, '\n', len) != NULL || len == 0)
    cli_complain("%s: one line is expected", file);
  else if ((line = wipe_alloc(len + 1)) != NULL) {
    memcpy(line, bytes, len);
    line[len] = '\0';
  }
  explicit_bzero(bytes, size);
  free(bytes);
  return line;
}

static enum cli_exit put_secret(const struct profile *profile, struct text *form,
                                struct client_auth *auth) {
  char *secret = client_auth_read_line(profile->client_secret_file);

  if (secret == NULL)
    return CLI_USAGE;
  if (profile->auth_kind == AUTH_POST) {
    text_put_pair(form, "client_id", profile->client_id);
    text_put_pair(form, "client_secret", secret);
  } else {
    text_put_encoded(&auth->user, profile->client_id);
    text_put_encoded(&auth->password, secret);
  }
  wipe_free(secret);
  return auth->user.failed || auth->password.failed ? CLI_OUTSIDE : CLI_DONE;
}

/* RFC 7523 2.2 */
static enum cli_exit put_assertion(const struct profile *profile, const char *audience,
                                   struct text *form) {
  char *assertion = NULL;
  enum cli_exit code = assertion_make(profile, audience, &assertion);

  if (code == CLI_DONE) {
    text_put_pair(form, "client_id", profile->client_id);
    text_put_pair(form, "client_assertion_type",
                  "urn:ietf:params:oauth:client-assertion-type:jwt-bearer");
    text_put_pair(form, "client_assertion", assertion);
  }
  wipe_free(assertion);
  return code;
}

enum cli_exit client_auth_put(const struct profile *profile, const char *audience,
                              struct text *form, struct client_auth *auth) {
  switch (profile->auth_kind) {
  case AUTH_NONE:
    text_put_pair(form, "client_id", profile->client_id);
    return CLI_DONE;
  case AUTH_BASIC:
  case AUTH_POST:
    return put_secret(profile, form, auth);
  case AUTH_PRIVATE_KEY_JWT:
    return put_assertion(profile, audience, form);
  }
  return CLI_OUTSIDE;
}

void client_auth_clear(struct client_auth *auth) {
  text_clear(&auth->user);
  text_clear(&auth->password);
}
