/* SPDX-License-Identifier: Apache-2.0 */

/* Variants: bound to one container and what is below it, and every other path keeps what it had. */

#include "compile/disarm.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "builder.h"
#include "tests/unit/runner.h"

DEFINE_CLEANUP(struct image *, image_freep, image_free)
DEFINE_CLEANUP(struct image_names *, image_names_freep, image_names_free)

static const struct ht_hash_key key = {0x0706050403020100ULL, 0x0f0e0d0c0b0a0908ULL};

/* Policies that select in every way there is. */
static const struct {
	const char *name, *cgroup, *unit;
} selectors[] = {
	{"exact", "/machine.slice/libpod-1.scope", NULL},
	{"glob", "/machine.slice/libpod-*.scope", NULL},
	{"all", "/machine.slice/**", NULL},
	{"unit", NULL, "nginx.service"},
	{"units", NULL, "*.service"},
	{"both", "/system.slice/**", "n*.service"},
	{"deep", "/a/*/c/**", NULL},
	{"haetae-canary", NULL, "haetae-canary.scope"},
};

static const char *const paths[] = {
	"/",
	"/machine.slice",
	"/machine.slice/libpod-1.scope",
	"/machine.slice/libpod-1.scope/container",
	"/machine.slice/libpod-1.scope/nginx.service",
	"/machine.slice/libpod-1.scope/a/b/nginx.service/x",
	"/machine.slice/libpod-1.scope/haetae-canary.scope",
	"/machine.slice/libpod-10.scope",
	"/machine.slice/libpod-2.scope",
	"/machine.slice/libpod-2.scope/container",
	"/machine.slice/other",
	"/system.slice/nginx.service",
	"/system.slice/nginx.service/sub",
	"/system.slice/nginx.service/sub/nginx.service",
	"/system.slice/ssh.service",
	"/user.slice/nginx.service",
	"/haetae-canary.scope",
	"/a/b/c",
	"/a/b/c/d",
	"/a/x/c/d/e",
	"/a/b",
	"/elsewhere",
};

static struct image *build(struct image_names *names)
{
	struct policy *policies[ARRAY_LEN(selectors)];
	struct diag_list diags = {};
	struct image *image = NULL;

	for (size_t i = 0; i < ARRAY_LEN(selectors); i++) {
		policies[i] = policy_build(selectors[i].name);
		policy_build_match(policies[i], selectors[i].cgroup, selectors[i].unit);
		(void)policy_build_rule(policies[i], POLICY_RULE_FILE_DENY, "/x", HT_OP_READ);
	}
	ck_assert_int_eq(image_compile((const struct policy *const *)policies, ARRAY_LEN(selectors), names,
				       &key, 0, &diags, &image),
			 0);
	for (size_t i = 0; i < ARRAY_LEN(selectors); i++)
		(void)policy_build_free(policies[i]);
	diag_list_deinit(&diags);
	return image;
}

static const struct image_profile *profile_by_id(const struct image *image, uint32_t id)
{
	for (size_t i = 0; i < image->n_profiles; i++)
		if (image->profiles[i].id == id)
			return &image->profiles[i];
	ck_abort_msg("no profile %u", id);
}

static uint32_t header_flags(const struct image_profile *profile)
{
	for (size_t i = 0; i < profile->n_pairs; i++)
		if (profile->pairs[i].key.kind == HT_EDGE_HEADER)
			return profile->pairs[i].entry.flags;
	ck_abort_msg("no header");
}

static bool is_below(const char *path, const char *top)
{
	size_t n = strlen(top);

	if (strcmp(top, "/") == 0)
		return true;
	return strncmp(path, top, n) == 0 && (path[n] == '\0' || path[n] == '/');
}

/* What `after` binds to a path must be what `before` does, as variants below `top` alone. */
static void expect_bound(const struct image *before, const struct image *after, const char *path,
			 const char *const *tops, size_t n_tops, bool armed)
{
	uint32_t was[HT_PROFILES_MAX] = {}, is[HT_PROFILES_MAX] = {};
	int n = image_match_cgroup(before, &key, path, was);
	bool below = false;

	for (size_t i = 0; i < n_tops; i++)
		below = below || is_below(path, tops[i]);
	ck_assert_int_ge(n, 0);
	ck_assert_int_eq(image_match_cgroup(after, &key, path, is), n);
	for (int i = 0; i < n; i++) {
		const struct image_profile *o = profile_by_id(before, was[i]);
		const struct image_profile *v = profile_by_id(after, is[i]);
		bool canary = strcmp(o->policy, "haetae-canary") == 0;
		size_t len = strlen(o->policy);

		if (!below || canary) {
			ck_assert_msg(was[i] == is[i], "%s: %s became %s", path, o->policy, v->policy);
			ck_assert_uint_eq(v->digest, o->digest);
			ck_assert(header_flags(v) & HT_PROFILE_ENFORCE);
			continue;
		}
		ck_assert_msg(strncmp(v->policy, o->policy, len) == 0 && v->policy[len] == '#', "%s: %s",
			      path, v->policy);
		ck_assert(!(header_flags(v) & HT_PROFILE_ENFORCE) == !armed);
		ck_assert((v->digest == o->digest) == armed);
	}
}

START_TEST(test_each_path)
{
	const char *top = paths[_i];
	uint32_t ids[HT_PROFILES_MAX];

	for (int armed = 0; armed < 2; armed++) {
		_cleanup_(image_names_freep) struct image_names *names = image_names_new();
		_cleanup_(image_freep) struct image *before = build(names);
		_cleanup_(image_freep) struct image *after = build(names);
		const struct image_disarm disarm = {.cgroup = top, .armed = armed};
		int r = image_disarm(after, names, &key, &disarm);

		ck_assert_int_ge(r, 0);
		if (image_match_cgroup(before, &key, top, ids) > 0 && !strstr(top, "canary"))
			ck_assert_int_gt(r, 0);
		for (size_t i = 0; i < ARRAY_LEN(paths); i++)
			expect_bound(before, after, paths[i], &top, 1, armed);
	}
}
END_TEST

/* What is bound by its exact path alone is disarmed with its cgroup, or with one above. */
START_TEST(test_bound)
{
	static const char *const tops[] = {"/q.slice/x.scope", "/q.slice", "/", "/q.slice/x.scope/c", "/q.slice/x.scop"};
	bool disarmed = _i < 3;
	_cleanup_(image_names_freep) struct image_names *names = image_names_new();
	_cleanup_(image_freep) struct image *image = build(names);
	const struct image_disarm disarm = {.cgroup = tops[_i]};
	uint32_t id = image->profiles[0].id, ids[HT_PROFILES_MAX] = {};
	const struct image_profile *v;

	ck_assert_int_eq(image_bind(image, "/q.slice/x.scope", &id, 1), 0);
	ck_assert_int_ge(image_disarm(image, names, &key, &disarm), disarmed);
	ck_assert_int_eq(image_match_cgroup(image, &key, "/q.slice/x.scope", ids), 1);
	v = profile_by_id(image, ids[0]);
	ck_assert((ids[0] != id) == disarmed);
	ck_assert(!(header_flags(v) & HT_PROFILE_ENFORCE) == disarmed);
}
END_TEST

/* One after the other, and the same bytes each time. */
START_TEST(test_several)
{
	static const char *const tops[] = {"/machine.slice/libpod-1.scope", "/system.slice/nginx.service",
					   "/a/b/c/d"};
	_cleanup_(image_names_freep) struct image_names *names = image_names_new();
	_cleanup_(image_freep) struct image *before = build(names);
	_cleanup_(image_freep) struct image *after = build(names);
	_cleanup_(image_freep) struct image *again = build(names);

	for (size_t i = 0; i < ARRAY_LEN(tops); i++) {
		const struct image_disarm disarm = {.cgroup = tops[i]};

		ck_assert_int_gt(image_disarm(after, names, &key, &disarm), 0);
		ck_assert_int_gt(image_disarm(again, names, &key, &disarm), 0);
	}
	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		expect_bound(before, after, paths[i], tops, ARRAY_LEN(tops), false);
	ck_assert_uint_eq(after->matcher.digest, again->matcher.digest);
	ck_assert_uint_ne(after->matcher.digest, before->matcher.digest);
	ck_assert_uint_eq(after->n_profiles, again->n_profiles);
	for (size_t i = 0; i < after->n_profiles; i++)
		ck_assert_uint_eq(after->profiles[i].id, again->profiles[i].id);
}
END_TEST

START_TEST(test_all)
{
	_cleanup_(image_names_freep) struct image_names *names = image_names_new();
	_cleanup_(image_freep) struct image *before = build(names);
	_cleanup_(image_freep) struct image *image = build(names);

	image_disarm_all(image);
	for (size_t i = 0; i < image->n_profiles; i++) {
		const struct image_profile *p = &image->profiles[i];
		bool canary = strcmp(p->policy, "haetae-canary") == 0;

		ck_assert(!(header_flags(p) & HT_PROFILE_ENFORCE) == !canary);
		ck_assert((p->digest == before->profiles[i].digest) == canary);
	}
	ck_assert_uint_eq(image->matcher.digest, before->matcher.digest);
}
END_TEST

static int note(const char *policy, uint32_t variant, void *userdata)
{
	char *told = userdata;

	ck_assert_uint_gt(variant, 0);
	(void)strcat(strcat(told, policy), " ");
	return 0;
}

START_TEST(test_told)
{
	_cleanup_(image_names_freep) struct image_names *names = image_names_new();
	_cleanup_(image_freep) struct image *image = build(names);
	char told[256] = "";
	const struct image_disarm disarm = {
		.cgroup = "/machine.slice/libpod-2.scope", .each = note, .userdata = told};
	char deep[256] = "";

	ck_assert_int_gt(image_disarm(image, names, &key, &disarm), 0);
	ck_assert_ptr_nonnull(strstr(told, "glob "));
	ck_assert_ptr_nonnull(strstr(told, "all "));
	ck_assert_ptr_null(strstr(told, "exact "));
	for (unsigned i = 0; i < HT_CGROUP_DEPTH_MAX + 1; i++)
		(void)strcat(deep, "/x");
	ck_assert_int_eq(image_disarm(image, names, &key, &(struct image_disarm){.cgroup = deep}), -EINVAL);
}
END_TEST

/* A name that leaves no room for the mark still gives a name of its own. */
START_TEST(test_long_name)
{
	_cleanup_(image_names_freep) struct image_names *names = image_names_new();
	_cleanup_(image_freep) struct image *image = NULL;
	struct policy *policies[2];
	struct diag_list diags = {};
	char name[64];

	for (int i = 0; i < 2; i++) {
		memset(name, 'n', 63);
		name[62] = (char)('a' + i);
		name[63] = '\0';
		policies[i] = policy_build(name);
		policy_build_match(policies[i], "/a", NULL);
	}
	ck_assert_int_eq(image_compile((const struct policy *const *)policies, 2, names, &key, 0, &diags, &image),
			 0);
	ck_assert_int_eq(image_disarm(image, names, &key, &(struct image_disarm){.cgroup = "/a"}), 2);
	ck_assert_uint_eq(image->n_profiles, 4);
	ck_assert_uint_eq(strlen(image->profiles[2].policy), HT_POLICY_NAME_MAX);
	ck_assert_str_ne(image->profiles[2].policy, image->profiles[3].policy);
	ck_assert_uint_ne(image->profiles[2].id, image->profiles[3].id);
	for (int i = 0; i < 2; i++)
		(void)policy_build_free(policies[i]);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("disarm");

	tcase_add_loop_test(tc, test_each_path, 0, (int)ARRAY_LEN(paths));
	tcase_add_loop_test(tc, test_bound, 0, 5);
	tcase_add_test(tc, test_several);
	tcase_add_test(tc, test_all);
	tcase_add_test(tc, test_told);
	tcase_add_test(tc, test_long_name);
	return tcase_run(tc);
}
