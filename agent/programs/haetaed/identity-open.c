/* SPDX-License-Identifier: Apache-2.0 */

#include "programs/haetaed/identity-open.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/cleanup.h"

/* The kernel asks for another try when something moved beside a lookup. */
#define OPEN_TRIES 16U
/* A path of a cgroup, and a line around it. */
#define CGROUP_LINE_MAX (PATH_MAX + 64)

/* ---- in the child: system calls only, as the agent has threads ---- */

static int child_open(int root, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};

	for (unsigned i = 0; i < OPEN_TRIES; i++) {
		long fd = syscall(SYS_openat2, root, path, &how, sizeof(how));

		if (fd >= 0)
			return (int)fd;
		if (errno != EAGAIN && errno != EINTR)
			break;
	}
	return -errno;
}

static bool path_is_below(const char *path, size_t len, const char *above)
{
	size_t n = strlen(above);

	if (n == 1 && above[0] == '/')
		return true;
	return len >= n && memcmp(path, above, n) == 0 && (len == n || path[n] == '/');
}

/* Is the process that `proc` stands for (and no other that got its number) below the cgroup? */
static bool child_in_cgroup(int proc, const char *cgroup)
{
	char text[CGROUP_LINE_MAX];
	size_t used = 0;
	int fd = openat(proc, "cgroup", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	for (;;) {
		ssize_t n = read(fd, text + used, sizeof(text) - 1 - used);

		if (n <= 0)
			break;
		used += (size_t)n;
	}
	(void)close(fd);
	text[used] = '\0';
	for (const char *line = text; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, "0::", 3) == 0)
			return path_is_below(line + 3, strcspn(line + 3, "\n"), cgroup);
	}
	return false;
}

static int child_root(pid_t pid, const char *cgroup)
{
	char path[64];
	int proc, root;

	(void)snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	proc = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (proc < 0)
		return -errno;
	/* The root first: whoever is in the cgroup afterwards was the same process before. */
	root = openat(proc, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return -errno;
	if (!child_in_cgroup(proc, cgroup))
		return -ESRCH;
	(void)close(proc);
	return root;
}

static void child_tell(const int32_t *answers, size_t n)
{
	const char *p = (const char *)answers;
	size_t left = n * sizeof(*answers);

	while (left > 0) {
		ssize_t written = write(STDIN_FILENO, p, left);

		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0)
			_exit(1);
		p += written;
		left -= (size_t)written;
	}
}

/* Its only other descriptor is the pipe, in the place of standard input. */
static void __attribute__((noreturn))
child_run(struct opening *o, pid_t agent, int pipe_fd, pid_t pid, const char *cgroup,
	  const char *const *paths)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != agent || dup2(pipe_fd, STDIN_FILENO) < 0 ||
	    syscall(SYS_close_range, 1U, ~0U, 0U) < 0)
		_exit(1);
	o->answers[0] = child_root(pid, cgroup);
	for (size_t i = 0; i < o->n; i++)
		o->answers[i + 1] = o->answers[0] < 0 ? o->answers[0] :
							child_open(o->answers[0], paths[i]);
	child_tell(o->answers, o->n + 1);
	for (;;)
		(void)pause();
}

/* ---- in the agent ---- */

int opening_start(struct opening *o, pid_t pid, const char *cgroup, const char *const *paths,
		  size_t n)
{
	pid_t agent = getpid();
	int fds[2];

	if (n > OPENING_PATHS_MAX)
		return -E2BIG;
	*o = (struct opening){ .fd = -EBADF, .n = n };
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) < 0)
		return -errno;
	o->pid = fork();
	if (o->pid == 0)
		child_run(o, agent, fds[1], pid, cgroup, paths);
	(void)close(fds[1]);
	if (o->pid < 0) {
		int r = -errno;

		(void)close(fds[0]);
		return r;
	}
	o->fd = fds[0];
	return 0;
}

int opening_receive(struct opening *o)
{
	size_t size = (o->n + 1) * sizeof(*o->answers);

	while (o->received < size) {
		ssize_t n = read(o->fd, (char *)o->answers + o->received, size - o->received);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return errno == EAGAIN ? 0 : -errno;
		if (n == 0)
			return -EPIPE; /* it ended */
		o->received += (size_t)n;
	}
	return o->answers[0] < 0 ? o->answers[0] : 1;
}

void opening_kill(struct opening *o)
{
	if (o->pid > 0)
		(void)kill(o->pid, SIGKILL);
}

bool opening_reap(struct opening *o)
{
	pid_t r = waitpid(o->pid, NULL, WNOHANG);

	if (r == 0 || (r < 0 && errno == EINTR))
		return false;
	(void)close(o->fd);
	*o = (struct opening){ .fd = -EBADF };
	return true;
}
