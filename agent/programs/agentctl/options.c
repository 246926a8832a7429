/* SPDX-License-Identifier: Apache-2.0 */

/* Options: the global ones are understood before and after the command. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "programs/agentctl/agentctl.h"

enum {
	OPTION_STATE_DIR = 1000, /* beyond the numbers of commands' own options */
	OPTION_RUNTIME_DIR,
	OPTION_POLICY_DIR,
	OPTION_NO_PAGER,
	OPTION_COLOR,
	OPTION_VERSION,
};

#define OPTIONS_MAX 48U

static const struct option globals[] = {
	{"state-dir", required_argument, NULL, OPTION_STATE_DIR},
	{"runtime-dir", required_argument, NULL, OPTION_RUNTIME_DIR},
	{"policy-dir", required_argument, NULL, OPTION_POLICY_DIR},
	{"no-pager", no_argument, NULL, OPTION_NO_PAGER},
	{"color", required_argument, NULL, OPTION_COLOR},
	{"help", no_argument, NULL, 'h'},
	{"version", no_argument, NULL, OPTION_VERSION},
};

/* Return: -1 to go on, else the exit code. */
static int global_handle(struct agentctl *ctl, int c, const char *help)
{
	switch (c) {
	case OPTION_STATE_DIR:
		ctl->state_dir = optarg;
		return -1;
	case OPTION_RUNTIME_DIR:
		ctl->runtime_dir = optarg;
		return -1;
	case OPTION_POLICY_DIR:
		if (ctl->n_policy_dirs == POLICY_DIRS_MAX) {
			complain("At most %u policy directories", POLICY_DIRS_MAX);
			return EXIT_CODE_USAGE;
		}
		ctl->policy_dirs[ctl->n_policy_dirs++] = optarg;
		return -1;
	case OPTION_NO_PAGER:
		ctl->no_pager = true;
		return -1;
	case OPTION_COLOR:
		if (color_mode_from_string(optarg, &ctl->color) == 0)
			return -1;
		complain("--color: '%s' is none of auto, always, never", escaped(optarg));
		return EXIT_CODE_USAGE;
	case 'h':
		(void)fputs(help, stdout);
		return EXIT_CODE_OK;
	case OPTION_VERSION:
		(void)puts("agentctl " HAETAE_VERSION);
		return EXIT_CODE_OK;
	default:
		return EXIT_CODE_USAGE;
	}
}

/* getopt says only that something is wrong; its own messages would name the command as the program.
 */
static int option_complain(int c, char **argv)
{
	const char *word = argv[optind - 1];
	char letter[3] = {'-', (char)optopt, '\0'};

	if (optopt > 0 && optopt < 256 && strncmp(word, "--", 2) != 0)
		word = letter;
	if (c == ':')
		complain("Option '%s' needs an argument", escaped(word));
	else
		complain("Option '%s' is not understood; see agentctl --help", escaped(word));
	return EXIT_CODE_USAGE;
}

static bool option_is_own(const struct option_set *set, int c)
{
	for (const struct option *o = set->options; o->name; o++) {
		if (o->val == c)
			return true;
	}
	return c < 256 && c != 'h' && c != '?' && c != ':' && strchr(set->brief, c);
}

int options_parse(struct agentctl *ctl, int argc, char **argv, const struct option_set *set,
		  bool stop_early, int *ret_first)
{
	struct option all[OPTIONS_MAX] = {};
	char brief[64];
	size_t n = 0;
	int c;

	for (const struct option *o = set->options; o->name; o++)
		all[n++] = *o;
	for (size_t i = 0; i < ARRAY_LEN(globals); i++)
		all[n++] = globals[i];
	(void)snprintf(brief, sizeof(brief), "%s:h%s", stop_early ? "+" : "", set->brief);

	opterr = 0;
	optind = 0; /* begin anew: glibc scans another argv from its start */
	while ((c = getopt_long(argc, argv, brief, all, NULL)) >= 0) {
		int r;

		if (c == '?' || c == ':')
			return option_complain(c, argv);
		if (option_is_own(set, c)) {
			r = set->handle(c, optarg, set->userdata);
			if (r != 0)
				return r;
			continue;
		}
		r = global_handle(ctl, c, set->help);
		if (r >= 0)
			return r;
	}
	*ret_first = optind;
	return -1;
}

int options_end(int argc, char **argv, int first)
{
	if (first >= argc)
		return -1;
	complain("%s takes no '%s'", argv[0], escaped(argv[first]));
	return EXIT_CODE_USAGE;
}

const char *const *policy_dirs(const struct agentctl *ctl, size_t *ret_n)
{
	static const char *const defaults[] = {
		"/etc/haetae/policies.d",
		"/run/haetae/policies.d",
		"/usr/lib/haetae/policies.d",
	};

	if (ctl->n_policy_dirs > 0) {
		*ret_n = ctl->n_policy_dirs;
		return ctl->policy_dirs;
	}
	*ret_n = ARRAY_LEN(defaults);
	return defaults;
}

char *database_path(const struct agentctl *ctl)
{
	char *path;

	if (asprintf(&path, "%s/events.db", ctl->state_dir) < 0)
		return NULL;
	return path;
}
