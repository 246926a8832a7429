/* SPDX-License-Identifier: Apache-2.0 */

/* Acts on a file that is known by a handle, without a name: what a file server asks a filesystem for. */

#include "try.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

struct handle {
	struct file_handle head;
	unsigned char room[MAX_HANDLE_SZ];
};

/* handle-save PATH FILE: puts the handle of PATH down in FILE */
static int act_save(char **args)
{
	struct handle h = {.head.handle_bytes = MAX_HANDLE_SZ};
	int mount, fd = open(args[1], O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (name_to_handle_at(AT_FDCWD, args[0], &h.head, &mount, 0) < 0 || fd < 0 ||
	    write(fd, &h, sizeof(h)) != (ssize_t)sizeof(h))
		return try_setup_failed(args[0]);
	return close(fd) < 0 ? errno : 0;
}

/* handle-open FILE PLACE [NAME]: opens what is put down in FILE, in the filesystem of PLACE; a directory, and then NAME in it */
static int act_open(char **args)
{
	int saved = open(args[0], O_RDONLY | O_CLOEXEC), place = open(args[1], O_PATH | O_CLOEXEC), fd;
	struct handle h;
	char byte;

	if (saved < 0 || place < 0 || read(saved, &h, sizeof(h)) != (ssize_t)sizeof(h))
		return try_setup_failed(args[0]);
	place = open(args[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = open_by_handle_at(place, &h.head, O_RDONLY | O_CLOEXEC);
	/* The kernel looks for the name of a directory that it has forgotten in the one above; if it may not open that, it calls
	 * the handle stale. */
	if (fd < 0)
		return errno == ESTALE ? EPERM : errno;
	if (args[2])
		return try_open(fd, args[2], O_RDONLY | O_CLOEXEC);
	return read(fd, &byte, 1) < 0 && errno != EISDIR ? errno : 0;
}

/* What XFS is asked by its own requests, which no header of libc has. */
struct xfs_request {
	uint32_t fd;
	const void *path;
	uint32_t flags;
	const void *in;
	uint32_t in_len;
	void *out;
	uint32_t *out_len;
};

struct xfs_attribute {
	uint32_t what;
	int32_t error;
	const char *name;
	const char *value;
	uint32_t len;
	uint32_t flags;
};

struct xfs_attributes {
	struct xfs_request request;
	uint32_t n;
	struct xfs_attribute *list;
};

struct xfs_size {
	uint64_t blocks;
	uint32_t inodes_percent;
};

#define XFS_PATH_TO_HANDLE _IOWR('X', 105, struct xfs_request)
#define XFS_OPEN_BY_HANDLE _IOWR('X', 107, struct xfs_request)
#define XFS_GROW _IOW('X', 110, struct xfs_size)
#define XFS_ATTRIBUTES_BY_HANDLE _IOW('X', 123, struct xfs_attributes)
#define XFS_ATTRIBUTE_SET 2
#define FLAG_EXEC 040 /* as the kernel itself has it for what is to be run */

/* The handle of a path, as a request to the filesystem of place. Return: 0 or STATUS_SETUP. */
static int xfs_handle(const char *path, int place, struct handle *h, struct xfs_request *ret)
{
	uint32_t len = 0;
	struct xfs_request ask = {.path = path, .out = h->room, .out_len = &len};

	if (place < 0 || ioctl(place, XFS_PATH_TO_HANDLE, &ask) < 0)
		return try_setup_failed(path);
	*ret = (struct xfs_request){.in = h->room, .in_len = len};
	return 0;
}

/* xfs-open PATH PLACE HOW: opens a file by the handle that XFS has of it, "read" or as what is to be
 * run ("run"), and reads */
static int act_xfs_open(char **args)
{
	int place = open(args[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC), fd;
	struct xfs_request request;
	struct handle h;
	char byte;

	if (xfs_handle(args[0], place, &h, &request) != 0)
		return STATUS_SETUP;
	request.flags = O_RDONLY | (strcmp(args[2], "run") == 0 ? FLAG_EXEC : 0);
	fd = ioctl(place, XFS_OPEN_BY_HANDLE, &request);
	return fd < 0 || read(fd, &byte, 1) < 0 ? errno : 0;
}

/* xfs-attribute PATH PLACE: sets an attribute of a file by its handle */
static int act_xfs_attribute(char **args)
{
	int place = open(args[1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct xfs_attribute set = {
		.what = XFS_ATTRIBUTE_SET, .name = "new", .value = "x", .len = 1};
	struct xfs_attributes all = {.n = 1, .list = &set};
	struct handle h;

	if (xfs_handle(args[0], place, &h, &all.request) != 0)
		return STATUS_SETUP;
	return ioctl(place, XFS_ATTRIBUTES_BY_HANDLE, &all) < 0 ? errno : -set.error;
}

/* xfs-grow PLACE BLOCKS: the whole filesystem */
static int act_xfs_grow(char **args)
{
	struct xfs_size size = {.blocks = strtoull(args[1], NULL, 10), .inodes_percent = 25};
	int place = open(args[0], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (place < 0)
		return try_setup_failed(args[0]);
	return ioctl(place, XFS_GROW, &size) < 0 ? errno : 0;
}

const struct verb handle_verbs[] = {
	{"xfs-open", 3, act_xfs_open},
	{"xfs-grow", 2, act_xfs_grow},
	{"xfs-attribute", 2, act_xfs_attribute},
	{"handle-save", 2, act_save},
	{"handle-open", 2, act_open},
	{NULL, 0, NULL},
};
