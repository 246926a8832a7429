/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Instructions of one act, as guest nanoseconds under -icount shift=0 (one instruction each).
 *
 *   bench-call ACT PATH [CGROUP]    join CGROUP (cgroup.procs is written), exec itself there so that it is bound like a
 *                                   container's first program, then measure
 *
 *   open    open and close PATH, refused or not
 *   few     the same, ten in a second and no more: each has a record of its own
 *   cold    open and close each file in the directory PATH once
 *   read    one byte of PATH, which is open; write: likewise
 *   exec    vfork, exec PATH (this program), wait
 *
 * Prints one number: the smallest mean of some series. (What has just become a container keeps the agent busy for three
 * seconds: that is waited for.)
 */

#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define FILES_MAX 4096
#define DONE "done" /* argument of what exec starts */
#define GOVERNED "governed" /* name of what runs in a cgroup */

static const char *path;
static int file = -1;
static char *files[FILES_MAX];
static unsigned n_files;

static uint64_t now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000ULL + (uint64_t)ts.tv_nsec;
}

static void open_close(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)close(fd);
}

static void act_open(unsigned i)
{
	(void)i;
	open_close(path);
}

static void act_cold(unsigned i)
{
	open_close(files[i % n_files]);
}

static void act_read(unsigned i)
{
	char byte;

	(void)i;
	if (pread(file, &byte, 1, 0) < 0)
		abort();
}

static void act_write(unsigned i)
{
	(void)i;
	if (pwrite(file, "x", 1, 0) != 1)
		abort();
}

static void act_exec(unsigned i)
{
	pid_t child = vfork();

	(void)i;
	if (child == 0) {
		(void)execl(path, path, DONE, (char *)NULL);
		_exit(127);
	}
	if (child < 0 || waitpid(child, NULL, 0) != child)
		abort();
}

static const struct act {
	const char *name;
	void (*one)(unsigned i);
	unsigned series, loops, pause; /* pause: seconds before each series */
} acts[] = {
	{"open", act_open, 12, 2000, 0}, {"few", act_open, 8, 10, 2},	  {"cold", act_cold, 1, 0, 0},
	{"read", act_read, 12, 2000, 0}, {"write", act_write, 12, 2000, 0}, {"exec", act_exec, 3, 100, 0},
};

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

static int prepare(const struct act *act)
{
	struct dirent *de;
	DIR *dir;

	if (act->one == act_read || act->one == act_write)
		return file = open(path, O_RDWR | O_CLOEXEC);
	if (act->one != act_cold)
		return 0;
	dir = opendir(path);
	while (dir && (de = readdir(dir)) && n_files < FILES_MAX)
		if (de->d_name[0] != '.' && asprintf(&files[n_files++], "%s/%s", path, de->d_name) < 0)
			return -1;
	return n_files ? closedir(dir) : -1;
}

static uint64_t measure(const struct act *act)
{
	unsigned loops = act->loops ? act->loops : n_files;
	uint64_t best = UINT64_MAX;

	for (unsigned s = 0; s < act->series; s++) {
		uint64_t begun, mean;

		if (act->pause)
			(void)sleep(act->pause);
		begun = now_ns();
		for (unsigned i = 0; i < loops; i++)
			act->one(i);
		mean = (now_ns() - begun) / loops;
		best = mean < best ? mean : best;
	}
	return best;
}

int main(int argc, char **argv)
{
	const struct act *act = NULL;

	if (argc == 2 && strcmp(argv[1], DONE) == 0)
		return 0;
	for (size_t i = 0; argc >= 3 && i < sizeof(acts) / sizeof(acts[0]); i++)
		if (strcmp(acts[i].name, argv[1]) == 0)
			act = &acts[i];
	if (!act || argc > 4) {
		(void)fprintf(stderr, "usage: bench-call ACT PATH [CGROUP]\n");
		return 2;
	}
	path = argv[2];
	if (argc == 4) {
		if (join(argv[3]) < 0) {
			perror(argv[3]);
			return 1;
		}
		(void)execl("/proc/self/exe", GOVERNED, argv[1], argv[2], (char *)NULL);
		perror("exec");
		return 1;
	}
	if (strcmp(argv[0], GOVERNED) == 0)
		(void)sleep(4);
	if (prepare(act) < 0) {
		perror(path);
		return 1;
	}
	(void)printf("%llu\n", (unsigned long long)measure(act));
	return 0;
}
