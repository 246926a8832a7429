/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who is a cgroup: the runtime and the runtime's id from the shape of the path, the name from where the
 * runtime keeps it. Nothing here decides a verdict; it is for people.
 */

#include <stddef.h>

struct container {
	char *runtime; /* "podman", "docker", "containerd", "crio", "nspawn", "systemd", "unknown" */
	char *id;      /* the runtime's id; NULL: none */
	char *name;    /* for people, never NULL: name, unit, shortened id, or last component */
};

/* From the cgroup path alone ("/machine.slice/libpod-HEX.scope/container", systemd escapes undone).
 * Payload children ("container", "payload", "init.scope" ...) belong to their container.
 * Return: 0 or -ENOMEM. */
int container_from_cgroup(const char *cgroup, struct container *ret);
/* Look for the real name where the runtime keeps it (podman, crio: command line of the conmon that
 * runs this id; docker: its config.v2.json). proc_dir and root_dir are "/proc" and "" (tests give their
 * own). Return: 0 with ->name replaced, -ENOENT nothing found (name stays), -ENOMEM. */
int container_resolve_name(struct container *container, const char *proc_dir,
			   const char *root_dir);
void container_deinit(struct container *container);
