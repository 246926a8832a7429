/* SPDX-License-Identifier: Apache-2.0 */

/* The child that opens what rules name: what it has open afterwards, and how it ends. */

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "programs/haetaed/identity-open.h"
#include "tests/unit/event/sample.h"
#include "tests/unit/runner.h"
#include "util/cleanup.h"
#include "util/fd.h"

static char dir[] = "/tmp/haetae-open-XXXXXX";

static const char *at(const char *name)
{
	static char paths[8][256];
	static unsigned next;
	char *path = paths[next++ % 8];

	(void)snprintf(path, sizeof(paths[0]), "%s/%s", dir, name);
	return path;
}

static void setup(void)
{
	int fd;

	ck_assert_ptr_nonnull(mkdtemp(dir));
	fd = open(at("file"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	(void)close(fd);
	ck_assert_int_eq(symlink("file", at("link")), 0);
	ck_assert_int_eq(symlink("/proc/self/exe", at("magic")), 0);
	ck_assert_int_eq(mkfifo(at("fifo"), 0600), 0);
	ck_assert_int_eq(mkdir(at("sub"), 0700), 0);
}

static void teardown(void)
{
	for (const char *const *p = (const char *const[]){"file", "link", "magic", "fifo", NULL}; *p; p++)
		ck_assert_int_eq(unlink(at(*p)), 0);
	ck_assert_int_eq(rmdir(at("sub")), 0);
	ck_assert_int_eq(rmdir(dir), 0);
	(void)strcpy(dir, "/tmp/haetae-open-XXXXXX");
}

static int finish(struct opening *o)
{
	int r;

	while ((r = opening_receive(o)) == 0) {
		struct pollfd fd = {.fd = o->fd, .events = POLLIN};

		ck_assert_int_ge(poll(&fd, 1, 60000), 0);
	}
	return r;
}

static void end(struct opening *o)
{
	opening_kill(o);
	while (!opening_reap(o))
		(void)poll(NULL, 0, 1);
	ck_assert_int_lt(o->fd, 0);
}

/* Is the descriptor of the child what the path leads to here? */
static void check_same(const struct opening *o, int32_t fd, const char *path)
{
	char proc[64];
	struct stat its, ours;

	ck_assert_int_ge(fd, 0);
	(void)snprintf(proc, sizeof(proc), "/proc/%d/fd/%d", (int)o->pid, fd);
	ck_assert_int_eq(stat(proc, &its), 0);
	ck_assert_int_eq(stat(path, &ours), 0);
	ck_assert_uint_eq(its.st_ino, ours.st_ino);
	ck_assert_uint_eq(its.st_dev, ours.st_dev);
}

START_TEST(test_open)
{
	const char *paths[] = {at("file"), at("link"), at("missing"), at("magic"), at("fifo"), at("sub"),
			       "/../../.."};
	struct opening o;

	ck_assert_int_eq(opening_start(&o, getpid(), "/", paths, ARRAY_LEN(paths)), 0);
	ck_assert_int_eq(finish(&o), 1);
	check_same(&o, o.answers[0], "/");
	check_same(&o, o.answers[1], paths[0]);
	check_same(&o, o.answers[2], paths[0]);
	ck_assert_int_eq(o.answers[3], -ENOENT);
	ck_assert_int_eq(o.answers[4], -ELOOP); /* what it means is another's for everyone */
	check_same(&o, o.answers[5], paths[4]); /* and nobody waits for the other end */
	check_same(&o, o.answers[6], paths[5]);
	check_same(&o, o.answers[7], "/");
	end(&o);
}
END_TEST

/* Nothing of the agent's is open in the child: the pipe, and what it opened. */
START_TEST(test_nothing_else)
{
	const char *paths[] = {at("file")};
	_cleanup_close_ int extra = open("/dev/null", O_RDONLY | O_CLOEXEC);
	_cleanup_closedir_ DIR *open_fds = NULL;
	struct opening o;
	char proc[64];
	int n = 0;

	ck_assert_int_ge(extra, 0);
	ck_assert_int_eq(opening_start(&o, getpid(), "/", paths, 1), 0);
	ck_assert_int_eq(finish(&o), 1);
	(void)snprintf(proc, sizeof(proc), "/proc/%d/fd", (int)o.pid);
	open_fds = opendir(proc);
	ck_assert_ptr_nonnull(open_fds);
	for (const struct dirent *de; (de = readdir(open_fds));)
		n += de->d_name[0] != '.';
	ck_assert_int_eq(n, 3);
	end(&o);
}
END_TEST

/* A process that is not in the cgroup (any more) has nothing to tell of it. */
START_TEST(test_elsewhere)
{
	const char *paths[] = {at("file")};
	struct opening o;

	ck_assert_int_eq(opening_start(&o, getpid(), "/no/such.scope", paths, 1), 0);
	ck_assert_int_eq(finish(&o), -ESRCH);
	end(&o);
	ck_assert_int_eq(opening_start(&o, 0x7fffff00, "/", paths, 1), 0);
	ck_assert_int_eq(finish(&o), -ENOENT);
	end(&o);
}
END_TEST

START_TEST(test_many)
{
	const char *paths[OPENING_PATHS_MAX + 1];
	struct opening o;

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		paths[i] = dir;
	ck_assert_int_eq(opening_start(&o, getpid(), "/", paths, ARRAY_LEN(paths)), -E2BIG);
	ck_assert_int_eq(opening_start(&o, getpid(), "/", paths, OPENING_PATHS_MAX), 0);
	ck_assert_int_eq(finish(&o), 1);
	check_same(&o, o.answers[OPENING_PATHS_MAX], dir);
	end(&o);
}
END_TEST

/* Killed at any moment, it leaves nothing behind; what was told in part is of no use. */
START_TEST(test_kill)
{
	const char *paths[] = {at("file")};
	struct opening o;

	ck_assert_int_eq(opening_start(&o, getpid(), "/", paths, 1), 0);
	end(&o);
	ck_assert_int_eq(opening_start(&o, getpid(), "/", paths, 1), 0);
	opening_kill(&o);
	ck_assert(finish(&o) == -EPIPE || o.received == 2 * sizeof(int32_t));
	end(&o);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("identity-open");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, test_open);
	tcase_add_test(tc, test_nothing_else);
	tcase_add_test(tc, test_elsewhere);
	tcase_add_test(tc, test_many);
	tcase_add_test(tc, test_kill);
	return tcase_run(tc);
}
