/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The acts. Each prepares what it needs once; one() is then nothing but the system calls in
 * question. What cannot fail unless the machine is broken aborts; an open may be refused, as that
 * is measured too.
 */

#include "acts.h"

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define TOLD_MAX 2500U
#define FILES_MAX 4096
#define PAGE 4096

static const char *path;
static char other[4096]; /* the name that a rename goes to */
static int file = -1;
static char *files[FILES_MAX];
static unsigned n_files;

/* ---- made ready ---- */

static int prepare_path(const char *name)
{
	path = name;
	return 0;
}

static int prepare_file(const char *name)
{
	file = open(name, O_RDWR | O_CLOEXEC);
	return file < 0 ? -1 : 0;
}

static int prepare_program(const char *name)
{
	file = open(name, O_RDONLY | O_CLOEXEC);
	return file < 0 ? -1 : 0;
}

static int prepare_rename(const char *name)
{
	path = name;
	return snprintf(other, sizeof(other), "%s.other", name) < (int)sizeof(other) ? 0 : -1;
}

static int prepare_directory(const char *name)
{
	const struct dirent *de;
	DIR *dir = opendir(name);

	n_files = 0;
	while (dir && n_files < FILES_MAX && (de = readdir(dir)))
		if (de->d_name[0] != '.' &&
		    asprintf(&files[n_files++], "%s/%s", name, de->d_name) < 0)
			return -1;
	if (dir)
		(void)closedir(dir);
	return n_files ? 0 : -1;
}

static void done_nothing(void)
{
}

static void done_file(void)
{
	(void)close(file);
	file = -1;
}

static void done_directory(void)
{
	while (n_files > 0)
		free(files[--n_files]);
}

/* ---- done over and over ---- */

static void open_close(const char *name)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		(void)close(fd);
}

static void one_open(unsigned i)
{
	open_close(path);
}

/* More than KERNEL_RATE_MAX (agent/kernel/kernel.h), which counts for a second. */
static int prepare_flood(const char *name)
{
	(void)prepare_path(name);
	for (unsigned i = 0; i < TOLD_MAX; i++)
		one_open(i);
	return 0;
}

static void one_cold(unsigned i)
{
	open_close(files[i % n_files]);
}

static void one_stat(unsigned i)
{
	struct stat st;

	if (stat(path, &st) < 0)
		abort();
}

static void one_read(unsigned i)
{
	char byte;

	if (pread(file, &byte, 1, 0) < 0)
		abort();
}

static void one_write(unsigned i)
{
	if (pwrite(file, "x", 1, 0) != 1)
		abort();
}

static void map(int protection)
{
	void *memory = mmap(NULL, PAGE, protection, MAP_PRIVATE, file, 0);

	if (memory == MAP_FAILED || munmap(memory, PAGE) < 0)
		abort();
}

static void one_map(unsigned i)
{
	map(PROT_READ);
}

static void one_map_program(unsigned i)
{
	map(PROT_READ | PROT_EXEC);
}

static void one_create(unsigned i)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0 || close(fd) < 0 || unlink(path) < 0)
		abort();
}

static void one_rename(unsigned i)
{
	if ((i % 2 ? rename(other, path) : rename(path, other)) < 0)
		abort();
}

static void wait_for(pid_t child)
{
	if (child < 0 || waitpid(child, NULL, 0) != child)
		abort();
}

static void one_fork(unsigned i)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	wait_for(child);
}

static void one_exec(unsigned i)
{
	pid_t child = vfork();

	if (child == 0) {
		(void)execl(path, path, ACT_DONE, (char *)NULL);
		_exit(127);
	}
	wait_for(child);
}

static void *nothing(void *userdata)
{
	return userdata;
}

static void one_thread(unsigned i)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, nothing, NULL) != 0 || pthread_join(thread, NULL) != 0)
		abort();
}

/*
 * A series is about half a million instructions, an eighth of the time between two ticks of the
 * timer. "flood" is "open" once more refusals were made than are told one by one in a second, and
 * "few" so seldom that each has a record of its own. An even number of renames ends where it began.
 * Before an "exec" the agent has forced the records of former ones to the disk, which it does every
 * five seconds however many there are (store_config.sync_ms).
 */
static const struct act acts[] = {
	{"open", prepare_path, one_open, done_nothing, .frees = true, .loops = 50, .series = 21},
	{"flood", prepare_flood, one_open, done_nothing, .frees = true, .loops = 50, .series = 21},
	{"few", prepare_path, one_open, done_nothing, .frees = true, .loops = 10, .series = 1,
	 .pause = 2},
	{"cold", prepare_directory, one_cold, done_directory, .frees = true, .loops = 20},
	{"stat", prepare_path, one_stat, done_nothing, .loops = 50, .series = 21},
	{"read", prepare_file, one_read, done_file, .loops = 200, .series = 21},
	{"write", prepare_file, one_write, done_file, .loops = 200, .series = 21},
	{"map", prepare_program, one_map, done_file, .frees = true, .loops = 30, .series = 21},
	{"map-program", prepare_program, one_map_program, done_file, .frees = true, .loops = 30,
	 .series = 21},
	{"create", prepare_path, one_create, done_nothing, .frees = true, .loops = 10,
	 .series = 21},
	{"rename", prepare_rename, one_rename, done_nothing, .frees = true, .loops = 20,
	 .series = 21},
	{"fork", prepare_path, one_fork, done_nothing, .loops = 2, .series = 21, .others = true},
	{"thread", prepare_path, one_thread, done_nothing, .frees = true, .loops = 5, .series = 21,
	 .others = true},
	{"exec", prepare_path, one_exec, done_nothing, .loops = 100, .series = 1, .others = true,
	 .whole = true, .pause = 6},
};

const struct act *act_find(const char *name)
{
	for (size_t i = 0; i < sizeof(acts) / sizeof(acts[0]); i++)
		if (strcmp(acts[i].name, name) == 0)
			return &acts[i];
	return NULL;
}

unsigned act_series(const struct act *act, unsigned rounds)
{
	unsigned n = act->series ? act->series : n_files / act->loops / rounds;

	return n < ACT_SERIES_MAX ? n : ACT_SERIES_MAX;
}
