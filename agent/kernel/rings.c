/* SPDX-License-Identifier: Apache-2.0 */

/* The two rings. A drain hands over a bounded number of records, so that a flood leaves time for the
 * watchdog, the control socket and the aggregates. */

#include "kernel/internal.h"

#include <errno.h>

#define DRAIN_FULL (-EUCLEAN) /* our own sign to stop; libbpf passes it through */

static int ring_sample(void *userdata, void *data, size_t size)
{
	struct kernel_drain *d = userdata;

	d->each(data, size, d->userdata);
	return --d->left == 0 ? DRAIN_FULL : 0;
}

int kernel_rings_new(struct kernel *k, char **reterr_text)
{
	static const enum kernel_map maps[_KERNEL_RING_MAX] = {
		[KERNEL_RING_NOTICES] = MAP_NOTICES,
		[KERNEL_RING_REFUSALS] = MAP_REFUSALS,
	};

	for (unsigned i = 0; i < _KERNEL_RING_MAX; i++) {
		struct kernel_drain *d = &k->rings[i];

		d->ring = ring_buffer__new(k->map_fds[maps[i]], ring_sample, d, NULL);
		if (!d->ring)
			return kernel_fail(reterr_text, -errno, "Failed to map the ring '%s'",
					   kernel_map_names[maps[i]]);
	}
	return 0;
}

int kernel_ring_fd(const struct kernel *k, enum kernel_ring ring)
{
	return ring_buffer__epoll_fd(k->rings[ring].ring);
}

int kernel_drain(struct kernel *k, enum kernel_ring ring, size_t max, kernel_record each,
		 void *userdata)
{
	struct kernel_drain *d = &k->rings[ring];
	int r;

	d->each = each;
	d->userdata = userdata;
	d->left = max;
	r = ring_buffer__consume(d->ring);
	if (r < 0 && r != DRAIN_FULL)
		return r;
	return (int)(max - d->left);
}
