/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Whose root is looked at: one process for each mount namespace of a cgroup. */

#include <stddef.h>
#include <stdint.h>

#include "kernel/kernel.h"

/* Mount namespaces of one cgroup, those of the oldest processes. */
#define ROOTS_MAX 16U

struct root {
	uint64_t namespace;
	unsigned long long start; /* of the process, in ticks since boot */
	int pid;
};

struct roots {
	struct root items[ROOTS_MAX];
	size_t n;
	size_t asked; /* processes */
};

/* The oldest process of each. Return: 0, -errno. */
int roots_find(struct kernel *kernel, const char *cgroup, struct roots *ret);
