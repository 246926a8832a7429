/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What `container:` of a policy asks for: what the runtime says of a container. All of it from files that root alone
 * writes; what could not be learned is unknown, which is not the same as absent.
 */

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "policy/policy.h"
#include "util/cleanup.h"

/* Beyond these bounds nothing is cut: the facts are refused. */
#define FACTS_TEXT_MAX 4096U
#define FACTS_LABELS_MAX 4096U
#define FACTS_LENGTH_MAX 49152U /* of all texts: they go through the control socket */

struct container_facts {
	char *runtime; /* a word as in struct container */
	char *id;      /* the runtime's */
	char *name;    /* NULL: not known */
	char *image;   /* NULL: not known; "": it has none */
	struct policy_label *labels;
	size_t n_labels;
	bool labels_known; /* false: there may be more than these */
};

void container_facts_deinit(struct container_facts *facts);
#define _cleanup_facts_ _cleanup_(container_facts_deinit)
/* The same as policies want it; borrowed. */
struct policy_container container_facts_view(const struct container_facts *facts);

/* {"runtime", "id", "name", "image", "labels"}; what is not known is null. Return: a new reference; NULL: no memory. */
json_t *container_facts_to_json(const struct container_facts *facts);
/* Other members are passed over. Return: 0; -EPROTO not of that form, or beyond the bounds; -ENOMEM. */
int container_facts_from_json(const json_t *json, struct container_facts *ret);

/* Does `is` say otherwise, or less, than `was`? What was not known may be told. */
bool container_facts_contradict(const struct container_facts *was, const struct container_facts *is);

/* Where to look. */
struct container_place {
	const char *bundle;	   /* the OCI bundle; NULL: found where the runtimes keep their state */
	const json_t *annotations; /* of the OCI configuration; NULL: read from the bundle */
	const char *root_dir;	   /* "" but in tests */
};

/* Learn what can be learned. runtime: as the cgroup tells it (container_from_cgroup()); id: of letters, digits, `_`, `.`,
 * `+` and `-`. Return: 0, whatever is unknown; -EINVAL no such id; -ENOMEM. */
int container_facts_gather(const char *runtime, const char *id, const struct container_place *place,
			   struct container_facts *ret);
/* Is it an id that can be part of a file name? */
bool container_id_is_valid(const char *id);

/* podman.c: podman's own configuration of a container, from the database in its storage. Return: 0 with a new
 * reference; -ENOENT there is no database, or it does not know the container; -EBADMSG; other negative errno. */
int podman_config_read(const char *storage_dir, const char *id, json_t **ret);
