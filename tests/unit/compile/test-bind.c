/* SPDX-License-Identifier: Apache-2.0 */

/* Cgroups that are bound one by one, besides what patterns bind; and policies whose containers alone are selected. */

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "builder.h"
#include "tests/unit/runner.h"

static const struct ht_hash_key key = {.k0 = 5, .k1 = 6};

DEFINE_CLEANUP(struct image *, image_freep, image_free)
DEFINE_CLEANUP(struct image_names *, image_names_freep, image_names_free)

static struct image *compile(const struct policy *policy)
{
	_cleanup_(image_names_freep) struct image_names *names = image_names_new();
	_cleanup_(diag_list_deinit) struct diag_list diags = {};
	struct image *image = NULL;

	ck_assert_int_eq(image_compile(&policy, 1, names, &key, 0, &diags, &image), 0);
	ck_assert_uint_eq(diags.n, 0);
	return image;
}

static void bind(struct image *image, const char *path, uint32_t id)
{
	ck_assert_int_eq(image_bind(image, path, &id, 1), 0);
}

static int match(const struct image *image, const char *path, uint32_t *ids)
{
	memset(ids, 0, HT_PROFILES_MAX * sizeof(*ids));
	return image_match_cgroup(image, &key, path, ids);
}

START_TEST(test_bind)
{
	static const char *const order[] = {"/m/5", "/m/3", "/m/9", "/m/1", "/m/31", "/m"};
	_cleanup_policy_ struct policy *p = policy_build("p");
	_cleanup_(image_freep) struct image *image = NULL;
	uint32_t ids[HT_PROFILES_MAX];

	policy_build_match(p, "/a/*", NULL);
	image = compile(p);
	for (size_t i = 0; i < ARRAY_LEN(order); i++)
		bind(image, order[i], 100 + (uint32_t)i);
	for (size_t i = 0; i < ARRAY_LEN(order); i++) {
		ck_assert_int_eq(match(image, order[i], ids), 1);
		ck_assert_uint_eq(ids[0], 100 + i);
	}
	/* the path itself, not what is above, below or beside it */
	ck_assert_int_eq(match(image, "/", ids), 0);
	ck_assert_int_eq(match(image, "/m/5/c", ids), 0);
	ck_assert_int_eq(match(image, "/m/2", ids), 0);
	/* besides what the path selects, and nothing twice */
	ck_assert_int_eq(match(image, "/a/x", ids), 1);
	bind(image, "/a/x", ids[0]);
	ck_assert_int_eq(match(image, "/a/x", ids), 1);
	bind(image, "/a/x", 200);
	bind(image, "/a/x", 200);
	ck_assert_int_eq(match(image, "/a/x", ids), 2);
	ck_assert_uint_eq(ids[1], 200);
	ck_assert_int_eq(image_bind(image, "/none", NULL, 0), 0);
	ck_assert_ptr_null(image_binding_find(image, "/none"));
}
END_TEST

START_TEST(test_many)
{
	_cleanup_policy_ struct policy *p = policy_build("p");
	_cleanup_(image_freep) struct image *image = NULL;
	uint32_t ids[HT_PROFILES_MAX], id = 999;

	policy_build_match(p, "/a/*", NULL);
	image = compile(p);
	for (uint32_t i = 0; i < HT_PROFILES_MAX; i++)
		bind(image, "/a/x", 100 + i);
	ck_assert_int_eq(image_bind(image, "/a/x", &id, 1), -E2BIG);
	/* with the one of its path it is more than a cgroup can have: told, not cut in silence */
	ck_assert_int_eq(match(image, "/a/x", ids), (int)HT_PROFILES_MAX + 1);
}
END_TEST

/* No pattern at all: such a policy compiles, and its path selects nothing. */
START_TEST(test_container_alone)
{
	_cleanup_policy_ struct policy *p = policy_build("p");
	_cleanup_(image_freep) struct image *image = NULL;
	const struct policy_container web = {.name = "web"}, db = {.name = "db"}, unknown = {};
	uint32_t ids[HT_PROFILES_MAX];
	char name[] = "web";

	policy_build_match(p, NULL, NULL);
	p->matches[0].container.name = name;
	image = compile(p);
	ck_assert_int_eq(match(image, "/m/x.scope", ids), 0);
	ck_assert(policy_matches_cgroup(p, "/m/x.scope", &web));
	ck_assert(!policy_matches_cgroup(p, "/m/x.scope", &db));
	ck_assert(!policy_matches_cgroup(p, "/m/x.scope", NULL));
	ck_assert(!policy_matches_cgroup(p, "/m/x.scope", &unknown));
	ck_assert_int_eq(policy_fits_cgroup(p, "/m/x.scope", &unknown), POLICY_FIT_UNKNOWN);
	ck_assert_int_eq(policy_fits_cgroup(p, "/m/x.scope", &db), POLICY_FIT_NO);
	/* fields of one entry: all of them */
	p->matches[0].unit = strdup("y.scope");
	ck_assert_int_eq(policy_fits_cgroup(p, "/m/x.scope", &web), POLICY_FIT_NO);
	ck_assert_int_eq(policy_fits_cgroup(p, "/m/x.scope", &unknown), POLICY_FIT_NO);
	ck_assert_int_eq(policy_fits_cgroup(p, "/m/y.scope", &web), POLICY_FIT_YES);
	/* another entry that needs no facts decides by itself */
	policy_build_match(p, "/m/x.scope", NULL);
	ck_assert_int_eq(policy_fits_cgroup(p, "/m/x.scope", &unknown), POLICY_FIT_YES);
	p->matches[0].container.name = NULL;
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("bind");

	tcase_add_test(t, test_bind);
	tcase_add_test(t, test_many);
	tcase_add_test(t, test_container_alone);
	return tcase_run(t);
}
