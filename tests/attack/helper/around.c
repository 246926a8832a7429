/* SPDX-License-Identifier: Apache-2.0 */

/* Ways around an open, and around a process's permission: the kernel is asked to do for the one who asks what he may not. */

#include "try.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/aio_abi.h>
#include <linux/fs.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fanotify.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/swap.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

/* Return: 0 where the call went through, or got as far as the error `past`; else errno. */
static int outcome(long r, int past)
{
	return r >= 0 || errno == past ? 0 : errno;
}

/* fd-aio FD: read by a request that the kernel works off later */
static int act_aio(char **args)
{
	aio_context_t context = 0;
	struct iocb request = {.aio_lio_opcode = IOCB_CMD_PREAD, .aio_fildes = (uint32_t)atoi(args[0]), .aio_nbytes = 1};
	struct iocb *requests[1] = {&request};
	struct io_event event;
	char byte;

	request.aio_buf = (uintptr_t)&byte;
	if (syscall(SYS_io_setup, 1, &context) < 0)
		return try_setup_failed("io_setup");
	/* a request that is refused is refused when it is handed in, or is its own answer */
	if (syscall(SYS_io_submit, context, 1L, requests) < 0)
		return errno;
	if (syscall(SYS_io_getevents, context, 1L, 1L, &event, NULL) != 1)
		return try_setup_failed("io_getevents");
	return event.res < 0 ? (int)-event.res : 0;
}

/* swap PATH: the kernel's memory goes there. EINVAL: that it is no swap space is found afterwards. */
static int act_swap(char **args)
{
	return outcome(swapon(args[0], 0), EINVAL);
}

/* dump DIR: a core dump, which the kernel writes into the current directory of the one that dies. Refused is what is not there. */
static int act_dump(char **args)
{
	const struct rlimit room = {RLIM_INFINITY, RLIM_INFINITY};
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return try_setup_failed("fork");
	if (pid == 0) {
		if (chdir(args[0]) < 0 || setrlimit(RLIMIT_CORE, &room) < 0)
			_exit(try_setup_failed(args[0]));
		abort();
	}
	if (waitpid(pid, &status, 0) < 0 || !WIFSIGNALED(status))
		return try_setup_failed("a process that dies");
	return WCOREDUMP(status) ? 0 : EPERM;
}

/* whole-mounts: descriptors of what others open, and a say in whether they may (fanotify) */
static int act_whole_mounts(char **args)
{
	(void)args;
	return outcome(fanotify_init(FAN_CLASS_CONTENT | FAN_CLOEXEC, O_RDONLY), 0);
}

/* watched PATH OTHER: opens PATH by what fanotify tells of somebody who opens it; OTHER is the FIFO that makes him */
static int act_watched(char **args)
{
	int watch = fanotify_init(FAN_CLASS_NOTIF | FAN_CLOEXEC, O_RDONLY), go;
	struct fanotify_event_metadata event;
	char byte;

	if (watch < 0 || fanotify_mark(watch, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, args[0]) < 0)
		return try_setup_failed(args[0]);
	go = open(args[1], O_WRONLY | O_CLOEXEC);
	if (go < 0 || write(go, "x", 1) != 1)
		return try_setup_failed(args[1]);
	if (read(watch, &event, sizeof(event)) != (ssize_t)sizeof(event))
		return errno;
	if (event.fd < 0)
		return -event.fd;
	return pread(event.fd, &byte, 1, 0) < 0 ? errno : 0;
}

/* thaw DIR: of a whole filesystem that is not frozen, which is EINVAL */
static int act_thaw(char **args)
{
	int fd = open(args[0], O_RDONLY | O_CLOEXEC);

	return fd < 0 ? try_setup_failed(args[0]) : outcome(ioctl(fd, FITHAW, 0), EINVAL);
}

/* shutdown DIR: of a whole filesystem, in a way that there is not */
static int act_shutdown(char **args)
{
	int fd = open(args[0], O_RDONLY | O_CLOEXEC), way = 0x7fff;

	return fd < 0 ? try_setup_failed(args[0]) : outcome(ioctl(fd, _IOR('X', 125, uint32_t), &way), EINVAL);
}

/* request TYPE NUMBER PATH: an ioctl that this filesystem does not know, once it was let through */
static int act_request(char **args)
{
	int fd = open(args[2], O_RDONLY | O_CLOEXEC);
	unsigned number = _IOC(_IOC_WRITE, (unsigned)args[0][0], (unsigned)atoi(args[1]), sizeof(uint32_t));
	uint32_t value = 0;

	return fd < 0 ? try_setup_failed(args[2]) : outcome(ioctl(fd, number, &value), ENOTTY);
}

/* next-mounts: the mount namespace that is made after one's own, or before it, whoever's it is. ENOTTY: this kernel has no such
 * request; ENOENT: there is none. */
static int act_next_mounts(char **args)
{
	int fd = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
	char info[16] = {};

	(void)args;
	if (fd < 0)
		return try_setup_failed("/proc/self/ns/mnt");
	if (ioctl(fd, _IOC(_IOC_READ, 0xb7, 12, sizeof(info)), info) >= 0 || errno == ENOTTY)
		return 0;
	return outcome(-1, ENOENT);
}

/* type: a letter into its terminal, which somebody else may read from. EIO: it was let through, and this system has that off. */
static int act_type(char **args)
{
	int terminal, fd = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);

	(void)args;
	if (fd < 0 || grantpt(fd) < 0 || unlockpt(fd) < 0)
		return try_setup_failed("a terminal");
	(void)setsid();
	terminal = open(ptsname(fd), O_RDWR | O_CLOEXEC);
	if (terminal < 0)
		return try_setup_failed("a terminal");
	if (ioctl(terminal, TCGETS, &(struct termios){}) < 0)
		return errno;
	return outcome(ioctl(terminal, TIOCSTI, "x"), EIO);
}

/* lock PATH shared|exclusive|range|lease: keeps others from it, by a descriptor that may only read */
static int act_lock(char **args)
{
	struct flock range = {.l_type = F_RDLCK, .l_whence = SEEK_SET, .l_start = 120, .l_len = 1};
	int fd = open(args[0], O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return try_setup_failed(args[0]);
	/* EAGAIN: somebody else has it locked */
	if (strcmp(args[1], "range") == 0)
		return outcome(fcntl(fd, F_OFD_SETLK, &range), EAGAIN);
	if (strcmp(args[1], "lease") == 0)
		return outcome(fcntl(fd, F_SETLEASE, F_RDLCK), EAGAIN);
	return outcome(flock(fd, LOCK_NB | (args[1][0] == 's' ? LOCK_SH : LOCK_EX)), EAGAIN);
}

static char task_state(pid_t pid)
{
	char path[64], state = '?';
	FILE *file;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	file = fopen(path, "re");
	if (file) {
		(void)fscanf(file, "%*d (%*[^)]) %c", &state);
		(void)fclose(file);
	}
	return state;
}

/* owner-signal NUMBER PID: the owner of a descriptor is told that something came, by a signal of choice. EPERM where the
 * one who stops or ends by it goes on. */
static int act_owner_signal(char **args)
{
	int ends[2], signal = atoi(args[0]);
	pid_t pid = (pid_t)atoi(args[1]);
	char state;

	if (pipe2(ends, O_CLOEXEC) < 0 || fcntl(ends[0], F_SETOWN, pid) < 0 || fcntl(ends[0], F_SETSIG, signal) < 0 ||
	    fcntl(ends[0], F_SETFL, O_ASYNC) < 0 || write(ends[1], "x", 1) != 1)
		return errno;
	for (int i = 0; i < 50; i++) {
		state = task_state(pid);
		if (state == 'T' || state == 'Z' || state == '?')
			return 0;
		(void)usleep(10000);
	}
	return EPERM;
}

/* io-priority PID: that it reads and writes when nobody else does */
static int act_io_priority(char **args)
{
	return outcome(syscall(SYS_ioprio_set, 1, atoi(args[0]), 3 << 13), 0);
}

const struct verb around_verbs[] = {
	{"fd-aio", 1, act_aio},
	{"swap", 1, act_swap},
	{"dump", 1, act_dump},
	{"whole-mounts", 0, act_whole_mounts},
	{"watched", 2, act_watched},
	{"thaw", 1, act_thaw},
	{"shutdown", 1, act_shutdown},
	{"request", 3, act_request},
	{"next-mounts", 0, act_next_mounts},
	{"type", 0, act_type},
	{"lock", 2, act_lock},
	{"owner-signal", 2, act_owner_signal},
	{"io-priority", 1, act_io_priority},
	{NULL, 0, NULL},
};
