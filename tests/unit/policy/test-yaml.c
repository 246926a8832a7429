/* SPDX-License-Identifier: Apache-2.0 */

/* What YAML can say and a policy may not, and files without a policy. */

#include "policy-test.h"
#include "tests/unit/runner.h"

static const struct diag_case bad_yaml[] = {
	{"empty", TEXT(""), "0:0+0 error: no policy in this file\n"},
	{"comment", TEXT("# nothing here\n"), "0:0+0 error: no policy in this file\n"},
	{"blank",
	 TEXT("\n"
	      "\n"
	      "   \n"),
	 "0:0+0 error: no policy in this file\n"},
	{"marker", TEXT("---\n"), "0:0+0 error: no policy in this file\n"},
	{"two empty documents",
	 TEXT("---\n"
	      "---\n"),
	 "1:1+3 error: no policy in this document\n"
	 "2:1+3 error: no policy in this document\n"},
	{"null", TEXT("~\n"),
	 "1:1+1 error: the document is text; expected a mapping that starts with `policy: NAME`\n"},
	{"text", TEXT("web\n"),
	 "1:1+3 error: the document is text; expected a mapping that starts with `policy: NAME`\n"},
	{"quoted nothing", TEXT("\"\"\n"),
	 "1:1+2 error: the document is empty; expected a mapping that starts with `policy: "
	 "NAME`\n"},
	{"list", TEXT("- policy: p\n"),
	 "1:1+11 error: the document is a list; expected a mapping that starts with `policy: "
	 "NAME`\n"},
	{"anchor",
	 TEXT("policy: &a p\n"
	      "match: [{cgroup: /a}]\n"
	      "exec: {default: deny}\n"),
	 "1:9+2 error: anchors are not allowed in a policy\n"},
	{"anchor on a mapping", TEXT(HEAD "exec: &e {default: deny}\n"),
	 "3:7+2 error: anchors are not allowed in a policy\n"},
	{"alias", TEXT(HEAD "exec: *e\n"), "3:7+2 error: aliases are not allowed in a policy\n"},
	{"alias in a list",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - *rule\n"
		   "    - /a\n"),
	 "5:7+5 error: aliases are not allowed in a policy\n"},
	{"alias as a document", TEXT("*a\n"), "1:1+2 error: aliases are not allowed in a policy\n"},
	{"merge key",
	 TEXT(HEAD "<<: {mode: audit}\n"
		   "exec: {default: deny}\n"),
	 "3:1+2 error: merge keys are not allowed in a policy\n"},
	{"quoted merge key",
	 TEXT(HEAD "\"<<\": {mode: audit}\n"
		   "exec: {default: deny}\n"),
	 "3:1+4 error: unknown key `<<`; expected `policy`, `description`, `mode`, `match`, "
	 "`exec`, `file`, `kernel` or `record`\n"},
	{"tag",
	 TEXT("policy: !!str p\n"
	      "match: [{cgroup: /a}]\n"
	      "exec: {default: deny}\n"),
	 "1:9+5 error: tags are not allowed in a policy\n"},
	{"own tag",
	 TEXT("policy: !x p\n"
	      "match: [{cgroup: /a}]\n"
	      "exec: {default: deny}\n"),
	 "1:9+2 error: tags are not allowed in a policy\n"},
	{"plain tag",
	 TEXT("policy: ! p\n"
	      "match: [{cgroup: /a}]\n"
	      "exec: {default: deny}\n"),
	 "1:9+1 error: tags are not allowed in a policy\n"},
	{"tag on a list", TEXT(HEAD "exec: {default: deny, allow: !!seq [/x]}\n"),
	 "3:30+5 error: tags are not allowed in a policy\n"},
	{"tag directive",
	 TEXT("%TAG !x! tag:x,2000:\n"
	      "---\n"
	      "policy: p\n"
	      "match: [{cgroup: /a}]\n"
	      "exec: {default: deny}\n"),
	 "1:1+20 error: tag directives are not allowed in a policy\n"},
	{"list as a key",
	 TEXT(HEAD "[a, b]: c\n"
		   "exec: {default: deny}\n"),
	 "3:1+1 error: the key of a mapping is a list; expected a word\n"},
	{"mapping as a key",
	 TEXT(HEAD "{a: b}: c\n"
		   "exec: {default: deny}\n"),
	 "3:1+1 error: the key of a mapping is a mapping; expected a word\n"},
	{"alias as a key",
	 TEXT(HEAD "*a : c\n"
		   "exec: {default: deny}\n"),
	 "3:1+2 error: aliases are not allowed in a policy\n"},
	{"duplicate key",
	 TEXT(HEAD "mode: audit\n"
		   "exec: {default: deny}\n"
		   "mode: enforce\n"),
	 "5:1+4 error: duplicate key `mode`, first written in line 3\n"},
	{"duplicate key quoted", TEXT(HEAD "exec: {default: deny, \"default\": allow}\n"),
	 "3:23+9 error: duplicate key `default`, first written in line 3\n"},
	{"duplicate unknown key",
	 TEXT(HEAD "exec: {default: deny}\n"
		   "x: 1\n"
		   "x: 2\n"),
	 "4:1+1 error: unknown key `x`; expected `policy`, `description`, `mode`, `match`, `exec`, "
	 "`file`, `kernel` or `record`\n"
	 "5:1+1 error: duplicate key `x`, first written in line 4\n"},
	{"tab",
	 TEXT(HEAD "exec:\n"
		   "\tdefault: deny\n"),
	 "4:1+0 error: a tab cannot indent YAML; expected spaces\n"},
	{"open list", TEXT(HEAD "exec: {deny: [/a\n"),
	 "4:1+0 error: not YAML: did not find expected ',' or ']' while parsing a flow sequence\n"},
	{"open quote",
	 TEXT("policy: \"p\n"
	      "mode: audit\n"),
	 "3:1+0 error: not YAML: found unexpected end of stream while scanning a quoted scalar\n"},
	{"bad indent",
	 TEXT(HEAD "exec:\n"
		   "  default: deny\n"
		   " deny: []\n"),
	 "5:2+1 error: not YAML: did not find expected key while parsing a block mapping\n"},
	{"bad escape", TEXT("policy: \"a\\qb\"\n"),
	 "1:11+1 error: not YAML: found unknown escape character while parsing a quoted scalar\n"},
	{"errors before a syntax error",
	 TEXT("polcy: p\n"
	      "mode: loud\n"
	      "exec: {deny: [a, b\n"
	      "file: }\n"),
	 "1:1+5 error: unknown key `polcy`; did you mean `policy`?; expected `policy`, "
	 "`description`, `mode`, `match`, `exec`, `file`, `kernel` or `record`\n"
	 "2:7+4 error: unknown mode `loud`; expected `enforce` or `audit`\n"
	 "3:15+1 error: relative path; expected a path that starts with `/`\n"
	 "3:18+1 error: the path goes over several lines; expected it in one line\n"
	 "4:5+1 error: not YAML: did not find expected ',' or ']' while parsing a flow sequence\n"},
	{"syntax error in the second document",
	 TEXT("policy: p\n"
	      "mode: loud\n"
	      "---\n"
	      "mode: x\n"
	      "exec: [}\n"),
	 "1:1+6 error: the policy does not say what it governs; expected `match:` with a list of "
	 "entries with `cgroup`, `unit` or `container`\n"
	 "2:7+4 error: unknown mode `loud`; expected `enforce` or `audit`\n"
	 "4:7+1 error: unknown mode `x`; expected `enforce` or `audit`\n"
	 "5:7+1 error: `exec` is a list; expected a mapping with `default`, `allow` or `deny`\n"
	 "5:8+1 error: not YAML: did not find expected node content while parsing a flow node\n"},
	{"value without a key",
	 TEXT(": x\n"
	      "policy: p\n"
	      "match: [{cgroup: /a}]\n"
	      "exec: {default: deny}\n"),
	 "1:1+1 error: not YAML: did not find expected key while parsing a block mapping\n"},
	{"unknown directive version",
	 TEXT("%YAML 3.0\n"
	      "---\n"
	      "policy: p\n"),
	 "1:1+1 error: not YAML: found incompatible YAML document\n"},
};

START_TEST(test_bad_yaml)
{
	diag_case_run(&bad_yaml[_i]);
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("yaml");

	tcase_add_loop_test(cases, test_bad_yaml, 0, (int)ARRAY_LEN(bad_yaml));
	return tcase_run(cases);
}
