/*
 * The directories of a configuration.
 * SPDX-License-Identifier: PostgreSQL
 */
#include "sources.h"

#include <stdlib.h>
#include <string.h>

static void put_section(struct source_list *list, const struct cortex_section *section) {
  const char *spelling = cortex_section_value(section, "username_case");
  struct source *source = &list->items[list->count++];

  *source = (struct source){.kind = source_find(cortex_section_value(section, "kind")),
                            .request = {.label = cortex_section_label(section), .section = section},
                            .namespace = cortex_section_value(section, "namespace"),
                            .lower = strcmp(spelling, "lower") == 0};
  if (!cortex_duration_parse(cortex_section_value(section, "timeout"), &source->timeout))
    source->timeout = 30;
}

bool sources_list(const struct cortex_settings *settings, struct source_list *list_out) {
  const char *people = cortex_settings_value(settings, "sync", "people");
  size_t count = cortex_settings_section_count(settings), i;

  *list_out = (struct source_list){calloc(count + 1, sizeof(struct source)), 0};
  if (list_out->items == NULL)
    return false;
  for (i = 0; i < count; i++) {
    const struct cortex_section *section = cortex_settings_section(settings, i);

    if (strcmp(cortex_section_kind(section), "directory") == 0)
      put_section(list_out, section);
  }
  if (people != NULL || list_out->count == 0)
    list_out->items[list_out->count++] = (struct source){
        .kind = &source_file,
        .request = {.label = SOURCES_PEOPLE,
                    .path = people != NULL
                                ? people
                                : cortex_settings_value(settings, "policy", "entities")}};
  return true;
}
