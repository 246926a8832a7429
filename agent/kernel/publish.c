/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Publishing an image.
 *
 * A profile is one inner map, built completely and checked before anything refers to it. The profiles map has
 * two halves; a publish fills the one that is not in force with every profile, new or unchanged, and one word
 * (ht_settings.current) then puts all of them in force at one instant, so a rule that moves from one policy to
 * another is never missing in between. Then what already runs is bound: cgroups, then tasks. Policies that are
 * gone stay in force until here, and are retired by a second turn of the word: present, so that a label that
 * names one is not mistaken for damage, and refusing nothing.
 *
 * A half is written only when no program can still be reading it: after each turn of the word one update of the
 * map waits for all that run.
 */

#include "kernel/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"

#define HALF_PARTS_MAX 16U

int kernel_profile_map_new(struct kernel *k, size_t n)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts, .map_flags = BPF_F_NO_PREALLOC);
	_cleanup_close_ int fd = -EBADF;
	int r;

	fd = bpf_map_create(BPF_MAP_TYPE_HASH, "profile", sizeof(struct ht_edge_key),
			    sizeof(struct ht_entry), (uint32_t)(n > 0 ? n : 1), &opts);
	if (fd < 0)
		return -errno;
	r = kernel_guard_map(k, fd);
	return r < 0 ? r : steal_fd(&fd);
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

static int publish_names(struct kernel *k, const struct image *image)
{
	for (size_t i = 0; i < image->n_profiles; i++) {
		const struct image_profile *p = &image->profiles[i];
		struct ht_name name = {};

		if (strlen(p->policy) > HT_POLICY_NAME_MAX)
			return -ENAMETOOLONG;
		memcpy(name.text, p->policy, strlen(p->policy));
		if (bpf_map_update_elem(k->map_fds[MAP_NAMES], &p->id, &name, BPF_ANY) < 0)
			return -errno;
	}
	return 0;
}

struct kernel_profile *kernel_profile_find(struct kernel *k, uint32_t id)
{
	for (size_t i = 0; i < k->n_profiles; i++)
		if (k->profiles[i].id == id)
			return &k->profiles[i];
	return NULL;
}

/* Takes note->fd. */
static int profile_note(struct kernel *k, const struct kernel_profile *note)
{
	struct kernel_profile *p = kernel_profile_find(k, note->id);

	if (!p) {
		p = reallocarray(k->profiles, k->n_profiles + 1, sizeof(*p));
		if (!p) {
			if (note->fd >= 0)
				(void)close(note->fd);
			return -ENOMEM;
		}
		k->profiles = p;
		p += k->n_profiles++;
	} else if (p->fd >= 0) {
		(void)close(p->fd);
	}
	*p = *note;
	return 0;
}

/* The inner map of a profile carries the stamp of its content: what a label has cached of it says for which. */
static int profile_stamp(int fd, uint64_t digest)
{
	struct ht_edge_key header = { .kind = HT_EDGE_HEADER };
	struct ht_entry e;

	if (bpf_map_lookup_elem(fd, &header, &e) < 0)
		return errno == ENOENT ? -EIO : -errno; /* one without a header would refuse everything */
	e.stamp = (uint32_t)(digest ^ digest >> 32);
	e.stamp += !e.stamp; /* 0 is no stamp */
	return bpf_map_update_elem(fd, &header, &e, BPF_EXIST) < 0 ? -errno : 0;
}

/* A finished inner map for a profile, with room for so many objects. Return: fd or -errno. */
static int profile_build(struct kernel *k, const struct image_profile *profile, size_t room)
{
	_cleanup_close_ int fd = -EBADF;
	int r;

	fd = kernel_profile_map_new(k, profile->n_pairs + room);
	if (fd < 0)
		return fd;
	r = map_fill(fd, profile->pairs, profile->n_pairs);
	if (r < 0)
		return r;
	r = profile->id != 0 ? profile_stamp(fd, profile->digest) : 0;
	return r < 0 ? r : steal_fd(&fd);
}

static int profile_retired_map(struct kernel *k)
{
	const struct image_pair pairs[] = {
		{ .key = { .kind = HT_EDGE_HEADER },
		  .entry = { .next = HT_STATE_OTHER, .flags = HT_PROFILE_RETIRED } },
		{ .key = { .kind = HT_EDGE_START },
		  .entry = { .next = HT_STATE_OTHER, .flags = HT_ENTRY_FINAL } },
		{ .key = { .kind = HT_EDGE_OTHER },
		  .entry = { .next = HT_STATE_OTHER, .flags = HT_ENTRY_FINAL } },
	};
	_cleanup_close_ int fd = kernel_profile_map_new(k, ARRAY_LEN(pairs));
	int r;

	if (fd < 0)
		return fd;
	r = map_fill(fd, pairs, ARRAY_LEN(pairs));
	return r < 0 ? r : steal_fd(&fd);
}

/* ---- the halves of the profiles map ---- */

int kernel_overlay_learn(struct kernel *k)
{
	struct ht_settings s;
	struct overlay_layout layout;
	int r = kernel_settings_read(k, &s);

	if (r < 0 || s.overlay_upper)
		return r;
	r = kernel_overlay_layout("/sys/kernel/btf/vmlinux", "/sys/kernel/btf/overlay", &layout);
	if (r < 0)
		return r;
	s.overlay_upper = layout.upper;
	s.overlay_lower = layout.lower;
	s.overlay_counted = layout.lower_counted;
	r = kernel_settings_write(k, &s);
	return r < 0 ? r : kernel_epoch_move(k);
}

/* A part of what is put in place, and the thread that does it. */
struct half_part {
	pthread_t thread;
	bool started;
	int map_fd;
	const uint32_t *keys, *fds;
	uint32_t n;
	int result;
};

static void *half_part_put(void *userdata)
{
	struct half_part *part = userdata;
	LIBBPF_OPTS(bpf_map_batch_opts, opts);
	uint32_t count = part->n;

	if (bpf_map_update_batch(part->map_fd, part->keys, part->fds, &count, &opts) < 0)
		part->result = -errno;
	else
		part->result = count == part->n ? 0 : -EIO;
	return NULL;
}

/* Put many inner maps in place. Each of them waits for running programs, on older kernels also within a batch, and
 * a wait takes ten milliseconds and more; so threads wait side by side. demand, or NULL: what is to be in its hook before any
 * of this is in force, which is seen to meanwhile. */
static int half_put(struct kernel *k, const uint32_t *keys, const uint32_t *fds, size_t n,
		    const struct kernel_demand *demand, char **reterr_text)
{
	struct half_part parts[HALF_PARTS_MAX] = {};
	size_t each = (n + HALF_PARTS_MAX - 1) / HALF_PARTS_MAX, used = 0;
	int r = 0;

	for (size_t at = 0; at < n; at += each) {
		struct half_part *part = &parts[used++];

		part->map_fd = k->map_fds[MAP_PROFILES];
		part->keys = keys + at;
		part->fds = fds + at;
		part->n = (uint32_t)(at + each < n ? each : n - at);
		part->started = (demand || at + each < n) &&
				pthread_create(&part->thread, NULL, half_part_put, part) == 0;
		if (!part->started)
			(void)half_part_put(part);
	}
	if (demand)
		r = kernel_demand_attach(k, demand, reterr_text);
	for (size_t i = 0; i < used; i++) {
		if (parts[i].started)
			(void)pthread_join(parts[i].thread, NULL);
		if (r >= 0)
			r = parts[i].result;
	}
	return r;
}

/* The map again as it is: only for the wait until no program can be reading the other half. */
static int half_wait(struct kernel *k, uint32_t half, int matcher_fd)
{
	uint32_t key = HT_PROFILE_KEY(0U, half);

	return bpf_map_update_elem(k->map_fds[MAP_PROFILES], &key, &matcher_fd, BPF_ANY) < 0 ? -errno :
											       0;
}

#define TURN_TRIES 8U
#define TURN_PAUSE_US 2000U

/* Turn the word to a half that is complete, and wait until no program can be reading the other. Nothing reads it when
 * the word was never turned before: only a task that something governs reads a half. Once it is turned the rest should
 * follow: kept verdicts are the other half's until the epoch moves. So memory that is short for a moment is waited for. */
static int half_turn(struct kernel *k, uint32_t half, int matcher_fd)
{
	bool moved = false;
	struct ht_settings s;
	int r = kernel_settings_read(k, &s);

	if (r < 0)
		return r;
	s.current = half;
	r = kernel_settings_write(k, &s);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < TURN_TRIES; i++) {
		if (i > 0)
			(void)usleep(TURN_PAUSE_US << i);
		r = moved ? 0 : kernel_epoch_move(k);
		if (r < 0)
			continue;
		moved = true;
		if (!k->unpublished)
			r = half_wait(k, half, matcher_fd);
		if (r < 0)
			continue;
		k->unpublished = false;
		return 0;
	}
	return r;
}

struct staged {
	int fd;
	const struct image_profile *profile;
	size_t room;
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
	struct kernel_profile *known = kernel_profile_find(k, profile->id);

	return !known || known->retired || known->digest == 0 || known->digest != profile->digest ||
	       known->crowded;
}

static int staged_fd(const struct staged *staged, size_t n, uint32_t id)
{
	for (size_t i = 0; i < n; i++)
		if (staged[i].profile->id == id)
			return staged[i].fd;
	return -ENOENT;
}

static bool profile_crowded(struct kernel *k, const struct image_profile *profile)
{
	struct kernel_profile *known = kernel_profile_find(k, profile->id);

	return known && known->crowded;
}

/* What is known of identities goes into new profiles before they are in force, and into those that stay now. */
static int stage_identities(struct kernel *k, const struct image *image, const struct staged *staged,
			    size_t n, const struct kernel_identity *identities,
			    size_t n_identities, size_t *no_room)
{
	int r = 0;

	for (size_t i = 0; i < image->n_profiles && r >= 0; i++) {
		const struct image_profile *p = &image->profiles[i];
		int fd = staged_fd(staged, n, p->id);

		if (p->n_identities == 0)
			continue;
		if (fd < 0)
			fd = kernel_profile_find(k, p->id)->fd; /* it is known: it did not change */
		r = kernel_identities_fill(k, fd, p->id, identities, n_identities, no_room);
	}
	return r;
}

/* Build every profile that is chosen before anything is put in place. */
static int stage(struct kernel *k, const struct image *image,
		 bool (*chosen)(struct kernel *k, const struct image_profile *profile),
		 const struct kernel_identity *identities, size_t n_identities, struct staged **ret,
		 size_t *ret_n)
{
	struct staged *staged = calloc(image->n_profiles + 1, sizeof(*staged));
	size_t n = 0;

	if (!staged)
		return -ENOMEM;
	for (size_t i = 0; i <= image->n_profiles; i++) {
		const struct image_profile *p =
			i < image->n_profiles ? &image->profiles[i] : &image->matcher;

		if (!chosen(k, p))
			continue;
		staged[n].profile = p;
		staged[n].room = kernel_identities_room(
			k, p, kernel_identities_count(identities, n_identities, p->id));
		staged[n].fd = profile_build(k, p, staged[n].room);
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

static bool image_has(const struct image *image, uint32_t id)
{
	if (id == 0)
		return true;
	for (size_t i = 0; i < image->n_profiles; i++)
		if (image->profiles[i].id == id)
			return true;
	return false;
}

/* What the profile `p` is to be in the half that is filled: staged, as it was, or retired. */
static int half_fd(struct kernel *k, const struct kernel_profile *p, const struct image *image,
		   const struct staged *staged, size_t n, int retired_fd)
{
	int fd = staged_fd(staged, n, p->id);

	if (fd >= 0)
		return fd;
	if (retired_fd >= 0 && !image_has(image, p->id))
		return retired_fd;
	return p->fd;
}

/* Fill the half that is not in force, put programs into their hooks (half_put()), and turn to it. retired_fd: what takes the
 * place of profiles that the image does not have; negative: they stay as they are. */
static int publish_half(struct kernel *k, const struct image *image, const struct staged *staged,
			size_t n, int retired_fd, const struct kernel_demand *demand, char **reterr_text)
{
	_cleanup_free_ uint32_t *keys = calloc(k->n_profiles + 1, sizeof(*keys));
	_cleanup_free_ uint32_t *fds = calloc(k->n_profiles + 1, sizeof(*fds));
	struct ht_settings s;
	int matcher_fd = -EBADF, r;
	uint32_t half;

	if (!keys || !fds)
		return -ENOMEM;
	r = kernel_settings_read(k, &s);
	if (r < 0)
		return r;
	half = !s.current;
	for (size_t i = 0; i < k->n_profiles; i++) {
		int fd = half_fd(k, &k->profiles[i], image, staged, n, retired_fd);

		if (fd < 0)
			return -EBADF;
		if (k->profiles[i].id == 0)
			matcher_fd = fd;
		keys[i] = HT_PROFILE_KEY(k->profiles[i].id, half);
		fds[i] = (uint32_t)fd;
	}
	r = half_put(k, keys, fds, k->n_profiles, demand, reterr_text);
	return r < 0 ? r : half_turn(k, half, matcher_fd);
}

/* Every staged profile gets its entry in the table, without a map yet. */
static int publish_announce(struct kernel *k, const struct staged *staged, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int r = kernel_profile_find(k, staged[i].profile->id) ?
				0 :
				profile_note(k, &(struct kernel_profile){ .id = staged[i].profile->id,
									  .fd = -EBADF });

		if (r < 0)
			return r;
	}
	return 0;
}

/* Profiles that an earlier agent published and whose policies are gone since are known by their ids alone, so
 * they cannot stay until the others are bound: they are retired with the same turn. */
static int publish_forget(struct kernel *k, const struct image *image)
{
	for (size_t i = 0; i < k->n_profiles; i++) {
		struct kernel_profile *p = &k->profiles[i];

		if (p->fd >= 0 || image_has(image, p->id))
			continue;
		p->fd = profile_retired_map(k);
		if (p->fd < 0)
			return p->fd;
		p->retired = true;
	}
	return 0;
}

static int publish_staged(struct kernel *k, const struct image *image, struct staged *staged, size_t n,
			  const struct kernel_demand *demand, struct kernel_publish *stats,
			  char **reterr_text)
{
	int r = publish_announce(k, staged, n);

	if (r >= 0)
		r = publish_forget(k, image);
	if (r >= 0)
		r = publish_half(k, image, staged, n, /* retired_fd= */ -EBADF, demand, reterr_text);
	for (size_t i = 0; r >= 0 && i < n; i++) {
		stats->profiles_changed += staged[i].profile->id != 0;
		r = profile_note(k, &(struct kernel_profile){ .id = staged[i].profile->id,
							      .digest = staged[i].profile->digest,
							      .fd = steal_fd(&staged[i].fd),
							      .room = staged[i].room });
	}
	return r;
}

static int publish_retire(struct kernel *k, const struct image *image, struct kernel_publish *stats)
{
	_cleanup_close_ int fd = -EBADF;
	int r;

	for (size_t i = 0; i < k->n_profiles; i++)
		stats->profiles_retired +=
			!k->profiles[i].retired && !image_has(image, k->profiles[i].id);
	if (stats->profiles_retired == 0)
		return 0;
	fd = profile_retired_map(k);
	if (fd < 0)
		return fd;
	r = publish_half(k, image, NULL, 0, fd, NULL, NULL);
	for (size_t i = 0; r >= 0 && i < k->n_profiles; i++) {
		int own;

		if (k->profiles[i].retired || image_has(image, k->profiles[i].id))
			continue;
		own = fcntl(fd, F_DUPFD_CLOEXEC, 3);
		r = own < 0 ? -errno :
			      profile_note(k, &(struct kernel_profile){
						      .id = k->profiles[i].id, .fd = own, .retired = true });
	}
	return r;
}

/* What a former agent left in the map is known by id only. */
static int profiles_seed(struct kernel *k)
{
	uint32_t key, *prev = NULL;

	if (k->n_profiles > 0)
		return 0;
	while (bpf_map_get_next_key(k->map_fds[MAP_PROFILES], prev, &key) == 0) {
		int r = profile_note(k, &(struct kernel_profile){ .id = key >> 1, .fd = -EBADF });

		if (r < 0)
			return r;
		prev = &key;
	}
	return 0;
}

static int publish_generation(struct kernel *k, uint32_t *ret)
{
	struct ht_settings s;
	int r = kernel_settings_read(k, &s);

	if (r < 0)
		return r;
	s.generation++;
	r = kernel_settings_write(k, &s);
	if (r < 0)
		return r;
	*ret = s.generation;
	return 0;
}

int kernel_publish(struct kernel *k, const struct image *image,
		   const struct kernel_identity *identities, size_t n_identities,
		   struct kernel_publish *ret, char **reterr_text)
{
	struct kernel_publish stats = {};
	struct kernel_demand demand;
	struct staged *staged = NULL;
	size_t n = 0;
	int r;

	*reterr_text = NULL;
	(void)kernel_overlay_learn(k); /* not there: nothing is stacked yet */
	kernel_demand_of(image, &demand);
	r = profiles_seed(k);
	if (r >= 0)
		r = publish_globs(k, image);
	if (r >= 0)
		r = publish_names(k, image);
	if (r < 0)
		return kernel_fail(reterr_text, r, "Failed to publish wildcards and names");
	r = stage(k, image, profile_changed, identities, n_identities, &staged, &n);
	if (r < 0)
		return kernel_fail(reterr_text, r, "Failed to build the profiles");
	r = stage_identities(k, image, staged, n, identities, n_identities,
			     &stats.identities_without_room);
	if (r < 0) {
		staged_free(staged, n);
		return kernel_fail(reterr_text, r, "Failed to bind what the rules name");
	}
	r = publish_staged(k, image, staged, n, &demand, &stats, reterr_text);
	staged_free(staged, n);
	if (r < 0)
		return kernel_fail(reterr_text, r, "Failed to put a profile in place");
	r = kernel_bind_running(k, image, &stats, reterr_text);
	if (r < 0)
		return r;
	r = publish_retire(k, image, &stats);
	if (r < 0)
		return kernel_fail(reterr_text, r, "Failed to retire a profile");
	r = publish_generation(k, &stats.generation);
	if (r < 0)
		return kernel_fail(reterr_text, r, "Failed to move the generation");
	r = kernel_guard_round(k);
	if (r < 0)
		return kernel_fail(reterr_text, r, "Failed to guard the profiles");
	kernel_objects_renew(k, identities, n_identities);
	*ret = stats;
	return 0;
}

int kernel_identities_grow(struct kernel *k, const struct image *image,
			   const struct kernel_identity *identities, size_t n_identities,
			   size_t *no_room, char **reterr_text)
{
	struct kernel_publish stats = {};
	struct staged *staged = NULL;
	size_t n = 0;
	int r;

	*reterr_text = NULL;
	r = stage(k, image, profile_crowded, identities, n_identities, &staged, &n);
	for (size_t i = 0; r >= 0 && i < n; i++)
		r = kernel_identities_fill(k, staged[i].fd, staged[i].profile->id, identities,
					   n_identities, no_room);
	if (r >= 0)
		r = publish_staged(k, image, staged, n, NULL, &stats, reterr_text);
	if (r >= 0)
		r = kernel_guard_round(k);
	staged_free(staged, n);
	return r < 0 ? kernel_fail(reterr_text, r, "Failed to make room for what the rules name") : 0;
}

int kernel_seed_names(struct kernel *k, struct image_names *names)
{
	uint32_t key, *prev = NULL;
	struct ht_glob glob;
	struct ht_name name;

	if (k->unpublished)
		return 0;
	while (bpf_map_get_next_key(k->map_fds[MAP_NAMES], prev, &key) == 0) {
		if (bpf_map_lookup_elem(k->map_fds[MAP_NAMES], &key, &name) == 0) {
			int r;

			name.text[HT_POLICY_NAME_MAX] = '\0';
			r = image_names_seed_profile(names, name.text, key);
			if (r < 0)
				return r;
		}
		prev = &key;
	}
	prev = NULL;
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
