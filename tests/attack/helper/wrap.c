/* SPDX-License-Identifier: Apache-2.0 */

/* Wrappers: what a process is and where it stands when it acts. */

#include "try.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

/* chdir DIR */
static int wrap_chdir(char **args)
{
	if (chdir(args[0]) < 0)
		return try_setup_failed(args[0]);
	return try_run(args + 1);
}

/* chroot DIR */
static int wrap_chroot(char **args)
{
	if (chroot(args[0]) < 0 || chdir("/") < 0)
		return try_setup_failed(args[0]);
	return try_run(args + 1);
}

/* cgroup DIR: moves to another cgroup */
static int wrap_cgroup(char **args)
{
	char path[4096];
	int fd, n;

	n = snprintf(path, sizeof(path), "%s/cgroup.procs", args[0]);
	if (n < 0 || (size_t)n >= sizeof(path))
		return try_setup_failed(args[0]);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		return try_setup_failed(path);
	(void)close(fd);
	return try_run(args + 1);
}

/* fork */
static int wrap_fork(char **args)
{
	pid_t pid = fork();

	if (pid < 0)
		return try_setup_failed("fork");
	if (pid == 0)
		_exit(try_run(args));
	return try_wait(pid);
}

static int vfork_child(void *args)
{
	_exit(try_run(args));
}

/* vfork: a child that shares our memory until it execs or exits */
static int wrap_vfork(char **args)
{
	size_t size = 256UL * 1024UL;
	char *stack = malloc(size);
	int status;
	pid_t pid;

	if (!stack)
		return try_setup_failed("malloc");
	pid = clone(vfork_child, stack + size, CLONE_VM | CLONE_VFORK | SIGCHLD, args);
	status = pid < 0 ? try_setup_failed("clone") : try_wait(pid);
	free(stack);
	return status;
}

static void *thread_run(void *args)
{
	return (void *)(long)try_run(args);
}

/* thread: the rest happens in a thread that is not the leader */
static int wrap_thread(char **args)
{
	pthread_t thread;
	void *status;

	errno = pthread_create(&thread, NULL, thread_run, args);
	if (errno != 0 || pthread_join(thread, &status) != 0)
		return try_setup_failed("thread");
	return (int)(long)status;
}

/* wait FIFO: goes on once somebody has opened the FIFO for writing */
static int wrap_wait(char **args)
{
	int fd = open(args[0], O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return try_setup_failed(args[0]);
	(void)close(fd);
	return try_run(args + 1);
}

/* mountns: a mount namespace of its own */
static int wrap_mountns(char **args)
{
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return try_setup_failed("mount namespace");
	return try_run(args);
}

/* bind FROM TO: mounts, in whatever namespace it is by then */
static int wrap_bind(char **args)
{
	if (mount(args[0], args[1], NULL, MS_BIND, NULL) < 0)
		return try_setup_failed("bind mount");
	return try_run(args + 2);
}

/* move FROM TO ...: the mount that stands at FROM stands at TO from now on */
static int wrap_move(char **args)
{
	if (mount(args[0], args[1], NULL, MS_MOVE, NULL) < 0)
		return try_setup_failed("moving a mount");
	return try_run(args + 2);
}

/* pivot-root NEW OLD ...: a mount of NEW becomes the root of all, and what was the root is seen at OLD below it */
static int wrap_pivot(char **args)
{
	char old[4096];
	int n = snprintf(old, sizeof(old), "%s/%s", args[0], args[1]);

	if (n < 0 || (size_t)n >= sizeof(old) || mount(args[0], args[0], NULL, MS_BIND, NULL) < 0 ||
	    syscall(SYS_pivot_root, args[0], old) < 0 || chdir("/") < 0)
		return try_setup_failed("pivot_root");
	return try_run(args + 2);
}

/* userns: a user namespace of its own, in which it is root */
static int wrap_userns(char **args)
{
	if (unshare(CLONE_NEWUSER) < 0)
		return try_setup_failed("user namespace");
	return try_run(args);
}

/* each: acts from standard input, one in a line with blanks between its words, each in a process of its own; prints the
 * status of each beside it. Whoever runs in a container does so without a start for each act. */
static int run_each(char **args)
{
	char line[4096];

	(void)args;
	while (fgets(line, sizeof(line), stdin)) {
		char *words[64] = {}, copy[sizeof(line)];
		int status, n = 0;
		pid_t pid;

		line[strcspn(line, "\n")] = '\0';
		(void)snprintf(copy, sizeof(copy), "%s", line);
		for (char *w = strtok(copy, " "); w && n < 63; w = strtok(NULL, " "))
			words[n++] = w;
		(void)fflush(stdout);
		pid = fork();
		if (pid < 0)
			return try_setup_failed("fork");
		if (pid == 0)
			_exit(try_run(words));
		status = try_wait(pid);
		(void)printf("%d %s\n", status, line);
	}
	return 0;
}

const struct verb wrap_verbs[] = {
	{"each", 0, run_each},
	{"chdir", 2, wrap_chdir},
	{"chroot", 2, wrap_chroot},
	{"cgroup", 2, wrap_cgroup},
	{"fork", 1, wrap_fork},
	{"vfork", 1, wrap_vfork},
	{"thread", 1, wrap_thread},
	{"wait", 2, wrap_wait},
	{"mountns", 1, wrap_mountns},
	{"bind", 3, wrap_bind},
	{"move", 3, wrap_move},
	{"pivot-root", 3, wrap_pivot},
	{"userns", 1, wrap_userns},
	{NULL, 0, NULL},
};
