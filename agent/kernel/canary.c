/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The canary: believe a refusal that was seen, never an attach that succeeded. A kernel can accept every
 * program and run none of them (a boot with lsm= and without bpf).
 *
 * The child goes the whole way of a container: a fresh cgroup, matched in the kernel by cgroup_mkdir; a
 * first exec there, which binds and is judged; then an open.
 */

#include "kernel/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/cleanup.h"
#include "util/fd.h"

#define CANARY_REFUSED 0
#define CANARY_MOVE 10
#define CANARY_EXEC_OTHER 11
#define CANARY_OPEN_ALLOWED 12
#define CANARY_OPEN_OTHER 13

/* The agent's own cgroup, so that a delegated unit stays inside its subtree. */
static int canary_parent(struct kernel *k)
{
	_cleanup_free_ char *text = NULL;
	size_t len;
	char *line, *path = NULL;
	int fd, r;

	r = file_read_all(AT_FDCWD, "/proc/self/cgroup", 65536, &text, &len);
	if (r < 0)
		return r;
	for (line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
		if (strncmp(line, "0::/", 4) == 0)
			path = line + 4;
	fd = openat(k->cgroup_fd, path && path[0] ? path : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* Only async-signal-safe calls: the agent has threads. */
static void __attribute__((noreturn)) canary_child(int procs_fd, const char *canary_file)
{
	char *const argv[] = { (char *)"haetaed", (char *)KERNEL_CANARY_ARGUMENT, NULL };
	char *const envp[] = { NULL };
	int fd;

	if (write(procs_fd, "0", 1) != 1)
		_exit(CANARY_MOVE);
	execve("/proc/self/exe", argv, envp);
	if (errno != EPERM)
		_exit(CANARY_EXEC_OTHER);
	fd = open(canary_file, O_RDONLY | O_CLOEXEC);
	if (fd >= 0)
		_exit(CANARY_OPEN_ALLOWED);
	_exit(errno == EPERM ? CANARY_REFUSED : CANARY_OPEN_OTHER);
}

int kernel_canary_result(int status, char **reterr_text)
{
	if (!WIFEXITED(status))
		return kernel_fail(reterr_text, -EIO, "The canary was killed by signal %d",
				   WTERMSIG(status));
	switch (WEXITSTATUS(status)) {
	case CANARY_REFUSED:
		return 0;
	case KERNEL_CANARY_RAN:
		return kernel_fail(reterr_text, -ENOTSUP,
				   "The kernel runs what the canary policy refuses: the programs are "
				   "attached, but not in force");
	case CANARY_OPEN_ALLOWED:
		return kernel_fail(reterr_text, -ENOTSUP,
				   "The kernel opens what the canary policy refuses");
	default:
		return kernel_fail(reterr_text, -EIO, "The canary failed (step %d)",
				   WEXITSTATUS(status));
	}
}

int kernel_canary(struct kernel *k, const char *canary_file, char **reterr_text)
{
	_cleanup_close_ int parent_fd = -EBADF, dir_fd = -EBADF, procs_fd = -EBADF;
	int status = 0, r;
	pid_t pid;

	*reterr_text = NULL;
	parent_fd = canary_parent(k);
	if (parent_fd < 0)
		return kernel_fail(reterr_text, parent_fd, "Failed to find the agent's own cgroup");
	(void)unlinkat(parent_fd, KERNEL_CANARY_CGROUP, AT_REMOVEDIR);
	if (mkdirat(parent_fd, KERNEL_CANARY_CGROUP, 0755) < 0)
		return kernel_fail(reterr_text, -errno, "Failed to make the canary's cgroup");
	dir_fd = openat(parent_fd, KERNEL_CANARY_CGROUP, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir_fd >= 0)
		procs_fd = openat(dir_fd, "cgroup.procs", O_WRONLY | O_CLOEXEC);
	if (procs_fd < 0) {
		r = -errno;
		(void)unlinkat(parent_fd, KERNEL_CANARY_CGROUP, AT_REMOVEDIR);
		return kernel_fail(reterr_text, r, "Failed to open the canary's cgroup");
	}
	pid = fork();
	if (pid == 0)
		canary_child(procs_fd, canary_file);
	r = pid < 0 ? -errno : 0;
	while (r == 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			r = -errno;
	(void)unlinkat(parent_fd, KERNEL_CANARY_CGROUP, AT_REMOVEDIR);
	if (r < 0)
		return kernel_fail(reterr_text, r, "Failed to run the canary");
	return kernel_canary_result(status, reterr_text);
}
