/* SPDX-License-Identifier: Apache-2.0 */

/* agent/kernel/btf.c: each type of each kind where libbpf finds it; files that are cut, or are something else. */

#include "kernel-test.h"

#include <linux/btf.h>
#include <sys/mman.h>

#include "tests/unit/runner.h"

static struct btf *types_new(void)
{
	struct btf *btf = btf__new_empty();
	int i, s, e, proto;

	ck_assert_ptr_nonnull(btf);
	i = btf__add_int(btf, "int", 4, BTF_INT_SIGNED);
	s = btf__add_struct(btf, "pair", 8);
	ck_assert_int_eq(btf__add_field(btf, "one", i, 0, 0), 0);
	ck_assert_int_eq(btf__add_field(btf, "other", i, 32, 0), 0);
	ck_assert_int_gt(btf__add_union(btf, NULL, 4), 0);
	ck_assert_int_eq(btf__add_field(btf, "only", i, 0, 0), 0);
	ck_assert_int_gt(btf__add_ptr(btf, s), 0);
	ck_assert_int_gt(btf__add_array(btf, i, i, 3), 0);
	e = btf__add_enum(btf, "choice", 4);
	ck_assert_int_eq(btf__add_enum_value(btf, "YES", 1), 0);
	ck_assert_int_eq(btf__add_enum_value(btf, "NO", 0), 0);
	ck_assert_int_gt(btf__add_enum64(btf, "wide", 8, false), 0);
	ck_assert_int_eq(btf__add_enum64_value(btf, "FAR", 1ULL << 40), 0);
	ck_assert_int_gt(btf__add_fwd(btf, "elsewhere", BTF_FWD_STRUCT), 0);
	ck_assert_int_gt(btf__add_typedef(btf, "alias", e), 0);
	ck_assert_int_gt(btf__add_volatile(btf, i), 0);
	ck_assert_int_gt(btf__add_const(btf, i), 0);
	ck_assert_int_gt(btf__add_restrict(btf, i), 0);
	ck_assert_int_gt(btf__add_type_tag(btf, "user", i), 0);
	ck_assert_int_gt(btf__add_float(btf, "double", 8), 0);
	proto = btf__add_func_proto(btf, i);
	ck_assert_int_eq(btf__add_func_param(btf, "x", i), 0);
	ck_assert_int_gt(btf__add_func(btf, "work", BTF_FUNC_STATIC, proto), 0);
	i = btf__add_var(btf, "count", BTF_VAR_STATIC, i);
	ck_assert_int_gt(btf__add_datasec(btf, ".data", 4), 0);
	ck_assert_int_eq(btf__add_datasec_var_info(btf, i, 0, 4), 0);
	ck_assert_int_gt(btf__add_decl_tag(btf, "mark", s, -1), 0);
	ck_assert_int_gt(btf__add_struct(btf, "last", 1), 0);
	return btf;
}

/* Return: as kernel_btf_open() of a file with these bytes. */
static int look(const void *data, size_t size, struct kernel_btf *ret)
{
	_cleanup_close_ int fd = memfd_create("types", MFD_CLOEXEC);
	char path[64];

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, data, size), (ssize_t)size);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return kernel_btf_open(path, ret);
}

START_TEST(test_kinds)
{
	struct btf *btf = types_new();
	struct kernel_btf b;
	const void *data;
	uint32_t size;

	data = btf__raw_data(btf, &size);
	ck_assert_int_eq(look(data, size, &b), 0);
	ck_assert_uint_eq(b.n, btf__type_cnt(btf));
	ck_assert_uint_gt(b.n, 19);
	ck_assert_ptr_null(kernel_btf_type(&b, 0));
	ck_assert_ptr_null(kernel_btf_type(&b, b.n));
	for (uint32_t id = 1; id < b.n; id++) {
		const struct btf_type *t = kernel_btf_type(&b, id), *same = btf__type_by_id(btf, id);

		ck_assert_mem_eq(t, same, sizeof(*t));
		ck_assert_str_eq(kernel_btf_name(&b, t->name_off), btf__name_by_offset(btf, same->name_off));
	}
	ck_assert_str_eq(kernel_btf_name(&b, b.strings_len), "");
	kernel_btf_close(&b);
	btf__free(btf);
}
END_TEST

START_TEST(test_broken)
{
	struct btf *btf = types_new();
	struct kernel_btf b;
	struct btf_header *h;
	struct btf_type *t;
	const void *data;
	uint32_t size;
	char *copy;

	data = btf__raw_data(btf, &size);
	copy = malloc(size);
	ck_assert_ptr_nonnull(copy);
	h = (struct btf_header *)copy;
	/* whatever is cut off: types come first, strings after them */
	for (uint32_t cut = 0; cut < size; cut++)
		ck_assert_int_eq(look(data, cut, &b), -EBADMSG);
	memcpy(copy, data, size);
	h->magic = 0x9FEB;
	ck_assert_int_eq(look(copy, size, &b), -EBADMSG);
	/* less types than the last one ends in */
	for (uint32_t less = 1; less < sizeof(*t); less++) {
		memcpy(copy, data, size);
		h->type_len -= less;
		ck_assert_int_eq(look(copy, size, &b), -EBADMSG);
	}
	/* of a kind that is not known; with more members than there are bytes */
	memcpy(copy, data, size);
	t = (struct btf_type *)(copy + h->hdr_len);
	t->info = 31U << 24;
	ck_assert_int_eq(look(copy, size, &b), -EBADMSG);
	t->info = (uint32_t)BTF_KIND_STRUCT << 24 | 0xffff;
	ck_assert_int_eq(look(copy, size, &b), -EBADMSG);
	/* names without an end */
	memcpy(copy, data, size);
	copy[size - 1] = 'x';
	ck_assert_int_eq(look(copy, size, &b), -EBADMSG);
	ck_assert_int_eq(kernel_btf_open("/nowhere/types", &b), -ENOENT);
	free(copy);
	btf__free(btf);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("btf");

	tcase_add_test(tc, test_kinds);
	tcase_add_test(tc, test_broken);
	return tcase_run(tc);
}
