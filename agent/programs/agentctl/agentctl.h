/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * agentctl: what its commands share. A command is one cmd-NAME.c with one function in the table of
 * agentctl.c; it gets its own arguments (argv[0] is its name) and returns an exit code.
 */

#include <getopt.h>
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <unistd.h>

#include "programs/agentctl/color.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

/* Documented in agentctl(1). */
enum exit_code {
	EXIT_CODE_OK = 0,
	EXIT_CODE_FAILURE = 1,
	EXIT_CODE_USAGE = 2,
	EXIT_CODE_NOT_RUNNING = 3,
	EXIT_CODE_PERMISSION = 4,
	EXIT_CODE_REFUSED = 5, /* policy test: the policies refuse the act */
};

#define POLICY_DIRS_MAX 16U

struct agentctl {
	const char *state_dir;
	const char *runtime_dir;
	const char *policy_dirs[POLICY_DIRS_MAX]; /* highest precedence first */
	size_t n_policy_dirs;			  /* 0: the three drop-in directories */
	const char *root_dir;			  /* "" but in tests: where doctor looks */
	const char *bpffs_dir;			  /* what the agent pinned */
	enum color_mode color;
	bool no_pager;
};

void agentctl_init(struct agentctl *ctl);
/* The whole program. Return: the exit code. */
int agentctl_run(struct agentctl *ctl, int argc, char **argv);

/* ---- options.c ---- */

/* A command's own options. brief is getopt's string ("n:r"); handle gets each of them.
 * handle's Return: 0, or an exit code that ends the program after the complaint it printed. */
struct option_set {
	const struct option
		*options;  /* ends with a zeroed entry; values above 255 have no letter */
	const char *brief; /* "" without letters */
	const char *help;  /* printed by --help */
	int (*handle)(int c, const char *arg, void *userdata);
	void *userdata;
};

/* Parse argv, the global options included, wherever they stand (stop_early: up to the first word).
 * Return: -1 to go on with *ret_first, the index of the first word; else the exit code (also after
 * --help and --version). */
int options_parse(struct agentctl *ctl, int argc, char **argv, const struct option_set *set,
		  bool stop_early, int *ret_first);
/* No words may be left. Return: -1 or the exit code. */
int options_end(int argc, char **argv, int first);
/* The drop-in directories to use. */
const char *const *policy_dirs(const struct agentctl *ctl, size_t *ret_n);
/* STATE_DIR/events.db, malloc'd, NULL without memory. */
char *database_path(const struct agentctl *ctl);

/* ---- output.c ---- */

/* "agentctl: TEXT" on standard error; foreign texts go through escaped(). */
_printf_(1, 2) void complain(const char *format, ...);
/* An escaped copy for complain(), never NULL; holds until the fourth next call. */
const char *escaped(const char *text);
/* Write to standard output. Return: EXIT_CODE_OK, also when the reader is gone; EXIT_CODE_FAILURE
 * after a complaint. */
int output_write(const struct strbuf *b);
/* The same through the pager. */
int output_page(const struct agentctl *ctl, const struct strbuf *b);
/* Print JSON for programs: indented, ASCII only, so nothing in it acts on a terminal. */
int output_json(const json_t *json);
int out_of_memory(void); /* complains; EXIT_CODE_FAILURE */

/* ---- agent.c: calls ---- */

/* Compiling and publishing the largest sets takes seconds; a stuck agent is the watchdog's. */
#define PUBLISH_TIMEOUT_MS 90000U

/* Call the agent; params may be NULL (stolen reference). Complains about everything but an agent that does not run.
 * Return: 0 with the answer; EXIT_CODE_NOT_RUNNING (silent); another exit code. An answer that
 * refuses is given back too, with EXIT_CODE_FAILURE, if the agent itself refused. */
int agent_call(const struct agentctl *ctl, const char *call, json_t *params, unsigned timeout_ms,
	       json_t **ret_answer);
/* Objects pinned by the agent. Return: how many entries; 0 none (or no such directory); -EACCES or
 * -EPERM: not known without root. */
ssize_t pinned_count(const struct agentctl *ctl);
/* "yes, ..." or "no, ...": is anything enforced while the agent does not run? */
void pinned_render(const struct agentctl *ctl, ssize_t pinned, bool color, struct strbuf *b);

/* ---- reading answers: what is absent or of another type is empty, never an error ---- */
const char *json_text(const json_t *object, const char *key); /* NULL: absent */
long long json_number(const json_t *object, const char *key);
bool json_truth(const json_t *object, const char *key);

/* ---- commands ---- */
int cmd_status(struct agentctl *ctl, int argc, char **argv);
int cmd_events(struct agentctl *ctl, int argc, char **argv);
int cmd_policy(struct agentctl *ctl, int argc, char **argv);
int cmd_containers(struct agentctl *ctl, int argc, char **argv);
int cmd_doctor(struct agentctl *ctl, int argc, char **argv);
int cmd_reload(struct agentctl *ctl, int argc, char **argv);
int cmd_apply(struct agentctl *ctl, int argc, char **argv);
int cmd_confirm(struct agentctl *ctl, int argc, char **argv);
int cmd_rollback(struct agentctl *ctl, int argc, char **argv);
int cmd_disarm(struct agentctl *ctl, int argc, char **argv);
int cmd_explain(struct agentctl *ctl, int argc, char **argv);
int cmd_arm(struct agentctl *ctl, int argc, char **argv);

/* status-render.c: the answer to "status" as text. Return: 0 or -ENOMEM. */
int status_render(const json_t *status, int64_t now_us, bool color, struct strbuf *b);
/* containers: as a table. Return: 0 or -ENOMEM. */
int containers_render(const json_t *status, unsigned indent, bool color, struct strbuf *b);
