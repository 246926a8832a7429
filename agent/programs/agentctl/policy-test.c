/* SPDX-License-Identifier: Apache-2.0 */

/* agentctl policy test: what policies say to one act, or to a list of acts with expectations. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "control/control.h"
#include "event/event.h"
#include "policy/suite.h"
#include "programs/agentctl/ask.h"
#include "programs/agentctl/cgroups.h"
#include "programs/agentctl/policy.h"
#include "util/escape.h"
#include "util/fd.h"

#define NAMED_MAX 32U
#define SUITE_READ_MAX (16U << 20)

static const char help[] =
	"agentctl policy test [SUBJECT] ACT\n"
	"agentctl policy test [SUBJECT] --suite FILE\n"
	"\n"
	"Tell what policies say to an act: the verdict, the rule that decides, its file and line.\n"
	"Without --policy the drop-in directories are asked. Needs no agent. The exit code is 5 if\n"
	"the act is refused, 0 if it is not.\n"
	"\n"
	"Subject:\n"
	"     --container NAME  Only the policies that govern this container now (or unit)\n"
	"     --cgroup PATH     Only the policies that govern this cgroup path\n"
	"     --policy FILE     Policies to ask instead; repeatable, also a directory\n"
	"     --exe PATH        What the subject runs, for unless:\n"
	"     --uid N           Its user (0)\n"
	"\n"
	"Act:\n"
	"     --exec PATH       Execute a file\n"
	"     --op OP [PATH]    A word of ops: on a path, or a line of kernel:\n"
	"     --from-image      The file came with the container's image\n"
	"\n"
	"     --suite FILE      A YAML list of acts and expected verdicts; the exit code is 1 if one\n"
	"                       is not met\n"
	"     --json            One JSON object\n"
	"  -h --help            Show this help\n";

enum {
	OPTION_CONTAINER = 300,
	OPTION_CGROUP,
	OPTION_POLICY,
	OPTION_EXE,
	OPTION_UID,
	OPTION_EXEC,
	OPTION_OP,
	OPTION_FROM_IMAGE,
	OPTION_SUITE,
	OPTION_JSON,
};

struct tester {
	const char *container, *cgroup, *exec, *op, *suite;
	const char *named[NAMED_MAX]; /* --policy */
	size_t n_named;
	struct ask ask;
	bool json;
	int64_t now;
	struct policies policies;
	struct cgroups cgroups;
	bool cgroups_known;
	bool *governs; /* for each policy */
};

static void tester_deinit(struct tester *t)
{
	policies_deinit(&t->policies);
	cgroups_deinit(&t->cgroups);
	free(t->governs);
}

static int handle_uid(struct tester *t, const char *arg)
{
	char *end;
	unsigned long uid;

	errno = 0;
	uid = strtoul(arg, &end, 10);
	if (errno != 0 || *end || end == arg || arg[0] == '-' || uid >= UINT32_MAX) {
		complain("--uid: '%s' is not a user id", escaped(arg));
		return EXIT_CODE_USAGE;
	}
	t->ask.uid = (uint32_t)uid;
	return 0;
}

static int handle(int c, const char *arg, void *userdata)
{
	struct tester *t = userdata;

	switch (c) {
	case OPTION_CONTAINER:
		t->container = arg;
		return 0;
	case OPTION_CGROUP:
		t->cgroup = arg;
		return 0;
	case OPTION_POLICY:
		if (t->n_named == NAMED_MAX) {
			complain("At most %u times --policy; give a directory", NAMED_MAX);
			return EXIT_CODE_USAGE;
		}
		t->named[t->n_named++] = arg;
		return 0;
	case OPTION_EXE:
		t->ask.exe = arg;
		return 0;
	case OPTION_UID:
		return handle_uid(t, arg);
	case OPTION_EXEC:
		t->exec = arg;
		return 0;
	case OPTION_OP:
		t->op = arg;
		return 0;
	case OPTION_FROM_IMAGE:
		t->ask.from_image = t->ask.stacked = true;
		return 0;
	case OPTION_SUITE:
		t->suite = arg;
		return 0;
	default:
		t->json = true;
		return 0;
	}
}

/* ---- who ---- */

/* Which policies govern. container and cgroup NULL: all. Return: 0 or an exit code, complained about. */
static int tester_choose(struct tester *t, const struct agentctl *ctl, const char *container, const char *cgroup)
{
	const struct cgroup *found;
	int r;

	if (container) {
		r = t->cgroups_known ? 0 : cgroups_read(&t->cgroups, ctl);
		t->cgroups_known = true;
		if (r >= 0)
			r = cgroups_find(&t->cgroups, container, &found);
		if (r == -EEXIST)
			complain("'%s' is more than one container; give --cgroup", escaped(container));
		else if (r < 0)
			complain("No container, unit or cgroup '%s' is there now", escaped(container));
		if (r < 0)
			return EXIT_CODE_FAILURE;
		cgroup = found->path;
	}
	for (size_t i = 0; i < t->policies.n; i++)
		t->governs[i] = !cgroup || policies_governs(&t->policies, i, cgroup);
	return 0;
}

static int tester_load(struct tester *t, const struct agentctl *ctl)
{
	int r = 0;

	t->policies.ctl = ctl;
	if (t->n_named == 0) {
		r = policies_add_dirs(&t->policies, ctl);
		if (r > 0)
			return r;
	}
	for (size_t i = 0; r >= 0 && i < t->n_named; i++)
		r = policies_add_path(&t->policies, t->named[i]);
	if (r >= 0)
		r = policies_compile(&t->policies, t->now);
	if (r < 0)
		return out_of_memory();
	diag_list_print(&t->policies.diags, stderr, color_wanted(ctl->color, STDERR_FILENO));
	if (t->policies.failed || (t->n_named > 0 && t->policies.diags.n_errors > 0))
		return EXIT_CODE_FAILURE;
	t->governs = calloc(t->policies.n + 1, sizeof(*t->governs));
	return t->governs ? 0 : out_of_memory();
}

/* Return: 0 or an exit code, complained about. */
static int tester_ask(struct tester *t, const struct ask *ask, struct reply *ret)
{
	int r = ask_policies(&t->policies, t->governs, t->now, ask, ret);

	if (r >= 0)
		return 0;
	if (r == -ENOMEM)
		return out_of_memory();
	complain("Paths are absolute here, without . and .., as the kernel sees them");
	return EXIT_CODE_USAGE;
}

/* ---- one act ---- */

static json_t *reply_to_json(const struct reply *reply)
{
	_cleanup_free_ char *rule = reply->rule ? policy_rule_to_text(reply->rule) : NULL;

	return json_pack("{s:s, s:b, s:s, s:I, s:o, s:o, s:o, s:I, s:o}", "verdict",
			 event_verdict_to_string(reply->verdict), "refused", (int)verdict_refuses(reply->verdict),
			 "reason", event_reason_to_string(reply->reason), "policies", (json_int_t)reply->n, "policy",
			 control_text(reply->policy ? reply->policy->name : NULL), "rule", control_text(rule), "file",
			 control_text(reply->policy ? reply->policy->file : NULL), "line",
			 (json_int_t)(reply->rule ? reply->rule->location.line : 0), "message",
			 control_text(reply->rule ? reply->rule->message : NULL));
}

static void reply_render(const struct reply *reply, struct strbuf *b)
{
	_cleanup_free_ char *rule = reply->rule ? policy_rule_to_text(reply->rule) : NULL;

	strbuf_puts(b, event_verdict_to_string(reply->verdict));
	if (reply->n == 0) {
		strbuf_puts(b, ": no policy governs it\n");
		return;
	}
	if (!reply->policy) {
		strbuf_printf(b, ": none of %zu polic%s refuses it\n", reply->n, reply->n == 1 ? "y" : "ies");
		return;
	}
	strbuf_printf(b, ": policy %s", reply->policy->name);
	if (rule) {
		strbuf_puts(b, ", ");
		escape_text(b, rule, strlen(rule));
		strbuf_puts(b, ", ");
		escape_text(b, reply->policy->file, strlen(reply->policy->file));
		strbuf_printf(b, ":%u", reply->rule->location.line);
	}
	if (reply->reason != HT_REASON_POLICY && reply->reason != HT_REASON_NONE)
		strbuf_printf(b, " (%s)", event_reason_to_string(reply->reason));
	if (reply->rule && reply->rule->message) {
		strbuf_puts(b, "\n  ");
		escape_text(b, reply->rule->message, strlen(reply->rule->message));
	}
	strbuf_putc(b, '\n');
}

static int test_one(struct tester *t, const char *path)
{
	_cleanup_strbuf_ struct strbuf b = {};
	json_auto_t *json = NULL;
	struct reply reply;
	int r;

	if (ask_op(t->exec ? "exec" : t->op, path, &t->ask.op) < 0) {
		complain("--op: '%s' is no operation; see haetae.policy(5)", escaped(t->op));
		return EXIT_CODE_USAGE;
	}
	if (!path != !!(t->ask.op & HT_OPS_KERNEL)) {
		complain(path ? "A line of kernel: has no path" : "--op needs a path");
		return EXIT_CODE_USAGE;
	}
	t->ask.path = path;
	r = tester_ask(t, &t->ask, &reply);
	if (r != 0)
		return r;
	if (t->json) {
		json = reply_to_json(&reply);
		r = output_json(json);
	} else {
		reply_render(&reply, &b);
		r = output_write(&b);
	}
	return r != 0 ? r : verdict_refuses(reply.verdict) ? EXIT_CODE_REFUSED : EXIT_CODE_OK;
}

/* ---- a suite ---- */

static void test_describe(const struct suite_test *s, struct strbuf *b)
{
	if (s->name) {
		escape_text(b, s->name, strlen(s->name));
		return;
	}
	strbuf_printf(b, "%s", s->op);
	if (s->path) {
		strbuf_putc(b, ' ');
		escape_text(b, s->path, strlen(s->path));
	}
	strbuf_printf(b, ": %s", event_verdict_to_string(s->expect));
}

/* As TAP. Return: 0 met, 1 not met, or an exit code above 1. */
static int suite_run_one(struct tester *t, const struct agentctl *ctl, const struct suite_test *s, size_t number,
			 struct strbuf *b)
{
	struct ask ask = t->ask;
	_cleanup_free_ char *rule = NULL;
	struct reply reply;
	bool met;
	int r;

	ask.path = s->path;
	ask.exe = s->exe ? s->exe : ask.exe;
	ask.uid = s->uid;
	ask.from_image = ask.stacked = s->from_image;
	r = tester_choose(t, ctl, s->container ? s->container : s->cgroup ? NULL : t->container,
			  s->cgroup ? s->cgroup : t->cgroup);
	if (r != 0 || ask_op(s->op, s->path, &ask.op) < 0)
		return EXIT_CODE_USAGE;
	r = tester_ask(t, &ask, &reply);
	if (r != 0)
		return EXIT_CODE_USAGE;
	rule = reply.rule ? policy_rule_to_text(reply.rule) : NULL;
	met = reply.verdict == s->expect && (!s->rule || (rule && strcmp(rule, s->rule) == 0));
	strbuf_printf(b, "%sok %zu - ", met ? "" : "not ", number);
	test_describe(s, b);
	strbuf_putc(b, '\n');
	if (met)
		return 0;
	strbuf_puts(b, "# ");
	escape_text(b, t->suite, strlen(t->suite));
	strbuf_printf(b, ":%u: expected %s", s->location.line, event_verdict_to_string(s->expect));
	if (s->rule) {
		strbuf_puts(b, " by ");
		escape_text(b, s->rule, strlen(s->rule));
	}
	strbuf_puts(b, ", got ");
	reply_render(&reply, b);
	return 1;
}

static int suite_read(const struct tester *t, const struct agentctl *ctl, struct suite *ret)
{
	_cleanup_free_ char *text = NULL;
	struct diag_list diags = {};
	size_t len;
	int r = strcmp(t->suite, "-") == 0 ? fd_read_all(STDIN_FILENO, SUITE_READ_MAX, &text, &len) :
					     file_read_all(AT_FDCWD, t->suite, SUITE_READ_MAX, &text, &len);

	if (r < 0) {
		complain("%s: %s", escaped(t->suite), strerror(-r));
		return EXIT_CODE_FAILURE;
	}
	r = suite_parse(t->suite, text, len, &diags, ret);
	diag_list_print(&diags, stderr, color_wanted(ctl->color, STDERR_FILENO));
	diag_list_deinit(&diags);
	return r == 0 ? 0 : r == -ENOMEM ? out_of_memory() : EXIT_CODE_FAILURE;
}

static int test_suite(struct tester *t, const struct agentctl *ctl)
{
	_cleanup_(suite_deinit) struct suite suite = {};
	_cleanup_strbuf_ struct strbuf b = {};
	size_t failed = 0;
	int r = suite_read(t, ctl, &suite);

	if (r != 0)
		return r;
	strbuf_printf(&b, "1..%zu\n", suite.n);
	for (size_t i = 0; i < suite.n; i++) {
		r = suite_run_one(t, ctl, &suite.tests[i], i + 1, &b);
		if (r > 1) {
			strbuf_printf(&b, "not ok %zu - ", i + 1);
			test_describe(&suite.tests[i], &b);
			strbuf_puts(&b, "\n# it could not be asked\n");
		}
		failed += r != 0;
	}
	r = output_write(&b);
	return r != 0 ? r : failed > 0 ? EXIT_CODE_FAILURE : EXIT_CODE_OK;
}

/* ---- the command ---- */

static const struct option options[] = {
	{"container", required_argument, NULL, OPTION_CONTAINER},
	{"cgroup", required_argument, NULL, OPTION_CGROUP},
	{"policy", required_argument, NULL, OPTION_POLICY},
	{"exe", required_argument, NULL, OPTION_EXE},
	{"uid", required_argument, NULL, OPTION_UID},
	{"exec", required_argument, NULL, OPTION_EXEC},
	{"op", required_argument, NULL, OPTION_OP},
	{"from-image", no_argument, NULL, OPTION_FROM_IMAGE},
	{"suite", required_argument, NULL, OPTION_SUITE},
	{"json", no_argument, NULL, OPTION_JSON},
	{},
};

/* Return: -1 or an exit code, complained about. */
static int tester_check(const struct tester *t, int argc, char **argv, int *first)
{
	if (!!t->exec + !!t->op + !!t->suite != 1) {
		complain("policy test needs one of --exec, --op and --suite");
		return EXIT_CODE_USAGE;
	}
	if (t->container && t->cgroup) {
		complain("policy test: either --container or --cgroup");
		return EXIT_CODE_USAGE;
	}
	if (t->cgroup && t->cgroup[0] != '/') {
		complain("--cgroup: a path from the root of the hierarchy");
		return EXIT_CODE_USAGE;
	}
	if (t->op && *first < argc)
		(*first)++;
	return options_end(argc, argv, *first);
}

int policy_test(struct agentctl *ctl, int argc, char **argv)
{
	_cleanup_(tester_deinit) struct tester t = {.now = time(NULL)};
	const struct option_set set = {
		.options = options, .brief = "", .help = help, .handle = handle, .userdata = &t};
	int first, end, r;

	r = options_parse(ctl, argc, argv, &set, /* stop_early= */ false, &first);
	end = first;
	if (r < 0)
		r = tester_check(&t, argc, argv, &end);
	if (r >= 0)
		return r;
	r = tester_load(&t, ctl);
	if (r == 0)
		r = tester_choose(&t, ctl, t.container, t.cgroup);
	if (r != 0)
		return r;
	if (t.suite)
		return test_suite(&t, ctl);
	return test_one(&t, t.exec ? t.exec : first < argc ? argv[first] : NULL);
}
