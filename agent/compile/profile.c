/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One policy as one profile: every path of every rule becomes a pattern with a role, and the judge
 * turns the roles of the patterns that match a path into the verdict for that path.
 *
 * Patterns are added in the order of the file, so the patterns of one rule stand together and the
 * first rule that refuses an operation is the one that decided it.
 */

#include "compile/profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compile/array.h"
#include "util/cleanup.h"

#define PROFILE_CANARY_POLICY "haetae-canary"

enum role {
	ROLE_DENY,
	ROLE_EXCEPT,
	ROLE_EXEC_ALLOW,
	ROLE_FILE_ALLOW,
	ROLE_LIBRARY,
};

struct profile_part {
	uint32_t rule; /* index; parts of one rule are neighbours */
	uint32_t ops;
	enum role role;
};

struct profile_builder {
	const struct policy *policy;
	struct input input;
	struct profile_part *parts; /* of each pattern */
	size_t parts_size;
	uint64_t exec_default; /* rule ids */
	uint64_t file_default;
};

/* Directories of merged /usr, and where the dynamic loader finds libraries. */
static const char *const merged_names[] = {"bin", "sbin", "lib", "lib32", "lib64", "libx32"};
static const char *const library_directories[] = {
	"/lib",	      "/lib32",	    "/lib64",	   "/libx32",	   "/usr/lib",
	"/usr/lib32", "/usr/lib64", "/usr/libx32", "/usr/libexec", "/usr/local/lib",
};

static void profile_builder_deinit(struct profile_builder *b)
{
	input_deinit(&b->input);
	free(b->parts);
}

/* First refusal wins the rule id; a default refuses only what nothing else did. */
static void verdict_deny(struct automaton_verdict *v, uint32_t ops, uint64_t rule)
{
	for (uint32_t op = 0; op < HT_OP_MAX; op++)
		if (ops & ~v->deny & (1U << op))
			v->rule[op] = rule;
	v->deny |= ops & HT_OP_ALL;
}

static void profile_judge(const void *userdata, const uint32_t *matched, size_t n,
			  struct automaton_verdict *v, uint32_t *binds, size_t *ret_n_binds)
{
	const struct profile_builder *b = userdata;
	uint32_t exec_refused = HT_OPS_EXEC, file_refused = HT_OPS_FILE;

	for (size_t i = 0; i < n;) {
		const struct profile_part *first = &b->parts[matched[i]];
		bool denied = false, excepted = false;

		for (; i < n && b->parts[matched[i]].rule == first->rule; i++) {
			const struct profile_part *part = &b->parts[matched[i]];

			denied |= part->role == ROLE_DENY;
			excepted |= part->role == ROLE_EXCEPT;
			if (part->role == ROLE_EXEC_ALLOW)
				exec_refused = 0;
			else if (part->role == ROLE_LIBRARY)
				exec_refused &= ~HT_OP_MAP_LIBRARY;
			else if (part->role == ROLE_FILE_ALLOW)
				file_refused &= ~part->ops;
		}
		if (denied && !excepted)
			verdict_deny(v, first->ops, b->policy->rules[first->rule].id);
	}
	if (b->policy->exec_default == POLICY_DEFAULT_DENY)
		verdict_deny(v, exec_refused, b->exec_default);
	if (b->policy->file_default == POLICY_DEFAULT_DENY)
		verdict_deny(v, file_refused, b->file_default);
	*ret_n_binds = 0;
}

static int profile_add(struct profile_builder *b, const struct input_spec *spec, uint32_t rule,
		       uint32_t ops, enum role role)
{
	uint32_t pattern;
	int r;

	r = input_add(&b->input, spec, &pattern);
	if (r != 0)
		return r;
	if (array_reserve(b->parts, b->parts_size, (size_t)pattern + 1) < 0)
		return -ENOMEM;
	b->parts[pattern] = (struct profile_part){.rule = rule, .ops = ops, .role = role};
	return 0;
}

static bool text_is_merged(const struct input_text *t)
{
	for (size_t i = 0; i < ARRAY_LEN(merged_names); i++)
		if (t->len == strlen(merged_names[i]) &&
		    memcmp(t->text, merged_names[i], t->len) == 0)
			return true;
	return false;
}

/* The other spelling of a path on a system with merged /usr. texts and twin: INPUT_TEXTS_MAX long.
 * Return: number of components, 0: there is none. */
static size_t profile_twin(const struct input_text *texts, size_t n, struct input_text *twin)
{
	const struct input_text usr = {.text = "usr", .len = 3};

	if (n >= 1 && n < INPUT_TEXTS_MAX && text_is_merged(&texts[0])) {
		twin[0] = usr;
		memcpy(twin + 1, texts, n * sizeof(*texts));
		return n + 1;
	}
	if (n >= 2 && n <= INPUT_TEXTS_MAX && texts[0].len == usr.len &&
	    memcmp(texts[0].text, usr.text, usr.len) == 0 && text_is_merged(&texts[1])) {
		memcpy(twin, texts + 1, (n - 1) * sizeof(*texts));
		return n - 1;
	}
	return 0;
}

static int profile_add_path(struct profile_builder *b, const struct policy_path *path,
			    uint32_t rule, uint32_t ops, enum role role)
{
	struct input_text texts[INPUT_TEXTS_MAX], twin[INPUT_TEXTS_MAX];
	struct input_spec spec = {
		.texts = texts,
		.n_texts = input_split(path->text, texts),
		.depth_max = HT_RULE_DEPTH_MAX,
		.subtree = path->subtree,
		.policy = b->policy,
		.location = path->location,
	};
	size_t n_twin;
	int r;

	r = profile_add(b, &spec, rule, ops, role);
	if (r != 0)
		return r;
	/* Only where a second spelling refuses more: an allow rule means what it says. */
	if (role != ROLE_DENY && role != ROLE_EXCEPT)
		return 0;
	n_twin = profile_twin(texts, spec.n_texts, twin);
	if (n_twin == 0)
		return 0;
	spec.texts = twin;
	spec.n_texts = n_twin;
	return profile_add(b, &spec, rule, ops, role);
}

static int profile_add_rule(struct profile_builder *b, uint32_t index)
{
	const struct policy_rule *rule = &b->policy->rules[index];
	int r;

	switch (rule->kind) {
	case POLICY_RULE_EXEC_DEFAULT:
		b->exec_default = rule->id;
		return 0;
	case POLICY_RULE_FILE_DEFAULT:
		b->file_default = rule->id;
		return 0;
	case POLICY_RULE_EXEC_ALLOW:
		r = profile_add_path(b, &rule->path, index, 0, ROLE_EXEC_ALLOW);
		break;
	case POLICY_RULE_EXEC_DENY:
		r = profile_add_path(b, &rule->path, index, HT_OPS_EXEC, ROLE_DENY);
		break;
	case POLICY_RULE_FILE_ALLOW:
		r = profile_add_path(b, &rule->path, index, rule->ops, ROLE_FILE_ALLOW);
		break;
	case POLICY_RULE_FILE_DENY:
		r = profile_add_path(b, &rule->path, index, rule->ops, ROLE_DENY);
		for (size_t i = 0; i < rule->n_except && r == 0; i++)
			r = profile_add_path(b, &rule->except[i], index, rule->ops, ROLE_EXCEPT);
		return r;
	case POLICY_RULE_EXEC_AUDIT:
	case POLICY_RULE_FILE_AUDIT:
	case POLICY_RULE_EXEC_LIBRARY:
	case POLICY_RULE_EXEC_ANONYMOUS:
	case POLICY_RULE_EXEC_WRITABLE:
	case POLICY_RULE_KERNEL:
	case _POLICY_RULE_KIND_MAX:
	default:
		return -EINVAL;
	}
	if (r == 0 && rule->n_except > 0)
		return input_error(b->input.diags, b->policy, rule->location,
				   "only file deny rules can have exceptions");
	return r;
}

/* "Strictly below" is the directory, then any one name, then everything below that. */
static int profile_add_libraries(struct profile_builder *b)
{
	struct input_text texts[INPUT_TEXTS_MAX];
	struct input_spec spec = {
		.texts = texts,
		.depth_max = HT_RULE_DEPTH_MAX,
		.subtree = true,
		.policy = b->policy,
		.location = b->policy->location,
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(library_directories) && r == 0; i++) {
		spec.n_texts = input_split(library_directories[i], texts);
		texts[spec.n_texts++] = (struct input_text){.text = "*", .len = 1};
		r = profile_add(b, &spec, AUTOMATON_NONE, 0, ROLE_LIBRARY);
	}
	return r;
}

/* All rules, going on after a bad one so that every error is told at once. */
static int profile_add_rules(struct profile_builder *b)
{
	int worst = 0, r;

	for (uint32_t i = 0; i < b->policy->n_rules; i++) {
		r = profile_add_rule(b, i);
		if (r < 0)
			return r;
		if (r != 0)
			worst = r;
	}
	if (worst == 0 && b->policy->exec_default == POLICY_DEFAULT_DENY)
		return profile_add_libraries(b);
	return worst;
}

static uint32_t profile_flags(const struct policy *policy)
{
	uint32_t flags = HT_PROFILE_RECORD_EXEC;

	if (policy->mode == POLICY_MODE_ENFORCE)
		flags |= HT_PROFILE_ENFORCE;
	if (strcmp(policy->name, PROFILE_CANARY_POLICY) == 0)
		flags |= HT_PROFILE_CANARY;
	return flags;
}

int profile_compile(const struct policy *policy, struct emit *e, struct diag_list *diags,
		    struct image_profile *ret)
{
	_cleanup_(profile_builder_deinit) struct profile_builder b = {
		.policy = policy,
		.input =
			{
				.diags = diags,
				.subject = "policy",
				.remedy = "use fewer rules, especially with wildcards before their "
					  "last "
					  "component, or split the policy",
			},
	};
	_cleanup_(automaton_deinit) struct automaton a = {};
	int r;

	r = profile_add_rules(&b);
	if (r == 0)
		r = automaton_build(&a, &b.input, profile_judge, &b);
	if (r == 0)
		r = automaton_reduce(&a);
	if (r == 0)
		r = emit_automaton(e, &a, profile_flags(policy), ret);
	return r;
}
