/* SPDX-License-Identifier: Apache-2.0 */

/* The kernel's own counts: the ledger, and the aggregates that take turns. */

#include "kernel/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"

void kernel_ledger_sum(const struct ht_ledger *all, size_t cpus, struct ht_ledger *ret)
{
	struct ht_ledger sum = {};

	_Static_assert(sizeof(struct ht_ledger) % sizeof(uint64_t) == 0,
		       "counters and nothing else");
	for (size_t i = 0; i < cpus; i++) {
		const uint64_t *from = (const uint64_t *)&all[i];
		uint64_t *to = (uint64_t *)&sum;

		for (size_t j = 0; j < sizeof(sum) / sizeof(*to); j++)
			to[j] += from[j];
	}
	*ret = sum;
}

int kernel_ledger_read(struct kernel *k, struct ht_ledger *ret)
{
	int cpus = libbpf_num_possible_cpus();
	_cleanup_free_ struct ht_ledger *all = NULL;
	uint32_t zero = 0;

	if (cpus < 0)
		return cpus;
	_Static_assert(sizeof(struct ht_ledger) % 8 == 0, "per-CPU values are padded to eight");
	all = calloc((size_t)cpus, sizeof(*all));
	if (!all)
		return -ENOMEM;
	if (bpf_map_lookup_elem(k->map_fds[MAP_LEDGER], &zero, all) < 0)
		return -errno;
	kernel_ledger_sum(all, (size_t)cpus, ret);
	return 0;
}

static int aggregate_map_new(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
	int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "aggregate", sizeof(struct ht_aggregate_key),
				sizeof(struct ht_aggregate), 8192, &opts);

	return fd < 0 ? -errno : fd;
}

int kernel_aggregates_new(struct kernel *k, char **reterr_text)
{
	uint32_t zero = 0, id;
	int fd, r;

	fd = aggregate_map_new();
	if (fd < 0)
		return kernel_fail(reterr_text, fd, "Failed to make a map");
	/* an adopted table still holds counts: keep it, the next take reads it */
	if (bpf_map_lookup_elem(k->map_fds[MAP_AGGREGATES], &zero, &id) == 0) {
		k->aggregate_spare = fd;
		return 0;
	}
	r = bpf_map_update_elem(k->map_fds[MAP_AGGREGATES], &zero, &fd, BPF_ANY) < 0 ? -errno : 0;
	(void)close(fd);
	if (r < 0)
		return kernel_fail(reterr_text, r, "Failed to set up the aggregates");
	k->aggregate_spare = aggregate_map_new();
	return k->aggregate_spare < 0 ? kernel_fail(reterr_text, k->aggregate_spare,
						    "Failed to make a map") :
					0;
}

static int aggregates_read(int fd,
			   void (*each)(const struct ht_aggregate_key *,
					const struct ht_aggregate *, void *),
			   void *userdata)
{
	struct ht_aggregate_key key, *prev = NULL;
	struct ht_aggregate value;
	int n = 0;

	while (bpf_map_get_next_key(fd, prev, &key) == 0) {
		if (bpf_map_lookup_elem(fd, &key, &value) == 0 && value.count > 0) {
			each(&key, &value, userdata);
			n++;
		}
		prev = &key;
	}
	return n;
}

int kernel_aggregates_take(struct kernel *k,
			   void (*each)(const struct ht_aggregate_key *key,
					const struct ht_aggregate *value, void *userdata),
			   void *userdata)
{
	uint32_t zero = 0, id = 0;
	int old, fresh, n;

	if (bpf_map_lookup_elem(k->map_fds[MAP_AGGREGATES], &zero, &id) < 0)
		return -errno;
	old = bpf_map_get_fd_by_id(id);
	if (old < 0)
		return -errno;
	/* Nothing was aggregated: the common case costs no swap. */
	{
		struct ht_aggregate_key key;

		if (bpf_map_get_next_key(old, NULL, &key) < 0) {
			(void)close(old);
			return 0;
		}
	}
	fresh = k->aggregate_spare >= 0 ? k->aggregate_spare : aggregate_map_new();
	if (fresh < 0) {
		(void)close(old);
		return fresh;
	}
	/* The update waits until every program that could hold the old table has ended. */
	n = bpf_map_update_elem(k->map_fds[MAP_AGGREGATES], &zero, &fresh, BPF_ANY) < 0 ? -errno : 0;
	if (n == 0)
		n = aggregates_read(old, each, userdata);
	(void)close(old);
	(void)close(fresh);
	k->aggregate_spare = aggregate_map_new();
	return n;
}

size_t kernel_labels_count(struct kernel *k)
{
	uint64_t key, *prev = NULL;
	size_t n = 0;

	while (bpf_map_get_next_key(k->map_fds[MAP_LABELS], prev, &key) == 0 && n < 1000000) {
		prev = &key;
		n++;
	}
	return n;
}
