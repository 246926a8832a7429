/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the files of `agentctl events` share. */

#include "programs/agentctl/agentctl.h"
#include "store/store.h"

/* What the command line asks for. */
struct events_options {
	struct store_filter filter; /* texts borrowed from argv */
	uint32_t kinds;		    /* --kind; 0: not given */
	uint32_t verdicts;	    /* --verdict; 0: not given */
	uint64_t lines;		    /* -n */
	bool lines_given;
	bool follow;
	bool json;
	bool all;
	bool utc;
	bool full;
};

/* Parse the command's arguments; the filter is complete afterwards. Return: as options_parse(). */
int events_options_parse(struct agentctl *ctl, int argc, char **argv, struct events_options *ret);

/* Where events go: one line each on standard output. */
struct events_printer {
	bool json;
	unsigned flags; /* EVENT_RENDER_* */
	unsigned width; /* of the terminal, 0: none */
	uint64_t n;	/* printed so far */
	int64_t last_id;
	struct strbuf line;
};

/* For store_query(). Return: 0; EVENTS_STOP: nobody reads any more; -EIO after a complaint;
 * -ENOMEM. */
#define EVENTS_STOP 1
int events_print(const struct event *event, void *userdata);
/* Complain about a store that cannot be read (text: what the store said, may be NULL). Return: the
 * exit code. */
int events_complain(const char *path, int error, const char *text);

/* Show the last events, then wait for new ones until nobody reads or the program is interrupted.
 * Return: an exit code. */
int events_follow(const struct agentctl *ctl, const struct events_options *options,
		  struct events_printer *printer);
