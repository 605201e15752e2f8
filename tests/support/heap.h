/*
 * Heap: looking for bytes in all writable, private memory but the program's own.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef SUPPORT_HEAP_H
#define SUPPORT_HEAP_H

#include <stdbool.h>
#include <stddef.h>

/* The sanitizer keeps freed blocks and shadows them: there is no sense in looking. */
#if defined(__SANITIZE_ADDRESS__)
#define HEAP_IS_SANITIZED 1
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define HEAP_IS_SANITIZED 1
#endif
#endif
#ifndef HEAP_IS_SANITIZED
#define HEAP_IS_SANITIZED 0
#endif

/*
 * Whether the bytes stand in the heap, freed blocks included, or in an anonymous
 * private mapping. The bytes asked for must be in memory of heap_shared.
 * What cannot be read counts as found.
 */
bool heap_holds(const char *bytes, size_t len);

/* Zeroed memory that heap_holds leaves out, never given back; NULL when there is none. */
void *heap_shared(size_t size);

#endif
