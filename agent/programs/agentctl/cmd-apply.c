/* SPDX-License-Identifier: Apache-2.0 */

/*
 * agentctl apply, confirm, rollback: put a policy file in force, and be sure to get out of it again.
 *
 * The file is laid into STATE_DIR/trial under a hidden name; the agent takes it from there (call "apply"). What is
 * confirmed (call "confirm") is copied into the first policy directory by this program, as the agent may not write there;
 * then the agent lets go of its own copy (call "settle"). Each step can be repeated.
 *
 * The calls: "apply" {"name": text, "within_us": int} -> {"name", "generation"}; "confirm" {} -> {"name"}; "settle" {}
 * -> {"name"}; "rollback" {} -> {"name"}.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "control/control.h"
#include "programs/agentctl/agentctl.h"
#include "programs/agentctl/policies.h"
#include "programs/agentctl/time-words.h"
#include "util/fd.h"
#include "util/replace.h"

/* Without a trial the file is confirmed at once; if this program ends in between, it goes again. */
#define APPLY_WITHIN_US 60000000LL

static const char apply_help[] =
	"agentctl apply [--confirm-within TIME] FILE\n"
	"\n"
	"Put a policy file in force: it is checked together with those that are there, published,\n"
	"and copied into the first policy directory, over a file of the same name.\n"
	"\n"
	"     --confirm-within TIME\n"
	"                       On trial: without agentctl confirm in this time it is rolled back\n"
	"     --json            Print the agent's answer\n"
	"  -h --help            Show this help\n";

static const char confirm_help[] =
	"agentctl confirm\n"
	"\n"
	"Keep the policy file that agentctl apply --confirm-within put in force: it is copied into\n"
	"the first policy directory.\n"
	"\n"
	"  -h --help            Show this help\n";

static const char rollback_help[] =
	"agentctl rollback\n"
	"\n"
	"Take back the policy file that agentctl apply --confirm-within put in force, before its\n"
	"time is over.\n"
	"\n"
	"  -h --help            Show this help\n";

struct apply_options {
	int64_t within_us; /* 0: no trial */
	bool json;
};

static int handle(int c, const char *arg, void *userdata)
{
	_cleanup_free_ char *error = NULL;
	struct apply_options *o = userdata;

	if (c == 'j') {
		o->json = true;
		return 0;
	}
	if (time_span_parse(arg, &o->within_us, &error) == 0 && o->within_us > 0)
		return 0;
	complain("--confirm-within: %s", error ? escaped(error) : "a time above zero is needed");
	return EXIT_CODE_USAGE;
}

static int call(struct agentctl *ctl, const char *name, json_t *params, json_t **ret_answer)
{
	struct diag_list diags = {};
	int r = agent_call(ctl, name, params, PUBLISH_TIMEOUT_MS, ret_answer);

	if (r == EXIT_CODE_NOT_RUNNING)
		complain("The agent is not running; nothing was changed");
	if (r != 0 && *ret_answer &&
	    control_diags_from_json(json_object_get(*ret_answer, "diagnostics"), &diags) == 0)
		diag_list_print(&diags, stderr, color_wanted(ctl->color, STDERR_FILENO));
	diag_list_deinit(&diags);
	return r;
}

/* Would it be good beside the others? Return: 0 or an exit code, complained about. */
static int apply_check(const struct agentctl *ctl, const char *path, const char *text, size_t len)
{
	_cleanup_(policies_deinit) struct policies p = {};
	int r = policies_add_dirs(&p, ctl);

	if (r != 0)
		return r;
	/* what is wrong with the others already is not this file's matter */
	diag_list_deinit(&p.diags);
	r = policies_add_text(&p, path, text, len);
	if (r >= 0)
		r = policies_compile(&p, time(NULL));
	if (r < 0)
		return out_of_memory();
	diag_list_print(&p.diags, stderr, color_wanted(ctl->color, STDERR_FILENO));
	return p.diags.n_errors > 0 ? EXIT_CODE_FAILURE : 0;
}

static int trial_lay_down(const struct agentctl *ctl, const char *name, const char *text, size_t len)
{
	_cleanup_free_ char *path = NULL;
	int r;

	if (asprintf(&path, "%s/trial/.%s", ctl->state_dir, name) < 0) {
		path = NULL;
		return out_of_memory();
	}
	r = file_replace(path, text, len, 0600);
	if (r < 0) {
		complain("Failed to write '%s': %s%s", escaped(path), strerror(-r),
			 r == -ENOENT ? "; does the agent run, with this state directory?" : "");
		return r == -EACCES || r == -EPERM ? EXIT_CODE_PERMISSION : EXIT_CODE_FAILURE;
	}
	return 0;
}

/* The file that is confirmed goes into the first policy directory. */
static int trial_deliver(const struct agentctl *ctl, const char *name)
{
	_cleanup_free_ char *from = NULL, *to = NULL, *text = NULL;
	const char *const *dirs;
	size_t len, n;
	int r;

	dirs = policy_dirs(ctl, &n);
	if (strchr(name, '/') || asprintf(&from, "%s/trial/%s", ctl->state_dir, name) < 0 ||
	    asprintf(&to, "%s/%s", dirs[0], name) < 0)
		return out_of_memory();
	r = file_read_all(AT_FDCWD, from, POLICY_FILE_MAX, &text, &len);
	if (r >= 0)
		r = mkdir_parents(dirs[0], 0755);
	if (r >= 0)
		r = file_replace(to, text, len, 0644);
	if (r < 0) {
		complain("Failed to copy it to '%s': %s; it stays in force, and agentctl confirm tries again",
			 escaped(to), strerror(-r));
		return EXIT_CODE_FAILURE;
	}
	(void)printf("%s\n", escaped(to));
	return 0;
}

static int confirm(struct agentctl *ctl)
{
	json_auto_t *answer = NULL, *settled = NULL;
	const char *name;
	int r = call(ctl, "confirm", NULL, &answer);

	if (r != 0)
		return r;
	name = json_text(answer, "name");
	if (!name) {
		complain("The agent's answer is not readable");
		return EXIT_CODE_FAILURE;
	}
	r = trial_deliver(ctl, name);
	if (r == 0)
		r = call(ctl, "settle", NULL, &settled);
	return r != 0 ? r : fflush(stdout) == 0 || errno == EPIPE ? EXIT_CODE_OK : EXIT_CODE_FAILURE;
}

static int trial_tell(const char *name, int64_t within_us)
{
	_cleanup_strbuf_ struct strbuf b = {};

	strbuf_printf(&b, "%s is in force on trial. Without agentctl confirm it is rolled back ",
		      escaped(name));
	time_format_relative(&b, time_now_us() + within_us, time_now_us());
	strbuf_puts(&b, ".\n");
	return output_write(&b);
}

static int apply(struct agentctl *ctl, const struct apply_options *o, const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	int64_t within_us = o->within_us > 0 ? o->within_us : APPLY_WITHIN_US;
	_cleanup_free_ char *text = NULL;
	json_auto_t *answer = NULL;
	size_t len;
	int r = file_read_all(AT_FDCWD, path, POLICY_FILE_MAX, &text, &len);

	if (r < 0) {
		complain("%s: %s", escaped(path), strerror(-r));
		return EXIT_CODE_FAILURE;
	}
	r = apply_check(ctl, path, text, len);
	if (r == 0)
		r = trial_lay_down(ctl, name, text, len);
	if (r == 0)
		r = call(ctl, "apply",
			 json_pack("{s:o, s:I}", "name", control_text(name), "within_us",
				   (json_int_t)within_us),
			 &answer);
	if (r != 0)
		return r;
	if (o->within_us == 0)
		r = confirm(ctl);
	if (o->json)
		return r != 0 ? r : output_json(answer);
	return o->within_us > 0 ? trial_tell(name, within_us) : r;
}

int cmd_apply(struct agentctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {{"confirm-within", required_argument, NULL, 'w'},
						{"json", no_argument, NULL, 'j'},
						{}};
	struct apply_options o = {};
	const struct option_set set = {
		.options = options, .brief = "", .help = apply_help, .handle = handle, .userdata = &o};
	int first, r;

	r = options_parse(ctl, argc, argv, &set, /* stop_early= */ false, &first);
	if (r >= 0)
		return r;
	if (first >= argc) {
		complain("apply needs a policy file");
		return EXIT_CODE_USAGE;
	}
	r = options_end(argc, argv, first + 1);
	return r >= 0 ? r : apply(ctl, &o, argv[first]);
}

/* A command without options and words. Return: -1 or an exit code. */
static int parse_bare(struct agentctl *ctl, int argc, char **argv, const char *help)
{
	static const struct option none[] = {{}};
	const struct option_set set = {.options = none, .brief = "", .help = help};
	int first, r;

	r = options_parse(ctl, argc, argv, &set, /* stop_early= */ false, &first);
	return r >= 0 ? r : options_end(argc, argv, first);
}

int cmd_confirm(struct agentctl *ctl, int argc, char **argv)
{
	int r = parse_bare(ctl, argc, argv, confirm_help);

	return r >= 0 ? r : confirm(ctl);
}

int cmd_rollback(struct agentctl *ctl, int argc, char **argv)
{
	json_auto_t *answer = NULL;
	int r = parse_bare(ctl, argc, argv, rollback_help);

	if (r >= 0)
		return r;
	r = call(ctl, "rollback", NULL, &answer);
	if (r != 0)
		return r;
	(void)printf("%s is rolled back.\n", escaped(json_text(answer, "name") ? json_text(answer, "name") : "?"));
	return fflush(stdout) == 0 || errno == EPIPE ? EXIT_CODE_OK : EXIT_CODE_FAILURE;
}
