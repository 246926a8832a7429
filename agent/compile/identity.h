/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Shared inside the compile room only. */

#include "compile/image.h"

/* Fill in what the literal rules of the policy bind by identity. The profile's pairs and the image's globs are complete.
 * Return: 0; -ENOMEM; -EINVAL the image is damaged. */
int identities_compile(const struct policy *policy, const struct image *image,
		       const struct ht_hash_key *key, struct image_profile *profile);
void identities_deinit(struct image_profile *profile);
