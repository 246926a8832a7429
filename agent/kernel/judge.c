/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The decision is one program, haetae_judge, that takes the place of the function judge() in every hook
 * (BPF_PROG_TYPE_EXT). The kernel checks a program with all the functions it calls, so a hook that carried the decision
 * itself would take ten times as long to load.
 *
 * A hook without its judge refuses everything to governed tasks, so each hook has it before it is attached.
 */

#include "kernel/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#include "util/cleanup.h"

#define JUDGE_SECTION "freplace/judge"
#define JUDGE_FUNCTION "judge"
#define JUDGE_PROGRAM "haetae_judge"
/* The hook that the judge is checked against when it is loaded. */
#define JUDGE_HOST "haetae_file_open"
#define HOOK_FUNCTIONS_MAX 64U

/* Of the object that is loaded now: libbpf asks for it in the middle of loading. */
static const struct bpf_program *judge_host;
static uint32_t judge_type; /* of judge() in the object's own types */

static int judge_prepare_load(struct bpf_program *prog, struct bpf_prog_load_opts *opts, long cookie)
{
	int host_fd = judge_host ? bpf_program__fd(judge_host) : -ENOENT;

	if (host_fd < 0)
		return host_fd;
	opts->attach_prog_fd = (uint32_t)host_fd;
	opts->attach_btf_id = judge_type;
	return 0;
}

int kernel_judge_register(void)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_prepare_load_fn = judge_prepare_load);
	static int handler;

	if (handler <= 0)
		handler = libbpf_register_prog_handler(JUDGE_SECTION, BPF_PROG_TYPE_EXT, 0, &opts);
	return handler < 0 ? handler : 0;
}

int kernel_judge_find(struct bpf_object *obj)
{
	int id = btf__find_by_name_kind(bpf_object__btf(obj), JUDGE_FUNCTION, BTF_KIND_FUNC);

	judge_host = bpf_object__find_program_by_name(obj, JUDGE_HOST);
	if (id < 0 || !judge_host)
		return -ENOENT;
	judge_type = (uint32_t)id;
	return 0;
}

bool kernel_judge_is(const struct bpf_program *prog)
{
	return strcmp(bpf_program__name(prog), JUDGE_PROGRAM) == 0;
}

/* Return: 1 the loaded program calls judge(), 0 it does not, -errno. */
static int hook_is_judged(int fd)
{
	_cleanup_free_ struct bpf_func_info *functions = NULL;
	struct bpf_prog_info info = {};
	uint32_t size = sizeof(info);

	functions = calloc(HOOK_FUNCTIONS_MAX, sizeof(*functions));
	if (!functions)
		return -ENOMEM;
	info.nr_func_info = HOOK_FUNCTIONS_MAX;
	info.func_info_rec_size = sizeof(*functions);
	info.func_info = (uintptr_t)functions;
	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return -errno;
	if (info.nr_func_info > HOOK_FUNCTIONS_MAX)
		return -E2BIG;
	for (uint32_t i = 0; i < info.nr_func_info; i++)
		if (functions[i].type_id == judge_type)
			return 1;
	return 0;
}

int kernel_judge_attach(const struct bpf_program *judge, const struct bpf_program *hook)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .target_btf_id = judge_type);
	int fd = bpf_program__fd(hook), r;

	r = hook_is_judged(fd);
	if (r <= 0)
		return r < 0 ? r : -ENOENT;
	r = bpf_link_create(bpf_program__fd(judge), fd, 0, &opts);
	return r < 0 ? -errno : r;
}
