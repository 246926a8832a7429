/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Fuzz target of the policy reader: text.c, yaml.c, node.c, schema.c, parse.c, rule.c, path.c,
 * check.c and, for what they say, diag.c. Whatever the bytes are, the answer must be a whole policy
 * file or errors that can be printed without a control character.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "abi.h"
#include "policy/path.h"
#include "policy/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert(): it must hold whatever NDEBUG says. */
#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static void check_location(const struct policy_location *l, uint32_t n_lines)
{
	MUST(l->line >= 1 && l->line <= n_lines);
	MUST(l->column >= 1);
}

/* Canonical: parsing the text again gives the same. */
static void check_path(const struct policy_path *path, size_t depth_max, uint32_t n_lines)
{
	struct path_problem problem;
	struct policy_path again = {};

	check_location(&path->location, n_lines);
	MUST(path->text[0] == '/');
	MUST(policy_path_parse(path->text, strlen(path->text), depth_max, &again, &problem) == 0);
	MUST(!again.subtree && strcmp(again.text, path->text) == 0);
	MUST(policy_path_covers(path, path));
	MUST(policy_path_overlaps(path, path));
	free(again.text);
}

static void check_rule(const struct policy_rule *rule, uint32_t n_lines)
{
	MUST(rule->id != 0);
	MUST(rule->ops != 0 && (rule->ops & ~HT_OP_ALL) == 0);
	MUST(rule->kind < _POLICY_RULE_KIND_MAX && rule->severity < _POLICY_SEVERITY_MAX);
	check_location(&rule->location, n_lines);
	if (rule->kind == POLICY_RULE_EXEC_DEFAULT || rule->kind == POLICY_RULE_FILE_DEFAULT)
		MUST(!rule->path.text);
	else
		check_path(&rule->path, HT_RULE_DEPTH_MAX, n_lines);
	MUST(rule->action < _POLICY_ACTION_MAX && rule->enforce_after >= 0 && rule->expires >= 0);
	for (size_t i = 0; i < rule->unless.n_exe; i++)
		check_path(&rule->unless.exe[i], HT_RULE_DEPTH_MAX, n_lines);
	for (size_t i = 1; i < rule->unless.n_uids; i++)
		MUST(rule->unless.uids[i - 1] < rule->unless.uids[i]);
	for (size_t i = 0; i < rule->n_except; i++) {
		check_path(&rule->except[i], HT_RULE_DEPTH_MAX, n_lines);
		MUST(policy_path_overlaps(&rule->path, &rule->except[i]));
	}
	if (rule->message)
		MUST(strlen(rule->message) <= POLICY_MESSAGE_MAX);
}

static void check_policy(const struct policy *policy, uint32_t n_lines)
{
	size_t n = strlen(policy->name);

	MUST(n > 0 && n <= POLICY_NAME_MAX);
	MUST(strspn(policy->name, "abcdefghijklmnopqrstuvwxyz0123456789._-") == n);
	MUST(policy->n_matches > 0);
	check_location(&policy->location, n_lines);
	for (size_t i = 0; i < policy->n_matches; i++) {
		MUST(policy->matches[i].cgroup.text || policy->matches[i].unit ||
		     policy_match_has_container(&policy->matches[i]));
		if (policy->matches[i].cgroup.text)
			check_path(&policy->matches[i].cgroup, HT_CGROUP_DEPTH_MAX, n_lines);
	}
	for (size_t i = 0; i < policy->n_rules; i++)
		check_rule(&policy->rules[i], n_lines);
	for (size_t i = policy->n_rules; policy_rule_at(policy, i); i++) {
		const struct policy_rule *rule = policy_rule_at(policy, i);

		MUST(rule->id != 0 && !rule->path.text && rule->action < POLICY_ACTION_KILL);
		check_location(&rule->location, n_lines);
	}
}

static void check_diags(const struct diag_list *diags, uint32_t n_lines)
{
	char *text = NULL;
	size_t len = 0;
	FILE *out = open_memstream(&text, &len);

	MUST(out);
	for (size_t i = 0; i < diags->n; i++) {
		const struct diag *d = &diags->items[i];

		MUST(d->text && *d->text && d->file);
		MUST(d->line <= n_lines);
		MUST(!d->source || strlen(d->source) <= DIAG_SOURCE_MAX);
		MUST(!d->source || d->column <= strlen(d->source) + 1);
		MUST(!d->source || d->column - 1 + d->width <= strlen(d->source));
	}
	diag_list_print(diags, out, false);
	MUST(fclose(out) == 0);
	for (size_t i = 0; i < len; i++)
		MUST(text[i] == '\n' || ((unsigned char)text[i] >= 0x20 && text[i] != 0x7f));
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct policy_file *file = NULL;
	struct diag_list diags = {};
	uint32_t n_lines = 1;
	int r;

	for (size_t i = 0; i < size; i++)
		n_lines += data[i] == '\n';
	r = policy_parse("fuzz.yaml", data, size, &diags, &file);
	MUST(r == 0 || r == POLICY_E_INVALID);
	MUST((r == 0) == (diags.n_errors == 0));
	MUST((r == 0) == (file != NULL));
	check_diags(&diags, n_lines);
	if (file) {
		MUST(file->n_policies > 0 && file->refs == 1);
		for (size_t i = 0; i < file->n_policies; i++)
			check_policy(file->policies[i], n_lines);
	}
	(void)policy_file_unref(file);
	diag_list_deinit(&diags);
	return 0;
}
