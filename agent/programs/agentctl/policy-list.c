/* SPDX-License-Identifier: Apache-2.0 */

/*
 * agentctl policy list: the drop-in directories as they are now, beside what the agent has in
 * force. The two differ until a reload; each line says in which way.
 *
 *   active       in force as the file has it (by the agent's word)
 *   stale        the file is broken or refused now, an earlier version is in force
 *   refused      the agent refused it
 *   broken       the file is wrong; nothing of it is in force
 *   masked       a link to /dev/null hides it
 *   not loaded   the agent does not know it yet: agentctl reload
 *   removed      in force, but no file has it any more: agentctl reload
 *   valid        the file is good; no agent runs
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "programs/agentctl/policies.h"
#include "programs/agentctl/policy.h"
#include "programs/agentctl/table.h"

static const char help[] =
	"agentctl policy list [--json]\n"
	"\n"
	"List the policies of the drop-in directories, and their state in the agent if it runs.\n"
	"\n"
	"     --json            One JSON array\n"
	"  -h --help            Show this help\n";

struct lister {
	json_t *rows;	/* array, owned */
	json_t *status; /* the agent's answer, NULL: does not run (owned) */
};

static void lister_deinit(struct lister *l)
{
	json_decref(l->rows);
	json_decref(l->status);
}

/* The agent's entry of a policy, NULL: it has none. */
static json_t *live_find(const struct lister *l, const char *name)
{
	json_t *policy;
	size_t i;

	json_array_foreach(json_object_get(l->status, "policies"), i, policy)
	{
		const char *text = json_text(policy, "name");

		if (text && strcmp(text, name) == 0)
			return policy;
	}
	return NULL;
}

static json_t *text_or_null(const char *text)
{
	json_t *json = text ? json_string(text) : NULL;

	return json ? json : json_null();
}

/* One row; texts that are not UTF-8 become null. */
static int lister_add(struct lister *l, const char *name, const char *mode, const char *state,
		      long long rules, const char *file, long long line)
{
	json_t *live = name ? live_find(l, name) : NULL;
	json_t *row = json_pack("{s:o, s:o, s:s, s:I, s:o, s:o, s:I}", "policy", text_or_null(name),
				"mode", text_or_null(mode), "state", state, "rules",
				(json_int_t)rules, "cgroups",
				live ? json_integer(json_number(live, "cgroups")) : json_null(),
				"file", text_or_null(file), "line", (json_int_t)line);

	return json_array_append_new(l->rows, row) < 0 ? -ENOMEM : 0;
}

static const char *policy_state(const struct lister *l, const char *name)
{
	const json_t *live = live_find(l, name);
	const char *state = json_text(live, "state");

	if (!l->status)
		return "valid";
	if (!live)
		return "not loaded";
	return state ? state : "active";
}

static int list_source(struct lister *l, const struct policy_source *source)
{
	if (source->masked)
		return lister_add(l, NULL, NULL, "masked", 0, source->path, 0);
	if (!source->file)
		return lister_add(l, NULL, NULL, "broken", 0, source->path, 0);
	for (size_t i = 0; i < source->file->n_policies; i++) {
		const struct policy *policy = source->file->policies[i];
		int r = lister_add(l, policy->name, policy_mode_to_string(policy->mode),
				   policy_state(l, policy->name), (long long)policy->n_rules,
				   policy->file, policy->location.line);

		if (r < 0)
			return r;
	}
	return 0;
}

static bool set_has(const struct policy_set *set, const char *name)
{
	for (size_t i = 0; i < set->n_sources; i++) {
		const struct policy_file *file = set->sources[i].file;

		for (size_t j = 0; file && j < file->n_policies; j++) {
			if (strcmp(file->policies[j]->name, name) == 0)
				return true;
		}
	}
	return false;
}

/* What is in force without a (good) file. */
static int list_removed(struct lister *l, const struct policy_set *set)
{
	json_t *live;
	size_t i;

	json_array_foreach(json_object_get(l->status, "policies"), i, live)
	{
		const char *name = json_text(live, "name");
		const char *state = json_text(live, "state");
		int r;

		if (!name || set_has(set, name))
			continue;
		if (!state || strcmp(state, "active") == 0)
			state = "removed";
		r = lister_add(l, name, json_text(live, "mode"), state, json_number(live, "rules"),
			       json_text(live, "file"), json_number(live, "line"));
		if (r < 0)
			return r;
	}
	return 0;
}

static enum color state_color(const char *state)
{
	if (strcmp(state, "active") == 0 || strcmp(state, "valid") == 0)
		return COLOR_GREEN;
	if (strcmp(state, "broken") == 0 || strcmp(state, "refused") == 0)
		return COLOR_RED;
	return strcmp(state, "masked") == 0 ? COLOR_DIM : COLOR_YELLOW;
}

static int rows_render(const json_t *rows, bool color, struct strbuf *b)
{
	static const char *const headers[] = {"POLICY",	 "MODE", "STATE", "RULES",
					      "CGROUPS", "FILE", NULL};
	struct table *table = table_new(headers, 1U << 3 | 1U << 4);
	json_t *row;
	size_t i;
	int r;

	if (!table)
		return -ENOMEM;
	json_array_foreach(rows, i, row)
	{
		const char *state = json_text(row, "state");
		const char *file = json_text(row, "file");
		long long line = json_number(row, "line");
		bool known = json_text(row, "policy") != NULL;

		table_add(table, json_text(row, "policy"));
		table_add(table, json_text(row, "mode"));
		table_add_color(table, state, state_color(state));
		if (known)
			table_addf(table, "%lld", json_number(row, "rules"));
		else
			table_add(table, NULL);
		if (json_is_integer(json_object_get(row, "cgroups")))
			table_addf(table, "%lld", json_number(row, "cgroups"));
		else
			table_add(table, NULL);
		if (line > 0)
			table_addf(table, "%s:%lld", file ? file : "?", line);
		else
			table_add(table, file);
	}
	r = table_render(table, b, 0, color);
	(void)table_free(table);
	return r;
}

static int list_print(const struct agentctl *ctl, const struct lister *l, bool json)
{
	_cleanup_strbuf_ struct strbuf b = {};

	if (json)
		return output_json(l->rows);
	if (json_array_size(l->rows) == 0) {
		(void)fputs("No policies.\n", stderr);
		return EXIT_CODE_OK;
	}
	if (rows_render(l->rows, color_wanted(ctl->color, STDOUT_FILENO), &b) < 0)
		return out_of_memory();
	return output_page(ctl, &b);
}

static int list(const struct agentctl *ctl, bool json)
{
	_cleanup_(lister_deinit) struct lister l = {};
	_cleanup_(policies_deinit) struct policies p = {};
	int code, r;

	r = policies_add_dirs(&p, ctl);
	if (r != 0)
		return r;
	/* the list is good without the agent; what keeps it from answering is told already */
	if (agent_call(ctl, "status", NULL, 0, &l.status) != 0) {
		json_decref(l.status);
		l.status = NULL;
	}
	l.rows = json_array();
	r = l.rows ? 0 : -ENOMEM;
	for (size_t i = 0; r >= 0 && i < p.set->n_sources; i++)
		r = list_source(&l, &p.set->sources[i]);
	if (r >= 0)
		r = list_removed(&l, p.set);
	if (r < 0)
		return out_of_memory();
	diag_list_print(&p.diags, stderr, color_wanted(ctl->color, STDERR_FILENO));
	code = list_print(ctl, &l, json);
	return code == EXIT_CODE_OK && p.diags.n_errors > 0 ? EXIT_CODE_FAILURE : code;
}

static int handle(int c, const char *arg, void *userdata)
{
	*(bool *)userdata = true;
	return 0;
}

int policy_list(struct agentctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 1}, {}};
	bool json = false;
	const struct option_set set = {
		.options = options, .brief = "", .help = help, .handle = handle, .userdata = &json,
	};
	int first, r;

	r = options_parse(ctl, argc, argv, &set, /* stop_early= */ false, &first);
	if (r >= 0)
		return r;
	r = options_end(argc, argv, first);
	return r >= 0 ? r : list(ctl, json);
}
