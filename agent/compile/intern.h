/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Byte strings interned to small numbers: equal bytes, equal number, counted from 0 in the order of
 * their first appearance. Everything in this room that must be recognised as "seen before" goes
 * through it: component texts, item sets, verdicts, states, names.
 *
 * Hashes only speed up the search; equality is always decided by comparing bytes.
 */

#include <stddef.h>
#include <stdint.h>

struct intern_item {
	uint64_t hash;
	size_t off;
	size_t len;
};

struct intern {
	uint8_t *data; /* texts, each at a multiple of 8 */
	size_t data_len;
	size_t data_size;
	struct intern_item *items;
	size_t items_size;
	uint32_t n;
	uint32_t *table; /* open addressing, number + 1, 0: free */
	size_t table_size;
};

#define INTERN_NEW 1

/* Number of a byte string, copied if it is new.
 * Return: 0 if it was known, INTERN_NEW, -ENOMEM. */
int intern_put(struct intern *in, const void *data, size_t len, uint32_t *ret_id);
/* Return: 0, -ENOENT. */
int intern_find(const struct intern *in, const void *data, size_t len, uint32_t *ret_id);
/* The bytes of a number, aligned to 8; valid until the next intern_put(). */
const void *intern_get(const struct intern *in, uint32_t id, size_t *ret_len);
void intern_deinit(struct intern *in);
