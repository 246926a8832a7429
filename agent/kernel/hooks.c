/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which hooks this kernel has, and what cannot be refused without them.
 *
 * The ids of all hooks are read from the kernel's types in one pass; libbpf would search them anew for each program.
 * A program whose hook is missing, or which the kernel does not take, is left out if it serves lines of `kernel:`
 * only: exactly those lines cannot be had then, and whoever asks for one is refused. A hook that some kernels have in
 * another form, or that took over from another hook, has a program for each form, and the one that fits is loaded.
 * Without any other program there is no enforcement at all.
 */

#include "kernel/internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#include "util/cleanup.h"

#define LINE(name) (1U << HT_KERNEL_##name)
#define HOOK_PREFIX "bpf_lsm_"
#define SECTION_PREFIX "lsm/"

/* Where a kernel moves a name. One without it has no short way for verdicts (moves.c). */
#define MOVE_FUNCTION "__d_move"

/* Programs that serve these lines and nothing else. */
static const struct {
	const char *program;
	uint32_t lines;
} optional[] = {
	{ "haetae_capable", LINE(MOUNT) | LINE(MODULE) | LINE(KEXEC) | LINE(DEVICE) | LINE(CLOCK) |
				    LINE(NAMESPACES) },
	{ "haetae_sb_mount", LINE(MOUNT) },
	{ "haetae_ptrace_traceme", LINE(PTRACE) },
	{ "haetae_kernel_module_request", LINE(MODULE) },
	{ "haetae_perf_event_open", LINE(PERF) },
	{ "haetae_userns_create", LINE(NAMESPACES) },
	{ "haetae_uring_sqpoll", LINE(IO_URING_SQPOLL) },
	{ "haetae_uring_override_creds", LINE(IO_URING_SQPOLL) },
	{ "haetae_uring_cmd", LINE(IO_URING_SQPOLL) },
};

/* Programs for one form of a hook, told by the number of its arguments. What the missing one would judge, other hooks
 * judge on that kernel. */
static const struct {
	const char *program;
	unsigned arguments;
} forms[] = {
	{ "haetae_inode_setattr", 3 },
	{ "haetae_inode_setattr_bare", 2 },
	{ "haetae_inode_set_acl", 4 },
	{ "haetae_inode_remove_acl", 3 },
	{ "haetae_inode_file_setattr", 2 },
	{ "haetae_file_ioctl_compat", 3 },
	{ "haetae_file_truncate", 1 },
};

/* A hook's name, and the id of its function in the kernel's types. */
struct hook {
	const char *name; /* inside the types */
	int id;
};

static struct {
	struct btf *btf; /* owned */
	struct hook *hooks;
	size_t n;
	bool moves; /* MOVE_FUNCTION is there */
} known;

static int hook_compare(const void *a, const void *b)
{
	return strcmp(((const struct hook *)a)->name, ((const struct hook *)b)->name);
}

static int hook_find(const char *name)
{
	const struct hook key = { .name = name }, *found;

	if (known.n == 0)
		return -ENOENT;
	found = bsearch(&key, known.hooks, known.n, sizeof(key), hook_compare);
	return found ? found->id : -ENOENT;
}

/* libbpf asks this for every program of an "lsm/" section, about to be loaded. */
static int hook_prepare(struct bpf_program *program, struct bpf_prog_load_opts *opts, long cookie)
{
	int id = hook_find(bpf_program__section_name(program) + strlen(SECTION_PREFIX));

	(void)cookie;
	if (id < 0)
		return id;
	opts->attach_btf_id = (uint32_t)id;
	return 0;
}

int kernel_hooks_open(const char *types_path)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_prepare_load_fn = hook_prepare);
	static int handler;
	uint32_t n;

	if (handler <= 0)
		handler = libbpf_register_prog_handler(SECTION_PREFIX "+", BPF_PROG_TYPE_LSM,
						       BPF_LSM_MAC, &opts);
	if (handler < 0)
		return handler;
	kernel_hooks_close();
	known.btf = btf__parse(types_path, NULL);
	if (!known.btf)
		return -errno;
	n = btf__type_cnt(known.btf);
	for (uint32_t id = 1; id < n; id++) {
		const struct btf_type *t = btf__type_by_id(known.btf, id);
		const char *name;
		struct hook *more;

		if (!btf_is_func(t))
			continue;
		name = btf__name_by_offset(known.btf, t->name_off);
		known.moves |= strcmp(name, MOVE_FUNCTION) == 0;
		if (strncmp(name, HOOK_PREFIX, strlen(HOOK_PREFIX)) != 0)
			continue;
		more = reallocarray(known.hooks, known.n + 1, sizeof(*more));
		if (!more)
			return -ENOMEM;
		known.hooks = more;
		known.hooks[known.n++] = (struct hook){ name + strlen(HOOK_PREFIX), (int)id };
	}
	qsort(known.hooks, known.n, sizeof(*known.hooks), hook_compare);
	return 0;
}

const struct btf *kernel_hooks_types(void)
{
	return known.btf;
}

void kernel_hooks_close(void)
{
	btf__free(known.btf);
	free(known.hooks);
	known.btf = NULL;
	known.hooks = NULL;
	known.n = 0;
	known.moves = false;
}

uint32_t kernel_hooks_lines(const char *program)
{
	for (size_t i = 0; i < ARRAY_LEN(optional); i++)
		if (strcmp(optional[i].program, program) == 0)
			return optional[i].lines;
	return 0;
}

/* Return: 1 the program is for a form of its hook that this kernel has not, 0 it is not. */
static int hook_form_missing(const struct bpf_program *program, int id)
{
	const struct btf_type *t = id < 0 ? NULL : btf__type_by_id(known.btf, (uint32_t)id);

	t = t ? btf__type_by_id(known.btf, t->type) : NULL;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (strcmp(forms[i].program, bpf_program__name(program)) == 0)
			return !t || btf_vlen(t) != forms[i].arguments;
	return 0;
}

int kernel_hooks_select(struct bpf_object *object, uint32_t *lines_missing, char **reterr_text)
{
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
	{
		const char *section = bpf_program__section_name(program);
		uint32_t lines = kernel_hooks_lines(bpf_program__name(program));
		int id;

		if (!known.moves && strstr(section, "/" MOVE_FUNCTION))
			(void)bpf_program__set_autoload(program, false);
		if (strncmp(section, SECTION_PREFIX, strlen(SECTION_PREFIX)) != 0)
			continue;
		id = hook_find(section + strlen(SECTION_PREFIX));
		if (hook_form_missing(program, id)) {
			(void)bpf_program__set_autoload(program, false);
			continue;
		}
		if (id >= 0)
			continue;
		if (lines == 0)
			return kernel_fail(reterr_text, -EOPNOTSUPP,
					   "This kernel has no hook '%s', without which nothing can be refused",
					   section + strlen(SECTION_PREFIX));
		(void)bpf_program__set_autoload(program, false);
		*lines_missing |= lines;
	}
	return 0;
}
