/* SPDX-License-Identifier: Apache-2.0 */

/* The upper levels of the language: what is refused, and what comes out of what is not. */

#include "policy-test.h"

static const struct diag_case bad_documents[] = {
	{"empty mapping", TEXT("{}\n"),
	 "1:1+2 error: the policy has no name; expected `policy: NAME`\n"
	 "1:1+2 error: the policy does not say what it governs; expected `match:` with a list of "
	 "entries with `cgroup`, `unit` or `container`\n"},
	{"no name",
	 TEXT("match: [{cgroup: /a}]\n"
	      "exec: {default: deny}\n"),
	 "1:1+5 error: the policy has no name; expected `policy: NAME`\n"},
	{"no match",
	 TEXT("policy: p\n"
	      "exec: {default: deny}\n"),
	 "1:1+6 error: the policy does not say what it governs; expected `match:` with a list of "
	 "entries with `cgroup`, `unit` or `container`\n"},
	{"refuses nothing",
	 TEXT(HEAD "kernel: {mount: allow, ptrace: allow, module: allow, kexec: allow, bpf: allow, "
		   "perf: allow, device: allow, sysctl: allow, clock: allow, namespaces: allow, "
		   "io_uring_sqpoll: allow}\n"),
	 "1:9+1 warning: the policy refuses nothing; expected rules in `exec` or `file`\n"},
	{"misspelt key",
	 TEXT(HEAD "fiel: {}\n"
		   "exec: {default: deny}\n"),
	 "3:1+4 error: unknown key `fiel`; did you mean `file`?; expected `policy`, `description`, "
	 "`mode`, `match`, `exec`, `file`, `kernel` or `record`\n"},
	{"swapped letters", TEXT(HEAD "eexc: {default: deny}\n"),
	 "3:1+4 error: unknown key `eexc`; did you mean `exec`?; expected `policy`, `description`, "
	 "`mode`, `match`, `exec`, `file`, `kernel` or `record`\n"},
	{"unknown key",
	 TEXT(HEAD "exec: {default: deny}\n"
		   "enforcement: yes\n"),
	 "4:1+11 error: unknown key `enforcement`; expected `policy`, `description`, `mode`, "
	 "`match`, `exec`, `file`, `kernel` or `record`\n"},
	{"key in capitals",
	 TEXT("Policy: p\n"
	      "match: [{cgroup: /a}]\n"
	      "exec: {default: deny}\n"),
	 "1:1+6 error: unknown key `Policy`; did you mean `policy`?; expected `policy`, "
	 "`description`, `mode`, `match`, `exec`, `file`, `kernel` or `record`\n"},
	{"empty key",
	 TEXT(HEAD "\"\": x\n"
		   "exec: {default: deny}\n"),
	 "3:1+2 error: empty key; expected `policy`, `description`, `mode`, `match`, `exec`, "
	 "`file`, `kernel` or `record`\n"},
	{"long key",
	 TEXT(HEAD "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		   "a: x\n"
		   "exec: {default: deny}\n"),
	 "3:1+80 error: unknown key "
	 "`aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa...`; expected "
	 "`policy`, `description`, `mode`, `match`, `exec`, `file`, `kernel` or `record`\n"},
	{"key with controls",
	 TEXT(HEAD "\"a\\0\\e[2Jb\": x\n"
		   "exec: {default: deny}\n"),
	 "3:1+11 error: unknown key `a\342\220\200\033[2Jb`; expected `policy`, `description`, "
	 "`mode`, `match`, `exec`, `file`, `kernel` or `record`\n"},
	{"learn",
	 TEXT(HEAD "mode: learn\n"
		   "exec: {default: deny}\n"),
	 "3:7+5 error: mode `learn` is not available in this version; expected `enforce` or "
	 "`audit`\n"},
	{"boolean as a name",
	 TEXT("policy: no\n"
	      "match: [{cgroup: /a}]\n"
	      "exec: {default: deny}\n"),
	 "1:9+2 error: `no` is a boolean in YAML; expected quotes around it if the text is "
	 "meant\n"},
	{"octal as a name",
	 TEXT("policy: 0o17\n"
	      "match: [{cgroup: /a}]\n"
	      "exec: {default: deny}\n"),
	 "1:9+4 error: `0o17` is a number in YAML; expected quotes around it if the text is "
	 "meant\n"},
	{"exponent as a name",
	 TEXT("policy: 1e3\n"
	      "match: [{cgroup: /a}]\n"
	      "exec: {default: deny}\n"),
	 "1:9+3 error: `1e3` is a number in YAML; expected quotes around it if the text is "
	 "meant\n"},
	{"null as a name",
	 TEXT("policy: null\n"
	      "match: [{cgroup: /a}]\n"
	      "exec: {default: deny}\n"),
	 "1:9+4 error: `null` is null in YAML; expected quotes around it if the text is meant\n"},
	{"tilde as a name",
	 TEXT("policy: ~\n"
	      "match: [{cgroup: /a}]\n"
	      "exec: {default: deny}\n"),
	 "1:9+1 error: `~` is null in YAML; expected quotes around it if the text is meant\n"},
	{"date as a name",
	 TEXT("policy: 2026-11-21\n"
	      "match: [{cgroup: /a}]\n"
	      "exec: {default: deny}\n"),
	 "1:9+10 error: `2026-11-21` is a date in YAML; expected quotes around it if the text is "
	 "meant\n"},
	{"empty name",
	 TEXT("policy:\n"
	      "match: [{cgroup: /a}]\n"
	      "exec: {default: deny}\n"),
	 "1:1+6 error: `policy` is empty; expected the name of the policy\n"},
	{"quoted empty name",
	 TEXT("policy: \"\"\n"
	      "match: [{cgroup: /a}]\n"
	      "exec: {default: deny}\n"),
	 "1:9+2 error: `policy` is empty; expected the name of the policy\n"},
	{"name with a capital",
	 TEXT("policy: Web\n"
	      "match: [{cgroup: /a}]\n"
	      "exec: {default: deny}\n"),
	 "1:9+3 error: invalid policy name `Web`; expected 1 to 63 characters of a-z, 0-9, `.`, "
	 "`_` and `-`, the first a letter or digit\n"},
	{"name with a dot first",
	 TEXT("policy: .web\n"
	      "match: [{cgroup: /a}]\n"
	      "exec: {default: deny}\n"),
	 "1:9+4 error: invalid policy name `.web`; expected 1 to 63 characters of a-z, 0-9, `.`, "
	 "`_` and `-`, the first a letter or digit\n"},
	{"name with a slash",
	 TEXT("policy: a/b\n"
	      "match: [{cgroup: /a}]\n"
	      "exec: {default: deny}\n"),
	 "1:9+3 error: invalid policy name `a/b`; expected 1 to 63 characters of a-z, 0-9, `.`, "
	 "`_` and `-`, the first a letter or digit\n"},
	{"name too long",
	 TEXT("policy: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\n"
	      "match: [{cgroup: /a}]\n"
	      "exec: {default: deny}\n"),
	 "1:9+64 error: invalid policy name "
	 "`aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa`; expected 1 to 63 "
	 "characters of a-z, 0-9, `.`, `_` and `-`, the first a letter or digit\n"},
	{"name is a list",
	 TEXT("policy: [a]\n"
	      "match: [{cgroup: /a}]\n"
	      "exec: {default: deny}\n"),
	 "1:9+3 error: `policy` is a list; expected the name of the policy\n"},
	{"name over two lines",
	 TEXT("policy: a\n"
	      "  b\n"
	      "match: [{cgroup: /a}]\n"
	      "exec: {default: deny}\n"),
	 "1:9+1 error: `policy` goes over several lines; expected it in one line\n"},
	{"description is a mapping",
	 TEXT(HEAD "description: {a: b}\n"
		   "exec: {default: deny}\n"),
	 "3:14+6 error: `description` is a mapping; expected text\n"},
	{"description with an escape",
	 TEXT(HEAD "description: \"a\\e[2J\"\n"
		   "exec: {default: deny}\n"),
	 "3:14+8 error: control character 0x1b in `description`\n"},
	{"description is a number",
	 TEXT(HEAD "description: 42\n"
		   "exec: {default: deny}\n"),
	 "3:14+2 error: `42` is a number in YAML; expected quotes around it if the text is "
	 "meant\n"},
	{"misspelt mode",
	 TEXT(HEAD "mode: enforced\n"
		   "exec: {default: deny}\n"),
	 "3:7+8 error: unknown mode `enforced`; did you mean `enforce`?; expected `enforce` or "
	 "`audit`\n"},
	{"unknown mode",
	 TEXT(HEAD "mode: permissive\n"
		   "exec: {default: deny}\n"),
	 "3:7+10 error: unknown mode `permissive`; expected `enforce` or `audit`\n"},
	{"mode is empty",
	 TEXT(HEAD "mode:\n"
		   "exec: {default: deny}\n"),
	 "3:1+4 error: `mode` is empty; expected `enforce` or `audit`\n"},
	{"mode is a list",
	 TEXT(HEAD "mode: [audit]\n"
		   "exec: {default: deny}\n"),
	 "3:7+7 error: `mode` is a list; expected `enforce` or `audit`\n"},
	{"match is a mapping",
	 TEXT("policy: p\n"
	      "match: {cgroup: /a}\n"
	      "exec: {default: deny}\n"),
	 "2:8+12 error: `match` is a mapping; expected a list of entries with `cgroup`, `unit` or "
	 "`container`\n"},
	{"match is text",
	 TEXT("policy: p\n"
	      "match: /a\n"
	      "exec: {default: deny}\n"),
	 "2:8+2 error: `match` is text; expected a list of entries with `cgroup`, `unit` or "
	 "`container`\n"},
	{"match is empty",
	 TEXT("policy: p\n"
	      "match:\n"
	      "exec: {default: deny}\n"),
	 "2:1+5 error: `match` is empty; expected a list of entries with `cgroup`, `unit` or "
	 "`container`\n"},
	{"match is an empty list",
	 TEXT("policy: p\n"
	      "match: []\n"
	      "exec: {default: deny}\n"),
	 "2:8+2 error: `match` is an empty list; expected a list of entries with `cgroup`, `unit` "
	 "or `container`\n"},
	{"match entry is text",
	 TEXT("policy: p\n"
	      "match: [/a]\n"
	      "exec: {default: deny}\n"),
	 "2:9+2 error: the entry is text; expected a mapping with `cgroup`, `unit` or "
	 "`container`\n"},
	{"match entry is empty",
	 TEXT("policy: p\n"
	      "match: [{}]\n"
	      "exec: {default: deny}\n"),
	 "2:9+2 error: an empty entry would select everything; expected `cgroup`, `unit` or "
	 "`container`\n"},
	{"match with a misspelt key",
	 TEXT("policy: p\n"
	      "match: [{cgoup: /a}]\n"
	      "exec: {default: deny}\n"),
	 "2:10+5 error: unknown key `cgoup`; did you mean `cgroup`?; expected `cgroup`, `unit` or "
	 "`container`\n"},
	{"match of everything",
	 TEXT("policy: p\n"
	      "match: [{cgroup: /**}, {cgroup: /}, {unit: \"*\"}]\n"
	      "exec: {default: deny}\n"),
	 "2:18+3 error: `/**` selects the whole system; expected the cgroup of a container or a "
	 "service\n"
	 "2:33+1 error: `/` selects the whole system; expected the cgroup of a container or a "
	 "service\n"
	 "2:37+11 error: the entry selects the whole system; expected the name of a unit\n"},
	{"match twice",
	 TEXT("policy: p\n"
	      "match:\n"
	      "  - cgroup: /a\n"
	      "  - unit: a.service\n"
	      "  - cgroup: /a\n"
	      "exec: {default: deny}\n"),
	 "5:5+10 error: duplicate entry, first written in line 3\n"},
	{"relative cgroup",
	 TEXT("policy: p\n"
	      "match: [{cgroup: a.slice}]\n"
	      "exec: {default: deny}\n"),
	 "2:18+7 error: relative path; expected a path that starts with `/`\n"},
	{"cgroup too deep",
	 TEXT("policy: p\n"
	      "match: [{cgroup: "
	      "/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a}]\n"
	      "exec: {default: deny}\n"),
	 "2:83+1 error: more than 32 components\n"},
	{"unit with a slash",
	 TEXT("policy: p\n"
	      "match: [{unit: a.slice/b.service}]\n"
	      "exec: {default: deny}\n"),
	 "2:23+1 error: `/` in a name; expected the name of one directory of the cgroup tree, like "
	 "`nginx.service`\n"},
	{"unit that is none",
	 TEXT("policy: p\n"
	      "match: [{unit: nginx}]\n"
	      "exec: {default: deny}\n"),
	 "2:16+5 warning: no systemd unit has the name `nginx`; expected a name like "
	 "`nginx.service`, or a pattern like `web-*.scope`\n"},
	{"unit with stars",
	 TEXT("policy: p\n"
	      "match: [{unit: \"a**.service\"}, {unit: \"**\"}, {unit: \"..\"}]\n"
	      "exec: {default: deny}\n"),
	 "2:18+2 error: `**` in a name; expected a single `*`\n"
	 "2:40+2 error: `**` in a name; expected a single `*`\n"
	 "2:54+2 error: `..` is not a name\n"},
	{"exec is text", TEXT(HEAD "exec: deny\n"),
	 "3:7+4 error: `exec` is text; expected a mapping with `default`, `allow` or `deny`\n"},
	{"exec is empty", TEXT(HEAD "exec:\n"),
	 "3:1+4 error: `exec` is empty; expected a mapping with `default`, `allow` or `deny`\n"},
	{"exec is an empty mapping", TEXT(HEAD "exec: {}\n"),
	 "3:7+2 error: `exec` is an empty mapping; expected a mapping with `default`, `allow` or "
	 "`deny`\n"},
	{"exec is a list", TEXT(HEAD "exec: [/a]\n"),
	 "3:7+4 error: `exec` is a list; expected a mapping with `default`, `allow` or `deny`\n"},
	{"misspelt default", TEXT(HEAD "exec: {default: dney}\n"),
	 "3:17+4 error: unknown default `dney`; did you mean `deny`?; expected `allow` or "
	 "`deny`\n"},
	{"default is a list", TEXT(HEAD "exec: {default: [deny]}\n"),
	 "3:17+6 error: `default` is a list; expected `allow` or `deny`\n"},
	{"default is empty", TEXT(HEAD "exec: {default: }\n"),
	 "3:8+7 error: `default` is empty; expected `allow` or `deny`\n"},
	{"allow without default", TEXT(HEAD "exec: {allow: [/a]}\n"),
	 "3:8+5 error: `allow` has no effect while the default of `exec` is allow; expected "
	 "`default: deny` beside it\n"},
	{"allow with default allow",
	 TEXT(HEAD "file:\n"
		   "  allow: [/a]\n"
		   "  default: allow\n"),
	 "4:3+5 error: `allow` has no effect while the default of `file` is allow; expected "
	 "`default: deny` beside it\n"},
	{"allow is empty",
	 TEXT(HEAD "exec:\n"
		   "  default: deny\n"
		   "  allow:\n"),
	 "5:3+5 error: `allow` is empty; expected a list of rules (`[]` for none)\n"},
	{"deny is text", TEXT(HEAD "exec: {deny: /a}\n"),
	 "3:14+2 error: `deny` is text; expected a list of rules (`[]` for none)\n"},
	{"key of the other section", TEXT(HEAD "file: {default: deny, anonymous: deny}\n"),
	 "3:23+9 error: unknown key `anonymous`; expected `default`, `allow`, `deny` or `audit`\n"},
	{"second document has errors",
	 TEXT(HEAD "exec: {default: deny}\n"
		   "---\n"
		   "policy: q\n"
		   "mode: x\n"),
	 "5:1+6 error: the policy does not say what it governs; expected `match:` with a list of "
	 "entries with `cgroup`, `unit` or `container`\n"
	 "6:7+1 error: unknown mode `x`; expected `enforce` or `audit`\n"},
	{"one name twice",
	 TEXT(HEAD "exec: {default: deny}\n"
		   "---\n"
		   "policy: p\n"
		   "match: [{cgroup: /a}]\n"
		   "exec: {default: deny}\n"),
	 "5:9+1 error: duplicate policy `p`, first written in line 1; expected another name\n"},
	{"empty document behind",
	 TEXT(HEAD "exec: {default: deny}\n"
		   "---\n"),
	 "4:1+3 error: no policy in this document\n"},
	{"everything at once",
	 TEXT("policy: Web\n"
	      "mode: loud\n"
	      "match: []\n"
	      "exec:\n"
	      "  default: never\n"
	      "  deny: [a, /b/]\n"
	      "file: {deny: [{path: /c, ops: [see]}]}\n"
	      "kernel: {}\n"),
	 "1:9+3 error: invalid policy name `Web`; expected 1 to 63 characters of a-z, 0-9, `.`, "
	 "`_` and `-`, the first a letter or digit\n"
	 "2:7+4 error: unknown mode `loud`; expected `enforce` or `audit`\n"
	 "3:8+2 error: `match` is an empty list; expected a list of entries with `cgroup`, `unit` "
	 "or `container`\n"
	 "5:12+5 error: unknown default `never`; expected `allow` or `deny`\n"
	 "6:10+1 error: relative path; expected a path that starts with `/`\n"
	 "6:15+1 error: trailing slash; expected the path without it, or `/**` for a directory and "
	 "all below\n"
	 "7:32+3 error: unknown operation `see`; expected `read`, `write`, `create`, `delete`, "
	 "`rename`, `link`, `attr` or `map`\n"
	 "8:9+2 error: `kernel` is an empty mapping; expected lines like `mount: deny`\n"},
};

START_TEST(test_bad_documents)
{
	diag_case_run(&bad_documents[_i]);
}
END_TEST

#include "abi.h"
#include "tests/unit/runner.h"
#include "util/fd.h"

#include <fcntl.h>

static const struct policy_rule *rule_at(const struct policy *p, size_t i,
					 enum policy_rule_kind kind, const char *path)
{
	const struct policy_rule *r = &p->rules[i];

	ck_assert_uint_lt(i, p->n_rules);
	ck_assert_int_eq((int)r->kind, (int)kind);
	if (path)
		ck_assert_str_eq(r->path.text, path);
	else
		ck_assert_ptr_null(r->path.text);
	return r;
}

START_TEST(test_all_fields)
{
	struct policy_file *file =
		parse_good("policy: web.1_a-b\n"
			   "description: |\n"
			   "  two\n"
			   "  lines\n"
			   "mode: audit\n"
			   "match:\n"
			   "  - cgroup: /machine.slice/libpod-*.scope\n"
			   "  - {unit: nginx.service, cgroup: /system.slice/**}\n"
			   "file:\n"
			   "  default: deny\n"
			   "  allow:\n"
			   "    - {path: /srv/**, ops: [read, attr]}\n"
			   "    - /\n"
			   "  deny:\n"
			   "    - {path: /root/**, except: [/root/a, /root/b/**]}\n"
			   "    - {path: /etc/?.so*, ops: [map, link, rename]}\n"
			   "exec:\n"
			   "  deny:\n"
			   "    - path: \"/usr/bin/curl\"\n"
			   "      severity: critical\n"
			   "      message: no downloads\n"
			   "  default: deny\n"
			   "  allow: ['/usr/bin/**']\n");
	const struct policy *p = file->policies[0];
	const struct policy_rule *r;

	ck_assert_str_eq(file->path, "p.yaml");
	ck_assert_str_eq(file->name, "p.yaml");
	ck_assert_str_eq(p->file, "p.yaml");
	ck_assert_str_eq(p->name, "web.1_a-b");
	ck_assert_str_eq(p->description, "two\nlines\n");
	ck_assert_int_eq((int)p->mode, POLICY_MODE_AUDIT);
	ck_assert_uint_eq(p->location.line, 1);
	ck_assert_uint_eq(p->location.column, 9);
	ck_assert_uint_eq(p->n_matches, 2);
	ck_assert_str_eq(p->matches[0].cgroup.text, "/machine.slice/libpod-*.scope");
	ck_assert(!p->matches[0].cgroup.subtree);
	ck_assert_ptr_null(p->matches[0].unit);
	ck_assert_str_eq(p->matches[1].cgroup.text, "/system.slice");
	ck_assert(p->matches[1].cgroup.subtree);
	ck_assert_str_eq(p->matches[1].unit, "nginx.service");
	ck_assert_uint_eq(p->matches[1].location.line, 8);
	ck_assert_uint_eq(p->matches[1].location.column, 5);
	ck_assert_int_eq((int)p->file_default, POLICY_DEFAULT_DENY);
	ck_assert_int_eq((int)p->exec_default, POLICY_DEFAULT_DENY);

	ck_assert_uint_eq(p->n_rules, 8);
	r = rule_at(p, 0, POLICY_RULE_FILE_DEFAULT, NULL);
	ck_assert_uint_eq(r->ops, HT_OPS_FILE);
	ck_assert_int_eq((int)r->severity, POLICY_SEVERITY_LOW);
	ck_assert_uint_eq(r->location.line, 10);
	ck_assert_uint_eq(r->location.column, 3);
	r = rule_at(p, 1, POLICY_RULE_FILE_ALLOW, "/srv");
	ck_assert(r->path.subtree);
	ck_assert_uint_eq(r->ops, HT_OP_READ | HT_OP_ATTR);
	ck_assert_uint_eq(r->location.column, 7);
	ck_assert_uint_eq(r->path.location.column, 14);
	r = rule_at(p, 2, POLICY_RULE_FILE_ALLOW, "/");
	ck_assert(!r->path.subtree);
	ck_assert_uint_eq(r->ops, HT_OPS_FILE);
	r = rule_at(p, 3, POLICY_RULE_FILE_DENY, "/root");
	ck_assert_uint_eq(r->ops, HT_OP_ALL);
	ck_assert_int_eq((int)r->severity, POLICY_SEVERITY_HIGH);
	ck_assert_uint_eq(r->n_except, 2);
	ck_assert_str_eq(r->except[0].text, "/root/a");
	ck_assert(!r->except[0].subtree);
	ck_assert_str_eq(r->except[1].text, "/root/b");
	ck_assert(r->except[1].subtree);
	ck_assert_uint_eq(r->except[1].location.column, 42);
	r = rule_at(p, 4, POLICY_RULE_FILE_DENY, "/etc/?.so*");
	ck_assert_uint_eq(r->ops, HT_OP_MAP | HT_OP_MAP_LIBRARY | HT_OP_LINK | HT_OP_RENAME);
	r = rule_at(p, 5, POLICY_RULE_EXEC_DENY, "/usr/bin/curl");
	ck_assert_uint_eq(r->ops, HT_OPS_EXEC);
	ck_assert_int_eq((int)r->severity, POLICY_SEVERITY_CRITICAL);
	ck_assert_str_eq(r->message, "no downloads");
	ck_assert_uint_eq(r->location.line, 19);
	ck_assert_uint_eq(r->location.column, 7);
	ck_assert_uint_eq(r->path.location.column, 13);
	r = rule_at(p, 6, POLICY_RULE_EXEC_DEFAULT, NULL);
	ck_assert_uint_eq(r->ops, HT_OPS_EXEC);
	r = rule_at(p, 7, POLICY_RULE_EXEC_ALLOW, "/usr/bin");
	ck_assert(r->path.subtree);
	for (size_t i = 0; i < p->n_rules; i++)
		for (size_t j = 0; j < i; j++)
			ck_assert_uint_ne(p->rules[i].id, p->rules[j].id);
	(void)policy_file_unref(file);
}
END_TEST

START_TEST(test_defaults)
{
	struct policy_file *file = parse_good(HEAD "file: {deny: [/a]}\n");
	const struct policy *p = file->policies[0];

	ck_assert_int_eq((int)p->mode, POLICY_MODE_ENFORCE);
	ck_assert_int_eq((int)p->exec_default, POLICY_DEFAULT_ALLOW);
	ck_assert_int_eq((int)p->file_default, POLICY_DEFAULT_ALLOW);
	ck_assert_ptr_null(p->description);
	ck_assert_uint_eq(p->n_rules, 1);
	ck_assert_ptr_null(p->rules[0].message);
	(void)policy_file_unref(file);
}
END_TEST

START_TEST(test_documents)
{
	struct policy_file *file = parse_good("%YAML 1.1\n---\n" HEAD "exec: {default: deny}\n"
					      "...\n# between\n---\n"
					      "policy: q\nmatch: [unit: a.scope]\n"
					      "exec: {default: deny}\n--- \n"
					      "policy: r\nmatch: [unit: b.scope]\n"
					      "exec: {default: deny}\n");

	ck_assert_uint_eq(file->n_policies, 3);
	ck_assert_str_eq(file->policies[0]->name, "p");
	ck_assert_str_eq(file->policies[2]->name, "r");
	ck_assert_uint_eq(file->policies[1]->location.line, 9);
	ck_assert_ptr_eq(policy_file_ref(file), file);
	ck_assert_ptr_null(policy_file_unref(file));
	ck_assert_uint_eq(file->refs, 1);
	(void)policy_file_unref(file);
	ck_assert_ptr_null(policy_file_unref(NULL));
}
END_TEST

START_TEST(test_line_ends)
{
	struct policy_file *file = parse_good("policy: p\r\nmatch: [{cgroup: /a}]\r\n"
					      "exec:\r\n  deny:\r\n    - /b\r\n    - /c");
	const struct policy *p = file->policies[0];

	ck_assert_uint_eq(p->n_rules, 2);
	ck_assert_str_eq(p->rules[0].path.text, "/b");
	ck_assert_uint_eq(p->rules[0].location.line, 5);
	ck_assert_uint_eq(p->rules[1].location.line, 6);
	ck_assert_uint_eq(p->rules[1].location.column, 7);
	(void)policy_file_unref(file);
}
END_TEST

/* Odd but right: none of these may be refused or even warned of. */
static const char *const accepted[] = {
	"policy: \"no\"\nmatch: [{cgroup: /a}]\nexec: {default: deny}\n",
	"policy: '1e3'\nmatch: [{cgroup: /a}]\nexec: {default: deny}\n",
	"policy: 1a\nmatch: [{cgroup: /a}]\nexec: {default: deny}\n",
	"policy: 1.2.3\nmatch: [{cgroup: /a}]\nexec: {default: deny}\n",
	"\"policy\": p\n'match': [{\"cgroup\": '/a'}]\nexec: {default: 'deny'}\n",
	"{policy: p, match: [{cgroup: /a}], exec: {default: deny, allow: []}}\n",
	"{\"policy\": \"p\", \"match\": [{\"cgroup\": \"/a\"}], \"exec\": {\"default\": \"deny\"}}",
	HEAD "exec: {deny: []}\nfile: {default: deny}\n",
	HEAD "exec:\n  deny:\n  - /a b/c\n  - /usr/bin/[\n  - /...\n  - /.hidden\n  - /a/..b\n",
	HEAD
	"exec:\n  deny:\n  - \"/\\u00e9t\\u00e9\"\n  - /\355\225\264\355\203\234\n  - '/it''s'\n",
	HEAD "file: {deny: [/**]}\n",
	HEAD "file: {deny: [/]}\n",
	HEAD "file: {deny: ['/a*b?c', '/-', '/?', '/*', '/*/*']}\n",
	HEAD "exec: {deny: [/bin/sh, /lib64/**]}\n",
	HEAD "description: \"tab\\there\"\nexec: {default: deny}\n",
	"policy: p\nmatch: [{unit: '*', cgroup: /a/**}, {unit: '*.service'}, {unit: w-*}]\n"
	"exec: {default: deny}\n",
	"policy: p\nmatch:\n- cgroup: /a\n- cgroup: /a/**\n- {cgroup: /a, unit: x.slice}\n"
	"exec: {default: deny}\n",
};

START_TEST(test_accepted)
{
	(void)policy_file_unref(parse_good(accepted[_i]));
}
END_TEST

/* The examples must be what they are meant to be: fine, without a warning. */
static const struct {
	const char *file, *policy;
	size_t n_rules;
} shipped[] = {
	{"50-web-demo.yaml", "web-demo", 11},
};

START_TEST(test_shipped)
{
	char path[4096], *text = NULL;
	struct policy_file *file;
	size_t len = 0;

	(void)snprintf(path, sizeof(path), "%s/../policies/%s", getenv("HAETAE_TEST_DATA"),
		       shipped[_i].file);
	ck_assert_int_eq(file_read_all(AT_FDCWD, path, POLICY_FILE_MAX, &text, &len), 0);
	file = parse_good(text);
	ck_assert_uint_eq(file->n_policies, 1);
	ck_assert_str_eq(file->policies[0]->name, shipped[_i].policy);
	ck_assert_uint_eq(file->policies[0]->n_rules, shipped[_i].n_rules);
	(void)policy_file_unref(file);
	free(text);
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("parse");

	tcase_add_loop_test(cases, test_bad_documents, 0, (int)ARRAY_LEN(bad_documents));
	tcase_add_test(cases, test_all_fields);
	tcase_add_test(cases, test_defaults);
	tcase_add_test(cases, test_documents);
	tcase_add_test(cases, test_line_ends);
	tcase_add_loop_test(cases, test_accepted, 0, (int)ARRAY_LEN(accepted));
	tcase_add_loop_test(cases, test_shipped, 0, (int)ARRAY_LEN(shipped));
	return tcase_run(cases);
}
