/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Objects by what they are: asking the kernel for it, and putting it where verdicts look it up.
 *
 * The program that is asked is loaded when it is needed for the first time: most starts have no container yet, and no
 * verdict ever waits for it.
 *
 * The maps that hold it are in force while they change. An entry that is added is whole when it is found; one that is
 * removed belongs to a cgroup that is gone or to an object that a rule named long ago.
 */

#include "kernel/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "identity.skel.h"
#include "util/cleanup.h"

/* Cgroups whose objects find room in a profile before any is known. An entry that is not used costs a pointer or two of
 * the hash table, for each of a thousand policies; a table that is full is replaced by one of twice the size. */
#define IDENTITIES_CGROUPS 4U

static size_t identities_max(const struct kernel *k)
{
	return k->identities_max ? k->identities_max : KERNEL_IDENTITIES_MAX;
}

size_t kernel_identities_count(const struct kernel_identity *identities, size_t n, uint32_t profile)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += identities[i].profile == profile;
	return count;
}

size_t kernel_identities_room(const struct kernel *k, const struct image_profile *profile,
			      size_t known)
{
	size_t n = profile->n_identities > 0 ?
			   2 * known + profile->n_identities * IDENTITIES_CGROUPS :
			   0;

	return n < identities_max(k) ? n : identities_max(k);
}

/* A profile of an earlier agent has a map of a size that is not known: the next publish replaces it. */
static void identities_crowd(const struct kernel *k, struct kernel_profile *p)
{
	p->crowded = p->room > 0 && p->room < identities_max(k);
}

bool kernel_identities_crowded(const struct kernel *k)
{
	for (size_t i = 0; i < k->n_profiles; i++)
		if (k->profiles[i].crowded)
			return true;
	return false;
}

static struct ht_edge_key identity_key(const struct kernel *k, const struct ht_identity *identity)
{
	return (struct ht_edge_key){
		.kind = HT_EDGE_IDENTITY,
		.name = ht_hash_name(&k->key, identity, sizeof(*identity)),
	};
}

/* Two rules name one object under two paths: what either refuses is refused. The rule that is told is the first's. */
static int identity_widen(int fd, const struct ht_edge_key *key, const struct ht_entry *more)
{
	struct ht_entry e, was;

	if (bpf_map_lookup_elem(fd, key, &was) < 0)
		return -errno;
	e = was;
	e.deny |= more->deny;
	e.audit |= more->audit;
	e.kill |= more->kill;
	e.would |= more->would;
	if (memcmp(&e, &was, sizeof(e)) == 0)
		return 0;
	return bpf_map_update_elem(fd, key, &e, BPF_EXIST) < 0 ? -errno : 0;
}

int kernel_identities_fill(struct kernel *k, int fd, uint32_t profile,
			   const struct kernel_identity *identities, size_t n, size_t *no_room)
{
	for (size_t i = 0; i < n; i++) {
		struct ht_edge_key key;
		int r;

		if (identities[i].profile != profile)
			continue;
		r = kernel_object_note(k, &identities[i].identity);
		if (r < 0)
			return r;
		key = identity_key(k, &identities[i].identity);
		r = bpf_map_update_elem(fd, &key, &identities[i].entry, BPF_NOEXIST) < 0 ? -errno :
											   0;
		if (r == -EEXIST)
			r = identity_widen(fd, &key, &identities[i].entry);
		if (r == 0)
			continue;
		if (r != -E2BIG && r != -ENOMEM)
			return r;
		(*no_room)++;
	}
	return 0;
}

int kernel_identities_put(struct kernel *k, const struct kernel_identity *identities, size_t n,
			  size_t *no_room)
{
	for (size_t i = 0; i < n; i++) {
		struct kernel_profile *p = kernel_profile_find(k, identities[i].profile);
		size_t before = *no_room;
		int r;

		if (!p || p->fd < 0 || p->retired)
			continue;
		r = kernel_identities_fill(k, p->fd, p->id, &identities[i], 1, no_room);
		if (r < 0)
			return r;
		if (*no_room > before)
			identities_crowd(k, p);
	}
	/* what was decided before these were known counts no more */
	return n > 0 ? kernel_epoch_move(k) : 0;
}

int kernel_identity_remove(struct kernel *k, uint32_t profile, const struct ht_identity *identity)
{
	struct kernel_profile *p = kernel_profile_find(k, profile);
	struct ht_edge_key key = identity_key(k, identity);

	if (!p || p->fd < 0 || p->retired)
		return 0;
	return bpf_map_delete_elem(p->fd, &key) < 0 && errno != ENOENT ? -errno : 0;
}

DEFINE_CLEANUP(struct identity_bpf *, identity_skel_freep, (identity_bpf__destroy));

/* It reads the settings, and the labels: no other map is made for it. */
static const unsigned program_map_indices[] = {MAP_SETTINGS, MAP_LABELS, MAP_AREA};

static int program_map(struct kernel *k, struct bpf_object *obj, struct bpf_map *map)
{
	for (size_t i = 0; i < ARRAY_LEN(program_map_indices); i++)
		if (map == kernel_map_of(obj, program_map_indices[i]))
			return bpf_map__reuse_fd(map, k->map_fds[program_map_indices[i]]);
	return bpf_map__is_internal(map) ? 0 : bpf_map__set_autocreate(map, false);
}

static int program_maps(struct kernel *k, struct identity_bpf *skel)
{
	struct bpf_map *map;

	bpf_object__for_each_map(map, skel->obj)
	{
		int r = program_map(k, skel->obj, map);

		if (r < 0)
			return r;
	}
	return 0;
}

/* The object, fitted to the kernel's types. Return: 0, -errno. */
static int program_open(struct kernel *k, const char *types_path, int types_fd, struct identity_bpf **ret)
{
	LIBBPF_OPTS(bpf_object_open_opts, opts, .btf_custom_path = types_path);
	_cleanup_(identity_skel_freep) struct identity_bpf *skel = identity_bpf__open_opts(&opts);
	int r;

	if (!skel)
		return -errno;
	r = kernel_types_reduce(kernel_hooks_types(), bpf_object__btf(skel->obj), types_fd);
	if (r >= 0)
		r = program_maps(k, skel);
	if (r >= 0)
		r = identity_bpf__load(skel);
	if (r < 0)
		return r;
	*ret = steal_ptr(skel);
	return 0;
}

/* Return: the program, or -errno. */
static int program_load(struct kernel *k)
{
	_cleanup_(identity_skel_freep) struct identity_bpf *skel = NULL;
	char types_path[KERNEL_TYPES_PATH_SIZE];
	_cleanup_close_ int types_fd = kernel_types_new(types_path);
	int fd, r = types_fd < 0 ? types_fd : kernel_hooks_open(KERNEL_TYPES);

	if (r >= 0)
		r = program_open(k, types_path, types_fd, &skel);
	kernel_hooks_close();
	if (r >= 0)
		r = kernel_guard_program(k, bpf_program__fd(skel->progs.haetae_identities));
	if (r < 0)
		return r;
	fd = fcntl(bpf_program__fd(skel->progs.haetae_identities), F_DUPFD_CLOEXEC, 3);
	return fd < 0 ? -errno : fd;
}

int kernel_identities_available(struct kernel *k)
{
	if (k->identities_fd == -EBADF)
		k->identities_fd = program_load(k);
	return k->identities_fd < 0 ? k->identities_fd : 0;
}

/* The iterator, made for one task. Return: fd or -errno. */
static int opened_iterator(struct kernel *k, int tid)
{
	union bpf_iter_link_info info = {};
	LIBBPF_OPTS(bpf_link_create_opts, opts, .iter_info = &info, .iter_info_len = sizeof(info));
	_cleanup_close_ int link = -EBADF;
	int fd, r = kernel_identities_available(k);

	if (r < 0)
		return r;
	info.task.tid = (uint32_t)tid;
	link = bpf_link_create(k->identities_fd, 0, BPF_TRACE_ITER, &opts);
	if (link < 0)
		return -errno;
	fd = bpf_iter_create(link);
	return fd < 0 ? -errno : fd;
}

int kernel_opened_read(struct kernel *k, int tid,
		       void (*each)(const struct ht_opened *opened, void *userdata), void *userdata)
{
	_cleanup_close_ int fd = opened_iterator(k, tid);
	struct ht_opened opened[64];
	size_t used = 0;

	if (fd < 0)
		return fd;
	for (;;) {
		ssize_t n = read(fd, (char *)opened + used, sizeof(opened) - used);

		if (n < 0 && (errno == EINTR || errno == EAGAIN))
			continue;
		if (n <= 0)
			return n < 0 ? -errno : used > 0 ? -EIO : 0;
		used += (size_t)n;
		for (size_t i = 0; i < used / sizeof(*opened); i++)
			each(&opened[i], userdata);
		memmove(opened, (char *)opened + used / sizeof(*opened) * sizeof(*opened),
			used % sizeof(*opened));
		used %= sizeof(*opened);
	}
}
