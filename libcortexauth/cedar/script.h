/*
 * Which writing system characters belong to, by Unicode's blocks: enough to notice look-alikes.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CEDAR_SCRIPT_H
#define CEDAR_SCRIPT_H

#include "text.h"

/* Characters that change the direction of writing: what is read is not what is compared. */
bool cedar_text_has_bidi(struct cedar_text text);

/* Whether all characters belong to one writing system (Japanese and Korean with their Han). */
bool cedar_text_is_single_script(struct cedar_text text);

/* The first character that has no place in an identifier; 0 when there is none. */
uint32_t cedar_text_odd_character(struct cedar_text text);

#endif
