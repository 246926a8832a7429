/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The governed cgroups by id, with the names people know them by. One that is gone is kept for a while,
 * because records about it may still be on their way. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "container/container.h"
#include "event/event.h"

struct containers_entry;

struct containers {
	struct containers_entry *by_id;
	struct containers_entry *last; /* that an event was of; NULL: none */
	size_t n_gone;
};

/* Make a cgroup known, or known anew. path: in the hierarchy. Return: 0, -ENOMEM. */
int containers_add(struct containers *containers, uint64_t id, const char *path);
/* It is gone; names stay until too many are gone. */
void containers_release(struct containers *containers, uint64_t id);
/* Fill cgroup, container, container_id and runtime of an event from its cgroup_id.
 * Return: 0, -ENOENT not known, -ENOMEM. */
int containers_enrich(struct containers *containers, struct event *event);
/* Borrowed; NULL: not known. */
const struct container *containers_get(const struct containers *containers, uint64_t id);
void containers_deinit(struct containers *containers);
