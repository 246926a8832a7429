/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Can this host enforce? What must be there before any BPF program is loaded: haetaed refuses to
 * start where a check fails, and `agentctl doctor` tells the same with the way to mend it.
 *
 *   privilege   uid 0 with CAP_SYS_ADMIN, or CAP_BPF and CAP_PERFMON, in the initial user namespace
 *   kernel      the release, and bpf_loop() (5.17): read from the kernel's own types, by version
 * only as a hint where these are missing btf         the kernel's types at /sys/kernel/btf/vmlinux
 *   bpf-lsm     the BPF LSM is built into the kernel (from the types)
 *   lsm         "bpf" is among the active LSMs
 *   cgroup2     a cgroup v2 hierarchy is mounted
 *   bpffs       a BPF filesystem is mounted at /sys/fs/bpf
 *   hooks       the hooks that lines of `kernel:` need (from the types); a missing one is a warning
 *   recursion   no program is passed over while it was interrupted (from the types)
 *
 * Everything is read from files below root_dir, so tests bring their own tree; with root_dir "" the
 * kernel is also asked directly (lsm_list_modules) where its securityfs is not mounted.
 */

#include <stddef.h>

#define HOST_BPFFS "/sys/fs/bpf"

enum host_state {
	HOST_OK,
	HOST_WARN, /* cannot tell, or a limitation: enforcement may work */
	HOST_FAIL, /* enforcement cannot work */
	_HOST_STATE_MAX,
};

struct host_check {
	char *id; /* stable word, as listed above */
	enum host_state state;
	char *finding; /* one sentence: what is there */
	char *fix;     /* what to do; NULL: nothing */
};

/* Run every check, in the order above. Return: 0 with the list (host_checks_free() it); -ENOMEM. */
int host_check_all(const char *root_dir, struct host_check **ret, size_t *ret_n);
/* The same without the checks that search the kernel's types (kernel, btf, bpf-lsm), which take as long as
 * a good part of a start: for a program that finds out by loading. */
int host_check_start(const char *root_dir, struct host_check **ret, size_t *ret_n);
/* The worst state of a list. */
enum host_state host_checks_state(const struct host_check *checks, size_t n);
struct host_check *host_checks_free(struct host_check *checks,
				    size_t n);		 /* NULL is fine; returns NULL */
const char *host_state_to_string(enum host_state state); /* "ok", "warn", "fail" */

/* Where a cgroup v2 hierarchy is mounted, as /proc/self/mountinfo below root_dir has it:
 * /sys/fs/cgroup if that is one, else any (hybrid systems have it elsewhere). Return: 0 with the
 * mount point (malloc'd); -ENOENT none; -ENOMEM; errors of reading. */
int host_cgroup2_find(const char *root_dir, char **ret_mount_point);
