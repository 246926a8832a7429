/* SPDX-License-Identifier: Apache-2.0 */

/*
 * places count: how many places for verdicts are taken, and how many spare ones there are.
 * places take, places give: all places of the pool, as tasks would that are preempted in their hooks.
 * places fill, places drain: the map of spare places, with entries of nobody.
 *
 * By the agent's pins. Exits with 0; 1 and a line that says what failed.
 */

#include <errno.h>
#include <linux/bpf.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define POOL "/sys/fs/bpf/haetae/map-verdicts"
#define SPARE "/sys/fs/bpf/haetae/map-spare_verdicts"
#define NOBODYS 8192 /* keys that are no task's: below any address */

struct map {
	int fd;
	uint32_t room;
	uint8_t *value; /* of one entry; it begins with the word that says whether it is taken */
};

static long bpf(int command, union bpf_attr *attr)
{
	return syscall(SYS_bpf, command, attr, sizeof(*attr));
}

static void fail(const char *what)
{
	printf("%s: %s\n", what, strerror(errno));
	exit(1);
}

static uint64_t pointer(const void *p)
{
	return (uint64_t)(uintptr_t)p;
}

static struct map map_open(const char *path)
{
	union bpf_attr get = {.pathname = pointer(path)}, ask;
	struct bpf_map_info info = {};
	struct map m = {};

	m.fd = (int)bpf(BPF_OBJ_GET, &get);
	memset(&ask, 0, sizeof(ask));
	ask.info.bpf_fd = (uint32_t)m.fd;
	ask.info.info_len = sizeof(info);
	ask.info.info = pointer(&info);
	if (m.fd < 0 || bpf(BPF_OBJ_GET_INFO_BY_FD, &ask) < 0)
		fail(path);
	m.room = info.max_entries;
	m.value = calloc(1, info.value_size + 8U);
	if (!m.value)
		fail("calloc");
	return m;
}

/* command: BPF_MAP_LOOKUP_ELEM, BPF_MAP_UPDATE_ELEM, BPF_MAP_DELETE_ELEM */
static long entry(struct map *m, int command, const void *key)
{
	union bpf_attr attr;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)m->fd;
	attr.key = pointer(key);
	if (command != BPF_MAP_DELETE_ELEM)
		attr.value = pointer(m->value);
	return bpf(command, &attr);
}

static uint32_t pool_taken(struct map *pool)
{
	uint32_t n = 0, taken;

	for (uint32_t i = 0; i < pool->room; i++) {
		if (entry(pool, BPF_MAP_LOOKUP_ELEM, &i) < 0)
			fail("BPF_MAP_LOOKUP_ELEM");
		memcpy(&taken, pool->value, sizeof(taken));
		n += taken != 0;
	}
	return n;
}

static uint32_t spare_count(struct map *spare)
{
	uint64_t key = 0, next = 0;
	union bpf_attr attr;
	uint32_t n = 0;

	memset(&attr, 0, sizeof(attr));
	attr.map_fd = (uint32_t)spare->fd;
	attr.next_key = pointer(&next);
	while (bpf(BPF_MAP_GET_NEXT_KEY, &attr) == 0) {
		n++;
		key = next;
		attr.key = pointer(&key);
	}
	return n;
}

static void pool_set(struct map *pool, uint32_t taken)
{
	for (uint32_t i = 0; i < pool->room; i++) {
		memcpy(pool->value, &taken, sizeof(taken));
		if (entry(pool, BPF_MAP_UPDATE_ELEM, &i) < 0)
			fail("BPF_MAP_UPDATE_ELEM");
	}
}

/* command: BPF_MAP_UPDATE_ELEM until there is no room, or BPF_MAP_DELETE_ELEM. */
static void spare_each(struct map *spare, int command)
{
	for (uint64_t key = 1; key <= NOBODYS; key++) {
		if (entry(spare, command, &key) == 0)
			continue;
		if (errno == (command == BPF_MAP_UPDATE_ELEM ? E2BIG : ENOENT))
			return;
		fail(SPARE);
	}
	errno = E2BIG;
	fail("it is not full");
}

int main(int argc, char *argv[])
{
	struct map pool = map_open(POOL), spare = map_open(SPARE);
	const char *what = argc == 2 ? argv[1] : "";

	if (strcmp(what, "count") == 0)
		printf("%u %u\n", pool_taken(&pool), spare_count(&spare));
	else if (strcmp(what, "take") == 0)
		pool_set(&pool, 1);
	else if (strcmp(what, "give") == 0)
		pool_set(&pool, 0);
	else if (strcmp(what, "fill") == 0)
		spare_each(&spare, BPF_MAP_UPDATE_ELEM);
	else if (strcmp(what, "drain") == 0)
		spare_each(&spare, BPF_MAP_DELETE_ELEM);
	else
		return printf("places: count, take, give, fill or drain\n"), 1;
	return 0;
}
