/* SPDX-License-Identifier: Apache-2.0 */

/* The cgroup matcher: which profiles a cgroup's own path selects. */

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "random.h"
#include "tests/unit/runner.h"

static const struct ht_hash_key key = {.k0 = 3, .k1 = 4};

DEFINE_CLEANUP(struct image *, image_freep, image_free)
DEFINE_CLEANUP(struct image_names *, image_names_freep, image_names_free)
#define _cleanup_image_ _cleanup_(image_freep)

static struct image *compile(const struct policy *const *policies, size_t n)
{
	_cleanup_(image_names_freep) struct image_names *names = image_names_new();
	_cleanup_(diag_list_deinit) struct diag_list diags = {};
	struct image *image = NULL;

	ck_assert_int_eq(image_compile(policies, n, names, &key, 0, &diags, &image), 0);
	ck_assert_uint_eq(diags.n, 0);
	ck_assert_uint_eq(image->matcher.id, 0);
	ck_assert_ptr_null(image->matcher.policy);
	return image;
}

static const struct match_case {
	const char *cgroup;
	const char *unit;
	const char *path;
	bool match;
} cases[] = {
	/* cgroup alone: the whole path */
	{"/machine.slice/a.scope", NULL, "/machine.slice/a.scope", true},
	{"/machine.slice/a.scope", NULL, "/machine.slice/a.scope/", true},
	{"/machine.slice/a.scope", NULL, "/machine.slice", false},
	{"/machine.slice/a.scope", NULL, "/machine.slice/a.scope/x", false},
	{"/machine.slice/a.scope", NULL, "/x/machine.slice/a.scope", false},
	{"/machine.slice/libpod-*.scope", NULL, "/machine.slice/libpod-0af.scope", true},
	{"/machine.slice/libpod-*.scope", NULL, "/machine.slice/libpod-.scope", true},
	{"/machine.slice/libpod-*.scope", NULL, "/machine.slice/libpod-0af.scope/c", false},
	{"/machine.slice/libpod-*.scope", NULL, "/machine.slice/crun-1.scope", false},
	/* what watches over a container is called much the same, and not meant */
	{"/machine.slice/libpod-*.scope", NULL, "/machine.slice/libpod-conmon-0af.scope", false},
	{"/machine.slice/libpod-*.scope", NULL, "/machine.slice/libpod-conmon-.scope", false},
	{"/machine.slice/libpod-*.scope", NULL, "/machine.slice/libpod-conmon.scope", true},
	{"/machine.slice/*", NULL, "/machine.slice/libpod-conmon-0af.scope", false},
	{"/machine.slice/*", NULL, "/machine.slice/crio-conmon-0af.scope", false},
	{"/machine.slice/*", NULL, "/machine.slice/crio-0af.scope", true},
	{"/*/*", NULL, "/machine.slice/libpod-conmon-0af.scope", false},
	{"/*/container", NULL, "/libpod-conmon-0af.scope/container", true},
	{"/machine.slice/libpod-conmon-*.scope", NULL, "/machine.slice/libpod-conmon-0af.scope", true},
	{"/machine.slice/libpod-conmon-0af.scope", NULL, "/machine.slice/libpod-conmon-0af.scope", true},
	{"/machine.slice/**", NULL, "/machine.slice/libpod-conmon-0af.scope", true},
	{NULL, "libpod-*.scope", "/user.slice/x/libpod-conmon-0af.scope", false},
	{NULL, "libpod-*.scope", "/user.slice/x/libpod-0af.scope", true},
	{NULL, "*.scope", "/a/crio-conmon-0af.scope", false},
	{NULL, "*.service", "/a/crio-conmon-0af.scope", false},
	{NULL, "libpod-conmon-0af.scope", "/a/libpod-conmon-0af.scope", true},
	{"/machine.slice/**", "libpod-*.scope", "/machine.slice/a/libpod-conmon-0af.scope", false},
	{"/machine.slice/**", "libpod-*.scope", "/machine.slice/a/libpod-0af.scope", true},
	{"/machine.slice/*", "libpod-*.scope", "/machine.slice/libpod-conmon-0af.scope", false},
	{"/*/a", NULL, "/x/a", true},
	{"/*/a", NULL, "/a", false},
	{"/a?", NULL, "/ab", true},
	{"/a?", NULL, "/a", false},
	{"/", NULL, "/", true},
	{"/", NULL, "/a", false},
	/* subtree: it and all below */
	{"/system.slice/**", NULL, "/system.slice", true},
	{"/system.slice/**", NULL, "/system.slice/a/b", true},
	{"/system.slice/**", NULL, "/system.slices", false},
	{"/**", NULL, "/", true},
	{"/**", NULL, "/a/b/c", true},
	/* unit alone: the last component, at any depth */
	{NULL, "nginx.service", "/nginx.service", true},
	{NULL, "nginx.service", "/system.slice/nginx.service", true},
	{NULL, "nginx.service", "/a/b/c/d/nginx.service", true},
	{NULL, "nginx.service", "/nginx.service/nginx.service", true},
	{NULL, "nginx.service", "/system.slice/nginx.service/worker", false},
	{NULL, "nginx.service", "/system.slice/nginx2.service", false},
	{NULL, "nginx.service", "/", false},
	{NULL, "web@*.service", "/system.slice/web@1.service", true},
	{NULL, "web@*.service", "/system.slice/web@1.service/x", false},
	{NULL, "web@*.service", "/web@1.service/web@2.service", true},
	{NULL, "*", "/", false},
	{NULL, "*", "/a", true},
	{NULL, "*", "/a/b", true},
	/* both: ANDed */
	{"/a/*", "x.service", "/a/x.service", true},
	{"/a/*", "x.service", "/a/y.service", false},
	{"/a/*", "x.service", "/b/x.service", false},
	{"/a/x*", "*.service", "/a/x1.service", true},
	{"/a/x*", "*.service", "/a/x1.scope", false},
	{"/a/x*", "*.service", "/a/y.service", false},
	{"/a/x.service", "x*", "/a/x.service", true},
	{"/a/**", "x.service", "/a/x.service", true},
	{"/a/**", "x.service", "/a/b/c/x.service", true},
	{"/a/**", "x.service", "/a/x.service/b", false},
	{"/a/**", "x.service", "/b/x.service", false},
	{"/a/**", "x.service", "/a", false},
	{"/a/**", "a", "/a", true},
	{"/a/**", "a", "/a/b/a", true},
	{"/a/**", "a", "/b/a", false},
	{"/a*/**", "*b", "/ab", true},
	{"/a*/**", "*b", "/a/xb", true},
	{"/a*/**", "*b", "/a/x", false},
	{"/**", "x", "/x", true},
	{"/**", "x", "/y/x", true},
	{"/**", "x", "/x/y", false},
	{"/**", "x", "/", false},
};

START_TEST(match_table)
{
	const struct match_case *m = &cases[_i];
	_cleanup_policy_ struct policy *policy = policy_build("p");
	const struct policy *policies[] = {policy};
	_cleanup_image_ struct image *image = NULL;
	uint32_t ids[HT_PROFILES_MAX] = {};

	policy_build_match(policy, m->cgroup, m->unit);
	image = compile(policies, 1);
	ck_assert_int_eq(image_match_cgroup(image, &key, m->path, ids), m->match);
	ck_assert_uint_eq(ids[0], m->match ? image->profiles[0].id : 0);
	ck_assert_int_eq(policy_matches_cgroup(policy, m->path, NULL), m->match);
}
END_TEST

START_TEST(entries_are_ored)
{
	_cleanup_policy_ struct policy *policy = policy_build("p");
	const struct policy *policies[] = {policy};
	_cleanup_image_ struct image *image = NULL;
	uint32_t ids[HT_PROFILES_MAX];

	policy_build_match(policy, "/a/*", "x");
	policy_build_match(policy, NULL, "y");
	policy_build_match(policy, "/a/x", NULL);
	image = compile(policies, 1);
	/* once, though two entries say so */
	ck_assert_int_eq(image_match_cgroup(image, &key, "/a/x", ids), 1);
	ck_assert_int_eq(image_match_cgroup(image, &key, "/b/y", ids), 1);
	ck_assert_int_eq(image_match_cgroup(image, &key, "/b/x", ids), 0);
}
END_TEST

START_TEST(profiles_come_in_order_and_are_counted)
{
	struct policy *policies[10];
	_cleanup_image_ struct image *image = NULL;
	uint32_t ids[HT_PROFILES_MAX];
	char name[8];

	for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
		snprintf(name, sizeof(name), "p%zu", i);
		policies[i] = policy_build(name);
		policy_build_match(policies[i], "/all/**", NULL);
		if (i % 2)
			policy_build_match(policies[i], "/odd", NULL);
	}
	image = compile((const struct policy *const *)policies, ARRAY_LEN(policies));
	/* more than a task can carry: the number tells */
	ck_assert_int_eq(image_match_cgroup(image, &key, "/all/x", ids), 10);
	for (size_t i = 0; i < HT_PROFILES_MAX; i++)
		ck_assert_uint_eq(ids[i], image->profiles[i].id);
	ck_assert_int_eq(image_match_cgroup(image, &key, "/odd", ids), 5);
	for (size_t i = 0; i < 5; i++)
		ck_assert_uint_eq(ids[i], image->profiles[2 * i + 1].id);
	for (size_t i = 0; i < ARRAY_LEN(policies); i++)
		policy_build_free(policies[i]);
}
END_TEST

START_TEST(empty_set_matches_nothing)
{
	_cleanup_image_ struct image *image = compile(NULL, 0);
	uint32_t ids[HT_PROFILES_MAX];

	ck_assert_uint_eq(image->n_profiles, 0);
	ck_assert_int_eq(image_match_cgroup(image, &key, "/", ids), 0);
	ck_assert_int_eq(image_match_cgroup(image, &key, "/a/b", ids), 0);
}
END_TEST

/* ---- random sets against the independent judge ---- */

static const char *random_component(struct random *r, bool pattern)
{
	static const char *const texts[] = {"a",  "b",	"ab", "ba", "aab", "c",
					    "a*", "*b", "*",  "?",  "a?",  "*a*"};

	return texts[random_below(r, pattern ? ARRAY_LEN(texts) : 6)];
}

static void random_cgroup(struct random *r, bool pattern, char *text)
{
	char *p = text;

	for (uint32_t n = random_below(r, pattern ? 4 : 6); n > 0; n--)
		p = stpcpy(stpcpy(p, "/"), random_component(r, pattern));
	if (pattern && random_below(r, 3) == 0)
		p = stpcpy(p, "/**");
	if (p == text)
		strcpy(text, "/");
}

/* Can any cgroup be selected by both? The compiler refuses entries that never match. */
static bool entry_is_possible(const char *cgroup, const char *unit)
{
	static const char *const names[] = {"a", "b",  "ab", "ba",  "aab",
					    "c", "aa", "bb", "aba", "bab"};
	_cleanup_policy_ struct policy *p = policy_build("probe");
	const char *last = strrchr(cgroup, '/') + 1;
	char pattern[64];

	if (strlen(cgroup) >= 3 && strcmp(cgroup + strlen(cgroup) - 3, "/**") == 0)
		return true;
	snprintf(pattern, sizeof(pattern), "/%s", last);
	policy_build_match(p, pattern, unit);
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		char path[16];

		snprintf(path, sizeof(path), "/%s", names[i]);
		if (policy_matches_cgroup(p, path, NULL))
			return true;
	}
	return false;
}

static struct policy *random_selector(struct random *r, uint32_t number)
{
	char name[16], cgroup[64];
	struct policy *policy;

	snprintf(name, sizeof(name), "p%u", number);
	policy = policy_build(name);
	for (uint32_t n = 1 + random_below(r, 2); n > 0; n--) {
		uint32_t kind = random_below(r, 3);
		const char *unit = random_component(r, true);

		random_cgroup(r, true, cgroup);
		if (kind == 2 && !entry_is_possible(cgroup, unit))
			kind = 0;
		policy_build_match(policy, kind != 1 ? cgroup : NULL, kind != 0 ? unit : NULL);
	}
	return policy;
}

START_TEST(matcher_agrees)
{
	struct random r = {.state = random_seed(31337) + (uint64_t)_i};
	size_t bound = 0;

	for (unsigned round = 0; round < 300; round++) {
		struct policy *policies[6];
		uint32_t n = 1 + random_below(&r, ARRAY_LEN(policies));
		_cleanup_image_ struct image *image = NULL;

		for (uint32_t i = 0; i < n; i++)
			policies[i] = random_selector(&r, i);
		image = compile((const struct policy *const *)policies, n);
		for (unsigned j = 0; j < 100; j++) {
			uint32_t ids[HT_PROFILES_MAX] = {}, expected[HT_PROFILES_MAX] = {};
			int count = 0;
			char path[64];

			random_cgroup(&r, false, path);
			for (uint32_t i = 0; i < n; i++)
				if (policy_matches_cgroup(policies[i], path, NULL))
					expected[count++] = image->profiles[i].id;
			if (image_match_cgroup(image, &key, path, ids) != count ||
			    memcmp(ids, expected, sizeof(ids)) != 0) {
				for (uint32_t i = 0; i < n; i++)
					policy_build_print(policies[i], stderr);
				ck_abort_msg("the judges disagree about cgroup %s", path);
			}
			bound += (size_t)count;
		}
		for (uint32_t i = 0; i < n; i++)
			policy_build_free(policies[i]);
	}
	ck_assert_uint_gt(bound, 5000);
}
END_TEST

/* Units are under way everywhere; the matcher must not square or cube for it. */
START_TEST(many_units)
{
	struct policy *policies[200];
	_cleanup_image_ struct image *image = NULL;
	uint32_t ids[HT_PROFILES_MAX];
	char text[64];

	for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
		snprintf(text, sizeof(text), "p%zu", i);
		policies[i] = policy_build(text);
		snprintf(text, sizeof(text), "svc%zu.service", i);
		policy_build_match(policies[i], NULL, text);
		snprintf(text, sizeof(text), "/machine.slice/pod-%zu.scope", i);
		policy_build_match(policies[i], text, NULL);
	}
	image = compile((const struct policy *const *)policies, ARRAY_LEN(policies));
	for (size_t i = 0; i < ARRAY_LEN(policies); i++) {
		snprintf(text, sizeof(text), "/machine.slice/pod-7.scope/x/svc%zu.service", i);
		ck_assert_int_eq(image_match_cgroup(image, &key, text, ids), 1);
		ck_assert_uint_eq(ids[0], image->profiles[i].id);
		policy_build_free(policies[i]);
	}
	ck_assert_uint_lt(image->matcher.n_pairs, 100000);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("matcher");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, match_table, 0, ARRAY_LEN(cases));
	tcase_add_test(t, entries_are_ored);
	tcase_add_test(t, profiles_come_in_order_and_are_counted);
	tcase_add_test(t, empty_set_matches_nothing);
	tcase_add_loop_test(t, matcher_agrees, 0, 4);
	tcase_add_test(t, many_units);
	return tcase_run(t);
}
