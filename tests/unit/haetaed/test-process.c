/* SPDX-License-Identifier: Apache-2.0 */

/* Processes that run a program from outside of their mounts, and processes like any other. */

#include "programs/haetaed/process.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/runner.h"
#include "util/cleanup.h"

/* A copy of a program that has no name. */
static int program_copy(const char *path)
{
	char buf[65536];
	int from = open(path, O_RDONLY | O_CLOEXEC), to = memfd_create("copy", MFD_CLOEXEC);
	ssize_t n;

	ck_assert_int_ge(from, 0);
	ck_assert_int_ge(to, 0);
	while ((n = read(from, buf, sizeof(buf))) > 0)
		ck_assert_int_eq(write(to, buf, (size_t)n), n);
	ck_assert_int_eq(n, 0);
	(void)close(from);
	return to;
}

/* A process that runs it and says so: back when it does. */
static int process_of(int program_fd)
{
	char *const argv[] = { (char *)"cat", NULL };
	int in[2], out[2], pid;
	char c = 'x';

	ck_assert_int_eq(pipe2(in, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		(void)dup2(in[0], STDIN_FILENO);
		(void)dup2(out[1], STDOUT_FILENO);
		(void)fexecve(program_fd, argv, environ);
		_exit(1);
	}
	ck_assert_int_eq(write(in[1], &c, 1), 1);
	(void)close(out[1]);
	ck_assert_int_eq(read(out[0], &c, 1), 1);
	(void)close(in[0]);
	(void)close(out[0]);
	return pid; /* in[1] stays open, so it waits */
}

static void process_end(int pid)
{
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
}

START_TEST(test_foreign)
{
	int named = open("/bin/cat", O_RDONLY | O_CLOEXEC), copy = program_copy("/bin/cat");
	int plain = process_of(named), nameless = process_of(copy);

	ck_assert(!process_is_foreign(getpid()));
	ck_assert(!process_is_foreign(plain));
	ck_assert(process_is_foreign(nameless));
	process_end(plain);
	process_end(nameless);
	ck_assert(!process_is_foreign(nameless)); /* gone */
	(void)close(named);
	(void)close(copy);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("process");

	tcase_add_test(tc, test_foreign);
	return tcase_run(tc);
}
