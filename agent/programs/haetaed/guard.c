/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The agent's own things: told to the kernel, which lets no governed task touch them, and looked after, since the
 * host's administrator can.
 */

#include <sys/stat.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "programs/haetaed/agent.h"
#include "programs/haetaed/log.h"

/* Where the program, its tool and its unit are, beside the directories that the options name. */
static const char *const own_paths[] = {
	"/proc/self/exe",
	"/usr/bin/agentctl",
	"/usr/libexec/haetae-hook",
	"/usr/share/containers/oci/hooks.d/haetae.json",
	"/usr/lib/systemd/system/haetaed.service",
	"/etc/systemd/system/haetaed.service",
	"/etc/systemd/system/haetaed.service.d",
};

/* The directory above a policy directory is Haetae's as well (/etc/haetae), unless it is somebody else's. */
static bool policy_parent(const char *dir, char *buf, size_t size)
{
	const char *slash;
	int n = snprintf(buf, size, "%s", dir);
	char *end;

	if (n < 0 || (size_t)n >= size)
		return false;
	end = strrchr(buf, '/');
	if (!end || end == buf)
		return false;
	*end = '\0';
	slash = strrchr(buf, '/');
	return slash && strcmp(slash + 1, "haetae") == 0;
}

/* The kernel knows the agent by its process id in the first PID namespace, and no other tells that. (PROC_PID_INIT_INO
 * of linux/proc_ns.h.) */
static bool pid_namespace_is_first(void)
{
	struct stat st;

	return stat("/proc/self/ns/pid", &st) == 0 && st.st_ino == 0xEFFFFFFCU;
}

int agent_guard(struct agent *a)
{
	const char *paths[3 + 2 * AGENT_POLICY_DIRS_MAX + ARRAY_LEN(own_paths) + 1] = {};
	static char parents[AGENT_POLICY_DIRS_MAX][PATH_MAX];
	_cleanup_free_ char *text = NULL;
	size_t n = 0;
	int r;

	if (!pid_namespace_is_first()) {
		log_write(LOG_WARNING, "The agent runs in a PID namespace of its own: its process and files are not guarded");
		return 0;
	}
	paths[n++] = a->options.pin_dir;
	paths[n++] = a->options.state_dir;
	paths[n++] = a->options.runtime_dir;
	for (size_t i = 0; i < a->options.n_policy_dirs; i++) {
		paths[n++] = a->options.policy_dirs[i];
		if (policy_parent(a->options.policy_dirs[i], parents[i], PATH_MAX))
			paths[n++] = parents[i];
	}
	for (size_t i = 0; i < ARRAY_LEN(own_paths); i++)
		paths[n++] = own_paths[i];
	r = kernel_guard_files(a->kernel, paths, &text);
	if (r < 0)
		log_write(LOG_ERR, "%s", text ? text : "Failed to guard the agent's files");
	return r;
}

void agent_guard_tick(struct agent *a)
{
	const char *first;
	size_t n = kernel_pins_missing(a->kernel, &first);

	if (n == a->pins_missing)
		return;
	a->pins_missing = n;
	if (n == 0) {
		log_notice("What keeps the enforcement in place is complete again");
		return;
	}
	log_write(LOG_ERR, "%zu pins were removed from '%s' ('%s' is one): the enforcement ends with this agent", n,
		  a->options.pin_dir, first);
	agent_notice(a, EVENT_NOTICE_TAMPERED, POLICY_SEVERITY_CRITICAL,
		     "%zu pins were removed from '%s' ('%s' is one): the enforcement ends with this agent", n,
		     a->options.pin_dir, first);
}
