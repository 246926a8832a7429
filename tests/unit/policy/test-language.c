/* SPDX-License-Identifier: Apache-2.0 */

/* Actions, conditions, origin, times, switches: what is refused of them, and what is understood. */

#include "policy-test.h"
#include "tests/unit/runner.h"

#define EXEC HEAD "exec:\n  default: deny\n"
#define DENY HEAD "file:\n  deny:\n"
#define MATCH "policy: p\nmatch:\n"

static const struct diag_case bad_language[] = {
	{"action in allow", TEXT(EXEC "  allow: [{path: /a, action: kill}]\n"),
	 "5:22+6 error: `action` is not allowed here; only deny rules have an action\n"},
	{"action in audit", TEXT(HEAD "file:\n  audit: [{path: /a, action: deny}]\n"),
	 "4:22+6 error: `action` is not allowed here; only deny rules have an action\n"},
	{"unknown action", TEXT(DENY "    - {path: /a, action: kil}\n"),
	 "5:26+3 error: unknown action `kil`; did you mean `kill`?; expected `deny`, `audit` or "
	 "`kill`\n"},
	{"action allow", TEXT(DENY "    - {path: /a, action: allow}\n"),
	 "5:26+5 error: unknown action `allow`; expected `deny`, `audit` or `kill`\n"},
	{"origin in deny", TEXT(HEAD "exec:\n  deny: [{path: /a, origin: image}]\n"),
	 "4:21+6 error: `origin` is not allowed here; only `exec.allow` and `exec.libraries` ask "
	 "where a file came from\n"},
	{"origin in file",
	 TEXT(HEAD "file:\n  default: deny\n  allow: [{path: /a, origin: image}]\n"),
	 "5:22+6 error: `origin` is not allowed here; only `exec.allow` and `exec.libraries` ask "
	 "where a file came from\n"},
	{"unknown origin", TEXT(EXEC "  allow: [{path: /a, origin: images}]\n"),
	 "5:30+6 error: unknown origin `images`; did you mean `image`?; expected `image`\n"},
	{"unless in allow", TEXT(EXEC "  allow: [{path: /a, unless: {uid: 0}}]\n"),
	 "5:22+6 error: `unless` is not allowed here; only deny and audit rules have exceptions\n"},
	{"empty unless", TEXT(DENY "    - {path: /a, unless: {}}\n"),
	 "5:26+2 error: `unless` is an empty mapping; expected `exe` or `uid`\n"},
	{"unless is text", TEXT(DENY "    - {path: /a, unless: /usr/bin/x}\n"),
	 "5:26+10 error: `unless` is text; expected a mapping with `exe` or `uid`\n"},
	{"unless with unknown key", TEXT(DENY "    - {path: /a, unless: {user: root}}\n"),
	 "5:27+4 error: unknown key `user`; expected `exe` or `uid`\n"},
	{"exe is empty", TEXT(DENY "    - {path: /a, unless: {exe: []}}\n"),
	 "5:32+2 error: `exe` is an empty list; expected a path of a program, or a list of them\n"},
	{"exe is nothing", TEXT(DENY "    - {path: /a, unless: {exe: }}\n"),
	 "5:32+0 error: `exe` is empty; expected a path of a program, or a list of them\n"},
	{"exe is a mapping", TEXT(DENY "    - {path: /a, unless: {exe: {a: b}}}\n"),
	 "5:32+6 error: `exe` is a mapping; expected a path of a program, or a list of them\n"},
	{"exe is relative", TEXT(DENY "    - {path: /a, unless: {exe: [app, /b]}}\n"),
	 "5:33+3 error: relative path; expected a path that starts with `/`\n"},
	{"exe through bin", TEXT(DENY "    - {path: /a, unless: {exe: /bin/sh}}\n"),
	 "5:32+7 warning: where `/bin` is a link to `/usr/bin`, this path names nothing; expected "
	 "`/usr/bin/sh`\n"},
	{"exe twice", TEXT(DENY "    - {path: /a, unless: {exe: [/b/**, /b/**]}}\n"),
	 "5:40+5 error: duplicate program\n"},
	{"uid is a name", TEXT(DENY "    - {path: /a, unless: {uid: root}}\n"),
	 "5:32+4 error: the user id is root; expected the number of a user, as the host sees it\n"},
	{"uid is negative", TEXT(DENY "    - {path: /a, unless: {uid: [-1]}}\n"),
	 "5:33+2 error: the user id is -1; expected the number of a user, as the host sees it\n"},
	{"uid is octal", TEXT(DENY "    - {path: /a, unless: {uid: [010]}}\n"),
	 "5:33+3 error: the user id is 010; expected the number of a user, as the host sees it\n"},
	{"uid is too large", TEXT(DENY "    - {path: /a, unless: {uid: [4294967295]}}\n"),
	 "5:33+10 error: the user id is 4294967295; expected the number of a user, as the host "
	 "sees it\n"},
	{"uid is very large", TEXT(DENY "    - {path: /a, unless: {uid: 99999999999999999999}}\n"),
	 "5:32+20 error: the user id is 99999999999999999999; expected the number of a user, as "
	 "the host sees it\n"},
	{"uid twice", TEXT(DENY "    - {path: /a, unless: {uid: [3, 1, 3]}}\n"),
	 "5:39+1 error: duplicate user id 3\n"},
	{"uid is a list", TEXT(DENY "    - {path: /a, unless: {uid: [[1]]}}\n"),
	 "5:33+3 error: the user id is a list; expected the number of a user, as the host sees "
	 "it\n"},
	{"no tags", TEXT(DENY "    - {path: /a, tags: []}\n"),
	 "5:24+2 error: 0 tags; 1 to 16 are allowed\n"},
	{"tags are text", TEXT(DENY "    - {path: /a, tags: pci}\n"),
	 "5:24+3 error: `tags` is text; expected a list of words\n"},
	{"tag twice", TEXT(DENY "    - {path: /a, tags: [a, b, a]}\n"),
	 "5:31+1 error: duplicate tag `a`\n"},
	{"tag is a number", TEXT(DENY "    - {path: /a, tags: [1]}\n"),
	 "5:25+1 error: `1` is a number in YAML; expected quotes around it if the text is meant\n"},
	{"no moment", TEXT(DENY "    - {path: /a, enforce_after: tomorrow}\n"),
	 "5:33+8 error: `tomorrow` is no moment; expected a moment in UTC, like `2026-12-01` or "
	 "`2026-12-01 08:30`\n"},
	{"no day", TEXT(DENY "    - {path: /a, expires: 2026-02-30}\n"),
	 "5:27+10 error: `2026-02-30` is no moment; expected a moment in UTC, like `2026-12-01` or "
	 "`2026-12-01 08:30`\n"},
	{"no month", TEXT(DENY "    - {path: /a, expires: 2026-13-01}\n"),
	 "5:27+10 error: `2026-13-01` is no moment; expected a moment in UTC, like `2026-12-01` or "
	 "`2026-12-01 08:30`\n"},
	{"no hour", TEXT(DENY "    - {path: /a, expires: 2026-12-01T24:00}\n"),
	 "5:27+16 error: `2026-12-01T24:00` is no moment; expected a moment in UTC, like "
	 "`2026-12-01` or `2026-12-01 08:30`\n"},
	{"a zone", TEXT(DENY "    - {path: /a, expires: 2026-12-01T10:00+01:00}\n"),
	 "5:27+22 error: `2026-12-01T10:00+01:00` is no moment; expected a moment in UTC, like "
	 "`2026-12-01` or `2026-12-01 08:30`\n"},
	{"before the epoch", TEXT(DENY "    - {path: /a, expires: 1969-12-01}\n"),
	 "5:27+10 error: `1969-12-01` is no moment; expected a moment in UTC, like `2026-12-01` or "
	 "`2026-12-01 08:30`\n"},
	{"staged allow",
	 TEXT(EXEC "  allow: [{path: /a, enforce_after: 2026-12-01, expires: 2027-01-01}]\n"),
	 "5:22+13 error: `enforce_after` is not allowed here; only deny rules are enforced\n"},
	{"staged audit action",
	 TEXT(DENY "    - {path: /a, enforce_after: 2026-12-01, action: audit}\n"),
	 "5:18+13 error: an audit rule is never enforced; expected `action: deny` or `kill`\n"},
	{"gone before enforced",
	 TEXT(DENY "    - {path: /a, enforce_after: 2026-12-01, expires: 2026-12-01}\n"),
	 "5:54+10 error: the rule is gone before it is enforced; expected a moment after "
	 "`enforce_after`\n"},
	{"unknown anonymous", TEXT(EXEC "  anonymous: refuse\n"),
	 "5:14+6 error: unknown value `refuse`; expected `deny`, `audit` or `allow`\n"},
	{"writable is a list", TEXT(EXEC "  writable: [deny]\n"),
	 "5:13+6 error: `writable` is a list; expected `deny`, `audit` or `allow`\n"},
	{"writable kills", TEXT(EXEC "  writable: kill\n"),
	 "5:13+4 error: unknown value `kill`; expected `deny`, `audit` or `allow`\n"},
	{"unknown libraries", TEXT(EXEC "  libraries: defaults\n"),
	 "5:14+8 error: unknown value `defaults`; did you mean `default`?; expected `default` or "
	 "`any`\n"},
	{"libraries of nothing", TEXT(EXEC "  libraries:\n"),
	 "5:3+9 error: `libraries` is empty; expected `default`, `any` or a list of paths\n"},
	{"libraries are a mapping", TEXT(EXEC "  libraries: {a: b}\n"),
	 "5:14+6 error: `libraries` is a mapping; expected `default`, `any` or a list of paths\n"},
	{"default twice", TEXT(EXEC "  libraries: [default, /a, default]\n"),
	 "5:28+7 error: `default` is listed twice\n"},
	{"library is relative", TEXT(EXEC "  libraries: [any]\n"),
	 "5:15+3 error: relative path; expected a path that starts with `/`\n"},
	{"libraries of a deny-list", TEXT(HEAD "exec:\n  libraries: any\n"),
	 "4:3+9 error: `libraries` has no effect while the default of `exec` is allow; expected "
	 "`default: deny` beside it\n"},
	{"unknown line", TEXT(HEAD "kernel: {mounts: deny}\n"),
	 "3:10+6 error: unknown key `mounts`; did you mean `mount`?; expected `mount`, `ptrace`, "
	 "`module`, `kexec`, `bpf`, `perf`, `device`, `sysctl`, `clock`, `namespaces` or "
	 "`io_uring_sqpoll`\n"},
	{"line kills", TEXT(HEAD "kernel: {mount: kill}\n"),
	 "3:17+4 error: unknown value `kill`; expected `deny`, `audit` or `allow`\n"},
	{"no line", TEXT(HEAD "kernel: {}\n"),
	 "3:9+2 error: `kernel` is an empty mapping; expected lines like `mount: deny`\n"},
	{"kernel is text", TEXT(HEAD "kernel: deny\n"),
	 "3:9+4 error: `kernel` is text; expected a mapping of lines like `mount: deny`\n"},
	{"line twice", TEXT(HEAD "kernel: {bpf: deny, bpf: audit}\n"),
	 "3:21+3 error: duplicate key `bpf`, first written in line 3\n"},
	{"unknown record", TEXT(HEAD "record: {exec: none, file: al}\n"),
	 "3:16+4 error: unknown value `none`; expected `denied` or `all`\n"
	 "3:28+2 error: unknown value `al`; did you mean `all`?; expected `denied` or `all`\n"},
	{"record of kernel", TEXT(HEAD "record: {kernel: all}\n"),
	 "3:10+6 error: unknown key `kernel`; expected `exec` or `file`\n"},
	{"no record", TEXT(HEAD "record: {}\n"),
	 "3:9+2 error: `record` is an empty mapping; expected `exec` or `file`\n"},
	{"empty container", TEXT(MATCH "  - container: {}\n"),
	 "3:16+2 error: `container` is an empty mapping; expected a mapping with `runtime`, "
	 "`name`, `image` or `labels`\n"},
	{"container is text", TEXT(MATCH "  - container: web\n"),
	 "3:16+3 error: `container` is text; expected a mapping with `runtime`, `name`, `image` or "
	 "`labels`\n"},
	{"unknown runtime", TEXT(MATCH "  - container: {runtime: podmann}\n"),
	 "3:26+7 error: unknown runtime `podmann`; did you mean `podman`?; expected `podman`, "
	 "`docker`, `containerd`, `crio`, `kubernetes`, `nspawn`, `libvirt` or `lxc`\n"},
	{"unknown field", TEXT(MATCH "  - container: {nane: web}\n"),
	 "3:17+4 error: unknown key `nane`; did you mean `name`?; expected `runtime`, `name`, "
	 "`image` or `labels`\n"},
	{"no labels", TEXT(MATCH "  - container: {labels: {}}\n"),
	 "3:25+2 error: `labels` is an empty mapping; expected a mapping of labels to values\n"},
	{"labels are a list", TEXT(MATCH "  - container: {labels: [a]}\n"),
	 "3:25+3 error: `labels` is a list; expected a mapping of labels to values\n"},
	{"label without a value", TEXT(MATCH "  - container: {labels: {a: }}\n"),
	 "3:29+0 error: the value is empty; expected text, or a pattern with `*`\n"},
	{"label with a number", TEXT(MATCH "  - container: {labels: {a: 1}}\n"),
	 "3:29+1 error: `1` is a number in YAML; expected quotes around it if the text is meant\n"},
	{"containers twice",
	 TEXT(MATCH "  - container: {name: a, labels: {x: z, u: v}}\n"
		    "  - container: {labels: {u: v, x: z}, name: a}\n"),
	 "4:5+42 error: duplicate entry, first written in line 3\n"},
	{"deny after kill", TEXT(DENY "    - /a\n    - {path: /a/**, action: kill}\n"),
	 "5:7+2 error: unreachable rule: the kill rule in line 6 covers it\n"},
	{"kill after deny", TEXT(DENY "    - /a/**\n    - {path: /a/b, action: kill}\n"), ""},
	{"deny with unless before a deny",
	 TEXT(DENY "    - {path: /a/b, unless: {uid: 1}}\n    - /a/**\n"),
	 "5:14+4 error: unreachable rule: the deny rule in line 6 covers it\n"},
	{"kill with unless below a deny",
	 TEXT(DENY "    - {path: /a/b, action: kill, unless: {uid: 1}}\n    - /a/**\n"),
	 ""},
	{"audit below a deny", TEXT(HEAD "file:\n  audit: [/a/b]\n  deny: [/a/**]\n"),
	 "4:11+4 error: unreachable rule: the deny rule in line 5 covers it\n"},
	{"audit below an audit", TEXT(HEAD "file:\n  audit: [/a/**, /a/b]\n"),
	 "4:18+4 error: unreachable rule: the audit rule in line 4 covers it\n"},
	{"covered by what speaks sometimes",
	 TEXT(DENY "    - {path: /a/**, unless: {uid: 1}}\n    - /a/b\n"
		   "    - {path: /b/**, expires: 2030-01-01}\n    - /b/b\n"
		   "    - {path: /c/**, enforce_after: 2030-01-01}\n    - /c/b\n"
		   "    - {path: /d/**, action: audit}\n    - /d/b\n"),
	 ""},
	{"allow of an origin",
	 TEXT(EXEC "  allow: [{path: /a/**, origin: image}, /a/b, {path: /a/c, origin: image}]\n"),
	 "5:54+4 warning: the rule changes nothing: the allow rule in line 5 covers it\n"},
	{"same rule but for the subject",
	 TEXT(DENY
	      "    - /a\n    - {path: /b, unless: {uid: 1}}\n    - {path: /b, unless: {uid: 2}}\n"
	      "    - {path: /b, unless: {uid: [2]}, severity: low}\n"),
	 "8:14+2 error: duplicate rule, first written in line 7\n"},
};

START_TEST(test_bad_language)
{
	diag_case_run(&bad_language[_i]);
}
END_TEST

START_TEST(test_rule_keys)
{
	struct policy_file *file =
		parse_good(HEAD "file:\n"
				"  deny:\n"
				"    - path: /a\n"
				"      action: kill\n"
				"      tags: [pci, \"2\"]\n"
				"      unless: {exe: [/usr/bin/b, /opt/**], uid: [7, 3]}\n"
				"      enforce_after: 2026-12-01\n"
				"      expires: 2027-01-01T12:30:01Z\n"
				"    - {path: /b, action: audit}\n"
				"    - {path: /c, unless: {exe: /usr/bin/c, uid: 0}}\n"
				"  audit:\n"
				"    - {path: /d, ops: [read, map], severity: low}\n");
	const struct policy_rule *r = file->policies[0]->rules;

	ck_assert_uint_eq(file->policies[0]->n_rules, 4);
	ck_assert_int_eq(r[0].action, POLICY_ACTION_KILL);
	ck_assert_int_eq(r[0].severity, POLICY_SEVERITY_HIGH);
	ck_assert_uint_eq(r[0].n_tags, 2);
	ck_assert_str_eq(r[0].tags[1], "2");
	ck_assert_uint_eq(r[0].unless.n_exe, 2);
	ck_assert_str_eq(r[0].unless.exe[0].text, "/usr/bin/b");
	ck_assert(r[0].unless.exe[1].subtree);
	ck_assert_uint_eq(r[0].unless.n_uids, 2);
	ck_assert_uint_eq(r[0].unless.uids[0], 3);
	ck_assert_uint_eq(r[0].unless.uids[1], 7);
	ck_assert_int_eq(r[0].enforce_after, 1796083200);
	ck_assert_int_eq(r[0].expires, 1798806601);
	ck_assert_int_eq(r[1].kind, POLICY_RULE_FILE_DENY);
	ck_assert_int_eq(r[1].action, POLICY_ACTION_AUDIT);
	ck_assert_int_eq(r[1].severity, POLICY_SEVERITY_INFO);
	ck_assert_uint_eq(r[2].unless.n_exe, 1);
	ck_assert_uint_eq(r[2].unless.n_uids, 1);
	ck_assert_int_eq(r[3].kind, POLICY_RULE_FILE_AUDIT);
	ck_assert_int_eq(r[3].action, POLICY_ACTION_AUDIT);
	ck_assert_uint_eq(r[3].ops, HT_OP_READ | HT_OP_MAP | HT_OP_MAP_LIBRARY);
	ck_assert_int_eq(r[3].severity, POLICY_SEVERITY_LOW);
	(void)policy_file_unref(file);
}
END_TEST

START_TEST(test_rule_times)
{
	struct policy_file *file =
		parse_good(DENY "    - {path: /a, enforce_after: 2026-12-01, expires: 2027-01-01}\n"
				"    - /b\n");
	const struct policy *p = file->policies[0];
	const int64_t staged = 1796083200, gone = 1798761600;

	ck_assert_int_eq(policy_rule_state(&p->rules[0], staged - 1), POLICY_RULE_STAGED);
	ck_assert_int_eq(policy_rule_state(&p->rules[0], staged), POLICY_RULE_IN_FORCE);
	ck_assert_int_eq(policy_rule_state(&p->rules[0], gone), POLICY_RULE_EXPIRED);
	ck_assert_int_eq(policy_rule_state(&p->rules[1], gone), POLICY_RULE_IN_FORCE);
	ck_assert_int_eq(policy_changes_at(p, 0), staged);
	ck_assert_int_eq(policy_changes_at(p, staged), gone);
	ck_assert_int_eq(policy_changes_at(p, gone), 0);
	(void)policy_file_unref(file);
}
END_TEST

START_TEST(test_switches)
{
	struct policy_file *file =
		parse_good(EXEC "  anonymous: audit\n"
				"  writable: deny\n"
				"  libraries: [default, {path: /opt/**, origin: image}]\n"
				"kernel: {ptrace: audit, namespaces: deny, clock: allow}\n"
				"record: {exec: denied, file: all}\n");
	const struct policy *p = file->policies[0];

	ck_assert_int_eq(p->anonymous.action, POLICY_ACTION_AUDIT);
	ck_assert_uint_eq(p->anonymous.location.line, 5);
	ck_assert_int_eq(p->writable.action, POLICY_ACTION_DENY);
	ck_assert_int_eq(p->writable.severity, POLICY_SEVERITY_HIGH);
	ck_assert_int_eq(p->libraries, POLICY_LIBRARIES_DEFAULT);
	ck_assert_int_eq(p->rules[1].kind, POLICY_RULE_EXEC_LIBRARY);
	ck_assert(p->rules[1].origin_image);
	ck_assert_int_eq(p->kernel[HT_KERNEL_PTRACE].action, POLICY_ACTION_AUDIT);
	ck_assert_uint_eq(p->kernel[HT_KERNEL_PTRACE].location.line, 8);
	ck_assert(!p->kernel[HT_KERNEL_PTRACE].implied);
	ck_assert_int_eq(p->kernel[HT_KERNEL_NAMESPACES].action, POLICY_ACTION_DENY);
	ck_assert_int_eq(p->kernel[HT_KERNEL_CLOCK].action, POLICY_ACTION_ALLOW);
	ck_assert(!p->record_exec && p->record_file);
	(void)policy_file_unref(file);
}
END_TEST

/* What nobody wrote: every line of `kernel:` refuses but `namespaces`, and each can be named. */
START_TEST(test_implied)
{
	struct policy_file *file = parse_good(HEAD);
	const struct policy *p = file->policies[0];
	size_t n = 0;

	ck_assert_uint_eq(p->n_rules, 0);
	ck_assert_uint_eq(p->anonymous.id, 0);
	ck_assert_uint_eq(p->writable.id, 0);
	ck_assert(p->record_exec && !p->record_file);
	for (const struct policy_rule *r; (r = policy_rule_at(p, n)); n++) {
		ck_assert(r->implied);
		ck_assert_uint_ne(r->id, 0);
		ck_assert_uint_eq(r->location.line, 1);
		ck_assert_int_eq(r->action, r->ops == HT_KERNEL_OP(HT_KERNEL_NAMESPACES)
						    ? POLICY_ACTION_AUDIT
						    : POLICY_ACTION_DENY);
		ck_assert_ptr_eq(policy_rule_find(p, r->id), r);
	}
	ck_assert_uint_eq(n, HT_KERNEL_MAX);
	ck_assert_ptr_null(policy_rule_find(p, 12345));
	(void)policy_file_unref(file);
}
END_TEST

START_TEST(test_every_rule_is_found)
{
	struct policy_file *file = parse_good(EXEC "  anonymous: deny\n  writable: audit\n"
						   "file: {deny: [/a, /b]}\n");
	const struct policy *p = file->policies[0];
	size_t n = 0;

	for (const struct policy_rule *r; (r = policy_rule_at(p, n)); n++)
		ck_assert_ptr_eq(policy_rule_find(p, r->id), r);
	ck_assert_uint_eq(n, p->n_rules + 2 + HT_KERNEL_MAX);
	(void)policy_file_unref(file);
}
END_TEST

static const struct {
	const char *rule;
	size_t index;
	const char *text;
} texts[] = {
	{EXEC, 0, "exec.default: deny"},
	{EXEC "  libraries: [/a/**]\n", 1, "exec.libraries /a/**"},
	{EXEC "  anonymous: deny\n", 1, "exec.anonymous: deny"},
	{HEAD, HT_KERNEL_NAMESPACES, "kernel.namespaces: audit"},
	{DENY "    - /**\n", 0, "file.deny /**"},
	{HEAD "exec: {audit: [/x]}\n", 0, "exec.audit /x"},
};

START_TEST(test_texts)
{
	struct policy_file *file = parse_good(texts[_i].rule);
	char *text = policy_rule_to_text(policy_rule_at(file->policies[0], texts[_i].index));

	ck_assert_str_eq(text, texts[_i].text);
	free(text);
	(void)policy_file_unref(file);
}
END_TEST

static const struct {
	const char *entry; /* of match */
	struct policy_container container;
	bool fits;
} containers[] = {
	{"{name: \"web-*\"}", {.name = "web-1"}, true},
	{"{name: \"web-*\"}", {.name = "db-1"}, false},
	{"{name: \"web-*\"}", {}, false},
	{"{runtime: podman}", {.runtime = "podman"}, true},
	{"{runtime: podman}", {.runtime = "docker"}, false},
	{"{runtime: podman}", {}, false},
	{"{image: \"docker.io/*/nginx:*\"}", {.image = "docker.io/a/b/nginx:1"}, true},
	{"{image: \"docker.io/*/nginx:?\"}", {.image = "docker.io/a/nginx:12"}, false},
	{"{image: \"*a*b\"}", {.image = "xaybzb"}, true},
	{"{runtime: podman, name: a}", {.runtime = "podman", .name = "b"}, false},
	{"{labels: {app: web, tier: \"f*\"}}",
	 {.labels = (struct policy_label[]){{(char *)"tier", (char *)"front"},
					    {(char *)"app", (char *)"web"}},
	  .n_labels = 2},
	 true},
	{"{labels: {app: web, tier: \"f*\"}}",
	 {.labels = (struct policy_label[]){{(char *)"app", (char *)"web"}}, .n_labels = 1},
	 false},
	{"{labels: {app: web}}",
	 {.labels = (struct policy_label[]){{(char *)"app", (char *)"webs"}}, .n_labels = 1},
	 false},
};

START_TEST(test_containers)
{
	char text[256];
	struct policy_file *file;
	const struct policy_match *m;

	(void)snprintf(text, sizeof(text), MATCH "  - container: %s\n", containers[_i].entry);
	file = parse_good(text);
	m = &file->policies[0]->matches[0];
	ck_assert(policy_match_has_container(m));
	ck_assert_int_eq(policy_match_container(m, &containers[_i].container), containers[_i].fits);
	(void)policy_file_unref(file);
}
END_TEST

static const struct {
	const char *entry; /* of match */
	struct policy_container container;
	enum policy_fit fit;
} fits[] = {
	{"{name: a}", {}, POLICY_FIT_UNKNOWN},
	{"{name: a}", {.name = ""}, POLICY_FIT_NO},
	{"{runtime: podman, name: a}", {.name = "a"}, POLICY_FIT_UNKNOWN},
	{"{runtime: podman, name: a}", {.name = "b"}, POLICY_FIT_NO},
	{"{runtime: podman, name: a}", {.runtime = "docker"}, POLICY_FIT_NO},
	{"{image: \"*\"}", {}, POLICY_FIT_UNKNOWN},
	{"{image: \"*\"}", {.image = ""}, POLICY_FIT_YES},
	{"{image: \"?*\"}", {.image = ""}, POLICY_FIT_NO},
	{"{labels: {a: b}}", {}, POLICY_FIT_NO},
	{"{labels: {a: b}}", {.labels_unknown = true}, POLICY_FIT_UNKNOWN},
	{"{labels: {a: b}}",
	 {.labels = (struct policy_label[]){{(char *)"a", (char *)"b"}}, .n_labels = 1, .labels_unknown = true},
	 POLICY_FIT_YES},
	{"{labels: {a: b}}",
	 {.labels = (struct policy_label[]){{(char *)"a", (char *)"c"}}, .n_labels = 1, .labels_unknown = true},
	 POLICY_FIT_NO},
	{"{name: x, labels: {a: b}}", {.name = "y", .labels_unknown = true}, POLICY_FIT_NO},
	{"{name: x, labels: {a: b}}", {.name = "x", .labels_unknown = true}, POLICY_FIT_UNKNOWN},
};

/* What is not known is neither yes nor no. */
START_TEST(test_container_fits)
{
	char text[256];
	struct policy_file *file;

	(void)snprintf(text, sizeof(text), MATCH "  - container: %s\n", fits[_i].entry);
	file = parse_good(text);
	ck_assert_int_eq(policy_match_container_fit(&file->policies[0]->matches[0], &fits[_i].container), fits[_i].fit);
	(void)policy_file_unref(file);
}
END_TEST

/* What a rule does and says may change; it stays the same rule. */
START_TEST(test_ids_stay)
{
	struct policy_file *a =
		parse_good(DENY "    - /a\n    - {path: /b, unless: {uid: [1, 2]}}\n");
	struct policy_file *b = parse_good(
		DENY "    - {path: /b, unless: {uid: [2, 1]}, severity: low, tags: [x]}\n"
		     "    - {path: /a, action: kill, expires: 2030-01-01, message: m}\n");

	ck_assert_uint_eq(a->policies[0]->rules[0].id, b->policies[0]->rules[1].id);
	ck_assert_uint_eq(a->policies[0]->rules[1].id, b->policies[0]->rules[0].id);
	(void)policy_file_unref(a);
	(void)policy_file_unref(b);
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("language");

	tcase_add_loop_test(cases, test_bad_language, 0, (int)ARRAY_LEN(bad_language));
	tcase_add_test(cases, test_rule_keys);
	tcase_add_test(cases, test_rule_times);
	tcase_add_test(cases, test_switches);
	tcase_add_test(cases, test_implied);
	tcase_add_test(cases, test_every_rule_is_found);
	tcase_add_loop_test(cases, test_texts, 0, (int)ARRAY_LEN(texts));
	tcase_add_loop_test(cases, test_containers, 0, (int)ARRAY_LEN(containers));
	tcase_add_loop_test(cases, test_container_fits, 0, (int)ARRAY_LEN(fits));
	tcase_add_test(cases, test_ids_stay);
	return tcase_run(cases);
}
