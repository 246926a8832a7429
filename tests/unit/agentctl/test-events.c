/* SPDX-License-Identifier: Apache-2.0 */

/* agentctl events against a store: what each filter leaves, the table, JSON, a file that is no
 * database. */

#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "run.h"
#include "store/store.h"
#include "tests/unit/runner.h"

static unsigned lines_of(const char *text)
{
	unsigned n = 0;

	for (; *text; text++)
		n += *text == '\n';
	return n;
}

START_TEST(test_events)
{
	/* arguments and how many events they leave */
	static const struct {
		const char *args[6];
		unsigned n;
	} filters[] = {
		{{"--json"}, 5},
		{{"--json", "-n", "2"}, 2},
		{{"--json", "-n", "0"}, 0},
		{{"--json", "-r"}, 5},
		{{"--json", "--all"}, 8},
		{{"--json", "--kind", "exit"}, 1},
		{{"--json", "--kind", "exit,agent"}, 2},
		{{"--json", "--verdict", "audit"}, 1},
		{{"--json", "--verdict", "deny,audit"}, 5},
		{{"--json", "--verdict", "self-test"}, 1},
		{{"--json", "--verdict", "kill"}, 0},
		{{"--json", "--path", "/etc/*"}, 3},
		{{"--json", "--path", "/etc/shadow"}, 1},
		{{"--json", "--container", "w*"}, 5},
		{{"--json", "--container", "db"}, 0},
		{{"--json", "--policy", "web"}, 5},
		{{"--json", "--policy", "base"}, 0},
		{{"--json", "--exe", "*/cat"}, 5},
		{{"--json", "--exe", "/bin/sh"}, 0},
		{{"--json", "--op", "read,write"}, 5},
		{{"--json", "--op", "exec"}, 0},
		{{"--json", "--since", "1h ago"}, 5},
		{{"--json", "--since", "+1h"}, 0},
		{{"--json", "--until", "1h ago"}, 0},
		{{"--json", "--until", "tomorrow"}, 5},
	};
	struct store *store = store_begin();
	struct run run;

	store_put(store, "/etc/shadow");
	store_put(store, "/etc/passwd");
	store_put(store, "/root/\033[31m\n\xff");
	store_put_kind(store, EVENT_VERDICT, HT_VERDICT_AUDIT, "/etc/hosts");
	store_put_kind(store, EVENT_AGGREGATE, HT_VERDICT_DENY, "");
	store_put_kind(store, EVENT_EXIT, HT_VERDICT_ALLOW, "");
	store_put_kind(store, EVENT_AGENT, HT_VERDICT_ALLOW, "");
	store_put_kind(store, EVENT_VERDICT, HT_VERDICT_SELF_TEST, "/canary");
	store_end(store);
	for (size_t i = 0; i < ARRAY_LEN(filters); i++) {
		const char *args[8] = {"events"};

		for (size_t j = 0; j < 6; j++)
			args[j + 1] = filters[i].args[j];
		run = run_agentctl(NULL, args);
		ck_assert_msg(run.code == 0, "%zu: %s", i, run.err);
		ck_assert_msg(lines_of(run.out) == filters[i].n, "%zu: %u lines: %s", i,
			      lines_of(run.out), run.out);
		ck_assert_str_eq(run.err, "");
		run_free(&run);
	}
}
END_TEST

START_TEST(test_events_table)
{
	struct store *store = store_begin();
	const char *first, *second;
	struct run run;
	json_t *json;

	store_put(store, "/etc/shadow");
	store_put(store, "/root/\033[31m\n\xff");
	store_end(store);
	run = RUN("events");
	ck_assert_int_eq(run.code, 0);
	ck_assert_uint_eq(lines_of(run.out), 3);
	first = strstr(run.out, "/etc/shadow");
	second = strstr(run.out, "/root/\\x1b[31m\\x0a\\xff");
	ck_assert(first && second && first < second);
	ck_assert_ptr_null(strchr(run.out, '\033'));
	ck_assert_ptr_nonnull(strstr(run.out, "50-web.yaml:12"));
	run_free(&run);
	run = RUN("events", "-r", "-n", "1", "--utc", "--full");
	ck_assert_uint_eq(lines_of(run.out), 2);
	ck_assert_ptr_nonnull(strstr(run.out, "/root/"));
	run_free(&run);
	run = RUN("events", "--color=always");
	ck_assert_ptr_nonnull(strchr(run.out, '\033'));
	run_free(&run);
	run = RUN("events", "--verdict", "kill");
	ck_assert_int_eq(run.code, 0);
	ck_assert_str_eq(run.out, "");
	ck_assert_str_eq(run.err, "No events.\n");
	run_free(&run);
	run = RUN("events", "--json", "-n1");
	json = json_loads(run.out, 0,
			  NULL); /* the lone byte is a lone surrogate, which jansson refuses */
	ck_assert_ptr_null(json);
	ck_assert_ptr_nonnull(strstr(run.out, "\\udcff"));
	run_free(&run);
	run = RUN("events", "--json", "-n1", "--path", "/etc/*");
	json = json_loads(run.out, 0, NULL);
	ck_assert_str_eq(json_text(json, "verdict"), "deny");
	ck_assert_str_eq(json_text(json_object_get(json, "object"), "path"), "/etc/shadow");
	json_decref(json);
	run_free(&run);
}
END_TEST

/* A file that is no database: told, not taken for an empty one. */
START_TEST(test_events_damaged)
{
	struct run run;

	run_put("state/events.db",
		"this is not a database, and longer than a header of one is, which "
		"matters to those who look at the first hundred bytes of it only\n");
	run = RUN("events");
	ck_assert_int_eq(run.code, 1);
	ck_assert_str_eq(run.out, "");
	ck_assert_ptr_nonnull(strstr(run.err, "Failed to read"));
	run_free(&run);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("events");

	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, run_setup, run_teardown);
	tcase_add_test(tc, test_events);
	tcase_add_test(tc, test_events_table);
	tcase_add_test(tc, test_events_damaged);
	return tcase_run(tc);
}
