/* SPDX-License-Identifier: Apache-2.0 */

/* The options of `agentctl events` and the filter they make. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"
#include "programs/agentctl/events.h"
#include "programs/agentctl/time-words.h"

static const char help[] =
	"agentctl events [OPTIONS...]\n"
	"\n"
	"Show recorded verdicts from the store, oldest first. Works while the agent is down.\n"
	"\n"
	"     --json            One JSON object a line\n"
	"  -f --follow          Show the last 10, then new ones as they come\n"
	"  -n --lines N         The newest N only\n"
	"  -r --reverse         Newest first\n"
	"     --since TIME      'YYYY-MM-DD HH:MM', HH:MM, yesterday, today, '5min ago', -5min,\n"
	"     --until TIME      @SECONDS\n"
	"     --container GLOB  By name, or by the first 8 or more characters of its id\n"
	"     --policy GLOB     By name of the policy\n"
	"     --verdict V,...   deny, would-deny, audit, kill, allow, self-test\n"
	"     --exe GLOB        By path of the program that acted\n"
	"     --path GLOB       By path of what it acted on\n"
	"     --op OP,...       read, write, create, delete, rename, link, attr, map, exec\n"
	"     --kind KIND,...   verdict, aggregate, exit, governed, released, loss, agent\n"
	"     --all             Everything: also exits, notices and the agent's self-tests\n"
	"     --utc             Times in UTC\n"
	"     --full            Do not shorten columns\n"
	"  -h --help            Show this help\n";

enum {
	OPTION_JSON = 256,
	OPTION_SINCE,
	OPTION_UNTIL,
	OPTION_CONTAINER,
	OPTION_POLICY,
	OPTION_VERDICT,
	OPTION_EXE,
	OPTION_PATH,
	OPTION_OP,
	OPTION_KIND,
	OPTION_ALL,
	OPTION_UTC,
	OPTION_FULL,
};

/* One word of a list as bits. Return: 0 or -EINVAL. */
typedef int (*word_fn)(const char *word, uint32_t *ret_bits);

static int verdict_bits(const char *word, uint32_t *ret_bits)
{
	uint8_t verdict;
	int r = event_verdict_from_string(word, &verdict);

	if (r < 0)
		return r;
	*ret_bits = UINT32_C(1) << verdict;
	return 0;
}

static int kind_bits(const char *word, uint32_t *ret_bits)
{
	enum event_kind kind;
	int r = event_kind_from_string(word, &kind);

	if (r < 0)
		return r;
	*ret_bits = UINT32_C(1) << kind;
	return 0;
}

/* "deny,audit". Return: 0, or an exit code after a complaint that names the bad word. */
static int words_parse(const char *option, const char *list, word_fn parse, const char *expected,
		       uint32_t *bits)
{
	_cleanup_free_ char *copy = strdup(list);
	char *rest = copy, *word;

	if (!copy)
		return out_of_memory();
	while ((word = strsep(&rest, ","))) {
		uint32_t one = 0;

		if (parse(word, &one) < 0) {
			complain("%s: '%s' is none of %s", option, escaped(word), expected);
			return EXIT_CODE_USAGE;
		}
		*bits |= one;
	}
	return 0;
}

static int when_parse(const char *option, const char *text, int64_t *ret_us)
{
	_cleanup_free_ char *error = NULL;
	int r = time_parse(text, time_now_us(), ret_us, &error);

	if (r == -EINVAL) {
		complain("%s: %s", option, error);
		return EXIT_CODE_USAGE;
	}
	if (r < 0)
		return out_of_memory();
	if (*ret_us == 0)
		*ret_us = 1; /* 0 is "no bound"; nothing was recorded in 1970 */
	return 0;
}

static int lines_parse(const char *text, struct events_options *o)
{
	unsigned long long n;
	char *end;

	errno = 0;
	n = strtoull(text, &end, 10);
	if (errno != 0 || end == text || *end || *text == '-' || *text == '+') {
		complain("--lines: '%s' is no number", escaped(text));
		return EXIT_CODE_USAGE;
	}
	o->lines = n;
	o->lines_given = true;
	return 0;
}

/* Every glob matches something; an empty one is a variable that was not set. */
static int glob_set(const char *option, const char *text, const char **ret)
{
	if (!*text) {
		complain("%s: the pattern is empty", option);
		return EXIT_CODE_USAGE;
	}
	*ret = text;
	return 0;
}

static int handle_filter(int c, const char *arg, struct events_options *o)
{
	switch (c) {
	case OPTION_SINCE:
		return when_parse("--since", arg, &o->filter.since_us);
	case OPTION_UNTIL:
		return when_parse("--until", arg, &o->filter.until_us);
	case OPTION_CONTAINER:
		return glob_set("--container", arg, &o->filter.container);
	case OPTION_POLICY:
		return glob_set("--policy", arg, &o->filter.policy);
	case OPTION_EXE:
		return glob_set("--exe", arg, &o->filter.exe);
	case OPTION_PATH:
		return glob_set("--path", arg, &o->filter.path);
	case OPTION_VERDICT:
		return words_parse("--verdict", arg, verdict_bits,
				   "deny, would-deny, audit, kill, allow, self-test", &o->verdicts);
	case OPTION_OP:
		return words_parse("--op", arg, policy_op_from_string,
				   "read, write, create, delete, rename, link, attr, map, exec",
				   &o->filter.ops);
	case OPTION_KIND:
		return words_parse("--kind", arg, kind_bits,
				   "verdict, aggregate, exit, governed, released, loss, agent",
				   &o->kinds);
	default:
		return EXIT_CODE_USAGE;
	}
}

static int handle(int c, const char *arg, void *userdata)
{
	struct events_options *o = userdata;

	switch (c) {
	case OPTION_JSON:
		o->json = true;
		return 0;
	case 'f':
		o->follow = true;
		return 0;
	case 'n':
		return lines_parse(arg, o);
	case 'r':
		o->filter.reverse = true;
		return 0;
	case OPTION_ALL:
		o->all = true;
		return 0;
	case OPTION_UTC:
		o->utc = true;
		return 0;
	case OPTION_FULL:
		o->full = true;
		return 0;
	default:
		return handle_filter(c, arg, o);
	}
}

/* Without --all and --kind: what was refused or recorded, and what of it was lost; not the agent's
 * self-tests, which are refusals on purpose. */
static void filter_complete(struct events_options *o)
{
	o->filter.kinds = o->kinds;
	o->filter.verdicts = o->verdicts;
	if (o->all || o->kinds != 0)
		return;
	o->filter.kinds = 1U << EVENT_VERDICT | 1U << EVENT_AGGREGATE | 1U << EVENT_LOSS;
	if (o->verdicts == 0)
		o->filter.verdicts = ((1U << HT_VERDICT_MAX) - 1U) & ~(1U << HT_VERDICT_SELF_TEST);
}

/* What cannot be meant. Return: 0 or an exit code. */
static int options_check(const struct events_options *o)
{
	if (o->all && o->kinds != 0) {
		complain("Either --all or --kind, not both");
		return EXIT_CODE_USAGE;
	}
	if (o->follow && o->filter.reverse) {
		complain("Either --follow or --reverse, not both");
		return EXIT_CODE_USAGE;
	}
	if (o->follow && o->filter.until_us != 0) {
		complain("Either --follow or --until, not both");
		return EXIT_CODE_USAGE;
	}
	if (o->filter.since_us != 0 && o->filter.until_us != 0 &&
	    o->filter.since_us > o->filter.until_us) {
		complain("--since is after --until");
		return EXIT_CODE_USAGE;
	}
	return 0;
}

int events_options_parse(struct agentctl *ctl, int argc, char **argv, struct events_options *ret)
{
	static const struct option options[] = {
		{"json", no_argument, NULL, OPTION_JSON},
		{"follow", no_argument, NULL, 'f'},
		{"lines", required_argument, NULL, 'n'},
		{"reverse", no_argument, NULL, 'r'},
		{"since", required_argument, NULL, OPTION_SINCE},
		{"until", required_argument, NULL, OPTION_UNTIL},
		{"container", required_argument, NULL, OPTION_CONTAINER},
		{"policy", required_argument, NULL, OPTION_POLICY},
		{"verdict", required_argument, NULL, OPTION_VERDICT},
		{"exe", required_argument, NULL, OPTION_EXE},
		{"path", required_argument, NULL, OPTION_PATH},
		{"op", required_argument, NULL, OPTION_OP},
		{"kind", required_argument, NULL, OPTION_KIND},
		{"all", no_argument, NULL, OPTION_ALL},
		{"utc", no_argument, NULL, OPTION_UTC},
		{"full", no_argument, NULL, OPTION_FULL},
		{},
	};
	const struct option_set set = {
		.options = options,
		.brief = "fn:r",
		.help = help,
		.handle = handle,
		.userdata = ret,
	};
	int first, r;

	*ret = (struct events_options){};
	r = options_parse(ctl, argc, argv, &set, /* stop_early= */ false, &first);
	if (r >= 0)
		return r;
	r = options_end(argc, argv, first);
	if (r >= 0)
		return r;
	r = options_check(ret);
	if (r != 0)
		return r;
	filter_complete(ret);
	return -1;
}
