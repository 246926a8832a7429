/* SPDX-License-Identifier: Apache-2.0 */

/* The table of containers: put, replaced, found, removed. */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "programs/haetaed/bindings.h"
#include "tests/unit/runner.h"
#include "util/cleanup.h"

static void put(struct bindings *bindings, uint64_t id, const char *name)
{
	struct container_record record = {
		.cgroup = strdup("/c"),
		.cgroup_id = id,
		.facts = {.runtime = strdup("podman"), .id = strdup("abc"), .name = strdup(name)},
	};
	struct binding *b;

	ck_assert_int_eq(bindings_put(bindings, &record, &b), 0);
	ck_assert_ptr_null(record.cgroup);
	ck_assert_uint_eq(b->record.cgroup_id, id);
	ck_assert(!b->pending);
}

START_TEST(test_table)
{
	_cleanup_(bindings_deinit) struct bindings bindings = {};

	ck_assert_ptr_null(bindings_find(&bindings, 1));
	for (uint64_t id = 1; id <= 100; id++)
		put(&bindings, id, "first");
	put(&bindings, 50, "second");
	ck_assert_uint_eq(bindings.n, 100);
	ck_assert_str_eq(bindings_find(&bindings, 50)->record.facts.name, "second");
	ck_assert_str_eq(bindings_find(&bindings, 51)->record.facts.name, "first");
	bindings_remove(&bindings, bindings_find(&bindings, 1));
	bindings_remove(&bindings, bindings_find(&bindings, 100));
	ck_assert_uint_eq(bindings.n, 98);
	ck_assert_ptr_null(bindings_find(&bindings, 1));
	ck_assert_ptr_null(bindings_find(&bindings, 100));
	for (uint64_t id = 2; id < 100; id++)
		ck_assert_uint_eq(bindings_find(&bindings, id)->record.cgroup_id, id);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("bindings");

	tcase_add_test(tc, test_table);
	return tcase_run(tc);
}
