/* SPDX-License-Identifier: Apache-2.0 */

/* Acts on subvolumes of a btrfs: names that come and go by requests of its own. */

#include "try.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static int request(const char *directory, unsigned long number, int source, const char *name)
{
	struct btrfs_ioctl_vol_args args = {.fd = source};
	int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return try_setup_failed(directory);
	(void)snprintf(args.name, sizeof(args.name), "%s", name);
	return ioctl(fd, number, &args) < 0 ? errno : 0;
}

/* volume-make DIR NAME */
static int act_make(char **args)
{
	return request(args[0], BTRFS_IOC_SUBVOL_CREATE, 0, args[1]);
}

/* volume-remove DIR NAME */
static int act_remove(char **args)
{
	return request(args[0], BTRFS_IOC_SNAP_DESTROY, 0, args[1]);
}

/* volume-copy VOLUME DIR NAME: a snapshot */
static int act_copy(char **args)
{
	int source = open(args[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return source < 0 ? try_setup_failed(args[0]) :
			    request(args[1], BTRFS_IOC_SNAP_CREATE, source, args[2]);
}

/* volume-resize DIR: the whole filesystem, to what it is */
static int act_resize(char **args)
{
	return request(args[0], BTRFS_IOC_RESIZE, 0, "max");
}

/* volume-extend DIR FILE: by the device whose name is in the file; what is on that is gone then, and nobody has opened it */
static int act_extend(char **args)
{
	char device[64] = {};
	int fd = open(args[1], O_RDONLY | O_CLOEXEC);

	if (fd < 0 || read(fd, device, sizeof(device) - 1) < 2)
		return try_setup_failed(args[1]);
	device[strcspn(device, "\n")] = '\0';
	return request(args[0], BTRFS_IOC_ADD_DEV, 0, device);
}

/* volume-keep VOLUME: may not be written any more */
static int act_keep(char **args)
{
	int fd = open(args[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	__u64 flags = BTRFS_SUBVOL_RDONLY;

	return fd < 0 || ioctl(fd, BTRFS_IOC_SUBVOL_SETFLAGS, &flags) < 0 ? try_setup_failed(args[0]) : 0;
}

/* volume-send VOLUME: all that is in it, as one stream */
static int act_send(char **args)
{
	struct btrfs_ioctl_send_args to = {.flags = 0};
	int fd = open(args[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC), ends[2];

	if (fd < 0 || pipe(ends) < 0)
		return try_setup_failed(args[0]);
	to.send_fd = ends[1];
	return ioctl(fd, BTRFS_IOC_SEND, &to) < 0 ? errno : 0;
}

/* volume-search DIR: what the filesystem knows, contents of small files included */
static int act_search(char **args)
{
	struct btrfs_ioctl_search_args all = {.key = {.tree_id = 0,
						      .max_objectid = UINT64_MAX,
						      .max_offset = UINT64_MAX,
						      .max_transid = UINT64_MAX,
						      .max_type = UINT32_MAX,
						      .nr_items = 16}};
	int fd = open(args[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return try_setup_failed(args[0]);
	return ioctl(fd, BTRFS_IOC_TREE_SEARCH, &all) < 0 ? errno : 0;
}

const struct verb volume_verbs[] = {
	{"volume-make", 2, act_make},
	{"volume-remove", 2, act_remove},
	{"volume-copy", 3, act_copy},
	{"volume-resize", 1, act_resize},
	{"volume-extend", 2, act_extend},
	{"volume-keep", 1, act_keep},
	{"volume-send", 1, act_send},
	{"volume-search", 1, act_search},
	{NULL, 0, NULL},
};
