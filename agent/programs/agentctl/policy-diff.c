/* SPDX-License-Identifier: Apache-2.0 */

/* agentctl policy diff: what would change if these files were in the policy directories. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/control.h"
#include "programs/agentctl/cgroups.h"
#include "programs/agentctl/policy.h"
#include "programs/agentctl/replay.h"
#include "programs/agentctl/rule-words.h"
#include "programs/agentctl/time-words.h"
#include "util/escape.h"

#define DAY_US (24LL * 3600LL * 1000000LL)

static const char help[] =
	"agentctl policy diff [--since TIME] FILE...\n"
	"\n"
	"Tell what would change if the files were put into the policy directories, each over the\n"
	"one of its name: rules that come and go, containers that become governed, and which of the\n"
	"acts recorded in the last day would have been refused or allowed. Nothing is changed.\n"
	"\n"
	"     --since TIME      Replay what was recorded since then (-1d)\n"
	"     --json            One JSON object\n"
	"  -h --help            Show this help\n";

struct diff {
	bool json;
	int64_t since_us;
	struct policies before, after;
	struct cgroups cgroups;
	struct replay replay;
	bool replayed;
	json_t *policies, *containers, *events; /* the answer, owned */
};

static void diff_deinit(struct diff *d)
{
	replay_deinit(&d->replay);
	policies_deinit(&d->before);
	policies_deinit(&d->after);
	cgroups_deinit(&d->cgroups);
	json_decref(d->policies);
	json_decref(d->containers);
	json_decref(d->events);
}

/* ---- rules that come and go ---- */

static json_t *rule_line(const struct policy *policy, const struct policy_rule *rule)
{
	_cleanup_strbuf_ struct strbuf b = {};

	rule_describe(rule, &b);
	return json_pack("{s:o, s:o, s:I}", "rule", control_text(strbuf_str(&b)), "file", control_text(policy->file),
			 "line", (json_int_t)rule->location.line);
}

/* Is a rule the same, besides its identity? */
static bool rule_is_in(const struct policy *policy, const struct policy_rule *rule)
{
	const struct policy_rule *other = policy ? policy_rule_find(policy, rule->id) : NULL;

	return other && other->action == rule->action && other->severity == rule->severity &&
	       other->unless.n_exe == rule->unless.n_exe && other->unless.n_uids == rule->unless.n_uids;
}

static json_t *rules_missing(const struct policy *of, const struct policy *in)
{
	json_t *list = json_array();
	const struct policy_rule *rule;

	for (size_t i = 0; of && (rule = policy_rule_at(of, i)); i++)
		if (!rule->implied && !rule_is_in(in, rule))
			(void)json_array_append_new(list, rule_line(of, rule));
	return list;
}

static void diff_policy(struct diff *d, const struct policy *old, const struct policy *new)
{
	const struct policy *any = new ? new : old;
	json_t *added = rules_missing(new, old), *removed = rules_missing(old, new);
	bool mode = old && new && old->mode != new->mode;

	if (old && new && !mode && json_array_size(added) == 0 && json_array_size(removed) == 0) {
		json_decref(added);
		json_decref(removed);
		return;
	}
	(void)json_array_append_new(
		d->policies,
		json_pack("{s:o, s:s, s:s?, s:s?, s:o, s:o}", "policy", control_text(any->name), "change",
			  !old ? "added" : !new ? "removed" : "changed", "mode_before",
			  old ? policy_mode_to_string(old->mode) : NULL, "mode",
			  new ? policy_mode_to_string(new->mode) : NULL, "added", added, "removed", removed));
}

static void diff_policies(struct diff *d)
{
	for (size_t i = 0; i < d->after.n; i++) {
		ssize_t old = policies_find(&d->before, d->after.items[i]->name);

		diff_policy(d, old < 0 ? NULL : d->before.items[old], d->after.items[i]);
	}
	for (size_t i = 0; i < d->before.n; i++)
		if (policies_find(&d->after, d->before.items[i]->name) < 0)
			diff_policy(d, d->before.items[i], NULL);
}

/* ---- containers that become governed ---- */

static json_t *governing(const struct policies *policies, const char *cgroup)
{
	json_t *names = json_array();

	for (size_t i = 0; i < policies->n; i++)
		if (policies_governs(policies, i, cgroup))
			(void)json_array_append_new(names, control_text(policies->items[i]->name));
	return names;
}

static void diff_containers(struct diff *d)
{
	for (size_t i = 0; i < d->cgroups.n; i++) {
		const struct cgroup *c = &d->cgroups.items[i];
		json_t *before, *after;

		if (!c->populated)
			continue;
		before = governing(&d->before, c->path);
		after = governing(&d->after, c->path);
		if (json_equal(before, after)) {
			json_decref(before);
			json_decref(after);
			continue;
		}
		(void)json_array_append_new(d->containers,
					    json_pack("{s:o, s:o, s:o, s:o}", "container",
						      control_text(c->container.name), "cgroup",
						      control_text(c->path), "before", before, "after", after));
	}
}

/* ---- what was recorded ---- */

static int change_compare(const void *a, const void *b)
{
	const struct replay_change *x = a, *y = b;

	if (x->refused != y->refused)
		return x->refused ? -1 : 1;
	return x->count < y->count ? 1 : x->count > y->count ? -1 : 0;
}

static json_t *change_to_json(const struct replay_change *c)
{
	_cleanup_strbuf_ struct strbuf rule = {};

	if (c->rule)
		rule_describe(c->rule, &rule);
	return json_pack("{s:s, s:I, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:I}", "becomes",
			 c->refused ? "refused" : "allowed", "count", (json_int_t)c->count, "op",
			 policy_op_to_string(c->op) ? policy_op_to_string(c->op) : "?", "path", control_text(c->path),
			 "container", control_text(c->container), "exe", control_text(c->exe), "policy",
			 control_text(c->policy ? c->policy->name : NULL), "rule",
			 control_text(c->rule ? strbuf_str(&rule) : NULL), "file",
			 control_text(c->policy ? c->policy->file : NULL), "line",
			 (json_int_t)(c->rule ? c->rule->location.line : 0));
}

static int diff_events(struct diff *d, const struct agentctl *ctl)
{
	_cleanup_free_ char *path = database_path(ctl), *error = NULL;
	int r;

	if (!path)
		return out_of_memory();
	d->replay = (struct replay){.before = &d->before, .after = &d->after, .now = time(NULL)};
	r = replay_run(&d->replay, path, d->since_us, &error);
	d->replayed = r == 0;
	if (r == -ENOENT)
		return 0;
	if (r < 0) {
		complain("Failed to read '%s': %s", escaped(path), error ? escaped(error) : strerror(-r));
		return r == -EACCES || r == -EPERM ? EXIT_CODE_PERMISSION : EXIT_CODE_FAILURE;
	}
	if (d->replay.n > 0)
		qsort(d->replay.changes, d->replay.n, sizeof(*d->replay.changes), change_compare);
	for (size_t i = 0; i < d->replay.n; i++)
		(void)json_array_append_new(d->events, change_to_json(&d->replay.changes[i]));
	return 0;
}

/* ---- as text ---- */

static void put(struct strbuf *b, const char *text)
{
	escape_text(b, text ? text : "?", strlen(text ? text : "?"));
}

static void lines_render(const json_t *list, const char *sign, enum color tint, bool color, struct strbuf *b)
{
	json_t *line;
	size_t i;

	json_array_foreach(list, i, line)
	{
		strbuf_printf(b, "    %s%s ", color_begin(tint, color), sign);
		put(b, json_text(line, "rule"));
		strbuf_printf(b, "%s  ", color_end(tint, color));
		put(b, json_text(line, "file"));
		strbuf_printf(b, ":%lld\n", json_number(line, "line"));
	}
}

static void policies_render(const struct diff *d, bool color, struct strbuf *b)
{
	json_t *p;
	size_t i;

	strbuf_puts(b, json_array_size(d->policies) > 0 ? "Policies:\n" : "No policy changes.\n");
	json_array_foreach(d->policies, i, p)
	{
		const char *before = json_text(p, "mode_before"), *mode = json_text(p, "mode");

		strbuf_puts(b, "  ");
		put(b, json_text(p, "policy"));
		strbuf_printf(b, " is %s", json_text(p, "change"));
		if (before && mode && strcmp(before, mode) != 0)
			strbuf_printf(b, ", mode %s becomes %s", before, mode);
		else
			strbuf_printf(b, " (mode %s)", mode ? mode : before);
		strbuf_putc(b, '\n');
		lines_render(json_object_get(p, "removed"), "-", COLOR_RED, color, b);
		lines_render(json_object_get(p, "added"), "+", COLOR_GREEN, color, b);
	}
}

static void names_render(const json_t *names, struct strbuf *b)
{
	json_t *name;
	size_t i;

	if (json_array_size(names) == 0)
		strbuf_puts(b, "none");
	json_array_foreach(names, i, name)
	{
		strbuf_puts(b, i > 0 ? ", " : "");
		put(b, json_string_value(name));
	}
}

static void containers_render_diff(const struct diff *d, struct strbuf *b)
{
	json_t *c;
	size_t i;

	if (json_array_size(d->containers) > 0)
		strbuf_puts(b, "\nContainers that run now, and who governs them:\n");
	json_array_foreach(d->containers, i, c)
	{
		strbuf_puts(b, "  ");
		put(b, json_text(c, "container"));
		strbuf_puts(b, " (");
		put(b, json_text(c, "cgroup"));
		strbuf_puts(b, "): ");
		names_render(json_object_get(c, "before"), b);
		strbuf_puts(b, " -> ");
		names_render(json_object_get(c, "after"), b);
		strbuf_putc(b, '\n');
	}
}

static void event_render_change(const json_t *e, struct strbuf *b)
{
	long long n = json_number(e, "count");

	strbuf_printf(b, "  %lld recorded %s of ", n, json_text(e, "op"));
	put(b, json_text(e, "path") ? json_text(e, "path") : "(no file)");
	strbuf_puts(b, " in ");
	put(b, json_text(e, "container"));
	strbuf_puts(b, " by ");
	put(b, json_text(e, "exe"));
	strbuf_printf(b, " would have been %s: ", json_text(e, "becomes"));
	put(b, json_text(e, "rule") ? json_text(e, "rule") : json_text(e, "policy"));
	strbuf_puts(b, " (");
	put(b, json_text(e, "file"));
	strbuf_printf(b, ":%lld)\n", json_number(e, "line"));
}

static void events_render_diff(const struct diff *d, struct strbuf *b)
{
	json_t *e;
	size_t i;

	if (!d->replayed) {
		strbuf_puts(b, "\nNothing was ever recorded that could be replayed.\n");
		return;
	}
	strbuf_printf(b, "\n%llu recorded acts replayed", (unsigned long long)d->replay.asked);
	if (d->replay.unknown > 0)
		strbuf_printf(b, ", %llu of which too little is known left out", (unsigned long long)d->replay.unknown);
	strbuf_puts(b, json_array_size(d->events) > 0 ? ":\n" : ": the answers stay the same.\n");
	json_array_foreach(d->events, i, e)
		event_render_change(e, b);
}

static int diff_print(const struct agentctl *ctl, const struct diff *d)
{
	_cleanup_strbuf_ struct strbuf b = {};
	bool color = color_wanted(ctl->color, STDOUT_FILENO);

	if (d->json) {
		json_auto_t *json = json_pack("{s:O, s:O, s:O, s:I, s:I}", "policies", d->policies, "containers",
					      d->containers, "events", d->events, "replayed",
					      (json_int_t)d->replay.asked, "unknown", (json_int_t)d->replay.unknown);

		return output_json(json);
	}
	policies_render(d, color, &b);
	containers_render_diff(d, &b);
	events_render_diff(d, &b);
	return output_page(ctl, &b);
}

/* ---- the command ---- */

static int diff_load(struct diff *d, const struct agentctl *ctl, int n, char **paths)
{
	int r = policies_add_dirs(&d->before, ctl);

	if (r == 0)
		r = policies_add_dirs(&d->after, ctl);
	if (r != 0)
		return r;
	/* what is wrong with the others already is not the matter here */
	diag_list_deinit(&d->before.diags);
	diag_list_deinit(&d->after.diags);
	for (int i = 0; r >= 0 && i < n; i++)
		r = policies_add_path(&d->after, paths[i]);
	if (r >= 0)
		r = policies_collect(&d->before);
	if (r >= 0)
		r = policies_compile(&d->after, time(NULL));
	if (r < 0)
		return out_of_memory();
	diag_list_print(&d->after.diags, stderr, color_wanted(ctl->color, STDERR_FILENO));
	return d->after.failed || d->after.diags.n_errors > 0 ? EXIT_CODE_FAILURE : 0;
}

static int handle(int c, const char *arg, void *userdata)
{
	_cleanup_free_ char *error = NULL;
	struct diff *d = userdata;

	if (c == 'j') {
		d->json = true;
		return 0;
	}
	if (time_parse(arg, time_now_us(), &d->since_us, &error) == 0)
		return 0;
	complain("--since: %s", error ? escaped(error) : "out of memory");
	return EXIT_CODE_USAGE;
}

int policy_diff(struct agentctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{"since", required_argument, NULL, 's'}, {"json", no_argument, NULL, 'j'}, {}};
	_cleanup_(diff_deinit) struct diff d = {.since_us = time_now_us() - DAY_US};
	const struct option_set set = {
		.options = options, .brief = "", .help = help, .handle = handle, .userdata = &d};
	int first, r;

	r = options_parse(ctl, argc, argv, &set, /* stop_early= */ false, &first);
	if (r >= 0)
		return r;
	if (first >= argc) {
		complain("policy diff needs a policy file");
		return EXIT_CODE_USAGE;
	}
	r = diff_load(&d, ctl, argc - first, argv + first);
	if (r != 0)
		return r;
	d.policies = json_array();
	d.containers = json_array();
	d.events = json_array();
	/* without a hierarchy nothing runs that could change */
	if (cgroups_read(&d.cgroups, ctl) == -ENOMEM)
		return out_of_memory();
	diff_policies(&d);
	diff_containers(&d);
	r = diff_events(&d, ctl);
	return r != 0 ? r : diff_print(ctl, &d);
}
