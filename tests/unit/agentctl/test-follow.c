/* SPDX-License-Identifier: Apache-2.0 */

/* agentctl events --follow against a store that is written, that appears and that is replaced. */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "run.h"
#include "store/store.h"
#include "tests/unit/runner.h"

static struct {
	pid_t pid;
	int fd; /* what it prints */
	char text[1 << 20];
	size_t len;
} follower;

#define FOLLOWER "--follower" /* DIRECTORY OPTION: this program as the follower */

/* What the follower does, in a program of its own. Return: an exit status. */
static int follower_run(char *dir, char *option)
{
	char *argv[] = {(char[]){"agentctl"}, (char[]){"events"}, (char[]){"-f"},
			(char[]){"--json"},   option,		  NULL};
	struct agentctl ctl;

	agentctl_init(&ctl);
	ctl.state_dir = dir;
	return agentctl_run(&ctl, 5, argv);
}

/* The writer's thread can hold a lock at any moment, so the child becomes another program before it does anything. */
static void follower_start(const char *dir, const char *option)
{
	int ends[2];

	ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
	follower.len = 0;
	follower.text[0] = '\0';
	follower.fd = ends[0];
	(void)fflush(NULL);
	follower.pid = fork();
	ck_assert_int_ge(follower.pid, 0);
	if (follower.pid == 0) {
		if (dup2(ends[1], STDOUT_FILENO) >= 0)
			(void)execl("/proc/self/exe", "test-follow", FOLLOWER, dir, option, NULL);
		_exit(99);
	}
	(void)close(ends[1]);
}

/* Read what is there within so many milliseconds. Return: was it anything? */
static bool follower_read(int timeout_ms)
{
	struct pollfd p = {.fd = follower.fd, .events = POLLIN};
	ssize_t n;

	if (poll(&p, 1, timeout_ms) == 0)
		return false;
	ck_assert_uint_lt(follower.len, sizeof(follower.text) - 4096);
	n = read(follower.fd, follower.text + follower.len, 4096);
	ck_assert_msg(n > 0, "ended: %s", follower.text);
	follower.len += (size_t)n;
	follower.text[follower.len] = '\0';
	return true;
}

/* Read until a row of this object was printed; ten seconds are for ever. */
static void follower_expect(const char *path)
{
	char text[64];

	(void)snprintf(text, sizeof(text), "\"path\":\"%s\"", path);
	while (!strstr(follower.text, text))
		ck_assert_msg(follower_read(10000), "no %s in %s", text, follower.text);
}

/* Close the reading end: the follower notices and ends without a complaint. Return: CPU it used,
 * ms. */
static long follower_end(void)
{
	struct rusage usage;
	int status;

	(void)close(follower.fd);
	ck_assert_int_eq(wait4(follower.pid, &status, 0, &usage), follower.pid);
	ck_assert_int_eq(status, 0);
	return usage.ru_utime.tv_sec * 1000 + usage.ru_utime.tv_usec / 1000 +
	       usage.ru_stime.tv_sec * 1000 + usage.ru_stime.tv_usec / 1000;
}

/* Rows of objects whose path begins so. */
static unsigned count(const char *path)
{
	char text[64];
	unsigned n = 0;

	(void)snprintf(text, sizeof(text), "\"path\":\"%s", path);
	for (const char *p = follower.text; (p = strstr(p, text)); p++)
		n++;
	return n;
}

START_TEST(test_last_ten_then_new)
{
	struct store *store = store_begin();
	char path[32];

	for (int i = 0; i < 25; i++) {
		(void)snprintf(path, sizeof(path), "/old/%02d", i);
		store_put(store, path);
	}
	store_sync(store);
	follower_start(run_path("state"), "--color=never");
	follower_expect("/old/24");
	ck_assert_uint_eq(count("/old/"), 10);
	ck_assert_ptr_nonnull(strstr(follower.text, "/old/15\""));
	for (int i = 0; i < 50; i++) {
		(void)snprintf(path, sizeof(path), "/new/%02d", i);
		store_put(store, path);
		if (i % 5 == 0)
			store_sync(store);
		if (i % 10 == 9) {
			(void)snprintf(path, sizeof(path), "/new/%02d", i);
			follower_expect(path);
		}
	}
	ck_assert_uint_eq(count("/new/"), 50);
	(void)follower_end();
	store_end(store);
}
END_TEST

START_TEST(test_lines_and_filter)
{
	struct store *store = store_begin();

	store_put(store, "/old/1");
	store_put(store, "/old/2");
	store_sync(store);
	follower_start(run_path("state"), "-n0");
	/* what comes before it first looks is old as well, so new ones until it shows one */
	do {
		store_put(store, "/new/1");
		store_sync(store);
	} while (!follower_read(50));
	follower_expect("/new/1");
	ck_assert_uint_eq(count("/old/"), 0);
	(void)follower_end();
	follower_start(run_path("state"), "--path=/new/*");
	follower_expect("/new/1");
	store_put(store, "/other");
	store_put(store, "/new/2");
	store_sync(store);
	follower_expect("/new/2");
	ck_assert_uint_eq(count("/other"), 0);
	ck_assert_uint_eq(count("/new/2"), 1);
	(void)follower_end();
	store_end(store);
}
END_TEST

/* The directory comes, then the database, then its first row. */
START_TEST(test_from_nothing)
{
	struct store *store;

	ck_assert_int_eq(rmdir(run_path("state")), 0);
	follower_start(run_path("state"), "--color=never");
	ck_assert_int_eq(mkdir(run_path("state"), 0700), 0);
	store = store_begin();
	store_put(store, "/first");
	store_sync(store);
	follower_expect("/first");
	store_put(store, "/second");
	store_sync(store);
	follower_expect("/second");
	ck_assert_uint_eq(count("/first\""), 1);
	(void)follower_end();
	store_end(store);
}
END_TEST

/* Set aside as the store does it with a damaged one, and removed by somebody: ids begin again. */
START_TEST(test_replaced)
{
	struct store *store = store_begin();

	for (int i = 0; i < 5; i++)
		store_put(store, "/before");
	store_end(store);
	follower_start(run_path("state"), "--color=never");
	follower_expect("/before");
	ck_assert_int_eq(rename(run_path("state/events.db"), run_path("state/events.db.damaged-1")),
			 0);
	(void)unlink(run_path("state/events.db-wal"));
	(void)unlink(run_path("state/events.db-shm"));
	store = store_begin();
	store_put(store, "/after/1");
	store_sync(store);
	follower_expect("/after/1");
	store_put(store, "/after/2");
	store_sync(store);
	follower_expect("/after/2");
	ck_assert_uint_eq(count("/after/1\""), 1);
	(void)follower_end();
	store_end(store);
}
END_TEST

/* Nothing happens: it sleeps. With a database, with none, and with an empty one. */
START_TEST(test_idle)
{
	struct timespec second = {.tv_sec = 1};
	struct store *store;

	follower_start(run_path("state"), "--color=never");
	(void)nanosleep(&second, NULL);
	ck_assert_int_lt(follower_end(), 500);
	store = store_begin();
	store_sync(store);
	follower_start(run_path("state"), "--color=never");
	(void)nanosleep(&second, NULL);
	ck_assert_int_lt(follower_end(), 500);
	store_put(store, "/row");
	store_sync(store);
	follower_start(run_path("state"), "--color=never");
	follower_expect("/row");
	(void)nanosleep(&second, NULL);
	ck_assert_int_lt(follower_end(), 500);
	store_end(store);
	follower_start(run_path("state"), "--color=never");
	follower_expect("/row");
	(void)nanosleep(&second, NULL);
	ck_assert_int_lt(follower_end(), 500);
}
END_TEST

int main(int argc, char **argv)
{
	TCase *tc;

	if (argc == 4 && strcmp(argv[1], FOLLOWER) == 0)
		_exit(follower_run(argv[2], argv[3]));
	tc = tcase_create("follow");
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, run_setup, run_teardown);
	tcase_add_test(tc, test_last_ten_then_new);
	tcase_add_test(tc, test_lines_and_filter);
	tcase_add_test(tc, test_from_nothing);
	tcase_add_test(tc, test_replaced);
	tcase_add_test(tc, test_idle);
	return tcase_run(tc);
}
