/* SPDX-License-Identifier: Apache-2.0 */

/* One number out of BTF that is split from the kernel's: found by names in either string section, and refused where the
 * bytes are not what they claim. */

#include <linux/btf.h>

#include "kernel-test.h"
#include "tests/unit/runner.h"

/* "vfs_inode" stands in the kernel's strings, the rest in the module's own. */
static const char base_strings[] = "\0int\0vfs_inode";
static const char own_strings[] = "ovl_inode\0__upperdentry\0other\0oe\0lowerpath\0elsewhere";

#define BASE_LEN ((uint32_t)sizeof(base_strings))
#define OVL_INODE (BASE_LEN + 0)
#define UPPERDENTRY (BASE_LEN + 10)
#define OTHER (BASE_LEN + 24)
#define OE (BASE_LEN + 30)
#define LOWERPATH (BASE_LEN + 33)
#define VFS_INODE 5U

struct split_file {
	uint8_t types[256];
	uint32_t len;
};

static void put(struct split_file *f, const void *data, size_t len)
{
	ck_assert_uint_le(f->len + len, sizeof(f->types));
	memcpy(f->types + f->len, data, len);
	f->len += (uint32_t)len;
}

static void put_type(struct split_file *f, uint32_t name, uint32_t kind, uint32_t n, bool flagged)
{
	struct btf_type t = {.name_off = name, .info = (kind << 24) | n | (flagged ? 1U << 31 : 0)};

	put(f, &t, sizeof(t));
}

static void put_member(struct split_file *f, uint32_t name, uint32_t bits)
{
	struct btf_member m = {.name_off = name, .type = 1, .offset = bits};

	put(f, &m, sizeof(m));
}

/* A type of each shape before the one that is looked for. */
static void put_others(struct split_file *f)
{
	static const uint32_t words[4] = {};

	put_type(f, OTHER, BTF_KIND_INT, 0, false);
	put(f, words, 4);
	put_type(f, 0, BTF_KIND_PTR, 0, false);
	put_type(f, 0, BTF_KIND_ARRAY, 0, false);
	put(f, words, 12);
	put_type(f, OTHER, BTF_KIND_ENUM, 1, false);
	put(f, words, 8);
	put_type(f, OTHER, BTF_KIND_STRUCT, 1, false);
	put_member(f, VFS_INODE, 8);
	put_type(f, OTHER, BTF_KIND_TYPEDEF, 0, false);
}

static void put_inode(struct split_file *f, uint32_t inode_bits, uint32_t upper_bits, bool flagged)
{
	put_type(f, OVL_INODE, BTF_KIND_STRUCT, 3, flagged);
	put_member(f, OTHER, 0);
	put_member(f, VFS_INODE, inode_bits);
	put_member(f, UPPERDENTRY, upper_bits);
}

static void write_btf(const struct place *place, const char *name, const uint8_t *types, uint32_t types_len,
		      const char *strings, uint32_t strings_len, uint32_t cut)
{
	struct btf_header h = {
		.magic = BTF_MAGIC,
		.version = BTF_VERSION,
		.hdr_len = sizeof(h),
		.type_len = types_len,
		.str_off = types_len,
		.str_len = strings_len,
	};
	uint8_t data[1024];
	char path[128];
	size_t size = sizeof(h) + types_len + strings_len;
	FILE *f;

	memcpy(data, &h, sizeof(h));
	memcpy(data + sizeof(h), types, types_len);
	memcpy(data + sizeof(h) + types_len, strings, strings_len);
	(void)snprintf(path, sizeof(path), "%s/%s", place->dir, name);
	f = fopen(path, "we");
	ck_assert_ptr_nonnull(f);
	ck_assert_uint_eq(fwrite(data, 1, size - cut, f), size - cut);
	ck_assert_int_eq(fclose(f), 0);
}

static int look(const struct split_file *split, uint32_t cut, struct overlay_layout *ret)
{
	struct place place = place_new();
	char base[128], own[128];
	uint8_t none[4] = {};
	int r;

	write_btf(&place, "base", none, sizeof(none), base_strings, BASE_LEN, 0);
	write_btf(&place, "own", split->types, split->len, own_strings, sizeof(own_strings), cut);
	(void)snprintf(base, sizeof(base), "%s/base", place.dir);
	(void)snprintf(own, sizeof(own), "%s/own", place.dir);
	r = kernel_overlay_layout(base, own, ret);
	place_free(&place);
	return r;
}

static const struct {
	uint32_t inode, upper;
	bool flagged;
	int result;
	int32_t found;
} layouts[] = {
	{256, 8192, false, 0, 992},
	{8192, 256, false, 0, -992}, /* before the inode */
	{256, 8192, true, 0, 992},
	{256, 256, false, -EBADMSG, 0},	       /* both at one place */
	{256, 8193, false, -EBADMSG, 0},       /* a bit field */
	{256, 0x800000, false, -EBADMSG, 0},   /* too far for any structure */
};

START_TEST(test_layout)
{
	struct split_file f = {};
	struct overlay_layout found = {};

	put_others(&f);
	put_inode(&f, layouts[_i].inode, layouts[_i].upper, layouts[_i].flagged);
	ck_assert_int_eq(look(&f, 0, &found), layouts[_i].result);
	ck_assert_int_eq(found.upper, layouts[_i].found);
	ck_assert_int_eq(found.lower, 0);
}
END_TEST

/* How each kernel says what is below: a place of two pointers, or a counted structure. */
static const struct {
	uint32_t name;
	int32_t lower;
	bool counted;
} lowers[] = {
	{LOWERPATH, 1008, false},
	{OE, 1000, true},
	{OTHER, 0, false},
};

START_TEST(test_lower)
{
	struct overlay_layout found = {};
	struct split_file f = {};

	put_type(&f, OVL_INODE, BTF_KIND_STRUCT, 3, false);
	put_member(&f, VFS_INODE, 256);
	put_member(&f, UPPERDENTRY, 8192);
	put_member(&f, lowers[_i].name, 8256);
	ck_assert_int_eq(look(&f, 0, &found), 0);
	ck_assert_int_eq(found.upper, 992);
	ck_assert_int_eq(found.lower, lowers[_i].lower);
	ck_assert(found.lower_counted == lowers[_i].counted);
}
END_TEST

START_TEST(test_missing)
{
	struct split_file f = {};
	struct overlay_layout found;

	put_others(&f);
	ck_assert_int_eq(look(&f, 0, &found), -ENOENT);
	put_type(&f, OVL_INODE, BTF_KIND_STRUCT, 1, false);
	put_member(&f, VFS_INODE, 0);
	ck_assert_int_eq(look(&f, 0, &found), -ENOENT);
	ck_assert_int_eq(kernel_overlay_layout("/nowhere/base", "/nowhere/own", &found), -ENOENT);
}
END_TEST

/* Cut anywhere, and with a kind that nobody knows. */
START_TEST(test_damaged)
{
	struct split_file f = {}, unknown = {};
	struct overlay_layout found;

	put_others(&f);
	put_inode(&f, 256, 8192, false);
	for (uint32_t cut = 1; cut < f.len + sizeof(own_strings); cut++)
		ck_assert_int_eq(look(&f, cut, &found), -EBADMSG);
	put_type(&unknown, OTHER, 31, 0, false);
	put_inode(&unknown, 256, 8192, false);
	ck_assert_int_eq(look(&unknown, 0, &found), -EBADMSG);
	unknown.len = 0;
	put_type(&unknown, OVL_INODE, BTF_KIND_STRUCT, 60000, false);
	ck_assert_int_eq(look(&unknown, 0, &found), -EBADMSG);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("overlay");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_layout, 0, (int)ARRAY_LEN(layouts));
	tcase_add_loop_test(tc, test_lower, 0, (int)ARRAY_LEN(lowers));
	tcase_add_test(tc, test_missing);
	tcase_add_test(tc, test_damaged);
	return tcase_run(tc);
}
