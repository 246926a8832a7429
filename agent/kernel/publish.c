/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Publishing an image.
 *
 * A profile is one inner map, built completely and checked before one update puts it in the place of the
 * old one. Order: wildcard texts (nothing refers to the new ones yet), changed profiles, the cgroup
 * matcher, what already runs (cgroups, then tasks), and last the profiles that are gone, which become
 * retired: present, so that a label that names one is not mistaken for damage, and refusing nothing.
 */

#include "kernel/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"

int kernel_profile_map_new(size_t n)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
	int fd = bpf_map_create(BPF_MAP_TYPE_HASH, "profile", sizeof(struct ht_edge_key),
				sizeof(struct ht_entry), (uint32_t)(n > 0 ? n : 1), &opts);

	return fd < 0 ? -errno : fd;
}

/* Keys and values side by side, as a batch update wants them. */
static int map_fill(int fd, const struct image_pair *pairs, size_t n)
{
	_cleanup_free_ struct ht_edge_key *keys = NULL;
	_cleanup_free_ struct ht_entry *values = NULL;
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	uint32_t count = (uint32_t)n;

	keys = calloc(n > 0 ? n : 1, sizeof(*keys));
	values = calloc(n > 0 ? n : 1, sizeof(*values));
	if (!keys || !values)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		keys[i] = pairs[i].key;
		values[i] = pairs[i].entry;
	}
	if (n > 0 && bpf_map_update_batch(fd, keys, values, &count, &opts) < 0)
		return -errno;
	return count == n ? 0 : -EIO;
}

static struct kernel_profile *profile_find(struct kernel *k, uint32_t id)
{
	for (size_t i = 0; i < k->n_profiles; i++)
		if (k->profiles[i].id == id)
			return &k->profiles[i];
	return NULL;
}

static int profile_note(struct kernel *k, uint32_t id, uint64_t digest, bool retired)
{
	struct kernel_profile *p = profile_find(k, id);

	if (!p) {
		p = reallocarray(k->profiles, k->n_profiles + 1, sizeof(*p));
		if (!p)
			return -ENOMEM;
		k->profiles = p;
		p += k->n_profiles++;
	}
	*p = (struct kernel_profile){ .id = id, .digest = digest, .wanted = true, .retired = retired };
	return 0;
}

/* A finished inner map for a profile. Return: fd or -errno. */
static int profile_build(const struct image_profile *profile)
{
	struct ht_edge_key header = { .kind = HT_EDGE_HEADER };
	_cleanup_close_ int fd = -EBADF;
	struct ht_entry e;
	int r;

	fd = kernel_profile_map_new(profile->n_pairs);
	if (fd < 0)
		return fd;
	r = map_fill(fd, profile->pairs, profile->n_pairs);
	if (r < 0)
		return r;
	if (profile->id != 0 && bpf_map_lookup_elem(fd, &header, &e) < 0)
		return -EIO; /* a profile without a header would refuse everything */
	return steal_fd(&fd);
}

static int profile_retired_map(void)
{
	const struct image_pair pairs[] = {
		{ .key = { .kind = HT_EDGE_HEADER },
		  .entry = { .next = HT_STATE_OTHER, .flags = HT_PROFILE_RETIRED } },
		{ .key = { .kind = HT_EDGE_START },
		  .entry = { .next = HT_STATE_OTHER, .flags = HT_ENTRY_FINAL } },
		{ .key = { .kind = HT_EDGE_OTHER },
		  .entry = { .next = HT_STATE_OTHER, .flags = HT_ENTRY_FINAL } },
	};
	_cleanup_close_ int fd = kernel_profile_map_new(ARRAY_LEN(pairs));
	int r;

	if (fd < 0)
		return fd;
	r = map_fill(fd, pairs, ARRAY_LEN(pairs));
	return r < 0 ? r : steal_fd(&fd);
}

static int profile_put(struct kernel *k, uint32_t id, int fd)
{
	return bpf_map_update_elem(k->map_fds[MAP_PROFILES], &id, &fd, BPF_ANY) < 0 ? -errno : 0;
}

struct staged {
	int fd;
	const struct image_profile *profile;
};

static void staged_free(struct staged *staged, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (staged[i].fd >= 0)
			(void)close(staged[i].fd);
	free(staged);
}

static bool profile_changed(struct kernel *k, const struct image_profile *profile)
{
	struct kernel_profile *known = profile_find(k, profile->id);

	return !known || known->retired || known->digest == 0 || known->digest != profile->digest;
}

/* Build every changed profile before anything is put in place. */
static int stage(struct kernel *k, const struct image *image, struct staged **ret, size_t *ret_n)
{
	struct staged *staged = calloc(image->n_profiles + 1, sizeof(*staged));
	size_t n = 0;

	if (!staged)
		return -ENOMEM;
	for (size_t i = 0; i <= image->n_profiles; i++) {
		const struct image_profile *p =
			i < image->n_profiles ? &image->profiles[i] : &image->matcher;

		if (!profile_changed(k, p))
			continue;
		staged[n].profile = p;
		staged[n].fd = profile_build(p);
		if (staged[n++].fd < 0) {
			int r = staged[n - 1].fd;

			staged_free(staged, n);
			return r;
		}
	}
	*ret = staged;
	*ret_n = n;
	return 0;
}

static int publish_globs(struct kernel *k, const struct image *image)
{
	for (size_t i = 0; i < image->n_globs; i++)
		if (bpf_map_update_elem(k->map_fds[MAP_GLOBS], &image->globs[i].id,
					&image->globs[i].glob, BPF_ANY) < 0)
			return -errno;
	return 0;
}

static int publish_staged(struct kernel *k, const struct staged *staged, size_t n,
			  struct kernel_publish *stats)
{
	for (size_t i = 0; i < n; i++) {
		int r = profile_put(k, staged[i].profile->id, staged[i].fd);

		if (r < 0)
			return r;
		stats->profiles_changed += staged[i].profile->id != 0;
		r = profile_note(k, staged[i].profile->id, staged[i].profile->digest, false);
		if (r < 0)
			return r;
	}
	return 0;
}

static bool image_has(const struct image *image, uint32_t id)
{
	if (id == 0)
		return true;
	for (size_t i = 0; i < image->n_profiles; i++)
		if (image->profiles[i].id == id)
			return true;
	return false;
}

static int publish_retire(struct kernel *k, const struct image *image, struct kernel_publish *stats)
{
	_cleanup_close_ int fd = -EBADF;

	for (size_t i = 0; i < k->n_profiles; i++) {
		struct kernel_profile *p = &k->profiles[i];
		int r;

		if (p->retired || image_has(image, p->id))
			continue;
		if (fd < 0)
			fd = profile_retired_map();
		if (fd < 0)
			return fd;
		r = profile_put(k, p->id, fd);
		if (r < 0)
			return r;
		p->retired = true;
		stats->profiles_retired++;
	}
	return 0;
}

/* What a former agent left in the map is known by id only. */
static int profiles_seed(struct kernel *k)
{
	uint32_t key, *prev = NULL;

	if (k->n_profiles > 0)
		return 0;
	while (bpf_map_get_next_key(k->map_fds[MAP_PROFILES], prev, &key) == 0) {
		int r = profile_note(k, key, 0, false);

		if (r < 0)
			return r;
		prev = &key;
	}
	return 0;
}

static int publish_generation(struct kernel *k, uint32_t *ret)
{
	struct ht_settings s = {};
	uint32_t zero = 0;

	if (bpf_map_lookup_elem(k->map_fds[MAP_SETTINGS], &zero, &s) < 0)
		return -errno;
	s.generation++;
	s.agent_pid = (uint32_t)getpid();
	if (bpf_map_update_elem(k->map_fds[MAP_SETTINGS], &zero, &s, BPF_ANY) < 0)
		return -errno;
	*ret = s.generation;
	return 0;
}

int kernel_publish(struct kernel *k, const struct image *image, struct kernel_publish *ret,
		   char **reterr_text)
{
	struct kernel_publish stats = {};
	struct staged *staged = NULL;
	size_t n = 0;
	int r;

	*reterr_text = NULL;
	r = profiles_seed(k);
	if (r >= 0)
		r = publish_globs(k, image);
	if (r < 0)
		return kernel_fail(reterr_text, r, "Failed to publish wildcards");
	r = stage(k, image, &staged, &n);
	if (r < 0)
		return kernel_fail(reterr_text, r, "Failed to build the profiles");
	r = publish_staged(k, staged, n, &stats);
	staged_free(staged, n);
	if (r < 0)
		return kernel_fail(reterr_text, r, "Failed to put a profile in place");
	r = kernel_cgroups_bind(k, image, &stats, reterr_text);
	if (r >= 0)
		r = kernel_tasks_label(k, &stats, reterr_text);
	if (r < 0)
		return r;
	r = publish_retire(k, image, &stats);
	if (r < 0)
		return kernel_fail(reterr_text, r, "Failed to retire a profile");
	r = publish_generation(k, &stats.generation);
	if (r < 0)
		return kernel_fail(reterr_text, r, "Failed to move the generation");
	*ret = stats;
	return 0;
}

int kernel_seed_names(struct kernel *k, struct image_names *names)
{
	uint32_t key, *prev = NULL;
	struct ht_glob glob;

	while (bpf_map_get_next_key(k->map_fds[MAP_GLOBS], prev, &key) == 0) {
		if (bpf_map_lookup_elem(k->map_fds[MAP_GLOBS], &key, &glob) == 0 &&
		    glob.len <= HT_GLOB_MAX) {
			int r = image_names_seed_glob(names, glob.text, glob.len, key);

			if (r < 0)
				return r;
		}
		prev = &key;
	}
	return 0;
}
