/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is measured: one act each, done over and over on one path.
 */

#include <stdbool.h>

#define ACT_DONE                                                                                   \
	"done" /* argument with which our own program ends at once: what act "exec" starts */

#define ACT_SERIES_MAX 21 /* an odd number has a middle */

struct act {
	const char *name;
	/* Makes ready for PATH. Returns: 0, or -1 with errno. */
	int (*prepare)(const char *path);
	void (*one)(unsigned i);
	void (*done)(void);
	unsigned loops;	 /* of one series */
	unsigned series; /* of one round; 0: as many as there are files for */
	unsigned pause;	 /* seconds before each series */
	bool frees;	 /* files, names, nodes of mappings: what the kernel frees late */
	bool others;	 /* what children or threads do for it counts: all that the machine does
			    meanwhile */
	bool whole;	 /* what the agent still does after a series counts as well */
};

/* Returns: the act of that name, or NULL. */
const struct act *act_find(const char *name);

/* How many series each of so many rounds has, ACT_SERIES_MAX at most. */
unsigned act_series(const struct act *act, unsigned rounds);
