/* SPDX-License-Identifier: Apache-2.0 */

/* agentctl policy: the table of its own commands. */

#include <stdio.h>
#include <string.h>

#include "programs/agentctl/agentctl.h"
#include "programs/agentctl/policy.h"

static const char help[] =
	"agentctl policy check [--strict] [--root DIR]... [--cgroups DIR] FILE...\n"
	"agentctl policy list [--json]\n"
	"\n"
	"check: parse and compile policy files (every *.yaml and *.yml of a directory, - for\n"
	"standard input) and print every error and warning. The exit code is 1 on errors.\n"
	"Needs neither root nor a running agent.\n"
	"\n"
	"list: the policies of the drop-in directories, and their state in the agent if it runs.\n"
	"\n"
	"     --strict          check: warnings fail too\n"
	"     --root DIR        check: against the files of a container whose root this is\n"
	"     --cgroups DIR     check: against the cgroups that exist (/sys/fs/cgroup)\n"
	"     --json            list: one JSON array\n"
	"  -h --help            Show this help\n";

static int handle(int c, const char *arg, void *userdata)
{
	struct policy_options *options = userdata;

	if (c == 's')
		options->strict = true;
	else if (c == 'j')
		options->json = true;
	else if (c == 'c')
		options->cgroups = arg;
	else if (options->n_roots < POLICY_ROOTS_MAX)
		options->roots[options->n_roots++] = arg;
	else
		complain("more than %d --root; the others are left out", POLICY_ROOTS_MAX);
	return 0;
}

int cmd_policy(struct agentctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, 'j'},
		{"strict", no_argument, NULL, 's'},
		{"root", required_argument, NULL, 'r'},
		{"cgroups", required_argument, NULL, 'c'},
		{}};
	struct policy_options chosen = {};
	const struct option_set set = {
		.options = options,
		.brief = "",
		.help = help,
		.handle = handle,
		.userdata = &chosen,
	};
	int first, r;

	r = options_parse(ctl, argc, argv, &set, /* stop_early= */ false, &first);
	if (r >= 0)
		return r;
	if (first >= argc) {
		(void)fputs(help, stderr);
		return EXIT_CODE_USAGE;
	}
	if (strcmp(argv[first], "check") == 0) {
		if (chosen.json) {
			complain("policy check has no --json");
			return EXIT_CODE_USAGE;
		}
		if (first + 1 >= argc) {
			complain("policy check needs a file, a directory or -");
			return EXIT_CODE_USAGE;
		}
		return policy_check(ctl, &chosen, argc - first - 1, argv + first + 1);
	}
	if (strcmp(argv[first], "list") == 0) {
		if (chosen.strict) {
			complain("policy list has no --strict");
			return EXIT_CODE_USAGE;
		}
		if (chosen.n_roots > 0 || chosen.cgroups) {
			complain("policy list has no --root and no --cgroups");
			return EXIT_CODE_USAGE;
		}
		r = options_end(argc, argv, first + 1);
		return r >= 0 ? r : policy_list(ctl, &chosen);
	}
	complain("Unknown command 'policy %s'; see agentctl policy --help", escaped(argv[first]));
	return EXIT_CODE_USAGE;
}
