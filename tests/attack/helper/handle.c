/* SPDX-License-Identifier: Apache-2.0 */

/* Acts on a file that is known by a handle, without a name: what a file server asks a filesystem for. */

#include "try.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
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

const struct verb handle_verbs[] = {
	{"handle-save", 2, act_save},
	{"handle-open", 2, act_open},
	{NULL, 0, NULL},
};
