/* SPDX-License-Identifier: Apache-2.0 */

/* What goes on beside an attack: the tree moves, mounts come and go, until SIGTERM. Each says how often. */

#include "try.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

static volatile sig_atomic_t over;

static void on_term(int signal)
{
	(void)signal;
	over = 1;
}

/* churn-exchange A B: two names change places */
static int act_exchange(char **args)
{
	unsigned long n = 0;

	(void)signal(SIGTERM, on_term);
	for (; !over; n++)
		if (syscall(SYS_renameat2, AT_FDCWD, args[0], AT_FDCWD, args[1], /* RENAME_EXCHANGE */ 2) < 0)
			return try_setup_failed(args[0]);
	(void)printf("%lu exchanges\n", n);
	return 0;
}

/* churn-mount DIRECTORY: a tmpfs comes and goes */
static int act_mount(char **args)
{
	unsigned long n = 0;

	(void)signal(SIGTERM, on_term);
	for (; !over; n++)
		if (mount("churn", args[0], "tmpfs", 0, NULL) < 0 || umount2(args[0], MNT_DETACH) < 0)
			return try_setup_failed(args[0]);
	(void)printf("%lu mounts\n", n);
	return 0;
}

const struct verb churn_verbs[] = {
	{"churn-exchange", 2, act_exchange},
	{"churn-mount", 1, act_mount},
	{},
};
