/* SPDX-License-Identifier: Apache-2.0 */

/* The table of commands, and the way from argv to one of them. */

#include "programs/agentctl/agentctl.h"

#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	int (*run)(struct agentctl *ctl, int argc, char **argv);
} commands[] = {
	{"status", cmd_status},		{"events", cmd_events}, {"policy", cmd_policy},
	{"containers", cmd_containers}, {"doctor", cmd_doctor}, {"reload", cmd_reload},
	{"apply", cmd_apply},		{"confirm", cmd_confirm}, {"rollback", cmd_rollback},
	{"disarm", cmd_disarm},		{"arm", cmd_arm},	{"explain", cmd_explain},
};

static const char help[] =
	"agentctl [OPTIONS...] COMMAND ...\n"
	"\n"
	"Ask and steer Haetae, which refuses what a container was never meant to do.\n"
	"\n"
	"Commands:\n"
	"  status               What is enforced on what, counters and the loss ledger\n"
	"  events               Recorded verdicts, newest last\n"
	"  explain EVENT-ID     Why a recorded act was refused, and what would allow it\n"
	"  policy check FILE... Check policy files (directories, or - for standard input)\n"
	"  policy list          Policies in the drop-in directories and their state\n"
	"  policy show NAME     A policy, or all that holds for a container\n"
	"  policy test          What policies say to an act, or to a suite of acts\n"
	"  policy diff FILE     What would change with a file\n"
	"  policy format FILE   Policy files in their canonical form, comments kept\n"
	"  containers           What is governed now\n"
	"  doctor               Can this host enforce? What to mend if not\n"
	"  reload               Apply changed policy files, wait for the result\n"
	"  apply FILE           Put a policy file in force, on trial if you like\n"
	"  confirm, rollback    Keep the file on trial, or take it back\n"
	"  disarm CONTAINER     Break-glass: only record for a while what would be refused\n"
	"  arm CONTAINER        End that early\n"
	"\n"
	"Options:\n"
	"     --state-dir DIR   Where the verdict store is (/var/lib/haetae)\n"
	"     --runtime-dir DIR Where the agent listens (/run/haetae)\n"
	"     --policy-dir DIR  Policy directory, highest precedence first; repeatable\n"
	"                       (/etc/haetae/policies.d, /run/..., /usr/lib/...)\n"
	"     --no-pager        Do not pipe long output into a pager\n"
	"     --color WHEN      auto, always or never\n"
	"  -h --help            Show this help; after a command, that command's\n"
	"     --version         Show the version\n"
	"\n"
	"See agentctl(1).\n";

void agentctl_init(struct agentctl *ctl)
{
	*ctl = (struct agentctl){
		.state_dir = "/var/lib/haetae",
		.runtime_dir = "/run/haetae",
		.root_dir = "",
		.bpffs_dir = "/sys/fs/bpf/haetae",
	};
}

int agentctl_run(struct agentctl *ctl, int argc, char **argv)
{
	static const struct option none[] = {{}};
	const struct option_set set = {.options = none, .brief = "", .help = help};
	int first, r;

	(void)setlocale(LC_CTYPE, "");
	/* a reader that has seen enough is no failure: writes then fail with EPIPE, handled there
	 */
	(void)signal(SIGPIPE, SIG_IGN);
	r = options_parse(ctl, argc, argv, &set, /* stop_early= */ true, &first);
	if (r >= 0)
		return r;
	if (first >= argc) {
		(void)fputs(help, stderr);
		return EXIT_CODE_USAGE;
	}
	for (size_t i = 0; i < ARRAY_LEN(commands); i++) {
		if (strcmp(argv[first], commands[i].name) == 0)
			return commands[i].run(ctl, argc - first, argv + first);
	}
	complain("Unknown command '%s'; see agentctl --help", escaped(argv[first]));
	return EXIT_CODE_USAGE;
}
