/* SPDX-License-Identifier: Apache-2.0 */

/* Acts on descriptors that come from elsewhere: inherited at a number, or taken from another process. */

#include "try.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

static int number(const char *word)
{
	return (int)strtol(word, NULL, 10);
}

static int result(ssize_t n)
{
	return n < 0 ? errno : 0;
}

/* fd-read FD */
static int act_read(char **args)
{
	char c;

	return result(read(number(args[0]), &c, 1));
}

/* fd-readv FD */
static int act_readv(char **args)
{
	char c;
	struct iovec v = {.iov_base = &c, .iov_len = 1};

	return result(preadv2(number(args[0]), &v, 1, 0, 0));
}

/* fd-write FD */
static int act_write(char **args)
{
	return result(pwrite(number(args[0]), "x", 1, 0));
}

/* fd-map FD: memory of it, to be read */
static int act_map(char **args)
{
	void *p = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, number(args[0]), 0);

	return p == MAP_FAILED ? errno : 0;
}

/* fd-map-exec FD: memory of it, to be run, which shows what is in it as well */
static int act_map_exec(char **args)
{
	volatile char *p = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, number(args[0]), 0);

	if (p == MAP_FAILED)
		return errno;
	return p[0] == '\0' ? STATUS_WRONG : 0;
}

/* fd-map-write FD: memory of it, to be written */
static int act_map_write(char **args)
{
	char *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, number(args[0]), 0);

	if (p == MAP_FAILED)
		return errno;
	p[0] = 'x';
	return 0;
}

/* fd-splice FD, fd-sendfile FD: out of it, into a pipe */
static int act_splice(char **args)
{
	int ends[2];

	if (pipe(ends) < 0)
		return try_setup_failed("pipe");
	return result(splice(number(args[0]), NULL, ends[1], NULL, 1, 0));
}

/* fd-splice-in FD: into it, out of a pipe */
static int act_splice_in(char **args)
{
	int ends[2];

	if (pipe(ends) < 0 || write(ends[1], "x", 1) != 1)
		return try_setup_failed("pipe");
	return result(splice(ends[0], NULL, number(args[0]), NULL, 1, 0));
}

static int act_sendfile(char **args)
{
	int ends[2];

	if (pipe(ends) < 0)
		return try_setup_failed("pipe");
	return result(sendfile(ends[1], number(args[0]), NULL, 1));
}

/* fd-copy FROM TO: inside the kernel */
static int act_copy(char **args)
{
	loff_t from = 0, to = 0;

	return result(copy_file_range(number(args[0]), &from, number(args[1]), &to, 1, 0));
}

/* fd-punch FD: a hole where something was */
static int act_punch(char **args)
{
	return fallocate(number(args[0]), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) < 0 ? errno : 0;
}

/* fd-truncate FD */
static int act_truncate(char **args)
{
	return ftruncate(number(args[0]), 0) < 0 ? errno : 0;
}

/* fd-list FD: names in a directory */
static int act_list(char **args)
{
	char buf[4096];

	return result(syscall(SYS_getdents64, number(args[0]), buf, sizeof(buf)));
}

/* fd-steal PID FD: taken from another process, then read */
static int act_steal(char **args)
{
	int pidfd = (int)syscall(SYS_pidfd_open, number(args[0]), 0), fd;
	char c;

	if (pidfd < 0)
		return try_setup_failed("pidfd_open");
	fd = (int)syscall(SYS_pidfd_getfd, pidfd, number(args[1]), 0);
	return fd < 0 ? errno : result(pread(fd, &c, 1, 0));
}

/* Opens a descriptor again by its magic link, to write. Return: 0 or errno. */
static int again(int fd)
{
	char magic[64], byte = 'x';
	int second;

	(void)snprintf(magic, sizeof(magic), "/proc/self/fd/%d", fd);
	second = open(magic, O_RDWR | O_CLOEXEC);
	return second < 0 || write(second, &byte, 1) != 1 ? errno : 0;
}

/* memory-file: everything that programs do with one */
static int act_memory_file(char **args)
{
	int fd = memfd_create("memory", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	char *p;

	(void)args;
	if (fd < 0)
		return try_setup_failed("memfd_create");
	if (write(fd, "x", 1) != 1 || ftruncate(fd, 8192) < 0 || fchmod(fd, 0600) < 0 || futimens(fd, NULL) < 0 ||
	    fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 4096) < 0)
		return errno;
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (p == MAP_FAILED)
		return errno;
	p[0] = 'x';
	return again(fd);
}

/* pipe-again: a pipe, opened once more by its magic link */
static int act_pipe_again(char **args)
{
	int ends[2];

	(void)args;
	return pipe(ends) < 0 ? try_setup_failed("pipe") : again(ends[1]);
}

const struct verb descriptor_verbs[] = {
	{"memory-file", 0, act_memory_file},
	{"pipe-again", 0, act_pipe_again},
	{"fd-read", 1, act_read},
	{"fd-readv", 1, act_readv},
	{"fd-write", 1, act_write},
	{"fd-map", 1, act_map},
	{"fd-map-exec", 1, act_map_exec},
	{"fd-map-write", 1, act_map_write},
	{"fd-splice", 1, act_splice},
	{"fd-splice-in", 1, act_splice_in},
	{"fd-sendfile", 1, act_sendfile},
	{"fd-copy", 2, act_copy},
	{"fd-punch", 1, act_punch},
	{"fd-truncate", 1, act_truncate},
	{"fd-list", 1, act_list},
	{"fd-steal", 2, act_steal},
	{NULL, 0, NULL},
};
