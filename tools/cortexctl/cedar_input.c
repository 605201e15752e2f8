/*
 * Policies, links, entities and a schema from files into a Cedar store.
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
  struct cortex_error shown = {
      .reason = CORTEX_POLICY_UNAVAILABLE, .line = error->line, .column = error->column};

  snprintf(shown.source, sizeof shown.source, "%s", error->source);
  snprintf(shown.message, sizeof shown.message, "%s",
           *error->message != '\0' ? error->message : "out of memory");
  cli_complain_error(&shown);
}

static bool is_json(const char *name) {
  size_t len = strlen(name);

  return len > 5 && strcmp(name + len - 5, ".json") == 0;
}

struct cedar_schema *cedar_input_schema(const char *name) {
  struct cedar_error error = {.status = CEDAR_OK};
  struct cedar_schema *schema = NULL;
  struct cedar_source source;
  struct text_file file;
  enum cedar_status status;

  if (!text_file_read(name, &file))
    return NULL;
  source = cedar_input_source(&file);
  status = is_json(name) ? cedar_schema_parse_json(&source, NULL, &schema, &error)
                         : cedar_schema_parse(&source, NULL, &schema, &error);
  if (status != CEDAR_OK)
    cedar_input_complain(&error);
  text_file_clear(&file);
  return schema;
}

enum cedar_status cedar_input_add_policies(struct cedar_store *store,
                                           const struct cedar_source *source,
                                           struct cedar_error *error) {
  return is_json(source->name)
             ? cedar_store_add_policies_json(store, source, CEDAR_ID_POSITION, error)
             : cedar_store_add_policies(store, source, CEDAR_ID_POSITION, error);
}

typedef enum cedar_status add_call(const struct cedar_loaded *, const struct cedar_source *,
                                   struct cedar_error *);

static enum cedar_status add_policies(const struct cedar_loaded *loaded,
                                      const struct cedar_source *source,
                                      struct cedar_error *error) {
  return cedar_input_add_policies(loaded->store, source, error);
}

static enum cedar_status add_links(const struct cedar_loaded *loaded,
                                   const struct cedar_source *source, struct cedar_error *error) {
  return cedar_store_add_links(loaded->store, source, error);
}

static enum cedar_status add_entities(const struct cedar_loaded *loaded,
                                      const struct cedar_source *source,
                                      struct cedar_error *error) {
  return cedar_store_add_entities(loaded->store, source, loaded->schema, error);
}

static bool add_file(const struct cedar_loaded *loaded, const char *name, add_call *add,
                     struct cedar_error *error) {
  struct text_file file;
  struct cedar_source source;
  bool done;

  if (name == NULL)
    return true;
  if (!text_file_read(name, &file))
    return false;
  source = cedar_input_source(&file);
  done = add(loaded, &source, error) == CEDAR_OK;
  if (!done)
    cedar_input_complain(error);
  text_file_clear(&file);
  return done;
}

bool cedar_input_add_links(struct cedar_store *store, const char *name) {
  const struct cedar_loaded loaded = {store, NULL};
  struct cedar_error error = {.status = CEDAR_OK};

  return add_file(&loaded, name, add_links, &error);
}

bool cedar_input_load(const struct cedar_input *input, struct cedar_loaded *loaded) {
  struct cedar_error error = {.status = CEDAR_OK};

  *loaded = (struct cedar_loaded){NULL, NULL};
  if (input->schema != NULL && (loaded->schema = cedar_input_schema(input->schema)) == NULL)
    return false;
  if (cedar_store_new(NULL, &loaded->store) != CEDAR_OK) {
    cli_complain("out of memory");
    return false;
  }
  if (!add_file(loaded, input->policies, add_policies, &error) ||
      !add_file(loaded, input->links, add_links, &error) ||
      !add_file(loaded, input->entities, add_entities, &error))
    return false;
  if (cedar_store_seal(loaded->store, &error) == CEDAR_OK)
    return true;
  cedar_input_complain(&error);
  return false;
}

void cedar_input_clear(struct cedar_loaded *loaded) {
  cedar_store_free(&loaded->store);
  cedar_schema_free(&loaded->schema);
}
