/* SPDX-License-Identifier: Apache-2.0 */

/* Conditions on the subject, origin, times and switches as they stand in the pairs of a profile. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "builder.h"
#include "tests/unit/runner.h"

static const struct ht_hash_key key = {.k0 = 1, .k1 = 2};

#define NOW 1000

DEFINE_CLEANUP(struct image *, image_freep, image_free)
DEFINE_CLEANUP(struct image_names *, image_names_freep, image_names_free)
#define _cleanup_image_ _cleanup_(image_freep)

static struct image *compile_at(const struct policy *policy, int64_t now)
{
	_cleanup_(image_names_freep) struct image_names *names = image_names_new();
	_cleanup_(diag_list_deinit) struct diag_list diags = {};
	struct image *image = NULL;

	ck_assert_int_eq(image_compile(&policy, 1, names, &key, now, &diags, &image), 0);
	return image;
}

static void check_refused(const struct policy *policy, uint32_t line, const char *text)
{
	_cleanup_(image_names_freep) struct image_names *names = image_names_new();
	_cleanup_(diag_list_deinit) struct diag_list diags = {};
	struct image *image = NULL;

	ck_assert_int_eq(image_compile(&policy, 1, names, &key, NOW, &diags, &image),
			 IMAGE_E_INVALID);
	ck_assert_ptr_null(image);
	ck_assert_uint_eq(diags.items[0].line, line);
	ck_assert_msg(strstr(diags.items[0].text, text), "%s", diags.items[0].text);
}

static const struct ht_entry *find(const struct image *image, uint32_t state, uint32_t kind,
				   uint64_t name)
{
	const struct image_profile *p = &image->profiles[0];

	for (size_t i = 0; i < p->n_pairs; i++)
		if (p->pairs[i].key.state == state && p->pairs[i].key.kind == kind &&
		    p->pairs[i].key.name == name)
			return &p->pairs[i].entry;
	return NULL;
}

static const struct ht_entry *find_name(const struct image *image, uint32_t state, const char *name)
{
	return find(image, state, HT_EDGE_NAME, ht_hash_name(&key, name, strlen(name)));
}

static uint64_t rule_of(const struct image *image, uint32_t state, uint32_t class, uint32_t op)
{
	const struct ht_entry *e = find(image, state, HT_EDGE_RULE, HT_RULE_KEY(class, op));

	if (!e)
		e = find(image, state, HT_EDGE_RULE, HT_RULE_KEY(class, HT_RULE_COMMON));
	ck_assert_ptr_nonnull(e);
	return e->rule;
}

static struct policy *policy_of_deny(const char *path)
{
	struct policy *p = policy_build("p");

	policy_build_match(p, "/x", NULL);
	policy_build_rule(p, POLICY_RULE_FILE_DENY, path, HT_OP_ALL);
	return p;
}

START_TEST(condition_entries)
{
	_cleanup_policy_ struct policy *p = policy_of_deny("/key");
	_cleanup_image_ struct image *image = NULL;
	const struct ht_entry *e, *c;

	policy_build_exe(p, "/app");
	policy_build_uid(p, 7);
	policy_build_uid(p, 9);
	policy_build_rule(p, POLICY_RULE_FILE_DENY, "/other", HT_OP_READ)->action =
		POLICY_ACTION_KILL;
	policy_build_uid(p, 9);
	image = compile_at(p, NOW);
	ck_assert(find(image, 0, HT_EDGE_HEADER, 0)->flags & HT_PROFILE_CONDITIONS);
	ck_assert_uint_eq(find(image, 0, HT_EDGE_HEADER, 0)->deny, HT_OP_ALL);

	e = find_name(image, HT_STATE_START, "key");
	ck_assert_ptr_nonnull(e);
	ck_assert_uint_eq(e->deny, 0);
	ck_assert_uint_eq(e->cond, HT_OP_ALL);
	ck_assert_uint_eq(e->flags >> HT_ENTRY_COUNT_SHIFT, 1);
	c = find(image, e->next, HT_EDGE_COND, 0);
	ck_assert_uint_eq(c->next, 0);
	ck_assert_uint_eq(c->flags, 0);
	ck_assert_uint_eq(c->deny, HT_OP_ALL);
	ck_assert_uint_eq(c->kill, 0);
	ck_assert_uint_eq(find(image, e->next, HT_EDGE_COND_RULE, 0)->rule, p->rules[0].id);

	e = find_name(image, HT_STATE_START, "other");
	c = find(image, e->next, HT_EDGE_COND, 0);
	ck_assert_uint_eq(c->next, HT_COND_NONE);
	ck_assert_uint_eq(c->flags, 1);
	ck_assert_uint_eq(c->deny, HT_OP_READ);
	ck_assert_uint_eq(c->kill, HT_OP_READ);

	ck_assert_uint_eq(find(image, 0, HT_EDGE_UID, 7)->rule, 1);
	ck_assert_uint_eq(find(image, 0, HT_EDGE_UID, 9)->rule, 3);
	ck_assert_ptr_null(find(image, 0, HT_EDGE_UID, 8));
	e = find_name(image, HT_STATE_START, "app");
	ck_assert(e->flags & HT_ENTRY_EXE);
	ck_assert_uint_eq(find(image, e->next, HT_EDGE_EXE, 0)->rule, 1);
}
END_TEST

/* Equal lists are one condition, in whatever order they are written. */
START_TEST(equal_lists_are_one)
{
	_cleanup_policy_ struct policy *p = policy_of_deny("/a");
	_cleanup_image_ struct image *image = NULL;

	policy_build_exe(p, "/x");
	policy_build_exe(p, "/y/**");
	policy_build_rule(p, POLICY_RULE_FILE_DENY, "/b", HT_OP_ALL);
	policy_build_exe(p, "/y/**");
	policy_build_exe(p, "/x");
	policy_build_rule(p, POLICY_RULE_FILE_DENY, "/c", HT_OP_ALL);
	policy_build_exe(p, "/y");
	image = compile_at(p, NOW);
	ck_assert_uint_eq(
		find(image, find_name(image, HT_STATE_START, "x")->next, HT_EDGE_EXE, 0)->rule, 1);
	ck_assert_uint_eq(
		find(image, find_name(image, HT_STATE_START, "y")->next, HT_EDGE_EXE, 0)->rule, 3);
}
END_TEST

/* What is refused anyway needs no condition; one that kills stays above a deny. */
START_TEST(shadowed_conditions_vanish)
{
	_cleanup_policy_ struct policy *p = policy_of_deny("/a/**");
	_cleanup_image_ struct image *image = NULL;
	const struct ht_entry *e;

	policy_build_rule(p, POLICY_RULE_FILE_DENY, "/a/b", HT_OP_READ);
	policy_build_uid(p, 1);
	policy_build_rule(p, POLICY_RULE_FILE_DENY, "/a/c", HT_OP_READ)->action =
		POLICY_ACTION_KILL;
	policy_build_uid(p, 1);
	image = compile_at(p, NOW);
	e = find_name(image, HT_STATE_START, "a");
	ck_assert_ptr_null(find_name(image, e->next, "b"));
	e = find_name(image, e->next, "c");
	ck_assert_uint_eq(e->deny, HT_OP_ALL);
	ck_assert_uint_eq(e->cond, HT_OP_READ);
}
END_TEST

START_TEST(too_many_lists)
{
	_cleanup_policy_ struct policy *p = policy_build("p");
	char path[32];

	policy_build_match(p, "/x", NULL);
	for (uint32_t i = 0; i <= HT_CONDITIONS_MAX; i++) {
		(void)snprintf(path, sizeof(path), "/%u", i);
		policy_build_rule(p, POLICY_RULE_FILE_DENY, path, HT_OP_ALL);
		if (_i)
			policy_build_exe(p, path);
		else
			policy_build_uid(p, i);
	}
	check_refused(p, HT_CONDITIONS_MAX + 1, "more than 64 different lists");
}
END_TEST

START_TEST(too_many_conditions_of_one_path)
{
	_cleanup_policy_ struct policy *p = policy_build("p");

	policy_build_match(p, "/x", NULL);
	for (uint32_t i = 0; i <= HT_CONDS_MAX; i++) {
		policy_build_rule(p, POLICY_RULE_FILE_DENY, "/a", HT_OP_ALL);
		policy_build_uid(p, i);
	}
	check_refused(p, HT_CONDS_MAX + 1, "more than 32 rules with `unless`");
}
END_TEST

START_TEST(origin)
{
	_cleanup_policy_ struct policy *p = policy_build("p");
	_cleanup_image_ struct image *image = NULL;
	const struct ht_entry *e;

	policy_build_match(p, "/x", NULL);
	policy_build_default(p, POLICY_RULE_EXEC_DEFAULT);
	policy_build_rule(p, POLICY_RULE_EXEC_ALLOW, "/a/**", HT_OPS_EXEC)->origin_image = true;
	policy_build_rule(p, POLICY_RULE_EXEC_ALLOW, "/a/b", HT_OPS_EXEC);
	image = compile_at(p, NOW);
	e = find_name(image, HT_STATE_START, "a");
	ck_assert_uint_eq(e->deny, 0);
	ck_assert_uint_eq(e->image, HT_OPS_EXEC);
	ck_assert_uint_eq(rule_of(image, e->next, HT_RULE_IMAGE, 8), p->rules[1].id);
	ck_assert_uint_eq(find_name(image, e->next, "b")->image, 0);
	/* libraries, by the default's rule */
	e = find_name(image, HT_STATE_START, "lib");
	e = find(image, e->next, HT_EDGE_ELSE, 0);
	ck_assert_uint_eq(e->image, HT_OP_MAP_LIBRARY);
	ck_assert_uint_eq(e->deny, HT_OPS_EXEC & ~HT_OP_MAP_LIBRARY);
	ck_assert_uint_eq(rule_of(image, e->next, HT_RULE_IMAGE, 9), p->rules[0].id);
}
END_TEST

START_TEST(times)
{
	_cleanup_policy_ struct policy *p = policy_of_deny("/a");
	_cleanup_image_ struct image *staged = NULL, *enforced = NULL, *gone = NULL;
	const struct ht_entry *e;

	p->rules[0].enforce_after = NOW + 10;
	p->rules[0].expires = NOW + 20;
	staged = compile_at(p, NOW);
	e = find_name(staged, HT_STATE_START, "a");
	ck_assert_uint_eq(e->deny, 0);
	ck_assert_uint_eq(e->would, HT_OP_ALL);
	ck_assert_uint_eq(find(staged, 0, HT_EDGE_HEADER, 0)->would, HT_OP_ALL);
	ck_assert_uint_eq(find(staged, 0, HT_EDGE_HEADER, 0)->deny, 0);
	ck_assert_uint_eq(rule_of(staged, e->next, HT_RULE_WOULD, 0), p->rules[0].id);
	ck_assert_int_eq(staged->changes_at, NOW + 10);
	enforced = compile_at(p, NOW + 10);
	ck_assert_uint_eq(find_name(enforced, HT_STATE_START, "a")->deny, HT_OP_ALL);
	ck_assert_int_eq(enforced->changes_at, NOW + 20);
	gone = compile_at(p, NOW + 20);
	ck_assert_ptr_null(find_name(gone, HT_STATE_START, "a"));
	ck_assert_int_eq(gone->changes_at, 0);
}
END_TEST

START_TEST(switches)
{
	_cleanup_policy_ struct policy *p = policy_build("p");
	_cleanup_image_ struct image *image = NULL;
	const struct ht_entry *e;

	policy_build_match(p, "/x", NULL);
	policy_build_default(p, POLICY_RULE_FILE_DEFAULT);
	policy_build_switch(p, &p->anonymous, HT_OPS_EXEC, POLICY_ACTION_AUDIT);
	policy_build_switch(p, &p->writable, HT_OPS_EXEC, POLICY_ACTION_DENY);
	policy_build_switch(p, &p->kernel[HT_KERNEL_BPF], HT_KERNEL_OP(HT_KERNEL_BPF),
			    POLICY_ACTION_DENY);
	policy_build_switch(p, &p->kernel[HT_KERNEL_MOUNT], HT_KERNEL_OP(HT_KERNEL_MOUNT),
			    POLICY_ACTION_AUDIT);
	image = compile_at(p, NOW);
	e = find(image, 0, HT_EDGE_ANONYMOUS, 0);
	ck_assert_uint_eq(e->next, HT_STATE_ANONYMOUS);
	ck_assert_uint_eq(e->audit, HT_OPS_EXEC);
	ck_assert_uint_eq(e->deny, 0); /* a list of paths says nothing of what has none */
	ck_assert_uint_eq(rule_of(image, HT_STATE_ANONYMOUS, HT_RULE_AUDIT, 8), p->anonymous.id);
	e = find(image, 0, HT_EDGE_WRITABLE, 0);
	ck_assert_uint_eq(e->deny, HT_OPS_EXEC);
	ck_assert_uint_eq(rule_of(image, HT_STATE_WRITABLE, HT_RULE_DENY, 8), p->writable.id);
	e = find(image, 0, HT_EDGE_KERNEL, 0);
	ck_assert_uint_eq(e->deny, 1U << HT_KERNEL_BPF);
	ck_assert_uint_eq(e->audit, 1U << HT_KERNEL_MOUNT);
	ck_assert_uint_eq(rule_of(image, HT_STATE_KERNEL, HT_RULE_DENY, HT_KERNEL_BPF),
			  p->kernel[HT_KERNEL_BPF].id);
	/* what no path says is refused somewhere */
	ck_assert_uint_eq(find(image, 0, HT_EDGE_HEADER, 0)->deny, HT_OPS_FILE | HT_OPS_EXEC);
	ck_assert_uint_eq(find(image, 0, HT_EDGE_HEADER, 0)->audit, HT_OPS_EXEC);
}
END_TEST

/* Without a word, no entry but the one that is always there. */
START_TEST(nothing_switched)
{
	_cleanup_policy_ struct policy *p = policy_of_deny("/a");
	_cleanup_image_ struct image *image = compile_at(p, NOW);

	ck_assert_ptr_nonnull(find(image, 0, HT_EDGE_ANONYMOUS, 0));
	ck_assert_ptr_null(find(image, 0, HT_EDGE_WRITABLE, 0));
	ck_assert_ptr_null(find(image, 0, HT_EDGE_KERNEL, 0));
	ck_assert(!(find(image, 0, HT_EDGE_HEADER, 0)->flags & HT_PROFILE_CONDITIONS));
}
END_TEST

START_TEST(recorded)
{
	_cleanup_policy_ struct policy *p = policy_of_deny("/a");
	_cleanup_image_ struct image *image = NULL;

	p->record_exec = false;
	p->record_file = true;
	image = compile_at(p, NOW);
	ck_assert_uint_eq(find(image, 0, HT_EDGE_HEADER, 0)->flags,
			  HT_PROFILE_ENFORCE | HT_PROFILE_RECORD_FILE | HT_PROFILE_IDENTITIES);
}
END_TEST

/* One rule for all operations is one entry; a second rule adds only what is its own. */
START_TEST(rules_of_a_state)
{
	_cleanup_policy_ struct policy *p = policy_of_deny("/a");
	_cleanup_image_ struct image *image = NULL;
	const struct ht_entry *e;
	size_t n = 0;

	policy_build_rule(p, POLICY_RULE_FILE_DENY, "/b", HT_OP_WRITE);
	policy_build_rule(p, POLICY_RULE_FILE_DENY, "/b", HT_OPS_FILE);
	image = compile_at(p, NOW);
	for (size_t i = 0; i < image->profiles[0].n_pairs; i++) {
		const struct ht_edge_key *pair = &image->profiles[0].pairs[i].key;

		/* what is below the root has an entry of its own */
		n += pair->kind == HT_EDGE_RULE && pair->name >> 8 != HT_RULE_BELOW;
	}
	ck_assert_uint_eq(n, 3);
	e = find_name(image, HT_STATE_START, "b");
	ck_assert_uint_eq(rule_of(image, e->next, HT_RULE_DENY, 1), p->rules[1].id);
	ck_assert_uint_eq(rule_of(image, e->next, HT_RULE_DENY, 0), p->rules[2].id);
}
END_TEST

/* ---- verdicts of answers ---- */

START_TEST(answers_merge)
{
	struct policy_answer a = {.deny = 1, .would = 2, .audit = 4, .rule = {1, 2, 3, 4}};
	const struct policy_answer b = {
		.deny = 1 | 2, .kill = 1, .audit = 4 | 8, .rule = {5, 6, 7, 8}};

	policy_answer_merge(&a, &b);
	ck_assert_uint_eq(policy_answer_verdict(&a, 1), HT_VERDICT_KILL);
	ck_assert_uint_eq(policy_answer_verdict(&a, 2), HT_VERDICT_DENY);
	ck_assert_uint_eq(policy_answer_verdict(&a, 4), HT_VERDICT_AUDIT);
	ck_assert_uint_eq(policy_answer_verdict(&a, 8), HT_VERDICT_AUDIT);
	ck_assert_uint_eq(policy_answer_verdict(&a, 16), HT_VERDICT_ALLOW);
	ck_assert_uint_eq(a.rule[0], 5);
	ck_assert_uint_eq(a.rule[1], 6);
	ck_assert_uint_eq(a.rule[2], 3); /* of equal ones the first */
	ck_assert_uint_eq(a.rule[3], 8);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("conditions");

	tcase_add_test(t, condition_entries);
	tcase_add_test(t, equal_lists_are_one);
	tcase_add_test(t, shadowed_conditions_vanish);
	tcase_add_loop_test(t, too_many_lists, 0, 2);
	tcase_add_test(t, too_many_conditions_of_one_path);
	tcase_add_test(t, origin);
	tcase_add_test(t, times);
	tcase_add_test(t, switches);
	tcase_add_test(t, nothing_switched);
	tcase_add_test(t, recorded);
	tcase_add_test(t, rules_of_a_state);
	tcase_add_test(t, answers_merge);
	return tcase_run(t);
}
