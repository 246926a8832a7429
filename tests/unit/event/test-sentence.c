/* SPDX-License-Identifier: Apache-2.0 */

/* agent/event/sentence.c: what each kind of event says to a person. */

#include "tests/unit/event/sample.h"
#include "tests/unit/runner.h"
#include "util/strbuf.h"

static void text_drop(char **text)
{
	free(*text);
	*text = NULL;
}

static void plain(struct event *e)
{
	text_drop(&e->message);
	e->flags = 0;
}
static void message(struct event *e)
{
	e->flags = 0;
}
static void audit_mode(struct event *e)
{
	plain(e);
	e->verdict = HT_VERDICT_WOULD_DENY;
	e->op = HT_OP_EXEC;
}
static void deleted(struct event *e)
{
	plain(e);
	e->flags = HT_RECORD_DELETED | HT_RECORD_PATH_TRUNCATED;
}
static void foreign(struct event *e)
{
	plain(e);
	e->reason = HT_REASON_FOREIGN;
	text_drop(&e->rule_text);
	text_drop(&e->rule_file);
}
static void bare(struct event *e)
{
	event_deinit(e);
	e->verdict = HT_VERDICT_DENY;
	e->pid = 5;
}
static void identity(struct event *e)
{
	bare(e);
	e->dev = 8 << 20 | 1;
	e->ino = 42;
	e->cgroup_id = 17;
}
static void clock_line(struct event *e)
{
	bare(e);
	e->op = HT_KERNEL_OP(HT_KERNEL_CLOCK);
	e->reason = HT_REASON_KERNEL;
}
static void mount_line(struct event *e)
{
	plain(e);
	e->op = HT_KERNEL_OP(HT_KERNEL_MOUNT);
}
static void flood(struct event *e)
{
	plain(e);
	e->kind = EVENT_AGGREGATE;
	e->count = 1532;
	e->first_ns = 1000000000;
	e->last_ns = 3250000000;
}
static void exited(struct event *e)
{
	plain(e);
	e->kind = EVENT_EXIT;
	e->exit_code = 3 << 8;
}
static void killed(struct event *e)
{
	exited(e);
	e->exit_code = 0x80 | 11;
}
static void governed(struct event *e)
{
	plain(e);
	e->kind = EVENT_GOVERNED;
}
static void governed_by_two(struct event *e)
{
	governed(e);
	text_drop(&e->policy);
	e->n_profiles = 2;
}
static void released(struct event *e)
{
	text_drop(&e->container);
	e->kind = EVENT_RELEASED;
}
static void lost(struct event *e)
{
	bare(e);
	e->kind = EVENT_LOSS;
	e->count = 3;
}
static void agent(struct event *e)
{
	bare(e);
	e->kind = EVENT_AGENT;
	e->message = sample_text("Reloaded: \033[31m");
}
static void agent_silent(struct event *e)
{
	bare(e);
	e->kind = EVENT_AGENT;
	e->notice = EVENT_NOTICE_STOPPED;
}
static void hostile(struct event *e)
{
	plain(e);
	free(e->path.data);
	e->path = sample_bytes("/x'\n: policy 'fake'\xff", 20);
}

static const struct {
	void (*change)(struct event *e);
	const char *expected;
} sentences[] = {
	{plain,
	 "Refused read of '/etc/shadow' by '/usr/bin/cat' (pid 1234, uid 33) in container 'web': "
	 "policy 'web-demo', rule file.deny /etc/shadow (50-web-demo.yaml:20)"},
	{message,
	 "Refused read of '/etc/shadow' by '/usr/bin/cat' (pid 1234, uid 33) in container 'web': "
	 "policy 'web-demo', rule file.deny /etc/shadow (50-web-demo.yaml:20); no secrets for the "
	 "web"},
	{audit_mode, "Would have refused execution of '/etc/shadow' by '/usr/bin/cat' (pid 1234, "
		     "uid 33) in container "
		     "'web': policy 'web-demo', rule file.deny /etc/shadow (50-web-demo.yaml:20)"},
	{deleted, "Refused read of '/etc/shadow…' (deleted) by '/usr/bin/cat' (pid 1234, uid 33) "
		  "in container "
		  "'web': policy 'web-demo', rule file.deny /etc/shadow (50-web-demo.yaml:20)"},
	{foreign,
	 "Refused read of '/etc/shadow' by '/usr/bin/cat' (pid 1234, uid 33) in container 'web': "
	 "reached through a mount outside the process's mount namespace; policy 'web-demo'"},
	{bare, "Refused access to an object without a name by a process (pid 5, uid 0)"},
	{identity, "Refused access to the object at device 8:1, inode 42 by a process (pid 5, uid "
		   "0) in cgroup 17"},
	{clock_line, "Refused setting of the clock by a process (pid 5, uid 0): a way out of the container"},
	{mount_line,
	 "Refused a change of mounts ('/etc/shadow') by '/usr/bin/cat' (pid 1234, uid 33) in "
	 "container 'web': policy 'web-demo', rule file.deny /etc/shadow (50-web-demo.yaml:20)"},
	{flood,
	 "Refused 1532 times in 2.250 s read of '/etc/shadow', last by '/usr/bin/cat' (pid 1234, "
	 "uid 33) "
	 "in container 'web': policy 'web-demo', rule file.deny /etc/shadow (50-web-demo.yaml:20)"},
	{exited, "'/usr/bin/cat' (pid 1234, uid 33) in container 'web' exited with status 3"},
	{killed,
	 "'/usr/bin/cat' (pid 1234, uid 33) in container 'web' killed by signal 11, core dumped"},
	{governed, "container 'web' came under policy 'web-demo'"},
	{governed_by_two, "container 'web' came under policies"},
	{released, "cgroup '/machine.slice/libpod-abc.scope' is gone"},
	{lost, "Could not record 3 verdicts of 'deny'; what was decided held all the same"},
	{agent, "Reloaded: \\x1b[31m"},
	{agent_silent, "Agent: stopped"},
	{hostile,
	 "Refused read of '/x'\\x0a: policy 'fake'\\xff' by '/usr/bin/cat' (pid 1234, uid 33) in "
	 "container 'web': policy 'web-demo', rule file.deny /etc/shadow (50-web-demo.yaml:20)"},
};

START_TEST(test_sentence)
{
	_cleanup_strbuf_ struct strbuf b = {};
	struct event event = sample_event(0);

	sentences[_i].change(&event);
	event_render_sentence(&event, &b);
	ck_assert_str_eq(strbuf_str(&b), sentences[_i].expected);
	event_deinit(&event);
}
END_TEST

/* Each operation, verdict and reason has its own words. */
START_TEST(test_all_words)
{
	struct event event = sample_event(0);

	for (unsigned op = 0; op < HT_OP_MAX; op++) {
		_cleanup_strbuf_ struct strbuf b = {};

		event.op = 1U << op;
		event_render_sentence(&event, &b);
		ck_assert_ptr_null(strstr(strbuf_str(&b), "access to"));
	}
	for (uint8_t reason = HT_REASON_FOREIGN; reason < HT_REASON_MAX; reason++) {
		_cleanup_strbuf_ struct strbuf b = {}, plain_one = {};

		event.reason = HT_REASON_POLICY;
		event_render_sentence(&event, &plain_one);
		event.reason = reason;
		event_render_sentence(&event, &b);
		ck_assert_uint_gt(b.len, plain_one.len + 10);
	}
	event_deinit(&event);
}
END_TEST

START_TEST(test_every_byte)
{
	_cleanup_strbuf_ struct strbuf b = {};
	struct event event = sample_event(0);
	char name[4] = {'a', (char)_i, 'b', '\0'};

	free(event.path.data);
	event.path = sample_bytes(name, 3);
	free(event.exe.data);
	event.exe = sample_bytes(name, 3);
	free(event.container);
	event.container = sample_text(name);
	free(event.rule_text);
	event.rule_text = sample_text(name);
	free(event.message);
	event.message = sample_text(name);
	event_render_sentence(&event, &b);
	for (size_t i = 0; i < b.len; i++)
		ck_assert((unsigned char)b.data[i] >= 0x20 && b.data[i] != 0x7f);
	event_deinit(&event);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("sentence");

	tcase_add_loop_test(tc, test_sentence, 0, (int)ARRAY_LEN(sentences));
	tcase_add_test(tc, test_all_words);
	tcase_add_loop_test(tc, test_every_byte, 0, 256);
	return tcase_run(tc);
}
