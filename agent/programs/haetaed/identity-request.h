/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is to be looked for, and where. Containers wait, not paths: which paths one is asked for is taken from the policies
 * in force when a child is free for it. A thousand containers under ten thousand rules would else be ten million paths.
 */

#include <stddef.h>
#include <stdint.h>

#include "compile/image.h"
#include "programs/haetaed/identity-open.h"

/* Containers that wait: what finds no place is asked for again with the next refresh. */
#define IDENTITY_QUEUE_MAX 65536U

/* Paths for one child to open. */
struct identity_request {
	uint64_t cgroup;
	char *cgroup_path;
	int pid;
	size_t n;
	char *paths[OPENING_PATHS_MAX];
	char *policies[OPENING_PATHS_MAX]; /* of a directory of its rules; NULL: the path of an object */
};

struct identity_request *identity_request_free(struct identity_request *request); /* Return: NULL */

struct identity_root;

struct identity_queue {
	struct identity_root *first; /* owned, with all that follow */
	struct identity_root **last;
	size_t n;
};

void identity_queue_init(struct identity_queue *queue);
void identity_queue_deinit(struct identity_queue *queue);
/* Everything that the profiles name is to be looked for, in the root of pid. Return: 0, -ENOBUFS, -ENOMEM. */
int identity_queue_add(struct identity_queue *queue, uint64_t cgroup, const char *cgroup_path, int pid,
		       const uint32_t profiles[HT_PROFILES_MAX]);
/* The next paths to open, of one container. A path that two of its profiles name is opened twice.
 * Return: 1; 0: nothing is left to be looked for; -ENOMEM: of one container the rest is not. */
int identity_queue_next(struct identity_queue *queue, const struct image *image,
			struct identity_request **ret);
