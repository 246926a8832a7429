/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Instructions of acts, as guest nanoseconds under -icount shift=0 (one instruction each).
 *
 *   bench-call [-a CPU.STAT] [-g CGROUP]
 *
 * Standard input has a line for each workload, "NAME <tab> ACT <tab> PATH" (acts.c has the acts);
 * for each a line is printed, "NAME <tab> INSTRUCTIONS <tab> ROUNDS". An act is done in series so
 * short that the kernel's timer, whose work is nobody's, falls into few of them, and the median of
 * their means is what one takes: the mean of all would depend on where the timer fell. All
 * workloads are gone through in five rounds, and the least of their medians is the figure: what the
 * kernel or the agent does for a while that has nothing to do with the act (threads of RCU, a scan,
 * a batch that goes to the disk) is over by another round. ROUNDS is how many of them came within a
 * thousandth of the least.
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
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "acts.h"

#define GOVERNED "governed" /* name of what runs in a cgroup */
#define ROUNDS 5
#define AGREED 1000 /* a round agrees if it is off by less than one in so many */
#define WORKLOADS_MAX 64
#define SETTLING_NS                                                                                \
	60000000     /* some grace periods of RCU, after which the kernel frees what was closed */
#define TAIL 2	     /* seconds after which the agent has done all it will do for an act */
#define BOUND 4	     /* seconds after which it has seen a new container */
#define BUSY_MAX 300 /* seconds that it may take for its rules */
#define QUIET_NS 20000000 /* what it does in a second when nothing happens, at most */

static const char *agent; /* its cpu.stat */

/* CLOCK: CLOCK_MONOTONIC, what the machine does; CLOCK_THREAD_CPUTIME_ID, what this thread does in
 * it, which is the same in each run. */
static uint64_t now_ns(clockid_t clock)
{
	struct timespec ts;

	(void)clock_gettime(clock, &ts);
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
	clockid_t clock = act->others ? CLOCK_MONOTONIC : CLOCK_THREAD_CPUTIME_ID;
	uint64_t begun, took, idle = 0, tail = 0;

	if (act->pause)
		(void)sleep(act->pause);
	if (act->whole)
		idle = agent_used_meanwhile(TAIL);
	begun = now_ns(clock);
	for (unsigned i = 0; i < act->loops; i++)
		act->one(number + i);
	took = now_ns(clock) - begun;
	if (act->whole)
		tail = agent_used_meanwhile(TAIL);
	return (took + (tail > idle ? tail - idle : 0)) / act->loops;
}

static int compare(const void *a, const void *b)
{
	uint64_t one = *(const uint64_t *)a, other = *(const uint64_t *)b;

	return one < other ? -1 : one > other;
}

/* One round of it. Returns: the median of its series. */
static uint64_t measure(const struct act *act, unsigned round)
{
	unsigned n = act_series(act, ROUNDS);
	uint64_t means[ACT_SERIES_MAX];

	for (unsigned s = 0; s < n; s++)
		means[s] = series(act, (round * n + s) * act->loops);
	qsort(means, n, sizeof(means[0]), compare);
	return means[n / 2];
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

struct workload {
	char *name, *path;
	const struct act *act;
	uint64_t medians[ROUNDS];
};

/* Takes LINE. Returns: 0, or -1 and said why. */
static int workload_parse(struct workload *ret, char *line)
{
	const char *verb;

	ret->name = strtok(line, "\t\n");
	verb = strtok(NULL, "\t\n");
	ret->path = strtok(NULL, "\t\n");
	ret->act = ret->path ? act_find(verb) : NULL;
	if (ret->act)
		return 0;
	(void)fprintf(stderr, "%s: expected a name, an act and a path, with tabs\n",
		      ret->name ? ret->name : "empty line");
	return -1;
}

/* All workloads of standard input; their text lives as long as we do. Returns: how many, or -1 and
 * said why. */
static int workloads_read(struct workload *ret)
{
	char *line = NULL;
	size_t room = 0;
	int n = 0;

	while (getline(&line, &room, stdin) >= 0) {
		if (n == WORKLOADS_MAX) {
			(void)fprintf(stderr, "more than %d workloads\n", WORKLOADS_MAX);
			return -1;
		}
		if (workload_parse(&ret[n++], line) < 0)
			return -1;
		line = NULL;
		room = 0;
	}
	free(line);
	return n;
}

/* What was before is freed. For an act that has files or names freed, opens and closes until what
 * the kernel frees late comes back as fast as it is taken: before, each open pays for fresh memory.
 */
static void kernel_settles(const struct act *act)
{
	uint64_t end = now_ns(CLOCK_MONOTONIC) + SETTLING_NS;

	if (!act->frees) {
		(void)usleep(SETTLING_NS / 1000);
		return;
	}
	while (now_ns(CLOCK_MONOTONIC) < end) {
		int fd = open("/", O_RDONLY | O_CLOEXEC);

		if (fd >= 0)
			(void)close(fd);
	}
}

/* In a process of its own, so that it is the same in each round: what the C library does for
 * threads stays with a process, as do the mappings of their stacks. Returns: 0, or -1 and said why.
 */
static int workload_run(const struct workload *w, unsigned round, uint64_t *ret_median)
{
	if (w->act->prepare(w->path) < 0) {
		perror(w->path);
		return -1;
	}
	kernel_settles(w->act);
	*ret_median = measure(w->act, round);
	w->act->done();
	return 0;
}

/* Returns: 0, or -1 and said why. */
static int workload_round(struct workload *w, uint64_t *shared, unsigned round)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		_exit(workload_run(w, round, shared) < 0);
	if (child < 0 || waitpid(child, &status, 0) != child) {
		perror("fork");
		return -1;
	}
	w->medians[round] = *shared;
	return status == 0 ? 0 : -1;
}

/* All workloads, round by round. Returns: 0, or -1 and said why. */
static int rounds_run(struct workload *workloads, int n)
{
	uint64_t *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
				MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (shared == MAP_FAILED) {
		perror("mmap");
		return -1;
	}
	for (unsigned r = 0; r < ROUNDS; r++)
		for (int i = 0; i < n; i++)
			if (workload_round(&workloads[i], shared, r) < 0)
				return -1;
	return munmap(shared, sizeof(*shared));
}

static void workload_tell(const struct workload *w)
{
	uint64_t least = UINT64_MAX;
	unsigned agreed = 0;

	for (unsigned r = 0; r < ROUNDS; r++)
		if (w->medians[r] < least)
			least = w->medians[r];
	for (unsigned r = 0; r < ROUNDS; r++)
		if (w->medians[r] <= least + least / AGREED)
			agreed++;
	(void)printf("%s\t%" PRIu64 "\t%u\n", w->name, least, agreed);
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
	struct workload workloads[WORKLOADS_MAX];
	const char *cgroup = NULL;
	int option, n;

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
	n = workloads_read(workloads);
	if (n < 0)
		return 1;
	if (rounds_run(workloads, n) < 0)
		return 1;
	for (int i = 0; i < n; i++)
		workload_tell(&workloads[i]);
	return fflush(stdout);
}
