/* SPDX-License-Identifier: Apache-2.0 */

/*
 * agentctl doctor: can this host enforce? The host's checks (host/host.h, the same that haetaed
 * starts with) and then what an installation adds: the agent and its canary, the state directory,
 * the policy directories.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "host/host.h"
#include "programs/agentctl/agentctl.h"
#include "util/escape.h"

/* A week of a quiet host's verdicts and the WAL fit; below, an operator should know. */
#define STATE_FREE_MIN (256ULL << 20)
#define CHECKS_MAX 32U

static const char help[] =
	"agentctl doctor [--json]\n"
	"\n"
	"Tell whether this host can enforce: each check with its finding, and how to mend\n"
	"what is wrong. The exit code is 1 if a check failed. Needs no running agent.\n"
	"\n"
	"     --json            One JSON object\n"
	"  -h --help            Show this help\n";

struct doctor {
	struct host_check checks[CHECKS_MAX];
	size_t n;
};

static int handle(int c, const char *arg, void *userdata)
{
	*(bool *)userdata = true;
	return 0;
}

/* One more check; takes finding and fix. */
static int doctor_add(struct doctor *d, const char *id, enum host_state state,
		      struct strbuf *finding, struct strbuf *fix)
{
	struct host_check check = {.state = state, .id = strdup(id)};

	check.finding = strbuf_steal(finding);
	if (fix->len > 0)
		check.fix = strbuf_steal(fix);
	if (d->n == CHECKS_MAX || !check.id || !check.finding || strbuf_error(fix) < 0) {
		free(check.id);
		free(check.finding);
		free(check.fix);
		return -ENOMEM;
	}
	d->checks[d->n++] = check;
	return 0;
}

static void put_escaped(struct strbuf *b, const char *text)
{
	escape_text(b, text, strlen(text));
}

static int doctor_host(const struct agentctl *ctl, struct doctor *d)
{
	struct host_check *checks = NULL;
	size_t n = 0;
	int r = host_check_all(ctl->root_dir, &checks, &n);

	if (r < 0)
		return r;
	if (n > CHECKS_MAX - d->n) {
		(void)host_checks_free(checks, n);
		return -ENOMEM;
	}
	memcpy(d->checks + d->n, checks, n * sizeof(*checks));
	d->n += n;
	free(checks); /* what they own has moved */
	return 0;
}

static int doctor_canary(struct doctor *d, const json_t *answer)
{
	const json_t *canary = json_object_get(answer, "canary");
	_cleanup_strbuf_ struct strbuf finding = {}, fix = {};
	const char *error = json_text(canary, "error");

	if (json_truth(canary, "ok")) {
		strbuf_puts(&finding, "the agent saw the kernel refuse its canary");
		return doctor_add(d, "canary", HOST_OK, &finding, &fix);
	}
	strbuf_puts(&finding, "the kernel did not refuse the agent's canary");
	if (error) {
		strbuf_puts(&finding, ": ");
		put_escaped(&finding, error);
	}
	strbuf_puts(&fix,
		    "see journalctl -u haetaed; nothing is protected until the canary is refused");
	return doctor_add(d, "canary", HOST_FAIL, &finding, &fix);
}

static int doctor_agent(const struct agentctl *ctl, struct doctor *d)
{
	_cleanup_strbuf_ struct strbuf finding = {}, fix = {};
	json_auto_t *answer = NULL;
	const char *version;
	int r = agent_call(ctl, "status", NULL, 0, &answer);

	if (r == EXIT_CODE_NOT_RUNNING) {
		strbuf_puts(&finding, "the agent is not running; enforced: ");
		pinned_render(ctl, pinned_count(ctl), /* color= */ false, &finding);
		strbuf_puts(&fix, "systemctl start haetaed");
		return doctor_add(d, "agent", HOST_WARN, &finding, &fix);
	}
	if (r != 0) {
		strbuf_puts(&finding, "the agent cannot be asked");
		strbuf_puts(&fix, r == EXIT_CODE_PERMISSION ? "run as root"
							    : "systemctl restart haetaed");
		return doctor_add(d, "agent", HOST_WARN, &finding, &fix);
	}
	version = json_text(answer, "version");
	strbuf_puts(&finding, "haetaed ");
	put_escaped(&finding, version ? version : "of unknown version");
	strbuf_printf(&finding, " is running (pid %lld)", json_number(answer, "pid"));
	if (version && strcmp(version, HAETAE_VERSION) != 0) {
		strbuf_puts(&finding, ", agentctl is " HAETAE_VERSION);
		strbuf_puts(&fix, "systemctl restart haetaed");
	}
	r = doctor_add(d, "agent", fix.len > 0 ? HOST_WARN : HOST_OK, &finding, &fix);
	return r < 0 ? r : doctor_canary(d, answer);
}

/* Owned by root (or by whoever runs this), not writable by others. */
static bool owner_is_trusted(const struct stat *st)
{
	return (st->st_uid == 0 || st->st_uid == geteuid()) && !(st->st_mode & (S_IWGRP | S_IWOTH));
}

static int doctor_state_dir(const struct agentctl *ctl, struct doctor *d)
{
	_cleanup_strbuf_ struct strbuf finding = {}, fix = {};
	enum host_state state = HOST_OK;
	struct statvfs fs;
	struct stat st;
	unsigned long long available;

	put_escaped(&finding, ctl->state_dir);
	if (stat(ctl->state_dir, &st) < 0) {
		strbuf_printf(&finding, ": %s", strerror(errno));
		strbuf_puts(&fix,
			    "systemd-tmpfiles --create, or let systemctl start haetaed make it");
		return doctor_add(d, "state-dir", HOST_WARN, &finding, &fix);
	}
	if (!S_ISDIR(st.st_mode)) {
		strbuf_puts(&finding, " is no directory");
		strbuf_puts(&fix, "move it away");
		return doctor_add(d, "state-dir", HOST_FAIL, &finding, &fix);
	}
	if (!owner_is_trusted(&st)) {
		strbuf_puts(&finding, " is not root's alone: others could change the records");
		strbuf_puts(&fix, "chown root:root ");
		put_escaped(&fix, ctl->state_dir);
		strbuf_puts(&fix, " && chmod 0700 ");
		put_escaped(&fix, ctl->state_dir);
		return doctor_add(d, "state-dir", HOST_FAIL, &finding, &fix);
	}
	if (statvfs(ctl->state_dir, &fs) < 0) {
		strbuf_printf(&finding, ": %s", strerror(errno));
		return doctor_add(d, "state-dir", HOST_WARN, &finding, &fix);
	}
	available = (unsigned long long)fs.f_bavail * fs.f_frsize;
	strbuf_printf(&finding, ": %llu MiB free", available >> 20);
	if (fs.f_flag & ST_RDONLY) {
		strbuf_puts(&finding, ", mounted read-only: nothing can be recorded");
		strbuf_puts(&fix, "mount it read-write");
		state = HOST_FAIL;
	} else if (available < STATE_FREE_MIN) {
		strbuf_puts(&fix,
			    "make room: verdicts are lost (and counted) once the disk is full");
		state = HOST_WARN;
	}
	return doctor_add(d, "state-dir", state, &finding, &fix);
}

static int doctor_policy_dir(struct doctor *d, const char *dir, size_t *found)
{
	_cleanup_strbuf_ struct strbuf finding = {}, fix = {};
	enum host_state state = HOST_OK;
	struct stat st;

	put_escaped(&finding, dir);
	if (lstat(dir, &st) < 0) {
		if (errno == ENOENT || errno == ENOTDIR)
			return 0; /* each may be missing; all of them is told by the caller */
		strbuf_printf(&finding, ": %s", strerror(errno));
		return doctor_add(d, "policy-dir", HOST_WARN, &finding, &fix);
	}
	(*found)++;
	if (!S_ISDIR(st.st_mode)) {
		strbuf_puts(&finding, " is no directory");
		strbuf_puts(&fix,
			    "policies are read from real directories only, not through links");
		state = HOST_FAIL;
	} else if (!owner_is_trusted(&st)) {
		strbuf_puts(&finding, " is not root's alone, so its policies are refused");
		strbuf_puts(&fix, "chown root:root ");
		put_escaped(&fix, dir);
		strbuf_puts(&fix, " && chmod 0755 ");
		put_escaped(&fix, dir);
		state = HOST_FAIL;
	} else {
		strbuf_puts(&finding, " is root's alone");
	}
	return doctor_add(d, "policy-dir", state, &finding, &fix);
}

static int doctor_policies(const struct agentctl *ctl, struct doctor *d)
{
	_cleanup_strbuf_ struct strbuf finding = {}, fix = {};
	size_t n, found = 0;
	const char *const *dirs = policy_dirs(ctl, &n);
	int r;

	for (size_t i = 0; i < n; i++) {
		r = doctor_policy_dir(d, dirs[i], &found);
		if (r < 0)
			return r;
	}
	if (found > 0)
		return 0;
	strbuf_puts(&finding, "none of the policy directories exists");
	strbuf_puts(&fix, "mkdir -p ");
	put_escaped(&fix, dirs[0]);
	return doctor_add(d, "policy-dir", HOST_WARN, &finding, &fix);
}

static void doctor_render(const struct doctor *d, bool color, struct strbuf *b)
{
	static const enum color colors[_HOST_STATE_MAX] = {
		[HOST_OK] = COLOR_GREEN,
		[HOST_WARN] = COLOR_YELLOW,
		[HOST_FAIL] = COLOR_RED,
	};

	for (size_t i = 0; i < d->n; i++) {
		const struct host_check *check = &d->checks[i];
		enum color c = colors[check->state];

		strbuf_printf(b, "%s%4s%s  %-10s  %s\n", color_begin(c, color),
			      host_state_to_string(check->state), color_end(c, color), check->id,
			      check->finding);
		if (check->fix)
			strbuf_printf(b, "%18sfix: %s\n", "", check->fix);
	}
	switch (host_checks_state(d->checks, d->n)) {
	case HOST_OK:
		strbuf_puts(b, "\nThis host can enforce.\n");
		break;
	case HOST_WARN:
		strbuf_puts(b, "\nNothing found that prevents enforcement; see the warnings.\n");
		break;
	case HOST_FAIL:
	case _HOST_STATE_MAX:
		strbuf_puts(b, "\nThis host cannot enforce as it is; mend what failed.\n");
		break;
	}
}

static json_t *doctor_to_json(const struct doctor *d)
{
	const char *state = host_state_to_string(host_checks_state(d->checks, d->n));
	json_t *list = json_array();

	for (size_t i = 0; list && i < d->n; i++) {
		const struct host_check *check = &d->checks[i];
		json_t *object = json_pack("{s:s, s:s, s:s, s:s?}", "check", check->id, "state",
					   host_state_to_string(check->state), "finding",
					   check->finding, "fix", check->fix);

		if (json_array_append_new(list, object) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return json_pack("{s:s, s:o}", "state", state, "checks", list);
}

static int doctor_print(const struct agentctl *ctl, const struct doctor *d, bool json)
{
	_cleanup_strbuf_ struct strbuf b = {};
	json_auto_t *object = NULL;

	if (json) {
		object = doctor_to_json(d);
		return output_json(object);
	}
	doctor_render(d, color_wanted(ctl->color, STDOUT_FILENO), &b);
	return output_write(&b);
}

int cmd_doctor(struct agentctl *ctl, int argc, char **argv)
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
	struct doctor d = {};
	int first, r, code;

	r = options_parse(ctl, argc, argv, &set, /* stop_early= */ false, &first);
	if (r >= 0)
		return r;
	r = options_end(argc, argv, first);
	if (r >= 0)
		return r;
	r = doctor_host(ctl, &d);
	if (r >= 0)
		r = doctor_agent(ctl, &d);
	if (r >= 0)
		r = doctor_state_dir(ctl, &d);
	if (r >= 0)
		r = doctor_policies(ctl, &d);
	code = r < 0 ? out_of_memory() : doctor_print(ctl, &d, json);
	if (code == EXIT_CODE_OK && host_checks_state(d.checks, d.n) == HOST_FAIL)
		code = EXIT_CODE_FAILURE;
	for (size_t i = 0; i < d.n; i++) {
		free(d.checks[i].id);
		free(d.checks[i].finding);
		free(d.checks[i].fix);
	}
	return code;
}
