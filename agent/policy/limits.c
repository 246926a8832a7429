/* SPDX-License-Identifier: Apache-2.0 */

/* What a rule says besides its path: action, `unless`, origin, tags and times. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "abi.h"
#include "policy/path.h"
#include "policy/schema.h"

#define WHEN_EXPECTED "a moment in UTC, like `2026-12-01` or `2026-12-01 08:30`"
#define EXE_EXPECTED "a path of a program, or a list of them"
#define UID_EXPECTED "a number, or a list of numbers"

void rule_action(struct parse *p, const struct node *key, const struct node *value, void *object)
{
	static const char *const words[] = {"deny", "audit", "kill"};
	struct rule_draft *d = object;
	int i = schema_find_word(p, value, "action", words, ARRAY_LEN(words));

	if (i < 0 || policy_action_from_string(words[i], &d->rule.action) < 0)
		d->failed = true;
}

void rule_origin(struct parse *p, const struct node *key, const struct node *value, void *object)
{
	static const char *const words[] = {"image"};
	struct rule_draft *d = object;

	if (schema_find_word(p, value, "origin", words, ARRAY_LEN(words)) < 0)
		d->failed = true;
	d->rule.origin_image = true;
}

/* ---- tags ---- */

static bool add_tag(struct parse *p, struct policy_rule *rule, const struct node *value)
{
	if (!schema_check_line(p, value, "the tag", "a word like `pci`"))
		return false;
	if (value->len > POLICY_TAG_MAX) {
		policy_text_error(p->text, value->at, NULL, "tag of %u bytes; %u are allowed",
				  value->len, POLICY_TAG_MAX);
		return false;
	}
	for (size_t i = 0; i < rule->n_tags; i++)
		if (strcmp(rule->tags[i], value->text) == 0) {
			policy_text_error(p->text, value->at, NULL, "duplicate tag `%s`",
					  quote_text(value->text, value->len).text);
			return false;
		}
	rule->tags[rule->n_tags] = node_copy(p, value);
	if (!rule->tags[rule->n_tags])
		return false;
	rule->n_tags++;
	return true;
}

void rule_tags(struct parse *p, const struct node *key, const struct node *value, void *object)
{
	struct rule_draft *d = object;

	if (value->n == 0 || value->n > POLICY_TAGS_MAX) {
		policy_text_error(p->text, value->n == 0 ? value->at : key->at, NULL,
				  "%u tags; 1 to %u are allowed", value->n, POLICY_TAGS_MAX);
		d->failed = true;
		return;
	}
	d->rule.tags = calloc(value->n, sizeof(*d->rule.tags));
	if (!d->rule.tags) {
		p->text->error = -ENOMEM;
		return;
	}
	for (const struct node *n = value->first; n; n = n->next)
		if (!add_tag(p, &d->rule, n))
			d->failed = true;
}

/* ---- times ---- */

static void rule_when(struct parse *p, struct rule_draft *d, const struct node *value, int64_t *ret)
{
	if (when_parse(value->text, ret) == 0 && strlen(value->text) == value->len)
		return;
	policy_text_error(p->text, value->at, WHEN_EXPECTED, "`%s` is no moment",
			  quote_text(value->text, value->len).text);
	d->failed = true;
}

void rule_enforce_after(struct parse *p, const struct node *key, const struct node *value,
			void *object)
{
	struct rule_draft *d = object;

	d->enforce_after = key;
	rule_when(p, d, value, &d->rule.enforce_after);
}

void rule_expires(struct parse *p, const struct node *key, const struct node *value, void *object)
{
	struct rule_draft *d = object;

	d->expires = value;
	rule_when(p, d, value, &d->rule.expires);
}

/* What two keys of one rule say to each other. */
void check_limits(struct parse *p, struct rule_draft *d)
{
	const struct policy_rule *rule = &d->rule;

	if (d->failed)
		return;
	if (d->enforce_after && rule->action == POLICY_ACTION_AUDIT) {
		policy_text_error(p->text, d->enforce_after->at, "`action: deny` or `kill`",
				  "an audit rule is never enforced");
		d->failed = true;
	} else if (d->expires && rule->enforce_after >= rule->expires) {
		policy_text_error(p->text, d->expires->at, "a moment after `enforce_after`",
				  "the rule is gone before it is enforced");
		d->failed = true;
	}
}

/* ---- unless ---- */

static bool add_exe(struct parse *p, struct policy_unless *unless, const struct node *value)
{
	struct policy_path path = {};

	if (!parse_path(p, value, "the program", HT_RULE_DEPTH_MAX, &path))
		return false;
	warn_merged_usr(p, &path, value->at);
	for (size_t i = 0; i < unless->n_exe; i++)
		if (unless->exe[i].subtree == path.subtree &&
		    strcmp(unless->exe[i].text, path.text) == 0) {
			policy_text_error(p->text, value->at, NULL, "duplicate program");
			free(path.text);
			return false;
		}
	unless->exe[unless->n_exe++] = path;
	return true;
}

static bool parse_uid(struct parse *p, const struct node *value, uint32_t *ret)
{
	unsigned long long uid = 0;

	if (value->kind == NODE_BAD)
		return false;
	if (value->kind == NODE_SCALAR && value->len > 0 && value->len <= 10 &&
	    strspn(value->text, "0123456789") == value->len &&
	    (value->len == 1 || value->text[0] != '0'))
		uid = strtoull(value->text, NULL, 10);
	else
		uid = UINT32_MAX; /* (uid_t)-1 is nobody's */
	if (uid >= UINT32_MAX) {
		policy_text_error(p->text, value->at, "the number of a user, as the host sees it",
				  "the user id is %s",
				  value->kind == NODE_SCALAR && value->len > 0
					  ? quote_text(value->text, value->len).text
					  : node_describe(value));
		return false;
	}
	*ret = (uint32_t)uid;
	return true;
}

/* Kept rising, so that equal sets look alike. */
static bool add_uid(struct parse *p, struct policy_unless *unless, const struct node *value)
{
	size_t at = unless->n_uids;
	uint32_t uid;

	if (!parse_uid(p, value, &uid))
		return false;
	while (at > 0 && unless->uids[at - 1] >= uid)
		at--;
	if (at < unless->n_uids && unless->uids[at] == uid) {
		policy_text_error(p->text, value->at, NULL, "duplicate user id %u", uid);
		return false;
	}
	memmove(unless->uids + at + 1, unless->uids + at,
		(unless->n_uids - at) * sizeof(*unless->uids));
	unless->uids[at] = uid;
	unless->n_uids++;
	return true;
}

/* One value or a list of them. Return: how many, 0: reported. */
static size_t count_values(struct parse *p, const struct node *value, const char *what,
			   const char *expected)
{
	size_t n = value->kind == NODE_LIST ? value->n : 1;

	if (value->kind == NODE_MAPPING || n == 0 ||
	    (value->kind == NODE_SCALAR && value->len == 0)) {
		policy_text_error(p->text, value->at, expected, "%s is %s", what,
				  n == 0 ? "an empty list" : node_describe(value));
		return 0;
	}
	if (n > POLICY_UNLESS_MAX) {
		policy_text_error(p->text, value->at, "a pattern, or a rule of its own",
				  "%zu values in %s; %u are allowed", n, what, POLICY_UNLESS_MAX);
		return 0;
	}
	return n;
}

static void add_values(struct parse *p, struct rule_draft *d, const struct node *value,
		       bool (*add)(struct parse *p, struct policy_unless *unless,
				   const struct node *value))
{
	bool list = value->kind == NODE_LIST;

	for (const struct node *v = list ? value->first : value; v; v = list ? v->next : NULL)
		if (!add(p, &d->rule.unless, v))
			d->failed = true;
}

static void unless_exe(struct parse *p, const struct node *key, const struct node *value,
		       void *object)
{
	struct rule_draft *d = object;
	size_t n = count_values(p, value, "`exe`", EXE_EXPECTED);

	if (n == 0)
		return;
	d->rule.unless.exe = calloc(n, sizeof(*d->rule.unless.exe));
	if (!d->rule.unless.exe)
		p->text->error = -ENOMEM;
	else
		add_values(p, d, value, add_exe);
}

static void unless_uid(struct parse *p, const struct node *key, const struct node *value,
		       void *object)
{
	struct rule_draft *d = object;
	size_t n = count_values(p, value, "`uid`", UID_EXPECTED);

	if (n == 0)
		return;
	d->rule.unless.uids = calloc(n, sizeof(*d->rule.unless.uids));
	if (!d->rule.unless.uids)
		p->text->error = -ENOMEM;
	else
		add_values(p, d, value, add_uid);
}

static const struct key_spec unless_keys[] = {
	{"exe", KEY_ANY, EXE_EXPECTED, unless_exe},
	{"uid", KEY_ANY, UID_EXPECTED, unless_uid},
};

static const struct schema unless_schema = {unless_keys, ARRAY_LEN(unless_keys)};

void rule_unless(struct parse *p, const struct node *key, const struct node *value, void *object)
{
	struct rule_draft *d = object;
	size_t errors = p->text->diags->n_errors;

	if (!value->first)
		policy_text_error(p->text, value->at, "`exe` or `uid`",
				  "`unless` is an empty mapping");
	schema_parse(p, &unless_schema, 0, value, d);
	d->failed |= p->text->diags->n_errors > errors;
}
