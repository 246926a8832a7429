/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The beginning of the area, which agent and programs share: moves of names, and which inode numbers can be those of an object that is
 * bound by identity. The bits are the agent's to write. One is set before its entry is added to any profile, so a program that finds none
 * need not look for the entry; one too many costs a look-up. A publish drops those of objects that are gone.
 */

#include "kernel/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "util/cleanup.h"

struct ht_shared *kernel_shared(struct kernel *k)
{
	void *p;

	if (k->shared)
		return k->shared;
	p = mmap(NULL, sizeof(*k->shared), PROT_READ | PROT_WRITE, MAP_SHARED, k->map_fds[MAP_AREA], 0);
	if (p == MAP_FAILED)
		return NULL;
	k->shared = p;
	return k->shared;
}

void kernel_shared_close(struct kernel *k)
{
	if (k->shared)
		(void)munmap(k->shared, sizeof(*k->shared));
	k->shared = NULL;
}

static void object_set(__u64 *objects, uint64_t ino)
{
	uint32_t bit = HT_OBJECT_BIT(ino);

	objects[bit / 64] |= 1ULL << (bit % 64);
}

int kernel_object_note(struct kernel *k, const struct ht_identity *identity)
{
	struct ht_shared *shared = kernel_shared(k);

	if (!shared)
		return -errno;
	object_set(shared->objects, identity->ino);
	return 0;
}

void kernel_objects_renew(struct kernel *k, const struct kernel_identity *identities, size_t n)
{
	struct ht_shared *shared = kernel_shared(k);
	_cleanup_free_ __u64 *objects = calloc(1, sizeof(shared->objects));

	if (!shared || !objects)
		return;
	for (size_t i = 0; i < n; i++)
		object_set(objects, identities[i].identity.ino);
	/* Programs read meanwhile: each word is written once, and has the bits of all that are bound before and after. */
	for (size_t i = 0; i < ARRAY_LEN(shared->objects); i++)
		if (shared->objects[i] != objects[i])
			*(volatile __u64 *)&shared->objects[i] = objects[i];
}
