/*
 * An allocator that fails on demand, for the library, jansson and OpenSSL alike.
 * SPDX-License-Identifier: PostgreSQL
 *
 * The program is linked with $(failing_ldflags), which sends the library's own
 * calls here.
 */
#ifndef TESTS_SUPPORT_FAILING_H
#define TESTS_SUPPORT_FAILING_H

#include <stdbool.h>
#include <stddef.h>

/* Takes over the allocators of jansson and OpenSSL. The first call of main. */
void failing_install(void);

/* From now on the nth allocation fails (1 is the next), and where asked all after it. */
void failing_start(size_t nth, bool all_after);

/* Ends it; true when an allocation was made to fail. */
bool failing_stop(void);

#endif
