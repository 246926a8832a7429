/* SPDX-License-Identifier: Apache-2.0 */

/* agent/event/render.c: the table keeps its form whatever the names are. */

#include <time.h>

#include "event/cells.h"
#include "tests/unit/event/sample.h"
#include "tests/unit/runner.h"

static void event_free_bytes(struct event_bytes *bytes)
{
	free(bytes->data);
	*bytes = (struct event_bytes){};
}

START_TEST(test_header)
{
	_cleanup_strbuf_ struct strbuf b = {};

	event_render_header(&b, 0, 120);
	ck_assert_str_eq(strbuf_str(&b),
			 "TIME            VERDICT    CONTAINER     OP     OBJECT                  "
			 "BY                  POLICY RULE");
	strbuf_reset(&b);
	event_render_header(&b, EVENT_RENDER_UTC, 120);
	ck_assert_int_eq(strncmp(strbuf_str(&b), "TIME (UTC)      VERDICT", 23), 0);
	strbuf_reset(&b);
	event_render_header(&b, EVENT_RENDER_COLOR, 120);
	ck_assert_int_eq(strncmp(strbuf_str(&b), "\033[1mTIME", 8), 0);
	ck_assert_str_eq(strbuf_str(&b) + b.len - 4, "\033[0m");
}
END_TEST

static const struct {
	unsigned width, flags;
	const char *expected;
} lines[] = {
	{120, EVENT_RENDER_UTC,
	 "Nov 21 07:02:11 deny       web           read   /etc/shadow             "
	 "/usr/bin/cat[1234]  web-demo 50-web-demo.yaml:20"},
	{80, EVENT_RENDER_UTC,
	 "Nov 21 07:02:11 deny       web     read   /etc/shadow  /…at[1234] web-de…yaml:20"},
	/* narrower than 80 is as 80 */
	{20, EVENT_RENDER_UTC,
	 "Nov 21 07:02:11 deny       web     read   /etc/shadow  /…at[1234] web-de…yaml:20"},
	{80, EVENT_RENDER_UTC | EVENT_RENDER_FULL,
	 "Nov 21 07:02:11 deny       web              read   /etc/shadow                      "
	 "/usr/bin/cat[1234]       web-demo 50-web-demo.yaml:20"},
	{0, EVENT_RENDER_UTC,
	 "Nov 21 07:02:11 deny       web              read   /etc/shadow                      "
	 "/usr/bin/cat[1234]       web-demo 50-web-demo.yaml:20"},
	{120, EVENT_RENDER_UTC | EVENT_RENDER_COLOR,
	 "Nov 21 07:02:11 \033[1;31mdeny\033[0m       web           read   /etc/shadow             "
	 "/usr/bin/cat[1234]  web-demo 50-web-demo.yaml:20"},
	{120, 0,
	 "Nov 21 16:02:11 deny       web           read   /etc/shadow             "
	 "/usr/bin/cat[1234]  web-demo 50-web-demo.yaml:20"},
};

START_TEST(test_line)
{
	_cleanup_strbuf_ struct strbuf b = {};
	struct event event = sample_event(0);

	event_render_line(&event, &b, lines[_i].flags, lines[_i].width);
	ck_assert_str_eq(strbuf_str(&b), lines[_i].expected);
	event_deinit(&event);
}
END_TEST

static const struct {
	uint8_t verdict;
	const char *expected;
} colors[] = {
	{HT_VERDICT_DENY, "\033[1;31mdeny\033[0m"},
	{HT_VERDICT_KILL, "\033[1;31mkill\033[0m"},
	{HT_VERDICT_WOULD_DENY, "\033[33mwould-deny\033[0m"},
	{HT_VERDICT_ALLOW, "\033[32mallow\033[0m"},
};

START_TEST(test_color)
{
	_cleanup_strbuf_ struct strbuf b = {};
	struct event event = sample_event(0);

	event.verdict = colors[_i].verdict;
	event_render_line(&event, &b, EVENT_RENDER_COLOR, 120);
	ck_assert_ptr_nonnull(strstr(strbuf_str(&b), colors[_i].expected));
	strbuf_reset(&b);
	event_render_line(&event, &b, 0, 120);
	ck_assert_ptr_null(strchr(strbuf_str(&b), '\033'));
	event_deinit(&event);
}
END_TEST

/* What the other kinds and the missing values show. */
static void aggregate(struct event *e)
{
	e->kind = EVENT_AGGREGATE;
	e->count = 1532;
}
static void no_exe(struct event *e)
{
	event_free_bytes(&e->exe);
}
static void no_path(struct event *e)
{
	event_free_bytes(&e->path);
	e->ino = 42;
}
static void no_container(struct event *e)
{
	free(e->container);
	e->container = NULL;
}
static void no_cgroup(struct event *e)
{
	no_container(e);
	free(e->cgroup);
	e->cgroup = NULL;
}
static void foreign(struct event *e)
{
	e->reason = HT_REASON_FOREIGN;
	free(e->rule_file);
	e->rule_file = NULL;
}
static void nothing_decided(struct event *e)
{
	foreign(e);
	free(e->policy);
	e->policy = NULL;
}
static void exited(struct event *e)
{
	e->kind = EVENT_EXIT;
	e->exit_code = 9;
	e->op = 0;
}
static void lost(struct event *e)
{
	e->kind = EVENT_LOSS;
	e->count = 12;
	e->op = 0;
}
static void governed(struct event *e)
{
	e->kind = EVENT_GOVERNED;
	e->op = 0;
}
static void agent(struct event *e)
{
	event_deinit(e);
	e->kind = EVENT_AGENT;
	e->realtime_us = 1795244531123456U;
	e->message = sample_text("Policies\nreloaded");
}
static void truncated(struct event *e)
{
	e->flags |= HT_RECORD_PATH_TRUNCATED | HT_RECORD_EXE_TRUNCATED;
}

static const struct {
	void (*change)(struct event *e);
	const char *expected; /* from the verdict on */
} kinds[] = {
	{aggregate, "deny       web           read   /etc/shadow ×1532       "
		    "/usr/bin/cat[1234]  web-demo 50-web-demo.yaml:20"},
	{no_exe, "deny       web           read   /etc/shadow             "
		 "cat[1234]           web-demo 50-web-demo.yaml:20"},
	{no_path, "deny       web           read   device 8:17, inode 42   "
		  "/usr/bin/cat[1234]  web-demo 50-web-demo.yaml:20"},
	{no_container, "deny       /machi….scope read   /etc/shadow             "
		       "/usr/bin/cat[1234]  web-demo 50-web-demo.yaml:20"},
	{no_cgroup, "deny       #4711         read   /etc/shadow             "
		    "/usr/bin/cat[1234]  web-demo 50-web-demo.yaml:20"},
	{foreign, "deny       web           read   /etc/shadow             "
		  "/usr/bin/cat[1234]  web-demo (foreign-mount)"},
	{nothing_decided, "deny       web           read   /etc/shadow             "
			  "/usr/bin/cat[1234]  (foreign-mount)"},
	{exited, "exit       web           -      killed by signal 9      "
		 "/usr/bin/cat[1234]  web-demo 50-web-demo.yaml:20"},
	{lost, "loss       web           -      12 deny not recorded    "
	       "-                   web-demo 50-web-demo.yaml:20"},
	{governed, "governed   web           -      /machine.sl…d-abc.scope "
		   "-                   web-demo 50-web-demo.yaml:20"},
	{agent, "agent      -             -      Policies\\x0areloaded"},
	{truncated, "deny       web           read   /etc/shadow…            "
		    "/usr/bin/cat…[1234] web-demo 50-web-demo.yaml:20"},
};

START_TEST(test_kinds)
{
	_cleanup_strbuf_ struct strbuf b = {};
	struct event event = sample_event(0);

	kinds[_i].change(&event);
	event_render_line(&event, &b, EVENT_RENDER_UTC, 120);
	ck_assert_int_eq(strncmp(strbuf_str(&b), "Nov 21 07:02:11 ", 16), 0);
	ck_assert_str_eq(strbuf_str(&b) + 16, kinds[_i].expected);
	event_deinit(&event);
}
END_TEST

static void bytes_replace(struct event_bytes *bytes, const void *data, size_t len)
{
	free(bytes->data);
	*bytes = sample_bytes(data, len);
}

static void text_replace(char **text, const char *data)
{
	free(*text);
	*text = sample_text(data);
}

/* Every byte value in every name at once: one line, no control byte, and the columns where they
 * were. */
START_TEST(test_every_byte)
{
	_cleanup_strbuf_ struct strbuf b = {};
	struct event event = sample_event(0);
	char name[4] = {'a', (char)_i, 'b', '\0'};

	bytes_replace(&event.path, name, 3);
	bytes_replace(&event.exe, name, 3);
	bytes_replace(&event.argv, name, 3);
	if (_i != 0) {
		text_replace(&event.container, name);
		text_replace(&event.policy, name);
		text_replace(&event.rule_file, name);
		text_replace(&event.rule_text, name);
		text_replace(&event.message, name);
	}
	event_render_line(&event, &b, EVENT_RENDER_UTC, 120);
	for (size_t i = 0; i < b.len; i++) {
		ck_assert_uint_ge((unsigned char)b.data[i], 0x20);
		ck_assert_uint_ne((unsigned char)b.data[i], 0x7f);
	}
	/* the operation starts in its column, so what stands before did not move it */
	ck_assert_int_eq(strncmp(b.data + 16 + 11 + 14, "read ", 5), 0);
	ck_assert_uint_le(cells_width(b.data, b.len), 120);
	event_deinit(&event);
}
END_TEST

static const unsigned widths[] = {80, 81, 99, 100, 120, 132, 160, 200, 317};

START_TEST(test_never_wider)
{
	struct event event = sample_event(0);
	char name[300];

	for (size_t fill = 0; fill < 3; fill++) {
		static const char *const units[] = {"x", "\033", "\xed\x95\xb4"};
		_cleanup_strbuf_ struct strbuf b = {};
		size_t n = strlen(units[fill]);

		for (size_t i = 0; i < sizeof(name); i++)
			name[i] = units[fill][i % n];
		name[sizeof(name) - 3] = '\0';
		bytes_replace(&event.path, name, sizeof(name) - 3);
		bytes_replace(&event.exe, name, sizeof(name) - 3);
		text_replace(&event.container, name);
		text_replace(&event.policy, name);
		event.kind = EVENT_AGGREGATE;
		event.count = UINT64_MAX;
		event.pid = UINT32_MAX;
		event_render_line(&event, &b, EVENT_RENDER_UTC, widths[_i]);
		/* the count and the pid are never cut: at 80 cells they may need a few more */
		ck_assert_uint_le(cells_width(strbuf_str(&b), b.len),
				  widths[_i] < 120 ? widths[_i] + 14 : widths[_i]);
	}
	event_deinit(&event);
}
END_TEST

START_TEST(test_time_out_of_range)
{
	_cleanup_strbuf_ struct strbuf b = {};
	struct event event = {.realtime_us = UINT64_MAX};

	event_render_line(&event, &b, EVENT_RENDER_UTC, 120);
	ck_assert_uint_gt(b.len, 20);
	ck_assert_int_eq(strncmp(strbuf_str(&b) + 15, " allow ", 7), 0);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("render");

	(void)setenv("TZ", "KST-9", 1);
	tzset();
	tcase_add_test(tc, test_header);
	tcase_add_loop_test(tc, test_line, 0, (int)ARRAY_LEN(lines));
	tcase_add_loop_test(tc, test_color, 0, (int)ARRAY_LEN(colors));
	tcase_add_loop_test(tc, test_kinds, 0, (int)ARRAY_LEN(kinds));
	tcase_add_loop_test(tc, test_every_byte, 0, 256);
	tcase_add_loop_test(tc, test_never_wider, 0, (int)ARRAY_LEN(widths));
	tcase_add_test(tc, test_time_out_of_range);
	return tcase_run(tc);
}
