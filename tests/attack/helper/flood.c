/* SPDX-License-Identifier: Apache-2.0 */

/*
 * flood [-p MICROSECONDS] [-l] THREADS ATTEMPTS [ACT:]PATH...: tries each over and over, ATTEMPTS times in total, with a pause after
 * each, and says for each:
 *
 *   [ACT:]PATH DONE REFUSED OTHER
 *
 * REFUSED is EPERM, OTHER any other failure. With ATTEMPTS 0 it goes on until SIGTERM, with -l until both were. The status
 * is 0 however they went: what they should have been is the caller's to say. Without an act the path is opened to be read.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATHS_MAX 16
#define THREADS_MAX 64

static int act_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -1 : close(fd);
}

static int act_write(const char *path)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	return fd < 0 ? -1 : close(fd);
}

static int act_truncate(const char *path)
{
	return truncate(path, 0);
}

static int act_chmod(const char *path)
{
	return chmod(path, 0600);
}

/* Should it succeed, the name is gone and the next ones fail in another way: that is counted. */
static int act_rename(const char *path)
{
	char to[4096];

	(void)snprintf(to, sizeof(to), "%s.moved", path);
	return rename(path, to);
}

static int act_link(const char *path)
{
	char to[4096];

	(void)snprintf(to, sizeof(to), "%s.linked", path);
	return link(path, to);
}

static const struct act {
	const char *name;
	int (*run)(const char *path); /* 0, or -1 with errno */
} acts[] = {
	{"open:", act_open},	 {"write:", act_write},	  {"truncate:", act_truncate}, {"chmod:", act_chmod},
	{"unlink:", unlink},	 {"rename:", act_rename}, {"link:", act_link},
};

static struct {
	const struct act *acts[PATHS_MAX];
	const char *objects[PATHS_MAX];
	char **paths;
	int n_paths;
	long opens; /* 0: until told to stop */
	useconds_t pause;
	bool least; /* not before it is told to */
	atomic_long begun;
	atomic_int stop;
	atomic_long opened[PATHS_MAX], refused[PATHS_MAX], other[PATHS_MAX];
} flood;

static void on_term(int signal)
{
	(void)signal;
	flood.stop = 1;
}

static void *flood_thread(void *unused)
{
	(void)unused;
	while (!flood.stop || flood.least) {
		long turn = flood.begun++;
		int i = (int)(turn % flood.n_paths);

		if (flood.opens > 0 && turn >= flood.opens && (!flood.least || flood.stop))
			break;
		if (flood.acts[i]->run(flood.objects[i]) == 0)
			flood.opened[i]++;
		else if (errno == EPERM)
			flood.refused[i]++;
		else
			flood.other[i]++;
		if (flood.pause)
			(void)usleep(flood.pause);
	}
	return NULL;
}

/* "ACT:PATH" or "/path" */
static void attempt_parse(int i, const char *word)
{
	flood.acts[i] = &acts[0];
	flood.objects[i] = word;
	for (size_t a = 0; a < sizeof(acts) / sizeof(acts[0]); a++) {
		size_t len = strlen(acts[a].name);

		if (strncmp(word, acts[a].name, len) == 0) {
			flood.acts[i] = &acts[a];
			flood.objects[i] = word + len;
		}
	}
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS_MAX];
	int n;

	if (argc > 2 && strcmp(argv[1], "-p") == 0) {
		flood.pause = (useconds_t)atoi(argv[2]);
		argv += 2;
		argc -= 2;
	}
	flood.least = argc > 2 && strcmp(argv[1], "-l") == 0;
	argv += flood.least;
	argc -= flood.least;
	n = argc > 3 ? atoi(argv[1]) : 0;
	if (n < 1 || n > THREADS_MAX || argc - 3 > PATHS_MAX) {
		(void)fprintf(stderr, "usage: flood [-p MICROSECONDS] [-l] THREADS ATTEMPTS [ACT:]PATH...\n");
		return 2;
	}
	flood.opens = atol(argv[2]);
	flood.paths = argv + 3;
	flood.n_paths = argc - 3;
	for (int i = 0; i < flood.n_paths; i++)
		attempt_parse(i, flood.paths[i]);
	(void)signal(SIGTERM, on_term);
	for (int i = 0; i < n; i++)
		if (pthread_create(&threads[i], NULL, flood_thread, NULL) != 0) {
			perror("flood: thread");
			return 1;
		}
	for (int i = 0; i < n; i++)
		(void)pthread_join(threads[i], NULL);
	for (int i = 0; i < flood.n_paths; i++)
		(void)printf("%s %ld %ld %ld\n", flood.paths[i], flood.opened[i], flood.refused[i],
			     flood.other[i]);
	return 0;
}
