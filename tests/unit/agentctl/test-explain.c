/* SPDX-License-Identifier: Apache-2.0 */

/* agentctl explain: from a row and the policy files, without an agent. */

#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"
#include "programs/agentctl/time-words.h"
#include "run.h"
#include "store/store.h"
#include "tests/unit/runner.h"

#define CGROUP "/machine.slice/libpod-1.scope"
#define WEB                                                                                        \
	"policy: web\nmatch: [{cgroup: " CGROUP "}]\nexec:\n  default: deny\n  allow: [/bin/sh]\n"   \
	"file:\n  deny:\n    - {path: /root/**, except: [/root/.profile], message: keep out}\n"      \
	"    - /etc/shadow\n"
#define BASE "policy: zbase\nmatch: [{cgroup: /machine.slice/**}]\nfile: {deny: [/root/x]}\n"

static struct store *store;

static struct event_bytes bytes(const char *text)
{
	return (struct event_bytes){.data = text ? (uint8_t *)strdup(text) : NULL, .len = text ? strlen(text) : 0};
}

/* The rule of policy web in a line. */
static uint64_t rule_at(uint32_t line)
{
	struct policy_file *file = NULL;
	struct diag_list diags = {};
	uint64_t id = 0;

	ck_assert_int_eq(policy_parse("p", WEB, sizeof(WEB) - 1, &diags, &file), 0);
	for (size_t i = 0; i < file->policies[0]->n_rules; i++)
		if (file->policies[0]->rules[i].location.line == line)
			id = file->policies[0]->rules[i].id;
	(void)policy_file_unref(file);
	diag_list_deinit(&diags);
	ck_assert_uint_ne(id, 0);
	return id;
}

static void add(uint32_t op, uint8_t verdict, uint32_t line, const char *path, const char *exe, uint32_t pid)
{
	static uint64_t seq;
	struct event event = {
		.kind = EVENT_VERDICT,
		.verdict = verdict,
		.reason = verdict == HT_VERDICT_ALLOW ? HT_REASON_NONE : HT_REASON_POLICY,
		.op = op,
		.boot_id = {1, 2, 3},
		.boottime_ns = 1000 + seq,
		.realtime_us = (uint64_t)time_now_us(),
		.seq = seq,
		.count = 1,
		.severity = POLICY_SEVERITY_HIGH,
		.pid = pid,
		.start_ns = pid * 10,
		.ppid = pid - 1,
		.parent_start_ns = (pid - 1) * 10,
		.uid = 33,
		.cgroup_id = 99,
		.comm = "cat",
		.rule_id = line ? rule_at(line) : 0,
		.rule_line = line,
	};

	seq++;
	event.policy = strdup("web");
	event.container = strdup("web");
	event.cgroup = strdup(CGROUP);
	event.rule_text = strdup(line == 8 ? "file.deny /root/**" : "a rule");
	event.rule_file = strdup("/old/50-web.yaml");
	event.path = bytes(path);
	event.exe = bytes(exe);
	ck_assert(store_add(store, &event));
}

static void setup(void)
{
	run_setup();
	run_put("policies/50-web.yaml", WEB);
	run_put("policies/60-base.yaml", BASE);
	store = store_begin();
	add(HT_OP_EXEC, HT_VERDICT_ALLOW, 0, "/bin/sh", "/usr/bin/conmon", 10);		  /* 1 */
	add(HT_OP_READ, HT_VERDICT_DENY, 8, "/root/x", "/bin/cat", 11);			  /* 2 */
	add(HT_OP_READ, HT_VERDICT_DENY, 8, "/root/x", "/bin/cat", 11);			  /* 3 */
	add(HT_OP_READ, HT_VERDICT_DENY, 8, "/root/y", "/bin/cat", 11);			  /* 4 */
	add(HT_OP_WRITE, HT_VERDICT_DENY, 8, "/root/y", "/bin/dd", 12);			  /* 5 */
	add(HT_OP_EXEC, HT_VERDICT_DENY, 4, "/usr/bin/curl", "/bin/sh", 10);		  /* 6 */
	add(HT_OP_READ, HT_VERDICT_DENY, 9, "/etc/shadow", "/bin/cat", 11);		  /* 7 */
	add(HT_OP_READ, HT_VERDICT_DENY, 8, "/root/a\n*", "/bin/cat", 11);		  /* 8 */
	store_end(store);
}

static struct run explain(const char *id)
{
	struct run run = RUN("explain", id);

	ck_assert_msg(run.code == 0, "%s", run.err);
	return run;
}

static void expect(const struct run *run, const char *text)
{
	ck_assert_msg(strstr(run->out, text), "no '%s' in\n%s", text, run->out);
}

START_TEST(test_deny)
{
	struct run run = explain("3");

	expect(&run, "Refused read of '/root/x' by ");
	expect(&run, "  [9] nothing is recorded of it\n    \u2514 /bin/sh[10] uid 33\n      \u2514 /bin/cat[11] uid 33\n");
	expect(&run, "  rule       file.deny /root/**\n  written in /old/50-web.yaml:8\n");
	expect(&run, "  matched    /root/x\n             the name through the mounts");
	expect(&run, "  now        it stands in ");
	expect(&run, "  except     /root/.profile: does not name it\n");
	/* a policy of another file is in the way too */
	expect(&run, "  deny       file.deny /root/** except /root/.profile, policy web, ");
	expect(&run, "  deny       file.deny /root/x, policy zbase, ");
	expect(&run, "Each of these has to let it pass");
	expect(&run, "  1. except: [/root/x]\n     allows this one path, for every program: ");
	expect(&run, "     2 of the 5 recorded refusals by this rule would have been allowed\n");
	expect(&run, "  2. unless: {exe: /bin/cat, uid: [33]}\n");
	expect(&run, "     4 of the 5 recorded refusals");
	expect(&run, "  4. ops: without `read`\n     allows read of everything that `file.deny /root/**` names");
	expect(&run, "  5. action: audit\n     allows everything that `file.deny /root/**` refuses");
	expect(&run, "     5 of the 5 recorded refusals");
	run_free(&run);
}
END_TEST

START_TEST(test_default)
{
	struct run run = explain("6");

	expect(&run, "  deny       exec.default: deny, policy web, ");
	expect(&run, "  1. exec.allow: - {path: /usr/bin/curl, origin: image}\n");
	expect(&run, "  2. exec.allow: - /usr/bin/curl\n     allows executing this one path, for every program\n");
	expect(&run, "  3. exec.allow: - /usr/bin/**\n     allows executing everything below /usr/bin, whatever comes there\n");
	run_free(&run);
}
END_TEST

/* An exception of a literal rule would be the whole rule; a name that needs escapes is not suggested. */
START_TEST(test_literal)
{
	struct run run = explain("7");

	ck_assert_ptr_null(strstr(run.out, "except: ["));
	expect(&run, "  1. unless: {exe: /bin/cat, uid: [33]}\n");
	run_free(&run);
	run = explain("8");
	ck_assert_ptr_null(strstr(run.out, "except: ["));
	ck_assert_ptr_null(strstr(run.out, "a\n*"));
	expect(&run, "/root/a\\x0a*");
	run_free(&run);
}
END_TEST

START_TEST(test_policy_gone)
{
	struct run run;

	run_put("policies/50-web.yaml", "policy: web\nmatch: [{cgroup: " CGROUP "}]\n");
	run = explain("4");
	expect(&run, "  now        the policy has no such rule any more\n");
	expect(&run, "What the policy files say to it now\n  allow\n");
	ck_assert_ptr_null(strstr(run.out, "Edits"));
	run_free(&run);
	run_put("policies/50-web.yaml", "");
	run_put("policies/60-base.yaml", "");
	run = explain("4");
	expect(&run, "there is no policy of this name in the policy directories any more\n");
	expect(&run, "no policy governs this container\n");
	run_free(&run);
}
END_TEST

START_TEST(test_json)
{
	struct run run = RUN("explain", "--json", "last");
	json_t *json;

	ck_assert_int_eq(run.code, 0);
	json = json_loads(run.out, 0, NULL);
	ck_assert_int_eq(json_number(json_object_get(json, "event"), "id"), 8);
	run_free(&run);
	json_decref(json);
	run = RUN("explain", "--json", "2");
	json = json_loads(run.out, 0, NULL);
	ck_assert_str_eq(json_text(json, "verdict_now"), "deny");
	ck_assert_uint_eq(json_array_size(json_object_get(json, "obstacles")), 2);
	ck_assert_uint_eq(json_array_size(json_object_get(json, "ancestors")), 2);
	ck_assert_str_eq(json_text(json_array_get(json_object_get(json, "edits"), 0), "edit"), "except: [/root/x]");
	ck_assert_int_eq(json_number(json, "recorded"), 5);
	json_decref(json);
	run_free(&run);
}
END_TEST

START_TEST(test_wrong)
{
	static const struct {
		const char *args[4];
		int code;
		const char *err;
	} cases[] = {
		{{"explain"}, 2, "needs the number of an event"},
		{{"explain", "x"}, 2, "'x' is no event"},
		{{"explain", "0"}, 2, "'0' is no event"},
		{{"explain", "1", "2"}, 2, "takes no '2'"},
		{{"explain", "4711"}, 1, "No event 4711"},
		{{"--state-dir=/nonexistent", "explain", "1"}, 1, "/nonexistent/events.db"},
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct run run = run_agentctl(NULL, cases[i].args);

		ck_assert_msg(run.code == cases[i].code && strstr(run.err, cases[i].err), "%zu: %d %s", i, run.code,
			      run.err);
		run_free(&run);
	}
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("explain");

	tcase_add_checked_fixture(tc, setup, run_teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_deny);
	tcase_add_test(tc, test_default);
	tcase_add_test(tc, test_literal);
	tcase_add_test(tc, test_policy_gone);
	tcase_add_test(tc, test_json);
	tcase_add_test(tc, test_wrong);
	return tcase_run(tc);
}
