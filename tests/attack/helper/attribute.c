/* SPDX-License-Identifier: Apache-2.0 */

/* Acts on what a file has besides its contents: times, extended attributes, access lists, flags. */

#include "try.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#define FILE_SETATTR 469 /* file_setattr(2), 6.17 */

/* utimes PATH */
static int act_utimes(char **args)
{
	const struct timespec times[2] = {{.tv_sec = 1}, {.tv_sec = 2}};

	return utimensat(AT_FDCWD, args[0], times, AT_SYMLINK_NOFOLLOW) < 0 ? errno : 0;
}

/* touch PATH: the times are now */
static int act_touch(char **args)
{
	return utimensat(AT_FDCWD, args[0], NULL, 0) < 0 ? errno : 0;
}

/* setxattr NAME PATH */
static int act_setxattr(char **args)
{
	return lsetxattr(args[1], args[0], "x", 1, 0) < 0 ? errno : 0;
}

/* setxattr-fd NAME PATH */
static int act_setxattr_fd(char **args)
{
	int fd = open(args[1], O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return try_setup_failed(args[1]);
	return fsetxattr(fd, args[0], "x", 1, 0) < 0 ? errno : 0;
}

/* removexattr NAME PATH */
static int act_removexattr(char **args)
{
	return lremovexattr(args[1], args[0]) < 0 ? errno : 0;
}

/* setacl PATH: an access list that says what the mode says, and lets one more user read */
static int act_setacl(char **args)
{
	static const struct {
		uint32_t version;
		struct {
			uint16_t tag, perm;
			uint32_t id;
		} entries[5];
	} list = {
		.version = 2,
		.entries = {
			{0x01, 6, (uint32_t)-1}, /* the owner */
			{0x02, 4, 1000},	 /* a user */
			{0x04, 4, (uint32_t)-1}, /* the group */
			{0x10, 4, (uint32_t)-1}, /* the mask */
			{0x20, 4, (uint32_t)-1}, /* others */
		},
	};

	return setxattr(args[0], "system.posix_acl_access", &list, sizeof(list), 0) < 0 ? errno : 0;
}

/* removeacl PATH */
static int act_removeacl(char **args)
{
	return removexattr(args[0], "system.posix_acl_access") < 0 ? errno : 0;
}

/* setflags PATH: chattr +d, by a descriptor that may only read */
static int act_setflags(char **args)
{
	int fd = open(args[0], O_RDONLY | O_CLOEXEC), flags = 0;

	if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
		return try_setup_failed(args[0]);
	flags ^= FS_NODUMP_FL;
	return ioctl(fd, FS_IOC_SETFLAGS, &flags) < 0 ? errno : 0;
}

/* fssetxattr PATH: the same by the other request */
static int act_fssetxattr(char **args)
{
	int fd = open(args[0], O_RDONLY | O_CLOEXEC);
	struct fsxattr attr = {};

	if (fd < 0 || ioctl(fd, FS_IOC_FSGETXATTR, &attr) < 0)
		return try_setup_failed(args[0]);
	attr.fsx_xflags ^= FS_XFLAG_NODUMP;
	return ioctl(fd, FS_IOC_FSSETXATTR, &attr) < 0 ? errno : 0;
}

/* file-setattr PATH */
static int act_file_setattr(char **args)
{
	struct {
		uint64_t xflags;
		uint32_t extsize, nextents, projid, cowextsize;
	} attr = {.xflags = FS_XFLAG_NODUMP};

	return syscall(FILE_SETATTR, AT_FDCWD, args[0], &attr, sizeof(attr), 0) < 0 ? errno : 0;
}

/* has-file-setattr: 0 if it is a call of this kernel */
static int act_has_file_setattr(char **args)
{
	(void)args;
	return syscall(FILE_SETATTR, -1, NULL, NULL, 0, 0) < 0 && errno == ENOSYS;
}

const struct verb attribute_verbs[] = {
	{"utimes", 1, act_utimes},
	{"touch", 1, act_touch},
	{"setxattr", 2, act_setxattr},
	{"setxattr-fd", 2, act_setxattr_fd},
	{"removexattr", 2, act_removexattr},
	{"setacl", 1, act_setacl},
	{"removeacl", 1, act_removeacl},
	{"setflags", 1, act_setflags},
	{"fssetxattr", 1, act_fssetxattr},
	{"file-setattr", 1, act_file_setattr},
	{"has-file-setattr", 0, act_has_file_setattr},
	{NULL, 0, NULL},
};
