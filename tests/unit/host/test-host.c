/* SPDX-License-Identifier: Apache-2.0 */

/* Each check on a fixture tree that is good but for one file. */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/btf.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/host.h"
#include "tests/unit/runner.h"
#include "util/cleanup.h"
#include "util/fd.h"

#define STATUS(uid, caps) "Name:\tx\nUid:\t" uid "\t" uid "\t" uid "\t" uid "\nCapEff:\t" caps "\n"
/* A header of 24 bytes, 8 of types, then the strings: put() fills in how many bytes these are. */
#define BTF_STRINGS 32U
#define BTF(strings)                                                                              \
	"\x9f\xeb\x01\0\x18\0\0\0\0\0\0\0\x08\0\0\0\x08\0\0\0\0\0\0\0 types \0" strings "\0"
#define MOUNT_CGROUP2                                                                              \
	"30 24 0:26 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
#define MOUNT_BPF "31 24 0:27 / /sys/fs/bpf rw,nosuid,nodev shared:10 - bpf bpf rw,mode=700\n"
#define MOUNT_SECURITY "32 24 0:8 / /sys/kernel/security rw shared:8 - securityfs securityfs rw\n"

#define HOOK_NAMES(userns) \
	"bpf_lsm_file_open\0bpf_lsm_" userns "\0bpf_lsm_perf_event_open\0bpf_lsm_kernel_module_request\0" \
	"bpf_lsm_uring_sqpoll\0bpf_lsm_uring_override_creds\0bpf_lsm_uring_cmd"
#define GOOD_NAMES "BPF_FUNC_loop\0__bpf_prog_enter_recur\0" HOOK_NAMES("userns_create")

static char root[64];

static void put(const char *path, const void *data, size_t len)
{
	char full[512];
	char *slash;
	int fd;

	(void)snprintf(full, sizeof(full), "%s%s", root, path);
	slash = strrchr(full, '/');
	*slash = '\0';
	ck_assert_int_eq(mkdir_parents(full, 0755), 0);
	*slash = '/';
	fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, data, len), (ssize_t)len);
	if (len > BTF_STRINGS && memcmp(data, BTF(""), 4) == 0) {
		uint32_t size = (uint32_t)(len - BTF_STRINGS);

		ck_assert_int_eq(pwrite(fd, &size, sizeof(size), offsetof(struct btf_header, str_len)),
				 sizeof(size));
	}
	ck_assert_int_eq(close(fd), 0);
}

#define PUT(path, text) put(path, text, sizeof(text) - 1)

static void setup(void)
{
	(void)strcpy(root, "/tmp/haetae-host-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(root));
	PUT("/proc/self/status", STATUS("0", "000001ffffffffff"));
	PUT("/proc/self/uid_map", "         0          0 4294967295\n");
	PUT("/proc/self/mountinfo", MOUNT_CGROUP2 MOUNT_BPF MOUNT_SECURITY);
	PUT("/proc/sys/kernel/osrelease", "6.1.0-49-amd64\n");
	PUT("/sys/kernel/btf/vmlinux", BTF(GOOD_NAMES));
	PUT("/sys/kernel/security/lsm", "lockdown,capability,landlock,yama,apparmor,bpf");
}

static void teardown(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", root);
	ck_assert_int_eq(system(command), 0);
}

#define TEXT(s) s, sizeof(s) - 1

static const struct {
	const char *path; /* what differs from the good tree; NULL: nothing */
	const char *text; /* NULL: the file is missing */
	size_t len;
	const char *id;
	enum host_state state;
	const char *finding; /* part of it */
	const char *fix;     /* part of it; NULL: none */
} cases[] = {
	{NULL, TEXT(""), "privilege", HOST_OK, "root with the capabilities", NULL},
	{NULL, TEXT(""), "kernel", HOST_OK, "Linux 6.1.0-49-amd64, which has bpf_loop()", NULL},
	{NULL, TEXT(""), "btf", HOST_OK, "/sys/kernel/btf/vmlinux", NULL},
	{NULL, TEXT(""), "bpf-lsm", HOST_OK, "built in", NULL},
	{NULL, TEXT(""), "lsm", HOST_OK, "lockdown,capability,landlock,yama,apparmor,bpf", NULL},
	{NULL, TEXT(""), "cgroup2", HOST_OK, "mounted at /sys/fs/cgroup", NULL},
	{NULL, TEXT(""), "bpffs", HOST_OK, "mounted at /sys/fs/bpf", NULL},
	{NULL, TEXT(""), "hooks", HOST_OK, "every hook is there", NULL},
	{NULL, TEXT(""), "recursion", HOST_OK, "no program is passed over", NULL},

	{"/sys/kernel/btf/vmlinux", TEXT(BTF(HOOK_NAMES("userns"))), "hooks", HOST_WARN,
	 "no hook 'userns_create', which the line 'namespaces' of 'kernel:' needs", "'allow'"},
	{"/sys/kernel/btf/vmlinux", TEXT(BTF("bpf_lsm_file_open\0bpf_lsm_userns_create\0"
					     "bpf_lsm_perf_event_open\0bpf_lsm_kernel_module_request")),
	 "hooks", HOST_WARN,
	 "no hook 'uring_sqpoll', which the line 'io_uring_sqpoll' of 'kernel:' needs; none "
	 "'uring_override_creds'", "'allow'"},
	{"/sys/kernel/btf/vmlinux", TEXT(BTF("BPF_FUNC_loop")), "hooks", HOST_WARN, "not known", NULL},
	{"/sys/kernel/btf/vmlinux", TEXT(BTF("__bpf_prog_enter")), "recursion", HOST_WARN,
	 "may pass over", "6.2"},
	{"/sys/kernel/btf/vmlinux", NULL, 0, "recursion", HOST_WARN, "not known", "6.2"},

	{"/proc/self/status", TEXT(STATUS("1000", "0000000000000000")), "privilege", HOST_FAIL,
	 "running as uid 1000", "run as root"},
	{"/proc/self/status", TEXT(STATUS("0", "00000000a80425fb")), "privilege", HOST_FAIL,
	 "root without CAP_SYS_ADMIN", "CAP_BPF"},
	{"/proc/self/status", TEXT(STATUS("0", "000000c000000000")), "privilege", HOST_OK, "root",
	 NULL},
	{"/proc/self/status", TEXT(STATUS("0", "0000008000000000")), "privilege", HOST_FAIL,
	 "root without", "CAP_BPF"},
	{"/proc/self/status", TEXT(STATUS("0", "0000000000200000")), "privilege", HOST_OK, "root",
	 NULL},
	{"/proc/self/status", NULL, 0, "privilege", HOST_WARN, "not known", "mount -t proc"},
	{"/proc/self/status", TEXT("Name:\tx\n"), "privilege", HOST_WARN, "not known",
	 "mount -t proc"},
	{"/proc/self/uid_map", TEXT("0 100000 65536\n"), "privilege", HOST_FAIL, "user namespace",
	 "outside of containers"},
	{"/proc/self/uid_map", NULL, 0, "privilege", HOST_OK, "root", NULL},

	{"/sys/kernel/btf/vmlinux", TEXT(BTF("bpf_lsm_file_open")), "kernel", HOST_FAIL,
	 "no bpf_loop()", "5.17"},
	{"/sys/kernel/btf/vmlinux", TEXT(BTF("xBPF_FUNC_loop\0bpf_lsm_file_open")), "kernel",
	 HOST_FAIL, "no bpf_loop()", "5.17"},
	{"/sys/kernel/btf/vmlinux", TEXT(BTF("BPF_FUNC_loops\0bpf_lsm_file_open")), "kernel",
	 HOST_FAIL, "no bpf_loop()", "5.17"},
	{"/sys/kernel/btf/vmlinux", NULL, 0, "kernel", HOST_OK, "not before 5.17", NULL},
	{"/proc/sys/kernel/osrelease", NULL, 0, "kernel", HOST_WARN, "cannot be read",
	 "mount -t proc"},
	{"/proc/sys/kernel/osrelease", TEXT("strange\n"), "kernel", HOST_WARN, "cannot be read",
	 "mount -t proc"},
	{"/proc/sys/kernel/osrelease", TEXT("6.1\033[31m\n"), "kernel", HOST_OK, "6.1\\x1b[31m",
	 NULL},

	{"/sys/kernel/btf/vmlinux", NULL, 0, "btf", HOST_FAIL, "does not describe",
	 "CONFIG_DEBUG_INFO_BTF"},
	{"/sys/kernel/btf/vmlinux", TEXT("ELF or so"), "btf", HOST_FAIL, "not in the BTF format",
	 "CONFIG_DEBUG_INFO_BTF"},
	{"/sys/kernel/btf/vmlinux", TEXT(""), "btf", HOST_FAIL, "not in the BTF format",
	 "CONFIG_DEBUG_INFO_BTF"},

	{"/sys/kernel/btf/vmlinux", TEXT(BTF("BPF_FUNC_loop")), "bpf-lsm", HOST_FAIL,
	 "without the BPF LSM", "CONFIG_BPF_LSM"},
	{"/sys/kernel/btf/vmlinux", NULL, 0, "bpf-lsm", HOST_WARN, "not known", NULL},

	{"/sys/kernel/security/lsm", TEXT("lockdown,capability,yama,apparmor"), "lsm", HOST_FAIL,
	 "not among the active LSMs: 'lockdown,capability,yama,apparmor'",
	 "lsm=lockdown,capability,yama,apparmor,bpf "},
	{"/sys/kernel/security/lsm", TEXT("lockdown,bpfx,xbpf\n"), "lsm", HOST_FAIL, "not among",
	 "lsm=lockdown,bpfx,xbpf,bpf "},
	{"/sys/kernel/security/lsm", TEXT(""), "lsm", HOST_FAIL, "not among", "lsm=bpf "},
	{"/sys/kernel/security/lsm", TEXT("capability"), "lsm", HOST_FAIL, "not among",
	 "update-grub"},
	{"/sys/kernel/security/lsm", TEXT("bpf"), "lsm", HOST_OK, "bpf", NULL},
	{"/sys/kernel/security/lsm", NULL, 0, "lsm", HOST_WARN, "cannot be read", NULL},

	{"/proc/self/mountinfo", TEXT(MOUNT_BPF MOUNT_SECURITY), "cgroup2", HOST_FAIL,
	 "no cgroup v2", "mount -t cgroup2"},
	{"/proc/self/mountinfo",
	 TEXT("30 24 0:26 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"
	      "33 30 0:28 / /sys/fs/cgroup/unified rw shared:11 - cgroup2 cgroup2 rw\n"),
	 "cgroup2", HOST_WARN, "/sys/fs/cgroup/unified beside version 1",
	 "systemd.unified_cgroup_hierarchy=1"},
	{"/proc/self/mountinfo", TEXT("30 24 0:26 / /sys/a\\040b\\011 rw - cgroup2 none rw\n"),
	 "cgroup2", HOST_WARN, "/sys/a b\\x09 beside", "unified_cgroup_hierarchy"},
	/* mounted over: not to be seen any more */
	{"/proc/self/mountinfo",
	 TEXT(MOUNT_CGROUP2 "34 30 0:40 / /sys/fs/cgroup rw - tmpfs tmpfs rw\n"), "cgroup2",
	 HOST_FAIL, "no cgroup v2", "mount -t cgroup2"},
	{"/proc/self/mountinfo", NULL, 0, "cgroup2", HOST_FAIL, "mountinfo cannot be read",
	 "mount -t proc"},

	{"/proc/self/mountinfo", TEXT(MOUNT_CGROUP2), "bpffs", HOST_FAIL, "no BPF filesystem",
	 "mount -t bpf bpf /sys/fs/bpf"},
	{"/proc/self/mountinfo", TEXT("31 24 0:27 / /sys/fs/bpf rw - tmpfs bpf rw\n"), "bpffs",
	 HOST_FAIL, "no BPF filesystem", "mount -t bpf"},
	{"/proc/self/mountinfo", TEXT("31 24 0:27 / /sys/fs/bpf ro,nosuid - bpf bpf rw\n"), "bpffs",
	 HOST_FAIL, "read-only", "remount,rw"},
	{"/proc/self/mountinfo", TEXT("garbage\n\n31 24\n"), "bpffs", HOST_FAIL,
	 "no BPF filesystem", "mount -t bpf"},
};

static const struct host_check *check_find(const struct host_check *checks, size_t n,
					   const char *id)
{
	for (size_t i = 0; i < n; i++) {
		if (strcmp(checks[i].id, id) == 0)
			return &checks[i];
	}
	return NULL;
}

START_TEST(test_checks)
{
	struct host_check *checks = NULL;
	const struct host_check *check;
	char full[256];
	size_t n = 0;

	if (cases[_i].path && cases[_i].text) {
		put(cases[_i].path, cases[_i].text, cases[_i].len);
	} else if (cases[_i].path) {
		(void)snprintf(full, sizeof(full), "%s%s", root, cases[_i].path);
		ck_assert_int_eq(unlink(full), 0);
	}
	ck_assert_int_eq(host_check_all(root, &checks, &n), 0);
	ck_assert_uint_eq(n, 9);
	check = check_find(checks, n, cases[_i].id);
	ck_assert_ptr_nonnull(check);
	ck_assert_msg(check->state == cases[_i].state, "%d %s: %s: %s", _i, check->id,
		      host_state_to_string(check->state), check->finding);
	ck_assert_msg(strstr(check->finding, cases[_i].finding), "%d %s: %s", _i, check->id,
		      check->finding);
	if (cases[_i].fix)
		ck_assert_msg(check->fix && strstr(check->fix, cases[_i].fix), "%d %s: fix %s", _i,
			      check->id, check->fix);
	else
		ck_assert_ptr_null(check->fix);
	ck_assert_int_ge(host_checks_state(checks, n), cases[_i].state);
	ck_assert_ptr_null(host_checks_free(checks, n));
}
END_TEST

/* An old version without types is a hint, never a verdict. */
START_TEST(test_version_is_a_hint)
{
	static const struct {
		const char *release;
		enum host_state state;
	} releases[] = {{"5.10.0-30-amd64\n", HOST_WARN},
			{"5.16.99\n", HOST_WARN},
			{"5.17.0\n", HOST_OK},
			{"4.19.0\n", HOST_WARN},
			{"10.0\n", HOST_OK}};
	struct host_check *checks = NULL;
	char full[256];
	size_t n = 0;

	(void)snprintf(full, sizeof(full), "%s/sys/kernel/btf/vmlinux", root);
	ck_assert_int_eq(unlink(full), 0);
	for (size_t i = 0; i < ARRAY_LEN(releases); i++) {
		put("/proc/sys/kernel/osrelease", releases[i].release, strlen(releases[i].release));
		ck_assert_int_eq(host_check_all(root, &checks, &n), 0);
		ck_assert_int_eq(check_find(checks, n, "kernel")->state, releases[i].state);
		checks = host_checks_free(checks, n);
	}
}
END_TEST

/* A name that lies across the border of two reads is found, wherever the border is. */
START_TEST(test_btf_across_windows)
{
	static const char name[] = "\0BPF_FUNC_loop\0bpf_lsm_file_open";
	size_t size = 300000;
	_cleanup_free_ char *data = malloc(size);

	ck_assert_ptr_nonnull(data);
	for (size_t at = 65536 - 40; at <= 65536 + 4; at++) {
		struct host_check *checks = NULL;
		size_t n = 0;

		for (size_t i = 0; i < size; i++)
			data[i] = i % 16 ? 'x' : '\0';
		memcpy(data, BTF(""), BTF_STRINGS);
		memcpy(data + BTF_STRINGS + at, name, sizeof(name));
		put("/sys/kernel/btf/vmlinux", data, size);
		ck_assert_int_eq(host_check_all(root, &checks, &n), 0);
		ck_assert_msg(check_find(checks, n, "kernel")->state == HOST_OK, "at %zu", at);
		ck_assert_msg(check_find(checks, n, "bpf-lsm")->state == HOST_OK, "at %zu", at);
		checks = host_checks_free(checks, n);
	}
}
END_TEST

/* Less than its header says, or something that is no name. */
START_TEST(test_btf_damaged)
{
	static const struct {
		size_t size, says;
	} damaged[] = {{100, 1000}, {200000, 200000}};

	for (size_t i = 0; i < ARRAY_LEN(damaged); i++) {
		uint32_t says = (uint32_t)damaged[i].says;
		_cleanup_free_ char *data = malloc(damaged[i].size);
		struct host_check *checks = NULL;
		char path[128];
		size_t n = 0;
		int fd;

		ck_assert_ptr_nonnull(data);
		memset(data, 'x', damaged[i].size);
		memcpy(data, BTF(""), BTF_STRINGS);
		put("/sys/kernel/btf/vmlinux", data, damaged[i].size);
		(void)snprintf(path, sizeof(path), "%s/sys/kernel/btf/vmlinux", root);
		fd = open(path, O_WRONLY | O_CLOEXEC);
		ck_assert_int_eq(pwrite(fd, &says, sizeof(says), offsetof(struct btf_header, str_len)),
				 sizeof(says));
		(void)close(fd);
		ck_assert_int_eq(host_check_all(root, &checks, &n), 0);
		ck_assert_int_eq(check_find(checks, n, "btf")->state, HOST_FAIL);
		checks = host_checks_free(checks, n);
	}
}
END_TEST

START_TEST(test_cgroup2_find)
{
	_cleanup_free_ char *point = NULL;

	ck_assert_int_eq(host_cgroup2_find(root, &point), 0);
	ck_assert_str_eq(point, "/sys/fs/cgroup");
	free(steal_ptr(point));
	PUT("/proc/self/mountinfo", "33 30 0:28 / /somewhere\\040else rw - cgroup2 cgroup2 rw\n");
	ck_assert_int_eq(host_cgroup2_find(root, &point), 0);
	ck_assert_str_eq(point, "/somewhere else");
	free(steal_ptr(point));
	PUT("/proc/self/mountinfo", MOUNT_BPF);
	ck_assert_int_eq(host_cgroup2_find(root, &point), -ENOENT);
	ck_assert_ptr_null(point);
}
END_TEST

/* On the machine that runs this, whatever it is: every check comes to a finding. */
START_TEST(test_real_host)
{
	struct host_check *checks = NULL;
	size_t n = 0;

	ck_assert_int_eq(host_check_all("", &checks, &n), 0);
	ck_assert_uint_eq(n, 9);
	for (size_t i = 0; i < n; i++) {
		ck_assert_uint_gt(strlen(checks[i].finding), 10);
		if (checks[i].state == HOST_FAIL)
			ck_assert_ptr_nonnull(checks[i].fix);
	}
	checks = host_checks_free(checks, n);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("host");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, test_checks, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tc, test_version_is_a_hint);
	tcase_add_test(tc, test_btf_across_windows);
	tcase_add_test(tc, test_btf_damaged);
	tcase_add_test(tc, test_cgroup2_find);
	tcase_add_test(tc, test_real_host);
	return tcase_run(tc);
}
