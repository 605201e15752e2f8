/*
 * Answers for the comparison with the official engine: reads cases from standard input, writes one
 * JSON line for each.
 * SPDX-License-Identifier: PostgreSQL
 *
 * A case is a list of inputs, each a line `NAME LENGTH` and that many bytes, and a line `go`. NAME
 * is schema, schema-json, policies, links, entities or requests.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cortexauth/cedar.h>

enum input { SCHEMA, SCHEMA_JSON, POLICIES, LINKS, ENTITIES, REQUESTS, INPUT_COUNT };

static const char *const input_names[] = {"schema", "schema-json", "policies",
                                          "links",  "entities",    "requests"};

struct inputs {
  struct cedar_source at[INPUT_COUNT];
};

static void text_print(const char *text, size_t len) {
  size_t i;

  putchar('"');
  for (i = 0; i < len; i++) {
    unsigned char c = (unsigned char)text[i];

    if (c == '"' || c == '\\' || c < 0x20)
      printf("\\u%04x", c);
    else
      putchar(c);
  }
  putchar('"');
}

static void error_print(const char *stage, const struct cedar_error *error) {
  char text[sizeof(error->source) + sizeof(error->message) + 32];
  int n = snprintf(text, sizeof(text), "%s:%u:%u: %s", error->source, error->line, error->column,
                   error->message);

  printf("{\"stage\":\"%s\",\"error\":", stage);
  text_print(text, (size_t)n);
  puts("}");
}

static void findings_print(const struct cedar_finding *findings, uint32_t count) {
  uint32_t i;

  putchar('[');
  for (i = 0; i < count; i++) {
    char text[512];
    int n = snprintf(text, sizeof(text), "%.*s: %u:%u: %s", (int)findings[i].policy_id.len,
                     findings[i].policy_id.ptr, findings[i].line, findings[i].column,
                     findings[i].message);

    if (i > 0)
      putchar(',');
    text_print(text, (size_t)n < sizeof(text) ? (size_t)n : sizeof(text) - 1);
  }
  putchar(']');
}

static bool validation_print(const struct cedar_store *store, const struct cedar_schema *schema) {
  struct cedar_validation *validation;
  struct cedar_findings findings;
  struct cedar_error error = {0};

  if (cedar_validate(store, schema, NULL, &validation, &error) != CEDAR_OK) {
    error_print("validate", &error);
    return false;
  }
  findings = cedar_validation_findings(validation);
  printf("{\"errors\":");
  findings_print(findings.errors, findings.error_count);
  printf(",\"warnings\":");
  findings_print(findings.warnings, findings.warning_count);
  cedar_validation_free(&validation);
  return true;
}

static void ids_print(const struct cedar_store *store, const char *name, const uint32_t *policies,
                      const struct cedar_policy_error *errors, uint32_t count) {
  struct cedar_policy_info info;
  uint32_t i;

  printf(",\"%s\":[", name);
  for (i = 0; i < count; i++) {
    if (i > 0)
      putchar(',');
    if (cedar_policy_get(store, policies != NULL ? policies[i] : errors[i].policy, &info))
      text_print(info.id.ptr, info.id.len);
  }
  putchar(']');
}

static void requests_print(const struct cedar_store *store, struct cedar_request *request,
                           const struct cedar_request_list *list,
                           const struct cedar_schema *schema) {
  size_t i;

  printf(",\"decisions\":[");
  for (i = 0; i < cedar_request_list_count(list); i++) {
    struct cedar_error error = {0};
    struct cedar_answer answer;

    if (i > 0)
      putchar(',');
    if (cedar_request_fill(request, list, i, schema, &error) != CEDAR_OK ||
        cedar_authorize(request, &answer, &error) != CEDAR_OK) {
      printf("{\"error\":");
      text_print(error.message, strlen(error.message));
      putchar('}');
      continue;
    }
    printf("{\"decision\":\"%s\"", answer.decision == CEDAR_ALLOW ? "allow" : "deny");
    ids_print(store, "reason", answer.reasons, NULL, answer.reason_count);
    ids_print(store, "errors", NULL, answer.errors, answer.error_count);
    putchar('}');
  }
  putchar(']');
}

/* Entities and requests; a failure is part of the answer. */
static void authorization_print(struct cedar_store *store, const struct cedar_schema *schema,
                                const struct inputs *in) {
  struct cedar_request_list *list = NULL;
  struct cedar_request *request = NULL;
  struct cedar_error error = {0};

  if (cedar_store_add_entities(store, &in->at[ENTITIES], schema, &error) != CEDAR_OK ||
      cedar_store_seal(store, &error) != CEDAR_OK) {
    printf(",\"entities\":");
    text_print(error.message, strlen(error.message));
  } else if (cedar_request_list_parse(&in->at[REQUESTS], NULL, &list, &error) == CEDAR_OK &&
             cedar_request_new(store, NULL, &request) == CEDAR_OK) {
    requests_print(store, request, list, schema);
  }
  cedar_request_free(&request);
  cedar_request_list_free(&list);
}

static bool schema_load(const struct inputs *in, struct cedar_schema **schema_out,
                        struct cedar_error *error) {
  const struct cedar_source *json = &in->at[SCHEMA_JSON];

  if (json->bytes != NULL)
    return cedar_schema_parse_json(json, NULL, schema_out, error) == CEDAR_OK;
  return cedar_schema_parse(&in->at[SCHEMA], NULL, schema_out, error) == CEDAR_OK;
}

static void case_answer(const struct inputs *in) {
  struct cedar_schema *schema = NULL;
  struct cedar_store *store = NULL;
  struct cedar_error error = {0};

  if (!schema_load(in, &schema, &error)) {
    error_print("schema", &error);
  } else if (in->at[POLICIES].bytes == NULL) {
    puts("{}");
  } else if (cedar_store_new(NULL, &store) != CEDAR_OK ||
             cedar_store_add_policies(store, &in->at[POLICIES], CEDAR_ID_POSITION, &error) !=
                 CEDAR_OK ||
             (in->at[LINKS].bytes != NULL &&
              cedar_store_add_links(store, &in->at[LINKS], &error) != CEDAR_OK)) {
    error_print("policies", &error);
  } else if (validation_print(store, schema)) {
    if (in->at[ENTITIES].bytes != NULL)
      authorization_print(store, schema, in);
    puts("}");
  }
  cedar_store_free(&store);
  cedar_schema_free(&schema);
}

static void inputs_clear(struct inputs *in) {
  size_t i;

  for (i = 0; i < INPUT_COUNT; i++) {
    free((char *)(uintptr_t)in->at[i].bytes);
    in->at[i].bytes = NULL;
  }
}

static bool input_read(struct inputs *in, const char *name, size_t len) {
  size_t i;
  char *bytes;

  for (i = 0; i < INPUT_COUNT && strcmp(input_names[i], name) != 0; i++)
    ;
  bytes = i < INPUT_COUNT ? malloc(len + 1) : NULL;
  if (bytes == NULL || fread(bytes, 1, len, stdin) != len) {
    free(bytes);
    return false;
  }
  in->at[i].name = input_names[i];
  in->at[i].bytes = bytes;
  in->at[i].len = len;
  return true;
}

int main(void) {
  struct inputs in;
  char line[64], name[32];
  unsigned long len;

  memset(&in, 0, sizeof(in));
  while (fgets(line, sizeof(line), stdin) != NULL) {
    if (strcmp(line, "go\n") == 0) {
      case_answer(&in);
      fflush(stdout);
      inputs_clear(&in);
    } else if (sscanf(line, "%31s %lu", name, &len) != 2 || len > 1UL << 26 ||
               !input_read(&in, name, len)) {
      fprintf(stderr, "answer: not a case: %s", line);
      inputs_clear(&in);
      return 2;
    }
  }
  return 0;
}
