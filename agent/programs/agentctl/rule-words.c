/* SPDX-License-Identifier: Apache-2.0 */

#include "programs/agentctl/rule-words.h"

#include "control/control.h"

static void path_describe(const struct policy_path *path, struct strbuf *b)
{
	strbuf_puts(b, path->text);
	if (path->subtree)
		strbuf_puts(b, path->text[0] == '/' && !path->text[1] ? "**" : "/**");
}

void rule_describe(const struct policy_rule *rule, struct strbuf *b)
{
	_cleanup_free_ char *text = policy_rule_to_text(rule);

	strbuf_puts(b, text ? text : "?");
	for (size_t i = 0; i < rule->n_except; i++) {
		strbuf_puts(b, i == 0 ? " except " : ", ");
		path_describe(&rule->except[i], b);
	}
	if (rule->unless.n_exe + rule->unless.n_uids > 0)
		strbuf_puts(b, " unless");
	for (size_t i = 0; i < rule->unless.n_exe; i++) {
		strbuf_puts(b, i == 0 ? " exe " : ", ");
		path_describe(&rule->unless.exe[i], b);
	}
	for (size_t i = 0; i < rule->unless.n_uids; i++)
		strbuf_printf(b, "%s%u", i == 0 ? " uid " : ", ", rule->unless.uids[i]);
	if (rule->origin_image)
		strbuf_puts(b, " if it came with the image");
}

const char *rule_effect(const struct policy *policy, const struct policy_rule *rule, int64_t now)
{
	enum policy_rule_state state = policy_rule_state(rule, now);

	if (state == POLICY_RULE_EXPIRED)
		return "expired";
	if (state == POLICY_RULE_STAGED)
		return "staged";
	if (policy->mode == POLICY_MODE_AUDIT && rule->action >= POLICY_ACTION_DENY)
		return "would-deny";
	return policy_action_to_string(rule->action);
}

void rule_ops(const struct policy_rule *rule, struct strbuf *b)
{
	const char *words[32];
	size_t n = 0, known;

	for (unsigned i = 0; i < 32; i++) {
		const char *word = rule->ops & (1U << i) ? policy_op_to_string(1U << i) : NULL;

		/* both ways to map have one word */
		for (known = 0; word && known < n && words[known] != word; known++)
			;
		if (!word || known < n)
			continue;
		if (n > 0)
			strbuf_putc(b, ',');
		strbuf_puts(b, word);
		words[n++] = word;
	}
}

static json_t *path_to_json(const struct policy_path *path)
{
	_cleanup_strbuf_ struct strbuf b = {};

	if (!path->text)
		return json_null();
	path_describe(path, &b);
	return control_text(strbuf_str(&b));
}

static json_t *paths_to_json(const struct policy_path *paths, size_t n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n; i++)
		(void)json_array_append_new(list, path_to_json(&paths[i]));
	return list;
}

json_t *rule_to_json(const struct policy *policy, const struct policy_rule *rule, int64_t now)
{
	_cleanup_free_ char *text = policy_rule_to_text(rule);
	_cleanup_strbuf_ struct strbuf ops = {};
	json_t *uids = json_array(), *tags = json_array();

	rule_ops(rule, &ops);
	for (size_t i = 0; i < rule->unless.n_uids; i++)
		(void)json_array_append_new(uids, json_integer(rule->unless.uids[i]));
	for (size_t i = 0; i < rule->n_tags; i++)
		(void)json_array_append_new(tags, control_text(rule->tags[i]));
	return json_pack("{s:o, s:o, s:s, s:o, s:s, s:o, s:{s:o, s:o}, s:s, s:s, s:s, s:o, s:o, s:b, s:o, s:I, s:b}",
			 "policy", control_text(policy->name), "rule", control_text(text), "kind",
			 policy_rule_kind_to_string(rule->kind), "path", path_to_json(&rule->path), "ops",
			 strbuf_str(&ops), "except", paths_to_json(rule->except, rule->n_except), "unless", "exe",
			 paths_to_json(rule->unless.exe, rule->unless.n_exe), "uid", uids, "effect",
			 rule_effect(policy, rule, now), "action", policy_action_to_string(rule->action), "severity",
			 policy_severity_to_string(rule->severity), "message", control_text(rule->message), "tags", tags,
			 "from_image", (int)rule->origin_image, "file", control_text(policy->file), "line",
			 (json_int_t)rule->location.line, "implied", (int)rule->implied);
}
