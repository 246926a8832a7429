/* SPDX-License-Identifier: Apache-2.0 */

/* The kernel's own counts: the ledger, and the aggregates that take turns. */

#include "kernel/internal.h"

#include <errno.h>
#include <pthread.h>
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

int kernel_rate_set(struct kernel *k, uint32_t rate_max)
{
	struct ht_settings s;
	int r = kernel_settings_read(k, &s);

	if (r < 0)
		return r;
	s.rate_max = rate_max;
	return kernel_settings_write(k, &s);
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

/*
 * Two tables take turns: programs count into the one that stands in the map of maps, the other is
 * empty. Both are pinned, and an adopting agent tells them apart by their ids: opening a map by its
 * id would take CAP_SYS_ADMIN.
 */
static const char *const aggregate_pins[KERNEL_AGGREGATE_TABLES] = {"aggregates-a", "aggregates-b"};

int kernel_ledger_seed(struct kernel *k, const struct ht_ledger *ledger)
{
	int cpus = libbpf_num_possible_cpus();
	_cleanup_free_ struct ht_ledger *all = NULL;
	uint32_t zero = 0;

	if (cpus < 0)
		return cpus;
	all = calloc((size_t)cpus, sizeof(*all));
	if (!all)
		return -ENOMEM;
	all[0] = *ledger;
	return bpf_map_update_elem(k->map_fds[MAP_LEDGER], &zero, all, BPF_ANY) < 0 ? -errno : 0;
}

static int aggregate_map_new(void)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
	int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "aggregate", sizeof(struct ht_aggregate_key),
				sizeof(struct ht_aggregate), 8192, &opts);

	return fd < 0 ? -errno : fd;
}

/* Let programs count into a table. Returns when no program can hold the other one any more. */
static int aggregates_turn(struct kernel *k, unsigned table)
{
	uint32_t zero = 0;

	if (bpf_map_update_elem(k->map_fds[MAP_AGGREGATES], &zero, &k->aggregate_fds[table],
				BPF_ANY) < 0)
		return -errno;
	k->aggregate_current = table;
	return 0;
}

static void aggregates_close(struct kernel *k)
{
	for (unsigned i = 0; i < KERNEL_AGGREGATE_TABLES; i++) {
		if (k->aggregate_fds[i] >= 0)
			(void)close(k->aggregate_fds[i]);
		k->aggregate_fds[i] = -EBADF;
	}
}

/* Return: 0; -ENOENT the pinned tables are not those in use; other negative errno. */
static int aggregates_adopt(struct kernel *k)
{
	uint32_t zero = 0, id;
	int r = -ENOENT;

	for (unsigned i = 0; i < KERNEL_AGGREGATE_TABLES; i++) {
		k->aggregate_fds[i] = kernel_pinned_map(k, aggregate_pins[i]);
		if (k->aggregate_fds[i] < 0)
			return k->aggregate_fds[i];
	}
	/* on older kernels a look into a map of maps waits for all running programs, as an update does */
	if (bpf_map_lookup_elem(k->map_fds[MAP_AGGREGATES], &zero, &id) < 0)
		return -errno;
	for (unsigned i = 0; i < KERNEL_AGGREGATE_TABLES; i++) {
		struct bpf_map_info info = {};
		uint32_t size = sizeof(info);

		if (bpf_obj_get_info_by_fd(k->aggregate_fds[i], &info, &size) < 0)
			return -errno;
		if (info.id == id) {
			k->aggregate_current = i;
			r = 0;
		}
	}
	return r;
}

/* The first turn waits for all programs that run, of whomever, though none can know the map. Others wait meanwhile for this to
 * be done, so a thread does it while the programs are put into their hooks. */
static void *aggregates_begin(void *userdata)
{
	struct kernel *k = userdata;

	k->aggregates_result = aggregates_turn(k, 0);
	return NULL;
}

int kernel_aggregates_new(struct kernel *k, char **reterr_text)
{
	int r;

	/* adopted tables still hold counts: the next take reads them */
	r = aggregates_adopt(k);
	if (r == 0)
		return 0;
	aggregates_close(k);
	if (r != -ENOENT)
		return kernel_fail(reterr_text, r, "Failed to adopt the aggregates");
	for (unsigned i = 0; i < KERNEL_AGGREGATE_TABLES; i++) {
		k->aggregate_fds[i] = aggregate_map_new();
		if (k->aggregate_fds[i] < 0)
			return kernel_fail(reterr_text, k->aggregate_fds[i],
					   "Failed to make a map");
		r = kernel_pin_map(k, k->aggregate_fds[i], aggregate_pins[i], reterr_text);
		if (r < 0)
			return r;
	}
	if (pthread_create(&k->aggregates_thread, NULL, aggregates_begin, k) == 0)
		k->aggregates_begun = true;
	else
		(void)aggregates_begin(k);
	return 0;
}

int kernel_aggregates_end(struct kernel *k)
{
	if (k->aggregates_begun)
		(void)pthread_join(k->aggregates_thread, NULL);
	k->aggregates_begun = false;
	return k->aggregates_result;
}

/* Empty a table that no program uses. An entry goes before it is told: an agent that is killed
 * between loses it, which the ledger shows, and never tells it twice. */
static int aggregates_read(int fd,
			   void (*each)(const struct ht_aggregate_key *,
					const struct ht_aggregate *, void *),
			   void *userdata)
{
	struct ht_aggregate_key key, next;
	struct ht_aggregate value;
	bool more = bpf_map_get_next_key(fd, NULL, &key) == 0;
	int n = 0;

	while (more) {
		bool found = bpf_map_lookup_elem(fd, &key, &value) == 0;

		more = bpf_map_get_next_key(fd, &key, &next) == 0;
		if (bpf_map_delete_elem(fd, &key) < 0)
			return -errno;
		if (found && value.count > 0) {
			each(&key, &value, userdata);
			n++;
		}
		key = next;
	}
	return n;
}

int kernel_aggregates_take(struct kernel *k,
			   void (*each)(const struct ht_aggregate_key *key,
					const struct ht_aggregate *value, void *userdata),
			   void *userdata)
{
	unsigned current = k->aggregate_current, other = (current + 1) % KERNEL_AGGREGATE_TABLES;
	struct ht_aggregate_key key;
	int left, n, r;

	/* what a killed agent did not finish */
	left = aggregates_read(k->aggregate_fds[other], each, userdata);
	if (left < 0)
		return left;
	/* Nothing was aggregated: the common case costs no turn. */
	if (bpf_map_get_next_key(k->aggregate_fds[current], NULL, &key) < 0)
		return errno == ENOENT ? left : -errno;
	r = aggregates_turn(k, other);
	if (r < 0)
		return r;
	n = aggregates_read(k->aggregate_fds[current], each, userdata);
	return n < 0 ? n : left + n;
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
