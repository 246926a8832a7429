/* SPDX-License-Identifier: Apache-2.0 */

/* Rules that are refused or warned of. */

#include "policy-test.h"
#include "tests/unit/runner.h"

static const struct diag_case bad_rules[] = {
	{"relative",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - usr/bin/curl\n"),
	 "5:7+12 error: relative path; expected a path that starts with `/`\n"},
	{"home",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - ~/bin\n"),
	 "5:7+5 error: relative path; expected a path that starts with `/`\n"},
	{"dot",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - /usr/./bin\n"),
	 "5:12+1 error: component `.`; expected the path without it\n"},
	{"dots",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - /usr/../bin\n"),
	 "5:12+2 error: component `..`; expected the path it leads to\n"},
	{"double slash",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - /usr//bin\n"),
	 "5:11+2 error: empty component `//`; expected a single `/`\n"},
	{"double slash first",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - //usr\n"),
	 "5:7+2 error: empty component `//`; expected a single `/`\n"},
	{"trailing slash",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - /usr/bin/\n"),
	 "5:15+1 error: trailing slash; expected the path without it, or `/**` for a directory and "
	 "all below\n"},
	{"stars in the middle",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - /usr/**/curl\n"),
	 "5:12+2 error: `**` before the last component; expected `*` for one component\n"},
	{"stars in a component",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - /usr/**.so\n"),
	 "5:12+2 error: `**` inside a component; expected `*` within one component, or `/**` at "
	 "the end for a directory and all below\n"},
	{"three stars",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - /usr/***\n"),
	 "5:12+3 error: `***` inside a component; expected `*` within one component, or `/**` at "
	 "the end for a directory and all below\n"},
	{"newline",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - \"/usr/a\\nb\"\n"),
	 "5:7+11 error: control character 0x0a in the path\n"},
	{"nul",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - \"/usr/a\\0b\"\n"),
	 "5:7+11 error: control character 0x00 in the path\n"},
	{"c1",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - \"/usr/a\\Nb\"\n"),
	 "5:7+11 error: control character 0x85 in the path\n"},
	{"block text",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - |\n"
		   "      /usr/a\n"),
	 "5:7+1 error: the path goes over several lines; expected it in one line\n"},
	{"two lines",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - /usr/a\n"
		   "      b\n"),
	 "5:7+6 error: the path goes over several lines; expected it in one line\n"},
	{"component too long",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - "
		   "/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		   "aaaaaaaaaaaaaaaaaaaa\n"),
	 "5:8+256 error: component of 256 bytes; no file name is longer than 255\n"},
	{"too deep",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - "
		   "/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/"
		   "a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a/a\n"),
	 "5:134+1 error: more than 63 components\n"},
	{"quoted",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - 'usr/../bin'\n"
		   "    - \"/a/../b\"\n"),
	 "5:8+10 error: relative path; expected a path that starts with `/`\n"
	 "6:11+2 error: component `..`; expected the path it leads to\n"},
	{"boolean",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - no\n"),
	 "5:7+2 error: `no` is a boolean in YAML; expected quotes around it if the text is "
	 "meant\n"},
	{"number",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - 12\n"),
	 "5:7+2 error: `12` is a number in YAML; expected quotes around it if the text is meant\n"},
	{"empty",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    -\n"),
	 "5:6+0 error: the rule is empty; expected a path, or a mapping with `path`\n"},
	{"quoted empty",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - \"\"\n"),
	 "5:7+2 error: the rule is empty; expected a path, or a mapping with `path`\n"},
	{"list",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - [/a]\n"),
	 "5:7+4 error: the rule is a list; expected a path, or a mapping with `path`\n"},
	{"empty mapping",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - {}\n"),
	 "5:7+2 error: the rule has no `path`; expected a path, or a mapping with `path`\n"},
	{"no path",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - {severity: low}\n"),
	 "5:7+15 error: the rule has no `path`; expected a path, or a mapping with `path`\n"},
	{"path is a list",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - {path: [/a, /b]}\n"),
	 "5:14+8 error: `path` is a list; expected an absolute path\n"},
	{"path is empty",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - path:\n"),
	 "5:7+4 error: `path` is empty; expected an absolute path\n"},
	{"misspelt path",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - {paht: /a}\n"),
	 "5:8+4 error: unknown key `paht`; did you mean `path`?; expected `path`, `except`, "
	 "`unless`, `action`, `severity`, `message`, `tags`, `enforce_after` or `expires`\n"},
	{"ops in exec",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - {path: /a, ops: [read]}\n"),
	 "5:18+3 error: `ops` is not allowed here; only rules of `file` name operations\n"},
	{"except in allow",
	 TEXT(HEAD "file: {default: deny, allow: [{path: /a/**, except: [/a/b]}]}\n"),
	 "3:45+6 error: `except` is not allowed here; only deny and audit rules have exceptions\n"},
	{"ops is text",
	 TEXT(HEAD "file:\n"
		   "  deny:\n"
		   "    - {path: /a, ops: read}\n"),
	 "5:23+4 error: `ops` is text; expected a list of operations, like `[read, write]`\n"},
	{"ops is empty",
	 TEXT(HEAD "file:\n"
		   "  deny:\n"
		   "    - {path: /a, ops: []}\n"),
	 "5:23+2 error: `ops` is an empty list; expected a list of operations, like `[read, "
	 "write]`\n"},
	{"ops is nothing",
	 TEXT(HEAD "file:\n"
		   "  deny:\n"
		   "    - {path: /a, ops: }\n"),
	 "5:18+3 error: `ops` is empty; expected a list of operations, like `[read, write]`\n"},
	{"unknown op",
	 TEXT(HEAD "file:\n"
		   "  deny:\n"
		   "    - {path: /a, ops: [raed, truncate, READ]}\n"),
	 "5:24+4 error: unknown operation `raed`; did you mean `read`?; expected `read`, `write`, "
	 "`create`, `delete`, `rename`, `link`, `attr` or `map`\n"
	 "5:30+8 error: unknown operation `truncate`; expected `read`, `write`, `create`, "
	 "`delete`, `rename`, `link`, `attr` or `map`\n"
	 "5:40+4 error: unknown operation `READ`; expected `read`, `write`, `create`, `delete`, "
	 "`rename`, `link`, `attr` or `map`\n"},
	{"op exec",
	 TEXT(HEAD "file:\n"
		   "  deny:\n"
		   "    - {path: /a, ops: [exec]}\n"),
	 "5:24+4 error: `exec` is not an operation of a `file.deny` rule; expected a rule of the "
	 "section `exec` for it\n"},
	{"op map in allow",
	 TEXT(HEAD "file: {default: deny, allow: [{path: /a, ops: [map, read]}]}\n"),
	 "3:48+3 error: `map` is not an operation of a `file.allow` rule; expected a rule of the "
	 "section `exec` for it\n"},
	{"op twice",
	 TEXT(HEAD "file:\n"
		   "  deny:\n"
		   "    - {path: /a, ops: [read, write, read]}\n"),
	 "5:37+4 error: duplicate operation `read`\n"},
	{"op is a mapping",
	 TEXT(HEAD "file:\n"
		   "  deny:\n"
		   "    - {path: /a, ops: [{read: write}, ]}\n"),
	 "5:24+13 error: the operation is a mapping; expected a word like `read`\n"},
	{"except is text",
	 TEXT(HEAD "file:\n"
		   "  deny:\n"
		   "    - {path: /a/**, except: /a/b}\n"),
	 "5:29+4 error: `except` is text; expected a list of paths inside the rule's path\n"},
	{"except is empty",
	 TEXT(HEAD "file:\n"
		   "  deny:\n"
		   "    - {path: /a/**, except: []}\n"),
	 "5:29+2 error: `except` is an empty list; expected a list of paths inside the rule's "
	 "path\n"},
	{"except outside",
	 TEXT(HEAD "file:\n"
		   "  deny:\n"
		   "    - {path: /root/**, except: [/home/x, /root/.profile, /roo, /root2/x]}\n"),
	 "5:33+7 error: the exception matches nothing of the rule's path `/root/**`; expected a "
	 "path inside it\n"
	 "5:58+4 error: the exception matches nothing of the rule's path `/root/**`; expected a "
	 "path inside it\n"
	 "5:64+8 error: the exception matches nothing of the rule's path `/root/**`; expected a "
	 "path inside it\n"},
	{"except below a literal",
	 TEXT(HEAD "file:\n"
		   "  deny:\n"
		   "    - {path: /root, except: [/root/x]}\n"),
	 "5:30+7 error: the exception matches nothing of the rule's path `/root`; expected a path "
	 "inside it\n"},
	{"except outside a wildcard",
	 TEXT(HEAD "file:\n"
		   "  deny:\n"
		   "    - {path: /etc/*.conf, except: [/etc/a*d, /etc/x.cfg, /etc/a.conf/b]}\n"),
	 "5:36+8 error: the exception matches nothing of the rule's path `/etc/*.conf`; expected a "
	 "path inside it\n"
	 "5:46+10 error: the exception matches nothing of the rule's path `/etc/*.conf`; expected "
	 "a path inside it\n"
	 "5:58+13 error: the exception matches nothing of the rule's path `/etc/*.conf`; expected "
	 "a path inside it\n"},
	{"except outside the root",
	 TEXT(HEAD "file:\n"
		   "  deny:\n"
		   "    - {path: /*, except: [/a/b]}\n"),
	 "5:27+4 error: the exception matches nothing of the rule's path `/*`; expected a path "
	 "inside it\n"},
	{"except of everything",
	 TEXT(HEAD "file:\n"
		   "  deny:\n"
		   "    - {path: /a/**, except: [/a/**]}\n"
		   "    - {path: /b/*, except: [/b/**]}\n"
		   "    - {path: /c, except: [/c]}\n"),
	 "5:30+5 error: the exception leaves nothing of the rule\n"
	 "6:29+5 error: the exception leaves nothing of the rule\n"
	 "7:27+2 error: the exception leaves nothing of the rule\n"},
	{"except bad path",
	 TEXT(HEAD "file:\n"
		   "  deny:\n"
		   "    - {path: /a/**, except: [b, /a/../c]}\n"),
	 "5:30+1 error: relative path; expected a path that starts with `/`\n"
	 "5:36+2 error: component `..`; expected the path it leads to\n"},
	{"except before a bad path",
	 TEXT(HEAD "file:\n"
		   "  deny:\n"
		   "    - {except: [/a/b], path: /a/}\n"),
	 "5:32+1 error: trailing slash; expected the path without it, or `/**` for a directory and "
	 "all below\n"},
	{"unknown severity",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - {path: /a, severity: hihg}\n"
		   "    - {path: /b, severity: fatal}\n"
		   "    - {path: /c, severity: [low]}\n"),
	 "5:28+4 error: unknown severity `hihg`; did you mean `high`?; expected `info`, `low`, "
	 "`medium`, `high` or `critical`\n"
	 "6:28+5 error: unknown severity `fatal`; expected `info`, `low`, `medium`, `high` or "
	 "`critical`\n"
	 "7:28+5 error: `severity` is a list; expected a word like `high`\n"},
	{"message too long",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - {path: /a, message: "
		   "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm"
		   "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm"
		   "mmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmmm"
		   "mmmmmmmmmmmmmmmmmmmm}\n"),
	 "5:27+257 error: message of 257 bytes; 256 are allowed\n"},
	{"message with a newline",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - {path: /a, message: \"a\\nb\"}\n"),
	 "5:27+6 error: control character 0x0a in `message`\n"},
	{"message empty",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - {path: /a, message: \"\"}\n"),
	 "5:27+2 error: `message` is empty; expected text\n"},
	{"message is a boolean",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - {path: /a, message: No}\n"),
	 "5:27+2 error: `No` is a boolean in YAML; expected quotes around it if the text is "
	 "meant\n"},
	{"allow through bin",
	 TEXT(HEAD "exec:\n"
		   "  default: deny\n"
		   "  allow: [/bin/sh, /sbin/**, /lib64/ld.so, /bind/x, /usr/bin/x, /lib]\n"),
	 "5:11+7 warning: where `/bin` is a link to `/usr/bin`, this path names nothing; expected "
	 "`/usr/bin/sh`\n"
	 "5:20+8 warning: where `/sbin` is a link to `/usr/sbin`, this path names nothing; "
	 "expected `/usr/sbin/**`\n"
	 "5:30+12 warning: where `/lib64` is a link to `/usr/lib64`, this path names nothing; "
	 "expected `/usr/lib64/ld.so`\n"
	 "5:65+4 warning: where `/lib` is a link to `/usr/lib`, this path names nothing; expected "
	 "`/usr/lib`\n"},
	{"brackets",
	 TEXT(HEAD "exec:\n"
		   "  deny:\n"
		   "    - /usr/bin/[ab]*\n"
		   "    - /usr/bin/[\n"
		   "    - /a[/b]\n"),
	 "5:16+4 warning: `[` and `]` stand for themselves in a path; expected only `*`, `?` and a "
	 "trailing `/**` as wildcards\n"},
};

START_TEST(test_bad_rules)
{
	diag_case_run(&bad_rules[_i]);
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("rule");

	tcase_add_loop_test(cases, test_bad_rules, 0, (int)ARRAY_LEN(bad_rules));
	return tcase_run(cases);
}
