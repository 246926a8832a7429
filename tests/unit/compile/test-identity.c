/* SPDX-License-Identifier: Apache-2.0 */

/* Which rules bind the object that is found under their path, and for which operations. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "builder.h"
#include "compile/disarm.h"
#include "tests/unit/runner.h"

static const struct ht_hash_key key = {.k0 = 1, .k1 = 2};

DEFINE_CLEANUP(struct image *, image_freep, image_free)
DEFINE_CLEANUP(struct image_names *, image_names_freep, image_names_free)
#define _cleanup_image_ _cleanup_(image_freep)

static struct image *compile(const struct policy *policy)
{
	_cleanup_(image_names_freep) struct image_names *names = image_names_new();
	_cleanup_(diag_list_deinit) struct diag_list diags = {};
	struct image *image = NULL;

	ck_assert_int_eq(image_compile(&policy, 1, names, &key, 0, &diags, &image), 0);
	return image;
}

static uint32_t header_flags(const struct image *image)
{
	const struct image_pair *first = &image->profiles[0].pairs[0];

	ck_assert_uint_eq(first->key.kind, HT_EDGE_HEADER);
	return first->entry.flags;
}

static uint64_t pair_rule(const struct image_profile *p, uint32_t state, uint32_t op)
{
	uint64_t common = 0;

	for (size_t i = 0; i < p->n_pairs; i++) {
		if (p->pairs[i].key.state != state || p->pairs[i].key.kind != HT_EDGE_RULE)
			continue;
		if (p->pairs[i].key.name == HT_RULE_KEY(HT_RULE_DENY, op))
			return p->pairs[i].entry.rule;
		if (p->pairs[i].key.name == HT_RULE_KEY(HT_RULE_DENY, HT_RULE_COMMON))
			common = p->pairs[i].entry.rule;
	}
	return common;
}

static const struct {
	enum policy_rule_kind kind;
	const char *path, *except;
	uint32_t ops;
	const char *bound; /* NULL: nothing */
	uint32_t deny;
} kinds[] = {
	{POLICY_RULE_FILE_DENY, "/a/b", NULL, HT_OP_WRITE, "/a/b", HT_OP_WRITE},
	{POLICY_RULE_FILE_DENY, "/a/b", NULL, HT_OP_ALL, "/a/b", HT_OP_ALL},
	{POLICY_RULE_EXEC_DENY, "/a/b", NULL, HT_OPS_EXEC, "/a/b", HT_OPS_EXEC},
	/* the directory itself */
	{POLICY_RULE_FILE_DENY, "/a/**", NULL, HT_OP_READ, "/a", HT_OP_READ},
	{POLICY_RULE_FILE_DENY, "/a/**", "/a/b", HT_OP_READ, "/a", HT_OP_READ},
	{POLICY_RULE_FILE_DENY, "/", NULL, HT_OP_READ, "/", HT_OP_READ},
	{POLICY_RULE_FILE_DENY, "/a/b", "/a/b", HT_OP_READ, NULL, 0},
	{POLICY_RULE_FILE_DENY, "/a/*", NULL, HT_OP_READ, NULL, 0},
	{POLICY_RULE_FILE_DENY, "/a?/b", NULL, HT_OP_READ, NULL, 0},
	{POLICY_RULE_FILE_ALLOW, "/a/b", NULL, HT_OP_READ, NULL, 0},
	{POLICY_RULE_EXEC_ALLOW, "/a/b", NULL, 0, NULL, 0},
	/* what only records */
	{POLICY_RULE_FILE_AUDIT, "/a/b", NULL, HT_OP_READ, NULL, 0},
	{POLICY_RULE_EXEC_AUDIT, "/a/b", NULL, 0, NULL, 0},
};

START_TEST(test_kind)
{
	_cleanup_policy_ struct policy *policy = policy_build("p");
	_cleanup_image_ struct image *image = NULL;
	const struct image_profile *p;
	const struct image_identity *id;

	(void)policy_build_rule(policy, kinds[_i].kind, kinds[_i].path, kinds[_i].ops);
	if (kinds[_i].except)
		policy_build_except(policy, kinds[_i].except);
	image = compile(policy);
	p = &image->profiles[0];
	if (!kinds[_i].bound) {
		ck_assert_uint_eq(p->n_identities, 0);
		ck_assert_uint_eq(header_flags(image) & HT_PROFILE_IDENTITIES, 0);
		return;
	}
	ck_assert_uint_eq(header_flags(image) & HT_PROFILE_IDENTITIES, HT_PROFILE_IDENTITIES);
	ck_assert_uint_eq(p->n_identities, 1);
	id = image_identity_find(p, kinds[_i].bound);
	ck_assert_ptr_nonnull(id);
	ck_assert_uint_eq(id->entry.deny, kinds[_i].deny);
	/* and the kernel finds the rule by the state of the entry */
	for (uint32_t op = 0; op < HT_OP_MAX; op++)
		if (kinds[_i].deny & (1U << op))
			ck_assert_uint_eq(pair_rule(p, id->entry.next, op), policy->rules[0].id);
}
END_TEST

/* What a default or a wildcard refuses of the path is said of its name alone. */
START_TEST(test_narrow)
{
	_cleanup_policy_ struct policy *policy = policy_build("p");
	_cleanup_image_ struct image *image = NULL;
	const struct image_identity *id;

	(void)policy_build_rule(policy, POLICY_RULE_FILE_DENY, "/a/*", HT_OP_READ);
	(void)policy_build_rule(policy, POLICY_RULE_FILE_DENY, "/a/b", HT_OP_WRITE);
	(void)policy_build_rule(policy, POLICY_RULE_EXEC_ALLOW, "/bin/true", 0);
	policy_build_default(policy, POLICY_RULE_EXEC_DEFAULT);
	image = compile(policy);
	id = image_identity_find(&image->profiles[0], "/a/b");
	ck_assert_ptr_nonnull(id);
	ck_assert_uint_eq(id->entry.deny, HT_OP_WRITE);
	ck_assert_ptr_null(image_identity_find(&image->profiles[0], "/bin/true"));
	ck_assert_ptr_null(image_identity_find(&image->profiles[0], "/a/*"));
}
END_TEST

/* Rules of one path are one. */
START_TEST(test_together)
{
	_cleanup_policy_ struct policy *policy = policy_build("p");
	_cleanup_image_ struct image *image = NULL;
	const struct image_profile *p;

	(void)policy_build_rule(policy, POLICY_RULE_FILE_DENY, "/z", HT_OP_READ);
	(void)policy_build_rule(policy, POLICY_RULE_FILE_DENY, "/b", HT_OP_READ);
	(void)policy_build_rule(policy, POLICY_RULE_FILE_DENY, "/z", HT_OP_WRITE);
	image = compile(policy);
	p = &image->profiles[0];
	ck_assert_uint_eq(p->n_identities, 2);
	ck_assert_str_eq(p->identities[0].path, "/b");
	ck_assert_uint_eq(p->identities[1].entry.deny, HT_OP_READ | HT_OP_WRITE);
}
END_TEST

/* The digest tells that a profile is to be asked for identities, so that a publish replaces one that is not. */
START_TEST(test_digest)
{
	_cleanup_policy_ struct policy *policy = policy_build("p");
	_cleanup_image_ struct image *image = NULL;
	struct image_profile *p;

	(void)policy_build_rule(policy, POLICY_RULE_FILE_DENY, "/z", HT_OP_READ);
	image = compile(policy);
	p = &image->profiles[0];
	ck_assert_uint_eq(p->digest, ht_hash_name(&key, p->pairs, p->n_pairs * sizeof(*p->pairs)));
}
END_TEST

#define NOW 1000

static struct image *compile_dated(int64_t enforce_after, int64_t expires)
{
	_cleanup_policy_ struct policy *policy = policy_build("p");
	_cleanup_(image_names_freep) struct image_names *names = image_names_new();
	_cleanup_(diag_list_deinit) struct diag_list diags = {};
	const struct policy *policies[] = {policy};
	struct policy_rule *rule;
	struct image *image = NULL;

	rule = policy_build_rule(policy, POLICY_RULE_FILE_DENY, "/a/b", HT_OP_READ);
	rule->enforce_after = enforce_after;
	rule->expires = expires;
	(void)policy_build_rule(policy, POLICY_RULE_FILE_DENY, "/a/**", HT_OP_READ);
	ck_assert_int_eq(image_compile(policies, 1, names, &key, NOW, &diags, &image), 0);
	return image;
}

/* A rule that is over binds nothing, though the directory's rule refuses the name still. */
START_TEST(test_dates)
{
	_cleanup_image_ struct image *expired = compile_dated(0, NOW);
	_cleanup_image_ struct image *in_force = compile_dated(0, NOW + 1);

	ck_assert_ptr_null(image_identity_find(&expired->profiles[0], "/a/b"));
	ck_assert_ptr_nonnull(image_identity_find(&expired->profiles[0], "/a"));
	ck_assert_uint_eq(image_identity_find(&in_force->profiles[0], "/a/b")->entry.deny, HT_OP_READ);
}
END_TEST

/* A rule that is staged is bound to tell what it would refuse. */
START_TEST(test_staged)
{
	_cleanup_policy_ struct policy *policy = policy_build("p");
	_cleanup_(image_names_freep) struct image_names *names = image_names_new();
	_cleanup_(diag_list_deinit) struct diag_list diags = {};
	const struct policy *policies[] = {policy};
	_cleanup_image_ struct image *image = NULL;
	const struct image_identity *id;

	policy_build_rule(policy, POLICY_RULE_FILE_DENY, "/a/b", HT_OP_READ)->enforce_after = NOW + 1;
	ck_assert_int_eq(image_compile(policies, 1, names, &key, NOW, &diags, &image), 0);
	id = image_identity_find(&image->profiles[0], "/a/b");
	ck_assert_ptr_nonnull(id);
	ck_assert_uint_eq(id->entry.deny, 0);
	ck_assert_uint_eq(id->entry.would, HT_OP_READ);
}
END_TEST

/* A rule with `unless` leads to the conditions of its state, for the operations that it speaks of. */
START_TEST(test_unless)
{
	_cleanup_policy_ struct policy *policy = policy_build("p");
	_cleanup_image_ struct image *image = NULL;
	const struct image_identity *id;

	(void)policy_build_rule(policy, POLICY_RULE_FILE_DENY, "/a/b", HT_OP_READ);
	policy_build_uid(policy, 7);
	image = compile(policy);
	id = image_identity_find(&image->profiles[0], "/a/b");
	ck_assert_ptr_nonnull(id);
	ck_assert_uint_eq(id->entry.deny, 0);
	ck_assert_uint_eq(id->entry.cond, HT_OP_READ);
	ck_assert_uint_eq(id->entry.flags >> HT_ENTRY_COUNT_SHIFT, 1);
}
END_TEST

/* What break-glass puts in a profile's place for one container binds the same objects, so that they are refused again
 * when the time is over. */
START_TEST(test_variant)
{
	_cleanup_policy_ struct policy *policy = policy_build("p");
	_cleanup_(image_names_freep) struct image_names *names = image_names_new();
	_cleanup_(diag_list_deinit) struct diag_list diags = {};
	const struct policy *policies[] = {policy};
	const struct image_disarm disarm = {.cgroup = "/x.scope", .armed = true};
	_cleanup_image_ struct image *image = NULL;
	const struct image_profile *variant;

	(void)policy_build_rule(policy, POLICY_RULE_FILE_DENY, "/a/b", HT_OP_READ);
	policy_build_match(policy, "/x.scope", NULL);
	ck_assert_int_eq(image_compile(policies, 1, names, &key, NOW, &diags, &image), 0);
	ck_assert_int_eq(image_disarm(image, names, &key, &disarm), 1);
	ck_assert_uint_eq(image->n_profiles, 2);
	variant = &image->profiles[1];
	ck_assert_uint_eq(variant->n_identities, 1);
	ck_assert_ptr_ne(variant->identities, image->profiles[0].identities);
	ck_assert_uint_eq(image_identity_find(variant, "/a/b")->entry.deny, HT_OP_READ);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("identity");

	tcase_add_loop_test(tc, test_kind, 0, (int)ARRAY_LEN(kinds));
	tcase_add_test(tc, test_narrow);
	tcase_add_test(tc, test_together);
	tcase_add_test(tc, test_digest);
	tcase_add_test(tc, test_dates);
	tcase_add_test(tc, test_staged);
	tcase_add_test(tc, test_unless);
	tcase_add_test(tc, test_variant);
	return tcase_run(tc);
}
