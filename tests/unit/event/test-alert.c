/* SPDX-License-Identifier: Apache-2.0 */

/* agent/event/alert.c: which message, how urgent, and which fields. */

#include <sys/uio.h>

#include "tests/unit/event/sample.h"
#include "tests/unit/runner.h"

/* The value of a field, *ret_n: how often it is there. */
static const char *field(const struct event_alert *alert, const char *name, size_t *ret_len,
			 size_t *ret_n)
{
	const char *value = NULL;
	size_t n, len = strlen(name);
	const struct iovec *fields = event_alert_fields(alert, &n);

	*ret_n = 0;
	for (size_t i = 0; i < n; i++) {
		const char *data = fields[i].iov_base;

		if (fields[i].iov_len <= len || memcmp(data, name, len) != 0 || data[len] != '=')
			continue;
		(*ret_n)++;
		value = data + len + 1;
		*ret_len = fields[i].iov_len - len - 1;
	}
	return value;
}

static void check_field(const struct event_alert *alert, const char *name, const char *expected,
			size_t expected_len)
{
	size_t len = 0, n;
	const char *value = field(alert, name, &len, &n);

	if (!expected) {
		ck_assert_msg(n == 0, "%s", name);
		return;
	}
	ck_assert_msg(n == 1, "%s is there %zu times", name, n);
	ck_assert_msg(len == expected_len && memcmp(value, expected, len) == 0, "%s is %.*s", name,
		      (int)len, value);
}

static const struct {
	const char *name, *value;
} refused[] = {
	{"MESSAGE_ID", EVENT_MESSAGE_REFUSED},
	{"PRIORITY", "2"},
	{"MESSAGE", "Refused read of '/etc/shadow' (deleted) by '/usr/bin/cat' (pid 1234, uid 33) "
		    "in container 'web': "
		    "policy 'web-demo', rule file.deny /etc/shadow (50-web-demo.yaml:20); no "
		    "secrets for the web"},
	{"HAETAE_KIND", "verdict"},
	{"HAETAE_VERDICT", "deny"},
	{"HAETAE_REASON", "policy"},
	{"HAETAE_OP", "read"},
	{"HAETAE_SEVERITY", "critical"},
	{"HAETAE_POLICY", "web-demo"},
	{"HAETAE_RULE", "file.deny /etc/shadow"},
	{"HAETAE_RULE_ID", "fedcba9876543210"},
	{"HAETAE_RULE_FILE", "/etc/haetae/policies.d/50-web-demo.yaml"},
	{"HAETAE_RULE_LINE", "20"},
	{"HAETAE_RULE_MESSAGE", "no secrets for the web"},
	{"HAETAE_CONTAINER", "web"},
	{"HAETAE_CONTAINER_ID", "0123456789abcdef0123456789abcdef"},
	{"HAETAE_RUNTIME", "podman"},
	{"HAETAE_CGROUP", "/machine.slice/libpod-abc.scope"},
	{"HAETAE_CGROUP_ID", "4711"},
	{"HAETAE_PATH", "/etc/shadow"},
	{"HAETAE_DEV", "8:17"},
	{"HAETAE_INODE", "18446744069414584321"},
	{"HAETAE_EXE", "/usr/bin/cat"},
	{"HAETAE_COMM", "cat"},
	{"HAETAE_ARGV", "/usr/bin/cat -n  /etc/shadow"},
	{"HAETAE_PID", "1234"},
	{"HAETAE_PPID", "1200"},
	{"HAETAE_UID", "33"},
	{"HAETAE_GID", "34"},
	{"HAETAE_START_NS", "4000000000"},
	{"HAETAE_COUNT", "1"},
	{"HAETAE_GENERATION", "12"},
	{"HAETAE_BOOTTIME_NS", "5000000000"},
	{"HAETAE_CPU", "3"},
	{"HAETAE_SEQ", "100"},
	{"HAETAE_NOTICE", NULL},
};

START_TEST(test_fields_of_a_refusal)
{
	struct event event = sample_event(0);
	struct event_alert *alert;
	size_t n;

	ck_assert_int_eq(event_alert_new(&event, &alert), 0);
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		check_field(alert, refused[i].name, refused[i].value,
			    refused[i].value ? strlen(refused[i].value) : 0);
	/* no field without a line in this table */
	(void)event_alert_fields(alert, &n);
	ck_assert_uint_eq(n, ARRAY_LEN(refused) - 1);
	(void)event_alert_free(alert);
	event_deinit(&event);
}
END_TEST

START_TEST(test_fields_of_nothing_known)
{
	struct event event = {.kind = EVENT_VERDICT, .verdict = HT_VERDICT_DENY};
	static const char *const absent[] = {
		"HAETAE_POLICY",    "HAETAE_RULE",	"HAETAE_RULE_ID",   "HAETAE_RULE_FILE",
		"HAETAE_RULE_LINE", "HAETAE_CONTAINER", "HAETAE_CGROUP_ID", "HAETAE_PATH",
		"HAETAE_EXE",	    "HAETAE_ARGV",	"HAETAE_COMM",	    "HAETAE_OP"};
	struct event_alert *alert;

	ck_assert_int_eq(event_alert_new(&event, &alert), 0);
	for (size_t i = 0; i < ARRAY_LEN(absent); i++)
		check_field(alert, absent[i], NULL, 0);
	check_field(alert, "HAETAE_VERDICT", "deny", 4);
	(void)event_alert_free(alert);
}
END_TEST

/* A journal field is its bytes: names go in raw, and cannot become another field. */
START_TEST(test_every_byte)
{
	struct event event = sample_event(0);
	char name[12] = {'a', (char)_i, 'P', 'R', 'I', 'O', 'R', 'I', 'T', 'Y', '=', '0'};
	struct event_alert *alert;
	const char *message;
	size_t len, n;

	free(event.path.data);
	event.path = sample_bytes(name, sizeof(name));
	ck_assert_int_eq(event_alert_new(&event, &alert), 0);
	check_field(alert, "HAETAE_PATH", name, sizeof(name));
	check_field(alert, "PRIORITY", "2", 1);
	message = field(alert, "MESSAGE", &len, &n);
	for (size_t i = 0; i < len; i++)
		ck_assert((unsigned char)message[i] >= 0x20 && message[i] != 0x7f);
	(void)event_alert_free(alert);
	event_deinit(&event);
}
END_TEST

static const struct {
	enum event_kind kind;
	uint8_t verdict;
	enum event_notice notice;
	const char *id;
} ids[] = {
	{EVENT_VERDICT, HT_VERDICT_DENY, 0, EVENT_MESSAGE_REFUSED},
	{EVENT_VERDICT, HT_VERDICT_KILL, 0, EVENT_MESSAGE_REFUSED},
	{EVENT_VERDICT, HT_VERDICT_WOULD_DENY, 0, EVENT_MESSAGE_WOULD_REFUSE},
	{EVENT_VERDICT, HT_VERDICT_ALLOW, 0, NULL},
	{EVENT_VERDICT, HT_VERDICT_AUDIT, 0, NULL},
	{EVENT_VERDICT, HT_VERDICT_SELF_TEST, 0, NULL},
	{EVENT_AGGREGATE, HT_VERDICT_DENY, 0, EVENT_MESSAGE_FLOOD},
	{EVENT_AGGREGATE, HT_VERDICT_WOULD_DENY, 0, EVENT_MESSAGE_FLOOD},
	{EVENT_AGGREGATE, HT_VERDICT_ALLOW, 0, NULL},
	{EVENT_LOSS, HT_VERDICT_ALLOW, 0, EVENT_MESSAGE_LOSS},
	{EVENT_LOSS, HT_VERDICT_DENY, 0, EVENT_MESSAGE_LOSS},
	{EVENT_EXIT, 0, 0, NULL},
	{EVENT_GOVERNED, 0, 0, NULL},
	{EVENT_RELEASED, 0, 0, NULL},
	{EVENT_AGENT, 0, EVENT_NOTICE_NONE, NULL},
	{EVENT_AGENT, 0, EVENT_NOTICE_READY, EVENT_MESSAGE_READY},
	{EVENT_AGENT, 0, EVENT_NOTICE_STOPPED, EVENT_MESSAGE_STOPPED},
	{EVENT_AGENT, 0, EVENT_NOTICE_PUBLISHED, EVENT_MESSAGE_POLICY_PUBLISHED},
	{EVENT_AGENT, 0, EVENT_NOTICE_STALE, EVENT_MESSAGE_POLICY_STALE},
	{EVENT_AGENT, 0, EVENT_NOTICE_STORE, EVENT_MESSAGE_STORE},
	{EVENT_AGENT, 0, EVENT_NOTICE_TAMPERED, EVENT_MESSAGE_TAMPERED},
	{EVENT_AGENT, 0, EVENT_NOTICE_TRIAL, EVENT_MESSAGE_POLICY_TRIAL},
	{EVENT_AGENT, 0, EVENT_NOTICE_CONFIRMED, EVENT_MESSAGE_POLICY_CONFIRMED},
	{EVENT_AGENT, 0, EVENT_NOTICE_ROLLED_BACK, EVENT_MESSAGE_POLICY_ROLLED_BACK},
	{EVENT_AGENT, 0, EVENT_NOTICE_DISARMED, EVENT_MESSAGE_DISARMED},
	{EVENT_AGENT, 0, EVENT_NOTICE_ARMED, EVENT_MESSAGE_ARMED},
};

START_TEST(test_message_id)
{
	struct event event = {.kind = ids[_i].kind,
			      .verdict = ids[_i].verdict,
			      .notice = ids[_i].notice,
			      .count = 1};
	struct event_alert *alert;

	ck_assert(sample_text_equal(event_message_id(&event), ids[_i].id));
	ck_assert_int_eq(event_alert_new(&event, &alert), 0);
	check_field(alert, "MESSAGE_ID", ids[_i].id, 32);
	(void)event_alert_free(alert);
}
END_TEST

static const struct {
	enum event_kind kind;
	enum policy_severity severity;
	int priority;
} priorities[] = {
	{EVENT_VERDICT, POLICY_SEVERITY_CRITICAL, 2}, {EVENT_VERDICT, POLICY_SEVERITY_HIGH, 4},
	{EVENT_VERDICT, POLICY_SEVERITY_MEDIUM, 5},   {EVENT_VERDICT, POLICY_SEVERITY_LOW, 6},
	{EVENT_VERDICT, POLICY_SEVERITY_INFO, 6},     {EVENT_AGGREGATE, POLICY_SEVERITY_HIGH, 4},
	{EVENT_AGENT, POLICY_SEVERITY_CRITICAL, 2},   {EVENT_AGENT, POLICY_SEVERITY_HIGH, 3},
	{EVENT_AGENT, POLICY_SEVERITY_MEDIUM, 4},     {EVENT_AGENT, POLICY_SEVERITY_LOW, 5},
	{EVENT_AGENT, POLICY_SEVERITY_INFO, 6},	      {EVENT_LOSS, POLICY_SEVERITY_INFO, 3},
	{EVENT_LOSS, POLICY_SEVERITY_CRITICAL, 2},    {EVENT_VERDICT, _POLICY_SEVERITY_MAX, 4},
};

START_TEST(test_priority)
{
	struct event event = {.kind = priorities[_i].kind, .severity = priorities[_i].severity};

	ck_assert_int_eq(event_priority(&event), priorities[_i].priority);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("alert");

	tcase_add_test(tc, test_fields_of_a_refusal);
	tcase_add_test(tc, test_fields_of_nothing_known);
	tcase_add_loop_test(tc, test_every_byte, 0, 256);
	tcase_add_loop_test(tc, test_message_id, 0, (int)ARRAY_LEN(ids));
	tcase_add_loop_test(tc, test_priority, 0, (int)ARRAY_LEN(priorities));
	return tcase_run(tc);
}
