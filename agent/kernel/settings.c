/* SPDX-License-Identifier: Apache-2.0 */

/* The one value of the settings map: what the programs are told. The agent alone writes it. */

#include "kernel/internal.h"

#include <errno.h>

int kernel_settings_read(struct kernel *k, struct ht_settings *ret)
{
	uint32_t zero = 0;

	return bpf_map_lookup_elem(k->map_fds[MAP_SETTINGS], &zero, ret) < 0 ? -errno : 0;
}

int kernel_settings_write(struct kernel *k, const struct ht_settings *settings)
{
	uint32_t zero = 0;

	return bpf_map_update_elem(k->map_fds[MAP_SETTINGS], &zero, settings, BPF_ANY) < 0 ? -errno : 0;
}

/* What was decided before counts no more. Written by itself, after what it is about: a program reads the epoch
 * first. */
int kernel_epoch_move(struct kernel *k)
{
	struct ht_settings s;
	int r = kernel_settings_read(k, &s);

	if (r < 0)
		return r;
	s.epoch++;
	return kernel_settings_write(k, &s);
}
