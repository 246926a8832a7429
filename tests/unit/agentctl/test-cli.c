/* SPDX-License-Identifier: Apache-2.0 */

/* The program as a person runs it: commands, options, exit codes, what goes to which stream. */

#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "run.h"
#include "tests/unit/runner.h"

#define STATUS                                                                                     \
	"{\"version\": \"" HAETAE_VERSION "\", \"pid\": 812, \"mode\": \"enforce\","               \
	" \"canary\": {\"ok\": true}, \"links\": {\"attached\": 9, \"expected\": 9},"              \
	" \"policies\": [{\"name\": \"web\", \"file\": \"x\", \"line\": 1, \"mode\": \"enforce\"," \
	"   \"state\": \"stale\", \"rules\": 3, \"cgroups\": 2},"                                  \
	"  {\"name\": \"gone\", \"file\": \"y\", \"line\": 1, \"mode\": \"audit\","                \
	"   \"state\": \"active\", \"rules\": 1, \"cgroups\": 0}],"                                \
	" \"containers\": [{\"name\": \"web\", \"id\": null, \"runtime\": \"systemd\","            \
	"   \"cgroup\": \"/system.slice/nginx.service\", \"policies\": [\"web\"], \"counted\": "   \
	"5}],"                                                                                     \
	" \"counters\": {\"deny\": {\"counted\": 0}}, \"store\": {}}"

#define POLICY                                                                                     \
	"policy: web\n"                                                                            \
	"mode: enforce\n"                                                                          \
	"match:\n"                                                                                 \
	"  - unit: nginx.service\n"                                                                \
	"file:\n"                                                                                  \
	"  deny:\n"                                                                                \
	"    - /etc/shadow\n"

/* What each command line comes to, without an agent and without a database. "" in out or err:
 * nothing is printed there; NULL: not looked at; else a part of it. */
static const struct {
	const char *args[8];
	const char *input;
	int code;
	const char *out, *err;
} cases[] = {
	{{NULL}, NULL, 2, "", "Commands:"},
	{{"--help"}, NULL, 0, "policy check FILE...", ""},
	{{"-h"}, NULL, 0, "Commands:", ""},
	{{"--version"}, NULL, 0, "agentctl " HAETAE_VERSION "\n", ""},
	{{"nonsense"}, NULL, 2, "", "Unknown command 'nonsense'"},
	{{"\033[2J"}, NULL, 2, "", "'\\x1b[2J'"},
	{{"--nonsense"}, NULL, 2, "", "Option '--nonsense' is not understood"},
	{{"-x"}, NULL, 2, "", "Option '-x' is not understood"},
	{{"--state-dir"}, NULL, 2, "", "Option '--state-dir' needs an argument"},
	{{"--color=blue", "status"}, NULL, 2, "", "'blue' is none of auto, always, never"},
	{{"--no-pager=1", "status"}, NULL, 2, "", "'--no-pager=1'"},
	{{"status", "--color", "blue"}, NULL, 2, "", "'blue'"},
	/* status */
	{{"status"}, NULL, 3, "haetaed - not running", ""},
	{{"status"}, NULL, 3, "no, nothing is enforced", ""},
	{{"status", "--no-pager"}, NULL, 3, "not running", ""},
	{{"status", "--json"}, NULL, 3, "\"running\": false", ""},
	{{"status", "--color=always"}, NULL, 3, "\033[1;31m", ""},
	{{"status", "--color=auto"}, NULL, 3, "not running", ""},
	{{"status", "extra"}, NULL, 2, "", "status takes no 'extra'"},
	{{"status", "--follow"}, NULL, 2, "", "'--follow' is not understood"},
	{{"status", "-hx"}, NULL, 0, "agentctl status [--json]", ""},
	/* containers */
	{{"containers"}, NULL, 3, "", "not running"},
	{{"containers", "--help"}, NULL, 0, "agentctl containers", ""},
	{{"containers", "x"}, NULL, 2, "", "takes no 'x'"},
	/* reload */
	{{"reload"}, NULL, 3, "", "not running"},
	{{"reload", "now"}, NULL, 2, "", "takes no 'now'"},
	{{"reload", "--help"}, NULL, 0, "agentctl reload", ""},
	/* doctor */
	{{"doctor"}, NULL, 0, "  ok  lsm         BPF is among the active LSMs", ""},
	{{"doctor"},
	 NULL,
	 0,
	 "warn  agent       the agent is not running; enforced: no, nothing is enforced",
	 ""},
	{{"doctor"}, NULL, 0, "  ok  policy-dir", ""},
	{{"doctor"}, NULL, 0, "Nothing found that prevents enforcement", ""},
	{{"doctor", "--json"}, NULL, 0, "\"state\": \"warn\"", ""},
	{{"doctor", "x"}, NULL, 2, "", "takes no 'x'"},
	/* policy */
	{{"policy"}, NULL, 2, "", "agentctl policy check"},
	{{"policy", "frob"}, NULL, 2, "", "Unknown command 'policy frob'"},
	{{"policy", "check"}, NULL, 2, "", "needs a file"},
	{{"policy", "check", "--json", "-"}, NULL, 2, "", "'--json' is not understood"},
	{{"policy", "check", "--help"}, NULL, 0, "--strict", ""},
	{{"policy", "list", "--strict"}, NULL, 2, "", "'--strict' is not understood"},
	{{"policy", "format"}, NULL, 2, "", "needs a file"},
	{{"policy", "format", "-"}, "policy:   a # x\n", 0, "policy: a  # x\n", ""},
	{{"policy", "format", "--check", "-"}, "policy: a\n", 0, "", ""},
	{{"policy", "format", "--check", "-"}, "policy:  a\n", 1, "(standard input)\n", ""},
	{{"policy", "format", "-i", "-"}, "policy: a\n", 2, "", "cannot be written in place"},
	{{"policy", "format", "-i", "--check", "x"}, NULL, 2, "", "writes nothing"},
	{{"policy", "format", "-"}, "policy: [\n", 1, "", "(standard input):2:1: error: not YAML"},
	{{"policy", "format", "/nonexistent"}, NULL, 1, "", "No such file"},
	{{"policy", "list", "x"}, NULL, 2, "", "'x'"},
	{{"policy", "check", "-"}, POLICY, 0, "1 files, 1 policies: 0 errors, 0 warnings", ""},
	{{"policy", "check", "-"},
	 "policy: web\nmod: enforce\n",
	 1,
	 "0 files, 0 policies",
	 "(standard input):2:1"},
	{{"policy", "check", "/nonexistent.yaml"}, NULL, 1, "", "No such file"},
	{{"policy", "check", "--root", "/nonexistent", "-"}, POLICY, 1, "0 errors", "No such file"},
	{{"policy", "check", "--root", "/dev", "-"},
	 POLICY,
	 0,
	 "0 errors, 1 warnings",
	 "no container has this path: it is missing in /dev"},
	{{"policy", "check", "--strict", "--cgroups", "/dev", "-"},
	 POLICY,
	 1,
	 "0 errors, 1 warnings",
	 "selects no cgroup"},
	{{"policy", "check", "--cgroups", "/nonexistent", "-"}, POLICY, 1, NULL, "No such file"},
	{{"policy", "list", "--root", "/"}, NULL, 2, "", "Option '--root' is not understood"},
	{{"policy", "list"}, NULL, 0, "", "No policies."},
	{{"policy", "list", "--json"}, NULL, 0, "[]", ""},
	/* events */
	{{"events"}, NULL, 1, "", "Nothing is recorded yet"},
	{{"events", "--since", "tody"}, NULL, 2, "", "--since: 'tody' is not understood"},
	{{"events", "--until", "5parsec ago"}, NULL, 2, "", "--until: 'parsec'"},
	{{"events", "--since", "now", "--until", "1h ago"},
	 NULL,
	 2,
	 "",
	 "--since is after --until"},
	{{"events", "-n", "x"}, NULL, 2, "", "'x' is no number"},
	{{"events", "-n", "-5"}, NULL, 2, "", "'-5' is no number"},
	{{"events", "-n", "99999999999999999999999"}, NULL, 2, "", "is no number"},
	{{"events", "--verdict", "deny,denied"}, NULL, 2, "", "--verdict: 'denied' is none of"},
	{{"events", "--verdict", ""}, NULL, 2, "", "--verdict: '' is none of"},
	{{"events", "--op", "read,frob"}, NULL, 2, "", "--op: 'frob' is none of"},
	{{"events", "--kind", "thing"}, NULL, 2, "", "--kind: 'thing' is none of"},
	{{"events", "--container", ""}, NULL, 2, "", "--container: the pattern is empty"},
	{{"events", "--all", "--kind", "exit"}, NULL, 2, "", "--all or --kind"},
	{{"events", "-f", "-r"}, NULL, 2, "", "--follow or --reverse"},
	{{"events", "-f", "--until", "now"}, NULL, 2, "", "--follow or --until"},
	{{"events", "x"}, NULL, 2, "", "takes no 'x'"},
	{{"events", "--help"}, NULL, 0, "--since TIME", ""},
	{{"--state-dir", "/nonexistent", "events"}, NULL, 1, "", "/nonexistent/events.db"},
	{{"events", "--state-dir", "/nonexistent"}, NULL, 1, "", "/nonexistent/events.db"},
};

static void stream_check(const char *name, const char *text, const char *part,
			 const struct run *run)
{
	if (!part)
		return;
	if (!*part)
		ck_assert_msg(!*text, "%s is not empty: %s%s", name, run->out, run->err);
	else
		ck_assert_msg(strstr(text, part), "no '%s' in %s: %s%s", part, name, run->out,
			      run->err);
}

START_TEST(test_cases)
{
	struct run run = run_agentctl(cases[_i].input, cases[_i].args);

	ck_assert_msg(run.code == cases[_i].code, "case %d: exit code %d: %s%s", _i, run.code,
		      run.out, run.err);
	if (!(cases[_i].out && !*cases[_i].out && cases[_i].code == 1))
		stream_check("stdout", run.out, cases[_i].out, &run);
	stream_check("stderr", run.err, cases[_i].err, &run);
	run_free(&run);
}
END_TEST

START_TEST(test_pinned)
{
	struct run run;
	json_t *json;

	run_put("bpf/v1/links/file_open", "");
	run = RUN("status");
	ck_assert_int_eq(run.code, 3);
	ck_assert_ptr_nonnull(strstr(run.out, "what the agent published stays in force"));
	run_free(&run);
	run = RUN("status", "--json");
	ck_assert_int_eq(run.code, 3);
	json = json_loads(run.out, 0, NULL);
	ck_assert(json_is_true(json_object_get(json, "enforced")));
	json_decref(json);
	run_free(&run);
	run = RUN("doctor");
	ck_assert_int_eq(run.code, 0);
	ck_assert_ptr_nonnull(strstr(run.out, "stays in force ("));
	run_free(&run);
}
END_TEST

/* Without root nothing is claimed that cannot be seen. */
START_TEST(test_stranger)
{
	struct run run;

	if (geteuid() != 0)
		return; /* run as a stranger already: the other tests would fail */
	ck_assert_int_eq(chmod(run_dir, 0755), 0);
	ck_assert_int_eq(chmod(run_path("bpf"), 0700), 0);
	run_put("state/events.db", "");
	run_as = 65534;
	run = RUN("status");
	ck_assert_int_eq(run.code, 3);
	ck_assert_ptr_nonnull(strstr(run.out, "not known without root"));
	run_free(&run);
	run = RUN("status", "--json");
	ck_assert_int_eq(run.code, 3);
	ck_assert_ptr_nonnull(strstr(run.out, "\"enforced\": null"));
	run_free(&run);
	run = RUN("events");
	ck_assert_int_eq(run.code, 4);
	ck_assert_ptr_nonnull(strstr(run.err, "run as root"));
	run_free(&run);
	run = RUN("events", "-f");
	ck_assert_int_eq(run.code, 4);
	run_free(&run);
	run_as = 0;
	agent_start(STATUS, "{}", true);
	run_as = 65534;
	run = RUN("status");
	ck_assert_int_eq(run.code, 4);
	ck_assert_ptr_nonnull(strstr(run.err, "Not allowed to talk to the agent"));
	run_free(&run);
	run = RUN("reload");
	ck_assert_int_eq(run.code, 4);
	run_free(&run);
	run = RUN("policy", "list"); /* needs no agent */
	ck_assert_int_eq(run.code, 0);
	run_free(&run);
	run_as = 0;
	agent_stop();
}
END_TEST

START_TEST(test_with_agent)
{
	struct run run;
	json_t *json;

	agent_start(STATUS, "{\"generation\": 8, \"policies\": 2, \"changed\": true}", true);
	run = RUN("status");
	ck_assert_int_eq(run.code, 0);
	ck_assert_ptr_nonnull(strstr(run.out, "enforcing, 2 policies on 1 cgroups"));
	ck_assert_ptr_null(strchr(run.out, '\033'));
	ck_assert_str_eq(run.err, "");
	run_free(&run);
	run = RUN("status", "--color=always");
	ck_assert_ptr_nonnull(strchr(run.out, '\033'));
	run_free(&run);
	run = RUN("status", "--json");
	ck_assert_int_eq(run.code, 0);
	json = json_loads(run.out, 0, NULL);
	ck_assert(json_is_true(json_object_get(json, "running")));
	ck_assert_ptr_null(json_object_get(json, "ok"));
	ck_assert_int_eq(json_integer_value(json_object_get(json, "pid")), 812);
	json_decref(json);
	run_free(&run);

	run = RUN("containers");
	ck_assert_int_eq(run.code, 0);
	ck_assert_str_eq(
		run.out,
		"CONTAINER  RUNTIME  ID  POLICIES  VERDICTS  CGROUP\n"
		"web        systemd  -   web              5  /system.slice/nginx.service\n");
	run_free(&run);
	run = RUN("containers", "--json");
	json = json_loads(run.out, 0, NULL);
	ck_assert_uint_eq(json_array_size(json), 1);
	json_decref(json);
	run_free(&run);

	run = RUN("doctor");
	ck_assert_int_eq(run.code, 0);
	ck_assert_ptr_nonnull(
		strstr(run.out, "  ok  agent       haetaed " HAETAE_VERSION " is running"));
	ck_assert_ptr_nonnull(strstr(run.out, "  ok  canary"));
	ck_assert_ptr_nonnull(strstr(run.out, "This host can enforce."));
	run_free(&run);

	run = RUN("reload");
	ck_assert_int_eq(run.code, 0);
	ck_assert_str_eq(run.out, "2 policies in force, generation 8 (published)\n");
	run_free(&run);
	agent_stop();
}
END_TEST

START_TEST(test_reload)
{
	static const struct {
		const char *answer, *out;
	} answers[] = {
		{"{\"generation\": 8}", "generation 8\n"},
		{"{\"generation\": 8, \"policies\": 0, \"changed\": false}",
		 "0 policies in force, generation 8 (unchanged)\n"},
		{"{\"generation\": 8, \"diagnostics\": [{\"severity\": \"warning\","
		 " \"file\": \"x.yaml\", \"text\": \"matches everything\"}]}",
		 "generation 8\n"},
		{"{\"generation\": 8, \"diagnostics\": 7}", "generation 8\n"},
	};

	for (size_t i = 0; i < ARRAY_LEN(answers); i++) {
		struct run run;

		agent_start(STATUS, answers[i].answer, true);
		run = RUN("reload");
		ck_assert_int_eq(run.code, 0);
		ck_assert_str_eq(run.out, answers[i].out);
		ck_assert_int_eq(strstr(run.err, "matches everything") != NULL, i == 2);
		ck_assert_int_eq(strstr(run.err, "not readable") != NULL, i == 3);
		run_free(&run);
		agent_stop();
	}
}
END_TEST

START_TEST(test_reload_refused)
{
	static const char answer[] = "{\"generation\": 8, \"policies\": 1, \"warnings\": "
				     "[\"slow\\u001b\"], \"diagnostics\": ["
				     "{\"file\": \"/etc/haetae/policies.d/9.yaml\", \"line\": 3, "
				     "\"column\": 1, \"width\": 3,"
				     " \"severity\": \"error\", \"text\": \"unknown key 'mod'\", "
				     "\"source\": \"mod: x\"}]}";
	struct run run;
	json_t *json;

	agent_start(STATUS, answer, false);
	run = RUN("reload");
	ck_assert_int_eq(run.code, 1);
	ck_assert_ptr_nonnull(strstr(run.err, "The agent refused: 1 of 2 files is refused"));
	ck_assert_ptr_nonnull(strstr(run.err, "/etc/haetae/policies.d/9.yaml:3:1"));
	ck_assert_ptr_nonnull(strstr(run.err, "unknown key 'mod'"));
	ck_assert_ptr_nonnull(strstr(run.err, "slow\\x1b"));
	run_free(&run);
	run = RUN("reload", "--json");
	ck_assert_int_eq(run.code, 1);
	json = json_loads(run.out, 0, NULL);
	ck_assert(json_is_false(json_object_get(json, "ok")));
	json_decref(json);
	run_free(&run);
	agent_stop();
}
END_TEST

START_TEST(test_doctor_fails)
{
	struct run run;
	json_t *json;

	run_put("root/sys/kernel/security/lsm", "lockdown,capability,apparmor");
	run = RUN("doctor");
	ck_assert_int_eq(run.code, 1);
	ck_assert_ptr_nonnull(strstr(run.out, "fail  lsm"));
	ck_assert_ptr_nonnull(
		strstr(run.out, "fix: add lsm=lockdown,capability,apparmor,bpf to the kernel"));
	ck_assert_ptr_nonnull(strstr(run.out, "cannot enforce as it is"));
	run_free(&run);
	run = RUN("doctor", "--json");
	ck_assert_int_eq(run.code, 1);
	json = json_loads(run.out, 0, NULL);
	ck_assert_str_eq(json_string_value(json_object_get(json, "state")), "fail");
	ck_assert_uint_ge(json_array_size(json_object_get(json, "checks")), 9);
	json_decref(json);
	run_free(&run);
	/* and a canary that is not refused */
	run_put("root/sys/kernel/security/lsm", "bpf");
	agent_start("{\"version\": \"9.9\", \"canary\": {\"ok\": false, \"error\": \"open "
		    "succeeded\"}}",
		    "{}", true);
	run = RUN("doctor");
	ck_assert_int_eq(run.code, 1);
	ck_assert_ptr_nonnull(strstr(run.out, "fail  canary"));
	ck_assert_ptr_nonnull(strstr(run.out, "open succeeded"));
	ck_assert_ptr_nonnull(strstr(run.out, "warn  agent       haetaed 9.9 is running"));
	run_free(&run);
	agent_stop();
}
END_TEST

START_TEST(test_doctor_directories)
{
	struct run run;

	ck_assert_int_eq(chmod(run_path("state"), 0777), 0);
	ck_assert_int_eq(chmod(run_path("policies"), 0775), 0);
	run = RUN("doctor");
	ck_assert_int_eq(run.code, 1);
	ck_assert_ptr_nonnull(strstr(run.out, "fail  state-dir"));
	ck_assert_ptr_nonnull(strstr(run.out, "fail  policy-dir"));
	run_free(&run);
	run = RUN("--state-dir=/nonexistent", "doctor");
	ck_assert_ptr_nonnull(strstr(run.out, "warn  state-dir   /nonexistent: No such file"));
	run_free(&run);
}
END_TEST

START_TEST(test_policy_check)
{
	struct run run;

	run_put("new/10-web.yaml", POLICY);
	run_put("new/20-more.yml",
		"policy: db\nmatch:\n  - unit: db.service\nfile:\n  deny: [/root/**]\n");
	run_put("new/README", "not a policy: [");
	run = RUN("policy", "check", run_path("new"));
	ck_assert_msg(run.code == 0, "%s%s", run.out, run.err);
	ck_assert_str_eq(run.out, "2 files, 2 policies: 0 errors, 0 warnings\n");
	run_free(&run);
	/* one name twice: told with both files */
	run_put("new/30-again.yaml", POLICY);
	run = RUN("policy", "check", run_path("new"));
	ck_assert_int_eq(run.code, 1);
	ck_assert_ptr_nonnull(strstr(run.err, "30-again.yaml"));
	ck_assert_ptr_nonnull(strstr(run.err, "already defined in"));
	run_free(&run);
	/* every error of every file */
	run_put("new/30-again.yaml", "policy: x\nfrob: 1\nmatch: []\n");
	run_put("new/40-bad.yaml", "policy: [\n");
	run = RUN("policy", "check", run_path("new/30-again.yaml"), run_path("new/40-bad.yaml"));
	ck_assert_int_eq(run.code, 1);
	ck_assert_ptr_nonnull(strstr(run.err, "30-again.yaml:2"));
	ck_assert_ptr_nonnull(strstr(run.err, "40-bad.yaml"));
	run_free(&run);
}
END_TEST

START_TEST(test_policy_format)
{
	struct run run;
	struct stat st;

	run_put("a.yaml", "policy:   a   # name\n");
	ck_assert_int_eq(chmod(run_path("a.yaml"), 0640), 0);
	ck_assert_int_eq(symlink("a.yaml", run_path("link.yaml")), 0);
	run = RUN("policy", "format", "--in-place", run_path("link.yaml"));
	ck_assert_int_eq(run.code, 0);
	ck_assert_str_eq(run.out, "");
	run_free(&run);
	ck_assert_int_eq(lstat(run_path("link.yaml"), &st), 0);
	ck_assert(S_ISLNK(st.st_mode));
	ck_assert_int_eq(stat(run_path("a.yaml"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0640);
	run = RUN("policy", "format", run_path("a.yaml"), run_path("none.yaml"));
	ck_assert_int_eq(run.code, 1);
	ck_assert_str_eq(run.out, "policy: a  # name\n");
	run_free(&run);
}
END_TEST

START_TEST(test_policy_list)
{
	struct run run;
	json_t *json;

	run_put("policies/50-web.yaml", POLICY);
	run_put("policies/60-new.yaml", "policy: new\nmode: audit\nmatch:\n  - unit: "
					"new.service\nfile:\n  deny: [/root/**]\n");
	ck_assert_int_eq(symlink("/dev/null", run_path("policies/70-off.yaml")), 0);
	run = RUN("policy", "list");
	ck_assert_msg(run.code == 0, "%s%s", run.out, run.err);
	ck_assert_ptr_nonnull(strstr(run.out, "web     enforce  valid       1"));
	ck_assert_ptr_nonnull(strstr(run.out, "new     audit    valid"));
	ck_assert_ptr_nonnull(strstr(run.out, "50-web.yaml:1\n"));
	ck_assert_ptr_nonnull(strstr(run.out, "masked"));
	run_free(&run);
	agent_start(STATUS, "{}", true);
	run = RUN("policy", "list", "--json");
	ck_assert_int_eq(run.code, 0);
	json = json_loads(run.out, 0, NULL);
	ck_assert_uint_eq(json_array_size(json), 4);
	ck_assert_str_eq(json_text(json_array_get(json, 0), "state"), "stale");
	ck_assert_int_eq(json_number(json_array_get(json, 0), "cgroups"), 2);
	ck_assert_str_eq(json_text(json_array_get(json, 1), "state"), "not loaded");
	ck_assert_str_eq(json_text(json_array_get(json, 2), "state"), "masked");
	ck_assert_str_eq(json_text(json_array_get(json, 3), "policy"), "gone");
	ck_assert_str_eq(json_text(json_array_get(json, 3), "state"), "removed");
	json_decref(json);
	run_free(&run);
	agent_stop();
	/* a broken one fails the command, and the others are listed */
	run_put("policies/80-bad.yaml", "policy: [\n");
	run = RUN("policy", "list");
	ck_assert_int_eq(run.code, 1);
	ck_assert_ptr_nonnull(strstr(run.out, "broken"));
	ck_assert_ptr_nonnull(strstr(run.out, "valid"));
	ck_assert_ptr_nonnull(strstr(run.err, "80-bad.yaml"));
	run_free(&run);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("cli");
	TCase *tc = tcase_create("cli");

	suite_add_tcase(s, tc);
	tcase_set_timeout(tc, 120);
	tcase_add_checked_fixture(tc, run_setup, run_teardown);
	tcase_add_loop_test(tc, test_cases, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tc, test_pinned);
	tcase_add_test(tc, test_stranger);
	tcase_add_test(tc, test_with_agent);
	tcase_add_test(tc, test_reload);
	tcase_add_test(tc, test_reload_refused);
	tcase_add_test(tc, test_doctor_fails);
	tcase_add_test(tc, test_doctor_directories);
	tcase_add_test(tc, test_policy_check);
	tcase_add_test(tc, test_policy_format);
	tcase_add_test(tc, test_policy_list);
	return s;
}

int main(void)
{
	return suite_run(suite());
}
