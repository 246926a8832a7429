/* SPDX-License-Identifier: Apache-2.0 */

/* Acts on subvolumes of a btrfs: names that come and go by requests of its own. */

#include "try.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/btrfs.h>
#include <stdio.h>
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

const struct verb volume_verbs[] = {
	{"volume-make", 2, act_make},
	{"volume-remove", 2, act_remove},
	{"volume-copy", 3, act_copy},
	{NULL, 0, NULL},
};
