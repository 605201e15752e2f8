/*
 * Fuzzes the image loader: bytes of a good image overwritten, then everything asked of it.
 * SPDX-License-Identifier: PostgreSQL
 *
 * The input is a list of (position, byte): three bytes of position, one of content. What is left
 * over says which read of an image that is read piece by piece fails. Both a small image and one
 * with a filter and words are tried.
 */
#include <cortexauth/cedar.h>

#include <stdlib.h>
#include <string.h>

#include "cedar_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void try_image(const uint8_t *data, size_t size, char *image, size_t len) {
  struct cedar_world_pieces pieces = {.bytes = image, .len = len};
  struct cedar_image_source source = cedar_world_source(&pieces);
  struct cedar_store *store = NULL;
  struct cedar_text stamp;
  size_t i;

  for (i = 0; i + 4 <= size; i += 4)
    image[((size_t)data[i] << 16 | (size_t)data[i + 1] << 8 | data[i + 2]) % len] =
        (char)data[i + 3];
  cedar_image_stamp(image, len, &stamp);
  cedar_image_is_intact(image, len);
  if (cedar_store_open_image(image, len, NULL, &store, NULL) == CEDAR_OK)
    cedar_world_ask(store);
  cedar_store_free(&store);
  pieces.fail_at = size % 4 == 0 ? 0 : 1 + data[size - 1];
  if (cedar_store_read_image(&source, NULL, &store, NULL) == CEDAR_OK) {
    cedar_world_ask(store);
    if (cedar_store_make_whole(store))
      cedar_world_ask(store);
  }
  cedar_store_free(&store);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static char *images[2];
  static size_t lens[2];
  char *copy;
  int i;

  if (images[0] == NULL) {
    images[0] = cedar_world_image(&lens[0]);
    images[1] = cedar_world_large_image(&lens[1]);
  }
  for (i = 0; i < 2; i++) {
    copy = aligned_alloc(16, lens[i]);
    if (images[i] != NULL && copy != NULL) {
      memcpy(copy, images[i], lens[i]);
      try_image(data, size, copy, lens[i]);
    }
    free(copy);
  }
  return 0;
}
