/* SPDX-License-Identifier: Apache-2.0 */

/* agentctl policy: the table of its own commands. */

#include <stdio.h>
#include <string.h>

#include "programs/agentctl/agentctl.h"
#include "programs/agentctl/policy.h"

static const struct {
	const char *name;
	int (*run)(struct agentctl *ctl, int argc, char **argv);
} commands[] = {
	{"check", policy_check},
	{"list", policy_list},
	{"show", policy_show},
	{"test", policy_test},
	{"diff", policy_diff},
	{"format", policy_reformat},
};

static const char help[] =
	"agentctl policy check [--strict] [--root DIR]... [--cgroups DIR] FILE...\n"
	"agentctl policy list [--json]\n"
	"agentctl policy show [--json] NAME | --effective CONTAINER\n"
	"agentctl policy test [SUBJECT] --exec PATH | --op OP [PATH] | --suite FILE\n"
	"agentctl policy diff [--since TIME] [--json] FILE...\n"
	"agentctl policy format [--check] [--in-place] FILE...\n"
	"\n"
	"check: what the agent would say about these files\n"
	"list: the policies of the drop-in directories and their state\n"
	"show: one policy as it is written, or all lines that hold for one container\n"
	"test: what policies say to an act, or to a suite of acts\n"
	"diff: what would change with these files, for what runs and for what was recorded\n"
	"format: policy files in their canonical form, comments kept\n"
	"\n"
	"  -h --help            Show this help; after a command, that command's\n";

int cmd_policy(struct agentctl *ctl, int argc, char **argv)
{
	static const struct option none[] = {{}};
	const struct option_set set = {.options = none, .brief = "", .help = help};
	int first, r;

	r = options_parse(ctl, argc, argv, &set, /* stop_early= */ true, &first);
	if (r >= 0)
		return r;
	if (first >= argc) {
		(void)fputs(help, stderr);
		return EXIT_CODE_USAGE;
	}
	for (size_t i = 0; i < ARRAY_LEN(commands); i++)
		if (strcmp(argv[first], commands[i].name) == 0)
			return commands[i].run(ctl, argc - first, argv + first);
	complain("Unknown command 'policy %s'; see agentctl policy --help", escaped(argv[first]));
	return EXIT_CODE_USAGE;
}
