/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Break-glass: a compiled image in which one container, or everything, is only audited.
 *
 * What is compiled decides and stays as it is; only the header of a profile says whether it refuses. For one
 * container each profile that binds it gets a *variant*: the same profile under an id of its own, bound to the
 * cgroup of this container and to those below it, and to nothing else. Its header is then free to say
 * something else than the original's.
 */

#include <stdbool.h>

#include "compile/image.h"

struct image_disarm {
	const char *cgroup; /* path of the container's cgroup, from the root of the hierarchy */
	bool armed;	    /* keep the variants, but let them refuse as the originals do */
	/* Told of each variant, if given: the policy that it is one of, and its id. A negative result ends the
	 * call and is its result. */
	int (*each)(const char *policy, uint32_t variant, void *userdata);
	void *userdata;
};

/* Bind a container to variants. Names of variants get their ids from `names` and are the same on every call.
 * Return: number of variants; 0: nothing binds this cgroup or one below it, and the image is unchanged; -E2BIG beyond
 * the limits of an image; -EINVAL the image is damaged, or the cgroup is deeper than a policy can reach; -ENOMEM;
 * -EOVERFLOW if ids are used up. After an error the image is of no use. */
int image_disarm(struct image *image, struct image_names *names, const struct ht_hash_key *key,
		 const struct image_disarm *disarm);
/* Let no profile refuse, but the canary's. */
void image_disarm_all(struct image *image);
