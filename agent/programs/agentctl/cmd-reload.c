/* SPDX-License-Identifier: Apache-2.0 */

/*
 * agentctl reload: apply changed policy files now and wait for the result (ExecReload= of the
 * unit).
 *
 * The agent's answer to "reload": {"generation": N, "diagnostics": [...], "policies": N?,
 * "changed": bool?, "warnings": ["text"]?}; "ok" is false, with the same members, if any file was
 * refused. What was good is in force in either case.
 */

#include <stdio.h>
#include <string.h>

#include "control/control.h"
#include "policy/diag.h"
#include "programs/agentctl/agentctl.h"

static const char help[] =
	"agentctl reload [--json]\n"
	"\n"
	"Apply changed policy files and wait for the result. A file that is refused keeps\n"
	"its last good version in force; the exit code is 1 then.\n"
	"\n"
	"     --json            Print the agent's answer\n"
	"  -h --help            Show this help\n";

static int handle(int c, const char *arg, void *userdata)
{
	*(bool *)userdata = true;
	return 0;
}

/* "3 policies in force, generation 8 (unchanged)", with what the agent tells of it. */
static void reload_print_good(const json_t *answer)
{
	const json_t *changed = json_object_get(answer, "changed");

	if (json_is_integer(json_object_get(answer, "policies")))
		(void)printf("%lld policies in force, ", json_number(answer, "policies"));
	(void)printf("generation %lld", json_number(answer, "generation"));
	if (json_is_boolean(changed))
		(void)printf(" (%s)", json_is_true(changed) ? "published" : "unchanged");
	(void)putchar('\n');
}

static void reload_print(const struct agentctl *ctl, const json_t *answer)
{
	const json_t *warnings = json_object_get(answer, "warnings");
	struct diag_list diags = {};
	json_t *warning;
	size_t i;

	if (json_object_get(answer, "diagnostics") &&
	    control_diags_from_json(json_object_get(answer, "diagnostics"), &diags) < 0)
		complain("The agent's diagnostics are not readable");
	diag_list_print(&diags, stderr, color_wanted(ctl->color, STDERR_FILENO));
	diag_list_deinit(&diags);
	json_array_foreach(warnings, i, warning)
	{
		if (json_is_string(warning))
			complain("%s", escaped(json_string_value(warning)));
	}
	if (json_truth(answer, "ok"))
		reload_print_good(answer);
}

int cmd_reload(struct agentctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {{"json", no_argument, NULL, 1}, {}};
	bool json = false;
	const struct option_set set = {
		.options = options,
		.brief = "",
		.help = help,
		.handle = handle,
		.userdata = &json,
	};
	json_auto_t *answer = NULL;
	int first, r;

	r = options_parse(ctl, argc, argv, &set, /* stop_early= */ false, &first);
	if (r >= 0)
		return r;
	r = options_end(argc, argv, first);
	if (r >= 0)
		return r;
	r = agent_call(ctl, "reload", NULL, PUBLISH_TIMEOUT_MS, &answer);
	if (r == EXIT_CODE_NOT_RUNNING)
		complain("The agent is not running; it reads the policies when it starts");
	if (!answer)
		return r;
	if (json) {
		int written = output_json(answer);

		return r != 0 ? r : written;
	}
	reload_print(ctl, answer);
	return r;
}
