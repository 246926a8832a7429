/* SPDX-License-Identifier: Apache-2.0 */

/* struct event <-> columns, by one table of descriptors for each SQL table (schema.h). */

#include "store/row.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "util/cleanup.h"

enum row_type {
	ROW_U8,
	ROW_U32,
	ROW_U63, /* uint64_t below 2^63: clocks, counters */
	ROW_U64, /* identifiers, all bits */
	ROW_I32,
	ROW_ENUM,
	ROW_TEXT,	  /* char *, stored as TEXT */
	ROW_NAME,	  /* char *, stored as BLOB */
	ROW_BYTES,	  /* struct event_bytes */
	ROW_COMM,	  /* char[17] */
	ROW_BOOT_ID,	  /* uint8_t[16] */
	ROW_PROFILES,	  /* profiles and n_profiles */
	ROW_OWN_MESSAGE,  /* event.message, where it is not a rule's */
	ROW_RULE_MESSAGE, /* event.message, where it is */
};

struct row_column {
	const char *name;
	enum row_type type;
	size_t offset;
	uint64_t max; /* of ROW_U8, ROW_U32, ROW_ENUM: largest value; 0: what the type holds */
};

#define COLUMN(t, field, ...)                                                                      \
	{                                                                                          \
#field, t, offsetof(struct event, field), __VA_ARGS__                              \
	}

/* What bundle.c packs is known by its number: a new column comes last, none goes. */
static const struct row_column event_columns[] = {
	COLUMN(ROW_ENUM, kind, _EVENT_KIND_MAX - 1),
	COLUMN(ROW_ENUM, notice, _EVENT_NOTICE_MAX - 1),
	COLUMN(ROW_U8, verdict, HT_VERDICT_MAX - 1),
	COLUMN(ROW_U8, reason, HT_REASON_MAX - 1),
	COLUMN(ROW_U32, op, HT_OP_ALL | HT_OPS_KERNEL),
	COLUMN(ROW_U32, flags, EVENT_FLAGS),
	COLUMN(ROW_ENUM, severity, _POLICY_SEVERITY_MAX - 1),
	COLUMN(ROW_U63, realtime_us),
	COLUMN(ROW_U63, boottime_ns),
	COLUMN(ROW_U32, cpu),
	COLUMN(ROW_U63, seq),
	COLUMN(ROW_U63, count),
	COLUMN(ROW_U63, first_ns),
	COLUMN(ROW_U63, last_ns),
	COLUMN(ROW_U32, profile),
	COLUMN(ROW_PROFILES, profiles),
	COLUMN(ROW_U32, generation),
	COLUMN(ROW_U32, pid),
	COLUMN(ROW_U32, tid),
	COLUMN(ROW_U32, ppid),
	COLUMN(ROW_U32, uid),
	COLUMN(ROW_U32, gid),
	COLUMN(ROW_U63, start_ns),
	COLUMN(ROW_U63, parent_start_ns),
	COLUMN(ROW_U64, exec_id),
	COLUMN(ROW_I32, exit_code),
	COLUMN(ROW_COMM, comm),
	COLUMN(ROW_BYTES, exe),
	COLUMN(ROW_U32, argc),
	COLUMN(ROW_BYTES, argv),
	COLUMN(ROW_BYTES, path),
	COLUMN(ROW_U32, dev),
	COLUMN(ROW_U64, ino),
	COLUMN(ROW_U32, inode_generation),
	COLUMN(ROW_U32, mode),
	COLUMN(ROW_U32, nlink),
	COLUMN(ROW_OWN_MESSAGE, message),
};

static const struct row_column rule_columns[] = {
	COLUMN(ROW_U64, rule_id),
	COLUMN(ROW_TEXT, policy),
	COLUMN(ROW_TEXT, rule_file),
	COLUMN(ROW_U32, rule_line),
	COLUMN(ROW_TEXT, rule_text),
	{"rule_message", ROW_RULE_MESSAGE, offsetof(struct event, message), 0},
};

static const struct row_column place_columns[] = {
	COLUMN(ROW_U63, cgroup_id),	COLUMN(ROW_NAME, cgroup),  COLUMN(ROW_NAME, container),
	COLUMN(ROW_TEXT, container_id), COLUMN(ROW_TEXT, runtime),
};

static const struct row_column boot_columns[] = {
	COLUMN(ROW_BOOT_ID, boot_id),
};

static const struct {
	const char *name;
	const struct row_column *columns;
	size_t n;
} tables[_ROW_TABLE_MAX] = {
	[ROW_EVENT] = {"event", event_columns, ARRAY_LEN(event_columns)},
	[ROW_RULE] = {"rule", rule_columns, ARRAY_LEN(rule_columns)},
	[ROW_PLACE] = {"place", place_columns, ARRAY_LEN(place_columns)},
	[ROW_BOOT] = {"boot", boot_columns, ARRAY_LEN(boot_columns)},
};

_Static_assert(sizeof(enum event_kind) == sizeof(uint32_t), "enums are read as 32 bits");
_Static_assert(sizeof(enum event_notice) == sizeof(uint32_t), "enums are read as 32 bits");
_Static_assert(sizeof(enum policy_severity) == sizeof(uint32_t), "enums are read as 32 bits");

const char *row_table_name(enum row_table table)
{
	return tables[table].name;
}

size_t row_columns(enum row_table table)
{
	return tables[table].n;
}

/* ---- struct event -> value ---- */

static bool message_is_of_rule(const struct event *event)
{
	return event->kind == EVENT_VERDICT || event->kind == EVENT_AGGREGATE;
}

static struct row_value value_number(int64_t number)
{
	return (struct row_value){.form = ROW_IS_NUMBER, .number = number};
}

static struct row_value value_text(const char *text)
{
	return (struct row_value){
		.form = ROW_IS_TEXT, .data = text, .len = text ? strlen(text) : 0};
}

static struct row_value value_blob(const void *data, size_t len)
{
	return (struct row_value){.form = ROW_IS_BLOB, .data = data, .len = len};
}

/* A fixed-width number at any of the table's offsets. */
#define FIELD(type, event, column) (*(const type *)((const char *)(event) + (column)->offset))

static struct row_value value_get(const struct row_column *c, const struct event *event)
{
	const char *text;
	const struct event_bytes *bytes;

	switch (c->type) {
	case ROW_U8:
		return value_number(FIELD(uint8_t, event, c));
	case ROW_U32:
	case ROW_ENUM:
		return value_number(FIELD(uint32_t, event, c));
	case ROW_U63:
	case ROW_U64:
		return value_number((int64_t)FIELD(uint64_t, event, c));
	case ROW_I32:
		return value_number(FIELD(int32_t, event, c));
	case ROW_TEXT:
		return value_text(FIELD(char *, event, c));
	case ROW_OWN_MESSAGE:
		return value_text(message_is_of_rule(event) ? NULL : event->message);
	case ROW_RULE_MESSAGE:
		return value_text(message_is_of_rule(event) ? event->message : NULL);
	case ROW_NAME:
		text = FIELD(char *, event, c);
		return value_blob(text, text ? strlen(text) : 0);
	case ROW_BYTES:
		bytes = &FIELD(struct event_bytes, event, c);
		return value_blob(bytes->len > 0 ? bytes->data : NULL, bytes->len);
	case ROW_COMM:
		return value_blob(event->comm, strnlen(event->comm, sizeof(event->comm)));
	case ROW_BOOT_ID:
		return value_blob(event->boot_id, sizeof(event->boot_id));
	case ROW_PROFILES:
		return value_blob(event->n_profiles > 0 ? event->profiles : NULL,
				  event->n_profiles * sizeof(event->profiles[0]));
	}
	abort();
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "profiles are stored as they lie");

bool row_is_empty(enum row_table table, const struct event *event)
{
	for (size_t i = 0; i < tables[table].n; i++) {
		struct row_value v = value_get(&tables[table].columns[i], event);

		if (v.form == ROW_IS_NUMBER ? v.number != 0 : v.data != NULL)
			return false;
	}
	return true;
}

/* What number_read() would refuse is never written. */
static bool number_is_valid(const struct row_column *c, int64_t number)
{
	if (c->type == ROW_U63)
		return number >= 0;
	return c->max == 0 || (number >= 0 && (uint64_t)number <= c->max);
}

int row_bind(sqlite3_stmt *stmt, int first, enum row_table table, const struct event *event)
{
	for (size_t i = 0; i < tables[table].n; i++) {
		struct row_value v = value_get(&tables[table].columns[i], event);
		int r, at = first + (int)i;

		if (!number_is_valid(&tables[table].columns[i], v.number))
			return SQLITE_RANGE;
		/* SQLITE_STATIC: the event outlives the step, nothing is copied */
		if (v.form == ROW_IS_NUMBER)
			r = sqlite3_bind_int64(stmt, at, v.number);
		else if (v.form == ROW_IS_TEXT)
			r = sqlite3_bind_text64(stmt, at, v.data, v.len, SQLITE_STATIC,
						SQLITE_UTF8);
		else
			r = sqlite3_bind_blob64(stmt, at, v.data, v.len, SQLITE_STATIC);
		if (r != SQLITE_OK)
			return r;
	}
	return SQLITE_OK;
}

bool row_value(enum row_table table, size_t column, const struct event *event, struct row_value *ret)
{
	const struct row_column *c = &tables[table].columns[column];

	*ret = value_get(c, event);
	return number_is_valid(c, ret->number);
}

static bool value_equal(const struct row_value *a, const struct row_value *b)
{
	if (a->form == ROW_IS_NUMBER)
		return a->number == b->number;
	return a->len == b->len && !a->data == !b->data &&
	       (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static bool bytes_equal(const struct event_bytes *a, const struct event_bytes *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

static bool column_equal_by_value(const struct row_column *c, const struct event *a,
				  const struct event *b)
{
	struct row_value one = value_get(c, a), other = value_get(c, b);

	return value_equal(&one, &other);
}

/* The same as to compare the values, which are not made and of which no length is counted first: asked for each column of
 * each event that is stored. */
static inline bool column_equal(const struct row_column *c, const struct event *a,
				const struct event *b)
{
	const char *text, *with;

	switch (c->type) {
	case ROW_U8:
		return FIELD(uint8_t, a, c) == FIELD(uint8_t, b, c);
	case ROW_U32:
	case ROW_ENUM:
	case ROW_I32:
		return FIELD(uint32_t, a, c) == FIELD(uint32_t, b, c);
	case ROW_U63:
	case ROW_U64:
		return FIELD(uint64_t, a, c) == FIELD(uint64_t, b, c);
	case ROW_TEXT:
	case ROW_NAME:
		text = FIELD(char *, a, c);
		with = FIELD(char *, b, c);
		return text && with ? strcmp(text, with) == 0 : text == with;
	case ROW_BYTES:
		return bytes_equal(&FIELD(struct event_bytes, a, c), &FIELD(struct event_bytes, b, c));
	case ROW_COMM:
		return strcmp(a->comm, b->comm) == 0;
	case ROW_PROFILES:
		return a->n_profiles + b->n_profiles == 0 || column_equal_by_value(c, a, b);
	case ROW_OWN_MESSAGE:
	case ROW_RULE_MESSAGE:
		return (!a->message && !b->message) || column_equal_by_value(c, a, b);
	case ROW_BOOT_ID:
		return memcmp(a->boot_id, b->boot_id, sizeof(a->boot_id)) == 0;
	}
	abort();
}

/* Return: the column holds a number, in *ret and *ret_before; false: bytes. */
static inline bool numbers_get(const struct row_column *c, const struct event *event,
			       const struct event *before, int64_t *ret, int64_t *ret_before)
{
	switch (c->type) {
	case ROW_U8:
		*ret = FIELD(uint8_t, event, c);
		*ret_before = FIELD(uint8_t, before, c);
		return true;
	case ROW_U32:
	case ROW_ENUM:
		*ret = FIELD(uint32_t, event, c);
		*ret_before = FIELD(uint32_t, before, c);
		return true;
	case ROW_I32:
		*ret = FIELD(int32_t, event, c);
		*ret_before = FIELD(int32_t, before, c);
		return true;
	case ROW_U63:
	case ROW_U64:
		*ret = (int64_t)FIELD(uint64_t, event, c);
		*ret_before = (int64_t)FIELD(uint64_t, before, c);
		return true;
	case ROW_TEXT:
	case ROW_NAME:
	case ROW_BYTES:
	case ROW_COMM:
	case ROW_BOOT_ID:
	case ROW_PROFILES:
	case ROW_OWN_MESSAGE:
	case ROW_RULE_MESSAGE:
		break;
	}
	return false;
}

/* Words of struct event, and for each which columns of the table `event` have something in it, so that only these are
 * looked at where a word differs. What the other tables have lies behind. */
#define WORD sizeof(uint64_t)
#define WORDS ((offsetof(struct event, boot_id) + WORD - 1) / WORD)
_Static_assert(sizeof(struct event) >= WORDS * WORD, "it is made of words");
static uint64_t columns_of_word[WORDS];

static void word_note(size_t column, size_t offset, size_t size)
{
	if (offset + size > WORDS * WORD)
		abort();
	for (size_t word = offset / WORD; word * WORD < offset + size; word++)
		columns_of_word[word] |= 1ULL << column;
}

static size_t field_size(enum row_type type)
{
	switch (type) {
	case ROW_U8:
		return sizeof(uint8_t);
	case ROW_U32:
	case ROW_ENUM:
	case ROW_I32:
		return sizeof(uint32_t);
	case ROW_U63:
	case ROW_U64:
		return sizeof(uint64_t);
	case ROW_BYTES:
		return sizeof(struct event_bytes);
	case ROW_COMM:
		return sizeof(((struct event *)NULL)->comm);
	case ROW_BOOT_ID:
		return sizeof(((struct event *)NULL)->boot_id);
	case ROW_PROFILES:
		return sizeof(((struct event *)NULL)->profiles);
	case ROW_TEXT:
	case ROW_NAME:
	case ROW_OWN_MESSAGE:
	case ROW_RULE_MESSAGE:
		break;
	}
	return sizeof(char *);
}

static void words_init(void)
{
	for (size_t i = 0; i < ARRAY_LEN(event_columns); i++) {
		const struct row_column *c = &event_columns[i];

		word_note(i, c->offset, field_size(c->type));
		if (c->type == ROW_OWN_MESSAGE) /* whose it is depends on the kind */
			word_note(i, offsetof(struct event, kind), sizeof(enum event_kind));
		else if (c->type == ROW_PROFILES)
			word_note(i, offsetof(struct event, n_profiles), sizeof(uint32_t));
	}
}

/* Columns that may differ, and all that do. A text is another one if it lies elsewhere: that is looked at. */
static uint64_t columns_suspect(const struct event *before, const struct event *event)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	uint64_t columns = 0;

	(void)pthread_once(&once, words_init);
	for (size_t i = 0; i < WORDS; i++) {
		uint64_t now, was;

		memcpy(&now, (const char *)event + i * WORD, WORD);
		memcpy(&was, (const char *)before + i * WORD, WORD);
		if (now != was)
			columns |= columns_of_word[i];
	}
	return columns;
}

size_t row_pack_max(const struct event *event)
{
	return ARRAY_LEN(event_columns) * ROW_VARINT_MAX + event->exe.len + event->argv.len + event->path.len +
	       sizeof(event->comm) + sizeof(event->profiles) + (event->message ? strlen(event->message) : 0);
}

static size_t bytes_pack(uint8_t *to, const struct row_value *value)
{
	size_t n = row_varint_write(to, value->data ? value->len + 1 : 0);

	if (value->data && value->len > 0)
		memcpy(to + n, value->data, value->len);
	return n + (value->data ? value->len : 0);
}

bool row_pack(const struct event *before, const struct event *event, uint8_t *to, size_t *ret_len,
	      uint64_t *ret_columns)
{
	static const struct event nothing;
	const struct event *was = before ? before : &nothing;
	uint64_t all = (1ULL << ARRAY_LEN(event_columns)) - 1, changed = 0;
	size_t len = 0;

	for (uint64_t left = before ? columns_suspect(before, event) : all; left; left &= left - 1) {
		uint64_t column = left & -left;
		const struct row_column *c = &event_columns[__builtin_ctzll(left)];
		int64_t number, number_before;
		struct row_value value;

		if (numbers_get(c, event, was, &number, &number_before)) {
			if (number == number_before)
				continue;
			if (!number_is_valid(c, number))
				return false;
			len += row_difference_write(to + len, number, number_before);
		} else {
			if (before && column_equal(c, before, event))
				continue;
			value = value_get(c, event);
			if (!before && !value.data)
				continue;
			len += bytes_pack(to + len, &value);
		}
		changed |= column;
	}
	*ret_len = len;
	*ret_columns = changed;
	return true;
}

bool row_names_are_shared(const struct event *a, const struct event *b)
{
	return a->of_rule && a->of_rule == b->of_rule && a->of_place && a->of_place == b->of_place &&
	       a->kind == b->kind && a->rule_id == b->rule_id && a->rule_line == b->rule_line &&
	       a->cgroup_id == b->cgroup_id && memcmp(a->boot_id, b->boot_id, sizeof(a->boot_id)) == 0;
}

bool row_equal(enum row_table table, const struct event *a, const struct event *b)
{
	for (size_t i = 0; i < tables[table].n; i++)
		if (!column_equal(&tables[table].columns[i], a, b))
			return false;
	return true;
}

static bool type_is_number(enum row_type type)
{
	return type <= ROW_ENUM;
}

static bool type_is_text(enum row_type type)
{
	return type == ROW_TEXT || type == ROW_OWN_MESSAGE || type == ROW_RULE_MESSAGE;
}

enum row_form row_form(enum row_table table, size_t column)
{
	enum row_type type = tables[table].columns[column].type;

	if (type_is_number(type))
		return ROW_IS_NUMBER;
	return type_is_text(type) ? ROW_IS_TEXT : ROW_IS_BLOB;
}

void row_content(enum row_table table, const struct event *event, struct strbuf *b)
{
	for (size_t i = 0; i < tables[table].n; i++) {
		struct row_value v = value_get(&tables[table].columns[i], event);
		uint64_t len = v.data ? v.len : UINT64_MAX;

		if (v.form == ROW_IS_NUMBER) {
			strbuf_append(b, &v.number, sizeof(v.number));
			continue;
		}
		strbuf_append(b, &len, sizeof(len));
		if (v.data)
			strbuf_append(b, v.data, v.len);
	}
}

/* ---- SQL ---- */

void row_names(enum row_table table, const char *prefix, struct strbuf *b)
{
	for (size_t i = 0; i < tables[table].n; i++) {
		if (i > 0)
			strbuf_puts(b, ", ");
		strbuf_puts(b, prefix);
		strbuf_puts(b, tables[table].columns[i].name);
	}
}

void row_equals(enum row_table table, struct strbuf *b)
{
	for (size_t i = 0; i < tables[table].n; i++)
		strbuf_printf(b, "%s%s IS ?%zu", i > 0 ? " AND " : "",
			      tables[table].columns[i].name, i + 1);
}

void row_select(const char *events, struct strbuf *b)
{
	strbuf_puts(b, "SELECT e.id, ");
	row_names(ROW_EVENT, "e.", b);
	strbuf_puts(b, ", ");
	row_names(ROW_RULE, "r.", b);
	strbuf_puts(b, ", ");
	row_names(ROW_PLACE, "p.", b);
	strbuf_puts(b, ", ");
	row_names(ROW_BOOT, "b.", b);
	strbuf_printf(b,
		      " FROM %s AS e LEFT JOIN rule AS r ON r.key = e.rule"
		      " LEFT JOIN place AS p ON p.key = e.place"
		      " LEFT JOIN boot AS b ON b.key = e.boot",
		      events);
}

/* ---- value -> struct event ---- */

#define SET(type, event, column, value)                                                            \
	(*(type *)((char *)(event) + (column)->offset) = (type)(value))

static int number_read(sqlite3_stmt *stmt, int at, const struct row_column *c, struct event *event)
{
	int64_t number = sqlite3_column_int64(stmt, at);
	uint64_t max = c->max;

	/* a column of a companion that the event does not have */
	if (sqlite3_column_type(stmt, at) == SQLITE_NULL)
		return 0;
	if (sqlite3_column_type(stmt, at) != SQLITE_INTEGER)
		return -EBADMSG;
	if (max == 0)
		max = c->type == ROW_U8 ? UINT8_MAX : UINT32_MAX;
	if (c->type == ROW_U63 && number < 0)
		return -EBADMSG;
	if (c->type == ROW_U63 || c->type == ROW_U64) {
		SET(uint64_t, event, c, number);
		return 0;
	}
	if (c->type == ROW_I32) {
		if (number < INT32_MIN || number > INT32_MAX)
			return -EBADMSG;
		SET(int32_t, event, c, number);
		return 0;
	}
	if (number < 0 || (uint64_t)number > max)
		return -EBADMSG;
	if (c->type == ROW_U8)
		SET(uint8_t, event, c, number);
	else
		SET(uint32_t, event, c, number);
	return 0;
}

static int text_read(const void *data, size_t len, char **p)
{
	if (memchr(data, '\0', len))
		return -EBADMSG;
	free(*p);
	*p = strndup(data, len);
	return *p ? 0 : -ENOMEM;
}

static int bytes_read(const void *data, size_t len, struct event_bytes *bytes)
{
	if (len == 0)
		return 0;
	bytes->data = malloc(len);
	if (!bytes->data)
		return -ENOMEM;
	memcpy(bytes->data, data, len);
	bytes->len = len;
	return 0;
}

static int profiles_read(const void *data, size_t len, struct event *event)
{
	if (len > sizeof(event->profiles) || len % sizeof(event->profiles[0]) != 0)
		return -EBADMSG;
	memcpy(event->profiles, data, len);
	event->n_profiles = (uint32_t)(len / sizeof(event->profiles[0]));
	return 0;
}

static int data_read(sqlite3_stmt *stmt, int at, const struct row_column *c, struct event *event)
{
	int type = sqlite3_column_type(stmt, at);
	bool is_text = type_is_text(c->type);
	const void *data;
	size_t len;

	if (type == SQLITE_NULL)
		return c->type == ROW_BOOT_ID ? -EBADMSG : 0;
	if (type != (is_text ? SQLITE_TEXT : SQLITE_BLOB))
		return -EBADMSG;
	data = is_text ? (const void *)sqlite3_column_text(stmt, at)
		       : sqlite3_column_blob(stmt, at);
	len = (size_t)sqlite3_column_bytes(stmt, at);
	if (!data) {
		/* an empty BLOB is NULL too */
		if (is_text || len > 0)
			return -ENOMEM;
		data = "";
	}
	if (is_text || c->type == ROW_NAME)
		return text_read(data, len, (char **)((char *)event + c->offset));
	if (c->type == ROW_BYTES)
		return bytes_read(data, len, (struct event_bytes *)((char *)event + c->offset));
	if (c->type == ROW_PROFILES)
		return profiles_read(data, len, event);
	if (c->type == ROW_BOOT_ID ? len != sizeof(event->boot_id) : len >= sizeof(event->comm))
		return -EBADMSG;
	memcpy((char *)event + c->offset, data, len);
	return 0;
}

int row_read_event(sqlite3_stmt *stmt, struct event *ret)
{
	static const enum row_table order[] = {ROW_EVENT, ROW_RULE, ROW_PLACE, ROW_BOOT};
	_cleanup_(event_deinit) struct event event = {};
	int at = 0;

	event.id = sqlite3_column_int64(stmt, at++);
	for (size_t t = 0; t < ARRAY_LEN(order); t++) {
		for (size_t i = 0; i < tables[order[t]].n; i++, at++) {
			const struct row_column *c = &tables[order[t]].columns[i];
			int r = type_is_number(c->type) ? number_read(stmt, at, c, &event)
							: data_read(stmt, at, c, &event);

			if (r < 0)
				return r;
		}
	}
	*ret = event;
	event = (struct event){};
	return 0;
}
