/* SPDX-License-Identifier: Apache-2.0 */

/*
 * flood THREADS OPENS PATH...: opens each path over and over, OPENS times in total, and says for
 * each:
 *
 *   PATH OPENED REFUSED OTHER
 *
 * REFUSED is EPERM, OTHER any other failure. With OPENS 0 it goes on until SIGTERM. The status is 0
 * however the opens went: what they should have been is the caller's to say.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PATHS_MAX 16
#define THREADS_MAX 64

static struct {
	char **paths;
	int n_paths;
	long opens; /* 0: until told to stop */
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
	while (!flood.stop) {
		long turn = flood.begun++;
		int i = (int)(turn % flood.n_paths), fd;

		if (flood.opens > 0 && turn >= flood.opens)
			break;
		fd = open(flood.paths[i], O_RDONLY | O_CLOEXEC);
		if (fd >= 0) {
			(void)close(fd);
			flood.opened[i]++;
		} else if (errno == EPERM) {
			flood.refused[i]++;
		} else {
			flood.other[i]++;
		}
	}
	return NULL;
}

int main(int argc, char **argv)
{
	pthread_t threads[THREADS_MAX];
	int n = argc > 3 ? atoi(argv[1]) : 0;

	if (n < 1 || n > THREADS_MAX || argc - 3 > PATHS_MAX) {
		(void)fprintf(stderr, "usage: flood THREADS OPENS PATH...\n");
		return 2;
	}
	flood.opens = atol(argv[2]);
	flood.paths = argv + 3;
	flood.n_paths = argc - 3;
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
