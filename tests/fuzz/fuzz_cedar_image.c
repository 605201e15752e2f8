/*
 * Fuzzes the image loader: bytes of a good image overwritten, then everything asked of it.
 * SPDX-License-Identifier: PostgreSQL
 *
 * The input is a list of (position, byte): three bytes of position, one of content. What is left
 * over says which read of an image that is read piece by piece fails.
 */
#include <cortexauth/cedar.h>

#include <stdlib.h>
#include <string.h>

#include "cedar_world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  struct cedar_world_pieces pieces = {0};
  struct cedar_image_source source;
  struct cedar_store *store = NULL;
  struct cedar_text stamp;
  size_t len, i;
  char *image = cedar_world_image(&len);

  if (image == NULL)
    return 0;
  for (i = 0; i + 4 <= size; i += 4)
    image[((size_t)data[i] << 16 | (size_t)data[i + 1] << 8 | data[i + 2]) % len] =
        (char)data[i + 3];
  cedar_image_stamp(image, len, &stamp);
  cedar_image_is_intact(image, len);
  if (cedar_store_open_image(image, len, NULL, &store, NULL) == CEDAR_OK)
    cedar_world_ask(store);
  cedar_store_free(&store);
  pieces.bytes = image;
  pieces.len = len;
  pieces.fail_at = size % 4 == 0 ? 0 : 1 + data[size - 1];
  source = cedar_world_source(&pieces);
  if (cedar_store_read_image(&source, NULL, &store, NULL) == CEDAR_OK) {
    cedar_world_ask(store);
    if (cedar_store_make_whole(store))
      cedar_world_ask(store);
  }
  cedar_store_free(&store);
  free(image);
  return 0;
}
