/* SPDX-License-Identifier: Apache-2.0 */

/* Cgroups that are bound one by one. The kernel's matcher knows nothing of them: the agent puts them into the table of
 * cgroups, where they stay as long as the cgroup is there. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compile/image.h"

/* The first one that is not before the path. */
static size_t binding_place(const struct image *image, const char *cgroup)
{
	size_t low = 0, high = image->n_bindings;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(image->bindings[middle].cgroup, cgroup) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct image_binding *image_binding_find(const struct image *image, const char *cgroup)
{
	size_t at = binding_place(image, cgroup);

	if (at == image->n_bindings || strcmp(image->bindings[at].cgroup, cgroup) != 0)
		return NULL;
	return &image->bindings[at];
}

static int binding_insert(struct image *image, const char *cgroup, struct image_binding **ret)
{
	size_t at = binding_place(image, cgroup);
	struct image_binding *grown;
	char *copy = strdup(cgroup);

	grown = reallocarray(image->bindings, image->n_bindings + 1, sizeof(*grown));
	if (grown)
		image->bindings = grown;
	if (!grown || !copy) {
		free(copy);
		return -ENOMEM;
	}
	memmove(grown + at + 1, grown + at, (image->n_bindings - at) * sizeof(*grown));
	grown[at] = (struct image_binding){.cgroup = copy};
	image->n_bindings++;
	*ret = &grown[at];
	return 0;
}

static int binding_add(struct image_binding *b, uint32_t id)
{
	for (uint32_t i = 0; i < b->n; i++)
		if (b->ids[i] == id)
			return 0;
	if (b->n == HT_PROFILES_MAX)
		return -E2BIG;
	b->ids[b->n++] = id;
	return 0;
}

int image_bind(struct image *image, const char *cgroup, const uint32_t *ids, size_t n)
{
	struct image_binding *b = image_binding_find(image, cgroup);
	int r = 0;

	if (n == 0)
		return 0;
	if (!b)
		r = binding_insert(image, cgroup, &b);
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = binding_add(b, ids[i]);
	return r;
}
