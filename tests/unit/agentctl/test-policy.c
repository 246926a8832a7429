/* SPDX-License-Identifier: Apache-2.0 */

/* agentctl policy show, test: answers about policies, without an agent. */

#include <check.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "run.h"
#include "store/store.h"
#include "tests/unit/runner.h"

#define WEB                                                                                        \
	"policy:   web\nmode: enforce\n# who\nmatch: [{unit: nginx.service}]\nexec:\n"             \
	"  default: deny\n  allow: [/usr/sbin/nginx]\nfile:\n  deny:\n"                            \
	"    - {path: /etc/shadow, message: no hashes}\n    - {path: /root/**, except: [/root/.profile]}\n"
#define BASE "policy: base\nmode: audit\nmatch: [{cgroup: /system.slice/nginx.service/**}, {unit: ssh.service}]\nfile: {deny: [/srv/**]}\n"

static void setup(void)
{
	run_setup();
	run_put("policies/50-web.yaml", WEB);
	run_put("policies/10-base.yaml", BASE);
	run_put("root/sys/fs/cgroup/cgroup.procs", "");
	run_put("root/sys/fs/cgroup/system.slice/cgroup.procs", "");
	run_put("root/sys/fs/cgroup/system.slice/nginx.service/cgroup.procs", "7\n");
	run_put("root/sys/fs/cgroup/system.slice/nginx.service/sub/cgroup.procs", "8\n");
	run_put("root/sys/fs/cgroup/user.slice/cgroup.procs", "9\n");
}

/* One line of output or complaint each; NULL: not looked at. */
static const struct {
	const char *args[14];
	int code;
	const char *out, *err;
} cases[] = {
	{{"policy", "test"}, 2, "", "needs one of --exec, --op and --suite"},
	{{"policy", "test", "--exec", "/a", "--op", "read", "/a"}, 2, "", "needs one of"},
	{{"policy", "test", "--op", "read"}, 2, "", "--op needs a path"},
	{{"policy", "test", "--op", "mount", "/a"}, 2, "", "has no path"},
	{{"policy", "test", "--op", "frob", "/a"}, 2, "", "'frob' is no operation"},
	{{"policy", "test", "--op", "read", "a"}, 2, "", "Paths are absolute"},
	{{"policy", "test", "--op", "read", "/a/../b"}, 2, "", "Paths are absolute"},
	{{"policy", "test", "--uid", "x", "--op", "read", "/a"}, 2, "", "'x' is not a user id"},
	{{"policy", "test", "--exec", "/a", "b"}, 2, "", "takes no 'b'"},
	{{"policy", "test", "--cgroup", "a", "--exec", "/a"}, 2, "", "--cgroup: a path"},
	{{"policy", "test", "--container", "none", "--exec", "/a"}, 1, "", "No container, unit or cgroup 'none'"},
	{{"policy", "test", "--policy", "/nonexistent", "--exec", "/a"}, 1, "", "No such file"},
	{{"policy", "test", "--exec", "/usr/bin/curl"}, 5, "deny: policy web, exec.default: deny, ", ""},
	{{"policy", "test", "--exec", "/usr/sbin/nginx"}, 0, "allow: none of 2 policies refuses it\n", ""},
	{{"policy", "test", "--op", "read", "/etc/shadow"}, 5, "50-web.yaml:10\n  no hashes\n", ""},
	{{"policy", "test", "--op", "read", "/root/x/y"}, 5, "file.deny /root/**, ", ""},
	{{"policy", "test", "--op", "read", "/root/.profile"}, 0, "allow: ", ""},
	{{"policy", "test", "--op", "write", "/srv/a"}, 0, "would-deny: policy base, file.deny /srv/**, ", ""},
	{{"policy", "test", "--container", "nginx.service", "--op", "read", "/etc/shadow"}, 5, "deny", ""},
	{{"policy", "test", "--cgroup", "/system.slice/nginx.service/x", "--op", "read", "/etc/shadow"}, 5, "deny", ""},
	{{"policy", "test", "--cgroup", "/system.slice/ssh.service", "--op", "read", "/etc/shadow"},
	 0,
	 "allow: none of 1 policy refuses it\n",
	 ""},
	{{"policy", "test", "--cgroup", "/user.slice", "--op", "read", "/etc/shadow"},
	 0,
	 "allow: no policy governs it\n",
	 ""},
	{{"policy", "test", "--json", "--op", "read", "/etc/shadow"}, 5, "\"refused\": true", ""},
	{{"policy", "diff"}, 2, "", "needs a policy file"},
	{{"policy", "diff", "--since", "soon", "x"}, 2, "", "--since: "},
	{{"policy", "diff", "/nonexistent"}, 1, "", "No such file"},
	{{"policy", "show"}, 2, "", "needs the name of a policy"},
	{{"policy", "show", "--effective"}, 2, "", "needs the name of a container"},
	{{"policy", "show", "none"}, 1, "", "No policy 'none'"},
	{{"policy", "show", "web"}, 0, "50-web.yaml:1\npolicy: web\nmode: enforce\n# who\nmatch: [{unit", ""},
	{{"policy", "show", "--json", "web"}, 0, "\"text\": \"policy: web\\n", ""},
	{{"policy", "show", "--effective", "none"}, 1, "", "No container, unit or cgroup 'none'"},
	{{"policy", "show", "--effective", "/user.slice"}, 0, "", "No policy governs /user.slice."},
	{{"policy", "show", "--effective", "nginx.service"}, 0, "exec.allow /usr/sbin/nginx", ""},
	{{"policy", "show", "--effective", "nginx.service"}, 0, "link,attr,map,exec  web ", ""},
	{{"policy", "show", "--effective", "nginx.service"}, 0, "file.deny /root/** except /root/.profile", ""},
	{{"policy", "show", "--effective", "nginx.service"}, 0, "10-base.yaml:4", ""},
	{{"policy", "show", "--effective", "--json", "/system.slice/ssh.service"}, 0, "\"effect\": \"would-deny\"", ""},
};

START_TEST(test_cases)
{
	struct run run = run_agentctl(NULL, cases[_i].args);

	ck_assert_msg(run.code == cases[_i].code, "%d: %d %s%s", _i, run.code, run.out, run.err);
	ck_assert_msg(cases[_i].out[0] ? strstr(run.out, cases[_i].out) != NULL : !run.out[0], "%d: %s", _i, run.out);
	ck_assert_msg(cases[_i].err[0] ? strstr(run.err, cases[_i].err) != NULL : !run.err[0], "%d: %s", _i, run.err);
	run_free(&run);
}
END_TEST

START_TEST(test_effective_lines)
{
	struct run run = RUN("policy", "show", "--effective", "--json", "nginx.service");
	json_t *json = json_loads(run.out, 0, NULL), *rules = json_object_get(json, "rules");

	ck_assert_str_eq(json_text(json, "cgroup"), "/system.slice/nginx.service");
	ck_assert_str_eq(json_text(json_array_get(rules, 0), "rule"), "exec.default: deny");
	ck_assert_int_eq(json_number(json_array_get(rules, 0), "line"), 6);
	ck_assert_str_eq(json_text(json_array_get(rules, 0), "effect"), "deny");
	ck_assert_str_eq(json_text(json_array_get(rules, 1), "kind"), "exec.allow");
	json_decref(json);
	run_free(&run);
}
END_TEST

/* Each policy against what it selects, and only against that. */
START_TEST(test_running)
{
	struct run run;

	run_put("root/proc/7/root/usr/sbin/nginx", "");
	run_put("root/proc/7/root/etc/shadow", "");
	run_put("root/proc/7/root/root/.profile", "");
	run_put("root/proc/9/root/srv/nothing", ""); /* nobody's */
	run = RUN("policy", "check", "--running", run_path("policies/50-web.yaml"));
	ck_assert_str_eq(run.err, "");
	ck_assert_int_eq(run.code, 0);
	run_free(&run);

	/* the entry for ssh finds nothing, the other one the service, which has no /srv */
	run = RUN("policy", "check", "--strict", "--running", run_path("policies/10-base.yaml"));
	ck_assert_int_eq(run.code, 1);
	ck_assert_msg(strstr(run.err, "10-base.yaml:3:51: warning: the entry selects nothing that runs now") != NULL, "%s", run.err);
	ck_assert_ptr_null(strstr(run.err, ":3:9:"));
	ck_assert_msg(strstr(run.err, "no container has this path: it is missing in nginx.service") != NULL, "%s", run.err);
	run_free(&run);
}
END_TEST

#define SUITE                                                                                      \
	"- {name: no hashes, op: read, path: /etc/shadow, expect: deny, rule: file.deny /etc/shadow}\n" \
	"- {container: nginx.service, exec: /usr/bin/curl, expect: deny}\n"                             \
	"- {cgroup: /user.slice, exec: /usr/bin/curl, expect: allow}\n"

START_TEST(test_suite)
{
	struct run run;

	run = run_agentctl(SUITE, (const char *const[]){"policy", "test", "--suite", "-", NULL});
	ck_assert_msg(run.code == 0, "%s%s", run.out, run.err);
	ck_assert_str_eq(run.out, "1..3\nok 1 - no hashes\nok 2 - exec /usr/bin/curl: deny\n"
				  "ok 3 - exec /usr/bin/curl: allow\n");
	run_free(&run);
	run = run_agentctl(SUITE "- {op: read, path: /etc/shadow, expect: allow}\n"
				 "- {op: read, path: /etc/shadow, expect: deny, rule: file.deny /etc/**}\n"
				 "- {container: none, op: read, path: /a, expect: deny}\n",
			   (const char *const[]){"policy", "test", "--suite", "-", NULL});
	ck_assert_int_eq(run.code, 1);
	ck_assert_ptr_nonnull(strstr(run.out, "\nnot ok 4 - read /etc/shadow: allow\n# -:4: expected allow, got deny: "
					      "policy web, file.deny /etc/shadow, "));
	ck_assert_ptr_nonnull(strstr(run.out, "\nnot ok 5 - read /etc/shadow: deny\n# -:5: expected deny by "
					      "file.deny /etc/**, got deny"));
	ck_assert_ptr_nonnull(strstr(run.out, "\nnot ok 6 - "));
	run_free(&run);
	run = run_agentctl("- {exec: /a, expct: deny}\n",
			   (const char *const[]){"policy", "test", "--suite", "-", NULL});
	ck_assert_int_eq(run.code, 1);
	ck_assert_ptr_nonnull(strstr(run.err, "did you mean `expect`?"));
	run_free(&run);
}
END_TEST

/* Files that are named are asked alone. */
START_TEST(test_named)
{
	struct run run;

	run_put("new.yaml", "policy: new\nmatch: [{cgroup: /x}]\nfile: {deny: [/new]}\n");
	run = RUN("policy", "test", "--policy", run_path("new.yaml"), "--op", "read", "/etc/shadow");
	ck_assert_int_eq(run.code, 0);
	run_free(&run);
	run = RUN("policy", "test", "--policy", run_path("new.yaml"), "--policy", run_path("policies"), "--op", "read",
		  "/new");
	ck_assert_int_eq(run.code, 5);
	run_free(&run);
	run_put("bad.yaml", "policy: bad\nfrob: 1\n");
	run = RUN("policy", "test", "--policy", run_path("bad.yaml"), "--op", "read", "/new");
	ck_assert_int_eq(run.code, 1);
	ck_assert_ptr_nonnull(strstr(run.err, "bad.yaml:2:1"));
	run_free(&run);
}
END_TEST

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SCOPE "/system.slice/docker-" HEX ".scope"

/* What a container is called: from its runtime, and first of all from what the agent was told. */
START_TEST(test_container)
{
	static const char *const policy = "policy: boxes\nmatch:\n  - container: {image: \"shop/*\", labels: {app: web}}\n"
					  "file: {deny: [/box]}\n";
	char path[512], record[512];
	struct stat st;
	struct run run;

	run_put("policies/60-boxes.yaml", policy);
	run_put("root/sys/fs/cgroup" SCOPE "/cgroup.procs", "9\n");
	run_put("root/sys/fs/cgroup" SCOPE "/inner/cgroup.procs", "");
	run_put("root/var/lib/docker/containers/" HEX "/config.v2.json",
		"{\"Name\": \"/web\", \"Config\": {\"Image\": \"shop/web\", \"Labels\": {\"app\": \"web\"}}}");
	run = RUN("policy", "test", "--container", "web", "--op", "read", "/box");
	ck_assert_msg(run.code == 5, "%s%s", run.out, run.err);
	run_free(&run);
	run = RUN("policy", "test", "--cgroup", SCOPE "/inner", "--op", "read", "/box");
	ck_assert_int_eq(run.code, 5);
	run_free(&run);
	run = RUN("policy", "show", "--effective", "web");
	ck_assert_ptr_nonnull(strstr(run.out, "boxes"));
	run_free(&run);
	(void)snprintf(path, sizeof(path), "%s", run_path("root/sys/fs/cgroup" SCOPE));
	ck_assert_int_eq(stat(path, &st), 0);
	(void)snprintf(path, sizeof(path), "run/containers/%llu.json", (unsigned long long)st.st_ino);
	(void)snprintf(record, sizeof(record),
		       "{\"runtime\": \"docker\", \"id\": \"" HEX "\", \"name\": \"web\", \"image\": \"other\", "
		       "\"labels\": {}, \"labels_known\": true, \"told\": true, \"cgroup\": \"" SCOPE "\", \"cgroup_id\": %llu}",
		       (unsigned long long)st.st_ino);
	run_put(path, record);
	run = RUN("policy", "test", "--container", "web", "--op", "read", "/box");
	ck_assert_int_eq(run.code, 0);
	ck_assert_str_eq(run.out, "allow: no policy governs it\n");
	run_free(&run);
}
END_TEST

#define POD "match: [{cgroup: /machine.slice/libpod-*.scope}]\n"

START_TEST(test_diff)
{
	struct store *store = store_begin();
	struct run run;
	json_t *json;

	for (int i = 0; i < 17; i++)
		store_put(store, "/srv/data");
	store_put(store, "/old/a");
	store_put(store, "/both");
	store_put_kind(store, EVENT_VERDICT, HT_VERDICT_ALLOW, "relative");
	store_end(store);
	run_put("root/sys/fs/cgroup/machine.slice/libpod-2.scope/cgroup.procs", "9\n");
	run_put("policies/60-pod.yaml", "policy: pod\n" POD "file: {deny: [/old/**, /both]}\n");
	run_put("new/60-pod.yaml", "policy: pod\n" POD "file:\n  deny:\n    - /both\n    - /srv/**\n");
	run_put("new/70-user.yaml", "policy: user\nmode: audit\nmatch: [{cgroup: /user.slice}]\n");
	run = RUN("policy", "diff", run_path("new/60-pod.yaml"), run_path("new/70-user.yaml"));
	ck_assert_msg(run.code == 0, "%s", run.err);
	ck_assert_ptr_nonnull(strstr(run.out, "  pod is changed (mode enforce)\n    - file.deny /old/**  "));
	ck_assert_ptr_nonnull(strstr(run.out, "    + file.deny /srv/**  "));
	ck_assert_ptr_null(strstr(run.out, "file.deny /both"));
	ck_assert_ptr_nonnull(strstr(run.out, "  user is added (mode audit)\n"));
	ck_assert_ptr_null(strstr(run.out, "web"  " is"));
	ck_assert_ptr_nonnull(strstr(run.out, "  user.slice (/user.slice): none -> user\n"));
	ck_assert_ptr_nonnull(strstr(run.out, "\n19 recorded acts replayed, 1 of which too little is known left out:\n"
					      "  17 recorded read of /srv/data in web by /usr/bin/cat would have been "
					      "refused: file.deny /srv/** ("));
	ck_assert_ptr_nonnull(strstr(run.out, "  1 recorded read of /old/a in web by /usr/bin/cat would have been allowed: "
					      "file.deny /old/** ("));
	run_free(&run);
	run = RUN("policy", "diff", "--json", run_path("new/60-pod.yaml"));
	json = json_loads(run.out, 0, NULL);
	ck_assert_int_eq(json_number(json_array_get(json_object_get(json, "events"), 0), "count"), 17);
	ck_assert_int_eq(json_number(json_array_get(json_object_get(json, "events"), 0), "line"), 6);
	json_decref(json);
	run_free(&run);
	run = RUN("policy", "diff", "--since", "+1h", run_path("new/60-pod.yaml"));
	ck_assert_ptr_nonnull(strstr(run.out, "\n0 recorded acts replayed: the answers stay the same.\n"));
	run_free(&run);
	run = RUN("policy", "diff", run_path("policies/60-pod.yaml"));
	ck_assert_ptr_nonnull(strstr(run.out, "No policy changes.\n\n19 recorded acts replayed"));
	run_free(&run);
}
END_TEST

START_TEST(test_diff_wrong)
{
	struct run run;

	run_put("bad.yaml", "policy: web\nmatch: [{cgroup: /x}]\n");
	run = RUN("policy", "diff", run_path("bad.yaml"));
	ck_assert_int_eq(run.code, 1);
	ck_assert_ptr_nonnull(strstr(run.err, "policy 'web' is already defined"));
	run_free(&run);
	run_put("new.yaml", "policy: new\nmatch: [{cgroup: /x}]\n");
	run = RUN("policy", "diff", run_path("new.yaml"));
	ck_assert_int_eq(run.code, 0);
	ck_assert_ptr_nonnull(strstr(run.out, "Nothing was ever recorded"));
	run_free(&run);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("policy");

	tcase_add_checked_fixture(tc, setup, run_teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_cases, 0, (int)ARRAY_LEN(cases));
	tcase_add_test(tc, test_effective_lines);
	tcase_add_test(tc, test_running);
	tcase_add_test(tc, test_suite);
	tcase_add_test(tc, test_named);
	tcase_add_test(tc, test_container);
	tcase_add_test(tc, test_diff);
	tcase_add_test(tc, test_diff_wrong);
	return tcase_run(tc);
}
