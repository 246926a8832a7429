/* SPDX-License-Identifier: Apache-2.0 */

/* Acts by io_uring, inline (here) or in one of the kernel's worker threads (worker). */

#include "try.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/stat.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

struct uring {
	int fd;
	char *rings;
	struct io_uring_sqe *sqes;
	struct io_uring_params params;
};

static int uring_open(struct uring *u)
{
	size_t size;

	*u = (struct uring){};
	u->fd = (int)syscall(SYS_io_uring_setup, 4, &u->params);
	if (u->fd < 0)
		return -1;
	size = u->params.cq_off.cqes + u->params.cq_entries * sizeof(struct io_uring_cqe) + 4096;
	u->rings = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, u->fd,
			IORING_OFF_SQ_RING);
	u->sqes = mmap(NULL, 4 * sizeof(*u->sqes), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_POPULATE, u->fd, IORING_OFF_SQES);
	return u->rings == MAP_FAILED || u->sqes == MAP_FAILED ? -1 : 0;
}

/* One request, as `where` says. Return: an exit status. */
static int uring_submit(const char *where, struct io_uring_sqe sqe)
{
	struct io_uring_cqe *cqe;
	struct uring u;
	unsigned *tail;

	if (uring_open(&u) < 0)
		return try_setup_failed("io_uring");
	if (strcmp(where, "worker") == 0)
		sqe.flags |= IOSQE_ASYNC;
	u.sqes[0] = sqe;
	tail = (unsigned *)(u.rings + u.params.sq_off.tail);
	((unsigned *)(u.rings + u.params.sq_off.array))[*tail & 3] = 0;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, u.fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		return try_setup_failed("io_uring_enter");
	cqe = (struct io_uring_cqe *)(u.rings + u.params.cq_off.cqes);
	return cqe->res < 0 ? -cqe->res : 0;
}

#define ADDRESS(p) ((unsigned long)(p))

/* uring WHERE PATH: opens it to read */
static int act_uring(char **args)
{
	return uring_submit(args[0], (struct io_uring_sqe){
					     .opcode = IORING_OP_OPENAT,
					     .fd = AT_FDCWD,
					     .addr = ADDRESS(args[1]),
					     .open_flags = O_RDONLY | O_CLOEXEC,
				     });
}

/* uring-create WHERE PATH */
static int act_create(char **args)
{
	return uring_submit(args[0], (struct io_uring_sqe){
					     .opcode = IORING_OP_OPENAT,
					     .fd = AT_FDCWD,
					     .addr = ADDRESS(args[1]),
					     .len = 0600,
					     .open_flags = O_WRONLY | O_CREAT | O_CLOEXEC,
				     });
}

/* A request on two names. */
static int uring_names(char **args, unsigned char opcode)
{
	return uring_submit(args[0], (struct io_uring_sqe){
					     .opcode = opcode,
					     .fd = AT_FDCWD,
					     .addr = ADDRESS(args[1]),
					     .len = (unsigned)AT_FDCWD,
					     .addr2 = ADDRESS(args[2]),
				     });
}

/* uring-rename WHERE OLD NEW */
static int act_rename(char **args)
{
	return uring_names(args, IORING_OP_RENAMEAT);
}

/* uring-link WHERE OLD NEW */
static int act_link(char **args)
{
	return uring_names(args, IORING_OP_LINKAT);
}

/* uring-symlink WHERE TARGET NEW */
static int act_symlink(char **args)
{
	return uring_submit(args[0], (struct io_uring_sqe){
					     .opcode = IORING_OP_SYMLINKAT,
					     .fd = AT_FDCWD,
					     .addr = ADDRESS(args[1]),
					     .addr2 = ADDRESS(args[2]),
				     });
}

/* A request on one name. */
static int uring_name(char **args, unsigned char opcode, unsigned len)
{
	return uring_submit(args[0], (struct io_uring_sqe){
					     .opcode = opcode,
					     .fd = AT_FDCWD,
					     .addr = ADDRESS(args[1]),
					     .len = len,
				     });
}

/* uring-unlink WHERE PATH */
static int act_unlink(char **args)
{
	return uring_name(args, IORING_OP_UNLINKAT, 0);
}

/* uring-mkdir WHERE PATH */
static int act_mkdir(char **args)
{
	return uring_name(args, IORING_OP_MKDIRAT, 0700);
}

/* uring-setxattr WHERE NAME PATH */
static int act_setxattr(char **args)
{
	return uring_submit(args[0], (struct io_uring_sqe){
					     .opcode = IORING_OP_SETXATTR,
					     .addr = ADDRESS(args[1]),
					     .len = 1,
					     .addr2 = ADDRESS("x"),
					     .addr3 = ADDRESS(args[2]),
				     });
}

/* uring-setxattr-fd WHERE NAME PATH */
static int act_setxattr_fd(char **args)
{
	int fd = open(args[2], O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return try_setup_failed(args[2]);
	return uring_submit(args[0], (struct io_uring_sqe){
					     .opcode = IORING_OP_FSETXATTR,
					     .fd = fd,
					     .addr = ADDRESS(args[1]),
					     .len = 1,
					     .addr2 = ADDRESS("x"),
				     });
}

const struct verb uring_verbs[] = {
	{"uring", 2, act_uring},
	{"uring-create", 2, act_create},
	{"uring-rename", 3, act_rename},
	{"uring-link", 3, act_link},
	{"uring-symlink", 3, act_symlink},
	{"uring-unlink", 2, act_unlink},
	{"uring-mkdir", 2, act_mkdir},
	{"uring-setxattr", 3, act_setxattr},
	{"uring-setxattr-fd", 3, act_setxattr_fd},
	{NULL, 0, NULL},
};
