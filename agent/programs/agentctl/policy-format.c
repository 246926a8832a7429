/* SPDX-License-Identifier: Apache-2.0 */

/* agentctl policy format: policy files in their canonical form. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "policy/format.h"
#include "programs/agentctl/policies.h"
#include "programs/agentctl/policy.h"
#include "util/fd.h"
#include "util/replace.h"

#define FORMAT_READ_MAX (16U << 20)

static const char help[] =
	"agentctl policy format [--check] [--in-place] FILE...\n"
	"\n"
	"Write policy files in their canonical form: two blanks for each level, one form for each\n"
	"text, short lists in one line where they were in one. Comments and the order of everything\n"
	"stay. What the keys mean is not looked at. - is standard input.\n"
	"\n"
	"     --check           Write nothing; name the files that are not in this form, exit 1\n"
	"  -i --in-place        Write into the files instead of to standard output\n"
	"  -h --help            Show this help\n";

struct formatter {
	bool check;
	bool in_place;
	bool color; /* of the diagnostics */
};

/* What a link leads to is written, and the file keeps its mode. */
static int file_rewrite(const char *path, const char *text)
{
	_cleanup_free_ char *real = realpath(path, NULL);
	struct stat st;

	if (!real || stat(real, &st) < 0)
		return -errno;
	return file_replace(real, text, strlen(text), st.st_mode);
}

static int format_deliver(const struct formatter *f, const char *path, const char *text,
			  const char *formatted)
{
	bool same = strcmp(text, formatted) == 0;

	if (f->check) {
		if (!same)
			(void)printf("%s\n", escaped(path));
		return same ? EXIT_CODE_OK : EXIT_CODE_FAILURE;
	}
	if (!f->in_place)
		return fputs(formatted, stdout) < 0 && errno != EPIPE ? EXIT_CODE_FAILURE : EXIT_CODE_OK;
	if (!same) {
		int r = file_rewrite(path, formatted);

		if (r < 0) {
			complain("Failed to write '%s': %s", escaped(path), strerror(-r));
			return EXIT_CODE_FAILURE;
		}
	}
	return EXIT_CODE_OK;
}

static int format_file(const struct formatter *f, const char *path)
{
	_cleanup_free_ char *text = NULL, *formatted = NULL;
	bool input = strcmp(path, "-") == 0;
	struct diag_list diags = {};
	size_t len;
	int r;

	if (input && f->in_place) {
		complain("Standard input cannot be written in place");
		return EXIT_CODE_USAGE;
	}
	r = input ? fd_read_all(STDIN_FILENO, FORMAT_READ_MAX, &text, &len) :
		    file_read_all(AT_FDCWD, path, FORMAT_READ_MAX, &text, &len);
	if (r < 0) {
		complain("%s: %s", escaped(path), strerror(-r));
		return EXIT_CODE_FAILURE;
	}
	if (input)
		path = "(standard input)";
	r = policy_format(path, text, len, POLICY_FORMAT_ALL, &diags, &formatted);
	diag_list_print(&diags, stderr, f->color);
	diag_list_deinit(&diags);
	if (r == 0)
		return format_deliver(f, path, text, formatted);
	if (r == POLICY_E_UNFORMATTED)
		complain("%s: cannot be written anew without losing something; it stays as it is",
			 escaped(path));
	return r == -ENOMEM ? out_of_memory() : EXIT_CODE_FAILURE;
}

static int handle(int c, const char *arg, void *userdata)
{
	struct formatter *f = userdata;

	if (c == 'i')
		f->in_place = true;
	else
		f->check = true;
	return 0;
}

int policy_reformat(struct agentctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {
		{"check", no_argument, NULL, 1}, {"in-place", no_argument, NULL, 'i'}, {}};
	struct formatter f = {};
	const struct option_set set = {
		.options = options, .brief = "i", .help = help, .handle = handle, .userdata = &f,
	};
	int code = EXIT_CODE_OK, first, r;

	r = options_parse(ctl, argc, argv, &set, /* stop_early= */ false, &first);
	if (r >= 0)
		return r;
	if (first >= argc) {
		complain("policy format needs a file or -");
		return EXIT_CODE_USAGE;
	}
	if (f.check && f.in_place) {
		complain("policy format: --check writes nothing, so there is no --in-place");
		return EXIT_CODE_USAGE;
	}
	f.color = color_wanted(ctl->color, STDERR_FILENO);
	for (int i = first; i < argc; i++) {
		r = format_file(&f, argv[i]);
		if (r != EXIT_CODE_OK)
			code = r;
	}
	return fflush(stdout) == 0 || errno == EPIPE ? code : EXIT_CODE_FAILURE;
}
