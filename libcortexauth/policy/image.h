/*
 * The policy image: a loaded policy as a file, so that a login need not read and check it again.
 * SPDX-License-Identifier: PostgreSQL
 */
#ifndef CX_POLICY_IMAGE_H
#define CX_POLICY_IMAGE_H

#include "policy/policy.h"

/*
 * Reads the image that the settings name into private memory: a mapped file that is truncated
 * would kill the server. Fills store, digest and services of a policy, or leaves it as it was.
 *
 *   in   is_whole: compare the digest whatever it costs
 *   out  why: says what is wrong unless the answer is CORTEX_IMAGE_CURRENT
 */
enum cortex_image_state cx_image_open(const struct cx_policy_settings *settings,
                                      struct cortex_policy *policy, bool is_whole,
                                      struct cortex_error *why);

/* Takes an image out of a policy; nothing when there is none. */
void cx_image_close(struct cortex_policy *policy);

#endif
