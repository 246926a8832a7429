/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What /proc says of processes. They can be gone at any time: then nothing is said. */

#include <stdbool.h>

struct kernel;

/* Does it run a program that is on none of its own mounts? So does a runtime's process that has the container's mounts already,
 * and has not executed yet what the container is for. Return: whether; false: it cannot be told. */
bool process_is_foreign(int pid);
/* Is a runtime still setting a container up in this cgroup, or was less than a minute ago? */
bool cgroup_is_being_set_up(struct kernel *kernel, const char *cgroup);
