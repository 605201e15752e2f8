/*
 * A small world for Cedar tests: entities, a request, and everything that can be asked.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CEDAR_WORLD_H
#define CEDAR_WORLD_H

#include <cortexauth/cedar.h>

/* Policies that use every operator of the language. */
extern const char cedar_world_policies[];
extern const char cedar_world_entities[];

/* Adds the entities and seals. */
bool cedar_world_add(struct cedar_store *store);

/* A request with an overlay and a context of every kind of value. */
struct cedar_request *cedar_world_request(const struct cedar_store *store,
                                          const struct cedar_allocator *allocator);

/* Decides, explains, decides without context, prints and looks at everything. */
void cedar_world_ask(const struct cedar_store *store);

/* An image of the world in memory of its own (free), NULL when there is none. */
char *cedar_world_image(size_t *len_out);

/*
 * The same with so many policies, texts and entities beside it that the image has words and a
 * filter at its head: CEDAR_WORLD_GROUPS groups, each with a permit, and a word that is expected.
 */
#define CEDAR_WORLD_GROUPS 600
#define CEDAR_WORLD_EXPECTED "a-word-of-the-host"
char *cedar_world_large_image(size_t *len_out);

/* The store that this image is of; false when it could not be made, *store_out freed by the caller.
 */
bool cedar_world_large_store(const struct cedar_allocator *allocator,
                             struct cedar_store **store_out);

/* Bytes in memory as the source of an image that is read piece by piece. */
struct cedar_world_pieces {
  const char *bytes;
  size_t len;
  unsigned reads;   /* so far */
  unsigned fail_at; /* the read that fails, and all after it; 0: none */
};

struct cedar_image_source cedar_world_source(struct cedar_world_pieces *pieces);

/* Collects printed text; bytes are freed by the caller. */
struct cedar_world_text {
  char *bytes;
  size_t len;
  size_t cap;
};
bool cedar_world_put(void *ctx, const char *bytes, size_t len);

#endif
