/* SPDX-License-Identifier: Apache-2.0 */

/* Rules whose directories are links: which directories these are, and the same rules with another spelling. */

#include "compile/spelling.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "builder.h"
#include "compile/image.h"
#include "tests/unit/runner.h"

DEFINE_CLEANUP(struct image *, image_freep, image_free)
DEFINE_CLEANUP(struct image_names *, image_names_freep, image_names_free)
DEFINE_CLEANUP(struct policy *, respelled_freep, policy_respelled_free)

static const struct {
	enum policy_rule_kind kind;
	const char *path, *directory; /* NULL: none */
} rules[] = {
	{POLICY_RULE_FILE_DENY, "/a/b/c", "/a/b"},
	{POLICY_RULE_FILE_DENY, "/a/b/c/**", "/a/b/c"},
	{POLICY_RULE_FILE_DENY, "/a/b*/c", "/a"},
	{POLICY_RULE_FILE_DENY, "/a/b*/c/**", "/a"},
	{POLICY_RULE_EXEC_DENY, "/bin/?sh", "/bin"},
	{POLICY_RULE_EXEC_AUDIT, "/sbin/x", "/sbin"},
	{POLICY_RULE_FILE_AUDIT, "/x/y/**", "/x/y"},
	{POLICY_RULE_FILE_DENY, "/top", NULL},
	{POLICY_RULE_FILE_DENY, "/*/x", NULL},
	{POLICY_RULE_FILE_DENY, "/**", NULL},
	{POLICY_RULE_FILE_DENY, "/", NULL},
	/* a link is the container's to make, and must not allow anything */
	{POLICY_RULE_EXEC_ALLOW, "/bin/sh", NULL},
	{POLICY_RULE_FILE_ALLOW, "/a/**", NULL},
	{POLICY_RULE_EXEC_LIBRARY, "/lib/x.so", NULL},
};

static size_t directories(const struct policy *policy, char ***ret)
{
	size_t n = 0;

	ck_assert_int_eq(spelling_directories(policy, ret, &n), 0);
	return n;
}

static void directories_free(char **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i]);
	free(list);
}

START_TEST(test_directory)
{
	struct image_component components[HT_RULE_DEPTH_MAX];
	_cleanup_policy_ struct policy *policy = policy_build("p");
	char **list;
	size_t n;

	(void)policy_build_rule(policy, rules[_i].kind, rules[_i].path, HT_OP_READ);
	n = directories(policy, &list);
	/* the deepest is the last one, and all above it are there */
	ck_assert_int_eq(n > 0, rules[_i].directory != NULL);
	if (n > 0)
		ck_assert_str_eq(list[n - 1], rules[_i].directory);
	for (size_t i = 0; i < n; i++)
		ck_assert_uint_eq(components_split(list[i], components, ARRAY_LEN(components)), i + 1);
	directories_free(list, n);
}
END_TEST

START_TEST(test_directories)
{
	_cleanup_policy_ struct policy *policy = policy_build("p");
	char **list;
	size_t n;

	for (size_t i = 0; i < ARRAY_LEN(rules); i++)
		(void)policy_build_rule(policy, rules[i].kind, rules[i].path, HT_OP_READ);
	(void)policy_build_rule(policy, POLICY_RULE_FILE_DENY, "/a/b/d", HT_OP_READ);
	n = directories(policy, &list);
	ck_assert_uint_eq(n, 7); /* /a, /a/b, /a/b/c, /bin, /sbin, /x, /x/y */
	for (size_t i = 1; i < n; i++)
		ck_assert_int_lt(strcmp(list[i - 1], list[i]), 0);
	directories_free(list, n);
}
END_TEST

static const struct {
	const char *to;
	bool valid;
} targets[] = {
	{"/usr/bin", true}, {"/", true}, {"/a b\n", true},
	{"/a/.b/..c", true}, {"/\xff", true},
	{"usr", false}, {"", false}, {"/a/", false}, {"/a/../b", false}, {"/a/.", false}, {"/a//b", false},
	{"/a*b", false}, {"/a?", false}, {"/a/**", false},
};

START_TEST(test_target)
{
	ck_assert_int_eq(spelling_is_valid(targets[_i].to), targets[_i].valid);
}
END_TEST

/* What the image says of an operation on a path. */
static bool refuses(const struct policy *policy, const char *path, uint32_t op, const char *exe, uint64_t *ret_rule)
{
	_cleanup_(image_names_freep) struct image_names *names = image_names_new();
	_cleanup_(diag_list_deinit) struct diag_list diags = {};
	_cleanup_(image_freep) struct image *image = NULL;
	const struct ht_hash_key key = {.k0 = 1, .k1 = 2};
	struct image_component components[HT_RULE_DEPTH_MAX];
	struct policy_question question = question_of(components, components_split(path, components, ARRAY_LEN(components)));
	struct policy_answer answer = {};
	struct image_component program[HT_RULE_DEPTH_MAX];

	if (exe) {
		question.exe = program;
		question.n_exe = components_split(exe, program, ARRAY_LEN(program));
	}
	question.ops = op;
	ck_assert_int_eq(image_compile(&policy, 1, names, &key, 0, &diags, &image), 0);
	ck_assert_int_eq(image_evaluate(image, &image->profiles[0], &key, &question, &answer), 0);
	if (ret_rule)
		*ret_rule = answer.rule[__builtin_ctz(op)];
	return answer.deny != 0;
}

START_TEST(test_respell)
{
	_cleanup_policy_ struct policy *policy = policy_build("p");
	_cleanup_(respelled_freep) struct policy *other = NULL;
	const struct spelling spellings[] = {{"/bin", "/usr/bin"}, {"/var/run", "/run"}, {"/var/run", "/"}};
	const struct policy_rule *sh, *secrets;
	uint64_t rule;

	policy_build_default(policy, POLICY_RULE_EXEC_DEFAULT);
	(void)policy_build_rule(policy, POLICY_RULE_EXEC_ALLOW, "/bin/true", HT_OPS_EXEC);
	(void)policy_build_rule(policy, POLICY_RULE_EXEC_DENY, "/bin/*sh", HT_OPS_EXEC);
	policy_build_exe(policy, "/bin/init");
	(void)policy_build_rule(policy, POLICY_RULE_FILE_DENY, "/var/run/**", HT_OP_READ);
	policy_build_except(policy, "/var/run/lock/**");
	(void)policy_build_rule(policy, POLICY_RULE_FILE_DENY, "/etc/shadow", HT_OP_READ);
	policy_build_switch(policy, &policy->kernel[0], 1, POLICY_ACTION_DENY);
	ck_assert_int_eq(policy_respell(policy, "p#1", spellings, 2, &other), 0);
	ck_assert_ptr_nonnull(other);
	ck_assert_str_eq(other->name, "p#1");
	ck_assert_uint_eq(other->n_rules, 2);
	ck_assert_int_eq(other->exec_default, POLICY_DEFAULT_ALLOW);
	sh = &policy->rules[2];
	secrets = &policy->rules[3];
	ck_assert(refuses(other, "/usr/bin/bash", HT_OP_EXEC, NULL, &rule));
	ck_assert_uint_eq(rule, sh->id);
	ck_assert(!refuses(other, "/usr/bin/bash", HT_OP_EXEC, "/bin/init", NULL));
	ck_assert(!refuses(other, "/usr/bin/cat", HT_OP_EXEC, NULL, NULL));
	ck_assert(refuses(other, "/run/secrets/token", HT_OP_READ, NULL, &rule));
	ck_assert_uint_eq(rule, secrets->id);
	ck_assert(!refuses(other, "/run/lock/x", HT_OP_READ, NULL, NULL));
	ck_assert(!refuses(other, "/run/secrets/token", HT_OP_WRITE, NULL, NULL));
	ck_assert(!refuses(other, "/etc/shadow", HT_OP_READ, NULL, NULL));
	ck_assert(!refuses(other, "/other", HT_OP_EXEC, NULL, NULL));

	/* a directory above the rule's own, which need not be there */
	other = policy_respelled_free(other);
	ck_assert_int_eq(policy_respell(policy, "p#0", (const struct spelling[]){{"/var", "/v"}, {"/va", "/no"}, {"/bin/x", "/no"}}, 3, &other), 0);
	ck_assert_uint_eq(other->n_rules, 1);
	ck_assert(refuses(other, "/v/run/secrets/token", HT_OP_READ, NULL, NULL));
	ck_assert(!refuses(other, "/v/run/lock/x", HT_OP_READ, NULL, NULL));

	/* one directory at two places, one of them the root */
	other = policy_respelled_free(other);
	ck_assert_int_eq(policy_respell(policy, "p#2", spellings + 1, 2, &other), 0);
	ck_assert(refuses(other, "/run/secrets/token", HT_OP_READ, NULL, NULL));
	ck_assert(refuses(other, "/any", HT_OP_READ, NULL, NULL));

	other = policy_respelled_free(other);
	ck_assert_int_eq(policy_respell(policy, "p#3", spellings, 0, &other), 0);
	ck_assert_ptr_null(other);
}
END_TEST

/* It has nothing to look up in containers: the policy itself has. */
START_TEST(test_nothing_to_look_up)
{
	_cleanup_(image_names_freep) struct image_names *names = image_names_new();
	_cleanup_(diag_list_deinit) struct diag_list diags = {};
	_cleanup_(image_freep) struct image *image = NULL;
	_cleanup_policy_ struct policy *policy = policy_build("p");
	_cleanup_(respelled_freep) struct policy *other = NULL;
	const struct spelling spelling = {"/a", "/b"};
	const struct ht_hash_key key = {.k0 = 1, .k1 = 2};
	const struct policy *both[2];

	(void)policy_build_rule(policy, POLICY_RULE_FILE_DENY, "/a/x", HT_OP_READ);
	ck_assert_int_eq(policy_respell(policy, "p#1", &spelling, 1, &other), 0);
	both[0] = policy;
	both[1] = other;
	ck_assert_int_eq(image_compile(both, 2, names, &key, 0, &diags, &image), 0);
	ck_assert_uint_eq(image->profiles[0].n_identities, 1);
	ck_assert_uint_eq(image->profiles[0].n_directories, 1);
	ck_assert_str_eq(image->profiles[0].directories[0], "/a");
	ck_assert_uint_eq(image->profiles[1].n_identities, 0);
	ck_assert_uint_eq(image->profiles[1].n_directories, 0);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("spelling");

	tcase_add_loop_test(tc, test_directory, 0, (int)ARRAY_LEN(rules));
	tcase_add_test(tc, test_directories);
	tcase_add_loop_test(tc, test_target, 0, (int)ARRAY_LEN(targets));
	tcase_add_test(tc, test_respell);
	tcase_add_test(tc, test_nothing_to_look_up);
	return tcase_run(tc);
}
