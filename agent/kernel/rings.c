/* SPDX-License-Identifier: Apache-2.0 */

/* Both rings behind one descriptor. A drain hands over a bounded number of records, so that a flood leaves
 * time for the watchdog, the control socket and the aggregates. */

#include "kernel/internal.h"

#include <errno.h>

#define DRAIN_FULL (-EUCLEAN) /* our own sign to stop; libbpf passes it through */

static int ring_sample(void *userdata, void *data, size_t size)
{
	struct kernel *k = userdata;

	k->each(data, size, k->each_userdata);
	return --k->left == 0 ? DRAIN_FULL : 0;
}

int kernel_rings_new(struct kernel *k, char **reterr_text)
{
	int r;

	k->rings = ring_buffer__new(k->map_fds[MAP_REFUSALS], ring_sample, k, NULL);
	if (!k->rings)
		return kernel_fail(reterr_text, -errno, "Failed to map the ring of refusals");
	r = ring_buffer__add(k->rings, k->map_fds[MAP_NOTICES], ring_sample, k);
	if (r < 0)
		return kernel_fail(reterr_text, r, "Failed to map the ring of notices");
	return 0;
}

int kernel_ring_fd(const struct kernel *k)
{
	return ring_buffer__epoll_fd(k->rings);
}

int kernel_drain(struct kernel *k, size_t max,
		 void (*each)(const void *record, size_t size, void *userdata), void *userdata)
{
	int r;

	k->each = each;
	k->each_userdata = userdata;
	k->left = max;
	r = ring_buffer__consume(k->rings);
	if (r < 0 && r != DRAIN_FULL)
		return r;
	return (int)(max - k->left);
}
