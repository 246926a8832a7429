/* SPDX-License-Identifier: Apache-2.0 */

/* One policy as one profile: what each kind of rule means, which rule decides, what the pairs say.
 */

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "builder.h"
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
	ck_assert_uint_eq(diags.n, 0);
	ck_assert_uint_eq(image->n_profiles, 1);
	ck_assert_str_eq(image->profiles[0].policy, policy->name);
	return image;
}

static struct policy_answer ask(const struct image *image, const char *path)
{
	struct image_component c[64];
	struct policy_answer answer = {};
	struct policy_question q = question_of(c, components_split(path, c, ARRAY_LEN(c)));

	ck_assert_int_eq(image_evaluate(image, &image->profiles[0], &key, &q, &answer), 0);
	return answer;
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

/* ---- meaning, by tables ---- */

#define ALL HT_OP_ALL
#define EXEC HT_OPS_EXEC
#define FILE_OPS HT_OPS_FILE

struct verdict_case {
	const char *rules[6]; /* "KIND PATH [!EXCEPTION]"; KIND is one of the letters below */
	uint32_t ops;	      /* of all file rules */
	const char *path;
	uint32_t deny;
	unsigned decided_by; /* number of the rule of the lowest refused bit, 0: none */
};

/* d: file.deny, D: exec.deny, a: file.allow, A: exec.allow, f: file.default, e: exec.default */
static const struct verdict_case verdicts[] = {
	/* no rule at all */
	{{}, 0, "/", 0, 0},
	{{}, 0, "/etc/shadow", 0, 0},
	/* a literal is this path alone */
	{{"d /etc/shadow"}, ALL, "/etc/shadow", ALL, 1},
	{{"d /etc/shadow"}, ALL, "/etc", 0, 0},
	{{"d /etc/shadow"}, ALL, "/etc/shadow/x", 0, 0},
	{{"d /etc/shadow"}, ALL, "/etc/shadow-", 0, 0},
	{{"d /etc/shadow"}, ALL, "/x/etc/shadow", 0, 0},
	{{"d /etc/shadow"}, HT_OP_WRITE, "/etc/shadow", HT_OP_WRITE, 1},
	/* the root directory */
	{{"d /"}, ALL, "/", ALL, 1},
	{{"d /"}, ALL, "/a", 0, 0},
	{{"d /**"}, ALL, "/", ALL, 1},
	{{"d /**"}, ALL, "/a/b/c", ALL, 1},
	/* subtree: the directory and all below */
	{{"d /root/**"}, ALL, "/root", ALL, 1},
	{{"d /root/**"}, ALL, "/root/a/b", ALL, 1},
	{{"d /root/**"}, ALL, "/rootx", 0, 0},
	/* wildcards: within one component, dots included */
	{{"d /home/*/.ssh/**"}, ALL, "/home/joe/.ssh/id", ALL, 1},
	{{"d /home/*/.ssh/**"}, ALL, "/home/.joe/.ssh", ALL, 1},
	{{"d /home/*/.ssh/**"}, ALL, "/home/.ssh/id", 0, 0},
	{{"d /home/*/.ssh/**"}, ALL, "/home/a/b/.ssh", 0, 0},
	{{"d /etc/*.key"}, ALL, "/etc/a.key", ALL, 1},
	{{"d /etc/*.key"}, ALL, "/etc/.key", ALL, 1},
	{{"d /etc/*.key"}, ALL, "/etc/a.keys", 0, 0},
	{{"d /dev/sd?"}, ALL, "/dev/sda", ALL, 1},
	{{"d /dev/sd?"}, ALL, "/dev/sda1", 0, 0},
	{{"d /dev/sd?"}, ALL, "/dev/sd", 0, 0},
	/* the literal of one rule and the wildcard of another on one name */
	{{"d /a/x*", "d /a/xy/z"}, ALL, "/a/xy", ALL, 1},
	{{"d /a/x*", "d /a/xy/z"}, ALL, "/a/xy/z", ALL, 2},
	{{"d /a/xy/z", "d /a/x*/z", "d /*/*/z"}, ALL, "/a/xz/z", ALL, 2},
	{{"d /a/xy/z", "d /a/x*/z", "d /*/*/z"}, ALL, "/b/xz/z", ALL, 3},
	{{"d /a/xy/z", "d /a/x*/z", "d /*/*/z"}, ALL, "/a/y/z", ALL, 3},
	/* exceptions belong to their rule */
	{{"d /root/** !/root/.profile"}, ALL, "/root/.profile", 0, 0},
	{{"d /root/** !/root/.profile"}, ALL, "/root/.profile/x", ALL, 1},
	{{"d /root/** !/root/pub/**"}, ALL, "/root/pub/x/y", 0, 0},
	{{"d /root/** !/root/pub/**"}, ALL, "/root/pub", 0, 0},
	{{"d /root/** !/root/pub/**", "d /root/pub/key"}, ALL, "/root/pub/key", ALL, 2},
	{{"d /root/** !/root/*/x"}, ALL, "/root/a/x", 0, 0},
	/* the first rule of the file decides */
	{{"d /a/**", "d /a/b"}, ALL, "/a/b", ALL, 1},
	{{"d /a/b", "d /a/**"}, ALL, "/a/b", ALL, 1},
	{{"D /a/**", "d /a/b"}, ALL, "/a/b", ALL, 2},
	/* exec.deny: the three exec bits */
	{{"D /tmp/**"}, 0, "/tmp/x", EXEC, 1},
	{{"D /tmp/**"}, 0, "/tmpx", 0, 0},
	{{"D /tmp/** !/tmp/x"}, 0, "/tmp/x", 0, 0},
	{{"D /tmp/** !/tmp/x"}, 0, "/tmp/y", EXEC, 1},
	/* exec allow-list */
	{{"e", "A /opt/app"}, 0, "/opt/app", 0, 0},
	{{"e", "A /opt/app"}, 0, "/opt/other", EXEC, 1},
	{{"e", "A /opt/app"}, 0, "/", EXEC, 1},
	{{"e", "A /opt/app"}, 0, "/opt/app/x", EXEC, 1},
	{{"e", "A /opt/**", "D /opt/bad"}, 0, "/opt/bad", EXEC, 3},
	{{"e", "A /opt/**", "D /opt/bad"}, 0, "/opt/good", 0, 0},
	/* libraries may be mapped, not executed, strictly below the library directories */
	{{"e"}, 0, "/usr/lib/x86_64-linux-gnu/libc.so.6", EXEC & ~HT_OP_MAP_LIBRARY, 1},
	{{"e"}, 0, "/lib/libc.so.6", EXEC & ~HT_OP_MAP_LIBRARY, 1},
	{{"e"}, 0, "/lib32/x", EXEC & ~HT_OP_MAP_LIBRARY, 1},
	{{"e"}, 0, "/lib64/x", EXEC & ~HT_OP_MAP_LIBRARY, 1},
	{{"e"}, 0, "/libx32/x", EXEC & ~HT_OP_MAP_LIBRARY, 1},
	{{"e"}, 0, "/usr/lib32/x", EXEC & ~HT_OP_MAP_LIBRARY, 1},
	{{"e"}, 0, "/usr/lib64/x", EXEC & ~HT_OP_MAP_LIBRARY, 1},
	{{"e"}, 0, "/usr/libx32/x", EXEC & ~HT_OP_MAP_LIBRARY, 1},
	{{"e"}, 0, "/usr/libexec/x", EXEC & ~HT_OP_MAP_LIBRARY, 1},
	{{"e"}, 0, "/usr/local/lib/x", EXEC & ~HT_OP_MAP_LIBRARY, 1},
	{{"e"}, 0, "/usr/lib", EXEC, 1},
	{{"e"}, 0, "/lib", EXEC, 1},
	{{"e"}, 0, "/opt/lib/libc.so.6", EXEC, 1},
	{{"e"}, 0, "/usr/local/lib64/x", EXEC, 1},
	{{"e", "D /usr/lib/evil.so"}, 0, "/usr/lib/evil.so", EXEC, 2},
	{{"e", "d /lib/x"}, HT_OP_MAP_LIBRARY, "/lib/x", EXEC, 1},
	/* file allow-list speaks of file operations only */
	{{"f", "a /data/**"}, FILE_OPS, "/data/x", 0, 0},
	{{"f", "a /data/**"}, FILE_OPS, "/other", FILE_OPS, 1},
	{{"f", "a /data/**"}, HT_OP_READ, "/data/x", FILE_OPS & ~HT_OP_READ, 1},
	{{"f", "a /data/**", "d /data/key"}, FILE_OPS, "/data/key", FILE_OPS, 3},
	{{"f"}, 0, "/", FILE_OPS, 1},
	/* a rule comes before the default, wherever it stands */
	{{"f", "d /x"}, HT_OP_READ, "/x", FILE_OPS, 2},
	{{"d /x", "f"}, HT_OP_READ, "/x", FILE_OPS, 1},
	/* merged /usr: deny rules bind both spellings */
	{{"D /bin/curl"}, 0, "/usr/bin/curl", EXEC, 1},
	{{"D /usr/bin/curl"}, 0, "/bin/curl", EXEC, 1},
	{{"D /usr/bin/curl"}, 0, "/usr/usr/bin/curl", 0, 0},
	{{"d /lib/**"}, ALL, "/usr/lib/x/y", ALL, 1},
	{{"d /sbin/x"}, ALL, "/usr/sbin/x", ALL, 1},
	{{"d /lib32/x"}, ALL, "/usr/lib32/x", ALL, 1},
	{{"d /lib64/x"}, ALL, "/usr/lib64/x", ALL, 1},
	{{"d /libx32/x"}, ALL, "/usr/libx32/x", ALL, 1},
	{{"d /usr/libx32/x"}, ALL, "/libx32/x", ALL, 1},
	{{"d /binx/y"}, ALL, "/usr/binx/y", 0, 0},
	{{"d /usr/local/bin/x"}, ALL, "/local/bin/x", 0, 0},
	{{"d /opt/bin/x"}, ALL, "/opt/usr/bin/x", 0, 0},
	/* so do their exceptions */
	{{"d /bin/** !/bin/sh"}, ALL, "/usr/bin/sh", 0, 0},
	{{"d /bin/** !/usr/bin/sh"}, ALL, "/bin/sh", 0, 0},
	{{"d /usr/** !/bin/sh"}, ALL, "/usr/bin/sh", 0, 0},
	/* allow rules never do */
	{{"e", "A /bin/sh"}, 0, "/bin/sh", 0, 0},
	{{"e", "A /bin/sh"}, 0, "/usr/bin/sh", EXEC, 1},
	{{"e", "A /usr/bin/sh"}, 0, "/bin/sh", EXEC, 1},
	{{"f", "a /usr/lib/x"}, FILE_OPS, "/lib/x", FILE_OPS, 1},
};

static void add_rule(struct policy *policy, const char *text, uint32_t ops)
{
	static const enum policy_rule_kind kinds[] = {
		['d'] = POLICY_RULE_FILE_DENY,	  ['D'] = POLICY_RULE_EXEC_DENY,
		['a'] = POLICY_RULE_FILE_ALLOW,	  ['A'] = POLICY_RULE_EXEC_ALLOW,
		['f'] = POLICY_RULE_FILE_DEFAULT, ['e'] = POLICY_RULE_EXEC_DEFAULT,
	};
	_cleanup_free_ char *copy = strdup(text);
	enum policy_rule_kind kind = kinds[(unsigned char)text[0]];
	char *except;

	if (text[1] == '\0') {
		policy_build_default(policy, kind);
		return;
	}
	except = strstr(copy, " !");
	if (except)
		*except = '\0';
	policy_build_rule(policy, kind, copy + 2,
			  text[0] == 'D' || text[0] == 'A' ? HT_OPS_EXEC : ops);
	if (except)
		policy_build_except(policy, except + 2);
}

static struct policy *policy_of(const char *const *rules, size_t n, uint32_t ops)
{
	struct policy *policy = policy_build("table");

	for (size_t i = 0; i < n && rules[i]; i++)
		add_rule(policy, rules[i], ops);
	policy_build_match(policy, "/x", NULL);
	return policy;
}

START_TEST(verdict_table)
{
	const struct verdict_case *v = &verdicts[_i];
	_cleanup_policy_ struct policy *policy = policy_of(v->rules, ARRAY_LEN(v->rules), v->ops);
	_cleanup_image_ struct image *image = compile(policy);
	struct image_component c[64];
	struct policy_answer compiled = ask(image, v->path), judged;
	struct policy_question q = question_of(c, components_split(v->path, c, ARRAY_LEN(c)));
	unsigned op = (unsigned)__builtin_ffs((int)v->deny);

	policy_evaluate(policy, 0, &q, &judged);
	ck_assert_uint_eq(compiled.deny, v->deny);
	ck_assert_uint_eq(judged.deny, v->deny);
	ck_assert_uint_eq(compiled.audit, 0);
	ck_assert_mem_eq(compiled.rule, judged.rule, sizeof(judged.rule));
	if (op > 0) {
		ck_assert_uint_gt(v->decided_by, 0);
		ck_assert_uint_eq(compiled.rule[op - 1], policy->rules[v->decided_by - 1].id);
	}
}
END_TEST

/* Each refused bit has the first rule that refuses it, the rest the default's. */
START_TEST(each_bit_has_its_rule)
{
	_cleanup_policy_ struct policy *p = policy_build("bits");
	_cleanup_image_ struct image *image = NULL;
	struct policy_answer a;

	policy_build_default(p, POLICY_RULE_FILE_DEFAULT);
	policy_build_rule(p, POLICY_RULE_FILE_DENY, "/x", HT_OP_WRITE);
	policy_build_rule(p, POLICY_RULE_FILE_DENY, "/*", HT_OP_WRITE | HT_OP_ATTR | HT_OP_EXEC);
	policy_build_rule(p, POLICY_RULE_EXEC_DENY, "/x", HT_OPS_EXEC);
	policy_build_match(p, "/x", NULL);
	image = compile(p);
	a = ask(image, "/x");
	ck_assert_uint_eq(a.deny, HT_OP_ALL);
	for (uint32_t op = 0; op < HT_OP_MAX; op++) {
		size_t rule = 0;

		if (1U << op == HT_OP_WRITE)
			rule = 1;
		else if ((1U << op) & (HT_OP_ATTR | HT_OP_EXEC))
			rule = 2;
		else if ((1U << op) & HT_OPS_EXEC)
			rule = 3;
		ck_assert_uint_eq(a.rule[op], p->rules[rule].id);
	}
}
END_TEST

/* ---- the pairs ---- */

START_TEST(keys_are_sorted)
{
	static const char *const rules[] = {"e", "d /a/x*", "d /a/xy/z", "d /*/b/**", "f", NULL};
	_cleanup_policy_ struct policy *p = policy_of(rules, ARRAY_LEN(rules), HT_OP_ALL);
	_cleanup_image_ struct image *image = compile(p);
	const struct image_profile *profile = &image->profiles[0];

	for (size_t i = 1; i < profile->n_pairs; i++) {
		const struct ht_edge_key *x = &profile->pairs[i - 1].key,
					 *y = &profile->pairs[i].key;

		ck_assert(x->state < y->state ||
			  (x->state == y->state &&
			   (x->kind < y->kind || (x->kind == y->kind && x->name < y->name))));
	}
}
END_TEST

/* Every entry says of the state it leads to what the pairs of that state say. */
static void check_entry(const struct image *image, const struct ht_entry *e)
{
	const struct image_profile *p = &image->profiles[0];
	uint32_t n[HT_EDGE_KERNEL + 1] = {}, rules = 0;

	for (size_t i = 0; i < p->n_pairs; i++)
		if (p->pairs[i].key.state == e->next) {
			n[p->pairs[i].key.kind]++;
			if (p->pairs[i].key.kind == HT_EDGE_RULE)
				rules |= 1U << (p->pairs[i].key.name >> 8);
		}
	ck_assert_uint_eq(e->flags & HT_ENTRY_GLOBS, n[HT_EDGE_GLOB]);
	ck_assert_uint_eq(!!(e->flags & HT_ENTRY_NAMES), n[HT_EDGE_NAME] > 0);
	ck_assert_uint_eq(!!(e->flags & HT_ENTRY_ELSE), n[HT_EDGE_ELSE]);
	ck_assert_uint_eq(n[HT_EDGE_GLOB] > 0, n[HT_EDGE_MASK] > 0);
	if (e->flags & HT_ENTRY_FINAL)
		ck_assert_uint_eq(n[HT_EDGE_NAME] + n[HT_EDGE_MASK] + n[HT_EDGE_ELSE], 0);
	/* a class has rules if, and only if, its mask has bits */
	ck_assert_uint_eq(rules,
			  (uint32_t)(!!e->deny << HT_RULE_DENY | !!e->audit << HT_RULE_AUDIT |
				     !!e->image << HT_RULE_IMAGE | !!e->would << HT_RULE_WOULD |
				     (e->below && !(e->flags & HT_ENTRY_FINAL)) << HT_RULE_BELOW));
	ck_assert_uint_eq((e->deny | e->image) & ~p->pairs[0].entry.deny, 0);
	ck_assert_uint_eq(e->audit & ~p->pairs[0].entry.audit, 0);
	ck_assert_uint_eq(e->would & ~p->pairs[0].entry.would, 0);
	ck_assert_uint_eq(e->flags >> HT_ENTRY_COUNT_SHIFT, n[HT_EDGE_COND]);
	ck_assert_uint_eq(n[HT_EDGE_COND_RULE], n[HT_EDGE_COND]);
	ck_assert_uint_eq(!!e->cond, n[HT_EDGE_COND] > 0);
	ck_assert_uint_eq(!!(e->flags & HT_ENTRY_EXE), n[HT_EDGE_EXE]);
}

START_TEST(entries_describe_their_state)
{
	static const char *const rules[] = {
		"e", "d /a/x* !/a/xx", "d /a/xy/z", "A /usr/bin/*", "d /*/b/**", "d /a/?y", NULL};
	_cleanup_policy_ struct policy *p = policy_of(rules, ARRAY_LEN(rules), HT_OP_READ);
	_cleanup_image_ struct image *image = compile(p);
	const struct image_profile *profile = &image->profiles[0];
	size_t checked = 0;

	for (size_t i = 1; i < profile->n_pairs; i++) {
		uint32_t kind = profile->pairs[i].key.kind;

		if (!(kind == HT_EDGE_START || kind == HT_EDGE_OTHER || kind == HT_EDGE_NAME ||
		      kind == HT_EDGE_MASK || kind == HT_EDGE_ELSE || kind == HT_EDGE_ANONYMOUS))
			continue;
		check_entry(image, &profile->pairs[i].entry);
		checked++;
	}
	ck_assert_uint_gt(checked, 20);
}
END_TEST

START_TEST(subtree_ends_the_walk)
{
	static const char *const rules[] = {"d /root/**", "d /root/a/b/c", "d /etc/x/**", NULL};
	_cleanup_policy_ struct policy *p = policy_of(rules, ARRAY_LEN(rules), HT_OP_ALL);
	_cleanup_image_ struct image *image = compile(p);
	const struct ht_entry *root = find_name(image, HT_STATE_START, "root"),
			      *etc = find_name(image, HT_STATE_START, "etc"), *x;

	ck_assert_ptr_nonnull(root);
	ck_assert_ptr_nonnull(etc);
	/* The second rule can add nothing to the first: no state is made for it. */
	ck_assert_uint_eq(root->flags, HT_ENTRY_FINAL);
	ck_assert_uint_eq(etc->flags, HT_ENTRY_NAMES);
	x = find_name(image, etc->next, "x");
	ck_assert_ptr_nonnull(x);
	ck_assert_uint_eq(x->flags, HT_ENTRY_FINAL);
	/* and it is found there from any depth */
	ck_assert_uint_eq(ask(image, "/root/a/b/c").state, root->next);
	ck_assert_uint_eq(ask(image, "/root").state, root->next);
}
END_TEST

START_TEST(other_is_where_no_rule_goes_on)
{
	static const char *const rules[] = {"f", "a /data/x", NULL};
	_cleanup_policy_ struct policy *p = policy_of(rules, ARRAY_LEN(rules), HT_OPS_FILE);
	_cleanup_image_ struct image *image = compile(p);
	const struct ht_entry *other = find(image, HT_STATE_HEADER, HT_EDGE_OTHER, 0), *rule;

	ck_assert_ptr_nonnull(other);
	ck_assert_uint_eq(other->next, HT_STATE_OTHER);
	ck_assert_uint_eq(other->flags, HT_ENTRY_FINAL);
	ck_assert_uint_eq(other->deny, HT_OPS_FILE);
	rule = find(image, HT_STATE_OTHER, HT_EDGE_RULE, HT_RULE_KEY(HT_RULE_DENY, HT_RULE_COMMON));
	ck_assert_ptr_nonnull(rule);
	ck_assert_uint_eq(rule->rule, p->rules[0].id);
	ck_assert_uint_eq(ask(image, "/elsewhere/a").state, HT_STATE_OTHER);
	ck_assert_uint_eq(ask(image, "/data/y").state, HT_STATE_OTHER);
	ck_assert_uint_eq(ask(image, "/data/x/y").state, HT_STATE_OTHER);
}
END_TEST

/* Below the deepest rule the kernel has no more components to give: the walk must be over. */
START_TEST(walk_ends_by_the_deepest_rule)
{
	_cleanup_policy_ struct policy *p = policy_build("deep");
	_cleanup_image_ struct image *image = NULL;
	struct image_component c[HT_WALK_COMPONENTS];
	char text[4 * HT_RULE_DEPTH_MAX] = "";
	struct policy_question q = question_of(c, HT_RULE_DEPTH_MAX);
	struct policy_answer a;

	for (unsigned i = 0; i < HT_RULE_DEPTH_MAX; i++) {
		strcat(text, i % 2 ? "/*" : "/a");
		c[i] = (struct image_component){.name = "a", .len = 1};
	}
	c[HT_RULE_DEPTH_MAX] = c[0];
	policy_build_rule(p, POLICY_RULE_FILE_DENY, text, HT_OP_READ);
	policy_build_match(p, "/x", NULL);
	image = compile(p);
	ck_assert_int_eq(image_evaluate(image, &image->profiles[0], &key, &q, &a), 0);
	ck_assert_uint_eq(a.deny, HT_OP_READ);
	q.n = HT_WALK_COMPONENTS;
	ck_assert_int_eq(image_evaluate(image, &image->profiles[0], &key, &q, &a), 0);
	ck_assert_uint_eq(a.deny, 0);
	ck_assert_uint_eq(a.state, HT_STATE_OTHER);
}
END_TEST

START_TEST(policy_without_rules)
{
	_cleanup_policy_ struct policy *p = policy_build("empty");
	_cleanup_image_ struct image *image = NULL;
	const struct ht_entry *start;

	policy_build_match(p, "/x", NULL);
	image = compile(p);
	start = find(image, HT_STATE_HEADER, HT_EDGE_START, 0);
	ck_assert_ptr_nonnull(start);
	ck_assert_uint_eq(start->next, HT_STATE_START);
	ck_assert_uint_eq(start->flags, HT_ENTRY_FINAL);
	ck_assert_uint_eq(image->profiles[0].n_pairs, 4);
	ck_assert_uint_eq(ask(image, "/a/b").deny, 0);
}
END_TEST

/* The start state keeps its number and its rules even where it says the same as OTHER. */
START_TEST(policy_of_a_default_alone)
{
	static const char *const rules[] = {"f", NULL};
	_cleanup_policy_ struct policy *p = policy_of(rules, ARRAY_LEN(rules), 0);
	_cleanup_image_ struct image *image = compile(p);

	ck_assert_ptr_nonnull(find(image, HT_STATE_START, HT_EDGE_RULE,
				   HT_RULE_KEY(HT_RULE_DENY, HT_RULE_COMMON)));
	ck_assert_ptr_nonnull(find(image, HT_STATE_OTHER, HT_EDGE_RULE,
				   HT_RULE_KEY(HT_RULE_DENY, HT_RULE_COMMON)));
	ck_assert_uint_eq(ask(image, "/").state, HT_STATE_START);
	ck_assert_uint_eq(ask(image, "/a").deny, HT_OPS_FILE);
}
END_TEST

/* ---- the header ---- */

static const struct {
	const char *rules[3];
	uint32_t ops;
	uint32_t deny;
} headers[] = {
	{{}, 0, 0},
	{{"d /a"}, HT_OP_READ, HT_OP_READ},
	{{"d /a", "D /b"}, HT_OP_WRITE, HT_OP_WRITE | HT_OPS_EXEC},
	{{"f"}, 0, HT_OPS_FILE},
	{{"f", "a /**"}, HT_OPS_FILE, HT_OPS_FILE}, /* OTHER's, though nothing leads there */
	{{"e"}, 0, HT_OPS_EXEC},
	{{"d /"}, HT_OP_LINK, HT_OP_LINK},
	{{"d /a !/a"}, HT_OP_READ, 0},
};

START_TEST(header_deny)
{
	_cleanup_policy_ struct policy *p =
		policy_of(headers[_i].rules, ARRAY_LEN(headers[_i].rules), headers[_i].ops);
	_cleanup_image_ struct image *image = compile(p);
	const struct ht_entry *header = find(image, HT_STATE_HEADER, HT_EDGE_HEADER, 0);

	ck_assert_ptr_nonnull(header);
	ck_assert_uint_eq(header->next, HT_STATE_START);
	ck_assert_uint_eq(header->deny, headers[_i].deny);
	ck_assert_uint_eq(header->audit, 0);
}
END_TEST

static const struct {
	const char *name;
	enum policy_mode mode;
	uint32_t flags;
} flags[] = {
	{"web", POLICY_MODE_ENFORCE, HT_PROFILE_ENFORCE | HT_PROFILE_RECORD_EXEC},
	{"web", POLICY_MODE_AUDIT, HT_PROFILE_RECORD_EXEC},
	{"haetae-canary", POLICY_MODE_ENFORCE,
	 HT_PROFILE_ENFORCE | HT_PROFILE_RECORD_EXEC | HT_PROFILE_CANARY},
	{"haetae-canary2", POLICY_MODE_ENFORCE, HT_PROFILE_ENFORCE | HT_PROFILE_RECORD_EXEC},
};

START_TEST(header_flags)
{
	_cleanup_policy_ struct policy *p = policy_build(flags[_i].name);
	_cleanup_image_ struct image *image = NULL;

	p->mode = flags[_i].mode;
	policy_build_match(p, "/x", NULL);
	image = compile(p);
	ck_assert_uint_eq(find(image, HT_STATE_HEADER, HT_EDGE_HEADER, 0)->flags, flags[_i].flags);
}
END_TEST

/* ---- reduction ---- */

START_TEST(plain_star_needs_no_wildcard)
{
	static const char *const rules[] = {"d /home/*/secret", "d /home/joe/x", NULL};
	_cleanup_policy_ struct policy *p = policy_of(rules, ARRAY_LEN(rules), HT_OP_ALL);
	_cleanup_image_ struct image *image = compile(p);

	ck_assert_uint_eq(image->n_globs, 0);
	ck_assert_uint_eq(ask(image, "/home/joe/secret").deny, HT_OP_ALL);
	ck_assert_uint_eq(ask(image, "/home/jim/secret").deny, HT_OP_ALL);
	ck_assert_uint_eq(ask(image, "/home/joe/x").deny, HT_OP_ALL);
	ck_assert_uint_eq(ask(image, "/home/jim/x").deny, 0);
}
END_TEST

/* A name or a wildcard that changes nothing costs nothing. */
START_TEST(redundant_rules_vanish)
{
	static const char *const one[] = {"d /a/**", NULL};
	static const char *const many[] = {"d /a/**", "d /a/b", "d /a/x*/y", "d /a/*/z", NULL};
	_cleanup_policy_ struct policy *p = policy_of(one, ARRAY_LEN(one), HT_OP_ALL);
	_cleanup_policy_ struct policy *q = policy_of(many, ARRAY_LEN(many), HT_OP_ALL);
	_cleanup_image_ struct image *a = compile(p), *b = compile(q);

	ck_assert_uint_eq(a->profiles[0].n_pairs, b->profiles[0].n_pairs);
	ck_assert_uint_eq(b->n_globs, 0);
	ck_assert_uint_eq(a->profiles[0].digest, b->profiles[0].digest);
}
END_TEST

/* Equal tails of different directories are one state. */
START_TEST(equal_states_are_shared)
{
	_cleanup_policy_ struct policy *p = policy_build("shared");
	_cleanup_image_ struct image *image = NULL;
	const struct ht_entry *x, *y;

	/* One rule speaks of both, so both tails have the same deciding rule. */
	policy_build_rule(p, POLICY_RULE_FILE_DENY, "/*/k", HT_OP_ALL);
	policy_build_rule(p, POLICY_RULE_FILE_DENY, "/x/other", HT_OP_ALL);
	policy_build_rule(p, POLICY_RULE_FILE_ALLOW, "/z/k", HT_OPS_FILE);
	policy_build_match(p, "/x", NULL);
	image = compile(p);
	x = find_name(image, HT_STATE_START, "x");
	y = find(image, HT_STATE_START, HT_EDGE_ELSE, 0);
	ck_assert_ptr_nonnull(x);
	ck_assert_ptr_nonnull(y);
	ck_assert_uint_ne(x->next, y->next);
	/* "/z" allows what nothing refuses: it behaves like any other directory, so has no edge. */
	ck_assert_ptr_null(find_name(image, HT_STATE_START, "z"));
	ck_assert_uint_eq(find_name(image, x->next, "k")->next,
			  find_name(image, y->next, "k")->next);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("profile");

	tcase_add_loop_test(t, verdict_table, 0, ARRAY_LEN(verdicts));
	tcase_add_test(t, each_bit_has_its_rule);
	tcase_add_test(t, keys_are_sorted);
	tcase_add_test(t, entries_describe_their_state);
	tcase_add_test(t, subtree_ends_the_walk);
	tcase_add_test(t, other_is_where_no_rule_goes_on);
	tcase_add_test(t, walk_ends_by_the_deepest_rule);
	tcase_add_test(t, policy_without_rules);
	tcase_add_test(t, policy_of_a_default_alone);
	tcase_add_loop_test(t, header_deny, 0, ARRAY_LEN(headers));
	tcase_add_loop_test(t, header_flags, 0, ARRAY_LEN(flags));
	tcase_add_test(t, plain_star_needs_no_wildcard);
	tcase_add_test(t, redundant_rules_vanish);
	tcase_add_test(t, equal_states_are_shared);
	return tcase_run(t);
}
