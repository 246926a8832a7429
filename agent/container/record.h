/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What was told of the containers that run, kept in the runtime directory: one JSON file for each, named by the
 * cgroup's id. It outlives the agent, and a boot forgets it together with the containers.
 */

#include <stdbool.h>
#include <stdint.h>

#include "container/facts.h"

struct container_record {
	char *cgroup; /* the container's own, from the root of the hierarchy */
	uint64_t cgroup_id;
	bool told; /* by the runtime's hook before the container's first instruction; else found afterwards */
	struct container_facts facts;
};

void container_record_deinit(struct container_record *record);
#define _cleanup_record_ _cleanup_(container_record_deinit)

/* Return: 0, negative errno. */
int container_record_save(const char *runtime_dir, const struct container_record *record);
void container_record_remove(const char *runtime_dir, uint64_t cgroup_id);
/* Call `each` with every one that can be read; it may take the record's members. Return: 0, its first result that is not
 * zero, or -ENOMEM. */
int container_records_load(const char *runtime_dir, int (*each)(struct container_record *record, void *userdata),
			   void *userdata);
/* The one of a cgroup. Return: 0, -ENOENT, -EPROTO, other negative errno. */
int container_record_load(const char *runtime_dir, uint64_t cgroup_id, struct container_record *ret);
/* One file's content. Return: 0; -EPROTO; -ENOMEM. */
int container_record_parse(const char *text, size_t len, struct container_record *ret);
