/* SPDX-License-Identifier: Apache-2.0 */

#include "util/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "util/cleanup.h"
#include "util/strbuf.h"

int fd_read_all(int fd, size_t max, char **ret_data, size_t *ret_len)
{
	_cleanup_strbuf_ struct strbuf b = {};
	char chunk[8192];

	for (;;) {
		ssize_t n = read(fd, chunk, sizeof(chunk));

		if (n < 0) {
			if (errno == EINTR)
				continue;
			return -errno;
		}
		if (n == 0)
			break;
		if ((size_t)n > max - b.len)
			return -EFBIG;
		strbuf_append(&b, chunk, (size_t)n);
	}
	if (strbuf_error(&b) < 0)
		return -ENOMEM;
	*ret_len = b.len;
	*ret_data = strbuf_steal(&b);
	return *ret_data ? 0 : -ENOMEM;
}

int file_read_all(int dir_fd, const char *path, size_t max, char **ret_data, size_t *ret_len)
{
	_cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	return fd_read_all(fd, max, ret_data, ret_len);
}

int fd_read_exact(int fd, void *ret_data, size_t len)
{
	char *at = ret_data;

	while (len > 0) {
		ssize_t n = read(fd, at, len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EBADMSG;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

int mkdir_parents(const char *path, unsigned mode)
{
	_cleanup_free_ char *copy = strdup(path);

	if (!copy)
		return -ENOMEM;
	for (char *p = copy + 1; *p; p++) {
		if (*p != '/')
			continue;
		*p = '\0';
		if (mkdir(copy, mode) < 0 && errno != EEXIST)
			return -errno;
		*p = '/';
	}
	if (mkdir(copy, mode) < 0 && errno != EEXIST)
		return -errno;
	return 0;
}
