/* SPDX-License-Identifier: Apache-2.0 */

/*
 * agentctl explain: one recorded act, as a person needs it: what was tried, by whom, which rule in which line refused it
 * and why it applied, and the smallest edits that would allow it. From the store and the policy files alone.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/control.h"
#include "programs/agentctl/explain.h"
#include "programs/agentctl/rule-words.h"
#include "programs/agentctl/time-words.h"
#include "store/store.h"
#include "util/escape.h"

static const char help[] =
	"agentctl explain [--json] EVENT-ID\n"
	"\n"
	"Explain a recorded act: what was tried and by whom, with the processes above it; the rule\n"
	"that decided, where it is written, and why it applied; what the policies say now; and the\n"
	"smallest edits that would allow it, each with what else it allows. Works without the agent.\n"
	"EVENT-ID is the \"id\" of agentctl events --json; \"last\" is the last refusal.\n"
	"\n"
	"     --json            One JSON object\n"
	"  -h --help            Show this help\n";

static void put(struct strbuf *b, const void *data, size_t len)
{
	escape_text(b, data, len);
}

/* ---- processes ---- */

/* An exec that was let through is recorded before it happens: the process is then what it names. */
static const struct event_bytes *process_exe(const struct event *event)
{
	bool became = event->op == HT_OP_EXEC && event->verdict != HT_VERDICT_DENY &&
		      event->verdict != HT_VERDICT_KILL;

	return became && event->path.len > 0 ? &event->path : &event->exe;
}

static void argv_render(const struct event *event, struct strbuf *b)
{
	size_t at = 0;

	if (event->argv.len == 0 || event->op != HT_OP_EXEC)
		return;
	strbuf_puts(b, "  ");
	while (at < event->argv.len) {
		size_t len = strnlen((const char *)event->argv.data + at, event->argv.len - at);

		strbuf_puts(b, at > 0 ? " " : "");
		put(b, event->argv.data + at, len);
		at += len + 1;
	}
}

static void process_render(const struct event *event, const struct event_bytes *exe, unsigned depth,
			   struct strbuf *b)
{
	strbuf_puts(b, "  ");
	for (unsigned i = 0; i < depth; i++)
		strbuf_puts(b, "  ");
	strbuf_puts(b, depth > 0 ? "\u2514 " : "");
	if (exe->len > 0)
		put(b, exe->data, exe->len);
	else
		put(b, event->comm, strlen(event->comm));
	strbuf_printf(b, "[%u] uid %u", event->pid, event->uid);
	argv_render(event, b);
	strbuf_putc(b, '\n');
}

static void tree_render(const struct explanation *e, struct strbuf *b)
{
	unsigned depth = 0;

	strbuf_puts(b, "\nBy whom\n");
	for (size_t i = e->n_ancestors; i > 0; i--, depth++) {
		const struct ancestor *a = &e->ancestors[i - 1];

		if (a->known)
			process_render(&a->event, process_exe(&a->event), depth, b);
		else
			strbuf_printf(b, "  [%u] nothing is recorded of it\n", a->pid);
	}
	process_render(&e->event, &e->event.exe, depth, b);
}

/* ---- now, and edits ---- */

static void obstacle_render(const struct obstacle *o, struct strbuf *b)
{
	_cleanup_strbuf_ struct strbuf rule = {};

	strbuf_printf(b, "  %-10s ", event_verdict_to_string(o->verdict));
	if (o->rule)
		rule_describe(o->rule, &rule);
	put(b, strbuf_str(&rule), rule.len);
	if (o->policy) {
		strbuf_printf(b, "%spolicy %s, ", rule.len > 0 ? ", " : "", o->policy->name);
		put(b, o->policy->file, strlen(o->policy->file));
		strbuf_printf(b, ":%u", o->rule ? o->rule->location.line : o->policy->location.line);
	}
	strbuf_putc(b, '\n');
}

static void now_render(const struct explanation *e, struct strbuf *b)
{
	strbuf_puts(b, "\nWhat the policy files say to it now\n");
	if (!e->asked)
		strbuf_puts(b, "  too little is known of the act to ask them\n");
	else if (e->reply.n == 0)
		strbuf_puts(b, "  no policy governs this container\n");
	else if (e->n_obstacles == 0)
		strbuf_printf(b, "  %s\n", event_verdict_to_string(e->reply.verdict));
	for (size_t i = 0; i < e->n_obstacles; i++)
		obstacle_render(&e->obstacles[i], b);
	if (e->n_obstacles > 1)
		strbuf_puts(b, "  Each of these has to let it pass; the edits below are for the first.\n");
}

static void edits_render(const struct explanation *e, struct strbuf *b)
{
	if (e->n_edits == 0)
		return;
	strbuf_puts(b, "\nEdits that would allow it, the narrowest first\n");
	for (size_t i = 0; i < e->n_edits; i++) {
		const struct edit *edit = &e->edits[i];

		strbuf_printf(b, "  %zu. ", i + 1);
		put(b, edit->line, strlen(edit->line));
		strbuf_puts(b, "\n     allows ");
		put(b, edit->wider, strlen(edit->wider));
		if (e->recorded > 0)
			strbuf_printf(b, "\n     %llu of the %llu recorded refusals by this rule would have been allowed",
				      (unsigned long long)edit->recorded, (unsigned long long)e->recorded);
		strbuf_putc(b, '\n');
	}
}

static int explain_print(const struct agentctl *ctl, const struct explanation *e)
{
	_cleanup_strbuf_ struct strbuf b = {};

	event_render_sentence(&e->event, &b);
	strbuf_puts(&b, "\n  ");
	time_format(&b, (int64_t)e->event.realtime_us, /* utc= */ false);
	if (e->event.count > 1)
		strbuf_printf(&b, ", %llu times", (unsigned long long)e->event.count);
	strbuf_putc(&b, '\n');
	if (event_has_process(&e->event))
		tree_render(e, &b);
	if (e->event.kind == EVENT_VERDICT || e->event.kind == EVENT_AGGREGATE) {
		explain_why(e, &b);
		now_render(e, &b);
		edits_render(e, &b);
	}
	return output_page(ctl, &b);
}

/* ---- for programs ---- */

static json_t *event_to_json(const struct event *event)
{
	_cleanup_strbuf_ struct strbuf b = {};

	event_render_json(event, &b);
	return json_loads(strbuf_str(&b), JSON_DECODE_ANY, NULL);
}

static int explain_json(const struct explanation *e, int64_t now)
{
	json_t *processes = json_array(), *obstacles = json_array(), *edits = json_array();
	json_auto_t *json = NULL;

	for (size_t i = 0; i < e->n_ancestors; i++) {
		const struct event_bytes *exe = process_exe(&e->ancestors[i].event);
		_cleanup_strbuf_ struct strbuf text = {};

		put(&text, exe->data, exe->len);
		(void)json_array_append_new(
			processes, json_pack("{s:I, s:b, s:o, s:I}", "pid", (json_int_t)e->ancestors[i].pid, "known",
					     (int)e->ancestors[i].known, "exe",
					     control_text(exe->len > 0 ? strbuf_str(&text) : NULL), "uid",
					     (json_int_t)e->ancestors[i].event.uid));
	}
	for (size_t i = 0; i < e->n_obstacles; i++) {
		const struct obstacle *o = &e->obstacles[i];

		(void)json_array_append_new(
			obstacles,
			json_pack("{s:s, s:o, s:o}", "verdict", event_verdict_to_string(o->verdict), "policy",
				  control_text(o->policy ? o->policy->name : NULL), "rule",
				  o->rule ? rule_to_json(o->policy, o->rule, now) : json_null()));
	}
	for (size_t i = 0; i < e->n_edits; i++)
		(void)json_array_append_new(edits, json_pack("{s:o, s:o, s:I}", "edit", control_text(e->edits[i].line),
							     "allows", control_text(e->edits[i].wider), "recorded",
							     (json_int_t)e->edits[i].recorded));
	json = json_pack("{s:o*, s:o, s:s?, s:o, s:o, s:I}", "event", event_to_json(&e->event), "ancestors", processes,
			 "verdict_now", e->asked ? event_verdict_to_string(e->reply.verdict) : NULL, "obstacles",
			 obstacles, "edits", edits, "recorded", (json_int_t)e->recorded);
	return output_json(json);
}

/* ---- the command ---- */

static int last_visit(const struct event *event, void *userdata)
{
	*(int64_t *)userdata = event->id;
	return 1;
}

/* "last", or the number of a row. Return: -1, or an exit code, complained about. */
static int event_find(struct store_reader *reader, const char *word, int64_t *ret_id)
{
	const struct store_filter filter = {
		.verdicts = 1U << HT_VERDICT_DENY | 1U << HT_VERDICT_KILL | 1U << HT_VERDICT_WOULD_DENY,
		.kinds = 1U << EVENT_VERDICT | 1U << EVENT_AGGREGATE,
		.reverse = true,
		.limit = 1,
	};
	char *end;

	if (strcmp(word, "last") == 0) {
		if (store_query(reader, &filter, last_visit, ret_id) == 1)
			return -1;
		complain("No refusal is recorded");
		return EXIT_CODE_FAILURE;
	}
	errno = 0;
	*ret_id = strtoll(word, &end, 10);
	if (errno == 0 && !*end && end != word && *ret_id > 0)
		return -1;
	complain("'%s' is no event: its number, or last", escaped(word));
	return EXIT_CODE_USAGE;
}

static int store_failed(int r, const char *path, const char *error)
{
	if (r == -ENOMEM)
		return out_of_memory();
	complain("Failed to read '%s': %s", escaped(path), error ? escaped(error) : strerror(-r));
	return r == -EACCES || r == -EPERM ? EXIT_CODE_PERMISSION : EXIT_CODE_FAILURE;
}

static int explain(const struct agentctl *ctl, struct store_reader *reader, const char *path, int64_t id, bool json)
{
	_cleanup_(explanation_deinit) struct explanation e = {};
	int64_t now = time(NULL);
	int r = store_get(reader, id, &e.event);

	if (r == -ENOENT) {
		complain("No event %lld in '%s'", (long long)id, escaped(path));
		return EXIT_CODE_FAILURE;
	}
	if (r < 0)
		return store_failed(r, path, NULL);
	r = policies_add_dirs(&e.policies, ctl);
	if (r != 0)
		return r;
	diag_list_print(&e.policies.diags, stderr, color_wanted(ctl->color, STDERR_FILENO));
	r = policies_collect(&e.policies);
	if (r >= 0)
		r = explain_event(&e, reader, now);
	if (r < 0)
		return store_failed(r, path, NULL);
	return json ? explain_json(&e, now) : explain_print(ctl, &e);
}

static int handle(int c, const char *arg, void *userdata)
{
	*(bool *)userdata = true;
	return 0;
}

int cmd_explain(struct agentctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 1}, {}};
	_cleanup_free_ char *path = NULL, *error = NULL;
	struct store_reader *reader = NULL;
	bool json = false;
	const struct option_set set = {
		.options = options, .brief = "", .help = help, .handle = handle, .userdata = &json};
	int64_t id = 0;
	int first, r;

	r = options_parse(ctl, argc, argv, &set, /* stop_early= */ false, &first);
	if (r >= 0)
		return r;
	if (first >= argc) {
		complain("explain needs the number of an event, or last");
		return EXIT_CODE_USAGE;
	}
	r = options_end(argc, argv, first + 1);
	if (r >= 0)
		return r;
	path = database_path(ctl);
	if (!path)
		return out_of_memory();
	r = store_reader_open(path, &reader, &error);
	if (r < 0)
		return store_failed(r, path, error);
	r = event_find(reader, argv[first], &id);
	if (r < 0)
		r = explain(ctl, reader, path, id, json);
	(void)store_reader_close(reader);
	return r;
}
