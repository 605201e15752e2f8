/*
 * What an operator changes is recorded: by whom, when, what.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "operator.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/cli.h"

/* The user that logged in, whatever it became since by sudo or su; (uid_t)-1: the kernel does not say. */
static uid_t login_user(void) {
  FILE *file = fopen("/proc/self/loginuid", "re");
  char text[32] = "", *end = text;
  unsigned long uid;

  if (file == NULL)
    return (uid_t)-1;
  if (fgets(text, sizeof text, file) == NULL)
    text[0] = '\0';
  fclose(file);
  uid = strtoul(text, &end, 10);
  return end == text ? (uid_t)-1 : (uid_t)uid;
}

static void put_user(uid_t uid, char *text, size_t size) {
  const struct passwd *user = getpwuid(uid);

  if (user != NULL)
    snprintf(text, size, "%s", user->pw_name);
  else
    snprintf(text, size, "uid %lu", (unsigned long)uid);
}

const char *operator_name(char text[OPERATOR_NAME]) {
  uid_t login = login_user();
  char user[64], other[64];

  put_user(geteuid(), user, sizeof user);
  if (login == (uid_t)-1 || login == geteuid()) {
    snprintf(text, OPERATOR_NAME, "%s", user);
  } else {
    put_user(login, other, sizeof other);
    snprintf(text, OPERATOR_NAME, "%s, logged in as %s", user, other);
  }
  return text;
}

bool operator_record(const struct cortex_settings *settings, struct cortex_record record) {
  struct cortex_error error = CORTEX_ERROR_NONE;
  const char *required = cortex_settings_value(settings, "audit", "required");
  struct cortex_audit_options audit;
  char host[256] = "";

  (void)gethostname(host, sizeof host - 1);
  record.host = host;
  cortex_audit_options_get(settings, &audit);
  if (cortex_audit_append(&audit, &record, cortex_clock_system(), 0, &error) == CORTEX_OK)
    return true;
  cli_complain_error(&error);
  return required != NULL && strcmp(required, "no") == 0;
}

static const char *name_of(const struct cortex_issuer *issuer) {
  const char *name = cortex_issuer_value(issuer, "issuer");

  return name != NULL ? name : cortex_issuer_value(issuer, "idp_entity_id");
}

const char *operator_issuer(const struct cortex_settings *settings, const char *text) {
  const struct cortex_issuer *issuer;
  bool has_nameless = false;
  size_t i;

  for (i = 0; (issuer = cortex_settings_issuer(settings, i)) != NULL; i++) {
    const char *name = name_of(issuer);

    if (name != NULL && (strcmp(cortex_issuer_label(issuer), text) == 0 || strcmp(name, text) == 0))
      return name;
    has_nameless = has_nameless || name == NULL;
    if (strcmp(cortex_issuer_label(issuer), text) != 0)
      continue;
    cli_complain("the section \"%s\" does not say idp_entity_id: give the entity id itself", text);
    return NULL;
  }
  if (has_nameless)
    return text; /* it may be the one that only the metadata names */
  cli_complain("no issuer has the label or name '%s'", text);
  return NULL;
}
