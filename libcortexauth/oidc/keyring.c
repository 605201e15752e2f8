/*
 * Key sets that a program fetched itself, by the issuer's label.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "oidc/keyring.h"

#include <stdlib.h>
#include <string.h>

struct entry {
  struct entry *next;
  char *label;
  struct cx_keyset *keyset;  /* NULL: what was put in is not a key set */
  struct cortex_error cause; /* why */
};

struct cortex_keyring {
  struct entry *entries;
};

struct cortex_keyring *cortex_keyring_new(void) {
  return calloc(1, sizeof(struct cortex_keyring));
}

static void free_entry(struct entry *entry) {
  free(entry->label);
  cx_keyset_free(&entry->keyset);
  free(entry);
}

void cortex_keyring_free(struct cortex_keyring **keyring) {
  struct entry *entry;

  if (keyring == NULL || *keyring == NULL)
    return;
  while ((entry = (*keyring)->entries) != NULL) {
    (*keyring)->entries = entry->next;
    free_entry(entry);
  }
  free(*keyring);
  *keyring = NULL;
}

static void drop(struct cortex_keyring *keyring, const char *label) {
  struct entry **place, *entry;

  for (place = &keyring->entries; (entry = *place) != NULL; place = &entry->next)
    if (strcmp(entry->label, label) == 0) {
      *place = entry->next;
      free_entry(entry);
      return;
    }
}

enum cortex_reason cortex_keyring_put(struct cortex_keyring *keyring, const char *label,
                                      const char *bytes, size_t len) {
  struct entry *entry;

  if (len > CX_KEYSET_SIZE_MAX)
    return CORTEX_TOO_LARGE;
  entry = calloc(1, sizeof *entry);
  if (entry == NULL)
    return CORTEX_INTERNAL;
  entry->label = strdup(label);
  if (entry->label == NULL ||
      cx_keyset_parse(bytes, len, &entry->keyset, &entry->cause) == CORTEX_INTERNAL) {
    free_entry(entry);
    return CORTEX_INTERNAL;
  }
  if (entry->keyset != NULL)
    cx_keyset_prepare(entry->keyset);
  drop(keyring, label);
  entry->next = keyring->entries;
  keyring->entries = entry;
  return CORTEX_OK;
}

enum cortex_reason cx_keyring_get(const struct cortex_keyring *keyring, const char *label,
                                  const struct cx_keyset **keyset_out,
                                  struct cortex_error *error) {
  const struct entry *entry = keyring != NULL ? keyring->entries : NULL;

  *keyset_out = NULL;
  while (entry != NULL && strcmp(entry->label, label) != 0)
    entry = entry->next;
  if (entry == NULL)
    return CORTEX_OK;
  if (entry->keyset == NULL)
    return cx_error_set(error, entry->cause.reason, "%s", entry->cause.message);
  *keyset_out = entry->keyset;
  return CORTEX_OK;
}
