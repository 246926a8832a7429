/* SPDX-License-Identifier: Apache-2.0 */

/* Calls to the agent, with the complaints that go with them. */

#include <dirent.h>
#include <errno.h>
#include <string.h>

#include "control/control.h"
#include "programs/agentctl/agentctl.h"
#include "util/escape.h"

const char *json_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key));
}

long long json_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

bool json_truth(const json_t *object, const char *key)
{
	return json_is_true(json_object_get(object, key));
}

/* The server refused before any handler saw the call, or the handler did. */
static int answer_refused(const json_t *answer)
{
	const char *reason = json_text(answer, "reason");
	const char *error = json_text(answer, "error");

	complain("The agent refused: %s", escaped(error ? error : "no reason given"));
	return reason && strcmp(reason, "permission") == 0 ? EXIT_CODE_PERMISSION
							   : EXIT_CODE_FAILURE;
}

static int call_failed(const struct agentctl *ctl, int r)
{
	switch (r) {
	case -ENOENT:
	case -ECONNREFUSED:
	case -ENOTDIR:
		return EXIT_CODE_NOT_RUNNING;
	case -EACCES:
	case -EPERM:
		complain("Not allowed to talk to the agent at %s/control; run as root",
			 escaped(ctl->runtime_dir));
		return EXIT_CODE_PERMISSION;
	case -EPROTONOSUPPORT:
		complain("The agent speaks another version of the protocol; is an update half "
			 "done?");
		return EXIT_CODE_FAILURE;
	case -EPROTO:
		complain("What answers at %s/control is not the agent", escaped(ctl->runtime_dir));
		return EXIT_CODE_FAILURE;
	case -ETIMEDOUT:
		complain("The agent did not answer in time");
		return EXIT_CODE_FAILURE;
	default:
		complain("Failed to call the agent: %s", strerror(-r));
		return EXIT_CODE_FAILURE;
	}
}

int agent_call(const struct agentctl *ctl, const char *call, json_t *params, unsigned timeout_ms,
	       json_t **ret_answer)
{
	json_t *answer = NULL;
	int r;

	r = control_call(ctl->runtime_dir, call, params, timeout_ms, &answer);
	if (r < 0)
		return call_failed(ctl, r);
	*ret_answer = answer;
	return r == CONTROL_E_REFUSED ? answer_refused(answer) : 0;
}

ssize_t pinned_count(const struct agentctl *ctl)
{
	_cleanup_closedir_ DIR *dir = opendir(ctl->bpffs_dir);
	struct dirent *entry;
	ssize_t n = 0;

	if (!dir)
		return errno == EACCES || errno == EPERM ? -errno : 0;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] != '.')
			n++;
	}
	return n;
}

void pinned_render(const struct agentctl *ctl, ssize_t pinned, bool color, struct strbuf *b)
{
	if (pinned < 0) {
		strbuf_printf(b, "%snot known%s without root, who alone may read ",
			      color_begin(COLOR_YELLOW, color), color_end(COLOR_YELLOW, color));
		escape_text(b, ctl->bpffs_dir, strlen(ctl->bpffs_dir));
	} else if (pinned > 0) {
		strbuf_puts(b, "yes, what the agent published stays in force (");
		escape_text(b, ctl->bpffs_dir, strlen(ctl->bpffs_dir));
		strbuf_printf(b, " holds %zd objects); verdicts are counted, not recorded", pinned);
	} else {
		strbuf_printf(b, "%sno, nothing is enforced%s (nothing is pinned in ",
			      color_begin(COLOR_RED, color), color_end(COLOR_RED, color));
		escape_text(b, ctl->bpffs_dir, strlen(ctl->bpffs_dir));
		strbuf_putc(b, ')');
	}
}
