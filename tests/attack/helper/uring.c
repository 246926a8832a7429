/* SPDX-License-Identifier: Apache-2.0 */

/* Acts by io_uring, inline (here) or in one of the kernel's worker threads (worker). */

#include "try.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <linux/stat.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

struct uring {
	int fd;
	char *rings;
	struct io_uring_sqe *sqes;
	struct io_uring_params params;
};

static int uring_open(struct uring *u, unsigned flags)
{
	size_t size;

	*u = (struct uring){.params.flags = flags};
	u->fd = (int)syscall(SYS_io_uring_setup, 4, &u->params);
	if (u->fd < 0)
		return -1;
	size = u->params.cq_off.cqes + 2 * u->params.cq_entries * sizeof(struct io_uring_cqe) + 4096;
	u->rings = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, u->fd,
			IORING_OFF_SQ_RING);
	u->sqes = mmap(NULL, 8 * sizeof(*u->sqes), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_POPULATE, u->fd, IORING_OFF_SQES);
	return u->rings == MAP_FAILED || u->sqes == MAP_FAILED ? -1 : 0;
}

/* Hands in one request. Return: an exit status. */
static int uring_enter(struct uring *u, struct io_uring_sqe sqe)
{
	struct io_uring_cqe *cqe;
	unsigned *tail;

	u->sqes[0] = sqe;
	tail = (unsigned *)(u->rings + u->params.sq_off.tail);
	((unsigned *)(u->rings + u->params.sq_off.array))[*tail & 3] = 0;
	__atomic_store_n(tail, *tail + 1, __ATOMIC_RELEASE);
	if (syscall(SYS_io_uring_enter, u->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) != 1)
		return try_setup_failed("io_uring_enter");
	cqe = (struct io_uring_cqe *)(u->rings + u->params.cq_off.cqes);
	return cqe->res < 0 ? -cqe->res : 0;
}

/* One request, as `where` says. Return: an exit status. */
static int uring_submit(const char *where, struct io_uring_sqe sqe)
{
	struct uring u;

	if (uring_open(&u, 0) < 0)
		return try_setup_failed("io_uring");
	if (strcmp(where, "worker") == 0)
		sqe.flags |= IOSQE_ASYNC;
	return uring_enter(&u, sqe);
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

/* uring-open2 WHERE PATH: the same by the other request */
static int act_open2(char **args)
{
	struct open_how how = {.flags = O_RDONLY | O_CLOEXEC, .resolve = RESOLVE_NO_MAGICLINKS};

	return uring_submit(args[0], (struct io_uring_sqe){
					     .opcode = IORING_OP_OPENAT2,
					     .fd = AT_FDCWD,
					     .addr = ADDRESS(args[1]),
					     .len = sizeof(how),
					     .off = ADDRESS(&how),
				     });
}

/* uring-open-truncated WHERE PATH: opened to read, and cut */
static int act_open_truncated(char **args)
{
	return uring_submit(args[0], (struct io_uring_sqe){
					     .opcode = IORING_OP_OPENAT,
					     .fd = AT_FDCWD,
					     .addr = ADDRESS(args[1]),
					     .open_flags = O_RDONLY | O_TRUNC | O_CLOEXEC,
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

/* uring-exchange WHERE ONE OTHER */
static int act_exchange(char **args)
{
	return uring_submit(args[0], (struct io_uring_sqe){
					     .opcode = IORING_OP_RENAMEAT,
					     .fd = AT_FDCWD,
					     .addr = ADDRESS(args[1]),
					     .len = (unsigned)AT_FDCWD,
					     .addr2 = ADDRESS(args[2]),
					     .rename_flags = RENAME_EXCHANGE,
				     });
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
static int uring_name(char **args, unsigned char opcode, unsigned len, unsigned flags)
{
	return uring_submit(args[0], (struct io_uring_sqe){
					     .opcode = opcode,
					     .fd = AT_FDCWD,
					     .addr = ADDRESS(args[1]),
					     .len = len,
					     .unlink_flags = flags,
				     });
}

/* uring-unlink WHERE PATH */
static int act_unlink(char **args)
{
	return uring_name(args, IORING_OP_UNLINKAT, 0, 0);
}

/* uring-rmdir WHERE PATH */
static int act_rmdir(char **args)
{
	return uring_name(args, IORING_OP_UNLINKAT, 0, AT_REMOVEDIR);
}

/* uring-mkdir WHERE PATH */
static int act_mkdir(char **args)
{
	return uring_name(args, IORING_OP_MKDIRAT, 0700, 0);
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

#define OP_FTRUNCATE 55 /* since 6.9 */

/* Requests on a descriptor. */
static int descriptor_request(const char *word, int fd, char *byte, struct io_uring_sqe *ret)
{
	*ret = (struct io_uring_sqe){.fd = fd, .addr = ADDRESS(byte), .len = 1};
	if (strcmp(word, "read") == 0) {
		ret->opcode = IORING_OP_READ;
	} else if (strcmp(word, "write") == 0) {
		ret->opcode = IORING_OP_WRITE;
	} else if (strcmp(word, "punch") == 0) {
		ret->opcode = IORING_OP_FALLOCATE;
		ret->len = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE;
		ret->addr = 4096;
	} else if (strcmp(word, "truncate") == 0) {
		*ret = (struct io_uring_sqe){.opcode = OP_FTRUNCATE, .fd = fd};
	} else {
		return -1;
	}
	return 0;
}

/* uring-fd WHERE REQUEST FD */
static int act_fd(char **args)
{
	struct io_uring_sqe sqe;
	char byte = 'x';

	if (descriptor_request(args[1], atoi(args[2]), &byte, &sqe) < 0)
		return try_setup_failed(args[1]);
	return uring_submit(args[0], sqe);
}

/* uring-registered REQUEST FD: of a file that the ring knows; its descriptor is closed before */
static int act_registered(char **args)
{
	struct io_uring_sqe sqe;
	int fd = atoi(args[1]);
	struct uring u;
	char byte = 'x';

	if (descriptor_request(args[0], 0, &byte, &sqe) < 0 || uring_open(&u, 0) < 0 ||
	    syscall(SYS_io_uring_register, u.fd, IORING_REGISTER_FILES, &fd, 1) < 0 || close(fd) < 0)
		return try_setup_failed("registering a file");
	sqe.flags |= IOSQE_FIXED_FILE;
	return uring_enter(&u, sqe);
}

/* uring-splice WHERE FD: out of it, into a pipe */
static int act_splice(char **args)
{
	int ends[2];

	if (pipe(ends) < 0)
		return try_setup_failed("pipe");
	return uring_submit(args[0], (struct io_uring_sqe){
					     .opcode = IORING_OP_SPLICE,
					     .fd = ends[1],
					     .off = (__u64)-1,
					     .splice_off_in = (__u64)-1,
					     .splice_fd_in = atoi(args[1]),
					     .len = 1,
				     });
}

/* uring-connect WHERE SOCKET */
static int act_connect(char **args)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || strlen(args[1]) >= sizeof(address.sun_path))
		return try_setup_failed(args[1]);
	(void)strcpy(address.sun_path, args[1]);
	return uring_submit(args[0], (struct io_uring_sqe){
					     .opcode = IORING_OP_CONNECT,
					     .fd = fd,
					     .addr = ADDRESS(&address),
					     .off = sizeof(address),
				     });
}

/* uring-command FD: one that no device knows, so that what comes after the permission is an error of its own */
static int act_command(char **args)
{
	struct uring u;
	int error;

	if (uring_open(&u, IORING_SETUP_SQE128 | IORING_SETUP_CQE32) < 0)
		return try_setup_failed("io_uring");
	error = uring_enter(&u, (struct io_uring_sqe){
					.opcode = IORING_OP_URING_CMD,
					.fd = atoi(args[0]),
					.cmd_op = 0xdead,
				});
	return error == ENOTTY || error == EINVAL ? 0 : error;
}

/* uring-has OPCODE: 0 if it is a request of this kernel */
static int act_has(char **args)
{
	struct {
		struct io_uring_probe head;
		struct io_uring_probe_op ops[256];
	} probe = {};
	int op = atoi(args[0]);
	struct uring u;

	if (uring_open(&u, 0) < 0 || syscall(SYS_io_uring_register, u.fd, IORING_REGISTER_PROBE, &probe, 256) < 0)
		return try_setup_failed("io_uring");
	return op > probe.head.last_op || !(probe.ops[op].flags & IO_URING_OP_SUPPORTED);
}

int try_uring_receive(const char *where, int fd, struct msghdr *message)
{
	return uring_submit(where, (struct io_uring_sqe){
					   .opcode = IORING_OP_RECVMSG,
					   .fd = fd,
					   .addr = ADDRESS(message),
					   .len = 1,
				   });
}

const struct verb uring_verbs[] = {
	{"uring-open2", 2, act_open2},
	{"uring-open-truncated", 2, act_open_truncated},
	{"uring-exchange", 3, act_exchange},
	{"uring-rmdir", 2, act_rmdir},
	{"uring-fd", 3, act_fd},
	{"uring-registered", 2, act_registered},
	{"uring-splice", 2, act_splice},
	{"uring-connect", 2, act_connect},
	{"uring-command", 1, act_command},
	{"uring-has", 1, act_has},
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
