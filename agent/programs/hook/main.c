/* SPDX-License-Identifier: Apache-2.0 */

/*
 * haetae-hook: run by an OCI runtime between making a container's cgroup and its first instruction (createRuntime). It
 * tells the agent what the container is called, and the runtime waits. If a policy in enforce mode may be meant and the
 * container cannot be bound, it fails, and with it the start; if none can be, it never does.
 */

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <time.h>

#include "container/selectors.h"
#include "control/control.h"
#include "programs/hook/state.h"
#include "util/escape.h"
#include "util/fd.h"

#define DEFAULT_RUNTIME_DIR "/run/haetae"
#define ANSWER_MS 30000U /* the agent may be putting other policies in force */
/* An agent that is being started again is back by then. */
#define RETRIES 20
#define RETRY_NS 250000000L

/* What a hook writes is lost with some runtimes: to the system's log as well. */
static void complain(const char *text, const char *detail)
{
	_cleanup_strbuf_ struct strbuf b = {};

	escape_text(&b, text, strlen(text));
	if (detail) {
		strbuf_puts(&b, ": ");
		escape_text(&b, detail, strlen(detail));
	}
	(void)fprintf(stderr, "haetae-hook: %s\n", strbuf_str(&b));
	syslog(LOG_DAEMON | LOG_ERR, "%s", strbuf_str(&b));
}

static bool any_enforces(const struct selectors *selectors)
{
	for (size_t i = 0; i < selectors->n; i++)
		if (selectors->items[i].enforce)
			return true;
	return false;
}

/* Was that the agent's own answer, not one of its socket's? */
static bool is_answer(const json_t *answer)
{
	return !json_object_get(answer, "reason");
}

/* Too many containers start at once. */
static bool is_busy(const json_t *answer)
{
	const char *reason = json_string_value(json_object_get(answer, "reason"));

	return reason && strcmp(reason, "busy") == 0;
}

/* Return: 0 bound; CONTROL_E_REFUSED the agent cannot, *ret_text (free it) says why; negative errno: no answer. */
static int ask(const char *runtime_dir, const struct state *state, char **ret_text)
{
	json_t *params = container_facts_to_json(&state->facts);
	json_auto_t *answer = NULL;
	const char *error;
	int r;

	if (!params || json_object_set_new(params, "cgroup", control_text(state->cgroup)) < 0) {
		json_decref(params);
		return -ENOMEM;
	}
	r = control_call(runtime_dir, "bind", params, ANSWER_MS, &answer);
	if (r != CONTROL_E_REFUSED)
		return r;
	if (!is_answer(answer))
		return is_busy(answer) ? -EAGAIN : -EACCES;
	error = json_string_value(json_object_get(answer, "error"));
	*ret_text = strdup(error ? error : "no reason was given");
	return r;
}

static bool may_come_back(int r)
{
	return r == -ENOENT || r == -ECONNREFUSED || r == -ECONNRESET || r == -EAGAIN;
}

/* The agent cannot bind the container, or does not answer. Is anybody the worse for it? What is in force is read again:
 * the agent may have changed it since. */
static bool must_not_start(const char *runtime_dir, const struct state *state)
{
	_cleanup_selectors_ struct selectors selectors = {};
	int r = selectors_load(runtime_dir, &selectors);

	if (r < 0)
		return r != -ENOENT;
	return selectors_find(&selectors, &state->facts);
}

static void complain_of_start(const struct state *state, int r, const char *text)
{
	_cleanup_strbuf_ struct strbuf b = {};

	strbuf_printf(&b, "container %.12s ", state->facts.id);
	if (state->facts.name)
		strbuf_printf(&b, "(%s) ", state->facts.name);
	strbuf_printf(&b, "does not start: %s",
		      r == CONTROL_E_REFUSED ? text : "haetaed has to bind it to a policy and does not answer");
	complain(strbuf_str(&b), r == CONTROL_E_REFUSED ? NULL : strerror(-r));
}

static int tell(const char *runtime_dir, const struct state *state)
{
	const struct timespec pause = {.tv_nsec = RETRY_NS};
	_cleanup_free_ char *text = NULL;
	int r = ask(runtime_dir, state, &text);

	if (r == 0)
		return 0;
	if (!must_not_start(runtime_dir, state))
		return 0;
	for (int i = 0; i < RETRIES && may_come_back(r); i++) {
		(void)nanosleep(&pause, NULL);
		r = ask(runtime_dir, state, &text);
	}
	if (r == 0)
		return 0;
	complain_of_start(state, r, text);
	return -EPERM;
}

/* All that the runtime writes, needed or not: one that finds the pipe closed takes that for a failure, and its container
 * does not start. Return: 0, -EFBIG beyond STATE_MAX, -errno. */
static int input_read(char **ret, size_t *ret_len)
{
	int r = fd_read_all(STDIN_FILENO, STATE_MAX, ret, ret_len);
	char rest[4096];

	while (r < 0 && read(STDIN_FILENO, rest, sizeof(rest)) > 0)
		;
	return r;
}

static int run(const char *runtime_dir)
{
	_cleanup_selectors_ struct selectors selectors = {};
	_cleanup_state_ struct state state = {};
	_cleanup_free_ char *text = NULL;
	size_t len = 0;
	bool must;
	int input = input_read(&text, &len), r;

	r = selectors_load(runtime_dir, &selectors);
	if (r == -ENOENT)
		return 0;
	if (r < 0)
		complain("what policies select cannot be read", strerror(-r));
	must = r < 0 || any_enforces(&selectors);
	r = input;
	if (r >= 0)
		r = state_read(text, len, "", &state);
	if (r < 0) {
		complain("what the runtime says of the container cannot be understood", strerror(-r));
		return must ? r : 0;
	}
	return tell(runtime_dir, &state);
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"runtime-dir", required_argument, NULL, 'r'}, {"version", no_argument, NULL, 'v'}, {}};
	const char *runtime_dir = DEFAULT_RUNTIME_DIR;
	int c;

	openlog("haetae-hook", 0, LOG_DAEMON);
	while ((c = getopt_long(argc, argv, "", options, NULL)) >= 0) {
		switch (c) {
		case 'r':
			runtime_dir = optarg;
			break;
		case 'v':
			(void)puts("haetae " HAETAE_VERSION);
			return EXIT_SUCCESS;
		default:
			return EXIT_FAILURE;
		}
	}
	return run(runtime_dir) < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
