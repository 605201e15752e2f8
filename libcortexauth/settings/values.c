/*
 * Reading the settings: issuers, sections and options as they were written.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <string.h>

#include "settings/table.h"
#include "util/text.h"

bool cx_issuer_is(const struct cortex_issuer *issuer, const char *kind) {
  return strcmp(issuer->kind, kind) == 0;
}

const struct cx_naming *cx_issuer_naming(const struct cortex_issuer *issuer) {
  return cx_issuer_is(issuer, CX_KIND_SAML) ? &issuer->saml.naming : &issuer->oidc.naming;
}

static const struct cx_written *find_written(const struct cx_texts *texts, const char *section,
                                             const char *key) {
  size_t i;

  for (i = 0; i < texts->count; i++)
    if (strcmp(texts->items[i].option->section, section) == 0 &&
        strcmp(texts->items[i].option->key, key) == 0)
      return &texts->items[i];
  return NULL;
}

static const char *text_of(const struct cx_written *written) {
  return written->text != NULL ? written->text : written->option->default_value;
}

static const char *find_text(const struct cx_texts *texts, const char *section, const char *key) {
  const struct cx_written *written = find_written(texts, section, key);

  return written != NULL ? text_of(written) : NULL;
}

const char *cortex_settings_value(const struct cortex_settings *settings, const char *section,
                                  const char *key) {
  if (strcmp(section, "session") == 0 && strcmp(key, "path") == 0)
    return settings->session.path;
  if (strcmp(section, "policy") == 0 && strcmp(key, "image") == 0)
    return settings->policy.image;
  return find_text(&settings->texts, section, key);
}

unsigned cortex_settings_line(const struct cortex_settings *settings, const char *section,
                              const char *key) {
  const struct cx_written *written = find_written(&settings->texts, section, key);

  return written != NULL ? written->line : 0;
}

size_t cortex_settings_issuer_count(const struct cortex_settings *settings) {
  return settings->issuer_count;
}

const struct cortex_issuer *cortex_settings_issuer(const struct cortex_settings *settings,
                                                   size_t index) {
  return index < settings->issuer_count ? &settings->issuers[index] : NULL;
}

const struct cortex_issuer *cx_settings_find_issuer(const struct cortex_settings *settings,
                                                    const char *label) {
  size_t i;

  for (i = 0; i < settings->issuer_count; i++)
    if (label != NULL && strcmp(settings->issuers[i].label, label) == 0)
      return &settings->issuers[i];
  return NULL;
}

const char *cortex_issuer_label(const struct cortex_issuer *issuer) {
  return issuer->label;
}

const char *cortex_issuer_kind(const struct cortex_issuer *issuer) {
  return issuer->kind;
}

const char *cortex_issuer_value(const struct cortex_issuer *issuer, const char *key) {
  return find_text(&issuer->texts, issuer->kind, key);
}

bool cortex_issuer_is_fetched(const struct cortex_issuer *issuer) {
  static const char *const files[] = {"jwks_file", "metadata_file"};
  size_t i;

  for (i = 0; i < sizeof files / sizeof files[0]; i++)
    if (cortex_issuer_value(issuer, files[i]) != NULL)
      return false;
  return true;
}

unsigned cortex_issuer_line(const struct cortex_issuer *issuer) {
  return issuer->line;
}

unsigned cortex_issuer_key_line(const struct cortex_issuer *issuer, const char *key) {
  const struct cx_written *written = find_written(&issuer->texts, issuer->kind, key);

  return written != NULL ? written->line : issuer->line;
}

size_t cortex_settings_section_count(const struct cortex_settings *settings) {
  return settings->section_count;
}

const struct cortex_section *cortex_settings_section(const struct cortex_settings *settings,
                                                     size_t index) {
  return index < settings->section_count ? &settings->sections[index] : NULL;
}

const char *cortex_section_kind(const struct cortex_section *section) {
  return section->kind;
}

const char *cortex_section_label(const struct cortex_section *section) {
  return section->label;
}

const char *cortex_section_value(const struct cortex_section *section, const char *key) {
  return find_text(&section->texts, section->kind, key);
}

unsigned cortex_section_line(const struct cortex_section *section, const char *key) {
  const struct cx_written *written =
      key != NULL ? find_written(&section->texts, section->kind, key) : NULL;

  return written != NULL ? written->line : section->line;
}

const char *cortex_section_next(const struct cortex_section *section, const char *key,
                                size_t *cursor) {
  while (*cursor < section->texts.count) {
    const struct cx_written *written = &section->texts.items[(*cursor)++];

    if (strcmp(written->option->key, key) == 0)
      return text_of(written);
  }
  return NULL;
}

bool cortex_duration_parse(const char *text, int64_t *seconds_out) {
  return cx_text_parse_duration(text, seconds_out);
}

bool cortex_option_get(size_t index, struct cortex_option *option_out) {
  const struct cx_option *option;

  if (index >= cx_option_count)
    return false;
  option = &cx_options[index];
  *option_out =
      (struct cortex_option){option->section,
                             option->key,
                             cx_option_type(option)->name,
                             option->default_value[0] != '\0' ? option->default_value : NULL,
                             (option->flags & CX_REQUIRED) != 0,
                             (option->flags & CX_REPEATABLE) != 0};
  return true;
}
