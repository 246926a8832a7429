/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Run agentctl in a child as a person would, with its own directories, and keep what it prints. */

#include "programs/agentctl/agentctl.h"

struct run {
	int code; /* exit code; 128 + signal */
	char *out;
	char *err;
};

/* Directories of one test: state/, run/, policies/, bpf/ and a good root for doctor. */
extern char run_dir[64];
/* Who runs it: a uid, 0: whoever runs the test. */
extern unsigned run_as;
void run_setup(void);
void run_teardown(void);
/* Write run_dir/path. */
void run_put(const char *path, const char *text);
/* args: words after the global options, NULL-terminated. input: for standard input, NULL: empty. */
struct run run_agentctl(const char *input, const char *const *args);
#define RUN(...) run_agentctl(NULL, (const char *const[]){__VA_ARGS__, NULL})
void run_free(struct run *run);

/* A directory below run_dir; holds for the next 31 calls. */
const char *run_path(const char *path);

/* An agent in a thread: answers "status" and "reload" with this JSON text (a refusal if ok is
 * false). */
void agent_start(const char *status, const char *reload, bool reload_ok);
void agent_stop(void);
/* Answers to other calls, before it starts: an object of call -> answer; a call that is not in it is refused. What it
 * was asked is in the file "calls", one request a line. */
void agent_answers(const char *answers);

/* ---- a store ---- */
struct store;
struct store *store_begin(void);
/* One refusal of `path` in container web by policy web; kind EVENT_VERDICT unless said otherwise.
 */
void store_put(struct store *store, const char *path);
void store_put_kind(struct store *store, int kind, unsigned verdict, const char *path);
/* Wait until all is on disk. */
void store_sync(struct store *store);
void store_end(struct store *store);
