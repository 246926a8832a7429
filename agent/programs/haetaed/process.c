/* SPDX-License-Identifier: Apache-2.0 */

#include "programs/haetaed/process.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "kernel/kernel.h"
#include "util/cleanup.h"
#include "util/fd.h"
#include "util/process.h"

#define MOUNTINFO_MAX (4U << 20)

/* Where a container is set up there are one or two processes; where many are, nobody looks at all of them. */
#define SET_UP_PROCESSES_MAX 4U

/* Whoever made it long ago and stays like this does no set-up: a program can be from outside of the mounts for ever. */
#define SET_UP_SECONDS_MAX 60

/* Is there a line of this mount? Its number is the first word. */
static bool mountinfo_has(const char *text, unsigned long long mount)
{
	for (const char *line = text; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (*line && strtoull(line, NULL, 10) == mount)
			return true;
	}
	return false;
}

bool process_is_foreign(int pid)
{
	_cleanup_free_ char *text = NULL;
	struct statx st;
	char path[64];
	size_t len;

	(void)snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	if (statx(AT_FDCWD, path, 0, STATX_MNT_ID, &st) < 0 || !(st.stx_mask & STATX_MNT_ID))
		return false;
	(void)snprintf(path, sizeof(path), "/proc/%d/mountinfo", pid);
	return file_read_all(AT_FDCWD, path, MOUNTINFO_MAX, &text, &len) >= 0 && !mountinfo_has(text, st.stx_mnt_id);
}

struct search {
	unsigned long long since; /* ticks since boot; older processes do not count */
	unsigned asked;
	bool found;
};

static int search_one(int pid, void *userdata)
{
	struct search *s = userdata;
	unsigned long long start;

	if (++s->asked > SET_UP_PROCESSES_MAX)
		return 1;
	s->found = process_start(pid, &start) >= 0 && start >= s->since && process_is_foreign(pid);
	return s->found;
}

bool cgroup_is_being_set_up(struct kernel *kernel, const char *cgroup)
{
	long ticks = sysconf(_SC_CLK_TCK);
	struct search s = {};
	struct timespec now;

	if (clock_gettime(CLOCK_BOOTTIME, &now) < 0 || ticks <= 0)
		return false;
	if (now.tv_sec > SET_UP_SECONDS_MAX)
		s.since = (unsigned long long)(now.tv_sec - SET_UP_SECONDS_MAX) * (unsigned long long)ticks;
	(void)kernel_cgroup_processes(kernel, cgroup, search_one, &s);
	return s.found;
}
