/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The name a person gave a container, from where its runtime keeps it.
 *
 * podman and crio start one conmon per container, before the container's cgroup exists, with the id
 * and the name on its command line. A command line is what a process says about itself, and
 * processes of containers are in /proc too: one that runs inside a container is never believed, or
 * a container could give itself another one's name in the records.
 */

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "container/container.h"
#include "util/cleanup.h"
#include "util/fd.h"

/* -c and -n come early on conmon's command line; what is behind them can be long. */
#define CMDLINE_MAX 16384U
#define CGROUP_FILE_MAX 65536U
#define DOCKER_CONFIG_MAX (8U << 20)

/* Read the head of a file. Return: number of bytes, negative errno. */
static ssize_t file_read_head(int dir_fd, const char *path, char *data, size_t size)
{
	_cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	size_t len = 0;

	if (fd < 0)
		return -errno;
	while (len < size) {
		ssize_t n = read(fd, data + len, size - len);

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (n == 0)
			break;
		len += (size_t)n;
	}
	return (ssize_t)len;
}

/* The value of an option in a NUL-separated list: "-c VALUE", "--cid VALUE" or "--cid=VALUE". Only
 * whole, terminated arguments count. */
static const char *cmdline_option(const char *cmdline, size_t len, const char *brief,
				  const char *word)
{
	const char *end = cmdline + len;
	size_t word_len = strlen(word);

	for (const char *p = cmdline; p < end;) {
		const char *next = memchr(p, '\0', (size_t)(end - p));

		if (!next)
			return NULL;
		next++;
		if (strncmp(p, word, word_len) == 0 && p[word_len] == '=')
			return p + word_len + 1;
		if (strcmp(p, brief) == 0 || strcmp(p, word) == 0)
			return next < end && memchr(next, '\0', (size_t)(end - next)) ? next : NULL;
		p = next;
	}
	return NULL;
}

static bool cmdline_is_conmon(const char *cmdline, size_t len)
{
	const char *end = memchr(cmdline, '\0', len);
	const char *slash;

	if (!end)
		return false;
	slash = strrchr(cmdline, '/');
	return strcmp(slash ? slash + 1 : cmdline, "conmon") == 0;
}

/* Does the process run outside of every container? Unknown counts as inside. */
static bool process_is_outside(int proc_fd, const char *pid)
{
	_cleanup_free_ char *text = NULL;
	struct container c = {};
	char path[64];
	size_t len;
	char *line, *rest;
	bool outside = false;

	(void)snprintf(path, sizeof(path), "%s/cgroup", pid);
	if (file_read_all(proc_fd, path, CGROUP_FILE_MAX, &text, &len) < 0)
		return false;
	rest = text;
	while ((line = strsep(&rest, "\n"))) {
		if (strncmp(line, "0::", 3) != 0)
			continue;
		if (container_from_cgroup(line + 3, &c) == 0)
			outside = !container_is_container(&c);
		container_deinit(&c);
		break;
	}
	return outside;
}

/* Return: 0 with the name, -ENOENT not this process, -ENOMEM. */
static int name_from_process(int proc_fd, const char *pid, const char *id, char **ret_name)
{
	char path[64], cmdline[CMDLINE_MAX];
	const char *cid, *name;
	ssize_t len;

	(void)snprintf(path, sizeof(path), "%s/cmdline", pid);
	len = file_read_head(proc_fd, path, cmdline, sizeof(cmdline));
	if (len <= 0 || !cmdline_is_conmon(cmdline, (size_t)len))
		return -ENOENT;
	cid = cmdline_option(cmdline, (size_t)len, "-c", "--cid");
	if (!cid || strcmp(cid, id) != 0)
		return -ENOENT;
	name = cmdline_option(cmdline, (size_t)len, "-n", "--name");
	if (!name || !*name || !process_is_outside(proc_fd, pid))
		return -ENOENT;
	*ret_name = strdup(name);
	return *ret_name ? 0 : -ENOMEM;
}

static int name_from_conmon(const char *proc_dir, const char *id, char **ret_name)
{
	_cleanup_closedir_ DIR *dir = opendir(proc_dir);
	struct dirent *entry;

	if (!dir)
		return -ENOENT;
	while ((entry = readdir(dir))) {
		int r;

		if (strspn(entry->d_name, "0123456789") != strlen(entry->d_name) ||
		    strlen(entry->d_name) > 20)
			continue;
		r = name_from_process(dirfd(dir), entry->d_name, id, ret_name);
		if (r != -ENOENT)
			return r;
	}
	return -ENOENT;
}

static json_t *json_read(const char *root_dir, const char *path)
{
	_cleanup_free_ char *full = NULL;
	_cleanup_free_ char *text = NULL;
	size_t len;

	if (asprintf(&full, "%s%s", root_dir, path) < 0) {
		full = NULL;
		return NULL;
	}
	if (file_read_all(AT_FDCWD, full, DOCKER_CONFIG_MAX, &text, &len) < 0)
		return NULL;
	return json_loadb(text, len, 0, NULL);
}

static int name_from_docker(const char *root_dir, const char *id, char **ret_name)
{
	json_auto_t *daemon = json_read(root_dir, "/etc/docker/daemon.json");
	json_auto_t *config = NULL;
	_cleanup_free_ char *path = NULL;
	const char *data_root, *name;

	data_root = json_string_value(json_object_get(daemon, "data-root"));
	if (!data_root)
		data_root = "/var/lib/docker";
	if (asprintf(&path, "%s/containers/%s/config.v2.json", data_root, id) < 0) {
		path = NULL;
		return -ENOMEM;
	}
	config = json_read(root_dir, path);
	name = json_string_value(json_object_get(config, "Name"));
	if (!name)
		return -ENOENT;
	name += strspn(name, "/");
	if (!*name)
		return -ENOENT;
	*ret_name = strdup(name);
	return *ret_name ? 0 : -ENOMEM;
}

/* Ids from a path are hexadecimal by construction (or one component, for ctr); anything else never
 * becomes part of a file name here. */
static bool id_is_hex(const char *id)
{
	return *id && strspn(id, "0123456789abcdef") == strlen(id);
}

int container_resolve_name(struct container *container, const char *proc_dir, const char *root_dir)
{
	char *name = NULL;
	int r = -ENOENT;

	if (!container->id || !id_is_hex(container->id))
		return -ENOENT;
	if (strcmp(container->runtime, "podman") == 0 || strcmp(container->runtime, "crio") == 0)
		r = name_from_conmon(proc_dir, container->id, &name);
	else if (strcmp(container->runtime, "docker") == 0)
		r = name_from_docker(root_dir, container->id, &name);
	if (r < 0)
		return r;
	free(container->name);
	container->name = name;
	return 0;
}
