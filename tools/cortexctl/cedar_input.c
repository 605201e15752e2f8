/*
 * Policies, links and entities from files into a Cedar store.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "cedar_input.h"

#include <stdio.h>
#include <string.h>

#include "common/cli.h"

struct cedar_source cedar_input_source(const struct text_file *file) {
  return (struct cedar_source){file->name, file->bytes, file->len};
}

void cedar_input_complain(const struct cedar_error *error) {
  struct cortex_error shown = {.reason = CORTEX_POLICY_UNAVAILABLE,
                               .line = error->line,
                               .column = error->column};

  snprintf(shown.source, sizeof shown.source, "%s", error->source);
  snprintf(shown.message, sizeof shown.message, "%s",
           *error->message != '\0' ? error->message : "out of memory");
  cli_complain_error(&shown);
}

static enum cedar_status add_policies(struct cedar_store *store, const struct cedar_source *source,
                                      struct cedar_error *error) {
  return cedar_store_add_policies(store, source, CEDAR_ID_POSITION, error);
}

static enum cedar_status add_entities(struct cedar_store *store, const struct cedar_source *source,
                                      struct cedar_error *error) {
  return cedar_store_add_entities(store, source, NULL, error);
}

typedef enum cedar_status add_call(struct cedar_store *, const struct cedar_source *,
                                   struct cedar_error *);

static bool add_file(struct cedar_store *store, const char *name, add_call *add,
                     struct cedar_error *error) {
  struct text_file file;
  struct cedar_source source;
  bool done;

  if (name == NULL)
    return true;
  if (!text_file_read(name, &file))
    return false;
  source = cedar_input_source(&file);
  done = add(store, &source, error) == CEDAR_OK;
  if (!done)
    cedar_input_complain(error);
  text_file_clear(&file);
  return done;
}

struct cedar_store *cedar_input_load(const struct cedar_input *input) {
  struct cedar_error error = {.status = CEDAR_OK};
  struct cedar_store *store = NULL;

  if (cedar_store_new(NULL, &store) != CEDAR_OK) {
    cli_complain("out of memory");
    return NULL;
  }
  if (add_file(store, input->policies, add_policies, &error) &&
      add_file(store, input->links, cedar_store_add_links, &error) &&
      add_file(store, input->entities, add_entities, &error)) {
    if (cedar_store_seal(store, &error) == CEDAR_OK)
      return store;
    cedar_input_complain(&error);
  }
  cedar_store_free(&store);
  return NULL;
}
