/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The end of enforcement. Once a pin is gone the kernel lets go of its program a moment later, in an order of its own:
 * the program that takes labels away can be gone long before the one that judges by them, and a hook's decision before
 * the hook. So first nobody is bound any more and every label is taken away; then the programs let everything pass,
 * whichever of them are left, and the pins can go in any order.
 */

#include "kernel/internal.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "util/cleanup.h"

/* The first HT_ABI that knows of an end. */
#define ABI_WITH_END 4U
#define SETTINGS_SIZE_MAX 4096U
/* Forks can be under way while labels are taken away, and those of the children come after. */
#define PASSES_MAX 100U

static int end_get(const char *pin_dir, const char *prefix, enum kernel_map map)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/%smap-%s", pin_dir, prefix, kernel_map_names[map]), fd;

	if (n < 0 || (size_t)n >= sizeof(path))
		return -ENAMETOOLONG;
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

/* Say it to the programs. The settings may be those of another build. Return: 1 said, 0 it does not know of an end,
 * -errno. */
static int end_say(int settings_fd)
{
	_Alignas(struct ht_settings) uint8_t value[SETTINGS_SIZE_MAX];
	const uint32_t zero = 0, one = 1;
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info), abi;

	if (bpf_obj_get_info_by_fd(settings_fd, &info, &size) < 0)
		return -errno;
	if (info.value_size > sizeof(value) || info.value_size < offsetof(struct ht_settings, ended) + sizeof(one))
		return 0;
	if (bpf_map_lookup_elem(settings_fd, &zero, value) < 0)
		return -errno;
	memcpy(&abi, value + offsetof(struct ht_settings, abi), sizeof(abi));
	if (abi < ABI_WITH_END)
		return 0;
	memcpy(value + offsetof(struct ht_settings, ended), &one, sizeof(one));
	return bpf_map_update_elem(settings_fd, &zero, value, BPF_ANY) < 0 ? -errno : 1;
}

/* Wait until every program that runs now has ended: so does each update of a map of maps. */
static int programs_wait(void)
{
	_cleanup_close_ int inner = bpf_map_create(BPF_MAP_TYPE_ARRAY, "haetae_wait", 4, 4, 1, NULL);
	LIBBPF_OPTS(bpf_map_create_opts, opts, .inner_map_fd = (uint32_t)inner);
	_cleanup_close_ int outer = -EBADF;
	const uint32_t zero = 0;

	if (inner < 0)
		return -errno;
	outer = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "haetae_wait", 4, 4, 1, &opts);
	if (outer < 0 || bpf_map_update_elem(outer, &zero, &inner, BPF_ANY) < 0)
		return -errno;
	return 0;
}

/* Return: how many there were, -errno. */
static ssize_t labels_take(int labels_fd)
{
	ssize_t n = 0;
	uint64_t key;

	while (bpf_map_get_next_key(labels_fd, NULL, &key) == 0) {
		if (bpf_map_delete_elem(labels_fd, &key) < 0 && errno != ENOENT)
			return -errno;
		n++;
	}
	return errno == ENOENT ? n : -errno;
}

int kernel_end(const char *pin_dir, const char *prefix)
{
	_cleanup_close_ int settings_fd = end_get(pin_dir, prefix, MAP_SETTINGS);
	_cleanup_close_ int labels_fd = -EBADF;
	int r;

	if (settings_fd < 0)
		return settings_fd == -ENOENT ? 0 : settings_fd;
	labels_fd = end_get(pin_dir, prefix, MAP_LABELS);
	if (labels_fd < 0)
		return labels_fd == -ENOENT ? 0 : labels_fd;
	r = end_say(settings_fd);
	if (r <= 0)
		return r;
	for (unsigned pass = 0; pass < PASSES_MAX; pass++) {
		ssize_t n;

		r = programs_wait();
		if (r < 0)
			return r;
		n = labels_take(labels_fd);
		if (n <= 0)
			return (int)n;
	}
	return -EAGAIN;
}

int kernel_detach(const char *pin_dir)
{
	_cleanup_closedir_ DIR *dir = opendir(pin_dir);
	struct dirent *de;
	int r;

	if (!dir)
		return errno == ENOENT ? 0 : -errno;
	if (flock(dirfd(dir), LOCK_EX | LOCK_NB) < 0)
		return errno == EWOULDBLOCK ? -EBUSY : -errno;
	r = kernel_end(pin_dir, "");
	while ((de = readdir(dir))) {
		if (de->d_name[0] == '.')
			continue;
		if (unlinkat(dirfd(dir), de->d_name, 0) < 0 && r == 0)
			r = -errno;
	}
	if (rmdir(pin_dir) < 0 && r == 0)
		r = -errno;
	return r;
}
