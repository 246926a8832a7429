/* SPDX-License-Identifier: Apache-2.0 */

/*
 * agentctl policy check: what the agent would say about these files, before it is given them.
 * Ownership is not looked at: a policy is usually checked where it is written, in somebody's
 * repository.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "compile/lint.h"
#include "programs/agentctl/check-running.h"
#include "programs/agentctl/policies.h"
#include "programs/agentctl/policy.h"

static const char help[] =
	"agentctl policy check [--strict] [--running] [--root DIR]... [--cgroups DIR] FILE...\n"
	"\n"
	"Parse and compile policy files (every *.yaml and *.yml of a directory, - for standard\n"
	"input) and print every error and warning. The exit code is 1 on errors. Needs neither\n"
	"root (but for --running) nor a running agent.\n"
	"\n"
	"     --strict          Warnings fail too\n"
	"     --running         Against the containers and units that run now, each policy against\n"
	"                       those that it selects\n"
	"     --root DIR        Against the files of a container whose root this is; repeatable\n"
	"     --cgroups DIR     Against the cgroups that exist (/sys/fs/cgroup)\n"
	"  -h --help            Show this help\n";

#define ROOTS_MAX 64

struct check_options {
	bool strict;
	bool running;
	const char *roots[ROOTS_MAX]; /* root directories of containers */
	int n_roots;
	const char *cgroups; /* a cgroup tree; NULL: none is looked at */
};

/* A file that cannot be compiled is not worth advice. */
static int check_lint(struct policies *p, const struct check_options *options)
{
	struct lint_root roots[ROOTS_MAX];
	int n_roots = 0, tree = -EBADF, r = 0;

	for (int i = 0; i < options->n_roots; i++) {
		struct lint_root *root = &roots[n_roots];

		root->path = options->roots[i];
		root->fd = open(root->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
		if (root->fd >= 0) {
			n_roots++;
			continue;
		}
		complain("%s: %s", escaped(root->path), strerror(errno));
		p->failed = true;
	}
	if (options->cgroups) {
		tree = open(options->cgroups, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		if (tree < 0) {
			complain("%s: %s", escaped(options->cgroups), strerror(errno));
			p->failed = true;
		}
	}
	for (size_t i = 0; i < p->n_files && r >= 0 && p->diags.n_errors == 0; i++) {
		r = lint_policies(p->files[i], &p->diags);
		if (r >= 0)
			r = lint_roots(p->files[i], roots, (size_t)n_roots, &p->diags);
		if (r >= 0 && tree >= 0)
			r = lint_cgroups(p->files[i], tree, &p->diags);
	}
	for (int i = 0; i < n_roots; i++)
		(void)close(roots[i].fd);
	if (tree >= 0)
		(void)close(tree);
	return r;
}

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
	struct check_options *options = userdata;

	if (c == 's')
		options->strict = true;
	else if (c == 'n')
		options->running = true;
	else if (c == 'c')
		options->cgroups = arg;
	else if (options->n_roots < ROOTS_MAX)
		options->roots[options->n_roots++] = arg;
	else
		complain("more than %d --root; the others are left out", ROOTS_MAX);
	return 0;
}

int policy_check(struct agentctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {{"strict", no_argument, NULL, 's'},
						{"running", no_argument, NULL, 'n'},
						{"root", required_argument, NULL, 'r'},
						{"cgroups", required_argument, NULL, 'c'},
						{}};
	_cleanup_(policies_deinit) struct policies p = {};
	struct check_options chosen = {};
	const struct option_set set = {
		.options = options, .brief = "", .help = help, .handle = handle, .userdata = &chosen,
	};
	int first, r;

	r = options_parse(ctl, argc, argv, &set, /* stop_early= */ false, &first);
	if (r >= 0)
		return r;
	if (first >= argc) {
		complain("policy check needs a file, a directory or -");
		return EXIT_CODE_USAGE;
	}
	p.ctl = ctl;
	r = 0;
	for (int i = first; r >= 0 && i < argc; i++)
		r = policies_add_path(&p, argv[i]);
	if (r >= 0)
		r = policies_compile(&p, time(NULL));
	if (r >= 0)
		r = check_lint(&p, &chosen);
	if (r >= 0 && chosen.running && p.diags.n_errors == 0)
		r = check_running(&p, ctl);
	if (r < 0) {
		complain("Failed to check: %s", strerror(-r));
		return EXIT_CODE_FAILURE;
	}
	return check_print(ctl, &p, chosen.strict);
}
