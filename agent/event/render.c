/* SPDX-License-Identifier: Apache-2.0 */

/*
 * struct event -> one line of a table.
 *
 *   TIME            VERDICT    CONTAINER  OP     OBJECT         BY                   POLICY RULE
 *   Nov 21 07:02:11 deny       web        read   /etc/shadow    /usr/bin/cat[1234]   web
 * 50-web.yaml:20
 *
 * Lines are rendered one by one (they may be followed live), so the widths come from the terminal's
 * width alone. Escaping comes first, then measuring: no name can move a column.
 */

#include "event/event.h"

#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "event/cells.h"
#include "event/words.h"
#include "util/escape.h"
#include "util/strbuf.h"

#define TIME_CELLS 15
#define VERDICT_CELLS 10
#define OP_CELLS 6
#define GAPS 6
/* Below this nothing readable fits; the line is then wider than the terminal. */
#define WIDTH_MIN 80U

#define COLOR_RESET "\033[0m"
#define COLOR_HEADER "\033[1m"

/* Cells of the columns that adapt; shorten 0: they are only padded. */
struct layout {
	size_t container, object, by, rule;
	bool shorten;
};

static size_t clamp(size_t value, size_t low, size_t high)
{
	return value < low ? low : value > high ? high : value;
}

static struct layout layout_of(unsigned flags, unsigned width)
{
	struct layout layout;
	size_t rest;

	if ((flags & EVENT_RENDER_FULL) || width == 0)
		return (struct layout){.container = 16, .object = 32, .by = 24};
	rest = (width < WIDTH_MIN ? WIDTH_MIN : width) -
	       (TIME_CELLS + VERDICT_CELLS + OP_CELLS + GAPS);
	layout.container = clamp(rest * 16 / 100, 7, 20);
	layout.by = clamp(rest * 24 / 100, 10, 32);
	layout.rule = clamp(rest * 34 / 100, 12, 40);
	layout.object = rest - layout.container - layout.by - layout.rule;
	layout.shorten = true;
	return layout;
}

/* One cell of a column: name shortened so that the suffix, which is never cut, fits as well. */
static size_t cell(struct strbuf *b, const struct layout *layout, const struct strbuf *name,
		   const char *suffix, size_t cells)
{
	size_t suffix_cells = cells_width(suffix, strlen(suffix)), max = 0, width;

	if (layout->shorten)
		max = cells > suffix_cells ? cells - suffix_cells : 1;
	width = cells_shorten(b, strbuf_str(name), name->len, max);
	strbuf_puts(b, suffix);
	return width + suffix_cells;
}

static void column(struct strbuf *b, const struct layout *layout, const struct strbuf *name,
		   const char *suffix, size_t cells)
{
	cells_pad(b, cell(b, layout, name, suffix, cells), cells);
	strbuf_putc(b, ' ');
}

/* ---- the columns ---- */

static void time_render(const struct event *event, struct strbuf *b, unsigned flags)
{
	static const char *const months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
					     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
	time_t seconds = (time_t)(event->realtime_us / 1000000);
	struct tm tm = {};

	/* a year that struct tm cannot hold is no time that was ever shown by a clock */
	if (!(flags & EVENT_RENDER_UTC ? gmtime_r(&seconds, &tm) : localtime_r(&seconds, &tm))) {
		strbuf_printf(b, "%-*s", TIME_CELLS, "-");
		return;
	}
	strbuf_printf(b, "%s %02d %02d:%02d:%02d", months[tm.tm_mon], tm.tm_mday, tm.tm_hour,
		      tm.tm_min, tm.tm_sec);
}

static const char *verdict_word(const struct event *event)
{
	return event->kind == EVENT_VERDICT || event->kind == EVENT_AGGREGATE
		       ? event_verdict_to_string(event->verdict)
		       : event_kind_to_string(event->kind);
}

static const char *verdict_color(const struct event *event)
{
	static const char *const colors[HT_VERDICT_MAX] = {
		[HT_VERDICT_ALLOW] = "\033[32m",      [HT_VERDICT_DENY] = "\033[1;31m",
		[HT_VERDICT_WOULD_DENY] = "\033[33m", [HT_VERDICT_AUDIT] = "\033[36m",
		[HT_VERDICT_KILL] = "\033[1;31m",     [HT_VERDICT_SELF_TEST] = "\033[2m",
	};

	if (event->kind == EVENT_LOSS)
		return "\033[1;35m";
	if (!event_has_object(event) || event->verdict >= HT_VERDICT_MAX)
		return NULL;
	return colors[event->verdict];
}

static void verdict_render(const struct event *event, struct strbuf *b, unsigned flags)
{
	const char *word = verdict_word(event);
	const char *color = flags & EVENT_RENDER_COLOR ? verdict_color(event) : NULL;

	if (color)
		strbuf_puts(b, color);
	strbuf_puts(b, word);
	if (color)
		strbuf_puts(b, COLOR_RESET);
	cells_pad(b, strlen(word), VERDICT_CELLS);
	strbuf_putc(b, ' ');
}

static void container_render(const struct event *event, struct strbuf *b)
{
	const char *name = event->container ? event->container : event->cgroup;

	if (name)
		escape_text(b, name, strlen(name));
	else if (event->cgroup_id != 0)
		strbuf_printf(b, "#%" PRIu64, event->cgroup_id);
	else
		strbuf_putc(b, '-');
}

static void object_render(const struct event *event, struct strbuf *b)
{
	if (event->kind == EVENT_EXIT)
		words_exit(event, b);
	else if (event->kind == EVENT_LOSS)
		strbuf_printf(b, "%" PRIu64 " %s not recorded", event->count,
			      event_verdict_to_string(event->verdict));
	else if (event->kind == EVENT_GOVERNED || event->kind == EVENT_RELEASED) {
		if (event->cgroup)
			escape_text(b, event->cgroup, strlen(event->cgroup));
		else
			strbuf_putc(b, '-');
	} else if (!words_object(event, b)) {
		if (event->ino != 0 || !(event->op & HT_OPS_KERNEL))
			words_identity(event, b);
		else
			strbuf_putc(b, '-');
	}
}

/* ×N of an aggregate. */
static void count_suffix(const struct event *event, char *suffix, size_t size)
{
	suffix[0] = '\0';
	if (event_has_object(event) && event->count > 1)
		(void)snprintf(suffix, size, " ×%" PRIu64, event->count);
}

static void by_render(const struct event *event, struct strbuf *b, char *suffix, size_t size)
{
	suffix[0] = '\0';
	if (!event_has_process(event) || !words_subject(event, b))
		strbuf_putc(b, '-');
	if (event_has_process(event) && event->pid != 0)
		(void)snprintf(suffix, size, "[%" PRIu32 "]", event->pid);
}

static void rule_render(const struct event *event, struct strbuf *b)
{
	if (event->policy)
		escape_text(b, event->policy, strlen(event->policy));
	if (event->rule_file) {
		strbuf_puts(b, event->policy ? " " : "");
		words_rule_place(event, b);
	}
	/* no rule stands behind these: the word tells what does */
	if (event_has_object(event) && event->reason > HT_REASON_POLICY)
		strbuf_printf(b, b->len > 0 ? " (%s)" : "(%s)",
			      event_reason_to_string(event->reason));
	if (b->len == 0)
		strbuf_putc(b, '-');
}

/* ---- lines ---- */

static const struct strbuf *text(struct strbuf *scratch, const char *s)
{
	strbuf_reset(scratch);
	strbuf_puts(scratch, s);
	return scratch;
}

void event_render_header(struct strbuf *b, unsigned flags, unsigned width)
{
	_cleanup_strbuf_ struct strbuf scratch = {};
	struct layout layout = layout_of(flags, width);

	if (flags & EVENT_RENDER_COLOR)
		strbuf_puts(b, COLOR_HEADER);
	column(b, &layout, text(&scratch, flags & EVENT_RENDER_UTC ? "TIME (UTC)" : "TIME"), "",
	       TIME_CELLS);
	column(b, &layout, text(&scratch, "VERDICT"), "", VERDICT_CELLS);
	column(b, &layout, text(&scratch, "CONTAINER"), "", layout.container);
	column(b, &layout, text(&scratch, "OP"), "", OP_CELLS);
	column(b, &layout, text(&scratch, "OBJECT"), "", layout.object);
	column(b, &layout, text(&scratch, "BY"), "", layout.by);
	(void)cell(b, &layout, text(&scratch, "POLICY RULE"), "", layout.rule);
	if (flags & EVENT_RENDER_COLOR)
		strbuf_puts(b, COLOR_RESET);
	if (strbuf_error(&scratch) < 0)
		b->failed = true;
}

void event_render_line(const struct event *event, struct strbuf *b, unsigned flags, unsigned width)
{
	_cleanup_strbuf_ struct strbuf scratch = {};
	struct layout layout = layout_of(flags, width);
	char suffix[32];

	time_render(event, b, flags);
	strbuf_putc(b, ' ');
	verdict_render(event, b, flags);
	container_render(event, &scratch);
	column(b, &layout, &scratch, "", layout.container);
	column(b, &layout, text(&scratch, words_op(event)), "", OP_CELLS);
	strbuf_reset(&scratch);
	if (event->kind == EVENT_AGENT) {
		/* what the agent says takes the rest of the line */
		event_render_sentence(event, &scratch);
		(void)cell(b, &layout, &scratch, "", layout.object + layout.by + layout.rule + 2);
	} else {
		object_render(event, &scratch);
		count_suffix(event, suffix, sizeof(suffix));
		column(b, &layout, &scratch, suffix, layout.object);
		strbuf_reset(&scratch);
		by_render(event, &scratch, suffix, sizeof(suffix));
		column(b, &layout, &scratch, suffix, layout.by);
		strbuf_reset(&scratch);
		rule_render(event, &scratch);
		(void)cell(b, &layout, &scratch, "", layout.rule);
	}
	if (strbuf_error(&scratch) < 0)
		b->failed = true;
}
