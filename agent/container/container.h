/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Who is a cgroup: the runtime and the runtime's id from the shape of the path, the name from where
 * the runtime keeps it. Nothing here decides a verdict; it is for people.
 */

#include <stdbool.h>
#include <stddef.h>

struct container {
	char *runtime; /* "podman", "docker", "containerd", "crio", "kubernetes", "nspawn",
			  "libvirt", "lxc", "systemd" (a unit), "unknown" */
	char *id;      /* the runtime's id; NULL: none */
	char *name;    /* for people, never NULL: name, unit, shortened id, or last component. Raw
			  bytes: escape where it leaves */
	size_t cgroup_len; /* of the path, as far as the container's own cgroup; 0: not a container */
};

/* From the cgroup path alone ("/machine.slice/libpod-HEX.scope/container", systemd escapes undone).
 * The outermost container on the path wins: payload children ("container", "payload", "init.scope"
 * ...), the units of a systemd that runs inside and nested containers belong to it, and a container
 * that may make cgroups below its own cannot pass for another one. A path without a container is
 * the innermost unit on it. Return: 0 or -ENOMEM. */
int container_from_cgroup(const char *cgroup, struct container *ret);
/* Is it a container, not a unit of this host or an unknown cgroup? */
bool container_is_container(const struct container *container);
/* How much of a process's cgroup path is the own cgroup of the container with that id, which no other container and
 * nothing of the host is in: the outermost one that is called by the id, as runtimes do. Return: 0 if there is none. */
size_t container_own_cgroup(const char *cgroup, const char *id);
/* Look for the real name where the runtime keeps it (podman, crio: command line of the conmon that
 * runs this id, if that conmon itself runs outside of every container; docker: its config.v2.json,
 * in the data-root of /etc/docker/daemon.json). proc_dir and root_dir are "/proc" and "" (tests
 * give their own). Return: 0 with ->name replaced, -ENOENT nothing found (name stays), -ENOMEM. */
int container_resolve_name(struct container *container, const char *proc_dir, const char *root_dir);
void container_deinit(struct container *container);
