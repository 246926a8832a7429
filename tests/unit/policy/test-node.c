/* SPDX-License-Identifier: Apache-2.0 */

/* What plain words mean to YAML, and the memory of a document. */

#include "policy-test.h"

#include <stdint.h>

#include "policy/node.h"
#include "tests/unit/runner.h"

static const struct {
	const char *text, *meaning;
} scalars[] = {
	{"", "empty"},
	{"no", "a boolean"},
	{"No", "a boolean"},
	{"YES", "a boolean"},
	{"on", "a boolean"},
	{"Off", "a boolean"},
	{"y", "a boolean"},
	{"true", "a boolean"},
	{"False", "a boolean"},
	{"null", "null"},
	{"NULL", "null"},
	{"~", "null"},
	{"0", "a number"},
	{"-12", "a number"},
	{"+1_000", "a number"},
	{"0o17", "a number"},
	{"017", "a number"},
	{"0xfF", "a number"},
	{"-0x1", "a number"},
	{"0b101", "a number"},
	{"1e3", "a number"},
	{"1E-3", "a number"},
	{"1.", "a number"},
	{".5", "a number"},
	{"-.5e+10", "a number"},
	{"1.5", "a number"},
	{".inf", "a number"},
	{"-.Inf", "a number"},
	{".NaN", "a number"},
	{"1:30", "a number"},
	{"12:30:45.5", "a number"},
	{"2026-11-21", "a date"},
	{"2026-11-21T10:00:00Z", "a date"},
	{"2026-11-21 10:00", "a date"},
	{"nope", NULL},
	{"yesterday", NULL},
	{"nullable", NULL},
	{"~user", NULL},
	{"-", NULL},
	{"+", NULL},
	{".", NULL},
	{"..", NULL},
	{"1.2.3", NULL},
	{"1e", NULL},
	{"1e3x", NULL},
	{"0x", NULL},
	{"0xg", NULL},
	{"0b2", NULL},
	{"1a", NULL},
	{"_1", NULL},
	{"1:", NULL},
	{"1:x", NULL},
	{"2026-11-2x", NULL},
	{"2026-11-211", NULL},
	{"2026-11-21.log", NULL},
	{"/etc/shadow", NULL},
	{".e5", NULL},
};

START_TEST(test_scalar)
{
	const char *got = scalar_mistaken_for(scalars[_i].text, strlen(scalars[_i].text));

	ck_assert_msg(scalars[_i].meaning ? got && strcmp(got, scalars[_i].meaning) == 0 : !got,
		      "%s: %s", scalars[_i].text, got ? got : "text");
}
END_TEST

START_TEST(test_nul)
{
	ck_assert_ptr_null(scalar_mistaken_for("1\0002", 3));
	ck_assert_ptr_null(scalar_mistaken_for("\000", 1));
	ck_assert_ptr_null(scalar_mistaken_for("no\000", 3));
}
END_TEST

START_TEST(test_arena)
{
	struct arena *a = arena_new();
	unsigned char *big, *p;

	ck_assert_ptr_nonnull(a);
	for (size_t size = 1; size < 3000; size += 7) {
		p = arena_take(a, size);
		ck_assert_ptr_nonnull(p);
		ck_assert_uint_eq((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < size; i++)
			ck_assert_uint_eq(p[i], 0);
		memset(p, 0xff, size);
	}
	big = arena_take(a, 300000);
	ck_assert_ptr_nonnull(big);
	ck_assert_uint_eq(big[299999], 0);
	ck_assert_ptr_null(arena_free(a));
	ck_assert_ptr_null(arena_free(NULL));
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("node");

	tcase_add_loop_test(cases, test_scalar, 0, (int)ARRAY_LEN(scalars));
	tcase_add_test(cases, test_nul);
	tcase_add_test(cases, test_arena);
	return tcase_run(cases);
}
