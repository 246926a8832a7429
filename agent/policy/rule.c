/* SPDX-License-Identifier: Apache-2.0 */

/* The elements of `allow:`, `deny:`, `audit:` and `libraries:`: a path, or a mapping with `path`.
 */

#include <errno.h>
#include <string.h>

#include "abi.h"
#include "policy/path.h"
#include "policy/schema.h"

#define RULE_EXPECTED "a path, or a mapping with `path`"
#define OPS_EXPECTED "a list of operations, like `[read, write]`"
#define EXCEPT_EXPECTED "a list of paths inside the rule's path"

static bool kind_is_deny(enum policy_rule_kind kind)
{
	return kind == POLICY_RULE_EXEC_DENY || kind == POLICY_RULE_FILE_DENY;
}

static bool kind_is_audit(enum policy_rule_kind kind)
{
	return kind == POLICY_RULE_EXEC_AUDIT || kind == POLICY_RULE_FILE_AUDIT;
}

static bool kind_is_file(enum policy_rule_kind kind)
{
	return kind == POLICY_RULE_FILE_ALLOW || kind == POLICY_RULE_FILE_DENY ||
	       kind == POLICY_RULE_FILE_AUDIT || kind == POLICY_RULE_FILE_DEFAULT;
}

static enum policy_action kind_action(enum policy_rule_kind kind)
{
	if (kind_is_audit(kind))
		return POLICY_ACTION_AUDIT;
	return kind_is_deny(kind) ? POLICY_ACTION_DENY : POLICY_ACTION_ALLOW;
}

static uint32_t kind_ops(enum policy_rule_kind kind)
{
	if (kind == POLICY_RULE_FILE_DENY)
		return HT_OP_ALL;
	if (kind == POLICY_RULE_EXEC_LIBRARY)
		return HT_OP_MAP | HT_OP_MAP_LIBRARY;
	return kind_is_file(kind) ? HT_OPS_FILE : HT_OPS_EXEC;
}

/* People who know shells expect sets; here they are bytes of the name, which no file may have. */
static void warn_brackets(struct parse *p, const struct node *value)
{
	const char *open = memchr(value->text, '[', value->len), *close;

	if (!open)
		return;
	close = strpbrk(open + 1, "]/");
	if (!close || *close == '/')
		return;
	policy_text_warn(
		p->text,
		node_span(p, value, (size_t)(open - value->text), (size_t)(close + 1 - open)),
		"only `*`, `?` and a trailing `/**` as wildcards",
		"`[` and `]` stand for themselves in a path");
}

bool parse_path(struct parse *p, const struct node *value, const char *what, size_t depth_max,
		struct policy_path *ret_path)
{
	struct path_problem problem = {};
	int r;

	if (!schema_check_line(p, value, what, "an absolute path"))
		return false;
	r = policy_path_parse(value->text, value->len, depth_max, ret_path, &problem);
	if (r < 0) {
		p->text->error = r;
		return false;
	}
	if (r == POLICY_E_INVALID) {
		policy_text_error(p->text, node_span(p, value, problem.offset, problem.len),
				  problem.expected, "%s", problem.text);
		return false;
	}
	ret_path->location = policy_text_locate(p->text, value->at.start);
	warn_brackets(p, value);
	return true;
}

/* On a merged-/usr system /bin is a link, and the kernel sees where it leads. A deny rule is bound
 * to both spellings; an allow rule must name the real one, or it would allow what the link can
 * become. */
void warn_merged_usr(struct parse *p, const struct policy_path *path, struct span at)
{
	static const char *const links[] = {"bin", "sbin", "lib", "lib32", "lib64", "libx32"};
	const char *rest = path->text, *name = NULL;
	size_t len = 0;

	if (!policy_path_next(&rest, &name, &len))
		return;
	for (size_t i = 0; i < ARRAY_LEN(links); i++) {
		char expected[128];

		if (strlen(links[i]) != len || memcmp(links[i], name, len) != 0)
			continue;
		(void)snprintf(expected, sizeof(expected), "`/usr%s%s`",
			       quote_text(path->text, strlen(path->text)).text,
			       path->subtree ? "/**" : "");
		policy_text_warn(p->text, at, expected,
				 "where `/%s` is a link to `/usr/%s`, this path names nothing",
				 links[i], links[i]);
		return;
	}
}

static void rule_path(struct parse *p, const struct node *key, const struct node *value,
		      void *object)
{
	struct rule_draft *d = object;

	d->path = value;
	d->path_span = value->at;
	if (!parse_path(p, value, "the path", HT_RULE_DEPTH_MAX, &d->rule.path)) {
		d->failed = true;
		return;
	}
	if (kind_action(d->rule.kind) == POLICY_ACTION_ALLOW)
		warn_merged_usr(p, &d->rule.path, value->at);
}

static void rule_op(struct parse *p, struct rule_draft *d, const struct node *value, uint32_t *ops)
{
	/* what may be mapped executable under an allow-list is said by `exec` */
	static const char *const words[] = {"read",   "write", "create", "delete",
					    "rename", "link",  "attr",	 "map"};
	bool speaks = kind_is_deny(d->rule.kind) || kind_is_audit(d->rule.kind);
	uint32_t bits = 0;
	int i;

	d->failed = true;
	if (value->kind == NODE_BAD)
		return;
	if (value->kind != NODE_SCALAR || value->len == 0) {
		policy_text_error(p->text, value->at, "a word like `read`", "the operation is %s",
				  node_describe(value));
		return;
	}
	if (strcmp(value->text, "exec") == 0 || (!speaks && strcmp(value->text, "map") == 0)) {
		policy_text_error(p->text, value->at, "a rule of the section `exec` for it",
				  "`%s` is not an operation of a `%s` rule", value->text,
				  policy_rule_kind_to_string(d->rule.kind));
		return;
	}
	i = schema_find_word(p, value, "operation", words, ARRAY_LEN(words) - !speaks);
	if (i < 0 || policy_op_from_string(words[i], &bits) < 0)
		return;
	if (*ops & bits) {
		policy_text_error(p->text, value->at, NULL, "duplicate operation `%s`", words[i]);
		return;
	}
	*ops |= bits;
	d->failed = false;
}

static void rule_ops(struct parse *p, const struct node *key, const struct node *value,
		     void *object)
{
	struct rule_draft *d = object;
	bool failed = d->failed;
	uint32_t ops = 0;

	if (!value->first) {
		policy_text_error(p->text, value->at, OPS_EXPECTED, "`ops` is an empty list");
		d->failed = true;
		return;
	}
	for (const struct node *n = value->first; n; n = n->next) {
		rule_op(p, d, n, &ops);
		failed |= d->failed;
	}
	d->failed = failed;
	d->rule.ops = ops;
}

static void rule_except(struct parse *p, const struct node *key, const struct node *value,
			void *object)
{
	struct rule_draft *d = object;

	d->except = value;
}

static void rule_severity(struct parse *p, const struct node *key, const struct node *value,
			  void *object)
{
	struct rule_draft *d = object;
	const char *words[_POLICY_SEVERITY_MAX];
	int i;

	for (i = 0; i < _POLICY_SEVERITY_MAX; i++)
		words[i] = policy_severity_to_string((enum policy_severity)i);
	i = schema_find_word(p, value, "severity", words, ARRAY_LEN(words));
	d->severity_given = true;
	if (i < 0)
		d->failed = true;
	else
		d->rule.severity = (enum policy_severity)i;
}

static void rule_message(struct parse *p, const struct node *key, const struct node *value,
			 void *object)
{
	struct rule_draft *d = object;

	if (value->len > POLICY_MESSAGE_MAX) {
		policy_text_error(p->text, value->at, NULL, "message of %u bytes; %u are allowed",
				  value->len, POLICY_MESSAGE_MAX);
		d->failed = true;
		return;
	}
	d->rule.message = node_copy(p, value);
}

static const struct key_spec rule_keys[] = {
	{"path", KEY_LINE, "an absolute path", rule_path},
	{"ops", KEY_LIST, OPS_EXPECTED, rule_ops, WHERE_FILE,
	 "only rules of `file` name operations"},
	{"except", KEY_LIST, EXCEPT_EXPECTED, rule_except, WHERE_SPEAKS,
	 "only deny and audit rules have exceptions"},
	{"unless", KEY_MAPPING, "a mapping with `exe` or `uid`", rule_unless, WHERE_SPEAKS,
	 "only deny and audit rules have exceptions"},
	{"action", KEY_WORD, "`deny`, `audit` or `kill`", rule_action, WHERE_DENY,
	 "only deny rules have an action"},
	{"origin", KEY_WORD, "`image`", rule_origin, WHERE_ORIGIN,
	 "only `exec.allow` and `exec.libraries` ask where a file came from"},
	{"severity", KEY_WORD, "a word like `high`", rule_severity},
	{"message", KEY_LINE, "text", rule_message},
	{"tags", KEY_LIST, "a list of words", rule_tags},
	{"enforce_after", KEY_WORD, "a moment like `2026-12-01`", rule_enforce_after, WHERE_DENY,
	 "only deny rules are enforced"},
	{"expires", KEY_WORD, "a moment like `2026-12-01`", rule_expires},
};

static const struct schema rule_schema = {rule_keys, ARRAY_LEN(rule_keys)};

static bool parse_exception(struct parse *p, struct rule_draft *d, const struct node *value)
{
	struct policy_rule *rule = &d->rule;
	struct policy_path path = {};

	if (!parse_path(p, value, "the exception", HT_RULE_DEPTH_MAX, &path))
		return false;
	if (!policy_path_overlaps(&rule->path, &path)) {
		policy_text_error(p->text, value->at, "a path inside it",
				  "the exception matches nothing of the rule's path `%s%s`",
				  quote_text(rule->path.text, strlen(rule->path.text)).text,
				  !rule->path.subtree  ? ""
				  : rule->path.text[1] ? "/**"
						       : "**");
		free(path.text);
		return false;
	}
	if (policy_path_covers(&path, &rule->path)) {
		policy_text_error(p->text, value->at, NULL,
				  "the exception leaves nothing of the rule");
		free(path.text);
		return false;
	}
	rule->except[rule->n_except++] = path;
	return true;
}

static void parse_exceptions(struct parse *p, struct rule_draft *d)
{
	if (!d->except->first) {
		policy_text_error(p->text, d->except->at, EXCEPT_EXPECTED,
				  "`except` is an empty list");
		d->failed = true;
		return;
	}
	d->rule.except = calloc(d->except->n, sizeof(*d->rule.except));
	if (!d->rule.except) {
		p->text->error = -ENOMEM;
		return;
	}
	for (const struct node *n = d->except->first; n; n = n->next)
		if (!parse_exception(p, d, n))
			d->failed = true;
}

/* Takes over what the draft owns. */
static void add_rule(struct parse *p, struct rule_draft *d)
{
	size_t size = p->rules_size, same = size;
	void *rules = p->policy->rules, *spans = p->rule_spans;
	bool ok;

	ok = array_reserve(p, &rules, &size, p->policy->n_rules, sizeof(struct policy_rule));
	p->policy->rules = rules;
	if (ok) {
		ok = array_reserve(p, &spans, &same, p->policy->n_rules, sizeof(struct span));
		p->rule_spans = spans;
	}
	if (!ok) {
		policy_rule_deinit(&d->rule);
		return;
	}
	p->rules_size = size;
	p->rule_spans[p->policy->n_rules] = d->path_span;
	p->policy->rules[p->policy->n_rules++] = d->rule;
}

static unsigned kind_context(enum policy_rule_kind kind)
{
	unsigned context = kind_is_file(kind) ? WHERE_FILE : 0;

	if (kind_is_deny(kind))
		context |= WHERE_DENY | WHERE_SPEAKS;
	if (kind_is_audit(kind))
		context |= WHERE_SPEAKS;
	if (kind == POLICY_RULE_EXEC_ALLOW || kind == POLICY_RULE_EXEC_LIBRARY)
		context |= WHERE_ORIGIN;
	return context;
}

void parse_rule(struct parse *p, enum policy_rule_kind kind, const struct node *item)
{
	unsigned context = kind_context(kind);
	size_t errors = p->text->diags->n_errors;
	struct rule_draft d = {
		.rule.kind = kind,
		.rule.action = kind_action(kind),
		.rule.ops = kind_ops(kind),
		.rule.location = policy_text_locate(p->text, item->at.start),
	};

	if (item->kind == NODE_SCALAR && item->len > 0)
		rule_path(p, NULL, item, &d);
	else if (item->kind == NODE_MAPPING)
		schema_parse(p, &rule_schema, context, item, &d);
	else if (item->kind != NODE_BAD)
		policy_text_error(p->text, item->at, RULE_EXPECTED, "the rule is %s",
				  node_describe(item));
	if (item->kind == NODE_MAPPING && !d.path && !p->partial &&
	    p->text->diags->n_errors == errors)
		policy_text_error(p->text, item->at, RULE_EXPECTED, "the rule has no `path`");
	if (d.rule.path.text && d.except)
		parse_exceptions(p, &d);
	check_limits(p, &d);
	if (!d.severity_given)
		d.rule.severity = d.rule.action >= POLICY_ACTION_DENY ? POLICY_SEVERITY_HIGH
								      : POLICY_SEVERITY_INFO;
	if (!d.rule.path.text || d.failed)
		policy_rule_deinit(&d.rule);
	else
		add_rule(p, &d);
}

void parse_rules(struct parse *p, enum policy_rule_kind kind, const struct node *list)
{
	for (const struct node *item = list->first; item; item = item->next)
		parse_rule(p, kind, item);
}

void parse_default_rule(struct parse *p, enum policy_rule_kind kind, const struct node *at)
{
	struct rule_draft d = {
		.rule.kind = kind,
		.rule.action = POLICY_ACTION_DENY,
		.rule.ops = kind_ops(kind),
		.rule.severity = POLICY_SEVERITY_LOW,
		.rule.location = policy_text_locate(p->text, at->at.start),
		.path_span = at->at,
	};

	add_rule(p, &d);
}
