/* SPDX-License-Identifier: Apache-2.0 */

/* Acts on the kernel itself: each call with arguments that do no harm where it is let through. An error that only
 * comes after the kernel has let the call through is a success. */

#include "try.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/mount.h>
#include <linux/perf_event.h>
#include <linux/reboot.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

/* Return: 0 where the call went through, or got as far as the error `past`; else errno. */
static int outcome(long r, int past)
{
	return r >= 0 || errno == past ? 0 : errno;
}

/* mount SOURCE DIR TYPE OPTIONS */
static int act_mount(char **args)
{
	return outcome(mount(args[0], args[1], args[2], 0, args[3]), 0);
}

/* remount DIR */
static int act_remount(char **args)
{
	return outcome(mount(NULL, args[0], NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), 0);
}

/* umount DIR */
static int act_umount(char **args)
{
	return outcome(umount2(args[0], 0), 0);
}

/* fsopen TYPE */
static int act_fsopen(char **args)
{
	return outcome(syscall(SYS_fsopen, args[0], FSOPEN_CLOEXEC), 0);
}

/* fspick DIR */
static int act_fspick(char **args)
{
	return outcome(syscall(SYS_fspick, AT_FDCWD, args[0], FSPICK_CLOEXEC), 0);
}

/* open-tree DIR: a detached copy of the mounts there */
static int act_open_tree(char **args)
{
	return outcome(syscall(SYS_open_tree, AT_FDCWD, args[0],
			       OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC),
		       0);
}

/* move-mount FROM TO */
static int act_move_mount(char **args)
{
	/* EINVAL: the mount above is shared */
	return outcome(syscall(SYS_move_mount, AT_FDCWD, args[0], AT_FDCWD, args[1], 0), EINVAL);
}

/* mount-setattr DIR */
static int act_mount_setattr(char **args)
{
	struct mount_attr attr = {.attr_set = MOUNT_ATTR_NOATIME, .attr_clr = MOUNT_ATTR__ATIME};

	return outcome(syscall(SYS_mount_setattr, AT_FDCWD, args[0], 0, &attr, sizeof(attr)), 0);
}

/* pivot NEW OLD: in a mount namespace of its own */
static int act_pivot(char **args)
{
	if (unshare(CLONE_NEWNS) < 0)
		return try_setup_failed("mount namespace");
	return outcome(syscall(SYS_pivot_root, args[0], args[1]), EINVAL);
}

/* unshare-user */
static int act_unshare_user(char **args)
{
	(void)args;
	return outcome(unshare(CLONE_NEWUSER), 0);
}

/* setns PATH */
static int act_setns(char **args)
{
	int fd = open(args[0], O_RDONLY | O_CLOEXEC);

	return fd < 0 ? try_setup_failed(args[0]) : outcome(setns(fd, 0), 0);
}

/* setns-pid PID: its network namespace, by a descriptor of the process */
static int act_setns_pid(char **args)
{
	int fd = (int)syscall(SYS_pidfd_open, atoi(args[0]), 0);

	return fd < 0 ? try_setup_failed("pidfd_open") : outcome(setns(fd, CLONE_NEWNET), 0);
}

/* make-device b|c MAJOR MINOR PATH */
static int act_make_device(char **args)
{
	mode_t type = args[0][0] == 'b' ? S_IFBLK : S_IFCHR;

	return outcome(mknod(args[3], type | 0600,
			     makedev((unsigned)atoi(args[1]), (unsigned)atoi(args[2]))),
		       0);
}

/* init-module: of no module */
static int act_init_module(char **args)
{
	static char image[64];

	(void)args;
	return outcome(syscall(SYS_init_module, image, sizeof(image), ""), ENOEXEC);
}

/* finit-module FILE: which is none */
static int act_finit_module(char **args)
{
	int fd = open(args[0], O_RDONLY | O_CLOEXEC);

	return fd < 0 ? try_setup_failed(args[0]) :
			outcome(syscall(SYS_finit_module, fd, "", 0), ENOEXEC);
}

/* delete-module: one that is not there */
static int act_delete_module(char **args)
{
	(void)args;
	return outcome(syscall(SYS_delete_module, "no_such_module", O_NONBLOCK), ENOENT);
}

/* socket FAMILY */
static int act_socket(char **args)
{
	return outcome(socket(atoi(args[0]), SOCK_SEQPACKET | SOCK_CLOEXEC, 0), 0);
}

/* kexec: forget the kernel that is not loaded */
static int act_kexec(char **args)
{
	(void)args;
	return outcome(syscall(SYS_kexec_load, 0, 0, NULL, 0), 0);
}

/* kexec-file: of no file */
static int act_kexec_file(char **args)
{
	(void)args;
	return outcome(syscall(SYS_kexec_file_load, -1, -1, 0UL, "", 0), EBADF);
}

/* reboot: only says what Ctrl-Alt-Del is to do */
static int act_reboot(char **args)
{
	(void)args;
	return outcome(syscall(SYS_reboot, LINUX_REBOOT_MAGIC1, LINUX_REBOOT_MAGIC2,
			       LINUX_REBOOT_CMD_CAD_OFF, NULL),
		       0);
}

/* bpf-map: makes one */
static int act_bpf_map(char **args)
{
	union bpf_attr attr = {};

	(void)args;
	attr.map_type = BPF_MAP_TYPE_ARRAY;
	attr.key_size = 4;
	attr.value_size = 4;
	attr.max_entries = 1;
	return outcome(syscall(SYS_bpf, BPF_MAP_CREATE, &attr, sizeof(attr)), 0);
}

/* bpf-ids map|program|link N: asks for a descriptor by each id below N; prints how many were given and how many refused */
static int act_bpf_ids(char **args)
{
	int command = args[0][0] == 'm' ? BPF_MAP_GET_FD_BY_ID :
		      args[0][0] == 'p' ? BPF_PROG_GET_FD_BY_ID : BPF_LINK_GET_FD_BY_ID;
	int end = atoi(args[1]), given = 0, refused = 0;

	for (int id = 1; id < end; id++) {
		union bpf_attr attr = {.map_id = (__u32)id};
		int fd = (int)syscall(SYS_bpf, command, &attr, sizeof(attr));

		if (fd >= 0) {
			given++;
			(void)close(fd);
		} else if (errno == EPERM) {
			refused++;
		}
	}
	(void)printf("%d %d\n", given, refused);
	return 0;
}

/* bpf-pin PATH: a descriptor of what is pinned there */
static int act_bpf_pin(char **args)
{
	union bpf_attr attr = {};

	attr.pathname = (__u64)(unsigned long)args[0];
	return outcome(syscall(SYS_bpf, BPF_OBJ_GET, &attr, sizeof(attr)), 0);
}

/* perf: counts nothing, of itself */
static int act_perf(char **args)
{
	struct perf_event_attr attr = {.type = PERF_TYPE_SOFTWARE,
				       .size = sizeof(attr),
				       .config = PERF_COUNT_SW_DUMMY,
				       .disabled = 1};

	(void)args;
	return outcome(syscall(SYS_perf_event_open, &attr, 0, -1, -1, 0UL), 0);
}

/* iopl */
static int act_iopl(char **args)
{
	(void)args;
	return outcome(iopl(3), 0);
}

/* ioperm */
static int act_ioperm(char **args)
{
	(void)args;
	return outcome(ioperm(0x80, 1, 1), 0);
}

/* settime: to what it is */
static int act_settime(char **args)
{
	struct timespec now;

	(void)args;
	(void)clock_gettime(CLOCK_REALTIME, &now);
	return outcome(clock_settime(CLOCK_REALTIME, &now), 0);
}

/* adjtimex: sets the frequency that it has */
static int act_adjtimex(char **args)
{
	struct timex t = {};

	(void)args;
	if (adjtimex(&t) < 0)
		return try_setup_failed("adjtimex");
	t.modes = ADJ_FREQUENCY;
	return outcome(adjtimex(&t), 0);
}

const struct verb escape_verbs[] = {
	{"mount", 4, act_mount},
	{"remount", 1, act_remount},
	{"umount", 1, act_umount},
	{"fsopen", 1, act_fsopen},
	{"fspick", 1, act_fspick},
	{"open-tree", 1, act_open_tree},
	{"move-mount", 2, act_move_mount},
	{"mount-setattr", 1, act_mount_setattr},
	{"pivot", 2, act_pivot},
	{"unshare-user", 0, act_unshare_user},
	{"setns", 1, act_setns},
	{"setns-pid", 1, act_setns_pid},
	{"make-device", 4, act_make_device},
	{"init-module", 0, act_init_module},
	{"finit-module", 1, act_finit_module},
	{"delete-module", 0, act_delete_module},
	{"socket", 1, act_socket},
	{"kexec", 0, act_kexec},
	{"kexec-file", 0, act_kexec_file},
	{"reboot", 0, act_reboot},
	{"bpf-map", 0, act_bpf_map},
	{"bpf-ids", 2, act_bpf_ids},
	{"bpf-pin", 1, act_bpf_pin},
	{"perf", 0, act_perf},
	{"iopl", 0, act_iopl},
	{"ioperm", 0, act_ioperm},
	{"settime", 0, act_settime},
	{"adjtimex", 0, act_adjtimex},
	{NULL, 0, NULL},
};
