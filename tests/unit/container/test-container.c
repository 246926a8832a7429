/* SPDX-License-Identifier: Apache-2.0 */

/* The shapes of cgroup paths, one row for each that a runtime makes, and those that only look like
 * one. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "container/container.h"
#include "tests/unit/runner.h"
#include "util/cleanup.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define HEX2 "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define UPPER "0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef"
#define SHORT "0123456789ab"
#define POD "pod12345678-1234-1234-1234-123456789abc"

static const struct {
	const char *cgroup;
	const char *runtime;
	const char *id; /* NULL: none */
	const char *name;
} cases[] = {
	/* podman */
	{"/machine.slice/libpod-" HEX ".scope", "podman", HEX, SHORT},
	{"/machine.slice/libpod-" HEX ".scope/container", "podman", HEX, SHORT},
	{"/machine.slice/libpod-" HEX ".scope/container/init.scope", "podman", HEX, SHORT},
	{"/machine.slice/libpod-" HEX ".scope/container/system.slice/nginx.service", "podman", HEX,
	 SHORT},
	{"/machine.slice/machine-libpod_pod_" HEX2 ".slice/libpod-" HEX ".scope", "podman", HEX,
	 SHORT},
	{"/libpod_parent/libpod-" HEX, "podman", HEX, SHORT},
	{"/libpod_parent/" HEX2 "/libpod-" HEX, "podman", HEX, SHORT},
	{"/libpod_parent/" HEX2, "unknown", NULL, HEX2},
	{"/x/" HEX2 "/libpod-" HEX, "unknown", HEX2, "fedcba987654"},
	{"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" HEX ".scope/container",
	 "podman", HEX, SHORT},
	{"/system.slice/web.service/libpod-payload-" HEX, "podman", HEX, SHORT},
	{"/machine.slice/libpod-conmon-" HEX ".scope", "systemd", NULL,
	 "libpod-conmon-" HEX ".scope"},
	{"/machine.slice/libpod-" UPPER ".scope", "systemd", NULL, "libpod-" UPPER ".scope"},
	{"/machine.slice/libpod-" HEX "0.scope", "systemd", NULL, "libpod-" HEX "0.scope"},
	{"/machine.slice/libpod-0123456789a.scope", "systemd", NULL, "libpod-0123456789a.scope"},
	/* docker */
	{"/system.slice/docker-" HEX ".scope", "docker", HEX, SHORT},
	{"/system.slice/docker-" HEX ".scope/init", "docker", HEX, SHORT},
	{"/docker/" HEX, "docker", HEX, SHORT},
	{"/docker/" HEX "/sub", "docker", HEX, SHORT},
	{"/docker/" HEX "/docker/" HEX2, "docker", HEX, SHORT},
	{"/docker/buildkit", "unknown", NULL, "buildkit"},
	{"/system.slice/docker.service", "systemd", NULL, "docker.service"},
	/* containerd */
	{"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-" POD
	 ".slice/cri-containerd-" HEX ".scope",
	 "containerd", HEX, SHORT},
	{"/kubepods-besteffort-" POD ".slice:cri-containerd:" HEX, "containerd", HEX, SHORT},
	{"/system.slice:docker:" HEX, "docker", HEX, SHORT},
	{"/system.slice/nerdctl-" HEX ".scope", "containerd", HEX, SHORT},
	{"/default/web", "containerd", "web", "web"},
	{"/default/" HEX, "containerd", HEX, SHORT},
	{"/system.slice/default/web", "systemd", NULL, "system.slice"},
	/* crio */
	{"/kubepods.slice/kubepods-" POD ".slice/crio-" HEX ".scope/container", "crio", HEX, SHORT},
	{"/kubepods/" POD "/crio-" HEX, "crio", HEX, SHORT},
	{"/kubepods.slice/crio-conmon-" HEX ".scope", "systemd", NULL, "crio-conmon-" HEX ".scope"},
	/* kubernetes without a runtime in the name */
	{"/kubepods/besteffort/" POD "/" HEX, "kubernetes", HEX, SHORT},
	{"/" POD "/" HEX, "kubernetes", HEX, SHORT},
	/* machines */
	{"/machine.slice/systemd-nspawn@deb.service/payload", "nspawn", NULL, "deb"},
	{"/machine.slice/systemd-nspawn@my\\x2dbox.service/payload/init.scope", "nspawn", NULL,
	 "my-box"},
	{"/machine.slice/systemd-nspawn@deb.service", "systemd", NULL, "systemd-nspawn@deb.service"},
	{"/machine.slice/systemd-nspawn@deb.service/supervisor", "systemd", NULL, "systemd-nspawn@deb.service"},
	{"/machine.slice/systemd-nspawn@.service/payload", "systemd", NULL, "systemd-nspawn@.service"},
	{"/payload", "unknown", NULL, "payload"},
	{"/machine.slice/machine-my\\x2dbox.scope", "nspawn", NULL, "my-box"},
	{"/machine.slice/machine-qemu\\x2d1\\x2dvm.scope", "libvirt", NULL, "qemu-1-vm"},
	{"/machine.slice/machine-lxc\\x2d7\\x2dbox.scope/libvirt", "libvirt", NULL, "lxc-7-box"},
	{"/machine.slice/machine-.scope", "systemd", NULL, "machine-.scope"},
	{"/lxc.payload.web/init.scope", "lxc", NULL, "web"},
	{"/lxc/web", "lxc", NULL, "web"},
	{"/lxc.monitor.web", "unknown", NULL, "lxc.monitor.web"},
	/* systemd */
	{"/system.slice/nginx.service", "systemd", NULL, "nginx.service"},
	{"/system.slice/nginx.service/worker", "systemd", NULL, "nginx.service"},
	{"/system.slice/system-getty.slice/getty@tty1.service", "systemd", NULL,
	 "getty@tty1.service"},
	{"/system.slice/dev-disk-by\\x2duuid.swap", "systemd", NULL, "dev-disk-by-uuid.swap"},
	{"/system.slice/odd\\x00\\xzz\\x2.service", "systemd", NULL, "odd\\x00\\xzz\\x2.service"},
	{"/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service", "systemd", NULL,
	 "foo.service"},
	{"/user.slice/user-1000.slice/session-2.scope", "systemd", NULL, "session-2.scope"},
	{"/init.scope", "systemd", NULL, "init.scope"},
	{"/system.slice", "systemd", NULL, "system.slice"},
	{"/a.slice/a-b.slice", "systemd", NULL, "a-b.slice"},
	/* nothing known */
	{"/", "unknown", NULL, "/"},
	{"", "unknown", NULL, "/"},
	{"//", "unknown", NULL, "/"},
	{"/foo/bar", "unknown", NULL, "bar"},
	{"/foo//bar/", "unknown", NULL, "bar"},
	{"/.service", "unknown", NULL, ".service"},
	{"/ecs/task/" HEX, "unknown", HEX, SHORT},
	/* what a container makes below itself never changes who it is */
	{"/docker/" HEX "/libpod-" HEX2 ".scope", "docker", HEX, SHORT},
	{"/machine.slice/libpod-" HEX ".scope/container/docker-" HEX2 ".scope", "podman", HEX,
	 SHORT},
	{"/machine.slice/systemd-nspawn@deb.service/payload/machine.slice/libpod-" HEX ".scope",
	 "nspawn", NULL, "deb"},
};

START_TEST(test_from_cgroup)
{
	struct container c = {};

	ck_assert_int_eq(container_from_cgroup(cases[_i].cgroup, &c), 0);
	ck_assert_msg(strcmp(c.runtime, cases[_i].runtime) == 0, "%s: runtime %s", cases[_i].cgroup,
		      c.runtime);
	ck_assert_msg(strcmp(c.name, cases[_i].name) == 0, "%s: name %s", cases[_i].cgroup, c.name);
	ck_assert_pstr_eq(c.id, cases[_i].id);
	ck_assert_int_eq(container_is_container(&c),
			 cases[_i].id || (strcmp(c.runtime, "systemd") != 0 &&
					  strcmp(c.runtime, "unknown") != 0));
	container_deinit(&c);
	ck_assert_ptr_null(c.name);
}
END_TEST

/* How much of the path is the container's own cgroup. */
static const struct {
	const char *path;
	const char *id;
	const char *own; /* "": none */
} owned[] = {
	{"/machine.slice/libpod-" HEX ".scope/container", HEX, "/machine.slice/libpod-" HEX ".scope"},
	{"/machine.slice/libpod-" HEX ".scope", HEX, "/machine.slice/libpod-" HEX ".scope"},
	{"/libpod_parent/libpod-" HEX, HEX, "/libpod_parent/libpod-" HEX},
	{"/system.slice/docker-" HEX ".scope", HEX, "/system.slice/docker-" HEX ".scope"},
	{"/default/web", "web", "/default/web"},
	{"/a/web/b", "web", "/a/web"},
	{"/a.slice/run-web.scope", "web", "/a.slice/run-web.scope"},
	{"/a.slice:run:web", "web", "/a.slice:run:web"},
	/* somebody else's */
	{"/machine.slice/libpod-" HEX ".scope/container", "web", ""},
	{"/machine.slice/libpod-" HEX ".scope/web", "web", ""},
	{"/system.slice/x.service", "web", ""},
	{"/a/webs", "web", ""},
	{"/a/xweb", "web", ""},
	{"/a/-", "", ""},
	{"/", "web", ""},
	{"", "web", ""},
};

START_TEST(test_own_cgroup)
{
	size_t len = container_own_cgroup(owned[_i].path, owned[_i].id);

	ck_assert_uint_eq(len, strlen(owned[_i].own));
	ck_assert_int_eq(strncmp(owned[_i].path, owned[_i].own, len), 0);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("container");

	tcase_add_loop_test(tc, test_from_cgroup, 0, (int)ARRAY_LEN(cases));
	tcase_add_loop_test(tc, test_own_cgroup, 0, (int)ARRAY_LEN(owned));
	return tcase_run(tc);
}
