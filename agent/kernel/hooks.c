/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which hooks this kernel has, and what cannot be refused without them.
 *
 * The ids of all that programs are put into are read from the kernel's types in one pass; libbpf would search them anew
 * for each program. A program whose hook is missing, or which the kernel does not take, is left out if it serves lines of `kernel:`
 * only: exactly those lines cannot be had then, and whoever asks for one is refused. A hook that some kernels have in
 * another form, or that took over from another hook, has a program for each form, and the one that fits is loaded.
 * Without any other program there is no enforcement at all.
 */

#include "kernel/internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <bpf/btf.h>

#include "util/cleanup.h"

#define LINE(name) (1U << HT_KERNEL_##name)
#define HOOK_SECTION "lsm/"
#define HOOK_PREFIX "bpf_lsm_"
#define NAME_SIZE 128U
/* Of a program that is not loaded yet: any that the kernel's types mean nothing to. */
#define TYPE_BEFORE BPF_PROG_TYPE_SOCKET_FILTER

/* Where a kernel moves a name. One without it has no short way for verdicts (moves.c). */
#define MOVE_FUNCTION "__d_move"

/* Sections of programs, and what the kernel calls that which such a program is put into. */
static const struct section {
	const char *section;
	const char *prefix;
	enum bpf_prog_type type;
	enum bpf_attach_type attach;
	unsigned kind; /* BTF_KIND_* */
} sections[] = {
	{ HOOK_SECTION, HOOK_PREFIX, BPF_PROG_TYPE_LSM, BPF_LSM_MAC, BTF_KIND_FUNC },
	{ "tp_btf/", "btf_trace_", BPF_PROG_TYPE_TRACING, BPF_TRACE_RAW_TP, BTF_KIND_TYPEDEF },
	{ "iter/", "bpf_iter_", BPF_PROG_TYPE_TRACING, BPF_TRACE_ITER, BTF_KIND_FUNC },
	{ "fentry/", "", BPF_PROG_TYPE_TRACING, BPF_TRACE_FENTRY, BTF_KIND_FUNC },
	{ "fexit/", "", BPF_PROG_TYPE_TRACING, BPF_TRACE_FEXIT, BTF_KIND_FUNC },
};

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

/* A name of the kernel's that a program may be put into, and its id in the kernel's types. */
struct target {
	const char *name; /* inside the types */
	unsigned kind;
	int id;
};

static struct {
	struct kernel_btf btf; /* owned */
	struct target *targets;
	size_t n;
} known;

static int target_compare(const void *a, const void *b)
{
	const struct target *one = a, *other = b;
	int r = strcmp(one->name, other->name);

	return r != 0 ? r : (one->kind > other->kind) - (one->kind < other->kind);
}

/* section: of the program, which is for the kind of sections s. Return: the id, -ENOENT. */
static int target_find(const struct section *s, const char *section)
{
	struct target key = { .kind = s->kind }, *found;
	char name[NAME_SIZE];
	int n = snprintf(name, sizeof(name), "%s%s", s->prefix, section + strlen(s->section));

	if (n < 0 || (size_t)n >= sizeof(name) || known.n == 0)
		return -ENOENT;
	key.name = name;
	found = bsearch(&key, known.targets, known.n, sizeof(key), target_compare);
	return found ? found->id : -ENOENT;
}

/* Fifty thousand names are asked about, and next to none begins like one of these. */
static bool target_is_named(const char *name, unsigned kind)
{
	if (name[0] == MOVE_FUNCTION[0])
		return kind == BTF_KIND_FUNC && strcmp(name, MOVE_FUNCTION) == 0;
	for (size_t i = 0; i < ARRAY_LEN(sections); i++)
		if (name[0] == sections[i].prefix[0] && kind == sections[i].kind && name[0] != '\0' &&
		    strncmp(name, sections[i].prefix, strlen(sections[i].prefix)) == 0)
			return true;
	return false;
}

/* libbpf asks this for every program of such a section, about to be loaded. */
static int section_prepare(struct bpf_program *program, struct bpf_prog_load_opts *opts, long cookie)
{
	const struct section *s = &sections[cookie];
	int id = target_find(s, bpf_program__section_name(program));

	if (id < 0)
		return id;
	opts->attach_btf_id = (uint32_t)id;
	return bpf_program__set_type(program, s->type);
}

/* Instead of libbpf's own, which searches all the kernel's types for each program. It would read them all once more for an
 * object that has a program of such a type, so the programs have theirs from when they are loaded. */
static int sections_register(void)
{
	LIBBPF_OPTS(libbpf_prog_handler_opts, opts, .prog_prepare_load_fn = section_prepare);
	static bool registered;

	for (size_t i = 0; i < ARRAY_LEN(sections) && !registered; i++) {
		int r;

		opts.cookie = (long)i;
		r = libbpf_register_prog_handler(sections[i].section, TYPE_BEFORE,
						 sections[i].attach, &opts);
		if (r < 0)
			return r;
	}
	registered = true;
	return 0;
}

static int targets_collect(void)
{
	for (uint32_t id = 1; id < known.btf.n; id++) {
		const struct btf_type *t = kernel_btf_type(&known.btf, id);
		unsigned kind = btf_kind(t);
		const char *name;
		struct target *more;

		if (kind != BTF_KIND_FUNC && kind != BTF_KIND_TYPEDEF)
			continue;
		name = kernel_btf_name(&known.btf, t->name_off);
		if (!target_is_named(name, kind))
			continue;
		more = reallocarray(known.targets, known.n + 1, sizeof(*more));
		if (!more)
			return -ENOMEM;
		known.targets = more;
		known.targets[known.n++] = (struct target){ name, kind, (int)id };
	}
	qsort(known.targets, known.n, sizeof(*known.targets), target_compare);
	return 0;
}

int kernel_hooks_open(const char *types_path)
{
	int r = sections_register();

	if (r < 0)
		return r;
	kernel_hooks_close();
	r = kernel_btf_open(types_path, &known.btf);
	return r < 0 ? r : targets_collect();
}

const struct kernel_btf *kernel_hooks_types(void)
{
	return &known.btf;
}

void kernel_hooks_close(void)
{
	kernel_btf_close(&known.btf);
	free(known.targets);
	known.targets = NULL;
	known.n = 0;
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
	const struct btf_type *t = id < 0 ? NULL : kernel_btf_type(&known.btf, (uint32_t)id);

	t = t ? kernel_btf_type(&known.btf, t->type) : NULL;
	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (strcmp(forms[i].program, bpf_program__name(program)) == 0)
			return !t || btf_vlen(t) != forms[i].arguments;
	return 0;
}

int kernel_hooks_select(struct bpf_object *object, uint32_t *lines_missing, char **reterr_text)
{
	struct target move = { .name = MOVE_FUNCTION, .kind = BTF_KIND_FUNC };
	bool moves = known.n > 0 &&
			bsearch(&move, known.targets, known.n, sizeof(move), target_compare);
	struct bpf_program *program;

	bpf_object__for_each_program(program, object)
	{
		const char *section = bpf_program__section_name(program);
		uint32_t lines = kernel_hooks_lines(bpf_program__name(program));
		int id;

		if (!moves && strstr(section, "/" MOVE_FUNCTION))
			(void)bpf_program__set_autoload(program, false);
		if (strncmp(section, HOOK_SECTION, strlen(HOOK_SECTION)) != 0)
			continue;
		id = target_find(&sections[0], section);
		if (hook_form_missing(program, id)) {
			(void)bpf_program__set_autoload(program, false);
			continue;
		}
		if (id >= 0)
			continue;
		if (lines == 0)
			return kernel_fail(reterr_text, -EOPNOTSUPP,
					   "This kernel has no hook '%s', without which nothing can be refused",
					   section + strlen(HOOK_SECTION));
		(void)bpf_program__set_autoload(program, false);
		*lines_missing |= lines;
	}
	return 0;
}
