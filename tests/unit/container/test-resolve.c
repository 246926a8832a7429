/* SPDX-License-Identifier: Apache-2.0 */

/* Names from conmon's command line and docker's files, and processes that pretend to be conmon. */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "container/container.h"
#include "place.h"
#include "tests/unit/runner.h"
#include "util/cleanup.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEX2 "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define OUTSIDE "0::/machine.slice/libpod-conmon-" HEX ".scope\n"

static int resolve(const char *runtime, const char *id, char **ret_name)
{
	struct container c = {
		.runtime = strdup(runtime), .id = id ? strdup(id) : NULL, .name = strdup("before")};
	char proc[128];
	int r;

	(void)snprintf(proc, sizeof(proc), "%s/proc", root);
	r = container_resolve_name(&c, proc, root);
	*ret_name = steal_ptr(c.name);
	container_deinit(&c);
	return r;
}

#define CMDLINE(s) s, sizeof(s)
#define OTHER_CGROUP "0::/machine.slice/libpod-" HEX2 ".scope/container\n"

/* One process each; the name it gives, NULL: none. */
static const struct {
	const char *runtime;
	const char *cmdline;
	size_t len; /* with the last NUL */
	const char *cgroup;
	const char *name;
} processes[] = {
	{"podman",
	 CMDLINE("/usr/bin/conmon\0--api-version\0"
		 "1\0-c\0" HEX "\0-u\0" HEX "\0-r\0/usr/bin/crun\0-n\0web\0--exit-dir\0/run"),
	 OUTSIDE, "web"},
	{"crio", CMDLINE("/usr/libexec/crio/conmon\0-b\0/run\0-c\0" HEX "\0-n\0k8s_web_pod_ns_1_0"),
	 OUTSIDE, "k8s_web_pod_ns_1_0"},
	{"podman", CMDLINE("conmon\0--cid=" HEX "\0--name=long one"), OUTSIDE, "long one"},
	{"podman", CMDLINE("conmon\0--cid\0" HEX "\0--name\0spaced"), "0::/\n", "spaced"},
	{"podman", CMDLINE("conmon\0-n\0first\0-c\0" HEX), "12:cpu:/x\n0::/init.scope\n", "first"},
	/* another container's */
	{"podman", CMDLINE("/usr/bin/conmon\0-c\0" HEX2 "\0-n\0web"), OUTSIDE, NULL},
	{"podman", CMDLINE("/usr/bin/conmon\0-c\0" HEX "0\0-n\0web"), OUTSIDE, NULL},
	/* not conmon */
	{"podman", CMDLINE("/usr/bin/conmonster\0-c\0" HEX "\0-n\0web"), OUTSIDE, NULL},
	{"podman", CMDLINE("sh\0conmon\0-c\0" HEX "\0-n\0web"), OUTSIDE, NULL},
	/* a container's process that says it is */
	{"podman", CMDLINE("/usr/bin/conmon\0-c\0" HEX "\0-n\0fake"), OTHER_CGROUP, NULL},
	{"podman", CMDLINE("/usr/bin/conmon\0-c\0" HEX "\0-n\0fake"), "0::/docker/" HEX2 "\n",
	 NULL},
	{"podman", CMDLINE("/usr/bin/conmon\0-c\0" HEX "\0-n\0fake"), "1:cpu:/\n", NULL},
	{"podman", CMDLINE("/usr/bin/conmon\0-c\0" HEX "\0-n\0fake"), NULL, NULL},
	/* incomplete */
	{"podman", CMDLINE("conmon\0-c\0" HEX), OUTSIDE, NULL},
	{"podman", CMDLINE("conmon\0-c\0" HEX "\0-n"), OUTSIDE, NULL},
	{"podman", CMDLINE("conmon\0-c\0" HEX "\0-n\0"), OUTSIDE, NULL},
	{"podman", "conmon\0-c\0" HEX "\0-n\0web", sizeof("conmon\0-c\0" HEX "\0-n\0web") - 1,
	 OUTSIDE, NULL},
	{"podman", "conmon", 6, OUTSIDE, NULL},
	{"podman", "", 0, OUTSIDE, NULL},
	{"docker", CMDLINE("conmon\0-c\0" HEX "\0-n\0web"), OUTSIDE, NULL},
};

START_TEST(test_conmon)
{
	_cleanup_free_ char *name = NULL;
	int r;

	put_bytes("/proc/self/cmdline", CMDLINE("conmon\0-c\0" HEX "\0-n\0self"));
	put_bytes("/proc/77/cmdline", processes[_i].cmdline, processes[_i].len);
	if (processes[_i].cgroup)
		put_bytes("/proc/77/cgroup", processes[_i].cgroup, strlen(processes[_i].cgroup));
	r = resolve(processes[_i].runtime, HEX, &name);
	ck_assert_msg(r == (processes[_i].name ? 0 : -ENOENT), "process %d: %d, %s", _i, r, name);
	ck_assert_str_eq(name, processes[_i].name ? processes[_i].name : "before");
}
END_TEST

/* The one among many; one with a long command line is read as far as it matters. */
START_TEST(test_conmon_among_others)
{
	_cleanup_free_ char *name = NULL;
	_cleanup_free_ char *line = calloc(1, 200000);
	const char head[] = "conmon\0-c\0" HEX "\0-n\0web\0--exit-command-arg";
	char path[64];

	ck_assert_ptr_nonnull(line);
	for (int pid = 1; pid < 50; pid++) {
		(void)snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
		put_bytes(path, CMDLINE("conmon\0-c\0" HEX2 "\0-n\0other"));
		(void)snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
		put_bytes(path, OUTSIDE, strlen(OUTSIDE));
	}
	memset(line, 'x', 199999);
	memcpy(line, head, sizeof(head));
	put_bytes("/proc/33/cmdline", line, 200000);
	ck_assert_int_eq(resolve("podman", HEX, &name), 0);
	ck_assert_str_eq(name, "web");
}
END_TEST

static const struct {
	const char *runtime;
	const char *id;
	const char *config; /* NULL: no file */
	const char *name;   /* NULL: none */
} dockers[] = {
	{"docker", HEX, "{\"ID\": \"x\", \"Name\": \"/web\"}", "web"},
	{"docker", HEX, "{\"Name\": \"plain\"}", "plain"},
	{"docker", HEX, "{\"Name\": \"/\"}", NULL},
	{"docker", HEX, "{\"Name\": \"\"}", NULL},
	{"docker", HEX, "{\"Name\": 7}", NULL},
	{"docker", HEX, "[]", NULL},
	{"docker", HEX, "{\"Name\": \"/web\"", NULL},
	{"docker", HEX, "", NULL},
	{"docker", HEX, NULL, NULL},
	{"docker", "../../../x", "{\"Name\": \"/web\"}", NULL},
	{"docker", NULL, "{\"Name\": \"/web\"}", NULL},
	{"containerd", HEX, "{\"Name\": \"/web\"}", NULL},
};

START_TEST(test_docker)
{
	_cleanup_free_ char *name = NULL;

	if (dockers[_i].config)
		put_bytes("/var/lib/docker/containers/" HEX "/config.v2.json", dockers[_i].config,
		    strlen(dockers[_i].config));
	ck_assert_int_eq(resolve(dockers[_i].runtime, dockers[_i].id, &name),
			 dockers[_i].name ? 0 : -ENOENT);
	ck_assert_str_eq(name, dockers[_i].name ? dockers[_i].name : "before");
}
END_TEST

START_TEST(test_docker_data_root)
{
	static const char daemon[] = "{\"data-root\": \"/srv/docker\"}";
	static const char config[] = "{\"Name\": \"/elsewhere\"}";
	_cleanup_free_ char *name = NULL;

	put_bytes("/etc/docker/daemon.json", daemon, sizeof(daemon) - 1);
	put_bytes("/srv/docker/containers/" HEX "/config.v2.json", config, sizeof(config) - 1);
	ck_assert_int_eq(resolve("docker", HEX, &name), 0);
	ck_assert_str_eq(name, "elsewhere");
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("resolve");

	tcase_add_checked_fixture(tc, place_make, place_remove);
	tcase_add_loop_test(tc, test_conmon, 0, (int)ARRAY_LEN(processes));
	tcase_add_test(tc, test_conmon_among_others);
	tcase_add_loop_test(tc, test_docker, 0, (int)ARRAY_LEN(dockers));
	tcase_add_test(tc, test_docker_data_root);
	return tcase_run(tc);
}
