/* SPDX-License-Identifier: Apache-2.0 */

#include "util/replace.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "util/cleanup.h"

int fd_write_all(int fd, const void *data, size_t len)
{
	const char *p = data;

	while (len > 0) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		p += n;
		len -= (size_t)n;
	}
	return 0;
}

/* The rename is on the disk when the directory is. */
static int directory_sync(const char *path)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

int file_replace(const char *path, const void *data, size_t len, unsigned mode)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	_cleanup_free_ char *dir = slash ? strndup(path, (size_t)(name - path)) : strdup("./");
	_cleanup_free_ char *fresh = NULL;
	_cleanup_close_ int fd = -EBADF;
	int r;

	if (!dir)
		return -ENOMEM;
	if (asprintf(&fresh, "%s.%s.new", dir, name) < 0) {
		fresh = NULL;
		return -ENOMEM;
	}
	(void)unlink(fresh); /* of a writer that was killed */
	fd = open(fresh, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, mode & 07777);
	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, data, len);
	if (r >= 0 && (fchmod(fd, mode & 07777) < 0 || fsync(fd) < 0 || rename(fresh, path) < 0))
		r = -errno;
	if (r < 0)
		(void)unlink(fresh);
	return r < 0 ? r : directory_sync(dir);
}
