/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What the programs need to know to guard Haetae itself: which process the agent is, which BPF objects and which
 * files are its own; and noticing when somebody with the host's power took pins away.
 *
 * A process is known by number and start, so a number that is used again is not taken for the agent while none runs.
 * BPF objects are known by id. Inner maps come and go with every publish: each is noted when it is made, and a round
 * after each publish forgets those that are no more. Until an agent's first publish those of a former one stay noted.
 */

#include "kernel/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/fd.h"
#include "util/process.h"

int kernel_guard_self(struct kernel *k, char **reterr_text)
{
	struct ht_settings s;
	unsigned long long start = 0;
	int r = kernel_settings_read(k, &s);

	if (r < 0)
		return kernel_fail(reterr_text, r, "Failed to read the settings");
	s.agent_pid = (uint32_t)getpid();
	r = process_start(getpid(), &start);
	s.agent_start = start;
	if (r < 0)
		return kernel_fail(reterr_text, r, "Failed to read when the agent was started");
	r = kernel_settings_write(k, &s);
	return r < 0 ? kernel_fail(reterr_text, r, "Failed to write the settings") : 0;
}

/* ---- BPF objects ---- */

static int guard_note(struct kernel *k, uint32_t kind, uint32_t id)
{
	struct ht_guard_id key = { .kind = kind, .id = id };

	if (bpf_map_update_elem(k->map_fds[MAP_GUARD_IDS], &key, &k->guard_round, BPF_ANY) < 0)
		return -errno;
	return 0;
}

int kernel_guard_map(struct kernel *k, int fd)
{
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return -errno;
	return guard_note(k, HT_GUARD_MAP, info.id);
}

int kernel_guard_program(struct kernel *k, int fd)
{
	struct bpf_prog_info info = {};
	uint32_t size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return -errno;
	return guard_note(k, HT_GUARD_PROGRAM, info.id);
}

int kernel_guard_link(struct kernel *k, int fd)
{
	struct bpf_link_info info = {};
	uint32_t size = sizeof(info);
	int r;

	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return -errno;
	r = guard_note(k, HT_GUARD_LINK, info.id);
	return r < 0 ? r : guard_note(k, HT_GUARD_PROGRAM, info.prog_id);
}

/* The inner maps that this agent made. (Not asked of the map of maps: on older kernels each look into it waits for all
 * running programs.) */
static int guard_profiles(struct kernel *k)
{
	int r = 0;

	for (size_t i = 0; i < k->n_profiles && r >= 0; i++)
		if (k->profiles[i].fd >= 0)
			r = kernel_guard_map(k, k->profiles[i].fd);
	return r;
}

static int guard_note_all(struct kernel *k)
{
	int r = 0;

	for (unsigned i = 0; i < _MAP_MAX && r >= 0; i++)
		r = kernel_guard_map(k, k->map_fds[i]);
	for (unsigned i = 0; i < KERNEL_AGGREGATE_TABLES && r >= 0; i++)
		r = kernel_guard_map(k, k->aggregate_fds[i]);
	for (size_t i = 0; i < k->n_links && r >= 0; i++)
		r = kernel_guard_link(k, k->link_fds[i]);
	if (r >= 0)
		r = kernel_guard_link(k, k->iterator_fd);
	for (size_t i = 0; i < k->n_programs && r >= 0; i++)
		r = kernel_guard_program(k, k->programs[i].fd);
	if (r >= 0 && k->identities_fd >= 0)
		r = kernel_guard_program(k, k->identities_fd);
	if (r >= 0)
		r = guard_profiles(k);
	return r;
}

/* Forget what this round did not find. */
static void guard_forget(struct kernel *k)
{
	struct ht_guard_id key, next;
	uint32_t round;
	bool more;

	if (bpf_map_get_next_key(k->map_fds[MAP_GUARD_IDS], NULL, &next) < 0)
		return;
	do {
		key = next;
		more = bpf_map_get_next_key(k->map_fds[MAP_GUARD_IDS], &key, &next) == 0;
		if (bpf_map_lookup_elem(k->map_fds[MAP_GUARD_IDS], &key, &round) == 0 &&
		    round != k->guard_round)
			(void)bpf_map_delete_elem(k->map_fds[MAP_GUARD_IDS], &key);
	} while (more);
}

int kernel_guard_begin(struct kernel *k)
{
	/* never that of a former agent by chance: what it left is gone after this agent's first round */
	k->guard_round = (uint32_t)getpid() << 8;
	return guard_note_all(k);
}

int kernel_guard_round(struct kernel *k)
{
	int r;

	k->guard_round++;
	r = guard_note_all(k);
	if (r >= 0)
		guard_forget(k);
	return r;
}

/* ---- files ---- */

static int guard_file_set(struct kernel *k, const struct ht_guard_file *file, uint32_t kinds)
{
	uint32_t before = 0;

	if (bpf_map_lookup_elem(k->map_fds[MAP_GUARD_FILES], file, &before) < 0 && errno != ENOENT)
		return -errno;
	kinds |= before;
	if (bpf_map_update_elem(k->map_fds[MAP_GUARD_FILES], file, &kinds, BPF_ANY) < 0)
		return -errno;
	return 0;
}

/* One open file. The answer to a question that was never asked is told by a mark that no file has. */
static int guard_fd(struct kernel *k, int fd, uint32_t kinds)
{
	struct ht_guard_file file = { .ino = UINT64_MAX, .dev = UINT32_MAX };
	struct statfs fs;
	uint32_t zero = 0;
	int r;

	if (bpf_map_update_elem(k->map_fds[MAP_GUARD_ANSWER], &zero, &file, BPF_ANY) < 0)
		return -errno;
	if (fstatfs(fd, &fs) < 0 ||
	    bpf_map_lookup_elem(k->map_fds[MAP_GUARD_ANSWER], &zero, &file) < 0)
		return -errno;
	if (file.dev == UINT32_MAX)
		return -ENODATA;
	r = guard_file_set(k, &file, kinds);
	if (r < 0)
		return r;
	return guard_file_set(k, &(struct ht_guard_file){ .dev = file.dev }, HT_GUARD_FILE);
}

static int guard_at(struct kernel *k, int dir_fd, const char *path, uint32_t kinds)
{
	_cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	return fd < 0 ? -errno : guard_fd(k, fd, kinds);
}

/* The directories above a path, but the topmost. */
static int guard_above(struct kernel *k, int dir_fd, const char *path, uint32_t kinds)
{
	_cleanup_free_ char *copy = strdup(path);
	char *slash;
	int r = 0;

	if (!copy)
		return -ENOMEM;
	while (r >= 0 && (slash = strrchr(copy, '/')) && slash != copy) {
		*slash = '\0';
		r = guard_at(k, dir_fd, copy, kinds);
	}
	return r;
}

static int guard_path(struct kernel *k, const char *path)
{
	_cleanup_free_ char *real = realpath(path, NULL);
	struct stat st;
	int r;

	if (!real)
		return errno == ENOENT ? 0 : -errno;
	if (stat(real, &st) < 0)
		return -errno;
	r = guard_at(k, AT_FDCWD, real, S_ISDIR(st.st_mode) ? HT_GUARD_TREE : HT_GUARD_FILE);
	return r < 0 ? r : guard_above(k, AT_FDCWD, real, HT_GUARD_WAY);
}

/* The agent's cgroup, which can be frozen or killed by its files, and those of the cgroups above. Not the root's:
 * it can do neither, and every manager of cgroups writes there. */
static int guard_cgroup(struct kernel *k)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	char *line;
	int r;

	r = file_read_all(AT_FDCWD, "/proc/self/cgroup", 65536, &text, &len);
	if (r < 0)
		return r;
	line = strncmp(text, "0::/", 4) == 0 ? text : strstr(text, "\n0::/");
	line = line ? strchr(line, '/') + 1 : NULL;
	if (!line)
		return 0;
	line[strcspn(line, "\n")] = '\0';
	if (line[0] == '\0' || strncmp(line, "..", 2) == 0)
		return 0;
	r = guard_at(k, k->cgroup_fd, line, HT_GUARD_TREE);
	return r < 0 ? r : guard_above(k, k->cgroup_fd, line, HT_GUARD_CONTROLS | HT_GUARD_WAY);
}

static void guard_files_clear(struct kernel *k)
{
	struct ht_guard_file key;

	while (bpf_map_get_next_key(k->map_fds[MAP_GUARD_FILES], NULL, &key) == 0)
		if (bpf_map_delete_elem(k->map_fds[MAP_GUARD_FILES], &key) < 0)
			return;
}

int kernel_guard_files(struct kernel *k, const char *const *paths, char **reterr_text)
{
	int r;

	*reterr_text = NULL;
	for (unsigned attempt = 0; attempt < 2; attempt++) {
		const char *what = "the agent's cgroup";

		r = guard_cgroup(k);
		for (size_t i = 0; r >= 0 && paths[i]; i++) {
			what = paths[i];
			r = guard_path(k, what);
		}
		if (r >= 0)
			r = kernel_epoch_move(k);
		if (r >= 0)
			return 0;
		if (r != -E2BIG || attempt > 0)
			return kernel_fail(reterr_text, r, "Failed to guard '%s'", what);
		/* Full of files that are no more, of hundreds of former agents. */
		guard_files_clear(k);
	}
	return r;
}

/* ---- tampering ---- */

static bool pin_is_there(struct kernel *k, const char *kind, const char *name)
{
	char path[NAME_MAX];
	struct stat st;

	(void)snprintf(path, sizeof(path), "%s-%s", kind, name);
	return fstatat(k->pin_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0;
}

/* A name that comes to a directory or leaves it moves the directory's change time, which nobody can set. The clock behind it ticks
 * some hundred times a second: a change that is so young, or of the future, may be followed by one of the same time. */
#define PINS_SETTLED_NS 100000000LL

/* Return: when the pins were changed last; zero: perhaps just now. */
static struct timespec pins_changed(struct kernel *k)
{
	struct timespec now = {};
	struct stat st;

	if (fstat(k->pin_fd, &st) < 0 || clock_gettime(CLOCK_REALTIME_COARSE, &now) < 0 ||
	    (now.tv_sec - st.st_ctim.tv_sec) * 1000000000LL + now.tv_nsec - st.st_ctim.tv_nsec < PINS_SETTLED_NS)
		return (struct timespec){};
	return st.st_ctim;
}

static bool time_is(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

/* Another filesystem can be mounted over them, theirs unmounted, or their directory renamed: who looks for them finds none. */
static bool pins_are_elsewhere(const struct kernel *k)
{
	struct stat ours, named;

	if (fstat(k->pin_fd, &ours) < 0)
		return false;
	if (stat(k->pin_dir, &named) < 0)
		return errno == ENOENT || errno == ENOTDIR;
	return named.st_dev != ours.st_dev || named.st_ino != ours.st_ino;
}

size_t kernel_pins_missing(struct kernel *k, const char **ret_first)
{
	static const struct timespec unknown;
	struct timespec changed = pins_changed(k);
	size_t n = 0;

	*ret_first = NULL;
	if (pins_are_elsewhere(k)) {
		k->pins_whole = unknown;
		*ret_first = kernel_map_names[0];
		return _MAP_MAX + k->n_links + k->n_programs;
	}
	if (!time_is(&changed, &unknown) && time_is(&changed, &k->pins_whole))
		return 0;
	for (unsigned i = 0; i < _MAP_MAX; i++)
		if (!pin_is_there(k, "map", kernel_map_names[i]) && n++ == 0)
			*ret_first = kernel_map_names[i];
	for (size_t i = 0; i < k->n_links; i++)
		if (!pin_is_there(k, "link", k->links[i]) && n++ == 0)
			*ret_first = k->links[i];
	for (size_t i = 0; i < k->n_programs; i++)
		if (!pin_is_there(k, "program", k->programs[i].name) && n++ == 0)
			*ret_first = k->programs[i].name;
	k->pins_whole = n == 0 ? changed : unknown;
	return n;
}
