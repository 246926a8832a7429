/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The pager is a child at the end of a pipe. agentctl usually runs as root, so less gets
 * LESSSECURE=1: no shell and no editor from within a list that strangers' file names are in. A
 * pager that the user names in the environment is run by the shell as it is.
 */

#include "programs/agentctl/pager.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "util/cleanup.h"

extern char **environ;

/* The user's pager; NULL: not set; "": none wanted. */
static const char *pager_choice(void)
{
	const char *pager = getenv("SYSTEMD_PAGER");

	if (!pager)
		pager = getenv("PAGER");
	if (pager && strcmp(pager, "cat") == 0)
		return "";
	return pager;
}

static int pager_spawn(int fd, pid_t *ret_pid)
{
	const char *choice = pager_choice();
	char *const shell[] = {(char[]){"sh"}, (char[]){"-c"}, (char *)(uintptr_t)choice, NULL};
	char *const less[] = {(char[]){"less"}, NULL};
	char *const more[] = {(char[]){"more"}, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t defaults;
	int r;

	(void)sigemptyset(&defaults);
	(void)sigaddset(&defaults, SIGPIPE);
	if (posix_spawn_file_actions_init(&actions) != 0)
		return -ENOMEM;
	if (posix_spawnattr_init(&attributes) != 0) {
		(void)posix_spawn_file_actions_destroy(&actions);
		return -ENOMEM;
	}
	(void)posix_spawnattr_setsigdefault(&attributes, &defaults);
	(void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
	r = posix_spawn_file_actions_adddup2(&actions, fd, STDIN_FILENO);
	if (r == 0 && choice) {
		r = posix_spawn(ret_pid, "/bin/sh", &actions, &attributes, shell, environ);
	} else if (r == 0) {
		r = posix_spawnp(ret_pid, "less", &actions, &attributes, less, environ);
		if (r == ENOENT)
			r = posix_spawnp(ret_pid, "more", &actions, &attributes, more, environ);
	}
	(void)posix_spawnattr_destroy(&attributes);
	(void)posix_spawn_file_actions_destroy(&actions);
	return -r;
}

int pager_open(struct pager *pager, bool no_pager)
{
	const char *choice = pager_choice();
	const char *less = getenv("SYSTEMD_LESS");
	_cleanup_close_ int reader = -EBADF, writer = -EBADF, out = -EBADF;
	int ends[2];

	*pager = (struct pager){.out = -EBADF};
	if (no_pager || (choice && !*choice) || !isatty(STDOUT_FILENO))
		return 0;
	if (pipe2(ends, O_CLOEXEC) < 0)
		return 0; /* without a pager it is still readable */
	reader = ends[0];
	writer = ends[1];
	out = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3);
	if (out < 0)
		return 0;
	less = less ? less : "FRSXMK";
	(void)setenv("LESS", less, 1);
	(void)setenv("LESSCHARSET", "utf-8", 0);
	(void)setenv("LESSSECURE", "1", 1);
	/* without K less takes an interrupt as "stop reading", so it must not end us */
	if (!strchr(less, 'K'))
		(void)signal(SIGINT, SIG_IGN);
	(void)fflush(stdout);
	if (pager_spawn(reader, &pager->pid) < 0) {
		pager->pid = 0;
		return 0;
	}
	if (dup2(writer, STDOUT_FILENO) < 0)
		return -errno;
	pager->out = steal_fd(&out);
	return 0;
}

void pager_close(struct pager *pager)
{
	if (pager->pid <= 0)
		return;
	(void)fflush(stdout);
	/* the last writer of the pipe goes away: the pager sees the end */
	(void)dup2(pager->out, STDOUT_FILENO);
	(void)close(pager->out);
	while (waitpid(pager->pid, NULL, 0) < 0 && errno == EINTR)
		;
	*pager = (struct pager){.out = -EBADF};
}

unsigned terminal_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size;
	char *end;

	if (!isatty(STDOUT_FILENO))
		return 0;
	if (columns && *columns) {
		unsigned long n = strtoul(columns, &end, 10);

		if (*end == '\0' && n >= 20 && n <= 10000)
			return (unsigned)n;
	}
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
		return size.ws_col;
	return 80;
}
