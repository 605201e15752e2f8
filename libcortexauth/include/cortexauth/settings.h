/*
 * cortex.conf, read whole and checked, or not at all.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CORTEXAUTH_SETTINGS_H
#define CORTEXAUTH_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cortexauth/error.h>

/* Immutable after loading; may be shared between threads. */
struct cortex_settings;

/* One configured issuer: an [oidc "LABEL"] or [saml "LABEL"] section. */
struct cortex_issuer;

/*
 * Reads a configuration file through the strict open (regular file, owned by
 * root or the caller, not writable by others, at most 1 MiB) and checks every
 * section, key and value; of the files it names only private keys are opened.
 *
 *   in   path: NUL-terminated; relative paths inside are taken from its folder
 *   out  settings_out: release with cortex_settings_free; NULL on failure
 *   gives  CORTEX_OK, or CORTEX_CONFIG_INVALID with source, line and the key
 */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_settings_load(const char *path, struct cortex_settings **settings_out,
                     struct cortex_error *error);

/* The same from bytes; name stands for the file in messages and paths. */
CORTEX_API CORTEX_MUSTCHECK enum cortex_reason
cortex_settings_parse(const char *name, const char *bytes, size_t len,
                      struct cortex_settings **settings_out, struct cortex_error *error);

/* Frees and sets to NULL; NULL and pointer to NULL are fine. */
CORTEX_API void cortex_settings_free(struct cortex_settings **settings);

/*
 * The value of a key as text, or its default; NULL when it has neither.
 * Lists and repeatable keys give their items joined by a newline; paths come
 * out absolute. Borrowed until the settings are freed.
 *
 *   in   section: "policy", "audit", …; for issuers use cortex_issuer_value
 */
CORTEX_API const char *cortex_settings_value(const struct cortex_settings *settings,
                                             const char *section, const char *key);

/* The line of that key, or of its section where the key is not written; 0: neither is. */
CORTEX_API unsigned cortex_settings_line(const struct cortex_settings *settings,
                                         const char *section, const char *key);

/* How many issuers are configured, and the one at an index below that (else NULL). */
CORTEX_API size_t cortex_settings_issuer_count(const struct cortex_settings *settings);
CORTEX_API const struct cortex_issuer *
cortex_settings_issuer(const struct cortex_settings *settings, size_t index);

/* The label in the section's head; the kind, "oidc" or "saml". Borrowed. */
CORTEX_API const char *cortex_issuer_label(const struct cortex_issuer *issuer);
CORTEX_API const char *cortex_issuer_kind(const struct cortex_issuer *issuer);

/* As cortex_settings_value, for a key of this issuer's section. */
CORTEX_API const char *cortex_issuer_value(const struct cortex_issuer *issuer, const char *key);

/* True when a refresh fetches what this issuer is trusted by: it names no file of its own. */
CORTEX_API bool cortex_issuer_is_fetched(const struct cortex_issuer *issuer);

/* The line of the section's head in the file, 1-based; that of a key, or else of the head. */
CORTEX_API unsigned cortex_issuer_line(const struct cortex_issuer *issuer);
CORTEX_API unsigned cortex_issuer_key_line(const struct cortex_issuer *issuer, const char *key);

/* Sections with a label other than issuers, in the order of the file: [directory "LABEL"], … */
struct cortex_section;
CORTEX_API size_t cortex_settings_section_count(const struct cortex_settings *settings);
CORTEX_API const struct cortex_section *
cortex_settings_section(const struct cortex_settings *settings, size_t index);

/* What stands in its head: "directory", "corp". Borrowed. */
CORTEX_API const char *cortex_section_kind(const struct cortex_section *section);
CORTEX_API const char *cortex_section_label(const struct cortex_section *section);

/* As cortex_settings_value, for a key of this section. */
CORTEX_API const char *cortex_section_value(const struct cortex_section *section, const char *key);

/* The next value of a repeatable key, from *cursor (start with 0) on; NULL after the last. */
CORTEX_API const char *cortex_section_next(const struct cortex_section *section, const char *key,
                                           size_t *cursor);

/* The line of a key, or of the section's head where it is not written or NULL. */
CORTEX_API unsigned cortex_section_line(const struct cortex_section *section, const char *key);

/*
 * A duration as cortex.conf writes it: whole seconds, or parts such as 1d2h30m10s.
 *   out  seconds_out: never negative; left alone on failure
 *   gives  false when the text is no duration
 */
CORTEX_API CORTEX_MUSTCHECK bool cortex_duration_parse(const char *text, int64_t *seconds_out);

/*
 * All options that exist, in the order of the manual, for documentation tests
 * and completion. Sections of issuers are named "oidc" and "saml".
 *   gives  false when index is past the last option
 */
struct cortex_option {
  const char *section;
  const char *key;
  const char *type;          /* "text", "path", "url", "list", "duration", … */
  const char *default_value; /* NULL: none */
  bool required;
  bool repeatable;
};
CORTEX_API bool cortex_option_get(size_t index, struct cortex_option *option_out);

#endif
