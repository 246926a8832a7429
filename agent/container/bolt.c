/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A Bolt database is an array of pages, little endian. Pages 0 and 1 describe it; the one with the higher transaction
 * whose checksum is right counts. The rest are B+trees, one for each bucket:
 *
 *   page     id u64, flags u16 (1 branch, 2 leaf, 4 meta), count u16, overflow u32; then `count` elements
 *   branch   pos u32, ksize u32, page u64                 pos: from the element to its key
 *   leaf     flags u32 (1 a bucket), pos u32, ksize u32, vsize u32; the value follows the key
 *   meta     magic u32, version u32, page size u32, flags u32, root {page u64, sequence u64}, freelist u64,
 *            high water u64, transaction u64, checksum u64 (FNV-1a of what is before it)
 *   bucket   page u64, sequence u64; page 0: the bucket's only page follows right here
 *
 * Nothing in it is believed: every offset is held against what is there, and a tree has a bounded height.
 */

#include "container/bolt.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#define PAGE_HEADER 16U
#define ELEMENT 16U
#define META_LEN 64U
#define META_MAGIC 0xED0CDAEDU
#define META_VERSION 2U
#define PAGE_SIZE_MIN 512U
#define PAGE_SIZE_MAX 65536U
#define HEIGHT_MAX 32U

#define PAGE_BRANCH 1U
#define PAGE_LEAF 2U
#define LEAF_BUCKET 1U

struct bytes {
	const unsigned char *data;
	size_t len;
};

struct database {
	struct bytes all;
	uint32_t page_size;
};

static bool bytes_cut(struct bytes from, uint64_t at, uint64_t len, struct bytes *ret)
{
	if (at > from.len || len > from.len - at)
		return false;
	*ret = (struct bytes){.data = from.data + at, .len = (size_t)len};
	return true;
}

/* Fixed widths at an offset that was checked. */
static uint16_t get16(struct bytes b, size_t at)
{
	uint16_t v;

	memcpy(&v, b.data + at, sizeof(v));
	return le16toh(v);
}

static uint32_t get32(struct bytes b, size_t at)
{
	uint32_t v;

	memcpy(&v, b.data + at, sizeof(v));
	return le32toh(v);
}

static uint64_t get64(struct bytes b, size_t at)
{
	uint64_t v;

	memcpy(&v, b.data + at, sizeof(v));
	return le64toh(v);
}

static uint64_t fnv1a(struct bytes b)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < b.len; i++)
		hash = (hash ^ b.data[i]) * 0x100000001b3ULL;
	return hash;
}

static bool meta_is_valid(struct bytes all, size_t at, struct bytes *ret)
{
	struct bytes summed;

	return bytes_cut(all, at + PAGE_HEADER, META_LEN, ret) && get32(*ret, 0) == META_MAGIC &&
	       get32(*ret, 4) == META_VERSION && get32(*ret, 8) >= PAGE_SIZE_MIN &&
	       get32(*ret, 8) <= PAGE_SIZE_MAX && bytes_cut(*ret, 0, META_LEN - 8, &summed) &&
	       get64(*ret, META_LEN - 8) == fnv1a(summed);
}

/* Where the second description is tells the first one; if that is broken, every size there can be is tried. */
static int meta_read(struct database *db, uint64_t *ret_root)
{
	struct bytes meta, best = {};

	if (meta_is_valid(db->all, 0, &meta))
		best = meta;
	for (uint32_t size = PAGE_SIZE_MIN; size <= PAGE_SIZE_MAX; size *= 2)
		if (meta_is_valid(db->all, size, &meta) && get32(meta, 8) == size &&
		    (!best.data || get64(meta, 48) > get64(best, 48)))
			best = meta;
	if (!best.data)
		return -EBADMSG;
	db->page_size = get32(best, 8);
	*ret_root = get64(best, 16);
	return 0;
}

/* A page with all that overflows from it. */
static int page_get(const struct database *db, uint64_t number, struct bytes *ret)
{
	uint64_t pages = db->all.len / db->page_size;
	uint64_t overflow;

	if (number >= pages || !bytes_cut(db->all, number * db->page_size, PAGE_HEADER, ret))
		return -EBADMSG;
	overflow = get32(*ret, 12);
	if (overflow >= pages - number)
		return -EBADMSG;
	return bytes_cut(db->all, number * db->page_size, (overflow + 1) * db->page_size, ret) ? 0 : -EBADMSG;
}

static int key_compare(struct bytes a, const char *key)
{
	size_t len = strlen(key);
	int r = memcmp(a.data, key, a.len < len ? a.len : len);

	return r ? r : a.len < len ? -1 : a.len > len;
}

/* Key (and value) of an element. */
static int element_get(struct bytes page, size_t index, bool leaf, struct bytes *ret_key, struct bytes *ret_value)
{
	struct bytes e;
	uint64_t at = PAGE_HEADER + index * ELEMENT, pos;

	if (!bytes_cut(page, at, ELEMENT, &e))
		return -EBADMSG;
	pos = get32(e, leaf ? 4 : 0);
	if (!bytes_cut(page, at + pos, get32(e, leaf ? 8 : 4), ret_key))
		return -EBADMSG;
	if (leaf && !bytes_cut(page, at + pos + ret_key->len, get32(e, 12), ret_value))
		return -EBADMSG;
	return 0;
}

/* The last child whose first key is not above the one that is looked for; the first child has no lower bound. */
static int branch_step(struct bytes page, const char *key, uint64_t *ret_page)
{
	size_t count = get16(page, 10), chosen = 0;
	struct bytes own, e;

	if (count == 0)
		return -EBADMSG;
	for (size_t i = 0; i < count; i++) {
		int r = element_get(page, i, /* leaf= */ false, &own, NULL);

		if (r < 0)
			return r;
		if (i > 0 && key_compare(own, key) > 0)
			break;
		chosen = i;
	}
	(void)bytes_cut(page, PAGE_HEADER + chosen * ELEMENT, ELEMENT, &e);
	*ret_page = get64(e, 8);
	return 0;
}

static int leaf_find(struct bytes page, const char *key, bool bucket, struct bytes *ret)
{
	size_t count = get16(page, 10);
	struct bytes own, value, e;

	for (size_t i = 0; i < count; i++) {
		int r = element_get(page, i, /* leaf= */ true, &own, &value);

		if (r < 0)
			return r;
		if (key_compare(own, key) != 0)
			continue;
		(void)bytes_cut(page, PAGE_HEADER + i * ELEMENT, ELEMENT, &e);
		if (((get32(e, 0) & LEAF_BUCKET) != 0) != bucket)
			return -ENOENT;
		*ret = value;
		return 0;
	}
	return -ENOENT;
}

static int tree_find(const struct database *db, struct bytes page, const char *key, bool bucket, struct bytes *ret)
{
	for (unsigned height = 0; height < HEIGHT_MAX; height++) {
		uint64_t next;
		int r;

		if (get16(page, 8) == PAGE_LEAF)
			return leaf_find(page, key, bucket, ret);
		if (get16(page, 8) != PAGE_BRANCH)
			return -EBADMSG;
		r = branch_step(page, key, &next);
		if (r >= 0)
			r = page_get(db, next, &page);
		if (r < 0)
			return r;
	}
	return -EBADMSG;
}

/* The first page of a bucket, from the value that stands for it. */
static int bucket_open(const struct database *db, struct bytes value, struct bytes *ret)
{
	uint64_t root;

	if (value.len < 16)
		return -EBADMSG;
	root = get64(value, 0);
	if (root != 0)
		return page_get(db, root, ret);
	return bytes_cut(value, 16, value.len - 16, ret) && ret->len >= PAGE_HEADER ? 0 : -EBADMSG;
}

int bolt_find(const void *data, size_t len, const char *const *keys, size_t n_keys, const void **ret_value,
	      size_t *ret_len)
{
	struct database db = {.all = {.data = data, .len = len}};
	struct bytes page, value = {};
	uint64_t root;
	int r;

	r = meta_read(&db, &root);
	if (r >= 0)
		r = page_get(&db, root, &page);
	for (size_t i = 0; r >= 0 && i < n_keys; i++) {
		bool last = i + 1 == n_keys;

		r = tree_find(&db, page, keys[i], /* bucket= */ !last, &value);
		if (r >= 0 && !last)
			r = bucket_open(&db, value, &page);
	}
	if (r < 0)
		return r;
	*ret_value = value.data;
	*ret_len = value.len;
	return 0;
}
