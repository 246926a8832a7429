/* SPDX-License-Identifier: Apache-2.0 */

#include "try.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

int try_setup_failed(const char *what)
{
	(void)fprintf(stderr, "try: setup: %s: %s\n", what, strerror(errno));
	return STATUS_SETUP;
}

int try_wait(int pid)
{
	int status;

	while (waitpid(pid, &status, __WALL) < 0)
		if (errno != EINTR)
			return try_setup_failed("waitpid");
	if (!WIFEXITED(status)) {
		(void)fprintf(stderr, "try: ended by signal %d\n", WTERMSIG(status));
		return STATUS_SETUP;
	}
	return WEXITSTATUS(status);
}

int try_copy(const char *from, int to_fd)
{
	char buf[65536];
	ssize_t n;
	int fd = open(from, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	while ((n = read(fd, buf, sizeof(buf))) > 0)
		if (write(to_fd, buf, (size_t)n) != n) {
			n = -1;
			break;
		}
	(void)close(fd);
	return n < 0 ? -1 : 0;
}

static int verb_find(const struct verb *verbs, const char *name, const struct verb **ret)
{
	for (const struct verb *v = verbs; v->name; v++)
		if (strcmp(v->name, name) == 0) {
			*ret = v;
			return 1;
		}
	return 0;
}

int try_run(char **words)
{
	const struct verb *const all[] = {wrap_verbs, file_verbs, exec_verbs, descriptor_verbs,
					  escape_verbs, task_verbs, attribute_verbs, uring_verbs,
					  tree_verbs,	socket_verbs,	churn_verbs,	 compat_verbs,
					  serve_verbs,	handle_verbs,	volume_verbs,	 around_verbs,
					  fill_verbs,	exchange_verbs};
	const struct verb *verb = NULL;
	int n = 0;

	if (!words[0]) {
		(void)fprintf(stderr, "try: no act\n");
		return STATUS_SETUP;
	}
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]) && !verb; i++)
		(void)verb_find(all[i], words[0], &verb);
	if (!verb) {
		(void)fprintf(stderr, "try: unknown word '%s'\n", words[0]);
		return STATUS_SETUP;
	}
	while (words[1 + n])
		n++;
	if (n < verb->n_args) {
		(void)fprintf(stderr, "try: '%s' needs %d arguments\n", words[0], verb->n_args);
		return STATUS_SETUP;
	}
	return verb->run(words + 1);
}

int main(int argc, char **argv)
{
	int status = try_run(argv + 1);

	(void)argc;
	if (status > 0 && status < STATUS_SETUP)
		(void)fprintf(stderr, "try: %s: %s\n", argv[1], strerror(status));
	return status;
}
