/* SPDX-License-Identifier: Apache-2.0 */

/* The processes of a cgroup and of those below it. */

#include "kernel/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/cleanup.h"

#define PROCESSES_DEPTH_MAX 64U

struct processes {
	int (*each)(int pid, void *userdata);
	void *userdata;
};

static int processes_here(const struct processes *p, int dir_fd)
{
	_cleanup_fclose_ FILE *file = NULL;
	char line[32];
	int fd, r;

	fd = openat(dir_fd, "cgroup.procs", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	file = fdopen(fd, "re");
	if (!file) {
		(void)close(fd);
		return -ENOMEM;
	}
	/* Reading fails in a threaded cgroup: its processes are those of the domain above. */
	while (fgets(line, sizeof(line), file)) {
		long pid = strtol(line, NULL, 10);

		if (pid <= 0 || pid > INT_MAX)
			continue;
		r = p->each((int)pid, p->userdata);
		if (r != 0)
			return r;
	}
	return 0;
}

static int processes_below(const struct processes *p, int parent_fd, const char *name,
			   unsigned depth)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *de;
	int fd, r;

	fd = openat(parent_fd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	dir = fdopendir(fd);
	if (!dir) {
		(void)close(fd);
		return -ENOMEM;
	}
	r = processes_here(p, dirfd(dir));
	while (r == 0 && depth < PROCESSES_DEPTH_MAX && (de = readdir(dir))) {
		if (de->d_type != DT_DIR || strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0)
			continue;
		r = processes_below(p, dirfd(dir), de->d_name, depth + 1);
	}
	return r == -ENODEV ? 0 : r; /* removed meanwhile */
}

int kernel_cgroup_processes(struct kernel *k, const char *path,
			    int (*each)(int pid, void *userdata), void *userdata)
{
	const struct processes p = { .each = each, .userdata = userdata };

	path += strspn(path, "/");
	return processes_below(&p, k->cgroup_fd, *path ? path : ".", 0);
}
