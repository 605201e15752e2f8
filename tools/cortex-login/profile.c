/*
 * Profiles: what each key may say, and what a whole profile must.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "profile.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cortexauth/ini.h>
#include <cortexauth/settings.h>

#include "common/fetch.h"
#include "loopback.h"
#include "profile_file.h"
#include "text.h"
#include "wipe.h"

/* ---- types: each judges a value and may put another one in its place ---- */

struct value {
  const char *folder;
  char *text; /* to be replaced with wipe_free and wipe_dup */
  char *message;
  size_t size;
};

#define REFUSE(value, ...) (snprintf((value)->message, (value)->size, __VA_ARGS__), false)

static bool is_text(struct value *value) {
  (void)value;
  return true;
}

static bool is_url(struct value *value) {
  return fetch_trust_of(value->text) != FETCH_REFUSED ||
         REFUSE(value, "expected an https URL, or http to a loopback host");
}

/* Relative to the file's folder; "~/" is the user's home. */
static bool is_path(struct value *value) {
  struct text path = {0};
  const char *home = getenv("HOME");

  if (*value->text == '/')
    return true;
  if (strncmp(value->text, "~/", 2) == 0) {
    if (home == NULL || *home != '/')
      return REFUSE(value, "HOME is not set");
    text_put(&path, home);
    text_put(&path, value->text + 1);
  } else {
    text_put(&path, value->folder);
    text_put(&path, "/");
    text_put(&path, value->text);
  }
  wipe_free(value->text);
  value->text = text_take(&path);
  return value->text != NULL;
}

static const char *const flow_names[] = {"browser",    "device", "client_credentials",
                                         "token_file", "saml",   NULL};
static const char *const use_names[] = {"id", "access", NULL};
static const char *const auth_names[] = {"none", "basic", "post", "private_key_jwt", NULL};
static const char *const bool_names[] = {"no", "yes", NULL};
static const char *const sslmode_names[] = {"disable",   "allow",       "prefer", "require",
                                            "verify-ca", "verify-full", NULL};

/* The place of a name in a list; -1: it is not there. */
static int place_of(const char *const *names, const char *name) {
  int i;

  for (i = 0; names[i] != NULL; i++)
    if (strcmp(names[i], name) == 0)
      return i;
  return -1;
}

static bool is_one_of(struct value *value, const char *const *names) {
  size_t used;

  if (place_of(names, value->text) >= 0)
    return true;
  used = (size_t)snprintf(value->message, value->size, "expected one of: %s", *names);
  while (*++names != NULL && used < value->size)
    used += (size_t)snprintf(value->message + used, value->size - used, ", %s", *names);
  return false;
}

static bool is_flow(struct value *value) {
  return is_one_of(value, flow_names);
}

static bool is_use(struct value *value) {
  return is_one_of(value, use_names);
}

static bool is_client_auth(struct value *value) {
  return is_one_of(value, auth_names);
}

static bool is_bool(struct value *value) {
  return is_one_of(value, bool_names);
}

static bool is_sslmode(struct value *value) {
  return is_one_of(value, sslmode_names);
}

static bool is_duration(struct value *value) {
  int64_t seconds;

  return (cortex_duration_parse(value->text, &seconds) && seconds <= 86400) ||
         REFUSE(value, "expected a duration of at most a day, such as 90 or 10m");
}

static bool is_redirect(struct value *value) {
  struct loopback_address address;

  return loopback_parse(value->text, &address) ||
         REFUSE(value, "expected http://127.0.0.1, http://[::1] or http://localhost, "
                       "with or without port and path");
}

/* What the flow itself decides nobody else may: it would not be checked then. */
static bool is_parameter(struct value *value) {
  static const char *const own[] = {
      "client_id", "client_secret", "code_challenge", "code_challenge_method",
      "nonce",     "redirect_uri",  "request",        "request_uri",
      "resource",  "response_mode", "response_type",  "scope",
      "state",     "audience",      "prompt",         NULL};
  size_t len = strcspn(value->text, "=");
  const char *const *name;

  if (len == 0 || value->text[len] == '\0')
    return REFUSE(value, "expected NAME=VALUE");
  for (name = own; *name != NULL; name++)
    if (strlen(*name) == len && memcmp(*name, value->text, len) == 0)
      return REFUSE(value, "%s is not for a profile to set here", *name);
  return true;
}

/* ---- the table ---- */

struct option {
  const char *name;
  bool (*judge)(struct value *value);
  const char *otherwise;
  size_t offset;
};

static const struct option options[] = {
#define OPTION(name, type, otherwise) {#name, is_##type, otherwise, offsetof(struct profile, name)},
#include "option_list.h"
#undef OPTION
};
#define OPTION_COUNT (sizeof options / sizeof options[0])

static char **member(struct profile *profile, const struct option *option) {
  return (char **)(void *)((char *)profile + option->offset);
}

/* A repeatable value grows by a line. */
static bool join(char **values, char *more) {
  struct text joined = {0};

  text_put(&joined, *values);
  text_put(&joined, "\n");
  text_put(&joined, more);
  wipe_free(*values);
  wipe_free(more);
  *values = text_take(&joined);
  return *values != NULL;
}

bool profile_put(struct profile *profile, const char *key, const char *text, char *message,
                 size_t size) {
  struct value value = {profile_folder(profile->file), NULL, message, size};
  size_t i;

  for (i = 0; i < OPTION_COUNT && strcmp(options[i].name, key) != 0; i++)
    continue;
  if (i == OPTION_COUNT)
    return REFUSE(&value, "unknown key \"%s\"", key);
  if (*member(profile, &options[i]) != NULL && options[i].judge != is_parameter)
    return REFUSE(&value, "%s is given twice", key);
  value.text = wipe_dup(text);
  snprintf(message, size, "out of memory");
  if (value.text == NULL)
    return false;
  if (!options[i].judge(&value)) {
    char why[400];

    snprintf(why, sizeof why, "%s", message);
    wipe_free(value.text);
    return REFUSE(&value, "%s: %s", key, why);
  }
  if (*member(profile, &options[i]) != NULL)
    return join(member(profile, &options[i]), value.text);
  *member(profile, &options[i]) = value.text;
  return true;
}

bool profile_each(const char *values, bool (*call)(void *context, const char *item),
                  void *context) {
  bool fine = true;

  while (fine && values != NULL) {
    size_t len = strcspn(values, "\n");
    struct text item = {0};

    text_put_bytes(&item, values, len);
    fine = text_end(&item) != NULL && call(context, item.bytes);
    text_clear(&item);
    values = values[len] == '\0' ? NULL : values + len + 1;
  }
  return fine;
}

/* ---- a whole profile ---- */

static bool put_defaults(struct profile *profile) {
  size_t i;

  for (i = 0; i < OPTION_COUNT; i++) {
    char **text = member(profile, &options[i]);

    if (*text == NULL && options[i].otherwise != NULL &&
        (*text = wipe_dup(options[i].otherwise)) == NULL)
      return false;
  }
  return true;
}

/* What a flow cannot do without. */
static const char *missing(const struct profile *profile) {
  switch (profile->flow_kind) {
  case FLOW_TOKEN_FILE:
    return profile->token_file == NULL ? "token_file" : NULL;
  case FLOW_SAML:
    return profile->sso_url == NULL ? "sso_url" : NULL;
  case FLOW_BROWSER:
  case FLOW_DEVICE:
  case FLOW_CLIENT:
    break;
  }
  if (profile->issuer == NULL)
    return "issuer";
  if (profile->client_id == NULL)
    return "client_id";
  if (profile->auth_kind == AUTH_PRIVATE_KEY_JWT)
    return profile->client_key_file == NULL ? "client_key_file" : NULL;
  if (profile->auth_kind != AUTH_NONE || profile->flow_kind == FLOW_CLIENT)
    return profile->client_secret_file == NULL ? "client_secret_file" : NULL;
  return NULL;
}

static enum profile_client_auth default_auth(const struct profile *profile) {
  return profile->client_key_file != NULL      ? AUTH_PRIVATE_KEY_JWT
         : profile->client_secret_file != NULL ? AUTH_BASIC
                                               : AUTH_NONE;
}

static bool complete(struct profile *profile, char *message, size_t size) {
  const char *lacks;

  profile->flow_kind = (enum profile_flow)place_of(flow_names, profile->flow);
  profile->use_kind = profile->use != NULL && profile->flow_kind != FLOW_SAML
                          ? (enum profile_use)place_of(use_names, profile->use)
                      : profile->flow_kind == FLOW_CLIENT ? USE_ACCESS
                                                          : USE_ID;
  profile->auth_kind = profile->client_auth != NULL
                           ? (enum profile_client_auth)place_of(auth_names, profile->client_auth)
                           : default_auth(profile);
  /* A SAML response is for one login. */
  profile->is_cached = strcmp(profile->cache, "yes") == 0 && profile->flow_kind != FLOW_SAML;
  profile->checks_relay_state = strcmp(profile->relay_state, "yes") == 0;
  lacks = missing(profile);
  if (lacks != NULL)
    snprintf(message, size, "profile \"%s\" needs the key %s for flow = %s", profile->label, lacks,
             profile->flow);
  return lacks == NULL && cortex_duration_parse(profile->renew_before, &profile->renew_seconds) &&
         cortex_duration_parse(profile->timeout, &profile->timeout_seconds);
}

bool profile_finish(struct profile *profile, char *message, size_t size) {
  snprintf(message, size, "out of memory");
  return put_defaults(profile) && complete(profile, message, size);
}

bool profile_set_flow(struct profile *profile, const char *flow) {
  char message[256] = "";
  char *copy;

  if (place_of(flow_names, flow) < 0) {
    cli_complain("--flow: there is no flow '%s'", flow);
    return false;
  }
  copy = wipe_dup(flow);
  if (copy == NULL)
    return false;
  wipe_free(profile->flow);
  profile->flow = copy;
  if (complete(profile, message, sizeof message))
    return true;
  cli_complain("%s:%u: %s", profile->file, profile->line, message);
  return false;
}

bool profile_is_personal(const struct profile *profile) {
  return profile->flow_kind != FLOW_CLIENT && profile->flow_kind != FLOW_TOKEN_FILE;
}

void profile_clear(struct profile *profile) {
  size_t i;

  for (i = 0; i < OPTION_COUNT; i++)
    wipe_free(*member(profile, &options[i]));
  memset(profile, 0, sizeof *profile);
}
