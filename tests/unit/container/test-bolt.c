/* SPDX-License-Identifier: Apache-2.0 */

/* Bolt databases made by hand: where things are found, and that no damage is believed. */

#include <check.h>
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "container/bolt.h"
#include "tests/unit/runner.h"
#include "util/cleanup.h"

#define PAGE 512U
#define PAGES 12U

static unsigned char db[PAGES * PAGE];

static void put16(size_t at, uint16_t v)
{
	v = htole16(v);
	memcpy(db + at, &v, sizeof(v));
}

static void put32(size_t at, uint32_t v)
{
	v = htole32(v);
	memcpy(db + at, &v, sizeof(v));
}

static void put64(size_t at, uint64_t v)
{
	v = htole64(v);
	memcpy(db + at, &v, sizeof(v));
}

static void checksum(unsigned page)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	for (size_t i = 0; i < 56; i++)
		hash = (hash ^ db[page * PAGE + 16 + i]) * 0x100000001b3ULL;
	put64(page * PAGE + 16 + 56, hash);
}

static void meta(unsigned page, uint64_t root, uint64_t transaction)
{
	size_t at = page * PAGE;

	put64(at, page);
	put16(at + 8, 4);
	put32(at + 16, 0xED0CDAED);
	put32(at + 20, 2);
	put32(at + 24, PAGE);
	put64(at + 32, root);
	put64(at + 64, transaction);
	checksum(page);
}

struct entry {
	const char *key;
	const char *value; /* NULL: a branch */
	uint64_t page;	   /* of a branch; of a bucket */
	bool bucket;
};

/* A page with these elements, at any place of the file (an inline bucket is one, too). Return: its length. */
static size_t page_put(size_t at, const struct entry *entries, size_t n, bool leaf)
{
	size_t data = at + 16 + n * 16;

	put16(at + 8, leaf ? 2 : 1);
	put16(at + 10, (uint16_t)n);
	for (size_t i = 0; i < n; i++) {
		size_t element = at + 16 + i * 16, len = strlen(entries[i].key), value = 0;

		memcpy(db + data, entries[i].key, len);
		if (leaf && entries[i].bucket) {
			put64(data + len, entries[i].page);
			value = 16;
		} else if (leaf) {
			value = strlen(entries[i].value);
			memcpy(db + data + len, entries[i].value, value);
		}
		if (leaf) {
			put32(element, entries[i].bucket);
			put32(element + 4, (uint32_t)(data - element));
			put32(element + 8, (uint32_t)len);
			put32(element + 12, (uint32_t)value);
		} else {
			put32(element, (uint32_t)(data - element));
			put32(element + 4, (uint32_t)len);
			put64(element + 8, entries[i].page);
		}
		data += len + value;
	}
	return data - at;
}

/* root (3): ctr -> 4: branch of 5 and 6; 5: aa -> 7, bb -> 8; 6: cc -> 9. 7..9: config */
static void setup(void)
{
	static const struct entry root[] = {{"allctr", NULL, 10, true}, {"ctr", NULL, 4, true}};
	static const struct entry branch[] = {{"aa", NULL, 5, false}, {"cc", NULL, 6, false}};
	static const struct entry first[] = {{"aa", NULL, 7, true}, {"bb", NULL, 8, true}};
	static const struct entry second[] = {{"cc", NULL, 9, true}, {"dd", "no bucket", 0, false}};
	static const struct entry configs[][2] = {{{"config", "{1}", 0, false}, {"state", "s", 0, false}},
						  {{"config", "{2}", 0, false}, {"state", "s", 0, false}},
						  {{"config", "{3}", 0, false}, {"state", "s", 0, false}}};

	memset(db, 0, sizeof(db));
	meta(0, 10, 4);
	meta(1, 3, 5);
	(void)page_put(3 * PAGE, root, 2, true);
	(void)page_put(4 * PAGE, branch, 2, false);
	(void)page_put(5 * PAGE, first, 2, true);
	(void)page_put(6 * PAGE, second, 2, true);
	for (size_t i = 0; i < 3; i++)
		(void)page_put((7 + i) * PAGE, configs[i], 2, true);
	(void)page_put(10 * PAGE, NULL, 0, true);
}

/* In memory of exactly that length, so that a step beyond it is seen. */
static int find(size_t len, const char *id, const char *key, char *ret, size_t size)
{
	const char *const keys[] = {"ctr", id, key};
	_cleanup_free_ unsigned char *copy = malloc(len ? len : 1);
	const void *value;
	size_t value_len;
	int r;

	ck_assert_ptr_nonnull(copy);
	memcpy(copy, db, len);
	r = bolt_find(copy, len, keys, ARRAY_LEN(keys), &value, &value_len);
	if (r < 0)
		return r;
	ck_assert_uint_lt(value_len, size);
	memcpy(ret, value, value_len);
	ret[value_len] = '\0';
	return 0;
}

static const struct {
	const char *id;
	const char *key;
	const char *value; /* NULL: -ENOENT */
} cases[] = {
	{"aa", "config", "{1}"}, {"bb", "config", "{2}"}, {"cc", "config", "{3}"}, {"cc", "state", "s"},
	{"a", "config", NULL},	 {"ab", "config", NULL},  {"dd", "config", NULL},  {"zz", "config", NULL},
	{"aa", "conf", NULL},	 {"aa", "configs", NULL}, {"", "config", NULL},
};

START_TEST(test_find)
{
	char value[64];
	int r = find(sizeof(db), cases[_i].id, cases[_i].key, value, sizeof(value));

	if (!cases[_i].value) {
		ck_assert_int_eq(r, -ENOENT);
		return;
	}
	ck_assert_int_eq(r, 0);
	ck_assert_str_eq(value, cases[_i].value);
}
END_TEST

START_TEST(test_inline_bucket)
{
	static const struct entry inner[] = {{"config", "{in}", 0, false}};
	static const struct entry outer[] = {{"aa", NULL, 0, true}, {"bb", NULL, 8, true}};
	char value[64];
	size_t at = 5 * PAGE + 16 + 2 * 16 + 2 + 16, len;

	(void)page_put(5 * PAGE, outer, 2, true);
	/* the bucket's page follows its head; what was there moves behind it */
	len = page_put(at, inner, 1, true);
	put32(5 * PAGE + 16 + 12, (uint32_t)(16 + len));
	ck_assert_int_eq(find(sizeof(db), "aa", "config", value, sizeof(value)), 0);
	ck_assert_str_eq(value, "{in}");
}
END_TEST

START_TEST(test_transactions)
{
	char value[64];

	/* the older description has an empty tree */
	meta(0, 10, 6);
	ck_assert_int_eq(find(sizeof(db), "aa", "config", value, sizeof(value)), -ENOENT);
	/* a write of it that was cut short does not count */
	put64(64, 77);
	ck_assert_int_eq(find(sizeof(db), "aa", "config", value, sizeof(value)), 0);
	memset(db + PAGE, 0, PAGE);
	ck_assert_int_eq(find(sizeof(db), "aa", "config", value, sizeof(value)), -EBADMSG);
}
END_TEST

START_TEST(test_loop)
{
	static const struct entry branch[] = {{"aa", NULL, 4, false}};
	char value[64];

	(void)page_put(4 * PAGE, branch, 1, false);
	ck_assert_int_eq(find(sizeof(db), "aa", "config", value, sizeof(value)), -EBADMSG);
}
END_TEST

START_TEST(test_cut)
{
	char value[64];

	for (size_t len = 0; len < sizeof(db); len++) {
		int r = find(len, "cc", "config", value, sizeof(value));

		ck_assert(r == -EBADMSG || r == -ENOENT || (r == 0 && len >= 10 * PAGE));
	}
}
END_TEST

/* Any byte, any value: an answer or an error, and never a byte beyond the end (the sanitizers see that). */
START_TEST(test_damage)
{
	static const unsigned char values[] = {0, 1, 2, 4, 0x7f, 0x80, 0xff};
	char value[sizeof(db) + 1];

	for (size_t i = 3 * PAGE; i < sizeof(db); i++)
		for (size_t j = 0; j < sizeof(values); j++) {
			unsigned char was = db[i];
			int r;

			db[i] = values[j];
			r = find(sizeof(db), "cc", "config", value, sizeof(value));
			ck_assert(r == 0 || r == -EBADMSG || r == -ENOENT);
			db[i] = was;
		}
}
END_TEST

int main(void)
{
	TCase *c = tcase_create("bolt");

	tcase_add_checked_fixture(c, setup, NULL);
	tcase_set_timeout(c, 120);
	tcase_add_loop_test(c, test_find, 0, ARRAY_LEN(cases));
	tcase_add_test(c, test_inline_bucket);
	tcase_add_test(c, test_transactions);
	tcase_add_test(c, test_loop);
	tcase_add_test(c, test_cut);
	tcase_add_test(c, test_damage);
	return tcase_run(c);
}
