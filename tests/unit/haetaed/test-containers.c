/* SPDX-License-Identifier: Apache-2.0 */

/* Names of cgroups: while they live, for a while after, and not for ever. */

#include <errno.h>

#include "programs/haetaed/containers.h"
#include "tests/unit/event/sample.h"
#include "tests/unit/runner.h"
#include "util/cleanup.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
/* containers.c */
#define GONE_MAX 16384U

static void add(struct containers *containers, uint64_t id, const char *path)
{
	ck_assert_int_eq(containers_add(containers, id, path), 0);
}

static void add_unit(struct containers *containers, uint64_t id)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/system.slice/u%u.service", (unsigned)id);
	add(containers, id, path);
}

static const struct {
	const char *path;
	const char *runtime, *id, *name;
} names[] = {
	{"/system.slice/nginx.service", "systemd", NULL, "nginx.service"},
	/* no conmon tells its name */
	{"/machine.slice/libpod-" HEX ".scope/container", "podman", HEX, "0123456789ab"},
	{"/system.slice/docker-" HEX ".scope", "docker", HEX, "0123456789ab"},
	{"/", "unknown", NULL, "/"},
};

START_TEST(test_enrich)
{
	struct event event = {.cgroup_id = 42};
	struct containers containers = {};

	add(&containers, 42, names[_i].path);
	/* a second time replaces */
	ck_assert_int_eq(containers_enrich(&containers, &event), 0);
	ck_assert_int_eq(containers_enrich(&containers, &event), 0);
	ck_assert_str_eq(event.cgroup, names[_i].path);
	ck_assert_str_eq(event.runtime, names[_i].runtime);
	ck_assert_str_eq(event.container, names[_i].name);
	ck_assert_pstr_eq(event.container_id, names[_i].id);
	event_deinit(&event);
	containers_deinit(&containers);
}
END_TEST

START_TEST(test_unknown)
{
	struct event event = {.cgroup_id = 42};
	struct containers containers = {};

	ck_assert_int_eq(containers_enrich(&containers, &event), -ENOENT);
	ck_assert_ptr_null(containers_get(&containers, 42));
	containers_release(&containers, 42);
	ck_assert_uint_eq(containers.n_gone, 0);
	add(&containers, 43, "/a.service");
	ck_assert_int_eq(containers_enrich(&containers, &event), -ENOENT);
	ck_assert_ptr_null(event.cgroup);
	containers_deinit(&containers);
	ck_assert_ptr_null(containers_get(&containers, 43));
}
END_TEST

START_TEST(test_add_again)
{
	struct containers containers = {};
	const struct container *first;

	add(&containers, 42, "/a.service");
	first = containers_get(&containers, 42);
	add(&containers, 42, "/a.service");
	ck_assert_ptr_eq(containers_get(&containers, 42), first);
	/* a number is used again */
	add(&containers, 42, "/b.service");
	ck_assert_str_eq(containers_get(&containers, 42)->name, "b.service");
	ck_assert_uint_eq(containers.n_gone, 0);
	containers_deinit(&containers);
}
END_TEST

static struct event enriched(struct containers *containers, uint64_t id)
{
	struct event event = {.cgroup_id = id};

	ck_assert_int_eq(containers_enrich(containers, &event), 0);
	return event;
}

/* An event that is still under way says where it was when it came: its cgroup's number is used again, that is forgotten as the
 * oldest of those that are gone, and all of them are. */
START_TEST(test_under_way)
{
	struct containers containers = {};
	struct event old, new, none = {.cgroup_id = 42};

	add(&containers, 42, "/a.service");
	old = enriched(&containers, 42);
	add(&containers, 42, "/b.service");
	new = enriched(&containers, 42);
	containers_release(&containers, 42);
	for (uint64_t id = 1000; id < 1000 + GONE_MAX; id++) {
		add_unit(&containers, id);
		containers_release(&containers, id);
	}
	ck_assert_int_eq(containers_enrich(&containers, &none), -ENOENT);
	containers_deinit(&containers);
	ck_assert_str_eq(old.cgroup, "/a.service");
	ck_assert_str_eq(new.container, "b.service");
	event_deinit(&old);
	event_deinit(&new);
	ck_assert_int_eq(containers_enrich(&containers, &none), -ENOENT);
}
END_TEST

/* What is gone keeps its name; one that comes back is not gone. */
START_TEST(test_release)
{
	struct event event = {.cgroup_id = 42};
	struct containers containers = {};

	add(&containers, 42, "/a.service");
	containers_release(&containers, 42);
	containers_release(&containers, 42);
	ck_assert_uint_eq(containers.n_gone, 1);
	ck_assert_int_eq(containers_enrich(&containers, &event), 0);
	ck_assert_str_eq(event.container, "a.service");
	event_deinit(&event);
	add(&containers, 42, "/a.service");
	ck_assert_uint_eq(containers.n_gone, 0);
	containers_release(&containers, 42);
	add(&containers, 42, "/b.service");
	ck_assert_uint_eq(containers.n_gone, 0);
	ck_assert_str_eq(containers_get(&containers, 42)->name, "b.service");
	containers_deinit(&containers);
}
END_TEST

/* Those that are gone are bounded, the oldest goes first; those that live are never forgotten. */
START_TEST(test_bound)
{
	const uint64_t n = GONE_MAX + 100, living = 1000000;
	struct containers containers = {};

	add_unit(&containers, living);
	for (uint64_t i = 1; i <= n; i++) {
		add_unit(&containers, i);
		containers_release(&containers, i);
		ck_assert_uint_eq(containers.n_gone, i < GONE_MAX ? i : GONE_MAX);
	}
	for (uint64_t i = 1; i <= n; i++)
		ck_assert_int_eq(containers_get(&containers, i) != NULL, i > n - GONE_MAX);
	ck_assert_str_eq(containers_get(&containers, living)->name, "u1000000.service");
	containers_deinit(&containers);
	ck_assert_uint_eq(containers.n_gone, 0);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("containers");

	tcase_set_timeout(tc, 120);
	tcase_add_loop_test(tc, test_enrich, 0, (int)ARRAY_LEN(names));
	tcase_add_test(tc, test_unknown);
	tcase_add_test(tc, test_add_again);
	tcase_add_test(tc, test_under_way);
	tcase_add_test(tc, test_release);
	tcase_add_test(tc, test_bound);
	return tcase_run(tc);
}
