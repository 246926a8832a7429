/* SPDX-License-Identifier: Apache-2.0 */

/* Names that outlive an image, and the interning below them. */

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compile/image.h"
#include "compile/intern.h"
#include "tests/unit/runner.h"
#include "util/cleanup.h"

DEFINE_CLEANUP(struct image_names *, image_names_freep, image_names_free)
#define _cleanup_names_ _cleanup_(image_names_freep)

START_TEST(ids_grow_and_stay)
{
	_cleanup_names_ struct image_names *names = image_names_new();
	uint32_t a, b, again, glob;

	ck_assert_ptr_nonnull(names);
	ck_assert_int_eq(image_names_profile(names, "a", &a), 0);
	ck_assert_int_eq(image_names_profile(names, "b", &b), 0);
	ck_assert_int_eq(image_names_profile(names, "a", &again), 0);
	ck_assert_uint_eq(a, 1);
	ck_assert_uint_eq(b, 2);
	ck_assert_uint_eq(again, a);
	/* profiles and wildcards count apart */
	ck_assert_int_eq(image_names_glob(names, "a", 1, &glob), 0);
	ck_assert_uint_eq(glob, 1);
	ck_assert_int_eq(image_names_glob(names, "a\0b", 3, &glob), 0);
	ck_assert_uint_eq(glob, 2);
}
END_TEST

START_TEST(seeds_are_kept)
{
	_cleanup_names_ struct image_names *names = image_names_new();
	uint32_t id;

	ck_assert_int_eq(image_names_seed_profile(names, "old", 7), 0);
	ck_assert_int_eq(image_names_seed_profile(names, "old", 7), 0);
	ck_assert_int_eq(image_names_seed_profile(names, "old", 8), -EEXIST);
	ck_assert_int_eq(image_names_seed_profile(names, "other", 7), -EEXIST);
	ck_assert_int_eq(image_names_seed_profile(names, "zero", 0), -EINVAL);
	ck_assert_int_eq(image_names_profile(names, "old", &id), 0);
	ck_assert_uint_eq(id, 7);
	/* new ids are above every seed, never in a gap that a label may still name */
	ck_assert_int_eq(image_names_profile(names, "new", &id), 0);
	ck_assert_uint_eq(id, 8);
	ck_assert_int_eq(image_names_seed_profile(names, "low", 3), 0);
	ck_assert_int_eq(image_names_profile(names, "next", &id), 0);
	ck_assert_uint_eq(id, 9);

	ck_assert_int_eq(image_names_seed_glob(names, "*.so", 4, 5), 0);
	ck_assert_int_eq(image_names_seed_glob(names, "*.so", 4, 6), -EEXIST);
	ck_assert_int_eq(image_names_glob(names, "*.so", 4, &id), 0);
	ck_assert_uint_eq(id, 5);
}
END_TEST

START_TEST(ids_never_wrap)
{
	_cleanup_names_ struct image_names *names = image_names_new();
	uint32_t id = 0;

	ck_assert_int_eq(image_names_seed_profile(names, "last", UINT32_MAX), 0);
	ck_assert_int_eq(image_names_profile(names, "more", &id), -EOVERFLOW);
	ck_assert_uint_eq(id, 0);
	ck_assert_int_eq(image_names_profile(names, "last", &id), 0);
	ck_assert_uint_eq(id, UINT32_MAX);
}
END_TEST

START_TEST(many_names)
{
	_cleanup_names_ struct image_names *names = image_names_new();
	char text[32];
	uint32_t id;

	for (uint32_t round = 0; round < 2; round++)
		for (uint32_t i = 0; i < 20000; i++) {
			snprintf(text, sizeof(text), "policy-%u", i);
			ck_assert_int_eq(image_names_profile(names, text, &id), 0);
			ck_assert_uint_eq(id, i + 1);
		}
}
END_TEST

static void intern_cleanup(struct intern *in)
{
	intern_deinit(in);
}

START_TEST(intern_tells_bytes_apart)
{
	static const struct {
		const char *data;
		size_t len;
	} texts[] = {{"", 0},	 {"\0", 1},	  {"\0\0", 2},	     {"a", 1},
		     {"a\0", 2}, {"aaaaaaaa", 8}, {"aaaaaaaa\0", 9}, {"aaaaaaab", 8}};
	_cleanup_(intern_cleanup) struct intern in = {};
	uint32_t id;
	size_t len;

	ck_assert_int_eq(intern_find(&in, "", 0, &id), -ENOENT);
	for (uint32_t i = 0; i < ARRAY_LEN(texts); i++) {
		ck_assert_int_eq(intern_put(&in, texts[i].data, texts[i].len, &id), INTERN_NEW);
		ck_assert_uint_eq(id, i);
	}
	for (uint32_t i = 0; i < ARRAY_LEN(texts); i++) {
		ck_assert_int_eq(intern_put(&in, texts[i].data, texts[i].len, &id), 0);
		ck_assert_uint_eq(id, i);
		ck_assert_int_eq(intern_find(&in, texts[i].data, texts[i].len, &id), 0);
		ck_assert_uint_eq(id, i);
		ck_assert_int_eq(memcmp(intern_get(&in, i, &len), texts[i].data, texts[i].len), 0);
		ck_assert_uint_eq(len, texts[i].len);
	}
	ck_assert_int_eq(intern_find(&in, "b", 1, &id), -ENOENT);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("names");

	tcase_add_test(t, ids_grow_and_stay);
	tcase_add_test(t, seeds_are_kept);
	tcase_add_test(t, ids_never_wrap);
	tcase_add_test(t, many_names);
	tcase_add_test(t, intern_tells_bytes_apart);
	return tcase_run(t);
}
