/*
 * Changes to an XML text that keep most of its shape: what an attacker does to a response.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef TESTS_FUZZ_XML_MUTATOR_H
#define TESTS_FUZZ_XML_MUTATOR_H

#include <stddef.h>
#include <stdint.h>

/*
 * Applies one change: an element is removed, copied, moved, wrapped or emptied, a
 * value or an attribute's value is replaced, something is put into a text. The
 * text need not be XML.
 *
 *   in/out  text: of room bytes, len of them used
 *   gives   the new length, at most room
 */
size_t xml_mutate(uint8_t *text, size_t len, size_t room, unsigned seed);

#endif
