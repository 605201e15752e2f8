/*
 * Key sets and metadata that a program fetched itself, by the issuer's label.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "credential/keyring.h"

#include <stdlib.h>
#include <string.h>

struct entry {
  struct entry *next;
  char *label;
  char *bytes; /* the document as it is */
  size_t len;
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
  free(entry->bytes);
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
  entry->bytes = malloc(len + 1);
  if (entry->bytes != NULL)
    memcpy(entry->bytes, bytes, entry->len = len);
  if (entry->label == NULL || entry->bytes == NULL ||
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

static const struct entry *find(const struct cortex_keyring *keyring, const char *label) {
  const struct entry *entry = keyring != NULL ? keyring->entries : NULL;

  while (entry != NULL && strcmp(entry->label, label) != 0)
    entry = entry->next;
  return entry;
}

bool cx_keyring_get_document(const struct cortex_keyring *keyring, const char *label,
                             const char **bytes_out, size_t *len_out) {
  const struct entry *entry = find(keyring, label);

  *bytes_out = entry != NULL ? entry->bytes : NULL;
  *len_out = entry != NULL ? entry->len : 0;
  return entry != NULL;
}

enum cortex_reason cx_keyring_get(const struct cortex_keyring *keyring, const char *label,
                                  const struct cx_keyset **keyset_out,
                                  struct cortex_error *error) {
  const struct entry *entry = find(keyring, label);

  *keyset_out = NULL;
  if (entry == NULL)
    return CORTEX_OK;
  if (entry->keyset == NULL)
    return cx_error_set(error, entry->cause.reason, "%s", entry->cause.message);
  *keyset_out = entry->keyset;
  return CORTEX_OK;
}
