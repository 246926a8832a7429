/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Instructions of one open+close, as guest nanoseconds under -icount shift=0 (one instruction each).
 *
 *   bench-open PATH [CGROUP]    join CGROUP (cgroup.procs is written), exec itself there so that it is
 *                               bound like a container's first program, then measure
 *
 * Prints one number: the smallest mean of a series, once repeated series agree. A refused open is measured
 * like an allowed one.
 */

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define SERIES 12
#define LOOPS 2000

static uint64_t now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static uint64_t series(const char *path)
{
	uint64_t start = now_ns();

	for (int i = 0; i < LOOPS; i++) {
		int fd = open(path, O_RDONLY | O_CLOEXEC);

		if (fd >= 0)
			(void)close(fd);
	}
	return (now_ns() - start) / LOOPS;
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

int main(int argc, char **argv)
{
	uint64_t best = UINT64_MAX;

	if (argc < 2 || argc > 3) {
		(void)fprintf(stderr, "usage: bench-open PATH [CGROUP]\n");
		return 2;
	}
	if (argc == 3) {
		if (join(argv[2]) < 0) {
			perror(argv[2]);
			return 1;
		}
		(void)execl("/proc/self/exe", argv[0], argv[1], (char *)NULL);
		perror("exec");
		return 1;
	}
	for (int i = 0; i < SERIES; i++) {
		uint64_t mean = series(argv[1]);

		best = mean < best ? mean : best;
	}
	(void)printf("%llu\n", (unsigned long long)best);
	return 0;
}
