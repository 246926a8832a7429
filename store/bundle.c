/* SPDX-License-Identifier: Apache-2.0 */

/* Packing events into bundles and unpacking them: bundle.h has the format. */

#include "store/bundle.h"

#include <string.h>

#include "util/cleanup.h"

#define MASK_BYTES (BUNDLE_COLUMNS_MAX / 8U)
#define VARINT_MAX 10U

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

static size_t varint_write(uint8_t *to, uint64_t number)
{
	size_t n = 0;

	while (number >= 0x80) {
		to[n++] = (uint8_t)(number | 0x80);
		number >>= 7;
	}
	to[n++] = (uint8_t)number;
	return n;
}

static uint64_t zigzag(uint64_t difference)
{
	return difference << 1 ^ (uint64_t)((int64_t)difference >> 63);
}

static bool bytes_equal(const struct row_value *a, const struct row_value *b)
{
	return a->len == b->len && !a->data == !b->data &&
	       (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* Numbers are gathered, and appended with the next text or at the end. */
struct pack {
	struct strbuf *to;
	uint8_t text[BUNDLE_COLUMNS_MAX * VARINT_MAX];
	size_t len;
};

static void pack_bytes(struct pack *pack, const struct row_value *value)
{
	pack->len += varint_write(pack->text + pack->len, value->data ? value->len + 1 : 0);
	strbuf_append(pack->to, pack->text, pack->len);
	pack->len = 0;
	if (value->data)
		strbuf_append(pack->to, value->data, value->len);
}

int bundle_add(struct bundle *bundle, const struct event *event, int64_t id, const int64_t keys[3])
{
	struct row_value values[BUNDLE_COLUMNS_MAX] = {
		{.number = id}, {.number = keys[0]}, {.number = keys[1]}, {.number = keys[2]}};
	struct pack pack = {.to = &bundle->data};
	uint8_t mask[MASK_BYTES] = {};
	size_t at = bundle->data.len, n = bundle_columns();

	if (!row_values(ROW_EVENT, event, values + BUNDLE_KEYS))
		return SQLITE_RANGE;
	strbuf_append(&bundle->data, mask, sizeof(mask));
	for (size_t i = 0; i < n; i++) {
		struct row_value *v = &values[i], *before = &bundle->before[i];

		if (v->form == ROW_IS_NUMBER) {
			if (v->number == before->number)
				continue;
			pack.len += varint_write(
				pack.text + pack.len,
				zigzag((uint64_t)v->number - (uint64_t)before->number));
		} else {
			if (bytes_equal(v, before))
				continue;
			pack_bytes(&pack, v);
		}
		mask[i / 8] |= (uint8_t)(1U << (i % 8));
	}
	strbuf_append(&bundle->data, pack.text, pack.len);
	if (strbuf_error(&bundle->data) < 0)
		return SQLITE_NOMEM;
	memcpy(bundle->data.data + at, mask, sizeof(mask));
	memcpy(bundle->before, values, n * sizeof(values[0]));
	if (bundle->n++ == 0) {
		bundle->first = id;
		bundle->since_us = bundle->until_us = (int64_t)event->realtime_us;
	}
	bundle->last = id;
	if ((int64_t)event->realtime_us < bundle->since_us)
		bundle->since_us = (int64_t)event->realtime_us;
	if ((int64_t)event->realtime_us > bundle->until_us)
		bundle->until_us = (int64_t)event->realtime_us;
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
	struct row_value values[BUNDLE_COLUMNS_MAX];
	size_t columns = bundle_columns();

	values_begin(values);
	for (size_t event = 0; event < n; event++) {
		const uint8_t *mask = u.at;

		if ((size_t)(u.end - u.at) < MASK_BYTES)
			return SQLITE_CORRUPT;
		u.at += MASK_BYTES;
		for (size_t i = 0; i < BUNDLE_COLUMNS_MAX; i++)
			if ((mask[i / 8] >> (i % 8) & 1) &&
			    (i >= columns || !value_unpack(&u, &values[i])))
				return SQLITE_CORRUPT;
		memcpy(ret + event * columns, values, columns * sizeof(values[0]));
	}
	return u.at == u.end ? SQLITE_OK : SQLITE_CORRUPT;
}
