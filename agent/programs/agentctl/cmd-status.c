/* SPDX-License-Identifier: Apache-2.0 */

/*
 * agentctl status: the call "status" and its rendering.
 *
 * THE ANSWER. haetaed answers {"haetae": 1, "call": "status"} with these members beside "haetae"
 * and "ok" (times in microseconds of CLOCK_REALTIME; counters are unsigned and count since this
 * boot unless said otherwise; every text through control_text()):
 *
 *   version      text    of the agent
 *   pid          int
 *   since_us     int     when this agent started
 *   boot_id      text    32 hexadecimal digits
 *   mode         text    "enforce": at least one policy refuses; "audit": all only record; "idle": no policy
 *   kernel       text    release
 *   generation   int     of the published policy set, 0: none yet
 *   canary       {"ok": bool, "at_us": int, "error": text?}
 *                        the last refusal of the self-test
 *   links        {"attached": int, "expected": int, "names": [text], "missing": [text]?, "idle": [text]}
 *                        idle: programs that are in no hook, as no policy needs them
 *   policies     [{"name", "file", "line": int, "mode": "enforce"|"audit", "state": "active"|"stale"|"refused",
 *                "profile": int, "rules": int, "cgroups": int}]
 *                        stale: an earlier version of its file is in force
 *   sources      [{"path", "state": "active"|"stale"|"masked"|"broken"|"empty", "error": text?}]
 *                        the files of the drop-in directories after precedence; broken: never was good
 *   containers   [{"name", "id": text|null, "runtime", "cgroup", "cgroup_id": int, "policies": [name], "counted": int}]
 *                        cgroups bound now
 *   times        [{"policy", "file", "line": int, "rule", "state": "staged"|"expires"|"expired", "at_us": int}]
 *                        rules that come into force, or go, at a moment
 *   counters     {VERDICT: {"counted", "emitted", "aggregated", "lost"}}
 *                        the kernel's ledger (abi.h, struct ht_ledger), summed over CPUs; VERDICT is a word of
 *                        event_verdict_to_string()
 *   store        {"path", "committed", "pending", "dropped": int, "degraded": bool, "error": text?,
 *                "stored": {VERDICT: int}, "unstored": {VERDICT: int}}
 *                        stored: of what the kernel emitted in this boot, in the database, or was until retention
 *                        removed it; unstored: the like, reached the agent, but not the database (queue full, not
 *                        decodable), or fell out with an earlier agent
 *   notices      {"emitted", "lost": int}
 *                        exits and cgroups, not verdicts
 *   failures     {REASON: int}
 *                        refusals for another reason than a rule, by event_reason_to_string(); also
 *                        "forks-refused", "binds-failed", "verdicts-refused"
 *   identities   {"known", "waiting", "without-room", "failed": int}
 *                        objects that literal rules bind
 *   labels       int     tasks that carry a label
 *   spare-verdicts int   verdicts that were made in a spare place, as tasks that were preempted had all those of the CPU
 *   warnings     [text]  what an operator should know
 *   disarmed     [{"container": text|null, "cgroup": text|null (null: everything), "reason", "since_us", "until_us"}]
 *   trial        null, or {"name", "confirmed": bool, "left_us": int}
 *
 * THE CHECK. For each verdict: counted = stored + aggregated + lost + unstored. What is on its way
 * from the ring to the disk (at most store.pending) is the only other place where a verdict can be.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "programs/agentctl/agentctl.h"
#include "programs/agentctl/time-words.h"

static const char help[] =
	"agentctl status [--json]\n"
	"\n"
	"Show the agent, what governs what, counters and the loss ledger: every verdict that\n"
	"the kernel counted is stored, aggregated, or counted as lost. The exit code is 3 if\n"
	"the agent does not run; what it published stays in force then.\n"
	"\n"
	"     --json            One JSON object\n"
	"  -h --help            Show this help\n";

static int handle(int c, const char *arg, void *userdata)
{
	*(bool *)userdata = true;
	return 0;
}

static void render_not_running(const struct agentctl *ctl, ssize_t pinned, bool color,
			       struct strbuf *b)
{
	strbuf_printf(b, "%s\u25cb%s haetaed - not running\n", color_begin(COLOR_RED, color),
		      color_end(COLOR_RED, color));
	strbuf_puts(b, "   Enforced: ");
	pinned_render(ctl, pinned, color, b);
	strbuf_puts(b,
		    "\n      Start: systemctl start haetaed; agentctl doctor tells what stands in "
		    "the way\n");
}

static int status_not_running(const struct agentctl *ctl, bool json)
{
	ssize_t pinned = pinned_count(ctl);
	_cleanup_strbuf_ struct strbuf b = {};
	json_auto_t *object = NULL;
	int r;

	if (json) {
		object = json_pack("{s:b, s:o, s:o}", "running", 0, "enforced",
				   pinned < 0 ? json_null() : json_boolean(pinned > 0), "pinned",
				   pinned < 0 ? json_null() : json_integer(pinned));
		r = output_json(object);
	} else {
		render_not_running(ctl, pinned, color_wanted(ctl->color, STDOUT_FILENO), &b);
		r = output_write(&b);
	}
	return r != EXIT_CODE_OK ? r : EXIT_CODE_NOT_RUNNING;
}

int cmd_status(struct agentctl *ctl, int argc, char **argv)
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
	_cleanup_strbuf_ struct strbuf b = {};
	json_auto_t *answer = NULL;
	int first, r;

	r = options_parse(ctl, argc, argv, &set, /* stop_early= */ false, &first);
	if (r >= 0)
		return r;
	r = options_end(argc, argv, first);
	if (r >= 0)
		return r;
	r = agent_call(ctl, "status", NULL, 0, &answer);
	if (r == EXIT_CODE_NOT_RUNNING)
		return status_not_running(ctl, json);
	if (r != 0)
		return r;
	if (json) {
		(void)json_object_del(answer, "haetae");
		(void)json_object_del(answer, "ok");
		if (json_object_set_new(answer, "running", json_true()) < 0)
			return out_of_memory();
		return output_json(answer);
	}
	r = status_render(answer, time_now_us(), color_wanted(ctl->color, STDOUT_FILENO), &b);
	return r < 0 ? out_of_memory() : output_page(ctl, &b);
}
