/* SPDX-License-Identifier: Apache-2.0 */

/* The processes of a cgroup and of those below it, from a tree of files. */

#include "kernel-test.h"
#include "tests/unit/runner.h"

struct seen {
	int sum;
	int n;
	int stop_at;
};

static int see(int pid, void *userdata)
{
	struct seen *seen = userdata;

	seen->sum += pid;
	seen->n++;
	return pid == seen->stop_at;
}

static void procs(const struct place *place, const char *cgroup, const char *text)
{
	char path[4096];
	FILE *f;

	(void)place_mkdir(place, cgroup);
	(void)snprintf(path, sizeof(path), "%s/%s/cgroup.procs", place->dir, cgroup);
	f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	(void)fputs(text, f);
	(void)fclose(f);
}

static const struct {
	const char *path;
	int n, sum;
} cases[] = {
	{"/", 5, 1 + 10 + 20 + 300 + 4000},
	{"/a", 4, 10 + 20 + 300 + 4000},
	{"/a/b", 2, 4300},
	{"/a/b/c", 1, 4000},
	{"/a/none", 0, 0},
	{"/missing", 0, 0},
};

START_TEST(test_below)
{
	struct place place = place_new();
	struct kernel k = {};
	struct seen seen = {};

	procs(&place, ".", "1\n");
	procs(&place, "a", "10\n20\n");
	procs(&place, "a/b", "300\n");
	procs(&place, "a/b/c", "0\n-3\nword\n4000\n"); /* 0: in another pid namespace */
	(void)place_mkdir(&place, "a/none");
	k.cgroup_fd = open(place.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(kernel_cgroup_processes(&k, cases[_i].path, see, &seen), 0);
	ck_assert_int_eq(seen.n, cases[_i].n);
	ck_assert_int_eq(seen.sum, cases[_i].sum);
	(void)close(k.cgroup_fd);
	place_free(&place);
}
END_TEST

START_TEST(test_stop)
{
	struct place place = place_new();
	struct seen seen = {.stop_at = 20};
	struct kernel k = {};

	procs(&place, "a", "10\n20\n30\n");
	procs(&place, "a/b", "40\n");
	k.cgroup_fd = open(place.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_eq(kernel_cgroup_processes(&k, "/", see, &seen), 1);
	ck_assert_int_eq(seen.sum, 30);
	(void)close(k.cgroup_fd);
	k.cgroup_fd = -EBADF;
	ck_assert_int_eq(kernel_cgroup_processes(&k, "/", see, &seen), -EBADF);
	place_free(&place);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("processes");

	tcase_add_loop_test(tc, test_below, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tc, test_stop);
	return tcase_run(tc);
}
