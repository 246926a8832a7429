/* SPDX-License-Identifier: Apache-2.0 */

#include "programs/haetaed/identity-roots.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "util/process.h"

/* Processes that are asked in one cgroup. */
#define PROCESSES_MAX 4096U

static int root_look(int pid, void *userdata)
{
	struct roots *roots = userdata;
	struct root found = { .pid = pid };
	struct root *place = NULL, *youngest = NULL;
	struct stat st;
	char path[64];

	if (++roots->asked > PROCESSES_MAX)
		return 1;
	(void)snprintf(path, sizeof(path), "/proc/%d/ns/mnt", pid);
	if (stat(path, &st) < 0 || process_start(pid, &found.start) < 0)
		return 0; /* gone */
	found.namespace = st.st_ino;
	for (size_t i = 0; i < roots->n; i++) {
		if (roots->items[i].namespace == found.namespace)
			place = &roots->items[i];
		if (!youngest || roots->items[i].start > youngest->start)
			youngest = &roots->items[i];
	}
	if (!place && roots->n < ROOTS_MAX) {
		roots->items[roots->n++] = found;
		return 0;
	}
	if (!place)
		place = youngest;
	if (place && found.start < place->start)
		*place = found;
	return 0;
}

int roots_find(struct kernel *kernel, const char *cgroup, struct roots *ret)
{
	int r = kernel_cgroup_processes(kernel, cgroup, root_look, ret);

	return r > 0 ? 0 : r;
}
