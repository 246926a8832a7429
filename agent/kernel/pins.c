/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What outlives the agent: maps, links, and programs that can be taken out of their hooks (demand.c), pinned as "map-NAME",
 * "link-NAME" and "program-NAME" in a directory of a bpffs that only root can enter. A pin that replaces another is made beside it ("new-...": a bpffs takes no dots)
 * and renamed over it, so there is no instant without one. The links of a load take their places together, after the
 * last program was attached: until then what was there before is whole, and decides along with the new ones.
 */

#include "kernel/internal.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "util/cleanup.h"

#define LINK_PREFIX "link-"
#define PROGRAM_PREFIX "program-"

static int pin_path(const struct kernel *k, const char *prefix, const char *kind, const char *name,
		    char *buf, size_t size)
{
	int n = snprintf(buf, size, "%s/%s%s-%s", k->pin_dir, prefix, kind, name);

	return n < 0 || (size_t)n >= size ? -ENAMETOOLONG : 0;
}

static int bpffs_check(const char *dir, char **reterr_text)
{
	_cleanup_free_ char *copy = strdup(dir);
	struct statfs fs;
	char *slash;

	if (!copy)
		return -ENOMEM;
	slash = strrchr(copy, '/');
	if (slash && slash != copy)
		*slash = '\0';
	if (statfs(copy, &fs) < 0)
		return kernel_fail(reterr_text, -errno, "Failed to look at '%s'", copy);
	if (fs.f_type == BPF_FS_MAGIC)
		return 0;
	/* systemd mounts it at boot; in a bare initramfs nobody does */
	if (mount("bpf", copy, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=700") < 0)
		return kernel_fail(reterr_text, -errno, "No BPF filesystem at '%s', mounting one", copy);
	return 0;
}

int kernel_pins_open(struct kernel *k, const char *pin_dir, char **reterr_text)
{
	int r = bpffs_check(pin_dir, reterr_text);

	if (r < 0)
		return r;
	k->pin_dir = strdup(pin_dir);
	if (!k->pin_dir)
		return -ENOMEM;
	if (mkdir(pin_dir, 0700) < 0 && errno != EEXIST)
		return kernel_fail(reterr_text, -errno, "Failed to make '%s'", pin_dir);
	k->pin_fd = open(pin_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (k->pin_fd < 0)
		return kernel_fail(reterr_text, -errno, "Failed to open '%s'", pin_dir);
	/* One agent drains the rings and publishes, whatever other directories a second one was given. */
	if (flock(k->pin_fd, LOCK_EX | LOCK_NB) < 0)
		return kernel_fail(reterr_text, -errno, "Another agent has '%s'", pin_dir);
	return 0;
}

static int pin_stage(struct kernel *k, int fd, const char *kind, const char *name, char **reterr_text)
{
	char path[PATH_MAX];
	int r = pin_path(k, "new-", kind, name, path, sizeof(path));

	if (r < 0)
		return r;
	(void)unlink(path);
	if (bpf_obj_pin(fd, path) < 0)
		return kernel_fail(reterr_text, -errno, "Failed to pin '%s'", path);
	return 0;
}

static int pin_commit(struct kernel *k, const char *kind, const char *name, char **reterr_text)
{
	char path[PATH_MAX], staged[PATH_MAX];
	int r = pin_path(k, "", kind, name, path, sizeof(path));

	if (r >= 0)
		r = pin_path(k, "new-", kind, name, staged, sizeof(staged));
	if (r < 0)
		return r;
	if (rename(staged, path) < 0)
		return kernel_fail(reterr_text, -errno, "Failed to name the pin '%s'", path);
	return 0;
}

int kernel_pin_map(struct kernel *k, int fd, const char *name, char **reterr_text)
{
	int r = pin_stage(k, fd, "map", name, reterr_text);

	return r < 0 ? r : pin_commit(k, "map", name, reterr_text);
}

int kernel_pin_maps(struct kernel *k, char **reterr_text)
{
	for (unsigned i = 0; i < _MAP_MAX; i++) {
		int r = kernel_pin_map(k, k->map_fds[i], kernel_map_names[i], reterr_text);

		if (r < 0)
			return r;
	}
	return 0;
}

int kernel_pin_link(struct kernel *k, int fd, const char *name, char **reterr_text)
{
	return pin_stage(k, fd, "link", name, reterr_text);
}

int kernel_pin_link_commit(struct kernel *k, const char *name, char **reterr_text)
{
	return pin_commit(k, "link", name, reterr_text);
}

int kernel_unpin_link(struct kernel *k, const char *name)
{
	char path[PATH_MAX];
	int r = pin_path(k, "", "link", name, path, sizeof(path));

	if (r < 0)
		return r;
	return unlink(path) < 0 && errno != ENOENT ? -errno : 0;
}

int kernel_pin_program(struct kernel *k, int fd, const char *name, char **reterr_text)
{
	return pin_stage(k, fd, "program", name, reterr_text);
}

int kernel_pins_commit(struct kernel *k, char **reterr_text)
{
	int r = pin_commit(k, "link", KERNEL_ITERATOR, reterr_text);

	for (size_t i = 0; i < k->n_programs && r >= 0; i++)
		r = pin_commit(k, "program", k->programs[i].name, reterr_text);
	for (size_t i = 0; i < k->n_links && r >= 0; i++)
		r = pin_commit(k, "link", k->links[i], reterr_text);
	return r;
}

static int pin_get(struct kernel *k, const char *kind, const char *name)
{
	char path[PATH_MAX];
	int fd, r;

	r = pin_path(k, "", kind, name, path, sizeof(path));
	if (r < 0)
		return r;
	fd = bpf_obj_get(path);
	return fd < 0 ? -errno : fd;
}

int kernel_pinned_map(struct kernel *k, const char *name)
{
	return pin_get(k, "map", name);
}

static int adopt_maps(struct kernel *k)
{
	for (unsigned i = 0; i < _MAP_MAX; i++) {
		int fd = kernel_pinned_map(k, kernel_map_names[i]);

		if (fd < 0)
			return fd;
		k->map_fds[i] = fd;
	}
	return 0;
}

static int adopt_link(struct kernel *k, const char *name)
{
	int fd = pin_get(k, "link", name);

	if (fd < 0)
		return fd;
	if (strcmp(name, KERNEL_ITERATOR) == 0) {
		k->iterator_fd = fd;
		return 0;
	}
	if (k->n_links >= KERNEL_LINKS_MAX) {
		(void)close(fd);
		return -E2BIG;
	}
	k->link_fds[k->n_links] = fd;
	k->links[k->n_links] = strdup(name);
	return k->links[k->n_links++] ? 0 : -ENOMEM;
}

static int adopt_program(struct kernel *k, const char *name)
{
	_cleanup_close_ int fd = pin_get(k, "program", name);

	return fd < 0 ? fd : kernel_demand_keep(k, name, fd);
}

/* Links and programs. */
static int adopt_links(struct kernel *k)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *de;
	int fd, r = 0;

	fd = fcntl(k->pin_fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		(void)close(fd);
		return -errno;
	}
	rewinddir(dir);
	while (r >= 0 && (de = readdir(dir))) {
		/* a load that was cut short: its links stand beside others, or in the midst of them */
		if (strncmp(de->d_name, "new-link-", strlen("new-link-")) == 0)
			return -ENOENT;
		if (strncmp(de->d_name, LINK_PREFIX, strlen(LINK_PREFIX)) == 0)
			r = adopt_link(k, de->d_name + strlen(LINK_PREFIX));
		else if (strncmp(de->d_name, PROGRAM_PREFIX, strlen(PROGRAM_PREFIX)) == 0)
			r = adopt_program(k, de->d_name + strlen(PROGRAM_PREFIX));
	}
	return r;
}

static void drop_adopted(struct kernel *k)
{
	for (unsigned i = 0; i < _MAP_MAX; i++) {
		if (k->map_fds[i] >= 0)
			(void)close(k->map_fds[i]);
		k->map_fds[i] = -EBADF;
	}
}

static void drop_links(struct kernel *k)
{
	for (size_t i = 0; i < k->n_links; i++) {
		(void)close(k->link_fds[i]);
		free(k->links[i]);
		k->links[i] = NULL;
	}
	k->n_links = 0;
	for (size_t i = 0; i < k->n_programs; i++) {
		(void)close(k->programs[i].fd);
		free(k->programs[i].name);
	}
	k->n_programs = 0;
	if (k->iterator_fd >= 0)
		(void)close(k->iterator_fd);
	k->iterator_fd = -EBADF;
}

int kernel_pins_adopt(struct kernel *k, char **reterr_text)
{
	struct ht_settings s = {};
	int r = adopt_maps(k);

	if (r < 0) {
		drop_adopted(k);
		/* an incomplete set of pins is a load that was cut short: begin anew */
		return r == -ENOENT ? -ENOENT :
				      kernel_fail(reterr_text, r, "Failed to open the pins in '%s'",
						  k->pin_dir);
	}
	r = kernel_settings_read(k, &s);
	if (r < 0)
		return kernel_fail(reterr_text, r, "Failed to read the pinned settings");
	if (s.abi != HT_ABI || s.ended || !kernel_maps_fit(k)) {
		drop_adopted(k);
		return -ENOENT;
	}
	k->lines_missing = s.lines_missing;
	k->key.k0 = s.key0;
	k->key.k1 = s.key1;
	k->load = s.load;
	if (s.build != kernel_build_digest())
		return 1;
	r = adopt_links(k);
	if (r < 0 && r != -ENOENT)
		return kernel_fail(reterr_text, r, "Failed to adopt the pinned links");
	if (r < 0 || k->iterator_fd < 0 || k->n_links != s.links ||
	    k->n_programs != s.programs) {
		drop_links(k);
		return 1;
	}
	return 0;
}

int kernel_pins_set_aside(struct kernel *k, const char *prefix, char **reterr_text)
{
	_cleanup_closedir_ DIR *dir = opendir(k->pin_dir);
	struct dirent *de;

	if (!dir)
		return kernel_fail(reterr_text, -errno, "Failed to open '%s'", k->pin_dir);
	while ((de = readdir(dir))) {
		char aside[sizeof("old-") + NAME_MAX];

		if (de->d_name[0] == '.' || strncmp(de->d_name, "old-", 4) == 0 ||
		    strncmp(de->d_name, prefix, strlen(prefix)) != 0)
			continue;
		(void)snprintf(aside, sizeof(aside), "old-%s", de->d_name);
		if (renameat2(dirfd(dir), de->d_name, dirfd(dir), aside, RENAME_NOREPLACE) == 0)
			continue;
		/* Set aside before, by a start that did not come to its end: that one was in force.
		 */
		if (errno != EEXIST || unlinkat(dirfd(dir), de->d_name, 0) < 0)
			return kernel_fail(reterr_text, -errno, "Failed to set '%s' aside",
					   de->d_name);
	}
	return 0;
}

/* Set aside, or of a program that is no more. */
static bool pin_is_old(const struct kernel *k, const char *pin)
{
	if (strncmp(pin, "old-", 4) == 0)
		return true;
	if (strncmp(pin, PROGRAM_PREFIX, strlen(PROGRAM_PREFIX)) == 0) {
		for (size_t i = 0; i < k->n_programs; i++)
			if (strcmp(pin + strlen(PROGRAM_PREFIX), k->programs[i].name) == 0)
				return false;
		return true;
	}
	if (strncmp(pin, LINK_PREFIX, strlen(LINK_PREFIX)) != 0 ||
	    strcmp(pin, LINK_PREFIX KERNEL_ITERATOR) == 0)
		return false;
	for (size_t i = 0; i < k->n_links; i++)
		if (strcmp(pin + strlen(LINK_PREFIX), k->links[i]) == 0)
			return false;
	return true;
}

int kernel_pins_prune(struct kernel *k)
{
	_cleanup_closedir_ DIR *dir = NULL;
	struct dirent *de;
	int r;

	dir = opendir(k->pin_dir);
	if (!dir)
		return -errno;
	r = kernel_end(k->pin_dir, "old-");
	if (r < 0)
		return r;
	while ((de = readdir(dir))) {
		if (!pin_is_old(k, de->d_name))
			continue;
		if (unlinkat(dirfd(dir), de->d_name, 0) < 0)
			return -errno;
	}
	return 0;
}
