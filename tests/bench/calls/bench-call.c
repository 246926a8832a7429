/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Instructions of acts, as guest nanoseconds under -icount shift=0 (one instruction each).
 *
 *   bench-call [-a CPU.STAT] [-g CGROUP]
 *
 * Standard input has a line for each workload, "NAME <tab> ACT <tab> PATH" (acts.c has the acts);
 * for each a line is printed, "NAME <tab> INSTRUCTIONS <tab> SERIES". An act is done in series so
 * short that the kernel's timer, whose work is nobody's, falls into few of them, and the median of
 * their means is what one takes: it is the same in each run, where the mean of all depends on where
 * the timer fell. SERIES is how many it took to come within a thousandth of that for the first
 * time: until then something was filled by use.
 *
 * -g: join CGROUP and exec itself there, so that it is bound like a container's first program. What
 * has just become a container keeps the agent busy for three seconds, and longer if it has many
 * rules to look up: that is waited for. -a: the cpu.stat of the agent's cgroup. Acts that are
 * measured as a whole (acts.h) count what the agent does for them later, less what it does in as
 * much time without them.
 */

#include <fcntl.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "acts.h"

#define GOVERNED "governed" /* name of what runs in a cgroup */
#define SETTLED 1000	    /* a series has settled if it is off by less than one in so many */
#define TAIL 2		    /* seconds after which the agent has done all it will do for an act */
#define BOUND 4		    /* seconds after which it has seen a new container */
#define BUSY_MAX 300	    /* seconds that it may take for its rules */
#define QUIET_NS 20000000   /* what it does in a second when nothing happens, at most */

static const char *agent; /* its cpu.stat */

static uint64_t now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

/* What the agent used so far, in instructions; 0 without one. */
static uint64_t agent_used(void)
{
	uint64_t used = 0;
	FILE *stat = agent ? fopen(agent, "re") : NULL;

	if (!stat)
		return 0;
	if (fscanf(stat, "usage_usec %" SCNu64, &used) != 1)
		used = 0;
	(void)fclose(stat);
	return used * 1000;
}

static uint64_t agent_used_meanwhile(unsigned seconds)
{
	uint64_t before = agent_used();

	if (agent)
		(void)sleep(seconds);
	return agent_used() - before;
}

/* One series, from the act of that number on. Returns: the mean. */
static uint64_t series(const struct act *act, unsigned number)
{
	uint64_t begun, took, idle = 0, tail = 0;

	if (act->pause)
		(void)sleep(act->pause);
	if (act->whole)
		idle = agent_used_meanwhile(TAIL);
	begun = now_ns();
	for (unsigned i = 0; i < act->loops; i++)
		act->one(number + i);
	took = now_ns() - begun;
	if (act->whole)
		tail = agent_used_meanwhile(TAIL);
	return (took + (tail > idle ? tail - idle : 0)) / act->loops;
}

static int compare(const void *a, const void *b)
{
	uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

	return one < other ? -1 : one > other;
}

static uint64_t measure(const struct act *act, unsigned *ret_settled)
{
	uint64_t means[ACT_SERIES_MAX], sorted[ACT_SERIES_MAX], median;
	unsigned n = act_series(act);

	for (unsigned s = 0; s < n; s++)
		sorted[s] = means[s] = series(act, s * act->loops);
	qsort(sorted, n, sizeof(sorted[0]), compare);
	median = sorted[n / 2];
	*ret_settled = 1;
	while (means[*ret_settled - 1] > median + median / SETTLED)
		(*ret_settled)++;
	return median;
}

static void wait_until_bound(void)
{
	(void)sleep(BOUND);
	for (unsigned s = 0; s < BUSY_MAX && agent_used_meanwhile(1) > QUIET_NS; s++)
		;
}

static int join(const char *cgroup)
{
	char procs[4096];
	int fd, n;

	n = snprintf(procs, sizeof(procs), "%s/cgroup.procs", cgroup);
	if (n < 0 || (size_t)n >= sizeof(procs))
		return -1;
	fd = open(procs, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1)
		return -1;
	return close(fd);
}

/* One line of the input. Returns: 0, or -1 and said why. */
static int workload(char *line)
{
	const char *name = strtok(line, "\t\n"), *verb = strtok(NULL, "\t\n"),
		   *path = strtok(NULL, "\t\n");
	const struct act *act = path ? act_find(verb) : NULL;
	unsigned settled = 0;
	uint64_t value;

	if (!act) {
		(void)fprintf(stderr, "%s: expected a name, an act and a path, with tabs\n",
			      name ? name : "empty line");
		return -1;
	}
	if (act->prepare(path) < 0) {
		perror(path);
		return -1;
	}
	value = measure(act, &settled);
	act->done();
	(void)printf("%s\t%" PRIu64 "\t%u\n", name, value, settled);
	return fflush(stdout);
}

static int govern(const char *cgroup)
{
	if (join(cgroup) < 0) {
		perror(cgroup);
		return 1;
	}
	(void)execl("/proc/self/exe", GOVERNED, agent ? "-a" : NULL, agent, (char *)NULL);
	perror("exec");
	return 1;
}

int main(int argc, char **argv)
{
	const char *cgroup = NULL;
	char line[8192];
	int option;

	if (argc == 2 && strcmp(argv[1], ACT_DONE) == 0)
		return 0;
	while ((option = getopt(argc, argv, "a:g:")) >= 0) {
		if (option == 'a')
			agent = optarg;
		else if (option == 'g')
			cgroup = optarg;
		else
			return 2;
	}
	if (optind != argc) {
		(void)fprintf(stderr, "usage: bench-call [-a CPU.STAT] [-g CGROUP] <WORKLOADS\n");
		return 2;
	}
	if (cgroup)
		return govern(cgroup);
	if (strcmp(argv[0], GOVERNED) == 0)
		wait_until_bound();
	while (fgets(line, sizeof(line), stdin))
		if (workload(line) < 0)
			return 1;
	return 0;
}
