/* SPDX-License-Identifier: Apache-2.0 */

/* store/row.c: every field of an event goes through the columns and comes back; what no writer can
 * have written is refused. */

#include "tests/unit/runner.h"
#include "tests/unit/store/place.h"

static struct event stored_back(struct event *event)
{
	struct place place = place_new();
	struct store *store = place_open(&place, (struct store_config){0});
	struct store_reader *reader;
	struct event back;

	ck_assert(store_add(store, event));
	ck_assert_int_eq(store_flush(store, PLACE_TIMEOUT_MS), 0);
	(void)store_close(store, PLACE_TIMEOUT_MS);
	reader = place_read(&place);
	ck_assert_int_eq(store_get(reader, 1, &back), 0);
	(void)store_reader_close(reader);
	place_free(&place);
	return back;
}

static void full(struct event *e)
{
	(void)e;
}
static void empty(struct event *e)
{
	event_deinit(e);
}
static void extreme(struct event *e)
{
	e->rule_id = e->ino = e->exec_id = UINT64_MAX;
	e->realtime_us = e->boottime_ns = e->seq = e->count = e->first_ns = e->last_ns = INT64_MAX;
	e->start_ns = e->parent_start_ns = e->cgroup_id = INT64_MAX;
	e->cpu = e->profile = e->generation = e->rule_line = UINT32_MAX;
	e->pid = e->tid = e->ppid = e->uid = e->gid = e->argc = UINT32_MAX;
	e->dev = e->inode_generation = e->mode = e->nlink = UINT32_MAX;
	e->exit_code = INT32_MIN;
	e->flags = EVENT_FLAGS;
	e->verdict = HT_VERDICT_MAX - 1;
	e->reason = HT_REASON_MAX - 1;
	e->op = HT_OP_ALL;
	memset(e->boot_id, 0xff, sizeof(e->boot_id));
	memset(e->comm, 0xff, 16);
}
static void aggregate(struct event *e)
{
	e->kind = EVENT_AGGREGATE;
	e->count = 123456;
}
static void agent(struct event *e)
{
	e->kind = EVENT_AGENT;
	e->notice = EVENT_NOTICE_STALE;
}
static void governed(struct event *e)
{
	e->kind = EVENT_GOVERNED;
	e->n_profiles = HT_PROFILES_MAX;
	for (uint32_t i = 0; i < HT_PROFILES_MAX; i++)
		e->profiles[i] = UINT32_MAX - i;
}
static void no_rule(struct event *e)
{
	e->rule_id = 0;
	e->rule_line = 0;
	free(steal_ptr(e->rule_file));
	free(steal_ptr(e->rule_text));
	free(steal_ptr(e->message));
	free(steal_ptr(e->policy));
}
static void no_place(struct event *e)
{
	e->cgroup_id = 0;
	free(steal_ptr(e->cgroup));
	free(steal_ptr(e->container));
	free(steal_ptr(e->container_id));
	free(steal_ptr(e->runtime));
}
static void raw_names(struct event *e)
{
	static const char raw[] = "\xff\xfe'); DROP TABLE event; --\n\033[31m\"\\";

	free(e->path.data);
	free(e->exe.data);
	free(e->argv.data);
	e->path = sample_bytes("\0\xff\0", 3);
	e->exe = sample_bytes(raw, sizeof(raw));
	e->argv = sample_bytes("\0\0\0", 3);
	free(e->container);
	e->container = sample_text(raw);
	free(e->cgroup);
	e->cgroup = sample_text(raw);
	free(e->policy);
	e->policy = sample_text(raw);
	free(e->rule_text);
	e->rule_text = sample_text(raw);
	free(e->message);
	e->message = sample_text(raw);
	free(e->container_id);
	e->container_id = sample_text(raw);
	(void)strcpy(e->comm, "\xff'\n\033");
}
static void empty_texts(struct event *e)
{
	free(e->container);
	e->container = sample_text("");
	free(e->message);
	e->message = sample_text("");
	e->comm[0] = '\0';
}
static void long_path(struct event *e)
{
	free(e->path.data);
	e->path = (struct event_bytes){.data = malloc(HT_TEXT_PATH_MAX), .len = HT_TEXT_PATH_MAX};
	ck_assert_ptr_nonnull(e->path.data);
	for (size_t i = 0; i < e->path.len; i++)
		e->path.data[i] = (uint8_t)i;
}

static void (*const changes[])(struct event *e) = {full,      extreme,	   empty,    aggregate,
						   agent,     governed,	   no_rule,  no_place,
						   raw_names, empty_texts, long_path};

START_TEST(test_round_trip)
{
	struct event event = sample_event(3), expected, back;

	changes[_i](&event);
	ck_assert_int_eq(event_copy(&event, &expected), 0);
	back = stored_back(&event);
	ck_assert_int_eq(back.id, 1);
	ck_assert(sample_equal(&expected, &back));
	event_deinit(&expected);
	event_deinit(&back);
}
END_TEST

/* Each byte value in a name comes back. */
START_TEST(test_every_byte)
{
	struct place place = place_new();
	struct store *store = place_open(&place, (struct store_config){0});
	struct store_reader *reader;

	for (int byte = 0; byte < 256; byte++) {
		struct event event = sample_event((uint64_t)byte);

		event.path.data[3] = event.exe.data[3] = event.argv.data[3] = (uint8_t)byte;
		ck_assert(store_add(store, &event));
	}
	(void)store_close(store, PLACE_TIMEOUT_MS);
	reader = place_read(&place);
	for (int byte = 0; byte < 256; byte++) {
		struct event expected = sample_event((uint64_t)byte), back;

		expected.path.data[3] = expected.exe.data[3] = expected.argv.data[3] =
			(uint8_t)byte;
		ck_assert_int_eq(store_get(reader, byte + 1, &back), 0);
		ck_assert(sample_equal(&expected, &back));
		event_deinit(&expected);
		event_deinit(&back);
	}
	(void)store_reader_close(reader);
	place_free(&place);
}
END_TEST

/* A value of the right type that no event can have, put there past the store. */
static const char *const spoilt[] = {
	"UPDATE event SET kind = 99",
	"UPDATE event SET verdict = 6",
	"UPDATE event SET verdict = 256",
	"UPDATE event SET reason = 200",
	"UPDATE event SET severity = 5",
	"UPDATE event SET notice = 77",
	"UPDATE event SET flags = 1 << 20",
	"UPDATE event SET op = -1",
	"UPDATE event SET pid = -1",
	"UPDATE event SET pid = 1 << 32",
	"UPDATE event SET seq = -1",
	"UPDATE event SET exit_code = 1 << 31",
	"UPDATE event SET comm = zeroblob(17)",
	"UPDATE event SET profiles = x'010203'",
	"UPDATE event SET profiles = zeroblob(36)",
	"UPDATE place SET cgroup = x'610062'",
	"UPDATE rule SET policy = 'a' || char(0) || 'b'",
	"PRAGMA foreign_keys = OFF; DELETE FROM boot",
};

START_TEST(test_spoilt)
{
	struct place place = place_new();
	struct store_reader *reader;
	struct event event = {.id = 5};

	place_fill(&place, 0, 1);
	place_sql(&place, spoilt[_i]);
	reader = place_read(&place);
	ck_assert_msg(store_get(reader, 1, &event) == -EBADMSG, "%s", spoilt[_i]);
	ck_assert_int_eq(event.id, 5);
	(void)store_reader_close(reader);
	place_free(&place);
}
END_TEST

/* A rule that moved is another row; the same one is the same row; old events keep the old one. */
START_TEST(test_rules_as_they_were)
{
	struct place place = place_new();
	struct store *store = place_open(&place, (struct store_config){0});
	struct store_reader *reader;
	struct event event;

	for (unsigned i = 0; i < 6; i++) {
		event = sample_event(i);
		event.rule_line = 20 + i / 3;
		ck_assert(store_add(store, &event));
	}
	(void)store_close(store, PLACE_TIMEOUT_MS);
	ck_assert_int_eq(place_sql_number(&place, "SELECT count(*) FROM rule"), 2);
	ck_assert_int_eq(place_sql_number(&place, "SELECT count(*) FROM place"), 1);
	ck_assert_int_eq(place_sql_number(&place, "SELECT count(*) FROM boot"), 1);
	/* after a restart the same content is still the same row */
	place_fill(&place, 6, 1);
	ck_assert_int_eq(place_sql_number(&place, "SELECT count(*) FROM rule"), 2);
	reader = place_read(&place);
	for (int64_t id = 1; id <= 7; id++) {
		ck_assert_int_eq(store_get(reader, id, &event), 0);
		ck_assert_uint_eq(event.rule_line, id >= 4 && id <= 6 ? 21 : 20);
		event_deinit(&event);
	}
	(void)store_reader_close(reader);
	place_free(&place);
}
END_TEST

static void set_names(struct event *event, struct event_names *rule, struct event_names *place)
{
	event_set_rule(event, rule);
	event_set_place(event, place);
}

/* Told by whose names they are: the same texts twice are not, and neither are the same names with another number beside them. */
START_TEST(test_names_are_shared)
{
	struct event a = sample_event(1), b = sample_event(1);
	struct event_names *rule = event_names_new((const char *const[EVENT_NAMES]){"p"}),
			   *again = event_names_new((const char *const[EVENT_NAMES]){"p"}),
			   *place = event_names_new((const char *const[EVENT_NAMES]){"/c"});

	ck_assert(!row_names_are_shared(&a, &b));
	set_names(&a, rule, place);
	set_names(&b, rule, place);
	ck_assert(row_names_are_shared(&a, &b));
	ck_assert(row_equal(ROW_RULE, &a, &b) && row_equal(ROW_PLACE, &a, &b));
	event_set_rule(&b, again);
	ck_assert(!row_names_are_shared(&a, &b));
	event_set_rule(&b, rule);
	b.rule_id++;
	ck_assert(!row_names_are_shared(&a, &b));
	b.rule_id--;
	b.cgroup_id++;
	ck_assert(!row_names_are_shared(&a, &b));
	b.cgroup_id--;
	b.boot_id[0]++;
	ck_assert(!row_names_are_shared(&a, &b));
	event_deinit(&a);
	event_deinit(&b);
	(void)event_names_unref(rule);
	(void)event_names_unref(again);
	(void)event_names_unref(place);
}
END_TEST

/* What is packed is what the columns, asked one by one, say of it. */
static void check_changes(const struct event *before, const struct event *event)
{
	static const struct event nothing;
	uint64_t columns;
	size_t len, used = 0, max = row_pack_max(event);
	uint8_t *packed = malloc(max), want[4096];

	ck_assert_ptr_nonnull(packed);
	ck_assert(row_pack(before, event, packed, &len, &columns));
	for (size_t i = 0; i < row_columns(ROW_EVENT); i++) {
		struct row_value now, was;
		bool same;

		ck_assert(row_value(ROW_EVENT, i, event, &now));
		(void)row_value(ROW_EVENT, i, before ? before : &nothing, &was);
		if (!before)
			was.data = NULL, was.len = 0; /* one that says nothing has no name either */
		same = now.number == was.number && now.len == was.len && !now.data == !was.data &&
		       (now.len == 0 || memcmp(now.data, was.data, now.len) == 0);
		ck_assert_msg(same == !(columns >> i & 1), "column %zu", i);
		if (same)
			continue;
		if (now.form == ROW_IS_NUMBER) {
			used += row_difference_write(want + used, now.number, was.number);
			continue;
		}
		used += row_varint_write(want + used, now.data ? now.len + 1 : 0);
		if (now.len > 0)
			memcpy(want + used, now.data, now.len);
		used += now.len;
	}
	ck_assert_uint_eq(len, used);
	ck_assert_uint_le(len, max);
	ck_assert_mem_eq(packed, want, len);
	free(packed);
}

START_TEST(test_changes)
{
	struct event a = sample_event(1), b = sample_event(1), c = sample_event(2);

	check_changes(NULL, &a);
	check_changes(NULL, &(struct event){.count = 1}); /* its name is there, and empty */
	check_changes(&a, &b); /* the same texts lie elsewhere */
	check_changes(&a, &c);
	b.kind = EVENT_AGENT; /* its message is its own */
	check_changes(&a, &b);
	check_changes(&b, &a);
	b.n_profiles = 2;
	b.profiles[1] = 7;
	check_changes(&a, &b);
	b.exit_code = -1;
	b.nlink = 9;
	check_changes(&a, &b);
	event_deinit(&a);
	event_deinit(&b);
	event_deinit(&c);
}
END_TEST

/* Events are equal to a table where all that it has of them is. */
START_TEST(test_equal)
{
	struct event a = sample_event(1), b = sample_event(1);

	for (enum row_table t = 0; t < _ROW_TABLE_MAX; t++)
		ck_assert(row_equal(t, &a, &b));
	b.container[0] ^= 1;
	ck_assert(!row_equal(ROW_PLACE, &a, &b));
	ck_assert(row_equal(ROW_RULE, &a, &b));
	free(b.container);
	b.container = NULL;
	ck_assert(!row_equal(ROW_PLACE, &a, &b));
	ck_assert(!row_equal(ROW_PLACE, &b, &a));
	b.message[0] ^= 1;
	ck_assert(!row_equal(ROW_RULE, &a, &b));
	ck_assert(row_equal(ROW_EVENT, &a, &b));
	b.boot_id[15] ^= 1;
	ck_assert(!row_equal(ROW_BOOT, &a, &b));
	b.argv.len--;
	ck_assert(!row_equal(ROW_EVENT, &a, &b));
	b.argv.len++;
	ck_assert(row_equal(ROW_EVENT, &a, &b));
	b.exit_code = 1;
	ck_assert(!row_equal(ROW_EVENT, &a, &b));
	event_deinit(&a);
	event_deinit(&b);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("row");

	tcase_add_loop_test(tc, test_round_trip, 0, (int)ARRAY_LEN(changes));
	tcase_add_test(tc, test_every_byte);
	tcase_add_loop_test(tc, test_spoilt, 0, (int)ARRAY_LEN(spoilt));
	tcase_add_test(tc, test_rules_as_they_were);
	tcase_add_test(tc, test_equal);
	tcase_add_test(tc, test_names_are_shared);
	tcase_add_test(tc, test_changes);
	return tcase_run(tc);
}
