/* SPDX-License-Identifier: Apache-2.0 */

/* agent/kernel/types.c: what is kept of a kernel's types, and that it lies where it lay. */

#include "kernel-test.h"

#include <sys/mman.h>

#include "tests/unit/runner.h"

/* As the kernel hands them out: in a file. */
static struct kernel_btf as_file(const struct btf *btf)
{
	_cleanup_close_ int fd = memfd_create("kernel", MFD_CLOEXEC);
	struct kernel_btf b;
	const void *data;
	char path[64];
	uint32_t size;

	data = btf__raw_data(btf, &size);
	ck_assert_int_eq(write(fd, data, size), size);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	ck_assert_int_eq(kernel_btf_open(path, &b), 0);
	return b;
}

static struct btf *reduced(const struct btf *kernel, const struct btf *programs, int expected)
{
	_cleanup_close_ int fd = memfd_create("types", MFD_CLOEXEC);
	struct kernel_btf types = as_file(kernel);
	struct btf *btf;
	char path[64];

	ck_assert_int_ge(fd, 0);
	/* what was there before is gone */
	ck_assert_int_eq(ftruncate(fd, 1 << 20), 0);
	ck_assert_int_eq(kernel_types_reduce(&types, programs, fd), expected);
	kernel_btf_close(&types);
	if (expected < 0)
		return NULL;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	btf = btf__parse(path, NULL);
	ck_assert_ptr_nonnull(btf);
	return btf;
}

/* Types that a program reads: names and kinds count, members do not. */
static struct btf *programs_new(void)
{
	struct btf *btf = btf__new_empty();

	ck_assert_ptr_nonnull(btf);
	ck_assert_int_gt(btf__add_struct(btf, "inode", 0), 0);
	ck_assert_int_gt(btf__add_struct(btf, "dentry___old", 0), 0);
	ck_assert_int_gt(btf__add_struct(btf, "label", 0), 0);
	ck_assert_int_gt(btf__add_enum(btf, "hook", 4), 0);
	return btf;
}

static void field(struct btf *btf, const char *name, int type, unsigned bit, unsigned bits)
{
	ck_assert_int_gt(type, 0);
	ck_assert_int_eq(btf__add_field(btf, name, type, bit, bits), 0);
}

/*
 * struct inode {
 *	const long a;
 *	alias e;              a struct { int b : 3; union { char *c; u16 d[4]; }; }
 *	enum hook f;
 *	void (*g)(void);
 * };
 */
static struct btf *kernel_new(void)
{
	struct btf *btf = btf__new_empty();
	int l, i, u16, pointer, array, inner, outer, alias, constant, function, hook;

	ck_assert_ptr_nonnull(btf);
	l = btf__add_int(btf, "long", 8, BTF_INT_SIGNED);
	i = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	u16 = btf__add_int(btf, "u16", 2, 0);
	ck_assert_int_gt(btf__add_struct(btf, "unrelated", 8), 0);
	field(btf, "x", l, 0, 0);
	pointer = btf__add_ptr(btf, btf__add_int(btf, "char", 1, BTF_INT_SIGNED));
	array = btf__add_array(btf, i, btf__add_const(btf, u16), 4);
	inner = btf__add_union(btf, NULL, 8);
	field(btf, "c", pointer, 0, 0);
	field(btf, "d", array, 0, 0);
	outer = btf__add_struct(btf, NULL, 16);
	field(btf, "b", i, 0, 3);
	field(btf, "", inner, 64, 0);
	alias = btf__add_typedef(btf, "alias", outer);
	constant = btf__add_const(btf, l);
	function = btf__add_ptr(btf, btf__add_func_proto(btf, 0));
	hook = btf__add_enum(btf, "hook", 4);
	ck_assert_int_eq(btf__add_enum_value(btf, "HOOK_OPEN", 7), 0);
	ck_assert_int_gt(btf__add_struct(btf, "inode", 40), 0);
	field(btf, "a", constant, 0, 0);
	field(btf, "e", alias, 64, 0);
	field(btf, "f", hook, 192, 0);
	field(btf, "g", function, 256, 0);
	ck_assert_int_gt(btf__add_struct(btf, "dentry", 4), 0);
	field(btf, "d_flags", i, 0, 0);
	return btf;
}

static const struct btf_type *type_find(const struct btf *btf, const char *name, unsigned kind)
{
	int id = btf__find_by_name_kind(btf, name, kind);

	return id < 0 ? NULL : btf__type_by_id(btf, (uint32_t)id);
}

static const struct btf_type *member(const struct btf *btf, const struct btf_type *t, unsigned i,
				     const char *name, unsigned bit, unsigned bits)
{
	const struct btf_member *m = &btf_members(t)[i];

	ck_assert_uint_lt(i, btf_vlen(t));
	ck_assert_str_eq(btf__name_by_offset(btf, m->name_off), name);
	ck_assert_uint_eq(btf_member_bit_offset(t, i), bit);
	ck_assert_uint_eq(btf_member_bitfield_size(t, i), bits);
	return btf__type_by_id(btf, m->type);
}

START_TEST(test_layout)
{
	struct btf *kernel = kernel_new(), *programs = programs_new(), *btf = reduced(kernel, programs, 0);
	const struct btf_type *inode = type_find(btf, "inode", BTF_KIND_STRUCT), *t;

	ck_assert_ptr_nonnull(inode);
	ck_assert_uint_eq(inode->size, 40);
	ck_assert_uint_eq(btf_vlen(inode), 4);
	t = member(btf, inode, 0, "a", 0, 0);
	ck_assert(btf_is_int(t) && t->size == 8 && btf_int_encoding(t) == BTF_INT_SIGNED);
	ck_assert(btf_is_ptr(member(btf, inode, 3, "g", 256, 0)));
	t = member(btf, inode, 2, "f", 192, 0);
	ck_assert(btf_is_enum(t) && btf_vlen(t) == 1 && btf_enum(t)->val == 7);
	t = member(btf, inode, 1, "e", 64, 0);
	ck_assert(btf_is_struct(t) && t->size == 16);
	ck_assert(btf_is_int(member(btf, t, 0, "b", 0, 3)));
	t = member(btf, t, 1, "", 64, 0);
	ck_assert(btf_is_union(t) && t->size == 8);
	ck_assert(btf_is_ptr(member(btf, t, 0, "c", 0, 0)));
	t = member(btf, t, 1, "d", 0, 0);
	ck_assert(btf_is_array(t) && btf_array(t)->nelems == 4);
	ck_assert_uint_eq(btf__type_by_id(btf, btf_array(t)->type)->size, 2);
	btf__free(btf);
	btf__free(programs);
	btf__free(kernel);
}
END_TEST

/* A variant of the programs is asked for by the kernel's name; what nobody reads is not there. */
START_TEST(test_names)
{
	struct btf *kernel = kernel_new(), *programs = programs_new(), *btf = reduced(kernel, programs, 0);

	ck_assert_ptr_nonnull(type_find(btf, "dentry", BTF_KIND_STRUCT));
	ck_assert_ptr_nonnull(type_find(btf, "hook", BTF_KIND_ENUM));
	ck_assert_ptr_null(type_find(btf, "unrelated", BTF_KIND_STRUCT));
	ck_assert_ptr_null(type_find(btf, "label", BTF_KIND_STRUCT));
	ck_assert_ptr_null(type_find(btf, "dentry___old", BTF_KIND_STRUCT));
	btf__free(btf);
	btf__free(programs);
	btf__free(kernel);
}
END_TEST

/* Several types of one name stay several: it is libbpf's to say that they are. */
START_TEST(test_twins)
{
	struct btf *kernel = kernel_new(), *programs = programs_new(), *btf;
	unsigned n = 0;

	ck_assert_int_gt(btf__add_struct(kernel, "dentry", 8), 0);
	field(kernel, "d_other", 1, 0, 0);
	btf = reduced(kernel, programs, 0);
	for (uint32_t id = 1; id < btf__type_cnt(btf); id++) {
		const struct btf_type *t = btf__type_by_id(btf, id);

		n += btf_is_struct(t) && strcmp(btf__name_by_offset(btf, t->name_off), "dentry") == 0;
	}
	ck_assert_uint_eq(n, 2);
	btf__free(btf);
	btf__free(programs);
	btf__free(kernel);
}
END_TEST

/* Types that no kernel has: a part without a size, a struct in itself. */
START_TEST(test_impossible)
{
	struct btf *kernel = kernel_new(), *programs = programs_new();
	int forward = btf__add_fwd(kernel, "elsewhere", BTF_FWD_STRUCT);
	int next = (int)btf__type_cnt(kernel);

	ck_assert_int_eq(btf__add_struct(kernel, "inode", 8), next);
	field(kernel, "x", forward, 0, 0);
	(void)reduced(kernel, programs, -EOPNOTSUPP);
	btf__free(kernel);

	kernel = btf__new_empty();
	ck_assert_int_eq(btf__add_struct(kernel, "inode", 8), 1);
	field(kernel, "self", 1, 0, 0);
	(void)reduced(kernel, programs, -ELOOP);
	btf__free(kernel);
	btf__free(programs);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("types");

	tcase_add_test(tc, test_layout);
	tcase_add_test(tc, test_names);
	tcase_add_test(tc, test_twins);
	tcase_add_test(tc, test_impossible);
	return tcase_run(tc);
}
