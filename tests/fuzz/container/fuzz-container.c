/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Any bytes as a cgroup's path, as what /proc says of a process that may be conmon, as docker's
 * configuration and as a mountinfo: agent/container/container.c and resolve.c, agent/host/mounts.c.
 * Names of cgroups, command lines and mount points are chosen by containers.
 */

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "container/container.h"
#include "host/host.h"
#include "host/mounts.h"
#include "util/cleanup.h"
#include "util/fd.h"

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert(): it must hold whatever NDEBUG says. */
#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char root[] = "/tmp/haetae-fuzz-container-XXXXXX";
static char proc[sizeof(root) + sizeof("/proc")];

/* The files that hold the input, by what reads them. */
enum place {
	PLACE_MOUNTINFO,
	PLACE_CMDLINE,
	PLACE_CGROUP, /* of a process whose command line is conmon's */
	PLACE_DOCKER,
	PLACE_DAEMON,
	_PLACE_MAX,
};

static const char *const places[_PLACE_MAX] = {
	[PLACE_MOUNTINFO] = "/proc/self/mountinfo",
	[PLACE_CMDLINE] = "/proc/77/cmdline",
	[PLACE_CGROUP] = "/proc/78/cgroup",
	[PLACE_DOCKER] = "/var/lib/docker/containers/" HEX "/config.v2.json",
	[PLACE_DAEMON] = "/etc/docker/daemon.json",
};

static int place_fds[_PLACE_MAX];

static int place_open(const char *name)
{
	char path[256], *slash;
	int fd;

	(void)snprintf(path, sizeof(path), "%s%s", root, name);
	slash = strrchr(path, '/');
	*slash = '\0';
	MUST(mkdir_parents(path, 0700) == 0);
	*slash = '/';
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	MUST(fd >= 0);
	return fd;
}

static void place_put(const char *name, const void *data, size_t size)
{
	_cleanup_close_ int fd = place_open(name);

	MUST(write(fd, data, size) == (ssize_t)size);
}

/* ---- checks ---- */

static void check_container(const struct container *c)
{
	static const char *const runtimes[] = {"podman",     "docker", "containerd", "crio",
					       "kubernetes", "nspawn", "libvirt",    "lxc",
					       "systemd",    "unknown"};
	bool known = false;

	MUST(c->runtime && c->name && *c->name);
	for (size_t i = 0; i < ARRAY_LEN(runtimes); i++)
		known |= strcmp(c->runtime, runtimes[i]) == 0;
	MUST(known);
	MUST(!c->id || (*c->id && !strchr(c->id, '/')));
}

static void path_try(const char *path)
{
	_cleanup_free_ char *below = NULL;
	struct container c = {}, inner = {};

	MUST(container_from_cgroup(path, &c) == 0);
	check_container(&c);
	/* a container cannot pass for another one by what it makes below its cgroup */
	MUST(asprintf(&below, "%s/libpod-" HEX ".scope/container", path) >= 0);
	MUST(container_from_cgroup(below, &inner) == 0);
	check_container(&inner);
	if (container_is_container(&c)) {
		MUST(strcmp(c.runtime, inner.runtime) == 0 && strcmp(c.name, inner.name) == 0);
		MUST(c.id ? inner.id && strcmp(c.id, inner.id) == 0 : !inner.id);
	}
	container_deinit(&inner);
	container_deinit(&c);
}

static void resolve_try(const char *runtime, const char *id)
{
	struct container c = {
		.runtime = strdup(runtime), .id = strdup(id), .name = strdup("before")};
	int r;

	MUST(c.runtime && c.id && c.name);
	r = container_resolve_name(&c, proc, root);
	MUST(r == 0 || r == -ENOENT);
	check_container(&c);
	MUST(r == 0 || strcmp(c.name, "before") == 0);
	container_deinit(&c);
}

static void mounts_try(void)
{
	_cleanup_free_ char *point = NULL;
	struct mounts m = {};
	int r;

	MUST(mounts_read(root, &m) == 0);
	for (size_t i = 0; i < m.n; i++) {
		const struct mount *at = mounts_at(&m, m.items[i].point);
		const struct mount *typed = mounts_of_type(&m, m.items[i].type, m.items[i].point);

		MUST(at && at >= &m.items[i] && strcmp(at->point, m.items[i].point) == 0);
		MUST(!typed || strcmp(typed->type, m.items[i].type) == 0);
		MUST(at != &m.items[i] || typed == at);
	}
	r = host_cgroup2_find(root, &point);
	MUST(r == 0 || r == -ENOENT);
	MUST((r == 0) == (mounts_of_type(&m, "cgroup2", NULL) != NULL));
	mounts_deinit(&m);
}

/* ---- set-up ---- */

static void clean_up(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", root);
	if (system(command) != 0)
		perror(root);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	static const char conmon[] = "conmon\0-c\0" HEX "\0-n\0web";

	MUST(mkdtemp(root));
	(void)snprintf(proc, sizeof(proc), "%s/proc", root);
	for (size_t i = 0; i < _PLACE_MAX; i++)
		place_fds[i] = place_open(places[i]);
	place_put("/proc/78/cmdline", conmon, sizeof(conmon));
	place_put("/proc/77/cgroup", "0::/\n", 5);
	return atexit(clean_up);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_free_ char *text = malloc(size + 1);

	MUST(text);
	memcpy(text, data, size);
	text[size] = '\0';
	path_try(text);
	for (size_t i = 0; i < _PLACE_MAX; i++)
		MUST(pwrite(place_fds[i], data, size, 0) == (ssize_t)size &&
		     ftruncate(place_fds[i], (off_t)size) == 0);
	resolve_try("podman", HEX);
	resolve_try("docker", HEX);
	mounts_try();
	return 0;
}
