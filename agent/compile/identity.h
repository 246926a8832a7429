/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Shared inside the compile room only. */

#include "compile/image.h"

/* Fill in what the agent is to look up in containers: what the literal rules of the policy bind by identity, and the
 * directories of all. Nothing of a policy that is another's for some containers only. The profile's pairs and the image's globs
 * are complete. Return: 0; -ENOMEM; -EINVAL the image is damaged. */
int identities_compile(const struct policy *policy, int64_t now, const struct image *image,
		       const struct ht_hash_key *key, struct image_profile *profile);
/* The same for a profile with the same states. What `to` points to is not released. Return: 0; -ENOMEM, `to` has some of
 * them. */
int identities_copy(const struct image_profile *from, struct image_profile *to);
void identities_deinit(struct image_profile *profile);
