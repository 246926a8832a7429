/* SPDX-License-Identifier: Apache-2.0 */

/* agentctl policy show: one policy as it is written, or everything that holds for one container. */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "control/control.h"
#include "policy/format.h"
#include "programs/agentctl/cgroups.h"
#include "programs/agentctl/policies.h"
#include "programs/agentctl/policy.h"
#include "programs/agentctl/rule-words.h"
#include "programs/agentctl/table.h"
#include "util/escape.h"

static const char help[] =
	"agentctl policy show [--json] NAME\n"
	"agentctl policy show [--json] --effective CONTAINER\n"
	"\n"
	"Show one policy of the drop-in directories in its canonical form, with the file and line it\n"
	"comes from; or every line of every policy that holds for one container (name, id, unit, or\n"
	"cgroup path), with the origin of each. Where several policies hold, each has to let an act\n"
	"pass.\n"
	"\n"
	"     --effective       NAME is a container\n"
	"     --json            One JSON object\n"
	"  -h --help            Show this help\n";

struct show {
	bool json;
	bool effective;
	int64_t now;
	struct policies policies;
	struct cgroups cgroups;
};

static void show_deinit(struct show *s)
{
	policies_deinit(&s->policies);
	cgroups_deinit(&s->cgroups);
}

/* ---- one policy ---- */

/* The document of a policy; as it is written if it has no canonical form. */
static char *policy_text(const struct policies *p, size_t i)
{
	const struct policy_file *file = p->owners[i];
	struct diag_list diags = {};
	char *text = NULL;
	int r = policy_format(file->path, file->text, strlen(file->text), p->items[i]->location.line, &diags,
			      &text);

	diag_list_deinit(&diags);
	return r == 0 ? text : r == -ENOMEM ? NULL : strdup(file->text);
}

static json_t *rules_to_json(const struct policy *policy, int64_t now, json_t *list)
{
	const struct policy_rule *rule;

	for (size_t i = 0; (rule = policy_rule_at(policy, i)); i++)
		(void)json_array_append_new(list, rule_to_json(policy, rule, now));
	return list;
}

static int show_policy(const struct agentctl *ctl, const struct show *s, const char *name)
{
	ssize_t i = policies_find(&s->policies, name);
	_cleanup_free_ char *text = NULL;
	_cleanup_strbuf_ struct strbuf b = {};
	const struct policy *policy;

	if (i < 0) {
		complain("No policy '%s' in the policy directories; see agentctl policy list", escaped(name));
		return EXIT_CODE_FAILURE;
	}
	policy = s->policies.items[i];
	text = policy_text(&s->policies, (size_t)i);
	if (!text)
		return out_of_memory();
	if (s->json) {
		json_auto_t *json = json_pack(
			"{s:o, s:o, s:I, s:s, s:o, s:o, s:o}", "policy", control_text(policy->name), "file",
			control_text(policy->file), "line", (json_int_t)policy->location.line, "mode",
			policy_mode_to_string(policy->mode), "description", control_text(policy->description),
			"rules", rules_to_json(policy, s->now, json_array()), "text", control_text(text));

		return output_json(json);
	}
	strbuf_puts(&b, "# ");
	escape_text(&b, policy->file, strlen(policy->file));
	strbuf_printf(&b, ":%u\n%s", policy->location.line, text);
	return output_page(ctl, &b);
}

/* ---- what holds for a container ---- */

/* The kinds of rules in the order in which they are shown: what holds if nothing is said, then what is said. */
static const enum policy_rule_kind kinds[] = {
	POLICY_RULE_EXEC_DEFAULT, POLICY_RULE_EXEC_ALLOW,   POLICY_RULE_EXEC_LIBRARY,
	POLICY_RULE_EXEC_DENY,	  POLICY_RULE_EXEC_AUDIT,   POLICY_RULE_EXEC_ANONYMOUS,
	POLICY_RULE_EXEC_WRITABLE, POLICY_RULE_FILE_DEFAULT, POLICY_RULE_FILE_ALLOW,
	POLICY_RULE_FILE_DENY,	  POLICY_RULE_FILE_AUDIT,   POLICY_RULE_KERNEL,
};
_Static_assert(sizeof(kinds) / sizeof(kinds[0]) == _POLICY_RULE_KIND_MAX, "each kind is shown");

typedef void (*rule_visit)(const struct show *s, const struct policy *policy, const struct policy_rule *rule,
			   void *userdata);

/* Every rule of the policies that govern, kind by kind. What nobody wrote and what lets everything pass is left out. */
static void effective_each(const struct show *s, const char *cgroup, rule_visit visit, void *userdata)
{
	for (size_t k = 0; k < ARRAY_LEN(kinds); k++) {
		for (size_t i = 0; i < s->policies.n; i++) {
			const struct policy *policy = s->policies.items[i];
			const struct policy_rule *rule;

			if (!policies_governs(&s->policies, i, cgroup))
				continue;
			for (size_t j = 0; (rule = policy_rule_at(policy, j)); j++)
				if (rule->kind == kinds[k] &&
				    !(rule->implied && rule->action == POLICY_ACTION_ALLOW))
					visit(s, policy, rule, userdata);
		}
	}
}

static void rule_add_json(const struct show *s, const struct policy *policy, const struct policy_rule *rule,
			  void *userdata)
{
	(void)json_array_append_new(userdata, rule_to_json(policy, rule, s->now));
}

static void rule_add_row(const struct show *s, const struct policy *policy, const struct policy_rule *rule,
			 void *userdata)
{
	_cleanup_strbuf_ struct strbuf text = {}, ops = {};

	rule_describe(rule, &text);
	if (rule->ops & HT_OPS_FILE)
		rule_ops(rule, &ops);
	table_add(userdata, rule_effect(policy, rule, s->now));
	table_add(userdata, strbuf_str(&text));
	table_add(userdata, ops.len > 0 ? strbuf_str(&ops) : NULL);
	table_add(userdata, policy->name);
	if (rule->implied)
		table_add(userdata, "(by default)");
	else
		table_addf(userdata, "%s:%u", policy->file, rule->location.line);
}

static int effective_render(const struct agentctl *ctl, const struct show *s, const struct cgroup *c)
{
	static const char *const headers[] = {"EFFECT", "RULE", "OPS", "POLICY", "ORIGIN", NULL};
	struct table *table = table_new(headers, 0);
	_cleanup_strbuf_ struct strbuf b = {};
	int r;

	if (!table)
		return out_of_memory();
	effective_each(s, c->path, rule_add_row, table);
	if (table_rows(table) == 0) {
		(void)table_free(table);
		(void)fprintf(stderr, "No policy governs %s.\n", escaped(c->path));
		return EXIT_CODE_OK;
	}
	r = table_render(table, &b, 0, color_wanted(ctl->color, STDOUT_FILENO));
	(void)table_free(table);
	return r < 0 ? out_of_memory() : output_page(ctl, &b);
}

static int show_effective(const struct agentctl *ctl, struct show *s, const char *name)
{
	struct cgroup given = {.path = (char *)(uintptr_t)name}; /* read only */
	const struct cgroup *c = &given;
	json_auto_t *json = NULL;
	json_t *rules;
	int r = cgroups_read(&s->cgroups, ctl);

	if (r >= 0)
		r = cgroups_find(&s->cgroups, name, &c);
	/* a path says all that is needed, also of a cgroup that is not there now */
	if (r < 0 && name[0] == '/') {
		c = &given;
	} else if (r == -EEXIST) {
		complain("'%s' is more than one container; give the path of its cgroup", escaped(name));
		return EXIT_CODE_FAILURE;
	} else if (r < 0) {
		complain("No container, unit or cgroup '%s' is there now", escaped(name));
		return EXIT_CODE_FAILURE;
	}
	if (!s->json)
		return effective_render(ctl, s, c);
	rules = json_array();
	effective_each(s, c->path, rule_add_json, rules);
	json = json_pack("{s:o, s:o, s:o}", "container", control_text(c->container.name), "cgroup",
			 control_text(c->path), "rules", rules);
	return output_json(json);
}

static int handle(int c, const char *arg, void *userdata)
{
	struct show *s = userdata;

	if (c == 'e')
		s->effective = true;
	else
		s->json = true;
	return 0;
}

int policy_show(struct agentctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{"effective", no_argument, NULL, 'e'}, {"json", no_argument, NULL, 'j'}, {}};
	_cleanup_(show_deinit) struct show s = {.now = time(NULL)};
	const struct option_set set = {
		.options = options, .brief = "", .help = help, .handle = handle, .userdata = &s};
	int first, r;

	r = options_parse(ctl, argc, argv, &set, /* stop_early= */ false, &first);
	if (r >= 0)
		return r;
	if (first >= argc) {
		complain("policy show needs the name of a %s", s.effective ? "container" : "policy");
		return EXIT_CODE_USAGE;
	}
	r = options_end(argc, argv, first + 1);
	if (r >= 0)
		return r;
	r = policies_add_dirs(&s.policies, ctl);
	if (r == 0 && policies_collect(&s.policies) < 0)
		r = out_of_memory();
	if (r != 0)
		return r;
	diag_list_print(&s.policies.diags, stderr, color_wanted(ctl->color, STDERR_FILENO));
	return s.effective ? show_effective(ctl, &s, argv[first]) : show_policy(ctl, &s, argv[first]);
}
