/* SPDX-License-Identifier: Apache-2.0 */

/* The two rings. A drain hands over a bounded number of records, so that a flood leaves time for the
 * watchdog, the control socket and the aggregates. */

#include "kernel/internal.h"

#include <errno.h>

int kernel_rings_new(struct kernel *k, char **reterr_text)
{
	static const enum kernel_map maps[_KERNEL_RING_MAX] = {
		[KERNEL_RING_NOTICES] = MAP_NOTICES,
		[KERNEL_RING_REFUSALS] = MAP_REFUSALS,
	};

	for (unsigned i = 0; i < _KERNEL_RING_MAX; i++) {
		int fd = k->map_fds[maps[i]], r;
		struct bpf_map_info info = {};
		uint32_t size = sizeof(info);

		r = bpf_obj_get_info_by_fd(fd, &info, &size) < 0 ? -errno : 0;
		if (r == 0)
			r = ring_open(&k->rings[i], fd, info.max_entries);
		if (r < 0)
			return kernel_fail(reterr_text, r, "Failed to map the ring '%s'",
					   kernel_map_names[maps[i]]);
	}
	return 0;
}

int kernel_ring_fd(const struct kernel *k, enum kernel_ring ring)
{
	return k->rings[ring].fd;
}

int kernel_drain(struct kernel *k, enum kernel_ring ring, size_t max, kernel_record each,
		 void *userdata)
{
	return ring_read(&k->rings[ring], max, each, userdata);
}
