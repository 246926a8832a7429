/* SPDX-License-Identifier: Apache-2.0 */

/* Packing events into bundles and unpacking them: bundle.h has the format. */

#include "store/bundle.h"

#include <string.h>

#include "util/cleanup.h"

#define MASK_BYTES (BUNDLE_COLUMNS_MAX / 8U)

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "the first column is the lowest bit of the first byte");

bool bundle_takes(const struct event *event)
{
	return event->kind == EVENT_EXIT ||
	       (event->kind == EVENT_VERDICT && event->verdict == HT_VERDICT_ALLOW);
}

size_t bundle_columns(void)
{
	return BUNDLE_KEYS + row_columns(ROW_EVENT);
}

/* ---- packing ---- */

static void note_time(struct bundle *bundle, int64_t us)
{
	if (bundle->n == 0 || us < bundle->since_us)
		bundle->since_us = us;
	if (bundle->n == 0 || us > bundle->until_us)
		bundle->until_us = us;
}

static size_t row_of(const struct event *event)
{
	return event->kind == EVENT_EXIT;
}

bool bundle_has_keys(const struct bundle *bundle, const struct event *event, const int64_t keys[3])
{
	const int64_t *last = bundle->keys[row_of(event)];

	return bundle->before[row_of(event)] && last[1] == keys[0] && last[2] == keys[1] && last[3] == keys[2];
}

int bundle_add(struct bundle *bundle, const struct event *event, int64_t id, const int64_t keys[3])
{
	const int64_t numbers[BUNDLE_KEYS] = {id, keys[0], keys[1], keys[2]};
	size_t row = row_of(event), at = MASK_BYTES, len;
	uint64_t columns, mask = (uint64_t)row << BUNDLE_ROW_BIT;
	int64_t *before = bundle->keys[row];
	uint8_t *room = strbuf_room(&bundle->data,
				    MASK_BYTES + BUNDLE_KEYS * ROW_VARINT_MAX + row_pack_max(event));

	if (!room)
		return SQLITE_NOMEM;
	for (size_t i = 0; i < BUNDLE_KEYS; i++) {
		if (numbers[i] == before[i])
			continue;
		mask |= 1ULL << i;
		at += row_difference_write(room + at, numbers[i], before[i]);
	}
	if (!row_pack(bundle->before[row], event, room + at, &len, &columns))
		return SQLITE_RANGE;
	mask |= columns << BUNDLE_KEYS;
	memcpy(room, &mask, MASK_BYTES);
	strbuf_filled(&bundle->data, at + len);
	note_time(bundle, (int64_t)event->realtime_us);
	if (bundle->n++ == 0)
		bundle->first = id;
	bundle->last = id;
	bundle->before[row] = event;
	memcpy(before, numbers, sizeof(numbers));
	return SQLITE_OK;
}

bool bundle_is_full(const struct bundle *bundle)
{
	return bundle->n >= BUNDLE_EVENTS_MAX || bundle->data.len >= BUNDLE_DATA_MAX;
}

void bundle_reset(struct bundle *bundle)
{
	struct strbuf data = bundle->data;

	strbuf_reset(&data);
	*bundle = (struct bundle){.data = data};
}

void bundle_deinit(struct bundle *bundle)
{
	strbuf_deinit(&bundle->data);
	*bundle = (struct bundle){};
}

/* ---- unpacking ---- */

struct unpack {
	const uint8_t *at, *end;
};

/* Return: false: it goes beyond the end, or is no number. */
static bool varint_read(struct unpack *u, uint64_t *ret)
{
	uint64_t number = 0;

	for (unsigned shift = 0; shift < 64 && u->at < u->end; shift += 7) {
		uint8_t byte = *u->at++;

		number |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*ret = number;
			return true;
		}
	}
	return false;
}

static bool value_unpack(struct unpack *u, struct row_value *value)
{
	uint64_t number;

	if (!varint_read(u, &number))
		return false;
	if (value->form == ROW_IS_NUMBER) {
		value->number = (int64_t)((uint64_t)value->number + (number >> 1 ^ -(number & 1)));
		return true;
	}
	value->data = NULL;
	value->len = 0;
	if (number == 0)
		return true;
	if (number - 1 > (uint64_t)(u->end - u->at))
		return false;
	value->data = u->at;
	value->len = (size_t)(number - 1);
	u->at += value->len;
	return true;
}

/* One event into the values of its row. */
static bool event_unpack(struct unpack *u, const uint8_t *mask, struct row_value *values)
{
	size_t columns = bundle_columns();

	for (size_t i = 0; i < BUNDLE_ROW_BIT; i++)
		if ((mask[i / 8] >> (i % 8) & 1) && (i >= columns || !value_unpack(u, &values[i])))
			return false;
	return true;
}

static void values_begin(struct row_value *values)
{
	for (size_t i = 0; i < bundle_columns(); i++)
		values[i] = (struct row_value){
			.form = i < BUNDLE_KEYS ? ROW_IS_NUMBER
						: row_form(ROW_EVENT, i - BUNDLE_KEYS)};
}

int bundle_unpack(const void *data, size_t len, size_t n, struct row_value *ret)
{
	struct unpack u = {.at = data, .end = (const uint8_t *)data + len};
	struct row_value rows[BUNDLE_ROWS][BUNDLE_COLUMNS_MAX];
	size_t columns = bundle_columns();

	for (size_t row = 0; row < BUNDLE_ROWS; row++)
		values_begin(rows[row]);
	for (size_t event = 0; event < n; event++) {
		const uint8_t *mask = u.at;
		struct row_value *values;

		if ((size_t)(u.end - u.at) < MASK_BYTES)
			return SQLITE_CORRUPT;
		u.at += MASK_BYTES;
		values = rows[mask[BUNDLE_ROW_BIT / 8] >> (BUNDLE_ROW_BIT % 8) & 1];
		if (!event_unpack(&u, mask, values))
			return SQLITE_CORRUPT;
		memcpy(ret + event * columns, values, columns * sizeof(values[0]));
	}
	return u.at == u.end ? SQLITE_OK : SQLITE_CORRUPT;
}
