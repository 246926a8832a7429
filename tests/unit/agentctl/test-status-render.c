/* SPDX-License-Identifier: Apache-2.0 */

/* The answer to "status" as text: what each state looks like, and the check of the loss ledger. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "programs/agentctl/agentctl.h"
#include "tests/unit/runner.h"
#include "util/cleanup.h"

#define NOW 1795243898000000LL

static const char base[] =
	"{\"version\": \"0.1.0\", \"pid\": 812, \"since_us\": 1795243598000000,"
	" \"boot_id\": \"5d2c000000000000000000000000beef\", \"mode\": \"enforce\","
	" \"kernel\": \"6.1.0-49-amd64\", \"generation\": 7,"
	" \"canary\": {\"ok\": true, \"at_us\": 1795243599000000},"
	" \"links\": {\"attached\": 9, \"expected\": 9, \"names\": [\"file_open\"]},"
	" \"policies\": [{\"name\": \"web\", \"file\": \"/etc/haetae/policies.d/50-web.yaml\", "
	"\"line\": 2,"
	"   \"mode\": \"enforce\", \"state\": \"active\", \"profile\": 3, \"rules\": 14, "
	"\"cgroups\": 1}],"
	" \"sources\": [{\"path\": \"/etc/haetae/policies.d/50-web.yaml\", \"state\": \"active\"}],"
	" \"containers\": [{\"name\": \"web\", \"id\": \"0123456789abcdef0123\", \"runtime\": "
	"\"podman\","
	"   \"cgroup\": \"/machine.slice/libpod-0123.scope\", \"cgroup_id\": 4711,"
	"   \"policies\": [\"web\", \"base\"], \"counted\": 12}],"
	" \"counters\": {\"deny\": {\"counted\": 12, \"emitted\": 10, \"aggregated\": 2, \"lost\": "
	"0},"
	"   \"audit\": {\"counted\": 0, \"emitted\": 0, \"aggregated\": 0, \"lost\": 0}},"
	" \"store\": {\"path\": \"/var/lib/haetae/events.db\", \"committed\": 40, \"pending\": 0,"
	"   \"dropped\": 0, \"degraded\": false, \"stored\": {\"deny\": 10}, \"unstored\": {}},"
	" \"notices\": {\"emitted\": 5, \"lost\": 0}, \"failures\": {\"depth\": 0},"
	" \"labels\": 34, \"warnings\": []}";

/* Each changes members of the base (merged at depth) and looks for a part; a part that begins with
 * "!" must not be there. */
static const struct {
	const char *change;
	const char *part;
} cases[] = {
	{"{}", "\xe2\x97\x8f haetaed 0.1.0 - enforcing, 1 policies on 1 cgroups\n"},
	{"{}", "Agent: pid 812, since Sat 2026-11-21 06:46:38 UTC; 5min ago\n"},
	{"{}", "Kernel: Linux 6.1.0-49-amd64, boot 5d2c000000000000000000000000beef\n"},
	{"{}", "Generation: 7; 34 labelled tasks\n"},
	{"{}", "Hooks: 9 of 9 attached\n"},
	{"{}", "Canary: refused as it must be, Sat 2026-11-21 06:46:39 UTC; 4min 59s ago\n"},
	{"{}", "Store: /var/lib/haetae/events.db: 40 rows written, 0 waiting\n"},
	{"{}", "  web     enforce  active     14        1  /etc/haetae/policies.d/50-web.yaml:2\n"},
	{"{}", "  web        podman   0123456789ab  web, base        12  "
	       "/machine.slice/libpod-0123.scope\n"},
	{"{}", "  deny          12      10           2     0  balanced\n"},
	{"{}", "!audit"},
	{"{}", "!need a look"},
	{"{}", "!Warnings"},
	{"{}", "!another reason"},
	{"{}", "!dropped"},
	{"{}", "!\033"},
	/* modes and health */
	{"{\"mode\": \"audit\"}", "haetaed 0.1.0 - auditing"},
	{"{\"mode\": \"idle\", \"policies\": [], \"containers\": []}",
	 " - idle, 0 policies on 0 cgroups"},
	{"{\"policies\": []}", "  none is in force\n"},
	{"{\"containers\": []}", "  no cgroup matches a policy now\n"},
	{"{\"links\": {\"attached\": 8, \"missing\": [\"mmap_file\"]}}",
	 "Hooks: 8 of 9 attached; missing mmap_file\n"},
	{"{\"links\": {\"idle\": [\"haetae_sb_mount\", \"haetae_capable\"]}}",
	 "Hooks: 9 of 9 attached; 2 without a program, no policy needs them\n"},
	{"{\"canary\": {\"ok\": false, \"error\": \"open succeeded\"}}",
	 "Canary: NOT refused: nothing is protected (open succeeded)"},
	{"{\"store\": {\"dropped\": 3}}", "0 waiting, 3 dropped\n"},
	{"{\"store\": {\"degraded\": true, \"error\": \"disk is full\"}}",
	 "the last write failed: disk is full\n"},
	{"{\"sources\": [{\"path\": \"/etc/haetae/policies.d/60-db.yaml\", \"state\": \"stale\","
	 " \"error\": \"line 3: unknown key\"}]}",
	 "  /etc/haetae/policies.d/60-db.yaml: stale: line 3: unknown key\n"},
	{"{\"sources\": [{\"path\": \"/x\", \"state\": \"masked\"}]}", "  /x: masked\n"},
	{"{\"times\": [{\"policy\": \"web\", \"file\": \"/p/web.yaml\", \"line\": 7, \"rule\": "
	 "\"file.deny /a\", \"state\": \"staged\", \"at_us\": 1796083200000000}]}",
	 "  file.deny /a  staged  2026-12-01 00:00:00  /p/web.yaml:7\n"},
	{"{\"times\": [7, {}]}", "1970-01-01"},
	{"{\"failures\": {\"depth\": 4}}", "  depth: 4\n"},
	{"{\"notices\": {\"lost\": 2}}", "2 of 7 notices"},
	{"{\"warnings\": [\"clock stepped\"]}", "Warnings\n  clock stepped\n"},
	/* the ledger */
	{"{\"counters\": {\"deny\": {\"counted\": 13}}}", "differs by +1\n"},
	{"{\"counters\": {\"deny\": {\"counted\": 11}}}", "differs by -1\n"},
	{"{\"counters\": {\"deny\": {\"counted\": 13, \"lost\": 1}}}", "     1  balanced\n"},
	{"{\"counters\": {\"deny\": {\"counted\": 13}}, \"store\": {\"unstored\": {\"deny\": 1}}}",
	 "     1  balanced\n"},
	{"{\"counters\": {\"deny\": {\"counted\": 15}}, \"store\": {\"pending\": 3}}",
	 "balanced, 3 on the way\n"},
	{"{\"counters\": {\"deny\": {\"counted\": 16}}, \"store\": {\"pending\": 3}}",
	 "differs by +4\n"},
	{"{\"counters\": {\"deny\": {\"counted\": 11}}, \"store\": {\"pending\": 3}}",
	 "differs by -1\n"},
	/* what waits is only there once */
	{"{\"counters\": {\"deny\": {\"counted\": 14}, \"audit\": {\"counted\": 2}},"
	 " \"store\": {\"pending\": 3}}",
	 "audit          2       0           0     0  differs by +2\n"},
	{"{\"counters\": {\"deny\": {\"counted\": 0, \"aggregated\": 0}}, \"store\": {\"stored\": "
	 "{\"deny\": 0}}}",
	 "  none\n"},
	/* texts from outside */
	{"{\"warnings\": [\"a\\u001b[2J\\nb\"]}", "  a\\x1b[2J\\x0ab\n"},
	{"{\"version\": \"\\u009b31m\"}", "haetaed \\xc2\\x9b31m"},
	/* members that are missing or of another type are empty, not a crash */
	{"{\"policies\": 7, \"containers\": \"x\", \"counters\": [], \"store\": null, \"canary\": "
	 "[],"
	 " \"links\": false, \"warnings\": {}, \"failures\": 1, \"sources\": 2, \"version\": 3, "
	 "\"mode\": {},"
	 " \"since_us\": \"x\", \"kernel\": null}",
	 "haetaed ? - ?, 0 policies"},
	{"{\"policies\": [7, null, {}], \"containers\": [{}, []], \"warnings\": [1], \"sources\": "
	 "[[]],"
	 " \"counters\": {\"deny\": 7}}",
	 "3 policies on 2 cgroups"},
};

static json_t *changed(const char *change)
{
	json_t *status = json_loads(base, 0, NULL);
	json_t *other = json_loads(change, 0, NULL);

	ck_assert_ptr_nonnull(status);
	ck_assert_ptr_nonnull(other);
	ck_assert_int_eq(json_object_update_recursive(status, other), 0);
	json_decref(other);
	return status;
}

START_TEST(test_render)
{
	_cleanup_strbuf_ struct strbuf b = {};
	json_t *status = changed(cases[_i].change);
	const char *part = cases[_i].part;
	bool absent = part[0] == '!';

	ck_assert_int_eq(status_render(status, NOW, false, &b), 0);
	json_decref(status);
	ck_assert_msg((strstr(strbuf_str(&b), part + absent) == NULL) == absent, "%s in\n%s", part,
		      strbuf_str(&b));
}
END_TEST

static const struct {
	const char *change;
	const char *dot;
} healths[] = {
	{"{}", "\033[32m\xe2\x97\x8f"},
	{"{\"canary\": {\"ok\": false}}", "\033[1;31m\xe2\x97\x8f"},
	{"{\"links\": {\"attached\": 8}}", "\033[1;31m\xe2\x97\x8f"},
	{"{\"policies\": [{\"state\": \"stale\"}]}", "\033[33m\xe2\x97\x8f"},
	{"{\"store\": {\"degraded\": true}}", "\033[33m\xe2\x97\x8f"},
	{"{\"warnings\": [\"x\"]}", "\033[33m\xe2\x97\x8f"},
	{"{\"counters\": {\"deny\": {\"counted\": 99}}}", "\033[1;31m\xe2\x97\x8f"},
};

START_TEST(test_health)
{
	_cleanup_strbuf_ struct strbuf b = {};
	json_t *status = changed(healths[_i].change);

	ck_assert_int_eq(status_render(status, NOW, true, &b), 0);
	json_decref(status);
	ck_assert_msg(strncmp(strbuf_str(&b), healths[_i].dot, strlen(healths[_i].dot)) == 0, "%s",
		      strbuf_str(&b));
}
END_TEST

START_TEST(test_ledger_color)
{
	_cleanup_strbuf_ struct strbuf b = {};
	json_t *status = changed("{\"counters\": {\"deny\": {\"counted\": 99}}}");

	ck_assert_int_eq(status_render(status, NOW, true, &b), 0);
	json_decref(status);
	ck_assert_ptr_nonnull(strstr(strbuf_str(&b), "\033[1;31mdiffers by +87\033[0m"));
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("status-render");

	(void)setenv("TZ", "UTC0", 1);
	tcase_add_loop_test(tc, test_render, 0, (int)ARRAY_LEN(cases));
	tcase_add_loop_test(tc, test_health, 0, (int)ARRAY_LEN(healths));
	tcase_add_test(tc, test_ledger_color);
	return tcase_run(tc);
}
