/* SPDX-License-Identifier: Apache-2.0 */

/* Byte strings <-> small numbers: an arena and an open-addressing table of at most half load. */

#include "compile/intern.h"

#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "compile/array.h"

#define INTERN_TABLE_MIN 32U

static uint64_t intern_mix(uint64_t h, uint64_t word)
{
	h = (h ^ word) * 0x9e3779b97f4a7c15ULL;
	return h ^ (h >> 32);
}

static uint64_t intern_hash(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t h = len, word;

	for (; len >= sizeof(word); p += sizeof(word), len -= sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		h = intern_mix(h, word);
	}
	word = 0;
	if (len > 0)
		memcpy(&word, p, len);
	return intern_mix(intern_mix(h, word), h);
}

/* Slot of the string, or the free slot where it belongs. */
static size_t intern_slot(const struct intern *in, uint64_t hash, const void *data, size_t len)
{
	size_t mask = in->table_size - 1;

	for (size_t i = (size_t)hash & mask;; i = (i + 1) & mask) {
		const struct intern_item *item;

		if (in->table[i] == 0)
			return i;
		item = &in->items[in->table[i] - 1];
		if (item->hash == hash && item->len == len &&
		    (len == 0 || memcmp(in->data + item->off, data, len) == 0))
			return i;
	}
}

static int intern_grow(struct intern *in)
{
	size_t size = in->table_size ? in->table_size * 2 : INTERN_TABLE_MIN;
	uint32_t *table;

	if (((size_t)in->n + 1) * 2 <= in->table_size)
		return 0;
	table = calloc(size, sizeof(*table));
	if (!table)
		return -ENOMEM;
	for (uint32_t id = 0; id < in->n; id++) {
		size_t i = (size_t)in->items[id].hash & (size - 1);

		while (table[i] != 0)
			i = (i + 1) & (size - 1);
		table[i] = id + 1;
	}
	free(in->table);
	in->table = table;
	in->table_size = size;
	return 0;
}

int intern_put(struct intern *in, const void *data, size_t len, uint32_t *ret_id)
{
	uint64_t hash = intern_hash(data, len);
	size_t room, end, slot;
	int r;

	r = intern_grow(in);
	if (r < 0)
		return r;
	slot = intern_slot(in, hash, data, len);
	if (in->table[slot] != 0) {
		*ret_id = in->table[slot] - 1;
		return 0;
	}
	if (in->n >= UINT32_MAX - 1 || __builtin_add_overflow(len, (size_t)7, &room) ||
	    __builtin_add_overflow(in->data_len, room & ~(size_t)7, &end))
		return -ENOMEM;
	if (array_reserve(in->data, in->data_size, end) < 0 ||
	    array_reserve(in->items, in->items_size, (size_t)in->n + 1) < 0)
		return -ENOMEM;
	if (len > 0)
		memcpy(in->data + in->data_len, data, len);
	in->items[in->n] = (struct intern_item){.hash = hash, .off = in->data_len, .len = len};
	in->data_len = end;
	in->table[slot] = in->n + 1;
	*ret_id = in->n++;
	return INTERN_NEW;
}

int intern_find(const struct intern *in, const void *data, size_t len, uint32_t *ret_id)
{
	size_t slot;

	if (in->n == 0)
		return -ENOENT;
	slot = intern_slot(in, intern_hash(data, len), data, len);
	if (in->table[slot] == 0)
		return -ENOENT;
	*ret_id = in->table[slot] - 1;
	return 0;
}

const void *intern_get(const struct intern *in, uint32_t id, size_t *ret_len)
{
	assert(id < in->n);
	if (ret_len)
		*ret_len = in->items[id].len;
	return in->data ? in->data + in->items[id].off : (const void *)"";
}

void intern_deinit(struct intern *in)
{
	free(in->data);
	free(in->items);
	free(in->table);
	*in = (struct intern){};
}
