/* SPDX-License-Identifier: Apache-2.0 */

/* Acts that have a filesystem exchange what is in two open files, which its requests name by their descriptors. */

#include "try.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* As the filesystems have them; no header of libc does. */
struct xfs_time {
	int64_t seconds;
	int32_t nanoseconds;
};

struct xfs_exchange {
	int64_t version, target, other, offset, len;
	char pad[16];
	struct {
		char head[56];
		struct xfs_time modified, changed;
		char tail[48];
	} stat; /* the file must be as it was found */
};

struct ext4_move {
	uint32_t reserved, donor;
	uint64_t from, to, len, moved;
};

#define XFS_SWAPEXT _IOWR('X', 109, struct xfs_exchange)
#define EXT4_MOVE _IOWR('f', 15, struct ext4_move)

_Static_assert(sizeof(struct xfs_exchange) == 192, "the request's number has its size in it");

static int number(const char *word)
{
	return (int)strtol(word, NULL, 10);
}

/* exchange-xfs PATH FD OTHER-FD: asks it of any file of the filesystem */
static int act_xfs(char **args)
{
	int asked = open(args[0], O_RDONLY | O_CLOEXEC);
	struct xfs_exchange e = {.target = number(args[1]), .other = number(args[2])};
	struct stat st;

	if (asked < 0 || fsync(number(args[1])) < 0 || fsync(number(args[2])) < 0 || fstat(number(args[1]), &st) < 0)
		return try_setup_failed(args[0]);
	e.len = st.st_size;
	e.stat.modified = (struct xfs_time){st.st_mtim.tv_sec, (int32_t)st.st_mtim.tv_nsec};
	e.stat.changed = (struct xfs_time){st.st_ctim.tv_sec, (int32_t)st.st_ctim.tv_nsec};
	return ioctl(asked, XFS_SWAPEXT, &e) < 0 ? errno : 0;
}

/* exchange-ext4 PATH FD: the first block of a file that one may write to, for that of another */
static int act_ext4(char **args)
{
	int fd = open(args[0], O_RDWR | O_CLOEXEC);
	struct ext4_move m = {.donor = (uint32_t)number(args[1]), .len = 1};

	if (fd < 0 || fsync(fd) < 0 || fsync(number(args[1])) < 0)
		return try_setup_failed(args[0]);
	return ioctl(fd, EXT4_MOVE, &m) < 0 ? errno : 0;
}

const struct verb exchange_verbs[] = {
	{"exchange-xfs", 3, act_xfs},
	{"exchange-ext4", 2, act_ext4},
	{NULL, 0, NULL},
};
