/* SPDX-License-Identifier: Apache-2.0 */

/*
 * One policy as one profile: every path of every rule becomes a pattern with a role (parts.h), and
 * the judge turns the roles of the patterns that match a path into the verdict for that path
 * (judge.c).
 */

#include "compile/profile.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "compile/array.h"
#include "compile/parts.h"
#include "util/cleanup.h"

#define PROFILE_CANARY_POLICY "haetae-canary"

/* Directories of merged /usr, and where the dynamic loader finds libraries. */
static const char *const merged_names[] = {"bin", "sbin", "lib", "lib32", "lib64", "libx32"};
static const char *const library_directories[] = {
	"/lib",	      "/lib32",	    "/lib64",	   "/libx32",	   "/usr/lib",
	"/usr/lib32", "/usr/lib64", "/usr/libx32", "/usr/libexec", "/usr/local/lib",
};

static void parts_deinit(struct parts *p)
{
	input_deinit(&p->input);
	conditions_deinit(&p->conditions);
	free(p->parts);
	free(p->of_rule);
}

static int parts_add(struct parts *p, const struct input_spec *spec, uint32_t rule, uint32_t ops,
		     enum part_role role)
{
	uint32_t pattern;
	int r;

	r = input_add(&p->input, spec, &pattern);
	if (r != 0)
		return r;
	if (array_reserve(p->parts, p->parts_size, (size_t)pattern + 1) < 0)
		return -ENOMEM;
	p->parts[pattern] = (struct part){.rule = rule, .ops = ops, .role = role};
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

static int parts_add_path(struct parts *p, const struct policy_path *path, uint32_t rule,
			  uint32_t ops, enum part_role role)
{
	struct input_text texts[INPUT_TEXTS_MAX], twin[INPUT_TEXTS_MAX];
	struct input_spec spec = {
		.texts = texts,
		.n_texts = input_split(path->text, texts),
		.depth_max = HT_RULE_DEPTH_MAX,
		.subtree = path->subtree,
		.policy = p->policy,
		.location = path->location,
	};
	size_t n_twin;
	int r;

	r = parts_add(p, &spec, rule, ops, role);
	if (r != 0)
		return r;
	/* Only where a second spelling refuses more: what allows means what it says. */
	if (role != PART_SPEAKS && role != PART_EXCEPT)
		return 0;
	n_twin = profile_twin(texts, spec.n_texts, twin);
	if (n_twin == 0)
		return 0;
	spec.texts = twin;
	spec.n_texts = n_twin;
	return parts_add(p, &spec, rule, ops, role);
}

/* Numbers of the rule's conditions; their programs become patterns of their own. */
static int parts_add_conditions(struct parts *p, uint32_t index)
{
	const struct policy_rule *rule = &p->policy->rules[index];
	struct part_condition *condition = &p->of_rule[index];
	bool new = false;
	int r;

	r = conditions_users(&p->conditions, &rule->unless, &condition->uid);
	if (r == 0)
		r = conditions_programs(&p->conditions, &rule->unless, &condition->exe, &new);
	if (r == -EOVERFLOW)
		return input_error(p->input.diags, p->policy, rule->location,
				   "more than %u different lists of programs, or of users, in the "
				   "`unless` of one policy: split the policy",
				   HT_CONDITIONS_MAX);
	for (size_t i = 0; r == 0 && new &&i < rule->unless.n_exe; i++)
		r = parts_add_path(p, &rule->unless.exe[i], AUTOMATON_NONE, condition->exe,
				   PART_EXE);
	return r;
}

static int parts_add_speaker(struct parts *p, uint32_t index)
{
	const struct policy_rule *rule = &p->policy->rules[index];
	int r;

	r = parts_add_path(p, &rule->path, index, 0, PART_SPEAKS);
	for (size_t i = 0; i < rule->n_except && r == 0; i++)
		r = parts_add_path(p, &rule->except[i], index, 0, PART_EXCEPT);
	return r == 0 ? parts_add_conditions(p, index) : r;
}

static int parts_add_rule(struct parts *p, uint32_t index)
{
	const struct policy_rule *rule = &p->policy->rules[index];

	if (policy_rule_state(rule, p->now) == POLICY_RULE_EXPIRED)
		return 0;
	switch (rule->kind) {
	case POLICY_RULE_EXEC_DEFAULT:
		p->exec_default = rule->id;
		return 0;
	case POLICY_RULE_FILE_DEFAULT:
		p->file_default = rule->id;
		return 0;
	case POLICY_RULE_EXEC_ALLOW:
		return parts_add_path(p, &rule->path, index, HT_OPS_EXEC, PART_ALLOW);
	case POLICY_RULE_EXEC_LIBRARY:
		return parts_add_path(p, &rule->path, index, HT_OP_MAP | HT_OP_MAP_LIBRARY,
				      PART_ALLOW);
	case POLICY_RULE_FILE_ALLOW:
		return parts_add_path(p, &rule->path, index, rule->ops, PART_ALLOW);
	case POLICY_RULE_EXEC_DENY:
	case POLICY_RULE_EXEC_AUDIT:
	case POLICY_RULE_FILE_DENY:
	case POLICY_RULE_FILE_AUDIT:
		return parts_add_speaker(p, index);
	case POLICY_RULE_EXEC_ANONYMOUS:
	case POLICY_RULE_EXEC_WRITABLE:
	case POLICY_RULE_KERNEL:
	case _POLICY_RULE_KIND_MAX:
	default:
		return -EINVAL;
	}
}

/* "Strictly below" is the directory, then any one name, then everything below that. */
static int parts_add_libraries(struct parts *p)
{
	struct input_text texts[INPUT_TEXTS_MAX];
	struct input_spec spec = {
		.texts = texts,
		.depth_max = HT_RULE_DEPTH_MAX,
		.subtree = true,
		.policy = p->policy,
		.location = p->policy->location,
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(library_directories) && r == 0; i++) {
		spec.n_texts = input_split(library_directories[i], texts);
		texts[spec.n_texts++] = (struct input_text){.text = "*", .len = 1};
		r = parts_add(p, &spec, AUTOMATON_NONE, 0, PART_LIBRARY);
	}
	return r;
}

/* All rules, going on after a bad one so that every error is told at once. */
static int parts_add_rules(struct parts *p)
{
	const struct policy *policy = p->policy;
	int worst = 0, r;

	p->of_rule = calloc(policy->n_rules ? policy->n_rules : 1, sizeof(*p->of_rule));
	if (!p->of_rule)
		return -ENOMEM;
	for (uint32_t i = 0; i < policy->n_rules; i++) {
		r = parts_add_rule(p, i);
		if (r < 0)
			return r;
		if (r != 0)
			worst = r;
	}
	if (worst == 0 && policy->exec_default == POLICY_DEFAULT_DENY &&
	    policy->libraries == POLICY_LIBRARIES_DEFAULT)
		return parts_add_libraries(p);
	return worst;
}

/* ---- what is not said of paths ---- */

static uint32_t profile_flags(const struct parts *p)
{
	const struct policy *policy = p->policy;
	uint32_t flags = 0;

	if (policy->mode == POLICY_MODE_ENFORCE)
		flags |= HT_PROFILE_ENFORCE;
	if (policy->record_exec)
		flags |= HT_PROFILE_RECORD_EXEC;
	if (policy->record_file)
		flags |= HT_PROFILE_RECORD_FILE;
	if (p->conditions.programs.n > 0 || p->conditions.users.n > 0)
		flags |= HT_PROFILE_CONDITIONS;
	if (strcmp(policy->name, PROFILE_CANARY_POLICY) == 0)
		flags |= HT_PROFILE_CANARY;
	return flags;
}

static void switch_add(struct automaton_verdict *v, const struct policy_rule *rule, uint32_t bits)
{
	if (rule->action == POLICY_ACTION_DENY)
		verdict_add(v, HT_RULE_DENY, bits, rule->id);
	else if (rule->action == POLICY_ACTION_AUDIT)
		verdict_add(v, HT_RULE_AUDIT, bits, rule->id);
}

static void profile_extra(const struct parts *p, struct emit_extra *extra)
{
	const struct policy *policy = p->policy;

	extra->flags = profile_flags(p);
	extra->uids = p->conditions.uids;
	extra->n_uids = p->conditions.n_uids;
	if (policy->anonymous.id != 0)
		switch_add(&extra->anonymous, &policy->anonymous, HT_OPS_EXEC);
	else if (policy->exec_default == POLICY_DEFAULT_DENY)
		verdict_add(&extra->anonymous, HT_RULE_DENY, HT_OPS_EXEC, p->exec_default);
	switch_add(&extra->writable, &policy->writable, HT_OPS_EXEC);
	for (uint32_t line = 0; line < HT_KERNEL_MAX; line++)
		switch_add(&extra->kernel, &policy->kernel[line], 1U << line);
}

int profile_compile(const struct policy *policy, int64_t now, struct emit *e,
		    struct diag_list *diags, struct image_profile *ret)
{
	_cleanup_(parts_deinit) struct parts p = {
		.policy = policy,
		.now = now,
		.input =
			{
				.diags = diags,
				.subject = "policy",
				.remedy = "use fewer rules, especially with wildcards before their "
					  "last component, or split the policy",
			},
	};
	_cleanup_(automaton_deinit) struct automaton a = {};
	struct emit_extra extra = {};
	int r;

	r = parts_add_rules(&p);
	if (r == 0)
		r = automaton_build(&a, &p.input, parts_judge, &p);
	if (r == 0)
		r = automaton_reduce(&a);
	if (r != 0)
		return r;
	profile_extra(&p, &extra);
	return emit_automaton(e, &a, &extra, ret);
}
