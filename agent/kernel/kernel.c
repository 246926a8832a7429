/* SPDX-License-Identifier: Apache-2.0 */

/* Opening and closing: adopt what is pinned, or load. Owned by the agent, one object, one thread. */

#include "kernel/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static struct kernel *kernel_alloc(void)
{
	struct kernel *k = calloc(1, sizeof(*k));

	if (!k)
		return NULL;
	k->pin_fd = -EBADF;
	k->cgroup_fd = -EBADF;
	k->iterator_fd = -EBADF;
	k->identities_fd = -EBADF;
	for (unsigned i = 0; i < KERNEL_AGGREGATE_TABLES; i++)
		k->aggregate_fds[i] = -EBADF;
	for (unsigned i = 0; i < _MAP_MAX; i++)
		k->map_fds[i] = -EBADF;
	return k;
}

static void close_if_open(int fd)
{
	if (fd >= 0)
		(void)close(fd);
}

struct kernel *kernel_close(struct kernel *k)
{
	if (!k)
		return NULL;
	(void)kernel_aggregates_end(k);
	for (unsigned i = 0; i < _KERNEL_RING_MAX; i++)
		ring_close(&k->rings[i]);
	for (size_t i = 0; i < k->n_links; i++) {
		close_if_open(k->link_fds[i]);
		free(k->links[i]);
	}
	for (size_t i = 0; i < k->n_programs; i++) {
		close_if_open(k->programs[i].fd);
		free(k->programs[i].name);
	}
	kernel_shared_close(k);
	for (unsigned i = 0; i < _MAP_MAX; i++)
		close_if_open(k->map_fds[i]);
	close_if_open(k->iterator_fd);
	close_if_open(k->identities_fd);
	for (unsigned i = 0; i < KERNEL_AGGREGATE_TABLES; i++)
		close_if_open(k->aggregate_fds[i]);
	close_if_open(k->cgroup_fd);
	close_if_open(k->pin_fd);
	for (size_t i = 0; i < k->n_profiles; i++)
		close_if_open(k->profiles[i].fd);
	free(k->profiles);
	free(k->pin_dir);
	free(k);
	return NULL;
}

static int kernel_start(struct kernel *k, const struct kernel_config *config, char **reterr_text)
{
	const struct kernel_demand canary = { .canary = true }; /* the rest comes with its policies */
	int r;

	r = kernel_cgroups_open(k, reterr_text);
	if (r < 0)
		return r;
	r = kernel_pins_open(k, config->pin_dir, reterr_text);
	if (r < 0)
		return r;
	r = kernel_pins_adopt(k, reterr_text);
	if (r == 0) {
		k->adopted = true;
		r = kernel_aggregates_new(k, reterr_text);
		if (r >= 0)
			r = kernel_demand_attach(k, &canary, reterr_text);
	} else if (r == 1) {
		r = kernel_aggregates_new(k, reterr_text);
		if (r >= 0)
			r = kernel_pins_set_aside(k, "new-", reterr_text);
		if (r >= 0)
			r = kernel_load(k, config, /* reuse_maps= */ true, reterr_text);
	} else if (r == -ENOENT) {
		/* What an incompatible agent left enforces until this one was seen to (kernel_settle()). */
		r = kernel_pins_set_aside(k, "", reterr_text);
		if (r >= 0)
			r = kernel_load(k, config, /* reuse_maps= */ false, reterr_text);
	}
	if (r < 0)
		return r;
	r = kernel_aggregates_end(k);
	if (r < 0)
		return kernel_fail(reterr_text, r, "Failed to set up the aggregates");
	r = kernel_guard_self(k, reterr_text);
	if (r < 0)
		return r;
	r = kernel_guard_begin(k);
	if (r < 0)
		return kernel_fail(reterr_text, r, "Failed to guard the BPF objects");
	return kernel_rings_new(k, reterr_text);
}

int kernel_open(const struct kernel_config *config, struct kernel **ret, char **reterr_text)
{
	struct kernel *k = kernel_alloc();
	int r;

	*reterr_text = NULL;
	if (!k)
		return -ENOMEM;
	k->identities_max = config->identities_max;
	r = kernel_start(k, config, reterr_text);
	if (r < 0) {
		(void)kernel_close(k);
		return kernel_fail(reterr_text, r, "Failed to set up enforcement");
	}
	*ret = k;
	return 0;
}

int kernel_settle(struct kernel *k)
{
	return kernel_pins_prune(k);
}

bool kernel_adopted(const struct kernel *k)
{
	return k->adopted;
}

uint32_t kernel_lines_missing(const struct kernel *k)
{
	return k->lines_missing;
}

const struct ht_hash_key *kernel_key(const struct kernel *k)
{
	return &k->key;
}

const char *const *kernel_links(const struct kernel *k, size_t *ret_n)
{
	*ret_n = k->n_links;
	return (const char *const *)k->links;
}
