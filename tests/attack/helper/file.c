/* SPDX-License-Identifier: Apache-2.0 */

/* Acts on files: opening them by many ways, and what changes a name, contents or attributes. */

#include "try.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static const struct {
	const char *word;
	int flags;
} open_words[] = {
	{"read", O_RDONLY},	{"write", O_WRONLY},	  {"rdwr", O_RDWR},
	{"append", O_APPEND},	{"trunc", O_TRUNC},	  {"creat", O_CREAT},
	{"excl", O_EXCL},	{"path", O_PATH},	  {"dir", O_DIRECTORY},
	{"tmpfile", O_TMPFILE}, {"nofollow", O_NOFOLLOW},
};

int try_open_flags(const char *words)
{
	char copy[256], *rest = copy, *word;
	int flags = O_CLOEXEC | O_NONBLOCK;

	(void)snprintf(copy, sizeof(copy), "%s", words);
	while ((word = strsep(&rest, ","))) {
		size_t i, n = sizeof(open_words) / sizeof(open_words[0]);

		for (i = 0; i < n && strcmp(open_words[i].word, word) != 0; i++)
			;
		if (i == n) {
			(void)fprintf(stderr, "try: unknown flag '%s'\n", word);
			return -1;
		}
		flags |= open_words[i].flags;
	}
	return flags;
}

static int opened(int fd, int flags)
{
	char byte;
	int error = 0;

	if (fd < 0)
		return errno;
	if ((flags & (O_ACCMODE | O_PATH | O_DIRECTORY)) == O_RDONLY && read(fd, &byte, 1) < 0 &&
	    errno != EISDIR)
		error = errno;
	(void)close(fd);
	return error;
}

int try_open(int dir_fd, const char *path, int flags)
{
	return opened(openat(dir_fd, path, flags, 0600), flags);
}

/* open FLAGS PATH */
static int act_open(char **args)
{
	int flags = try_open_flags(args[0]);

	return flags < 0 ? STATUS_SETUP : try_open(AT_FDCWD, args[1], flags);
}

/* open-only PATH: opens it to read, and leaves it at that */
static int act_open_only(char **args)
{
	int fd = open(args[0], O_RDONLY | O_CLOEXEC);

	return fd < 0 ? errno : close(fd);
}

/* openat DIR NAME: reads a name below a directory's descriptor */
static int act_openat(char **args)
{
	int fd = open(args[0], O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? try_setup_failed(args[0]) : try_open(fd, args[1], O_RDONLY | O_CLOEXEC);
}

/* openat2 RESOLVE DIR NAME: the same, held below (beneath) or with another root (in-root) */
static int act_openat2(char **args)
{
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC};
	int fd;

	how.resolve = strcmp(args[0], "beneath") == 0 ? RESOLVE_BENEATH : RESOLVE_IN_ROOT;
	fd = open(args[1], O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return try_setup_failed(args[1]);
	return opened((int)syscall(SYS_openat2, fd, args[2], &how, sizeof(how)), O_RDONLY);
}

/* open32 PATH: open(2) of the 32-bit system call table */
static int act_open32(char **args)
{
	char *low = mmap(NULL, 4096, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	long r;

	if (low == MAP_FAILED || strlen(args[0]) >= 4096)
		return try_setup_failed("memory below 4 GiB");
	(void)strcpy(low, args[0]);
	__asm__ volatile("int $0x80"
			 : "=a"(r)
			 : "0"(5L), "b"(low), "c"((long)O_RDONLY), "d"(0L)
			 : "memory", "r8", "r9", "r10", "r11");
	return r < 0 ? (int)-r : 0;
}

/* reopen FLAGS PATH FLAGS: opens, then opens the descriptor again through /proc */
static int act_reopen(char **args)
{
	int first = try_open_flags(args[0]), second = try_open_flags(args[2]);
	char magic[64];
	int fd;

	if (first < 0 || second < 0)
		return STATUS_SETUP;
	fd = open(args[1], first);
	if (fd < 0)
		return try_setup_failed(args[1]);
	(void)snprintf(magic, sizeof(magic), "/proc/self/fd/%d", fd);
	return try_open(AT_FDCWD, magic, second);
}

/* deep DIR LEVELS COMPONENT FILE: goes down level by level, then reads */
static int act_deep(char **args)
{
	long levels = strtol(args[1], NULL, 10);

	if (chdir(args[0]) < 0)
		return try_setup_failed(args[0]);
	for (long i = 0; i < levels; i++)
		if (chdir(args[2]) < 0)
			return try_setup_failed("a level further down");
	return try_open(AT_FDCWD, args[3], O_RDONLY | O_CLOEXEC);
}

/* make-deep DIR LEVELS COMPONENT FILE: the tree for it */
static int act_make_deep(char **args)
{
	long levels = strtol(args[1], NULL, 10);
	int fd;

	if (chdir(args[0]) < 0)
		return try_setup_failed(args[0]);
	for (long i = 0; i < levels; i++)
		if ((mkdir(args[2], 0700) < 0 && errno != EEXIST) || chdir(args[2]) < 0)
			return try_setup_failed("a level further down");
	fd = open(args[3], O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || write(fd, "deep\n", 5) != 5)
		return try_setup_failed(args[3]);
	return 0;
}

/* One name for each byte that can be in a name, and the longest one. */
static int names_each(const char *dir, int flags)
{
	int refused = 0, passed = 0, error;
	char name[256] = {};

	if (chdir(dir) < 0)
		return try_setup_failed(dir);
	for (int byte = 1; byte <= 256; byte++) {
		if (byte == '/' || byte == '.')
			continue; /* `.` is the directory itself */
		(void)memset(name, byte == 256 ? 0xff : byte, 255);
		if (byte < 256)
			name[1] = '\0';
		error = try_open(AT_FDCWD, name, flags);
		if (error != 0 && error != EPERM)
			return error;
		*(error ? &refused : &passed) += 1;
		if (byte < 256)
			name[1] = (char)byte;
	}
	return !passed ? EPERM : !refused ? 0 : STATUS_MIXED;
}

/* names DIR: reads 254 files */
static int act_names(char **args)
{
	return names_each(args[0], O_RDONLY | O_CLOEXEC);
}

/* make-names DIR */
static int act_make_names(char **args)
{
	return names_each(args[0], O_WRONLY | O_CREAT | O_CLOEXEC);
}

/* truncate PATH: without opening it */
static int act_truncate(char **args)
{
	return truncate(args[0], 0) < 0 ? errno : 0;
}

/* link OLD NEW */
static int act_link(char **args)
{
	return link(args[0], args[1]) < 0 ? errno : 0;
}

/* link-fd OLD NEW: through an O_PATH descriptor's magic link */
static int act_link_fd(char **args)
{
	int fd = open(args[0], O_PATH | O_CLOEXEC);
	char magic[64];

	if (fd < 0)
		return try_setup_failed(args[0]);
	(void)snprintf(magic, sizeof(magic), "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, magic, AT_FDCWD, args[1], AT_SYMLINK_FOLLOW) < 0 ? errno : 0;
}

/* link-empty OLD NEW: linkat(fd, "", ..., AT_EMPTY_PATH) */
static int act_link_empty(char **args)
{
	int fd = open(args[0], O_PATH | O_CLOEXEC);

	if (fd < 0)
		return try_setup_failed(args[0]);
	return linkat(fd, "", AT_FDCWD, args[1], AT_EMPTY_PATH) < 0 ? errno : 0;
}

/* symlink TARGET NEW */
static int act_symlink(char **args)
{
	return symlink(args[0], args[1]) < 0 ? errno : 0;
}

/* rename OLD NEW */
static int act_rename(char **args)
{
	return rename(args[0], args[1]) < 0 ? errno : 0;
}

/* exchange ONE OTHER */
static int act_exchange(char **args)
{
	return renameat2(AT_FDCWD, args[0], AT_FDCWD, args[1], RENAME_EXCHANGE) < 0 ? errno : 0;
}

/* whiteout OLD NEW: renames and leaves a whiteout */
static int act_whiteout(char **args)
{
	return renameat2(AT_FDCWD, args[0], AT_FDCWD, args[1], RENAME_WHITEOUT) < 0 ? errno : 0;
}

/* make-whiteout PATH: the device that hides a name of a lower layer */
static int act_make_whiteout(char **args)
{
	return mknod(args[0], S_IFCHR, 0) < 0 ? errno : 0;
}

/* account PATH: the kernel writes a line there for each process that ends */
static int act_account(char **args)
{
	if (acct(args[0]) < 0)
		return errno;
	return acct(NULL) < 0 ? errno : 0;
}

static int act_unlink(char **args)
{
	return unlink(args[0]) < 0 ? errno : 0;
}

static int act_rmdir(char **args)
{
	return rmdir(args[0]) < 0 ? errno : 0;
}

static int act_mkdir(char **args)
{
	return mkdir(args[0], 0700) < 0 ? errno : 0;
}

/* mkfifo PATH */
static int act_mkfifo(char **args)
{
	return mknod(args[0], S_IFIFO | 0600, 0) < 0 ? errno : 0;
}

/* chmod MODE PATH */
static int act_chmod(char **args)
{
	return chmod(args[1], (mode_t)strtoul(args[0], NULL, 8)) < 0 ? errno : 0;
}

/* chmod-path MODE PATH: through an O_PATH descriptor's magic link */
static int act_chmod_path(char **args)
{
	int fd = open(args[1], O_PATH | O_CLOEXEC);
	char magic[64];

	if (fd < 0)
		return try_setup_failed(args[1]);
	(void)snprintf(magic, sizeof(magic), "/proc/self/fd/%d", fd);
	return chmod(magic, (mode_t)strtoul(args[0], NULL, 8)) < 0 ? errno : 0;
}

/* chown UID PATH */
static int act_chown(char **args)
{
	uid_t uid = (uid_t)strtoul(args[0], NULL, 10);

	return lchown(args[1], uid, uid) < 0 ? errno : 0;
}

const struct verb file_verbs[] = {
	{"open", 2, act_open},
	{"open-only", 1, act_open_only},
	{"openat", 2, act_openat},
	{"openat2", 3, act_openat2},
	{"open32", 1, act_open32},
	{"reopen", 3, act_reopen},
	{"deep", 4, act_deep},
	{"make-deep", 4, act_make_deep},
	{"names", 1, act_names},
	{"make-names", 1, act_make_names},
	{"truncate", 1, act_truncate},
	{"link", 2, act_link},
	{"link-fd", 2, act_link_fd},
	{"link-empty", 2, act_link_empty},
	{"symlink", 2, act_symlink},
	{"rename", 2, act_rename},
	{"exchange", 2, act_exchange},
	{"whiteout", 2, act_whiteout},
	{"make-whiteout", 1, act_make_whiteout},
	{"account", 1, act_account},
	{"unlink", 1, act_unlink},
	{"rmdir", 1, act_rmdir},
	{"mkdir", 1, act_mkdir},
	{"mkfifo", 1, act_mkfifo},
	{"chmod", 2, act_chmod},
	{"chmod-path", 2, act_chmod_path},
	{"chown", 2, act_chown},
	{NULL, 0, NULL},
};
