/* SPDX-License-Identifier: Apache-2.0 */

/* What a policy switches by a word: `anonymous`, `writable`, the lines of `kernel:`, `record`. Each
 * but `record` is a rule of its own, so that an event can name the line that decided. */

#include <string.h>

#include "abi.h"
#include "policy/schema.h"

void parse_switch(struct parse *p, const struct node *key, const struct node *value,
		  struct policy_rule *rule)
{
	static const char *const words[] = {"deny", "audit", "allow"};
	int i = schema_find_word(p, value, "value", words, ARRAY_LEN(words));

	if (i < 0 || policy_action_from_string(words[i], &rule->action) < 0)
		return;
	rule->severity =
		rule->action == POLICY_ACTION_DENY ? POLICY_SEVERITY_HIGH : POLICY_SEVERITY_INFO;
	rule->implied = false;
	rule->location = policy_text_locate(p->text, key->at.start);
}

/* ---- kernel ---- */

static void kernel_line(struct parse *p, const struct node *key, const struct node *value,
			void *object)
{
	uint32_t line = 0;

	if (policy_kernel_from_string(key->text, &line) == 0)
		parse_switch(p, key, value, &p->policy->kernel[line]);
}

void parse_kernel(struct parse *p, const struct node *key, const struct node *value, void *object)
{
	struct key_spec keys[HT_KERNEL_MAX];
	const struct schema schema = {keys, ARRAY_LEN(keys)};

	for (uint32_t line = 0; line < HT_KERNEL_MAX; line++)
		keys[line] = (struct key_spec){
			.name = policy_kernel_to_string(line),
			.type = KEY_WORD,
			.expected = "`deny`, `audit` or `allow`",
			.parse = kernel_line,
		};
	if (!value->first)
		policy_text_error(p->text, value->at, "lines like `mount: deny`",
				  "`kernel` is an empty mapping");
	schema_parse(p, &schema, 0, value, NULL);
}

/* Every line has a rule, whether it was written or not. */
void init_switches(struct policy *policy)
{
	policy->record_exec = true;
	policy->anonymous = (struct policy_rule){
		.kind = POLICY_RULE_EXEC_ANONYMOUS,
		.ops = HT_OPS_EXEC,
		.implied = true,
	};
	policy->writable = policy->anonymous;
	policy->writable.kind = POLICY_RULE_EXEC_WRITABLE;
	for (uint32_t line = 0; line < HT_KERNEL_MAX; line++) {
		bool audit = line == HT_KERNEL_NAMESPACES;

		policy->kernel[line] = (struct policy_rule){
			.kind = POLICY_RULE_KERNEL,
			.action = audit ? POLICY_ACTION_AUDIT : POLICY_ACTION_DENY,
			.ops = HT_KERNEL_OP(line),
			.severity = audit ? POLICY_SEVERITY_INFO : POLICY_SEVERITY_HIGH,
			.implied = true,
		};
	}
}

void locate_switches(struct policy *policy)
{
	for (uint32_t line = 0; line < HT_KERNEL_MAX; line++)
		if (policy->kernel[line].implied)
			policy->kernel[line].location = policy->location;
}

/* ---- record ---- */

static void record_word(struct parse *p, const struct node *value, bool *ret)
{
	static const char *const words[] = {"denied", "all"};
	int i = schema_find_word(p, value, "value", words, ARRAY_LEN(words));

	if (i >= 0)
		*ret = i == 1;
}

static void record_exec(struct parse *p, const struct node *key, const struct node *value,
			void *object)
{
	record_word(p, value, &p->policy->record_exec);
}

static void record_file(struct parse *p, const struct node *key, const struct node *value,
			void *object)
{
	record_word(p, value, &p->policy->record_file);
}

static const struct key_spec record_keys[] = {
	{"exec", KEY_WORD, "`all` or `denied`", record_exec},
	{"file", KEY_WORD, "`all` or `denied`", record_file},
};

static const struct schema record_schema = {record_keys, ARRAY_LEN(record_keys)};

void parse_record(struct parse *p, const struct node *key, const struct node *value, void *object)
{
	if (!value->first)
		policy_text_error(p->text, value->at, "`exec` or `file`",
				  "`record` is an empty mapping");
	schema_parse(p, &record_schema, 0, value, NULL);
}
