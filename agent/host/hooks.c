/* SPDX-License-Identifier: Apache-2.0 */

#include "host/hooks.h"

#include <string.h>

#include "util/cleanup.h"

#define PREFIX "bpf_lsm_"

/* The others are as old as what loading takes in any case. */
static const struct {
	const char *name;
	const char *line;
} hooks[] = {
	{PREFIX "userns_create", "namespaces"},
	{PREFIX "perf_event_open", "perf"},
	{PREFIX "kernel_module_request", "module"},
	{PREFIX "uring_sqpoll", "io_uring_sqpoll"},
	{PREFIX "uring_override_creds", "io_uring_sqpoll"},
	{PREFIX "uring_cmd", "io_uring_sqpoll"},
};

size_t hooks_names(struct btf_name *ret)
{
	_Static_assert(ARRAY_LEN(hooks) <= HOST_HOOKS_MAX, "room for all");
	for (size_t i = 0; i < ARRAY_LEN(hooks); i++)
		ret[i] = (struct btf_name){.name = hooks[i].name};
	return ARRAY_LEN(hooks);
}

size_t hooks_tell(const struct btf_name *names, struct strbuf *finding)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(hooks); i++) {
		if (names[i].found)
			continue;
		strbuf_printf(finding, "%s'%s', which the line '%s' of 'kernel:' needs",
			      n++ == 0 ? "this kernel has no hook " : "; none ",
			      hooks[i].name + strlen(PREFIX), hooks[i].line);
	}
	return n;
}
