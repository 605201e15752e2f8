/*
 * cortex.conf: sections and pairs into one checked struct.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "settings/settings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "settings/directory.h"
#include "settings/sync.h"
#include "settings/table.h"
#include "util/file.h"
#include "util/ini.h"
#include "util/text.h"

#define ISSUERS_MAX 256
#define SECTIONS_MAX 4096
#define TEXTS_STEP 32

/* The options of one section: the table keeps them together. */
struct rows {
  size_t first, end;
};

struct loader {
  struct cortex_settings *settings;
  const char *folder;
  const char *section; /* of the table's first row of the section; NULL before the first section */
  struct rows rows;    /* of that section */
  enum cx_option_of of;
  unsigned section_line;
  bool seen[CX_OPTIONS_MAX];     /* options of this section */
  bool was_read[CX_OPTIONS_MAX]; /* sections, by their first row */
  union { /* a value of a labelled section, for as long as it takes to check it */
    char *text;
    struct cx_list list;
    int64_t number;
    bool flag;
  } value;
  struct cortex_error *error;
};

static struct cx_place place_of(const struct loader *loader, unsigned line) {
  return (struct cx_place){loader->settings->name, line, 0};
}

#define REFUSE(loader, line, ...)                                                                  \
  cx_error_at((loader)->error, CORTEX_CONFIG_INVALID, place_of(loader, line), __VA_ARGS__)

/* The struct that the current section's options are offsets into. */
static void *target(struct loader *loader) {
  struct cortex_settings *settings = loader->settings;

  if (loader->of == CX_OF_SECTION)
    return &loader->value;
  return loader->of == CX_OF_ISSUER ? (void *)&settings->issuers[settings->issuer_count - 1]
                                    : (void *)settings;
}

static struct cx_texts *texts(struct loader *loader) {
  struct cortex_settings *settings = loader->settings;

  if (loader->of == CX_OF_SECTION)
    return &settings->sections[settings->section_count - 1].texts;
  return loader->of == CX_OF_ISSUER ? &settings->issuers[settings->issuer_count - 1].texts
                                    : &settings->texts;
}

/* Lists are kept with a newline between items, as the getters promise. */
static char *join(const struct cx_list *list) {
  size_t size = 1, len, i;
  char *text, *end;

  for (i = 0; i < list->count; i++)
    size += strlen(list->items[i]) + 1;
  text = malloc(size);
  if (text == NULL)
    return NULL;
  end = text;
  *end = '\0';
  for (i = 0; i < list->count; i++) {
    len = strlen(list->items[i]);
    if (i > 0)
      *end++ = '\n';
    memcpy(end, list->items[i], len + 1);
    end += len;
  }
  return text;
}

/* Whether a value is kept otherwise than it was written. */
static bool is_changed(const struct cx_option *option) {
  return cx_option_type(option)->clear == cx_type_list.clear || option->type == CX_TYPE_path ||
         option->type == CX_TYPE_private_key || option->type == CX_TYPE_saml_private_key;
}

static char *text_of(const struct cx_option *option, const void *member, const char *value) {
  if (cx_option_type(option)->clear == cx_type_list.clear)
    return join(member);
  return strdup(is_changed(option) ? *(char *const *)member : value);
}

/* A text of NULL is the default's, which needs no copy. */
static bool remember(struct cx_texts *texts, const struct cx_option *option, char *text,
                     unsigned line) {
  struct cx_written *items = texts->items;

  if (texts->count % TEXTS_STEP == 0) {
    items = realloc(items, (texts->count + TEXTS_STEP) * sizeof *items);
    if (items == NULL) {
      free(text);
      return false;
    }
    texts->items = items;
  }
  items[texts->count++] = (struct cx_written){option, text, line};
  return true;
}

static enum cortex_reason set_option(struct loader *loader, const struct cx_option *option,
                                     const char *value, unsigned line) {
  const struct cx_type *type = cx_option_type(option);
  char *member = (char *)target(loader) + option->offset, *text = NULL;
  bool has_text = value != option->default_value || is_changed(option);
  char room[CX_INI_LINE_MAX + 1];
  enum cortex_reason reason;
  struct cortex_error why = CORTEX_ERROR_NONE;

  memcpy(room, value, strlen(value) + 1); /* a line's part, and shorter than one */
  reason = type->parse(room, loader->folder, member, &why);
  if (reason == CORTEX_OK && has_text)
    text = text_of(option, member, room);
  if (reason == CORTEX_INTERNAL)
    reason = cx_error_memory(loader->error);
  else if (reason != CORTEX_OK)
    reason = REFUSE(loader, line, "%s: %s", option->key, why.message);
  else if ((has_text && text == NULL) || !remember(texts(loader), option, text, line))
    reason = cx_error_memory(loader->error);
  if (loader->of == CX_OF_SECTION) {
    type->clear(member);
    memset(&loader->value, 0, sizeof loader->value);
  }
  return reason;
}

/* Defaults and required keys, when a section has been read whole. */
static enum cortex_reason finish_section(struct loader *loader) {
  enum cortex_reason reason = CORTEX_OK;
  size_t i;

  for (i = loader->rows.first; i < loader->rows.end && reason == CORTEX_OK; i++) {
    const struct cx_option *option = &cx_options[i];

    if (loader->seen[i])
      continue;
    if ((option->flags & CX_REQUIRED) != 0)
      return REFUSE(loader, loader->section_line, "the section lacks the key \"%s\"", option->key);
    if (option->default_value[0] != '\0')
      reason = set_option(loader, option, option->default_value, loader->section_line);
  }
  return reason;
}

static bool is_label(const char *label) {
  const char *c = label;

  while ((*c >= 'a' && *c <= 'z') || (*c >= 'A' && *c <= 'Z') || (*c >= '0' && *c <= '9') ||
         *c == '.' || *c == '_' || *c == '-')
    c++;
  return *c == '\0' && c > label && c - label <= 32;
}

static enum cortex_reason add_issuer(struct loader *loader, unsigned line, const char *label) {
  struct cortex_settings *settings = loader->settings;
  struct cortex_issuer *issuers;
  size_t i;

  if (label == NULL || !is_label(label))
    return REFUSE(loader, line, "a label in quotes with 1 to 32 of A-Z a-z 0-9 . _ - is needed");
  for (i = 0; i < settings->issuer_count; i++)
    if (strcmp(settings->issuers[i].label, label) == 0)
      return REFUSE(loader, line, "the label \"%s\" was used in line %u", label,
                    settings->issuers[i].line);
  if (settings->issuer_count == ISSUERS_MAX)
    return REFUSE(loader, line, "at most %d issuers are allowed", ISSUERS_MAX);
  issuers = realloc(settings->issuers, (settings->issuer_count + 1) * sizeof *issuers);
  if (issuers == NULL)
    return cx_error_memory(loader->error);
  settings->issuers = issuers;
  issuers[settings->issuer_count] =
      (struct cortex_issuer){.kind = loader->section, .label = strdup(label), .line = line};
  if (issuers[settings->issuer_count].label == NULL)
    return cx_error_memory(loader->error);
  settings->issuer_count++;
  return CORTEX_OK;
}

static enum cortex_reason add_section(struct loader *loader, unsigned line, const char *label) {
  struct cortex_settings *settings = loader->settings;
  struct cortex_section *sections;
  size_t i;

  if (label == NULL || !is_label(label))
    return REFUSE(loader, line, "a label in quotes with 1 to 32 of A-Z a-z 0-9 . _ - is needed");
  if (strcmp(loader->section, "directory") == 0 && strcmp(label, "login") == 0)
    return REFUSE(loader, line, "the label \"login\" is kept for roles that logins make");
  for (i = 0; i < settings->section_count; i++)
    if (settings->sections[i].kind == loader->section &&
        strcmp(settings->sections[i].label, label) == 0)
      return REFUSE(loader, line, "the label \"%s\" was used in line %u", label,
                    settings->sections[i].line);
  if (settings->section_count == SECTIONS_MAX)
    return REFUSE(loader, line, "at most %d sections with labels are allowed", SECTIONS_MAX);
  sections = realloc(settings->sections, (settings->section_count + 1) * sizeof *sections);
  if (sections == NULL)
    return cx_error_memory(loader->error);
  settings->sections = sections;
  sections[settings->section_count] =
      (struct cortex_section){.kind = loader->section, .label = strdup(label), .line = line};
  if (sections[settings->section_count].label == NULL)
    return cx_error_memory(loader->error);
  settings->section_count++;
  return CORTEX_OK;
}

/* The rows of the section that begins with a row. */
static struct rows rows_from(size_t first) {
  struct rows rows = {first, first + 1};

  while (rows.end < cx_option_count &&
         memcmp(cx_options[rows.end].section, cx_options[first].section,
                sizeof cx_options[first].section) == 0)
    rows.end++;
  return rows;
}

static bool find_section(const char *name, struct rows *rows_out) {
  size_t i;

  for (i = 0; i < cx_option_count; i = rows_out->end) {
    *rows_out = rows_from(i);
    if (strcmp(cx_options[i].section, name) == 0)
      return true;
  }
  return false;
}

static void begin_section(struct loader *loader, const struct rows *rows, unsigned line) {
  memset(loader->seen + rows->first, 0, (rows->end - rows->first) * sizeof loader->seen[0]);
  loader->rows = *rows;
  loader->section = cx_options[rows->first].section;
  loader->of = (enum cx_option_of)cx_options[rows->first].of;
  loader->section_line = line;
  loader->was_read[rows->first] = true;
}

static enum cortex_reason on_section(void *context, unsigned line, const char *name,
                                     const char *label, struct cortex_error *error) {
  struct loader *loader = context;
  enum cortex_reason reason = loader->section != NULL ? finish_section(loader) : CORTEX_OK;
  struct rows rows;
  bool again;

  (void)error;
  if (reason != CORTEX_OK)
    return reason;
  if (!find_section(name, &rows))
    return REFUSE(loader, line, "there is no section \"%s\"", name);
  again = loader->was_read[rows.first];
  begin_section(loader, &rows, line);
  if (loader->of == CX_OF_ISSUER)
    return add_issuer(loader, line, label);
  if (loader->of == CX_OF_SECTION)
    return add_section(loader, line, label);
  if (label != NULL)
    return REFUSE(loader, line, "the section \"%s\" takes no label", name);
  if (again)
    return REFUSE(loader, line, "the section \"%s\" stands twice", name);
  return CORTEX_OK;
}

static enum cortex_reason on_pair(void *context, unsigned line, const char *key, const char *value,
                                  struct cortex_error *error) {
  struct loader *loader = context;
  size_t i;

  (void)error;
  if (loader->section == NULL)
    return REFUSE(loader, line, "\"%s\" stands before the first section", key);
  for (i = loader->rows.first; i < loader->rows.end; i++)
    if (strcmp(cx_options[i].key, key) == 0)
      break;
  if (i == loader->rows.end)
    return REFUSE(loader, line, "the section \"%s\" has no key \"%s\"", loader->section, key);
  if (loader->seen[i] && (cx_options[i].flags & CX_REPEATABLE) == 0)
    return REFUSE(loader, line, "the key \"%s\" stands twice", key);
  loader->seen[i] = true;
  return set_option(loader, &cx_options[i], value, line);
}

/* Sections that the file leaves out get their defaults all the same. */
static enum cortex_reason add_missing_sections(struct loader *loader) {
  enum cortex_reason reason = CORTEX_OK;
  struct rows rows;
  size_t i;

  for (i = 0; i < cx_option_count && reason == CORTEX_OK; i = rows.end) {
    rows = rows_from(i);
    if (cx_options[i].of != CX_OF_SETTINGS || loader->was_read[i])
      continue;
    begin_section(loader, &rows, 0);
    reason = finish_section(loader);
  }
  return reason;
}

const char *cx_issuer_name(const struct cortex_issuer *issuer) {
  return cx_issuer_is(issuer, CX_KIND_SAML) ? issuer->saml.idp_entity_id : issuer->oidc.issuer;
}

/* By kind, name and line, so that issuers of one name stand beside each other. */
static int compare_issuers(const void *left, const void *right) {
  const struct cortex_issuer *a = *(const struct cortex_issuer *const *)left;
  const struct cortex_issuer *b = *(const struct cortex_issuer *const *)right;
  int order = strcmp(cx_issuer_name(a), cx_issuer_name(b));

  if (order == 0)
    order = strcmp(a->kind, b->kind);
  return order != 0 ? order : (a->line > b->line) - (a->line < b->line);
}

/* Of two issuers of one name, a credential would choose neither. */
static enum cortex_reason check_names(struct loader *loader) {
  const struct cortex_settings *settings = loader->settings;
  const struct cortex_issuer **sorted = malloc(settings->issuer_count * sizeof *sorted);
  enum cortex_reason reason = CORTEX_OK;
  size_t count = 0, i;

  if (sorted == NULL)
    return cx_error_memory(loader->error);
  for (i = 0; i < settings->issuer_count; i++)
    if (cx_issuer_name(&settings->issuers[i]) != NULL)
      sorted[count++] = &settings->issuers[i];
  qsort(sorted, count, sizeof *sorted, compare_issuers);
  for (i = 1; i < count && reason == CORTEX_OK; i++)
    if (strcmp(cx_issuer_name(sorted[i - 1]), cx_issuer_name(sorted[i])) == 0 &&
        cx_issuer_is(sorted[i - 1], sorted[i]->kind))
      reason = REFUSE(loader, sorted[i]->line,
                      "the issuer of \"%s\" is already the issuer of \"%s\" in line %u",
                      sorted[i]->label, sorted[i - 1]->label, sorted[i - 1]->line);
  free(sorted);
  return reason;
}

static enum cortex_reason check_saml(struct loader *loader, const struct cortex_issuer *issuer) {
  const struct cx_saml_settings *saml = &issuer->saml;

  if (cx_issuer_is(issuer, CX_KIND_SAML) &&
      (saml->metadata_file == NULL) == (saml->metadata_url == NULL))
    return REFUSE(loader, issuer->line,
                  "the section needs one of the keys \"metadata_file\" and \"metadata_url\"");
  return CORTEX_OK;
}

static enum cortex_reason check_issuers(struct loader *loader) {
  const struct cortex_settings *settings = loader->settings;
  enum cortex_reason reason = CORTEX_OK;
  size_t i;

  if (settings->issuer_count == 0)
    return REFUSE(loader, 1, "there is no [oidc] or [saml] section: nobody could log in");
  for (i = 0; i < settings->issuer_count && reason == CORTEX_OK; i++)
    reason = check_saml(loader, &settings->issuers[i]);
  return reason == CORTEX_OK ? check_names(loader) : reason;
}

/* [policy] image is a file of the cache path unless it is named. */
static enum cortex_reason set_image_path(struct loader *loader) {
  struct cortex_settings *settings = loader->settings;
  char path[CX_INI_LINE_MAX + sizeof "/policy.image"];

  settings->policy.has_image = settings->policy.image != NULL;
  if (settings->policy.has_image)
    return CORTEX_OK;
  snprintf(path, sizeof path, "%s/policy.image", settings->cache.path);
  settings->policy.image = strdup(path);
  return settings->policy.image != NULL ? CORTEX_OK : cx_error_memory(loader->error);
}

/* [session] path is a folder of the state path unless it is named. */
static enum cortex_reason set_session_path(struct loader *loader) {
  struct cortex_settings *settings = loader->settings;
  char path[CX_INI_LINE_MAX + 16];

  if (settings->session.path != NULL)
    return CORTEX_OK;
  snprintf(path, sizeof path, "%s/sessions", settings->state.path);
  settings->session.path = strdup(path);
  return settings->session.path != NULL ? CORTEX_OK : cx_error_memory(loader->error);
}

/* A role that nobody can make is not made later. */
static enum cortex_reason check_jit(struct loader *loader) {
  const struct cortex_settings *settings = loader->settings;

  if (!settings->roles.jit || settings->roles.jit_conninfo.values[0] != NULL)
    return CORTEX_OK;
  return cx_error_at(loader->error, CORTEX_CONFIG_INVALID,
                     (struct cx_place){settings->name, cortex_settings_line(settings, "roles", "jit"), 0},
                     "[roles] jit = yes needs jit_conninfo");
}

static enum cortex_reason read_sections(struct loader *loader, const char *bytes, size_t len) {
  struct cx_ini_handler handler = {on_section, on_pair, loader};
  enum cortex_reason reason =
      cx_ini_parse(loader->settings->name, bytes, len, &handler, loader->error);

  if (reason == CORTEX_OK && loader->section != NULL)
    reason = finish_section(loader);
  if (reason == CORTEX_OK)
    reason = check_issuers(loader);
  if (reason == CORTEX_OK)
    reason = cx_directories_check(loader->settings, loader->error);
  if (reason == CORTEX_OK)
    reason = cx_sync_check(loader->settings, loader->error);
  if (reason == CORTEX_OK)
    reason = add_missing_sections(loader);
  if (reason == CORTEX_OK)
    reason = set_session_path(loader);
  if (reason == CORTEX_OK)
    reason = set_image_path(loader);
  if (reason == CORTEX_OK)
    reason = check_jit(loader);
  return reason;
}

/* The folder of the file, for relative paths inside it. */
static char *folder_of(const char *name) {
  const char *slash = strrchr(name, '/');

  if (slash == NULL)
    return strdup(".");
  return slash == name ? strdup("/") : strndup(name, (size_t)(slash - name));
}

enum cortex_reason cortex_settings_parse(const char *name, const char *bytes, size_t len,
                                         struct cortex_settings **settings_out,
                                         struct cortex_error *error) {
  struct cortex_settings *settings = calloc(1, sizeof *settings);
  char *folder = folder_of(name);
  struct loader loader = {.settings = settings, .folder = folder, .error = error};
  enum cortex_reason reason = CORTEX_INTERNAL;

  *settings_out = NULL;
  if (settings == NULL || folder == NULL || (settings->name = strdup(name)) == NULL) {
    cx_error_memory(error);
    goto out;
  }
  reason = read_sections(&loader, bytes, len);
  if (reason != CORTEX_OK)
    goto out;
  *settings_out = settings;
  settings = NULL;
out:
  free(folder);
  cortex_settings_free(&settings);
  return reason;
}

enum cortex_reason cortex_settings_load(const char *path, struct cortex_settings **settings_out,
                                        struct cortex_error *error) {
  static const struct cx_file_rules rules = {CORTEX_CONFIG_INVALID, 1024 * 1024, false};
  struct cx_buf content;
  enum cortex_reason reason;

  *settings_out = NULL;
  reason = cx_file_read(path, &rules, &content, NULL, error);
  if (reason == CORTEX_OK)
    reason = cortex_settings_parse(path, content.bytes, content.len, settings_out, error);
  cx_buf_clear(&content);
  return reason;
}

static void clear_texts(struct cx_texts *texts) {
  size_t i;

  for (i = 0; i < texts->count; i++)
    free(texts->items[i].text);
  free(texts->items);
}

static void clear_members(void *base, enum cx_option_of of) {
  size_t i;

  for (i = 0; i < cx_option_count; i++)
    if (cx_options[i].of == of)
      cx_option_type(&cx_options[i])->clear((char *)base + cx_options[i].offset);
}

void cortex_settings_free(struct cortex_settings **settings) {
  struct cortex_settings *old = settings != NULL ? *settings : NULL;
  size_t i;

  if (old == NULL)
    return;
  for (i = 0; i < old->issuer_count; i++) {
    clear_members(&old->issuers[i], CX_OF_ISSUER);
    clear_texts(&old->issuers[i].texts);
    free(old->issuers[i].label);
  }
  free(old->issuers);
  for (i = 0; i < old->section_count; i++) {
    clear_texts(&old->sections[i].texts);
    free(old->sections[i].label);
  }
  free(old->sections);
  clear_members(old, CX_OF_SETTINGS);
  clear_texts(&old->texts);
  free(old->name);
  free(old);
  *settings = NULL;
}
