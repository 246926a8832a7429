/* SPDX-License-Identifier: Apache-2.0 */

/*
 * agentctl policy check: what the agent would say about these files, before it is given them.
 * Ownership is not looked at: a policy is usually checked where it is written, in somebody's
 * repository.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "programs/agentctl/policies.h"
#include "programs/agentctl/policy.h"

static const char help[] =
	"agentctl policy check [--strict] FILE...\n"
	"\n"
	"Parse and compile policy files (every *.yaml and *.yml of a directory, - for standard\n"
	"input) and print every error and warning. The exit code is 1 on errors. Needs neither\n"
	"root nor a running agent.\n"
	"\n"
	"     --strict          Warnings fail too\n"
	"  -h --help            Show this help\n";

static int check_print(const struct agentctl *ctl, const struct policies *p, bool strict)
{
	diag_list_print(&p->diags, stderr, color_wanted(ctl->color, STDERR_FILENO));
	(void)printf("%zu files, %zu policies: %zu errors, %zu warnings\n", p->n_files, p->n,
		     p->diags.n_errors, p->diags.n_warnings);
	if (p->failed || p->diags.n_errors > 0 || (strict && p->diags.n_warnings > 0))
		return EXIT_CODE_FAILURE;
	return fflush(stdout) == 0 || errno == EPIPE ? EXIT_CODE_OK : EXIT_CODE_FAILURE;
}

static int handle(int c, const char *arg, void *userdata)
{
	*(bool *)userdata = true;
	return 0;
}

int policy_check(struct agentctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {{"strict", no_argument, NULL, 1}, {}};
	_cleanup_(policies_deinit) struct policies p = {};
	bool strict = false;
	const struct option_set set = {
		.options = options, .brief = "", .help = help, .handle = handle, .userdata = &strict,
	};
	int first, r;

	r = options_parse(ctl, argc, argv, &set, /* stop_early= */ false, &first);
	if (r >= 0)
		return r;
	if (first >= argc) {
		complain("policy check needs a file, a directory or -");
		return EXIT_CODE_USAGE;
	}
	r = 0;
	for (int i = first; r >= 0 && i < argc; i++)
		r = policies_add_path(&p, argv[i]);
	if (r >= 0)
		r = policies_compile(&p, time(NULL));
	if (r < 0) {
		complain("Failed to check: %s", strerror(-r));
		return EXIT_CODE_FAILURE;
	}
	return check_print(ctl, &p, strict);
}
