/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Opening what rules name, inside a container.
 *
 * A lookup there can block for ever (a filesystem that the container serves itself, a network that is gone), so a child
 * does it and can be killed. It opens the objects without any right to their content, tells under which descriptors, and
 * waits; the kernel is then asked what they are. No descriptor outlives the child, so no filesystem is kept busy.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Paths of one child: well below the number of descriptors that a process may have. */
#define OPENING_PATHS_MAX 256U

struct opening {
	pid_t pid;
	int fd; /* its answers, owned */
	size_t n;
	size_t received; /* bytes */
	/* Descriptors in the child, or negative errno. The first is the root of the container, then one for each path. */
	int32_t answers[OPENING_PATHS_MAX + 1];
};

/* Begin. pid: a process whose root is that of the container, if it still is below the cgroup. Symbolic links are followed
 * inside the container's root, never out of it. Return: 0, -errno. */
int opening_start(struct opening *o, pid_t pid, const char *cgroup, const char *const *paths,
		  size_t n);
/* Take what the child has told. Return: 1: everything; 0: there is more to come; negative errno: it is of no use. */
int opening_receive(struct opening *o);
/* Kill the child. */
void opening_kill(struct opening *o);
/* Return: true: the child is gone and everything is given back; false: ask again later. */
bool opening_reap(struct opening *o);
