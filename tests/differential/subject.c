/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Subjects. One process waits, and its child acts: a rule can end the child, and then there is
 * another.
 */

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/fs.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "acts.h"

const struct subject subjects[SUBJECTS] = {
	{"/z/app", 0}, {"/z/app", 1000}, {"/z/web/app2", 0}, {"/z/web/app2", 1001}, {"/z/other", 0},
};

/* Another user who may do as much as root: who asks shall count, not what the files' modes say. */
static void become(uint32_t uid)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &header, data) < 0 || prctl(PR_SET_KEEPCAPS, 1) < 0 ||
	    setresuid(uid, uid, uid) < 0)
		err(3, "become %u", uid);
	data[0].effective = data[0].permitted;
	data[1].effective = data[1].permitted;
	if (syscall(SYS_capset, &header, data) < 0)
		err(3, "capset");
	(void)umask(0);
}

/* What follows returns 0 or an errno. */

static int try_open(const char *path, int flags)
{
	int fd = open(path, flags | O_CLOEXEC | O_NONBLOCK | O_NOCTTY, 0777);

	return fd < 0 ? errno : close(fd) < 0 ? errno : 0;
}

static int try_map(const char *path, uint32_t *step)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), error;
	void *memory;

	if (fd < 0)
		return errno;
	*step = 1;
	memory = mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);
	error = memory == MAP_FAILED ? errno : 0;
	if (memory != MAP_FAILED)
		(void)munmap(memory, 4096);
	(void)close(fd);
	return error;
}

/* A child executes. The kernel ends it by SIGSEGV where a program begins to run and cannot be
 * mapped. */
static void try_exec(const char *path, int fd, struct outcome *o)
{
	char *argv[] = {(char *)"program", NULL}, *envp[] = {NULL};
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		(void)(fd >= 0 ? fexecve(fd, argv, envp) : execve(path, argv, envp));
		_exit(errno);
	}
	if (pid < 0 || waitpid(pid, &status, 0) < 0)
		err(3, "fork");
	if (WIFSIGNALED(status)) {
		o->answer = WTERMSIG(status) == SIGKILL ? ANSWER_KILLED : ANSWER_REFUSED;
		o->step = 1;
		return;
	}
	o->error = WEXITSTATUS(status);
}

static void try_exec_memory(struct outcome *o)
{
	int fd = memfd_create("differential", 0);

	if (fd < 0)
		err(3, "memfd_create");
	world_write_program(fd);
	try_exec(NULL, fd, o);
	(void)close(fd);
}

static int try_rename(const struct act *act, unsigned flags)
{
	return syscall(SYS_renameat2, AT_FDCWD, act->path, AT_FDCWD, act->other, flags) < 0 ? errno
											    : 0;
}

static int try_names(const struct act *act)
{
	int r;

	switch ((int)act->kind) {
	case ACT_TRUNCATE:
		r = truncate(act->path, 0);
		break;
	case ACT_MKDIR:
		r = mkdir(act->path, 0777);
		break;
	case ACT_SYMLINK:
		r = symlink("/nowhere", act->path);
		break;
	case ACT_MKFIFO:
		r = mkfifo(act->path, 0777);
		break;
	case ACT_UNLINK:
		r = unlink(act->path);
		break;
	case ACT_RMDIR:
		r = rmdir(act->path);
		break;
	case ACT_HARD_LINK:
		r = linkat(AT_FDCWD, act->path, AT_FDCWD, act->other, 0);
		break;
	case ACT_CHMOD:
		r = chmod(act->path, 0777);
		break;
	case ACT_TIMES:
		r = utimensat(AT_FDCWD, act->path, NULL, AT_SYMLINK_NOFOLLOW);
		break;
	case ACT_XATTR:
		r = lsetxattr(act->path, "trusted.differential", "x", 1, 0);
		break;
	default:
		errx(3, "no such act");
	}
	return r < 0 ? errno : 0;
}

static void act_do(const struct act *act, struct outcome *o)
{
	switch ((int)act->kind) {
	case ACT_READ:
		o->error = try_open(act->path, O_RDONLY);
		break;
	case ACT_WRITE:
		o->error = try_open(act->path, O_WRONLY);
		break;
	case ACT_READ_WRITE:
		o->error = try_open(act->path, O_RDWR);
		break;
	case ACT_OPEN_CUT:
		o->error = try_open(act->path, O_RDONLY | O_TRUNC);
		break;
	case ACT_CREATE:
		o->error = try_open(act->path, O_WRONLY | O_CREAT | O_EXCL);
		break;
	case ACT_CREATE_READ:
		o->error = try_open(act->path, O_RDONLY | O_CREAT);
		break;
	case ACT_RENAME:
		o->error = try_rename(act, 0);
		break;
	case ACT_EXCHANGE:
		o->error = try_rename(act, RENAME_EXCHANGE);
		break;
	case ACT_WHITEOUT:
		o->error = try_rename(act, RENAME_WHITEOUT);
		break;
	case ACT_MAP:
		o->error = try_map(act->path, &o->step);
		break;
	case ACT_EXEC:
		try_exec(act->path, -1, o);
		break;
	case ACT_EXEC_MEMORY:
		try_exec_memory(o);
		break;
	default:
		o->error = try_names(act);
	}
	if (o->answer == ANSWER_ALLOWED && o->error == EPERM)
		o->answer = ANSWER_REFUSED;
}

/* Acts until there are no more. */
static _Noreturn void act_all(void)
{
	for (;;) {
		struct outcome o = {};
		struct act act;
		ssize_t n = 0, more;

		while (n < (ssize_t)sizeof(act) &&
		       (more = read(0, (char *)&act + n, sizeof(act) - (size_t)n)) > 0)
			n += more;
		if (n != sizeof(act))
			_exit(0);
		act_do(&act, &o);
		if (write(1, &o, sizeof(o)) != sizeof(o))
			_exit(0);
	}
}

_Noreturn void subject_run(uint32_t uid)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	become(uid);
	for (;;) {
		const struct outcome killed = {.answer = ANSWER_KILLED};
		pid_t pid = fork();
		int status;

		if (pid == 0)
			act_all();
		if (pid < 0 || waitpid(pid, &status, 0) < 0)
			err(3, "fork");
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
			exit(WIFEXITED(status) ? WEXITSTATUS(status) : 3);
		if (write(1, &killed, sizeof(killed)) != sizeof(killed))
			exit(3);
	}
}
