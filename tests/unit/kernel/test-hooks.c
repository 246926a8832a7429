/* SPDX-License-Identifier: Apache-2.0 */

/* agent/kernel/hooks.c: types of kernels with and without some hooks, against the object as it is. */

#include "kernel-test.h"

#include <bpf/btf.h>

#include "haetae.skel.h"
#include "tests/unit/runner.h"

/* Hooks with a program for each form, as a kernel of today has them. */
static const struct {
	const char *hook;
	unsigned arguments;
} forms[] = {
	{"inode_set_acl", 4},	  {"inode_remove_acl", 3},  {"inode_file_setattr", 2},
	{"file_ioctl_compat", 3}, {"file_truncate", 1},
};

static int proto_put(struct btf *btf, const char *hook, unsigned setattr_arguments)
{
	unsigned n = strcmp(hook, "inode_setattr") == 0 ? setattr_arguments : 0;
	int proto = btf__add_func_proto(btf, 0);

	for (size_t i = 0; i < ARRAY_LEN(forms); i++)
		if (strcmp(forms[i].hook, hook) == 0)
			n = forms[i].arguments;
	while (n-- > 0)
		ck_assert_int_eq(btf__add_func_param(btf, "x", 0), 0);
	return proto;
}

#define MOVE "__d_move" /* no hook, but two programs are for it */

/* Types with every hook that the object's programs are for, but one (may be NULL). */
static void types_put(const struct place *place, struct bpf_object *object, const char *but,
		      unsigned setattr_arguments)
{
	struct btf *btf = btf__new_empty();
	struct bpf_program *program;
	int proto = btf__add_func_proto(btf, 0);
	const void *data;
	uint32_t size;

	ck_assert_int_gt(proto, 0);
	ck_assert_int_gt(btf__add_func(btf, "bpf_lsm_", BTF_FUNC_STATIC, proto), 0);
	ck_assert_int_gt(btf__add_func(btf, "lsm_file_open", BTF_FUNC_STATIC, proto), 0);
	if (!but || strcmp(but, MOVE) != 0)
		ck_assert_int_gt(btf__add_func(btf, MOVE, BTF_FUNC_STATIC, proto), 0);
	bpf_object__for_each_program(program, object)
	{
		const char *section = bpf_program__section_name(program);
		char name[128];

		if (strncmp(section, "lsm/", 4) != 0 || (but && strcmp(section + 4, but) == 0))
			continue;
		(void)snprintf(name, sizeof(name), "bpf_lsm_%s", section + 4);
		proto = proto_put(btf, section + 4, setattr_arguments);
		ck_assert_int_gt(btf__add_func(btf, name, BTF_FUNC_STATIC, proto), 0);
	}
	data = btf__raw_data(btf, &size);
	ck_assert_ptr_nonnull(data);
	place_put(place, "types", data, size);
	btf__free(btf);
}

static const struct {
	const char *missing; /* hook */
	uint32_t lines;
	int outcome;
} cases[] = {
	{NULL, 0, 0},
	{MOVE, 0, 0},
	{"userns_create", 1U << HT_KERNEL_NAMESPACES, 0},
	{"uring_cmd", 1U << HT_KERNEL_IO_URING_SQPOLL, 0},
	{"perf_event_open", 1U << HT_KERNEL_PERF, 0},
	{"kernel_module_request", 1U << HT_KERNEL_MODULE, 0},
	{"capable", 1U << HT_KERNEL_MOUNT | 1U << HT_KERNEL_MODULE | 1U << HT_KERNEL_KEXEC |
			    1U << HT_KERNEL_DEVICE | 1U << HT_KERNEL_CLOCK | 1U << HT_KERNEL_NAMESPACES,
	 0},
	{"file_open", 0, -EOPNOTSUPP},
	{"ptrace_access_check", 0, -EOPNOTSUPP}, /* the guard needs it as well */
	{"bpf", 0, -EOPNOTSUPP},
	{"task_kill", 0, -EOPNOTSUPP},
};

START_TEST(test_select)
{
	_cleanup_free_ char *text = NULL;
	struct place place = place_new();
	struct haetae_bpf *skel = haetae_bpf__open();
	struct bpf_program *program;
	uint32_t lines = 0, left_out = 0;
	char path[128];

	ck_assert_ptr_nonnull(skel);
	types_put(&place, skel->obj, cases[_i].missing, 3);
	(void)snprintf(path, sizeof(path), "%s/types", place.dir);
	ck_assert_int_eq(kernel_hooks_open(path), 0);
	ck_assert_int_eq(kernel_hooks_select(skel->obj, &lines, &text), cases[_i].outcome);
	if (cases[_i].outcome < 0) {
		ck_assert_ptr_nonnull(text);
		ck_assert_ptr_nonnull(strstr(text, cases[_i].missing));
	} else {
		ck_assert_uint_eq(lines, cases[_i].lines);
		bpf_object__for_each_program(program, skel->obj)
		{
			if (bpf_program__autoload(program) || program == skel->progs.haetae_inode_setattr_bare)
				continue;
			left_out++;
			ck_assert_str_eq(strchr(bpf_program__section_name(program), '/') + 1,
					 cases[_i].missing);
		}
		ck_assert_uint_eq(left_out, !cases[_i].missing ? 0 : strcmp(cases[_i].missing, MOVE) == 0 ? 2 : 1);
	}
	kernel_hooks_close();
	haetae_bpf__destroy(skel);
	place_free(&place);
}
END_TEST

/* Of two programs for one hook the one is loaded whose form the kernel has; of a form that nobody knows, none. */
START_TEST(test_forms)
{
	_cleanup_free_ char *text = NULL;
	struct place place = place_new();
	struct haetae_bpf *skel = haetae_bpf__open();
	uint32_t lines = 0;
	char path[128];

	ck_assert_ptr_nonnull(skel);
	types_put(&place, skel->obj, NULL, (unsigned)_i);
	(void)snprintf(path, sizeof(path), "%s/types", place.dir);
	ck_assert_int_eq(kernel_hooks_open(path), 0);
	ck_assert_int_eq(kernel_hooks_select(skel->obj, &lines, &text), 0);
	ck_assert_uint_eq(lines, 0);
	ck_assert_int_eq(bpf_program__autoload(skel->progs.haetae_inode_setattr), _i == 3);
	ck_assert_int_eq(bpf_program__autoload(skel->progs.haetae_inode_setattr_bare), _i == 2);
	ck_assert(bpf_program__autoload(skel->progs.haetae_inode_set_acl));
	kernel_hooks_close();
	haetae_bpf__destroy(skel);
	place_free(&place);
}
END_TEST

/* libbpf leaves to us what each program is put into: it would search for it anew, and in all the kernel's types. */
START_TEST(test_sections)
{
	static const struct {
		const char *section;
		enum bpf_attach_type attach;
	} expected[] = {
		{"lsm/", BPF_LSM_MAC},
		{"tp_btf/", BPF_TRACE_RAW_TP},
		{"iter/", BPF_TRACE_ITER},
		{"fentry/", BPF_TRACE_FENTRY},
		{"fexit/", BPF_TRACE_FEXIT},
	};
	struct place place = place_new();
	struct haetae_bpf *skel = haetae_bpf__open();
	struct bpf_program *program;
	unsigned seen = 0;
	char path[128];

	types_put(&place, skel->obj, NULL, 3);
	haetae_bpf__destroy(skel);
	(void)snprintf(path, sizeof(path), "%s/types", place.dir);
	ck_assert_int_eq(kernel_hooks_open(path), 0);
	skel = haetae_bpf__open();
	ck_assert_ptr_nonnull(skel);
	bpf_object__for_each_program(program, skel->obj)
	{
		const char *section = bpf_program__section_name(program);

		for (size_t i = 0; i < ARRAY_LEN(expected); i++) {
			if (strncmp(section, expected[i].section, strlen(expected[i].section)) != 0)
				continue;
			seen |= 1U << i;
			ck_assert_int_ne(bpf_program__type(program), BPF_PROG_TYPE_LSM);
			ck_assert_int_ne(bpf_program__type(program), BPF_PROG_TYPE_TRACING);
			ck_assert_int_eq(bpf_program__expected_attach_type(program), expected[i].attach);
		}
	}
	ck_assert_uint_eq(seen, (1U << ARRAY_LEN(expected)) - 1U);
	kernel_hooks_close();
	haetae_bpf__destroy(skel);
	place_free(&place);
}
END_TEST

START_TEST(test_no_types)
{
	struct place place = place_new();
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/types", place.dir);
	ck_assert_int_eq(kernel_hooks_open(path), -ENOENT);
	place_put(&place, "types", "no types", 8);
	ck_assert_int_lt(kernel_hooks_open(path), 0);
	kernel_hooks_close();
	place_free(&place);
}
END_TEST

/* Every program that may be left out is one. */
START_TEST(test_lines)
{
	struct haetae_bpf *skel = haetae_bpf__open();
	struct bpf_program *program;
	uint32_t n = 0, lines = 0;

	ck_assert_ptr_nonnull(skel);
	bpf_object__for_each_program(program, skel->obj)
	{
		uint32_t own = kernel_hooks_lines(bpf_program__name(program));

		n += own != 0;
		lines |= own;
	}
	ck_assert_uint_eq(n, 9);
	/* their hooks serve more and cannot be left out */
	lines |= 1U << HT_KERNEL_BPF | 1U << HT_KERNEL_SYSCTL;
	ck_assert_uint_eq(lines, (1U << HT_KERNEL_MAX) - 1U);
	ck_assert_uint_eq(kernel_hooks_lines("haetae_file_open"), 0);
	haetae_bpf__destroy(skel);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("hooks");

	tcase_add_loop_test(tc, test_select, 0, (int)ARRAY_LEN(cases));
	tcase_add_loop_test(tc, test_forms, 1, 5);
	tcase_add_test(tc, test_sections);
	tcase_add_test(tc, test_no_types);
	tcase_add_test(tc, test_lines);
	return tcase_run(tc);
}
