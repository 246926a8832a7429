/* SPDX-License-Identifier: Apache-2.0 */

/* From a recorded event to its explanation: who is above the process, and which rules stand in the way now. */

#include "programs/agentctl/explain.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "programs/agentctl/cgroups.h"
#include "store/store.h"

void explanation_deinit(struct explanation *e)
{
	event_deinit(&e->event);
	for (size_t i = 0; i < e->n_ancestors; i++)
		event_deinit(&e->ancestors[i].event);
	for (size_t i = 0; i < e->n_edits; i++) {
		free(e->edits[i].line);
		free(e->edits[i].wider);
	}
	free(e->governs);
	policies_deinit(&e->policies);
}

/* Each parent is named by its pid and start, which its child's record has. */
static int explain_ancestors(struct explanation *e, struct store_reader *reader)
{
	const struct event *child = &e->event;

	while (child->ppid != 0 && e->n_ancestors < EXPLAIN_ANCESTORS_MAX) {
		struct ancestor *a = &e->ancestors[e->n_ancestors++];
		int r;

		*a = (struct ancestor){.pid = child->ppid};
		r = store_get_process(reader, child->boot_id, child->ppid, child->parent_start_ns, e->event.id,
				      &a->event);
		if (r == -ENOENT)
			return 0; /* it ran outside, or did nothing that was recorded */
		if (r < 0)
			return r;
		a->known = true;
		child = &a->event;
	}
	return 0;
}

/* ---- the rules in the way ---- */

/* The policies without some of their rules: shallow copies whose rules are over since long. */
struct without {
	struct policy *copies;
	const struct policy **items;
	struct policy_rule **rules;
	struct policies list;
};

static void without_deinit(struct without *w)
{
	for (size_t i = 0; i < w->list.n; i++)
		free(w->rules[i]);
	free(w->rules);
	free(w->copies);
	free(w->items);
}

static int without_init(struct without *w, const struct policies *policies)
{
	w->copies = calloc(policies->n + 1, sizeof(*w->copies));
	w->items = calloc(policies->n + 1, sizeof(*w->items));
	w->rules = calloc(policies->n + 1, sizeof(*w->rules));
	if (!w->copies || !w->items || !w->rules)
		return -ENOMEM;
	for (size_t i = 0; i < policies->n; i++) {
		const struct policy *from = policies->items[i];

		w->copies[i] = *from;
		w->rules[i] = calloc(from->n_rules + 1, sizeof(*w->rules[i]));
		w->list.n = i + 1;
		if (!w->rules[i])
			return -ENOMEM;
		if (from->n_rules > 0)
			memcpy(w->rules[i], from->rules, from->n_rules * sizeof(*from->rules));
		w->copies[i].rules = w->rules[i];
		w->items[i] = &w->copies[i];
	}
	w->list.items = w->items;
	return 0;
}

static bool is_default(const struct policy_rule *rule)
{
	return rule->kind == POLICY_RULE_EXEC_DEFAULT || rule->kind == POLICY_RULE_FILE_DEFAULT;
}

/* Take a rule away. Return: was it there? */
static bool without_rule(struct without *w, const struct policy *of, const struct policy_rule *rule)
{
	struct policy *copy = NULL;

	for (size_t i = 0; i < w->list.n; i++)
		if (w->items[i] == of)
			copy = &w->copies[i];
	if (!copy)
		return false;
	if (rule->kind == POLICY_RULE_EXEC_DEFAULT)
		copy->exec_default = POLICY_DEFAULT_ALLOW;
	if (rule->kind == POLICY_RULE_FILE_DEFAULT)
		copy->file_default = POLICY_DEFAULT_ALLOW;
	for (size_t i = 0; i < copy->n_rules; i++)
		if (&copy->rules[i] == rule) {
			copy->rules[i].expires = 1;
			return true;
		}
	for (uint32_t line = 0; line < HT_KERNEL_MAX; line++)
		if (&copy->kernel[line] == rule)
			copy->kernel[line].action = POLICY_ACTION_ALLOW;
	if (rule == &copy->anonymous)
		copy->anonymous.action = POLICY_ACTION_ALLOW;
	if (rule == &copy->writable)
		copy->writable.action = POLICY_ACTION_ALLOW;
	return true;
}

/* The original of a policy or rule that was copied. */
static void obstacle_note(struct explanation *e, const struct without *w, const struct reply *reply)
{
	struct obstacle *o = &e->obstacles[e->n_obstacles++];

	o->verdict = reply->verdict;
	for (size_t i = 0; i < w->list.n; i++)
		if (w->items[i] == reply->policy)
			o->policy = e->policies.items[i];
	o->rule = o->policy && reply->rule ? policy_rule_find(o->policy, reply->rule->id) : NULL;
}

/* Ask; take away what refuses; ask again. */
static int explain_obstacles(struct explanation *e, const struct ask *ask, int64_t now)
{
	_cleanup_(without_deinit) struct without w = {};
	struct reply reply = e->reply;
	int r = without_init(&w, &e->policies);

	while (r >= 0 && e->n_obstacles < EXPLAIN_OBSTACLES_MAX) {
		r = ask_policies(&w.list, e->governs, now, ask, &reply);
		if (r < 0 || (!verdict_refuses(reply.verdict) && reply.verdict != HT_VERDICT_WOULD_DENY))
			return r;
		if (e->n_obstacles > 0 && reply.rule && is_default(reply.rule) &&
		    e->obstacles[e->n_obstacles - 1].rule &&
		    e->obstacles[e->n_obstacles - 1].rule->id == reply.rule->id)
			return 0;
		obstacle_note(e, &w, &reply);
		if (!reply.rule || !without_rule(&w, reply.policy, reply.rule))
			return 0;
	}
	return r;
}

/* What a container was called can be forgotten since; that it was governed by this policy is in the event. */
static bool decided_by(const struct explanation *e, const struct policy *policy)
{
	return e->event.policy && strcmp(e->event.policy, policy->name) == 0;
}

int explain_event(struct explanation *e, struct store_reader *reader, int64_t now)
{
	_cleanup_free_ char *path = event_bytes_text(&e->event.path), *exe = event_bytes_text(&e->event.exe);
	const struct ask ask = {
		.op = e->event.op,
		.path = e->event.op & HT_OPS_KERNEL ? NULL : path,
		.exe = exe && exe[0] == '/' ? exe : NULL,
		.uid = e->event.uid,
		.nameless = e->event.reason == HT_REASON_ANONYMOUS,
		.stacked = true,
		.from_image = e->event.reason != HT_REASON_ORIGIN,
		.writable = e->event.reason == HT_REASON_WRITABLE,
	};
	int r;

	r = explain_ancestors(e, reader);
	if (r < 0)
		return r;
	e->governs = calloc(e->policies.n + 1, sizeof(*e->governs));
	if (!e->governs)
		return -ENOMEM;
	for (size_t i = 0; i < e->policies.n; i++)
		e->governs[i] = (e->event.cgroup && policies_governs(&e->policies, i, e->event.cgroup)) ||
				decided_by(e, e->policies.items[i]);
	if (e->event.op == 0 || (!ask.path && !ask.nameless && !(e->event.op & HT_OPS_KERNEL)) ||
	    (e->event.flags & HT_RECORD_PATH_TRUNCATED))
		return 0;
	r = ask_policies(&e->policies, e->governs, now, &ask, &e->reply);
	if (r == -ENOMEM)
		return r;
	e->asked = r >= 0;
	if (!e->asked)
		return 0;
	r = explain_obstacles(e, &ask, now);
	return r < 0 ? r : explain_edits(e, reader);
}
