/* SPDX-License-Identifier: Apache-2.0 */

/* What was found of links: kept once, by container; containers with the same links share a profile. */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "programs/haetaed/spellings.h"
#include "tests/unit/runner.h"
#include "util/cleanup.h"

DEFINE_CLEANUP(struct image *, image_freep, image_free)
DEFINE_CLEANUP(struct image_names *, image_names_freep, image_names_free)
DEFINE_CLEANUP(struct policy_file *, file_freep, policy_file_unref)
#define _cleanup_spellings_ _cleanup_(spellings_deinit)
#define _cleanup_made_ _cleanup_(spelled_policies_deinit)

static const struct ht_hash_key key = {.k0 = 1, .k1 = 2};

#define POLICIES                                                                                   \
	"policy: web\nmatch: [{cgroup: /c.slice/*}]\nfile: {deny: [/var/run/**, /bin/x]}\n"        \
	"---\npolicy: other\nmatch: [{cgroup: /c.slice/*}]\nfile: {deny: [/etc/shadow]}\n"

static struct policy_file *parse(void)
{
	struct policy_file *file = NULL;
	struct diag_list diags = {};

	ck_assert_int_eq(policy_parse("t.yaml", POLICIES, strlen(POLICIES), &diags, &file), 0);
	diag_list_deinit(&diags);
	return file;
}

static int add(struct spellings *s, uint64_t cgroup, const char *from, const char *to)
{
	char path[64];

	(void)snprintf(path, sizeof(path), "/c.slice/%llu", (unsigned long long)cgroup);
	return spellings_add(s, cgroup, path, "web", from, to);
}

START_TEST(test_add)
{
	_cleanup_spellings_ struct spellings s = {};

	ck_assert_int_eq(add(&s, 1, "/bin", "/bin"), 0); /* no link */
	ck_assert_int_eq(add(&s, 1, "/bin", "/a*b"), 0); /* no rule can say it */
	ck_assert_uint_eq(s.n, 0);
	ck_assert(!s.changed);
	ck_assert_int_eq(add(&s, 1, "/bin", "/usr/bin"), 0);
	ck_assert_uint_eq(s.n, 1);
	ck_assert(s.changed);
	s.changed = false;
	ck_assert_int_eq(add(&s, 1, "/bin", "/usr/bin"), 0);
	ck_assert_int_eq(spellings_add(&s, 1, "/c.slice/1", "web#0123", "/bin", "/usr/bin"), 0);
	ck_assert_uint_eq(s.n, 1);
	ck_assert(!s.changed); /* known, and a variant's are the policy's */
	for (unsigned i = 1; i < SPELLINGS_PLACES_MAX; i++) {
		char to[32];

		(void)snprintf(to, sizeof(to), "/place%u", i);
		ck_assert_int_eq(add(&s, 1, "/bin", to), 0);
	}
	ck_assert_int_eq(add(&s, 1, "/bin", "/one/more"), -ENOSPC);
	ck_assert_int_eq(add(&s, 1, "/bin", "/usr/bin"), 0);
	ck_assert_int_eq(add(&s, 1, "/lib", "/usr/lib"), 0);
	ck_assert_int_eq(add(&s, 2, "/bin", "/one/more"), 0);
	ck_assert_uint_eq(s.n, SPELLINGS_PLACES_MAX + 2);
}
END_TEST

START_TEST(test_gone)
{
	_cleanup_spellings_ struct spellings s = {};

	for (uint64_t cgroup = 1; cgroup <= 3; cgroup++)
		ck_assert_int_eq(add(&s, cgroup, "/bin", "/usr/bin"), 0);
	spellings_release(&s, 2);
	ck_assert_uint_eq(s.n, 2);
	spellings_release(&s, 9);
	ck_assert_uint_eq(s.n, 2);
	spellings_round(&s);
	spellings_see(&s, 3);
	spellings_sweep(&s);
	ck_assert_uint_eq(s.n, 1);
	ck_assert_uint_eq(s.items[0].cgroup, 3);
}
END_TEST

START_TEST(test_policies)
{
	_cleanup_(image_names_freep) struct image_names *names = image_names_new();
	_cleanup_(image_freep) struct image *image = NULL;
	_cleanup_(file_freep) struct policy_file *file = parse();
	_cleanup_(diag_list_deinit) struct diag_list diags = {};
	_cleanup_spellings_ struct spellings s = {};
	_cleanup_made_ struct spelled_policies made = {};
	const struct policy *all[8] = {file->policies[0], file->policies[1]};
	uint32_t ids[HT_PROFILES_MAX] = {};
	size_t no_room = 0;

	/* two containers with the same links, one with others, one of a policy that has no such rule, one of none */
	ck_assert_int_eq(add(&s, 1, "/var/run", "/run"), 0);
	ck_assert_int_eq(add(&s, 1, "/bin", "/usr/bin"), 0);
	ck_assert_int_eq(add(&s, 2, "/bin", "/usr/bin"), 0);
	ck_assert_int_eq(add(&s, 2, "/var/run", "/run"), 0);
	ck_assert_int_eq(add(&s, 3, "/bin", "/usr/bin"), 0);
	ck_assert_int_eq(spellings_add(&s, 4, "/c.slice/4", "other", "/bin", "/usr/bin"), 0);
	ck_assert_int_eq(spellings_add(&s, 5, "/c.slice/5", "none", "/bin", "/usr/bin"), 0);
	ck_assert_int_eq(spellings_policies(&s, all, 2, &made), 0);
	ck_assert_uint_eq(made.n, 2);
	ck_assert_uint_eq(made.items[0]->n_rules, 2);
	ck_assert_uint_eq(made.items[1]->n_rules, 1);
	ck_assert_int_eq(strncmp(made.items[0]->name, "web#", 4), 0);

	all[2] = made.items[0];
	all[3] = made.items[1];
	ck_assert_int_eq(image_compile(all, 4, names, &key, 0, &diags, &image), 0);
	ck_assert_int_eq(spellings_bind(&s, &made, names, &key, image, &no_room), 0);
	ck_assert_uint_eq(no_room, 0);
	ck_assert_int_eq(image_match_cgroup(image, &key, "/c.slice/1", ids), 3);
	ck_assert_uint_eq(ids[2], image->profiles[2].id);
	ck_assert_int_eq(image_match_cgroup(image, &key, "/c.slice/2", ids), 3);
	ck_assert_uint_eq(ids[2], image->profiles[2].id);
	ck_assert_int_eq(image_match_cgroup(image, &key, "/c.slice/3", ids), 3);
	ck_assert_uint_eq(ids[2], image->profiles[3].id);
	ck_assert_int_eq(image_match_cgroup(image, &key, "/c.slice/4", ids), 2);
	ck_assert_int_eq(image_match_cgroup(image, &key, "/c.slice/6", ids), 2);
	/* nobody is bound by the names of these policies alone */
	ck_assert_int_eq(image_match_cgroup(image, &key, "/elsewhere", ids), 0);
}
END_TEST

/* A container with as many policies as it can have keeps these, and is told of. */
START_TEST(test_no_room)
{
	_cleanup_(image_names_freep) struct image_names *names = image_names_new();
	_cleanup_(image_freep) struct image *image = NULL;
	_cleanup_(file_freep) struct policy_file *file = parse();
	_cleanup_(diag_list_deinit) struct diag_list diags = {};
	_cleanup_spellings_ struct spellings s = {};
	_cleanup_made_ struct spelled_policies made = {};
	const uint32_t more[] = {101, 102, 103, 104, 105, 106};
	_cleanup_(image_freep) struct image *full = NULL;
	const struct policy *all[3] = {file->policies[0], file->policies[1]};
	uint32_t ids[HT_PROFILES_MAX];
	size_t no_room = 0;

	ck_assert_int_eq(add(&s, 1, "/bin", "/usr/bin"), 0);
	ck_assert_int_eq(spellings_policies(&s, all, 2, &made), 0);
	all[2] = made.items[0];
	ck_assert_int_eq(image_compile(all, 3, names, &key, 0, &diags, &image), 0);
	/* the last place is its own, and it is bound once */
	ck_assert_int_eq(image_compile(all, 3, names, &key, 0, &diags, &full), 0);
	ck_assert_int_eq(image_bind(full, "/c.slice/1", more, ARRAY_LEN(more) - 1), 0);
	for (unsigned i = 0; i < 2; i++)
		ck_assert_int_eq(spellings_bind(&s, &made, names, &key, full, &no_room), 0);
	ck_assert_uint_eq(no_room, 0);
	ck_assert_int_eq(image_match_cgroup(full, &key, "/c.slice/1", ids), (int)HT_PROFILES_MAX);

	ck_assert_int_eq(image_bind(image, "/c.slice/1", more, ARRAY_LEN(more)), 0);
	ck_assert_int_eq(image_match_cgroup(image, &key, "/c.slice/1", ids), (int)HT_PROFILES_MAX);
	ck_assert_int_eq(spellings_bind(&s, &made, names, &key, image, &no_room), 0);
	ck_assert_uint_eq(no_room, 1);
	ck_assert_int_eq(image_match_cgroup(image, &key, "/c.slice/1", ids), (int)HT_PROFILES_MAX);
}
END_TEST

/* Ids of names are not given back: beyond a bound only what has one is made. */
START_TEST(test_bound)
{
	_cleanup_(image_names_freep) struct image_names *names = image_names_new();
	_cleanup_(file_freep) struct policy_file *file = parse();
	const struct policy *all[] = {file->policies[0], file->policies[1]};
	_cleanup_spellings_ struct spellings s = {};
	uint32_t id;

	for (uint64_t cgroup = 1; cgroup <= 4; cgroup++) {
		char to[32];

		(void)snprintf(to, sizeof(to), "/place%u", (unsigned)cgroup);
		ck_assert_int_eq(add(&s, cgroup, "/bin", to), 0);
	}
	for (unsigned turn = 0; turn < 2; turn++) {
		_cleanup_made_ struct spelled_policies made = {};

		ck_assert_int_eq(spellings_policies(&s, all, 2, &made), 0);
		ck_assert_uint_eq(made.n, 4);
		ck_assert_uint_eq(spelled_policies_bound(&made, names, 2), 2);
		ck_assert_uint_eq(made.n, 2);
		for (size_t i = 0; i < made.n; i++)
			ck_assert_int_eq(image_names_profile(names, made.items[i]->name, &id), 0);
		ck_assert_uint_eq(image_names_last_profile(names), 2);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("spellings");

	tcase_add_test(tc, test_add);
	tcase_add_test(tc, test_gone);
	tcase_add_test(tc, test_policies);
	tcase_add_test(tc, test_no_room);
	tcase_add_test(tc, test_bound);
	return tcase_run(tc);
}
