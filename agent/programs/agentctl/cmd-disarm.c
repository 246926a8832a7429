/* SPDX-License-Identifier: Apache-2.0 */

/*
 * agentctl disarm, arm: break-glass.
 *
 * The calls: "disarm" {"container": text | "all": true, "for_us": int, "reason": text} -> {"container": text|null,
 * "cgroup": text|null, "until_us": int}; "arm" {"container": text | "all": true} -> {"armed": int}.
 */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control/control.h"
#include "programs/agentctl/agentctl.h"
#include "programs/agentctl/time-words.h"

static const char disarm_help[] =
	"agentctl disarm CONTAINER|--all --for TIME --reason TEXT\n"
	"\n"
	"Break-glass: what the policies of a container (or unit, or cgroup path) refuse is allowed\n"
	"and recorded, for a time of at most 24 hours. It ends by itself. Recorded, alerted, and\n"
	"shown by agentctl status.\n"
	"\n"
	"     --all             Everything, instead of one container\n"
	"     --for TIME        How long: 10min, 1h 30min\n"
	"     --reason TEXT     Why; stands in the store and in the journal\n"
	"     --json            Print the agent's answer\n"
	"  -h --help            Show this help\n";

static const char arm_help[] =
	"agentctl arm CONTAINER|--all\n"
	"\n"
	"End what agentctl disarm began: the policies refuse again.\n"
	"\n"
	"     --all             Everything, containers that were disarmed by name too\n"
	"     --json            Print the agent's answer\n"
	"  -h --help            Show this help\n";

enum {
	OPTION_ALL = 300,
	OPTION_FOR,
	OPTION_REASON,
	OPTION_JSON,
};

struct order {
	const char *container;
	const char *reason;
	bool all;
	bool json;
	int64_t for_us; /* 0: not given */
};

static int handle(int c, const char *arg, void *userdata)
{
	_cleanup_free_ char *error = NULL;
	struct order *order = userdata;

	switch (c) {
	case OPTION_ALL:
		order->all = true;
		return 0;
	case OPTION_REASON:
		order->reason = arg;
		return 0;
	case OPTION_JSON:
		order->json = true;
		return 0;
	default:
		if (time_span_parse(arg, &order->for_us, &error) == 0 && order->for_us > 0)
			return 0;
		complain("--for: %s", error ? escaped(error) : "a time above zero is needed");
		return EXIT_CODE_USAGE;
	}
}

/* The one word, or --all. Return: -1 or an exit code. */
static int order_container(struct order *order, int argc, char **argv, int first)
{
	if (order->all != (first >= argc)) {
		complain("%s needs a container, or --all", argv[0]);
		return EXIT_CODE_USAGE;
	}
	if (first < argc)
		order->container = argv[first++];
	return options_end(argc, argv, first);
}

static json_t *order_params(const struct order *order)
{
	json_t *params = json_object();

	if (order->all)
		(void)json_object_set_new(params, "all", json_true());
	else
		(void)json_object_set_new(params, "container", control_text(order->container));
	return params;
}

static int order_give(struct agentctl *ctl, const char *call, json_t *params, json_t **ret_answer)
{
	int r = agent_call(ctl, call, params, PUBLISH_TIMEOUT_MS, ret_answer);

	if (r == EXIT_CODE_NOT_RUNNING)
		complain("The agent is not running; nothing was changed");
	return r;
}

int cmd_disarm(struct agentctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {{"all", no_argument, NULL, OPTION_ALL},
						{"for", required_argument, NULL, OPTION_FOR},
						{"reason", required_argument, NULL, OPTION_REASON},
						{"json", no_argument, NULL, OPTION_JSON},
						{}};
	struct order order = {};
	const struct option_set set = {.options = options, .brief = "", .help = disarm_help,
				       .handle = handle, .userdata = &order};
	_cleanup_strbuf_ struct strbuf b = {};
	json_auto_t *answer = NULL;
	json_t *params;
	int first, r;

	r = options_parse(ctl, argc, argv, &set, /* stop_early= */ false, &first);
	if (r >= 0)
		return r;
	r = order_container(&order, argc, argv, first);
	if (r >= 0)
		return r;
	if (order.for_us == 0 || !order.reason || !*order.reason) {
		complain("disarm needs --for and --reason: it is bounded, and recorded");
		return EXIT_CODE_USAGE;
	}
	params = order_params(&order);
	(void)json_object_set_new(params, "for_us", json_integer(order.for_us));
	(void)json_object_set_new(params, "reason", control_text(order.reason));
	r = order_give(ctl, "disarm", params, &answer);
	if (r != 0)
		return r;
	if (order.json)
		return output_json(answer);
	strbuf_puts(&b, order.all ? "Everything" : escaped(order.container));
	strbuf_puts(&b, " is only audited until ");
	time_format(&b, json_number(answer, "until_us"), /* utc= */ false);
	strbuf_puts(&b, "; agentctl arm ends it.\n");
	return output_write(&b);
}

int cmd_arm(struct agentctl *ctl, int argc, char **argv)
{
	static const struct option options[] = {{"all", no_argument, NULL, OPTION_ALL},
						{"json", no_argument, NULL, OPTION_JSON},
						{}};
	struct order order = {};
	const struct option_set set = {.options = options, .brief = "", .help = arm_help,
				       .handle = handle, .userdata = &order};
	json_auto_t *answer = NULL;
	int first, r;

	r = options_parse(ctl, argc, argv, &set, /* stop_early= */ false, &first);
	if (r >= 0)
		return r;
	r = order_container(&order, argc, argv, first);
	if (r >= 0)
		return r;
	r = order_give(ctl, "arm", order_params(&order), &answer);
	if (r != 0)
		return r;
	if (order.json)
		return output_json(answer);
	(void)printf("%s: armed again.\n", order.all ? "Everything" : escaped(order.container));
	return fflush(stdout) == 0 || errno == EPIPE ? EXIT_CODE_OK : EXIT_CODE_FAILURE;
}
