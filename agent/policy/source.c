/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Who may write policies: the checks between the disk and the parser.
 *
 * Everything is asked of the open descriptor, so that nothing can be swapped between the check and
 * the reading. The kernel refuses symbolic links itself (openat2); there is no fallback for kernels
 * without it, as they have no BPF LSM that could enforce anything.
 */

#include "policy/source.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "policy/policy.h"
#include "util/cleanup.h"
#include "util/fd.h"

/* More directories above one another than PATH_MAX can spell. */
#define PARENTS_MAX 2048

static int open_beneath(int dir_fd, const char *path, int flags)
{
	struct open_how how = {
		.flags = (unsigned)flags | O_CLOEXEC,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

/* Report that a file or directory is refused. Return: SOURCE_E_REFUSED, -ENOMEM. */
_printf_(4, 5) static int refuse(struct diag_list *diags, const char *path, const char *expected,
				 const char *format, ...)
{
	char text[256];
	va_list ap;
	int r;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	r = diag_add_file(diags, DIAG_ERROR, path, expected, "%s", text);
	return r < 0 ? r : SOURCE_E_REFUSED;
}

static int refuse_errno(struct diag_list *diags, const char *path, const char *what, int error)
{
	if (error == -ENOMEM)
		return -ENOMEM;
	if (error == -ELOOP)
		return refuse(diags, path, "the real path, or a link to /dev/null as a mask",
			      "a symbolic link is not followed here");
	return refuse(diags, path, NULL, "%s: %s", what, strerrordesc_np(-error));
}

static bool owner_is_trusted(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

/* what: "it" or "the directory above it". sticky_is_fine: others cannot replace entries they do not
 * own, which is enough for a directory on the way. */
static int check_stat(const struct stat *st, const char *path, const char *what,
		      bool sticky_is_fine, struct diag_list *diags)
{
	if (!owner_is_trusted(st->st_uid))
		return refuse(diags, path, "root, or the user who runs this",
			      "%s belongs to user %u", what, st->st_uid);
	if ((st->st_mode & (S_IWGRP | S_IWOTH)) && !(sticky_is_fine && (st->st_mode & S_ISVTX)))
		return refuse(diags, path, "write permission for the owner alone",
			      "%s can be written by %s (mode %04o)", what,
			      st->st_mode & S_IWOTH ? "everybody" : "its group",
			      st->st_mode & 07777);
	return 0;
}

static int check_parents(int fd, const char *path, struct diag_list *diags)
{
	_cleanup_close_ int at = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	struct stat st, above;

	if (at < 0 || fstat(at, &st) < 0)
		return refuse_errno(diags, path, "cannot be examined", -errno);
	for (int i = 0; i < PARENTS_MAX; i++) {
		int next = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC), r;

		if (next < 0)
			return refuse_errno(diags, path, "cannot be examined", -errno);
		(void)close(at);
		at = next;
		if (fstat(at, &above) < 0)
			return refuse_errno(diags, path, "cannot be examined", -errno);
		if (above.st_dev == st.st_dev && above.st_ino == st.st_ino)
			return 0;
		r = check_stat(&above, path, "a directory above it", true, diags);
		if (r != 0)
			return r;
		st = above;
	}
	return refuse_errno(diags, path, "cannot be examined", -ENAMETOOLONG);
}

int source_open_dir(const char *path, struct diag_list *diags, int *ret_fd)
{
	_cleanup_close_ int fd = open_beneath(AT_FDCWD, path, O_RDONLY | O_DIRECTORY);
	struct stat st;
	int r;

	if (fd == -ENOENT)
		return SOURCE_E_MISSING;
	if (fd < 0)
		return refuse_errno(diags, path, "the directory cannot be opened", fd);
	if (fstat(fd, &st) < 0)
		return refuse_errno(diags, path, "the directory cannot be examined", -errno);
	r = check_stat(&st, path, "the directory", false, diags);
	if (r == 0)
		r = check_parents(fd, path, diags);
	if (r != 0)
		return r;
	*ret_fd = steal_fd(&fd);
	return 0;
}

static bool is_mask(int dir_fd, const char *name)
{
	static const char null[] = "/dev/null";
	char target[sizeof(null)];
	ssize_t n = readlinkat(dir_fd, name, target, sizeof(target));

	return n == (ssize_t)sizeof(null) - 1 && memcmp(target, null, sizeof(null) - 1) == 0;
}

int source_read(int dir_fd, const char *name, const char *path, struct diag_list *diags,
		char **ret_data, size_t *ret_len)
{
	/* O_NONBLOCK: a FIFO must not stop us before we see what it is */
	_cleanup_close_ int fd =
		open_beneath(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
	_cleanup_free_ char *data = NULL;
	struct stat st;
	size_t len = 0;
	int r;

	if (fd == -ENOENT)
		return SOURCE_E_MISSING;
	if (fd == -ELOOP && is_mask(dir_fd, name))
		return SOURCE_E_MASKED;
	if (fd < 0)
		return refuse_errno(diags, path, "the file cannot be opened", fd);
	if (fstat(fd, &st) < 0)
		return refuse_errno(diags, path, "the file cannot be examined", -errno);
	if (!S_ISREG(st.st_mode))
		return refuse(diags, path, "a regular file", "not a regular file");
	r = check_stat(&st, path, "the file", false, diags);
	if (r != 0)
		return r;
	r = fd_read_all(fd, POLICY_FILE_MAX, &data, &len);
	if (r == -EFBIG)
		return refuse(diags, path, NULL, "the file is larger than %u bytes",
			      POLICY_FILE_MAX);
	if (r < 0)
		return refuse_errno(diags, path, "the file cannot be read", r);
	if (len == 0)
		return SOURCE_E_MASKED;
	*ret_data = steal_ptr(data);
	*ret_len = len;
	return 0;
}
