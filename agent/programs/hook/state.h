/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What an OCI runtime hands to its hooks on standard input, and what follows from it. */

#include "container/facts.h"

#define STATE_MAX (4U << 20) /* bytes */

struct state {
	char *cgroup; /* of the container's first process */
	struct container_facts facts;
};

void state_deinit(struct state *state);
#define _cleanup_state_ _cleanup_(state_deinit)
/* text: {"id", "pid", "bundle", "annotations"}. root_dir: "" but in tests. Return: 0; -EPROTO it is none; -ESRCH its
 * process cannot be found; other negative errno. */
int state_read(const char *text, size_t len, const char *root_dir, struct state *ret);
