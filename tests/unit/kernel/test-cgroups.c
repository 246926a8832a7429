/* SPDX-License-Identifier: Apache-2.0 */

/* The walk over the hierarchy, on directories that are none: where a number is found, and where
 * not. */

#include "kernel-test.h"
#include "tests/unit/runner.h"

static const char *const paths[] = {
	"system.slice",
	"system.slice/nginx.service",
	"machine.slice/libpod-0123456789ab.scope/container/init.scope",
	"a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q/r/s/t/u/v/w/x/y/z",
	/* names that a container may choose */
	".hidden",
	"..twice/...",
	"a b",
	"new\nline",
	"\xff\xfe",
};

START_TEST(test_path)
{
	struct place place = place_new();
	struct kernel k = {.cgroup_fd = open(place.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	_cleanup_free_ char *path = NULL;
	uint64_t id = 0;

	ck_assert_int_ge(k.cgroup_fd, 0);
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		uint64_t made = place_mkdir(&place, paths[i]);

		if ((int)i == _i)
			id = made;
	}
	place_touch(&place, "cgroup.procs");
	path = kernel_cgroup_path(&k, id);
	ck_assert_ptr_nonnull(path);
	ck_assert_int_eq(path[0], '/');
	ck_assert_str_eq(path + 1, paths[_i]);
	(void)close(k.cgroup_fd);
	place_free(&place);
}
END_TEST

START_TEST(test_root_and_unknown)
{
	struct place place = place_new();
	struct kernel k = {.cgroup_fd = open(place.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
	_cleanup_free_ char *root = NULL;
	char link[96];
	struct stat st;

	ck_assert_int_eq(fstat(k.cgroup_fd, &st), 0);
	root = kernel_cgroup_path(&k, st.st_ino);
	ck_assert_str_eq(root, "/");
	ck_assert_ptr_null(kernel_cgroup_path(&k, 0));
	ck_assert_ptr_null(kernel_cgroup_path(&k, UINT64_MAX));
	/* a link leads nowhere, and a file is no cgroup */
	(void)snprintf(link, sizeof(link), "%s/loop", place.dir);
	ck_assert_int_eq(symlink(".", link), 0);
	ck_assert_int_eq(lstat(link, &st), 0);
	ck_assert_ptr_null(kernel_cgroup_path(&k, st.st_ino));
	place_touch(&place, "file");
	(void)snprintf(link, sizeof(link), "%s/file", place.dir);
	ck_assert_int_eq(stat(link, &st), 0);
	ck_assert_ptr_null(kernel_cgroup_path(&k, st.st_ino));
	(void)close(k.cgroup_fd);
	place_free(&place);
}
END_TEST

static int each_never(uint64_t id, const char *path, const struct ht_cgroup *value, void *userdata)
{
	ck_abort_msg("'%s' is not governed", path);
	return -EIO;
}

/* Without a map nothing is governed; without a hierarchy that is an error. */
START_TEST(test_each)
{
	struct place place = place_new();
	struct kernel k = {.cgroup_fd = open(place.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};

	for (unsigned i = 0; i < _MAP_MAX; i++)
		k.map_fds[i] = -EBADF;
	(void)place_mkdir(&place, "a/b");
	ck_assert_int_eq(kernel_cgroups_each(&k, each_never, NULL), 0);
	(void)close(k.cgroup_fd);
	k.cgroup_fd = -EBADF;
	ck_assert_int_eq(kernel_cgroups_each(&k, each_never, NULL), -EBADF);
	ck_assert_ptr_null(kernel_cgroup_path(&k, 1));
	place_free(&place);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("cgroups");

	tcase_add_loop_test(tc, test_path, 0, (int)ARRAY_LEN(paths));
	tcase_add_test(tc, test_root_and_unknown);
	tcase_add_test(tc, test_each);
	return tcase_run(tc);
}
