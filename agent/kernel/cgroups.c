/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which cgroups are governed: the kernel binds new ones by itself (cgroup_mkdir); here the ones that exist
 * when a policy arrives, and the tasks in them.
 */

#include "kernel/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <linux/mount.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/strbuf.h"

/* A private mount of the hierarchy, for a system where nobody has mounted it. */
static int cgroup_mount(void)
{
	_cleanup_close_ int fs = -EBADF;
	long fd;

	fs = (int)syscall(SYS_fsopen, "cgroup2", FSOPEN_CLOEXEC);
	if (fs < 0 || syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		return -errno;
	fd = syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
	return fd < 0 ? -errno : (int)fd;
}

int kernel_cgroups_open(struct kernel *k, char **reterr_text)
{
	static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };

	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		struct statfs fs;
		int fd = open(places[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		if (fd < 0)
			continue;
		if (fstatfs(fd, &fs) == 0 && fs.f_type == CGROUP2_SUPER_MAGIC) {
			k->cgroup_fd = fd;
			return 0;
		}
		(void)close(fd);
	}
	k->cgroup_fd = cgroup_mount();
	if (k->cgroup_fd < 0)
		return kernel_fail(reterr_text, k->cgroup_fd, "No cgroup v2 hierarchy can be reached");
	return 0;
}

/* ---- a walk over the hierarchy ---- */

typedef int (*cgroup_visit)(uint64_t id, const char *path, void *userdata);

struct cgroup_walk {
	cgroup_visit visit;
	void *userdata;
	struct strbuf path;
};

static int cgroup_walk_dir(struct cgroup_walk *w, int parent_fd, const char *name, unsigned depth);

static int cgroup_walk_children(struct cgroup_walk *w, DIR *dir, unsigned depth)
{
	struct dirent *de;
	size_t len = w->path.len;

	while ((de = readdir(dir))) {
		int r;

		if (de->d_type != DT_DIR || de->d_name[0] == '.')
			if (de->d_type != DT_DIR || strcmp(de->d_name, ".") == 0 ||
			    strcmp(de->d_name, "..") == 0)
				continue;
		strbuf_putc(&w->path, '/');
		strbuf_puts(&w->path, de->d_name);
		r = cgroup_walk_dir(w, dirfd(dir), de->d_name, depth + 1);
		w->path.len = len;
		if (w->path.data)
			w->path.data[len] = '\0';
		if (r != 0)
			return r;
	}
	return 0;
}

static int cgroup_walk_dir(struct cgroup_walk *w, int parent_fd, const char *name, unsigned depth)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct stat st;
	int fd, r;

	fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno; /* gone meanwhile */
	dir = fdopendir(fd);
	if (!dir) {
		(void)close(fd);
		return -ENOMEM;
	}
	if (fstat(dirfd(dir), &st) < 0)
		return -errno;
	/* the inode number of a cgroup directory is the cgroup id on 64-bit kernels */
	r = w->visit(st.st_ino, w->path.len > 0 ? strbuf_str(&w->path) : "/", w->userdata);
	if (r != 0 || depth > 512)
		return r;
	return cgroup_walk_children(w, dir, depth);
}

static int cgroup_walk(struct kernel *k, cgroup_visit visit, void *userdata)
{
	struct cgroup_walk w = { .visit = visit, .userdata = userdata };
	int r = cgroup_walk_dir(&w, k->cgroup_fd, ".", 0);

	if (r == 0)
		r = strbuf_error(&w.path);
	strbuf_deinit(&w.path);
	return r;
}

/* ---- binding ---- */

struct bind_walk {
	struct kernel *k;
	const struct image *image;
	struct kernel_publish *stats;
	uint64_t round;
	size_t changes;
};

/* ---- rounds: what is bound now and ran before, apart from what comes in later ---- */

/* The number of the round that begins. One that fails has it again. */
static int round_begin(struct kernel *k, uint64_t *ret)
{
	struct ht_settings s;
	int r = kernel_settings_read(k, &s);

	*ret = r < 0 ? 0 : s.rounds + 1;
	return r;
}

/* All that ran in the cgroups of this round is labelled. */
static int round_end(struct kernel *k, uint64_t round)
{
	struct ht_settings s;
	int r = kernel_settings_read(k, &s);

	if (r < 0)
		return r;
	s.rounds = round;
	return kernel_settings_write(k, &s);
}

static bool bound_has(const uint32_t *ids, uint32_t id)
{
	for (unsigned i = 0; i < HT_PROFILES_MAX; i++)
		if (ids[i] == id)
			return true;
	return false;
}

static int unbind_note(struct kernel *k, uint64_t cgroup, uint32_t profile)
{
	struct {
		uint64_t cgroup;
		uint32_t profile;
		uint32_t pad;
	} key = { cgroup, profile, 0 };
	uint32_t one = 1;

	return bpf_map_update_elem(k->map_fds[MAP_UNBINDS], &key, &one, BPF_ANY) < 0 ? -errno : 0;
}

static int bind_one(uint64_t id, const char *path, void *userdata)
{
	struct bind_walk *w = userdata;
	uint32_t ids[HT_PROFILES_MAX] = {};
	struct ht_cgroup value = {};
	bool was;
	int n, r;

	n = image_match_cgroup(w->image, kernel_key(w->k), path, ids);
	if (n < 0)
		return n;
	if (n > (int)HT_PROFILES_MAX)
		return -E2BIG;
	was = bpf_map_lookup_elem(w->k->map_fds[MAP_CGROUPS], &id, &value) == 0;
	if ((!was && n == 0) || (was && memcmp(value.profiles, ids, sizeof(ids)) == 0))
		return 0;
	for (unsigned i = 0; i < HT_PROFILES_MAX; i++) {
		if (ids[i] && !(was && bound_has(value.profiles, ids[i])))
			w->stats->cgroups_bound++;
		if (!was || !value.profiles[i] || bound_has(ids, value.profiles[i]))
			continue;
		r = unbind_note(w->k, id, value.profiles[i]);
		if (r < 0)
			return r;
		w->stats->cgroups_unbound++;
	}
	w->changes++;
	if (!was)
		value.round = w->round;
	memcpy(value.profiles, ids, sizeof(ids));
	if (n == 0)
		r = bpf_map_delete_elem(w->k->map_fds[MAP_CGROUPS], &id);
	else
		r = bpf_map_update_elem(w->k->map_fds[MAP_CGROUPS], &id, &value, BPF_ANY);
	return r < 0 ? -errno : 0;
}

static void unbinds_clear(struct kernel *k)
{
	struct {
		uint64_t cgroup;
		uint32_t profile;
		uint32_t pad;
	} key;

	while (bpf_map_get_next_key(k->map_fds[MAP_UNBINDS], NULL, &key) == 0)
		if (bpf_map_delete_elem(k->map_fds[MAP_UNBINDS], &key) < 0)
			return;
}

/* A scan can miss a cgroup that was matched by the old matcher and is not visible yet, so scan until a
 * scan finds nothing to do, and at least twice. */
#define BIND_SCANS_MAX 16U

static int cgroups_bind(struct kernel *k, const struct image *image, uint64_t round,
			struct kernel_publish *stats, char **reterr_text)
{
	struct bind_walk w = { .k = k, .image = image, .stats = stats, .round = round };

	unbinds_clear(k);
	for (unsigned i = 0; i < BIND_SCANS_MAX; i++) {
		int r;

		w.changes = 0;
		r = cgroup_walk(k, bind_one, &w);
		if (r < 0)
			return kernel_fail(reterr_text, r, "Failed to bind the running cgroups");
		if (w.changes == 0 && i > 0)
			return 0;
	}
	return kernel_fail(reterr_text, -EAGAIN, "The running cgroups keep changing");
}

/* ---- labels ---- */

static int label_pass(struct kernel *k, size_t *ret_changed, size_t *ret_failed)
{
	_cleanup_close_ int fd = bpf_iter_create(k->iterator_fd);
	char buf[4096];
	ssize_t n;

	if (fd < 0)
		return -errno;
	*ret_changed = 0;
	*ret_failed = 0;
	while ((n = read(fd, buf, sizeof(buf))) != 0) {
		if (n < 0) {
			if (errno == EINTR || errno == EAGAIN)
				continue;
			return -errno;
		}
		for (ssize_t i = 0; i < n; i++) {
			*ret_changed += buf[i] == 'C';
			*ret_failed += buf[i] == 'F';
		}
	}
	return 0;
}

#define LABEL_PASSES_MAX 64U

static int tasks_label(struct kernel *k, struct kernel_publish *stats, char **reterr_text)
{
	size_t changed, failed;

	for (unsigned i = 0; i < LABEL_PASSES_MAX; i++) {
		int r = label_pass(k, &changed, &failed);

		if (r < 0)
			return kernel_fail(reterr_text, r, "Failed to label the running tasks");
		if (failed > 0)
			return kernel_fail(reterr_text, -ENOSPC,
					   "%zu running tasks could not be labelled", failed);
		stats->tasks_labelled += changed;
		/* A child of a task that had no label yet is born without one; the next pass finds it. */
		if (changed == 0)
			return 0;
	}
	return kernel_fail(reterr_text, -EAGAIN, "Running tasks keep multiplying");
}

static int unbound_read(struct kernel *k, uint64_t *ret_missed, uint64_t *ret_made_up)
{
	uint32_t missed = HT_UNBOUND_MISSED, made_up = HT_UNBOUND_MADE_UP;

	if (bpf_map_lookup_elem(k->map_fds[MAP_UNBOUND], &missed, ret_missed) < 0 ||
	    bpf_map_lookup_elem(k->map_fds[MAP_UNBOUND], &made_up, ret_made_up) < 0)
		return -errno;
	return 0;
}

int kernel_bind_running(struct kernel *k, const struct image *image, struct kernel_publish *stats,
			char **reterr_text)
{
	uint32_t key = HT_UNBOUND_MADE_UP;
	uint64_t missed, made_up, round;
	int r;

	/* Read first: what the kernel misses from here on keeps the two numbers apart. */
	r = unbound_read(k, &missed, &made_up);
	if (r >= 0)
		r = round_begin(k, &round);
	if (r < 0)
		return kernel_fail(reterr_text, r, "Failed to read what could not be bound");
	r = cgroups_bind(k, image, round, stats, reterr_text);
	if (r >= 0)
		r = tasks_label(k, stats, reterr_text);
	if (r < 0)
		return r;
	r = round_end(k, round);
	if (r >= 0)
		r = kernel_epoch_move(k);
	if (r < 0)
		return kernel_fail(reterr_text, r, "Failed to move the epoch");
	if (bpf_map_update_elem(k->map_fds[MAP_UNBOUND], &key, &missed, BPF_ANY) < 0)
		return kernel_fail(reterr_text, -errno, "Failed to note what was bound");
	return 0;
}

int kernel_rebind(struct kernel *k, const struct image *image, char **reterr_text)
{
	struct kernel_publish stats = {};
	uint64_t missed, made_up;
	int r;

	*reterr_text = NULL;
	r = unbound_read(k, &missed, &made_up);
	if (r < 0)
		return kernel_fail(reterr_text, r, "Failed to read what could not be bound");
	return missed == made_up ? 0 : kernel_bind_running(k, image, &stats, reterr_text);
}

/* ---- one cgroup ---- */

int kernel_cgroup_id(struct kernel *k, const char *path, uint64_t *ret_id)
{
	_cleanup_close_ int fd = -EBADF;
	struct stat st;

	path += strspn(path, "/");
	fd = openat(k->cgroup_fd, *path ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	*ret_id = st.st_ino;
	return 0;
}

/* Return: number of profiles that are new in the value; -E2BIG. */
static int bound_add(struct ht_cgroup *value, const uint32_t *ids, int n)
{
	int added = 0;

	for (int i = 0; i < n; i++) {
		unsigned slot = 0;

		if (bound_has(value->profiles, ids[i]))
			continue;
		while (slot < HT_PROFILES_MAX && value->profiles[slot])
			slot++;
		if (slot == HT_PROFILES_MAX)
			return -E2BIG;
		value->profiles[slot] = ids[i];
		added++;
	}
	return added;
}

static int bind_more(struct kernel *k, const struct image *image, const char *path, uint64_t round)
{
	uint32_t ids[HT_PROFILES_MAX] = {};
	struct ht_cgroup value = {};
	uint64_t id;
	int n, r;

	r = kernel_cgroup_id(k, path, &id);
	if (r < 0)
		return r;
	n = image_match_cgroup(image, kernel_key(k), path, ids);
	if (n > (int)HT_PROFILES_MAX)
		return -E2BIG;
	if (n <= 0)
		return n;
	if (bpf_map_lookup_elem(k->map_fds[MAP_CGROUPS], &id, &value) < 0)
		value.round = round;
	r = bound_add(&value, ids, n);
	if (r > 0 && bpf_map_update_elem(k->map_fds[MAP_CGROUPS], &id, &value, BPF_ANY) < 0)
		return -errno;
	return r;
}

int kernel_bind_cgroup(struct kernel *k, const struct image *image, const char *path, bool running,
		       char **reterr_text)
{
	struct kernel_publish stats = {};
	uint64_t round = 0;
	int r = running ? round_begin(k, &round) : 0;

	*reterr_text = NULL;
	/* nothing runs in it yet, and what is there prepares it: as if it had been born under the policy */
	if (r >= 0)
		r = bind_more(k, image, path, round);
	if (r < 0)
		return kernel_fail(reterr_text, r, "Failed to bind the cgroup");
	if (r == 0 || !running)
		return 0;
	r = tasks_label(k, &stats, reterr_text);
	if (r >= 0 && (round_end(k, round) < 0 || kernel_epoch_move(k) < 0))
		r = kernel_fail(reterr_text, -EIO, "Failed to move the epoch");
	return r < 0 ? r : 0;
}

int kernel_cgroup_is_settled(struct kernel *k, uint64_t id)
{
	struct ht_cgroup value = {};
	struct ht_settings s;
	int r = kernel_settings_read(k, &s);

	if (r < 0)
		return r;
	if (bpf_map_lookup_elem(k->map_fds[MAP_CGROUPS], &id, &value) < 0)
		return errno == ENOENT ? 0 : -errno;
	return value.round <= s.rounds;
}

/* ---- looking up ---- */

struct match_walk {
	struct kernel *k;
	const struct image *image;
	int (*each)(uint64_t, const char *, const uint32_t *, void *);
	void *userdata;
};

static int match_one(uint64_t id, const char *path, void *userdata)
{
	struct match_walk *w = userdata;
	uint32_t ids[HT_PROFILES_MAX] = {};
	int n = image_match_cgroup(w->image, kernel_key(w->k), path, ids);

	return n <= 0 ? n : w->each(id, path, ids, w->userdata);
}

int kernel_cgroups_match(struct kernel *k, const struct image *image,
			 int (*each)(uint64_t id, const char *path,
				     const uint32_t ids[HT_PROFILES_MAX], void *userdata),
			 void *userdata)
{
	struct match_walk w = { .k = k, .image = image, .each = each, .userdata = userdata };

	return cgroup_walk(k, match_one, &w);
}

struct path_find {
	uint64_t id;
	char *path;
};

static int path_find_one(uint64_t id, const char *path, void *userdata)
{
	struct path_find *f = userdata;

	if (id != f->id)
		return 0;
	f->path = strdup(path);
	return 1;
}

char *kernel_cgroup_path(struct kernel *k, uint64_t id)
{
	struct path_find f = { .id = id };

	(void)cgroup_walk(k, path_find_one, &f);
	return f.path;
}

struct each_walk {
	struct kernel *k;
	int (*each)(uint64_t, const char *, const struct ht_cgroup *, void *);
	void *userdata;
};

static int each_one(uint64_t id, const char *path, void *userdata)
{
	struct each_walk *w = userdata;
	struct ht_cgroup value;

	if (bpf_map_lookup_elem(w->k->map_fds[MAP_CGROUPS], &id, &value) < 0)
		return 0;
	return w->each(id, path, &value, w->userdata);
}

int kernel_cgroups_each(struct kernel *k,
			int (*each)(uint64_t id, const char *path, const struct ht_cgroup *value,
				    void *userdata),
			void *userdata)
{
	struct each_walk w = { .k = k, .each = each, .userdata = userdata };

	return cgroup_walk(k, each_one, &w);
}

int kernel_cgroups_all(struct kernel *k, int (*each)(uint64_t id, const char *path, void *userdata),
		       void *userdata)
{
	return cgroup_walk(k, each, userdata);
}
