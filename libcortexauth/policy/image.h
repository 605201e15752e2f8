/*
 * The policy image: a loaded policy as a file, so that a login need not read and check it again.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_POLICY_IMAGE_H
#define CX_POLICY_IMAGE_H

#include "policy/policy.h"

/*
 * Opens the image that the settings name. It is read piece by piece into private memory: a mapped
 * file that is truncated would kill the server. Fills store, digest and services of a policy, or
 * leaves it as it was.
 *   out  why: says what is wrong unless the answer is CORTEX_IMAGE_CURRENT
 */
enum cortex_image_state cx_image_open(const struct cx_policy_settings *settings,
                                      struct cortex_policy *policy, struct cortex_error *why);

/*
 * Whether all that was read so far is of the image that was opened: nothing failed, and nobody
 * has written to the file. Asked when an answer is ready; true without an image.
 */
bool cx_image_is_good(const struct cortex_policy *policy);

/* The entity of a service by its place among the names. */
bool cx_image_service(const struct cortex_policy *policy, size_t index, uint32_t *entity_out);

/* Takes an image out of a policy; nothing when there is none. */
void cx_image_close(struct cortex_policy *policy);

#endif
