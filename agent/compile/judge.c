/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What a policy says where certain of its patterns match.
 *
 * Patterns come in the order of the file, so the patterns of one rule stand together. Rules that
 * speak whoever asks come before those with an `unless`; of each kind the strictest action, and the
 * first in the file, decides. A default refuses only what nothing else did.
 */

#include <errno.h>
#include <string.h>

#include "compile/parts.h"

/* One verdict being found. */
struct session {
	const struct parts *parts;
	struct automaton_verdict *v;
	uint32_t exec_allowed, file_allowed; /* whatever the object is */
	const struct policy_rule *too_many;  /* the condition that found no room */
};

static uint16_t *class_mask(struct automaton_verdict *v, uint32_t class)
{
	switch (class) {
	case HT_RULE_DENY:
		return &v->deny;
	case HT_RULE_AUDIT:
		return &v->audit;
	case HT_RULE_IMAGE:
		return &v->image;
	default:
		return &v->would;
	}
}

void verdict_add(struct automaton_verdict *v, uint32_t class, uint32_t ops, uint64_t rule)
{
	uint16_t *mask = class_mask(v, class);
	uint32_t new = ops & ~(uint32_t)*mask &((1U << VERDICT_BITS) - 1U);

	for (uint32_t op = 0; op < VERDICT_BITS; op++)
		if (new >> op & 1)
			v->rule[class][op] = rule;
	*mask = (uint16_t)(*mask | new);
}

/* Kill takes the place of a deny that came before it in the file. */
static void verdict_kill(struct automaton_verdict *v, uint32_t ops, uint64_t rule)
{
	uint32_t new = ops & ~(uint32_t)v->kill &HT_OP_ALL;

	v->deny = (uint16_t)(v->deny & ~new);
	verdict_add(v, HT_RULE_DENY, new, rule);
	v->kill = (uint16_t)(v->kill | new);
}

static bool rule_is_staged(const struct session *s, const struct policy_rule *rule)
{
	return rule->action >= POLICY_ACTION_DENY && rule->enforce_after > s->parts->now;
}

static void speak(struct session *s, const struct policy_rule *rule)
{
	if (rule->action == POLICY_ACTION_AUDIT)
		verdict_add(s->v, HT_RULE_AUDIT, rule->ops, rule->id);
	else if (rule_is_staged(s, rule))
		verdict_add(s->v, HT_RULE_WOULD, rule->ops, rule->id);
	else if (rule->action == POLICY_ACTION_KILL)
		verdict_kill(s->v, rule->ops, rule->id);
	else
		verdict_add(s->v, HT_RULE_DENY, rule->ops, rule->id);
}

static void allow(struct session *s, const struct policy_rule *rule, uint32_t ops)
{
	if (rule->kind == POLICY_RULE_FILE_ALLOW)
		s->file_allowed |= ops & HT_OPS_FILE;
	else if (rule->origin_image)
		verdict_add(s->v, HT_RULE_IMAGE, ops, rule->id);
	else
		s->exec_allowed |= ops;
}

/* ---- conditions ---- */

/* Passes over the rules with `unless`, strictest first. */
enum pass { PASS_KILL, PASS_DENY, PASS_WOULD, PASS_AUDIT, _PASS_MAX };

static enum pass rule_pass(const struct session *s, const struct policy_rule *rule)
{
	if (rule->action == POLICY_ACTION_AUDIT)
		return PASS_AUDIT;
	if (rule_is_staged(s, rule))
		return PASS_WOULD;
	return rule->action == POLICY_ACTION_KILL ? PASS_KILL : PASS_DENY;
}

/* What an earlier one under the same condition, or a rule without any, has decided already. */
static uint32_t ops_decided(const struct session *s, struct part_condition condition,
			    enum pass pass)
{
	const struct automaton_verdict *v = s->v;
	uint32_t decided = pass == PASS_KILL ? v->kill : v->deny;

	if (pass >= PASS_WOULD)
		decided |= v->would;
	if (pass == PASS_AUDIT)
		decided |= v->audit;
	for (uint32_t i = 0; i < v->n_conds; i++)
		if (v->conds[i].exe == condition.exe && v->conds[i].uid == condition.uid)
			decided |= (uint32_t)(v->conds[i].deny | v->conds[i].would |
					      v->conds[i].audit);
	return decided;
}

static void speak_unless(struct session *s, uint32_t index, enum pass pass)
{
	const struct policy_rule *rule = &s->parts->policy->rules[index];
	struct part_condition condition = s->parts->of_rule[index];
	uint16_t ops = (uint16_t)(rule->ops & HT_OP_ALL & ~ops_decided(s, condition, pass));
	struct verdict_cond *c;

	if (ops == 0 || rule_pass(s, rule) != pass)
		return;
	if (s->v->n_conds == HT_CONDS_MAX) {
		s->too_many = rule;
		return;
	}
	c = &s->v->conds[s->v->n_conds++];
	*c = (struct verdict_cond){.rule = rule->id, .exe = condition.exe, .uid = condition.uid};
	if (pass <= PASS_DENY)
		c->deny = ops;
	if (pass == PASS_KILL)
		c->kill = ops;
	if (pass == PASS_WOULD)
		c->would = ops;
	if (pass == PASS_AUDIT)
		c->audit = ops;
}

/* ---- all patterns ---- */

static bool has_unless(const struct policy_rule *rule)
{
	return rule->unless.n_exe > 0 || rule->unless.n_uids > 0;
}

/* The patterns of one rule, from matched[i] on. Return: the index behind them; *ret_speaks: it
 * speaks here. */
static size_t hear_rule(struct session *s, const uint32_t *matched, size_t n, size_t i,
			bool *ret_speaks)
{
	const struct part *parts = s->parts->parts;
	uint32_t rule = parts[matched[i]].rule;
	bool speaks = false, excepted = false;

	for (; i < n && parts[matched[i]].rule == rule; i++) {
		const struct part *part = &parts[matched[i]];

		switch (part->role) {
		case PART_SPEAKS:
			speaks = true;
			break;
		case PART_EXCEPT:
			excepted = true;
			break;
		case PART_ALLOW:
			allow(s, &s->parts->policy->rules[rule], part->ops);
			break;
		case PART_LIBRARY:
			verdict_add(s->v, HT_RULE_IMAGE, HT_OP_MAP_LIBRARY, s->parts->exec_default);
			break;
		case PART_EXE:
			s->v->exe |= 1ULL << part->ops;
			break;
		}
	}
	*ret_speaks = speaks && !excepted;
	return i;
}

static void hear_conditions(struct session *s, const uint32_t *matched, size_t n)
{
	const struct policy_rule *rules = s->parts->policy->rules;

	for (enum pass pass = PASS_KILL; pass < _PASS_MAX; pass++) {
		struct session listen = {.parts = s->parts, .v = &(struct automaton_verdict){}};
		bool speaks;

		for (size_t i = 0; i < n;) {
			uint32_t rule = s->parts->parts[matched[i]].rule;

			i = hear_rule(&listen, matched, n, i, &speaks);
			if (speaks && has_unless(&rules[rule]))
				speak_unless(s, rule, pass);
		}
	}
}

static void apply_defaults(struct session *s)
{
	const struct policy *policy = s->parts->policy;
	struct automaton_verdict *v = s->v;

	if (policy->libraries == POLICY_LIBRARIES_ANY)
		s->exec_allowed |= HT_OP_MAP_LIBRARY;
	v->image = (uint16_t)(v->image & ~s->exec_allowed & ~(uint32_t)v->deny);
	if (policy->exec_default == POLICY_DEFAULT_DENY)
		verdict_add(v, HT_RULE_DENY, HT_OPS_EXEC & ~s->exec_allowed & ~(uint32_t)v->image,
			    s->parts->exec_default);
	else
		v->image = 0;
	if (policy->file_default == POLICY_DEFAULT_DENY)
		verdict_add(v, HT_RULE_DENY, HT_OPS_FILE & ~s->file_allowed,
			    s->parts->file_default);
	/* what is refused needs no record of a lesser kind */
	v->would = (uint16_t)(v->would & ~v->deny);
	v->audit = (uint16_t)(v->audit & ~v->deny & ~v->would);
}

int parts_judge(const void *userdata, const uint32_t *matched, size_t n,
		struct automaton_verdict *v, uint32_t *binds, size_t *ret_n_binds)
{
	const struct parts *p = userdata;
	struct session s = {.parts = p, .v = v};
	bool conditions = false, speaks;

	for (size_t i = 0; i < n;) {
		uint32_t rule = p->parts[matched[i]].rule;

		i = hear_rule(&s, matched, n, i, &speaks);
		if (!speaks)
			continue;
		if (has_unless(&p->policy->rules[rule]))
			conditions = true;
		else
			speak(&s, &p->policy->rules[rule]);
	}
	apply_defaults(&s);
	if (conditions)
		hear_conditions(&s, matched, n);
	*ret_n_binds = 0;
	if (!s.too_many)
		return 0;
	return input_error(p->input.diags, p->policy, s.too_many->location,
			   "more than %u rules with `unless` speak of one path: write one rule, or "
			   "leave some out",
			   HT_CONDS_MAX);
}
