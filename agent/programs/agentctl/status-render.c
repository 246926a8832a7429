/* SPDX-License-Identifier: Apache-2.0 */

/* The answer to "status" (its members: top of cmd-status.c) as sections of text. */

#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>
#include <time.h>

#include "programs/agentctl/agentctl.h"
#include "programs/agentctl/table.h"
#include "programs/agentctl/time-words.h"
#include "util/escape.h"

/* One rendering. */
struct view {
	const json_t *status;
	struct strbuf *b;
	int64_t now_us;
	bool color;
};

static void put_text(struct view *v, const char *text)
{
	if (!text)
		text = "?";
	escape_text(v->b, text, strlen(text));
}

static void put_color(struct view *v, enum color color, const char *text)
{
	strbuf_puts(v->b, color_begin(color, v->color));
	put_text(v, text);
	strbuf_puts(v->b, color_end(color, v->color));
}

static void put_label(struct view *v, const char *label)
{
	strbuf_printf(v->b, "%11s: ", label);
}

static void put_title(struct view *v, const char *title)
{
	strbuf_printf(v->b, "\n%s%s%s\n", color_begin(COLOR_BOLD, v->color), title,
		      color_end(COLOR_BOLD, v->color));
}

static void put_time(struct view *v, int64_t us)
{
	time_format(v->b, us, /* utc= */ false);
	strbuf_puts(v->b, "; ");
	time_format_relative(v->b, us, v->now_us);
}

/* Hooks that should be attached and are not. */
static long long links_missing(const json_t *links)
{
	long long n = json_number(links, "expected") - json_number(links, "attached");

	return n > 0 ? n : 0;
}

/* Verdicts of one kind that are in none of the places where they could be (0: balanced, negative:
 * more are told of than were counted). *waiting: rows that may still be on their way to the disk;
 * what explains a difference is taken from it, so each is counted once. *ret_moving: how many that
 * was. */
static long long ledger_difference(const json_t *status, const char *verdict, const json_t *row,
				   long long *waiting, long long *ret_moving)
{
	const json_t *store = json_object_get(status, "store");
	long long difference = json_number(row, "counted") - json_number(row, "aggregated") -
			       json_number(row, "lost") -
			       json_number(json_object_get(store, "stored"), verdict) -
			       json_number(json_object_get(store, "unstored"), verdict);

	*ret_moving = 0;
	if (difference <= 0 || difference > *waiting)
		return difference;
	*waiting -= difference;
	*ret_moving = difference;
	return 0;
}

static bool ledger_is_balanced(const json_t *status)
{
	long long waiting = json_number(json_object_get(status, "store"), "pending");
	const char *verdict;
	json_t *row;

	json_object_foreach(json_object_get(status, "counters"), verdict, row)
	{
		long long moving;

		if (ledger_difference(status, verdict, row, &waiting, &moving) != 0)
			return false;
	}
	return true;
}

/* Anything that a person should look at now? */
static enum color health(const json_t *status)
{
	const json_t *policy, *store = json_object_get(status, "store");
	size_t i;

	if (!json_truth(json_object_get(status, "canary"), "ok") ||
	    links_missing(json_object_get(status, "links")) > 0 || !ledger_is_balanced(status))
		return COLOR_RED;
	json_array_foreach(json_object_get(status, "policies"), i, policy)
	{
		const char *state = json_text(policy, "state");

		if (!state || strcmp(state, "active") != 0)
			return COLOR_YELLOW;
	}
	if (json_truth(store, "degraded") ||
	    json_array_size(json_object_get(status, "disarmed")) > 0 ||
	    json_array_size(json_object_get(status, "warnings")) > 0)
		return COLOR_YELLOW;
	return COLOR_GREEN;
}

static void render_headline(struct view *v)
{
	static const struct {
		const char *mode, *words;
	} modes[] = {{"enforce", "enforcing"}, {"audit", "auditing"}, {"idle", "idle"}};
	const char *mode = json_text(v->status, "mode");
	const char *words = mode ? mode : "?";
	enum color color = health(v->status);

	for (size_t i = 0; i < ARRAY_LEN(modes); i++) {
		if (mode && strcmp(mode, modes[i].mode) == 0)
			words = modes[i].words;
	}
	put_color(v, color, "\u25cf");
	strbuf_puts(v->b, " haetaed ");
	put_text(v, json_text(v->status, "version"));
	strbuf_puts(v->b, " - ");
	put_color(v, color, words);
	strbuf_printf(v->b, ", %zu policies on %zu cgroups\n",
		      json_array_size(json_object_get(v->status, "policies")),
		      json_array_size(json_object_get(v->status, "containers")));
}

static void render_links(struct view *v)
{
	const json_t *links = json_object_get(v->status, "links");
	size_t i, n_idle;
	json_t *name;

	put_label(v, "Hooks");
	strbuf_printf(v->b, "%lld of %lld attached", json_number(links, "attached"),
		      json_number(links, "expected"));
	if (links_missing(links) > 0) {
		strbuf_puts(v->b, "; ");
		put_color(v, COLOR_RED, "missing");
		json_array_foreach(json_object_get(links, "missing"), i, name)
		{
			strbuf_putc(v->b, ' ');
			put_text(v, json_string_value(name));
		}
	}
	n_idle = json_array_size(json_object_get(links, "idle"));
	if (n_idle > 0)
		strbuf_printf(v->b, "; %zu without a program, no policy needs them", n_idle);
	strbuf_putc(v->b, '\n');
}

static void render_canary(struct view *v)
{
	const json_t *canary = json_object_get(v->status, "canary");
	int64_t at_us = json_number(canary, "at_us");

	put_label(v, "Canary");
	if (json_truth(canary, "ok")) {
		strbuf_puts(v->b, "refused as it must be");
	} else {
		put_color(v, COLOR_RED, "NOT refused: nothing is protected");
		if (json_text(canary, "error")) {
			strbuf_puts(v->b, " (");
			put_text(v, json_text(canary, "error"));
			strbuf_putc(v->b, ')');
		}
	}
	if (at_us > 0) {
		strbuf_puts(v->b, ", ");
		put_time(v, at_us);
	}
	strbuf_putc(v->b, '\n');
}

static void render_store(struct view *v)
{
	const json_t *store = json_object_get(v->status, "store");
	long long dropped = json_number(store, "dropped");

	put_label(v, "Store");
	put_text(v, json_text(store, "path"));
	strbuf_printf(v->b, ": %lld rows written, %lld waiting", json_number(store, "committed"),
		      json_number(store, "pending"));
	if (dropped > 0) {
		strbuf_printf(v->b, ", %s%lld dropped%s", color_begin(COLOR_RED, v->color), dropped,
			      color_end(COLOR_RED, v->color));
	}
	strbuf_putc(v->b, '\n');
	if (!json_truth(store, "degraded"))
		return;
	put_label(v, "");
	put_color(v, COLOR_RED, "the last write failed");
	if (json_text(store, "error")) {
		strbuf_puts(v->b, ": ");
		put_text(v, json_text(store, "error"));
	}
	strbuf_putc(v->b, '\n');
}

static void render_agent(struct view *v)
{
	put_label(v, "Agent");
	strbuf_printf(v->b, "pid %lld, since ", json_number(v->status, "pid"));
	put_time(v, json_number(v->status, "since_us"));
	strbuf_putc(v->b, '\n');
	put_label(v, "Kernel");
	strbuf_puts(v->b, "Linux ");
	put_text(v, json_text(v->status, "kernel"));
	strbuf_puts(v->b, ", boot ");
	put_text(v, json_text(v->status, "boot_id"));
	strbuf_putc(v->b, '\n');
	put_label(v, "Generation");
	strbuf_printf(v->b, "%lld; %lld labelled tasks\n", json_number(v->status, "generation"),
		      json_number(v->status, "labels"));
	render_links(v);
	render_canary(v);
	render_store(v);
}

static enum color state_color(const char *state)
{
	if (!state)
		return COLOR_NONE;
	if (strcmp(state, "active") == 0)
		return COLOR_GREEN;
	if (strcmp(state, "stale") == 0)
		return COLOR_YELLOW;
	if (strcmp(state, "refused") == 0 || strcmp(state, "broken") == 0)
		return COLOR_RED;
	return COLOR_NONE;
}

static int render_policies(struct view *v)
{
	static const char *const headers[] = {"POLICY",	 "MODE", "STATE", "RULES",
					      "CGROUPS", "FILE", NULL};
	const json_t *policies = json_object_get(v->status, "policies");
	struct table *table;
	json_t *policy;
	size_t i;
	int r;

	put_title(v, "Policies");
	if (json_array_size(policies) == 0) {
		strbuf_puts(v->b, "  none is in force\n");
		return 0;
	}
	table = table_new(headers, 1U << 3 | 1U << 4);
	if (!table)
		return -ENOMEM;
	json_array_foreach(policies, i, policy)
	{
		const char *state = json_text(policy, "state");
		const char *file = json_text(policy, "file");

		table_add(table, json_text(policy, "name"));
		table_add(table, json_text(policy, "mode"));
		table_add_color(table, state, state_color(state));
		table_addf(table, "%lld", json_number(policy, "rules"));
		table_addf(table, "%lld", json_number(policy, "cgroups"));
		table_addf(table, "%s:%lld", file ? file : "?", json_number(policy, "line"));
	}
	r = table_render(table, v->b, 2, v->color);
	(void)table_free(table);
	return r;
}

/* Rules that are not in force yet, or not for ever. */
static int render_times(struct view *v)
{
	static const char *const headers[] = {"RULE", "STATE", "AT (UTC)", "FILE", NULL};
	const json_t *times = json_object_get(v->status, "times");
	struct table *table;
	json_t *time;
	size_t i;
	int r;

	if (json_array_size(times) == 0)
		return 0;
	table = table_new(headers, 0);
	if (!table)
		return -ENOMEM;
	put_title(v, "Rules with a time");
	json_array_foreach(times, i, time)
	{
		const char *state = json_text(time, "state"), *file = json_text(time, "file");
		time_t at = (time_t)(json_number(time, "at_us") / 1000000);
		char text[32] = "?";
		struct tm tm;

		if (gmtime_r(&at, &tm))
			(void)strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S", &tm);
		table_add(table, json_text(time, "rule"));
		table_add_color(table, state,
				state && strcmp(state, "expires") == 0 ? COLOR_NONE : COLOR_YELLOW);
		table_add(table, text);
		table_addf(table, "%s:%lld", file ? file : "?", json_number(time, "line"));
	}
	r = table_render(table, v->b, 2, v->color);
	(void)table_free(table);
	return r;
}

/* Only the files that are not simply in force. */
static void render_sources(struct view *v)
{
	json_t *source;
	bool titled = false;
	size_t i;

	json_array_foreach(json_object_get(v->status, "sources"), i, source)
	{
		const char *state = json_text(source, "state");

		if (state && strcmp(state, "active") == 0)
			continue;
		if (!titled)
			put_title(v, "Policy files that need a look");
		titled = true;
		strbuf_puts(v->b, "  ");
		put_text(v, json_text(source, "path"));
		strbuf_puts(v->b, ": ");
		put_color(v, state_color(state), state);
		if (json_text(source, "error")) {
			strbuf_puts(v->b, ": ");
			put_text(v, json_text(source, "error"));
		}
		strbuf_putc(v->b, '\n');
	}
}

static int render_containers(struct view *v)
{
	put_title(v, "Governed");
	if (json_array_size(json_object_get(v->status, "containers")) == 0) {
		strbuf_puts(v->b, "  no cgroup matches a policy now\n");
		return 0;
	}
	return containers_render(v->status, 2, v->color, v->b);
}

static void ledger_check(struct view *v, struct table *table, const char *verdict,
			 const json_t *row, long long *waiting)
{
	_cleanup_strbuf_ struct strbuf text = {};
	long long moving;
	long long difference = ledger_difference(v->status, verdict, row, waiting, &moving);

	if (difference != 0)
		strbuf_printf(&text, "differs by %+lld", difference);
	else if (moving > 0)
		strbuf_printf(&text, "balanced, %lld on the way", moving);
	else
		strbuf_puts(&text, "balanced");
	table_add_color(table, strbuf_str(&text), difference != 0 ? COLOR_RED : COLOR_GREEN);
}

static int render_ledger(struct view *v)
{
	static const char *const headers[] = {"VERDICT", "COUNTED", "STORED", "AGGREGATED",
					      "LOST",	 "CHECK",   NULL};
	json_t *counters = json_object_get(v->status, "counters");
	const json_t *store = json_object_get(v->status, "store");
	long long waiting = json_number(store, "pending");
	struct table *table = table_new(headers, 1U << 1 | 1U << 2 | 1U << 3 | 1U << 4);
	const char *verdict;
	json_t *row;
	int r;

	if (!table)
		return -ENOMEM;
	json_object_foreach(counters, verdict, row)
	{
		long long stored = json_number(json_object_get(store, "stored"), verdict);
		long long lost = json_number(row, "lost") +
				 json_number(json_object_get(store, "unstored"), verdict);

		if (json_number(row, "counted") == 0 && stored == 0 && lost == 0)
			continue;
		table_add(table, verdict);
		table_addf(table, "%lld", json_number(row, "counted"));
		table_addf(table, "%lld", stored);
		table_addf(table, "%lld", json_number(row, "aggregated"));
		table_addf(table, "%lld", lost);
		ledger_check(v, table, verdict, row, &waiting);
	}
	put_title(v, "Verdicts of this boot (counted = stored + aggregated + lost)");
	r = 0;
	if (table_rows(table) > 0)
		r = table_render(table, v->b, 2, v->color);
	else
		strbuf_puts(v->b, "  none\n");
	(void)table_free(table);
	return r;
}

static void render_failures(struct view *v)
{
	const json_t *notices = json_object_get(v->status, "notices");
	json_t *failures = json_object_get(v->status, "failures");
	const char *reason;
	json_t *count;
	bool titled = false;

	if (json_number(notices, "lost") > 0)
		strbuf_printf(v->b, "  %s%lld%s of %lld notices (exits, cgroups) were lost\n",
			      color_begin(COLOR_YELLOW, v->color), json_number(notices, "lost"),
			      color_end(COLOR_YELLOW, v->color),
			      json_number(notices, "emitted") + json_number(notices, "lost"));
	json_object_foreach(failures, reason, count)
	{
		if (json_integer_value(count) == 0)
			continue;
		if (!titled)
			put_title(v, "Refused for another reason than a rule");
		titled = true;
		strbuf_puts(v->b, "  ");
		put_text(v, reason);
		strbuf_printf(v->b, ": %" JSON_INTEGER_FORMAT "\n", json_integer_value(count));
	}
}

/* What holds for a limited time comes first: it is what one has to know. */
static void render_disarmed(struct view *v)
{
	const json_t *list = json_object_get(v->status, "disarmed");
	json_t *entry;
	size_t i;

	if (json_array_size(list) > 0)
		put_title(v, "Disarmed");
	json_array_foreach(list, i, entry)
	{
		const char *container = json_text(entry, "container");

		strbuf_puts(v->b, "  ");
		put_color(v, COLOR_RED, container ? container : "everything");
		strbuf_puts(v->b, ", armed again ");
		time_format_relative(v->b, json_number(entry, "until_us"), v->now_us);
		strbuf_puts(v->b, ": ");
		put_text(v, json_text(entry, "reason"));
		strbuf_putc(v->b, '\n');
	}
}

static void render_trial(struct view *v)
{
	const json_t *trial = json_object_get(v->status, "trial");

	if (!json_is_object(trial))
		return;
	put_title(v, "On trial");
	strbuf_puts(v->b, "  ");
	put_color(v, COLOR_YELLOW, json_text(trial, "name"));
	if (json_truth(trial, "confirmed")) {
		strbuf_puts(v->b, ", confirmed, not yet in a policy directory: agentctl confirm\n");
		return;
	}
	strbuf_puts(v->b, ", rolled back ");
	time_format_relative(v->b, v->now_us + json_number(trial, "left_us"), v->now_us);
	strbuf_puts(v->b, " without agentctl confirm\n");
}

static void render_warnings(struct view *v)
{
	const json_t *warnings = json_object_get(v->status, "warnings");
	json_t *warning;
	size_t i;

	if (json_array_size(warnings) > 0)
		put_title(v, "Warnings");
	json_array_foreach(warnings, i, warning)
	{
		strbuf_puts(v->b, "  ");
		put_color(v, COLOR_YELLOW, json_string_value(warning));
		strbuf_putc(v->b, '\n');
	}
}

int status_render(const json_t *status, int64_t now_us, bool color, struct strbuf *b)
{
	struct view v = {.status = status, .b = b, .now_us = now_us, .color = color};
	int r;

	render_headline(&v);
	render_agent(&v);
	render_disarmed(&v);
	render_trial(&v);
	r = render_policies(&v);
	if (r >= 0)
		r = render_times(&v);
	if (r < 0)
		return r;
	render_sources(&v);
	r = render_containers(&v);
	if (r < 0)
		return r;
	r = render_ledger(&v);
	if (r < 0)
		return r;
	render_failures(&v);
	render_warnings(&v);
	return strbuf_error(b);
}
