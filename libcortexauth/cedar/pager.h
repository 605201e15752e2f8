/*
 * An image that is read piece by piece: what nobody asks for stays in the file.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CEDAR_PAGER_H
#define CEDAR_PAGER_H

#include <cortexauth/cedar.h>

struct cedar_pager;

/*
 * An image whose pieces come from a source; NULL without memory.
 *   in   head: its first head_len bytes, which are there already and at least one; out of the
 *        allocator, and the pager's own from now on unless there is none
 */
struct cedar_pager *cedar_pager_new(const struct cedar_image_source *source,
                                    const struct cedar_allocator *alloc, char *head,
                                    size_t head_len);
void cedar_pager_free(struct cedar_pager **pager);

/*
 * Bytes of the image, aligned as their offset is (up to 16), borrowed until the pager is freed.
 * NULL when they lie outside or cannot be read; cedar_pager_failed() says so from then on, for
 * what is missing must never pass for something that is not there.
 */
const void *cedar_pager_get(struct cedar_pager *pager, uint64_t offset, size_t len);

/* The same; where it is not there yet, so much from there on is read, all inside the image. */
const void *cedar_pager_get_ahead(struct cedar_pager *pager, uint64_t offset, size_t len,
                                  size_t ahead);

/* Notes that what was read does not hold together: it counts as something that cannot be read. */
void cedar_pager_fail(struct cedar_pager *pager);
bool cedar_pager_failed(const struct cedar_pager *pager);

#endif
