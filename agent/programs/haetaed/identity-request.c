/* SPDX-License-Identifier: Apache-2.0 */

#include "programs/haetaed/identity-request.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

/* A container, and how much of it was asked for. */
struct identity_root {
	struct identity_root *next;
	uint64_t cgroup;
	char *cgroup_path;
	int pid;
	uint32_t profiles[HT_PROFILES_MAX];
	unsigned slot;	 /* whose turn it is */
	uint64_t digest; /* of that profile: where another has come in its place, it is begun with anew */
	size_t at;	 /* of its objects, then of its directories */
};

struct identity_request *identity_request_free(struct identity_request *request)
{
	if (!request)
		return NULL;
	for (size_t i = 0; i < request->n; i++) {
		free(request->paths[i]);
		free(request->policies[i]);
	}
	free(request->cgroup_path);
	free(request);
	return NULL;
}

DEFINE_CLEANUP(struct identity_request *, identity_request_freep, identity_request_free);

static void root_free(struct identity_root *root)
{
	free(root->cgroup_path);
	free(root);
}

void identity_queue_init(struct identity_queue *queue)
{
	*queue = (struct identity_queue){};
	queue->last = &queue->first;
}

static void queue_drop(struct identity_queue *queue)
{
	struct identity_root *root = queue->first;

	queue->first = root->next;
	if (!queue->first)
		queue->last = &queue->first;
	queue->n--;
	root_free(root);
}

void identity_queue_deinit(struct identity_queue *queue)
{
	while (queue->first)
		queue_drop(queue);
}

int identity_queue_add(struct identity_queue *queue, uint64_t cgroup, const char *cgroup_path, int pid,
		       const uint32_t profiles[HT_PROFILES_MAX])
{
	struct identity_root *root;

	if (queue->n >= IDENTITY_QUEUE_MAX)
		return -ENOBUFS;
	root = calloc(1, sizeof(*root));
	if (!root)
		return -ENOMEM;
	root->cgroup_path = strdup(cgroup_path);
	if (!root->cgroup_path) {
		free(root);
		return -ENOMEM;
	}
	root->cgroup = cgroup;
	root->pid = pid;
	memcpy(root->profiles, profiles, sizeof(root->profiles));
	*queue->last = root;
	queue->last = &root->next;
	queue->n++;
	return 0;
}

static int request_add(struct identity_request *request, const char *path, const char *policy)
{
	char *copy = strdup(path), *owner = policy ? strdup(policy) : NULL;

	if (!copy || (policy && !owner)) {
		free(copy);
		free(owner);
		return -ENOMEM;
	}
	request->paths[request->n] = copy;
	request->policies[request->n++] = owner;
	return 0;
}

static const struct image_profile *profile_by_id(const struct image *image, uint32_t id)
{
	for (size_t i = 0; i < image->n_profiles; i++)
		if (image->profiles[i].id == id)
			return &image->profiles[i];
	return NULL;
}

/* As much of the profile at hand as there is room for. Return: 1: there is more of it; 0; -ENOMEM. */
static int root_take_profile(struct identity_root *root, const struct image_profile *profile,
			     struct identity_request *request)
{
	if (root->digest != profile->digest)
		root->at = 0;
	root->digest = profile->digest;
	for (;; root->at++) {
		size_t directory = root->at - profile->n_identities;
		int r;

		if (root->at >= profile->n_identities + profile->n_directories)
			return 0;
		if (request->n == OPENING_PATHS_MAX)
			return 1;
		if (root->at < profile->n_identities)
			r = request_add(request, profile->identities[root->at].path, NULL);
		else
			r = request_add(request, profile->directories[directory], profile->policy);
		if (r < 0)
			return r;
	}
}

/* Return: 1: there is more of the container; 0; -ENOMEM. */
static int root_take(struct identity_root *root, const struct image *image,
		     struct identity_request *request)
{
	for (; root->slot < HT_PROFILES_MAX && root->profiles[root->slot]; root->slot++) {
		const struct image_profile *profile = profile_by_id(image, root->profiles[root->slot]);
		int r = profile ? root_take_profile(root, profile, request) : 0;

		if (r != 0)
			return r;
		root->at = 0;
	}
	return 0;
}

int identity_queue_next(struct identity_queue *queue, const struct image *image,
			struct identity_request **ret)
{
	while (queue->first) {
		struct identity_root *root = queue->first;
		_cleanup_(identity_request_freep) struct identity_request *request =
			calloc(1, sizeof(*request));
		int r = -ENOMEM;

		if (request) {
			request->cgroup = root->cgroup;
			request->pid = root->pid;
			request->cgroup_path = strdup(root->cgroup_path);
			r = request->cgroup_path ? root_take(root, image, request) : -ENOMEM;
		}
		if (r <= 0)
			queue_drop(queue);
		if (r < 0)
			return r;
		if (request->n > 0) {
			*ret = steal_ptr(request);
			return 1;
		}
	}
	return 0;
}
