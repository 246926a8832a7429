/* SPDX-License-Identifier: Apache-2.0 */

/* store/query.c: each filter alone and together, order and limits, pages that hold nothing open,
 * names that look like SQL. */

#include "tests/unit/runner.h"
#include "tests/unit/store/place.h"

#define N 200
#define DAY_US 86400000000U

/* Event i: container web-(i % 4), policy p-(i % 5), one of three verdicts, one of the operations.
 */
static struct event event_make(uint64_t i)
{
	static const uint8_t verdicts[] = {HT_VERDICT_DENY, HT_VERDICT_WOULD_DENY,
					   HT_VERDICT_ALLOW};
	struct event event = sample_event(i * 1000000);
	char text[64];

	event.seq = i;
	event.verdict = verdicts[i % 3];
	event.op = 1U << (i % HT_OP_MAX);
	event.kind = i % 20 == 19 ? EVENT_EXIT : i % 20 == 18 ? EVENT_AGGREGATE : EVENT_VERDICT;
	event.cgroup_id = 1 + i % 4;
	(void)snprintf(text, sizeof(text), "web-%u", (unsigned)(i % 4));
	free(event.container);
	event.container = sample_text(text);
	(void)snprintf(text, sizeof(text), "%04xabcdef012345", (unsigned)(i % 4));
	free(event.container_id);
	event.container_id = sample_text(text);
	(void)snprintf(text, sizeof(text), "p-%u", (unsigned)(i % 5));
	free(event.policy);
	event.policy = sample_text(text);
	event.rule_id = 1 + i % 5;
	(void)snprintf(text, sizeof(text), "file.deny /srv/%u/**", (unsigned)(i % 5));
	free(event.rule_text);
	event.rule_text = sample_text(text);
	(void)snprintf(text, sizeof(text), "/srv/%u/file-%03u", (unsigned)(i % 5), (unsigned)i);
	free(event.path.data);
	event.path = sample_bytes(text, strlen(text));
	if (i % 2) {
		free(event.exe.data);
		event.exe = sample_bytes("/bin/\xffod", 8);
	}
	return event;
}

static void fill(const struct place *place)
{
	struct store *store = place_open(place, (struct store_config){0});

	for (uint64_t i = 0; i < N; i++) {
		struct event event = event_make(i);

		ck_assert(store_add(store, &event));
	}
	(void)store_close(store, PLACE_TIMEOUT_MS);
}

/* What a filter means, judged on the event itself, without SQL or wildcards beyond what the cases
 * need. */
#define START_US 1795244531123456

static bool verdict_kind(uint64_t i)
{
	return i % 20 != 19;
}
static bool any(uint64_t i)
{
	return i < N;
}
static bool none(uint64_t i)
{
	return i > N;
}
static bool web_2(uint64_t i)
{
	return i % 4 == 2;
}
static bool policy_3(uint64_t i)
{
	return i % 5 == 3;
}
static bool policy_1_to_3(uint64_t i)
{
	return i % 5 >= 1 && i % 5 <= 3;
}
static bool both(uint64_t i)
{
	return web_2(i) && policy_3(i);
}
static bool deny(uint64_t i)
{
	return i % 3 == 0 && verdict_kind(i);
}
static bool deny_or_allow(uint64_t i)
{
	return i % 3 != 1 && verdict_kind(i);
}
static bool read_or_exec(uint64_t i)
{
	return i % HT_OP_MAX == 0 || i % HT_OP_MAX == 8;
}
static bool exits(uint64_t i)
{
	return i % 20 == 19;
}
static bool odd(uint64_t i)
{
	return i % 2 == 1;
}
static bool file_007(uint64_t i)
{
	return i == 7;
}
static bool srv_4(uint64_t i)
{
	return i % 5 == 4;
}
static bool from_50(uint64_t i)
{
	return i >= 50;
}
static bool to_50(uint64_t i)
{
	return i <= 50;
}
static bool from_50_to_60(uint64_t i)
{
	return i >= 50 && i <= 60;
}
static bool after_100(uint64_t i)
{
	return i >= 100;
}
static bool all_of_them(uint64_t i)
{
	return both(i) && deny(i) && from_50(i) && i % 2 == 0;
}

static const struct {
	struct store_filter filter;
	bool (*match)(uint64_t i);
} cases[] = {
	{{0}, any},
	{{.container = "web-2"}, web_2},
	{{.container = "web-*"}, any},
	{{.container = "*2"}, web_2},
	{{.container = "web"}, none},
	{{.container = "0002abcd"}, web_2},
	{{.container = "0002abcdef012345"}, web_2},
	{{.container = "0002abc"}, none}, /* too short for an id */
	{{.container = "0002abcdef0123456"}, none},
	{{.policy = "p-3"}, policy_3},
	{{.policy = "p-[1-3]"}, policy_1_to_3},
	{{.rule = "*/srv/3/*"}, policy_3},
	{{.rule = "file.deny /srv/[123]/**"}, policy_1_to_3},
	{{.policy = "p-?", .rule = "*/3/*"}, policy_3},
	{{.policy = "p-3", .container = "web-2"}, both},
	{{.policy = "p-4", .rule = "*/3/*"}, none},
	{{.verdicts = 1U << HT_VERDICT_DENY}, deny},
	{{.verdicts = 1U << HT_VERDICT_DENY | 1U << HT_VERDICT_ALLOW}, deny_or_allow},
	{{.verdicts = 1U << HT_VERDICT_KILL}, none},
	{{.ops = HT_OP_READ | HT_OP_EXEC}, read_or_exec},
	{{.kinds = 1U << EVENT_EXIT}, exits},
	{{.kinds = 1U << EVENT_EXIT, .verdicts = 1U << HT_VERDICT_DENY}, none},
	{{.exe = "/bin/\xffod"}, odd},
	{{.exe = "/bin/*"}, odd},
	{{.exe = "*d"}, odd},
	{{.exe = "cat"}, none}, /* the whole path */
	{{.path = "/srv/2/file-007"}, file_007},
	{{.path = "*-007"}, file_007},
	{{.path = "/srv/4/*"}, srv_4},
	{{.since_us = START_US + 50000000}, from_50},
	{{.until_us = START_US + 50000000}, to_50},
	{{.since_us = START_US + 50000000, .until_us = START_US + 60000000}, from_50_to_60},
	{{.since_us = START_US + 1000000000}, none},
	{{.until_us = START_US - 1}, none},
	{{.since_us = 1}, any},
	{{.until_us = INT64_MAX}, any},
	{{.after_id = 100}, after_100},
	{{.after_id = N}, none},
	{{.after_id = INT64_MAX - 1}, none},
	{{.policy = "p-3",
	  .container = "web-2",
	  .verdicts = 1U << HT_VERDICT_DENY,
	  .since_us = START_US + 50000000,
	  .exe = "/usr/*"},
	 all_of_them},
	{{.container = "web-'; DROP TABLE event; --"}, none},
	{{.policy = "p-3' OR '1'='1"}, none},
	{{.path = "') OR 1=1 --"}, none},
	{{.exe = "\\"}, none},
	{{.container = ""}, none},
};

static struct place shared;

static void shared_new(void)
{
	shared = place_new();
	fill(&shared);
}

static void shared_free(void)
{
	place_free(&shared);
}

START_TEST(test_filter)
{
	bool (*match)(uint64_t i) = cases[_i].match;
	struct store_filter filter = cases[_i].filter;
	struct place_found found = place_query(&shared, filter);
	uint64_t n = 0, first = 0, last = 0;

	for (uint64_t i = 0; i < N; i++) {
		if (!match(i))
			continue;
		first = n++ == 0 ? i : first;
		last = i;
	}
	ck_assert_uint_eq(found.n, n);
	ck_assert_uint_eq(found.first_seq, first);
	ck_assert_uint_eq(found.last_seq, last);

	/* the newest three of them, oldest first and newest first */
	filter.limit = 3;
	found = place_query(&shared, filter);
	ck_assert_uint_eq(found.n, n < 3 ? n : 3);
	ck_assert_uint_eq(found.last_seq, last);
	filter.reverse = true;
	found = place_query(&shared, filter);
	ck_assert_uint_eq(found.n, n < 3 ? n : 3);
	ck_assert_uint_eq(found.first_seq, last);
	filter.limit = 0;
	found = place_query(&shared, filter);
	ck_assert_uint_eq(found.n, n);
	ck_assert_uint_eq(found.first_seq, last);
	ck_assert_uint_eq(found.last_seq, first);
	filter.limit = UINT64_MAX;
	filter.reverse = false;
	ck_assert_uint_eq(place_query(&shared, filter).n, n);
}
END_TEST

/* Names that are SQL are names, in rows and in filters. */
static const char *const hostile[] = {
	"'); DROP TABLE event; --", "\"; DELETE FROM rule; --",	       "' OR '1'='1", "?1", "%s%n",
	"\xff\xfe\n\033[31m",	    "x' UNION SELECT * FROM event --",
};

START_TEST(test_hostile_names)
{
	struct place place = place_new();
	struct store *store = place_open(&place, (struct store_config){0});
	const char *name = hostile[_i];
	struct store_filter filter = {
		.container = name, .policy = name, .rule = name, .path = name, .exe = name};
	struct event event = sample_event(0);

	free(event.container);
	event.container = sample_text(name);
	free(event.policy);
	event.policy = sample_text(name);
	free(event.rule_text);
	event.rule_text = sample_text(name);
	free(event.path.data);
	event.path = sample_bytes(name, strlen(name));
	free(event.exe.data);
	event.exe = sample_bytes(name, strlen(name));
	ck_assert(place_add(store, 1));
	ck_assert(store_add(store, &event));
	ck_assert(place_add(store, 2));
	(void)store_close(store, PLACE_TIMEOUT_MS);
	/* a `?` in the name is a wildcard that matches itself */
	ck_assert_uint_eq(place_query(&place, filter).n, 1);
	ck_assert_uint_eq(place_query(&place, (struct store_filter){0}).n, 3);
	place_free(&place);
}
END_TEST

/* ---- a slow reader ---- */

struct slow {
	const struct place *place;
	struct store *store;
	size_t n;
	uint64_t last_seq;
	size_t stop_at;
};

static int slow_each(const struct event *event, void *userdata)
{
	struct slow *slow = userdata;
	sqlite3 *db = NULL;
	int log = -1, checkpointed = -1;

	ck_assert(slow->n == 0 || event->seq == slow->last_seq + 1);
	slow->last_seq = event->seq;
	if (slow->n++ % 100 != 0)
		return slow->n == slow->stop_at ? 77 : 0;
	/* while this "pager" waits, the writer writes, and the log can be emptied: nothing is held
	 */
	for (uint64_t i = 0; i < 50; i++)
		ck_assert(place_add(slow->store, 1000000 + i));
	ck_assert_int_eq(store_flush(slow->store, PLACE_TIMEOUT_MS), 0);
	ck_assert_int_eq(sqlite3_open(slow->place->path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, "SELECT count(*) FROM sqlite_schema", NULL, NULL, NULL),
			 SQLITE_OK);
	ck_assert_int_eq(sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, &log,
						   &checkpointed),
			 SQLITE_OK);
	ck_assert_int_eq(log, 0);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
	return 0;
}

START_TEST(test_slow_reader)
{
	struct place place = place_new();
	struct store *store = place_open(&place, (struct store_config){.batch_ms = 1});
	struct slow slow = {.place = &place, .store = store};
	struct store_filter filter = {};
	struct store_reader *reader;

	for (uint64_t i = 0; i < 1500; i++)
		ck_assert(place_add(store, i));
	ck_assert_int_eq(store_flush(store, PLACE_TIMEOUT_MS), 0);
	reader = place_read(&place);
	ck_assert_int_eq(store_query(reader, &filter, slow_each, &slow), 0);
	/* what came meanwhile is not part of it: it ends although the writer does not */
	ck_assert_uint_eq(slow.n, 1500);
	ck_assert_uint_eq(place_stats(store).committed, 1500 + 15 * 50);
	(void)store_reader_close(reader);
	(void)store_close(store, PLACE_TIMEOUT_MS);
	place_free(&place);
}
END_TEST

/* The result of the callback ends the query, in the middle of a page too. */
START_TEST(test_stop)
{
	struct place place = place_new();
	struct store *store = place_open(&place, (struct store_config){.batch_ms = 1});
	struct slow slow = {.place = &place, .store = store, .stop_at = 333};
	struct store_filter filter = {};
	struct store_reader *reader;

	for (uint64_t i = 0; i < 600; i++)
		ck_assert(place_add(store, i));
	ck_assert_int_eq(store_flush(store, PLACE_TIMEOUT_MS), 0);
	reader = place_read(&place);
	ck_assert_int_eq(store_query(reader, &filter, slow_each, &slow), 77);
	ck_assert_uint_eq(slow.n, 333);
	(void)store_reader_close(reader);
	(void)store_close(store, PLACE_TIMEOUT_MS);
	place_free(&place);
}
END_TEST

/* Rows that are removed while a reader is between two pages: it goes on with what is left. */
static int remove_each(const struct event *event, void *userdata)
{
	struct slow *slow = userdata;

	if (slow->n++ == 0)
		place_sql(slow->place, "DELETE FROM event WHERE id <= 500");
	slow->last_seq = event->seq;
	return 0;
}

START_TEST(test_removed_between_pages)
{
	struct place place = place_new();
	struct slow slow = {.place = &place};
	struct store_filter filter = {};
	struct store_reader *reader;

	place_fill(&place, 0, 1000);
	reader = place_read(&place);
	ck_assert_int_eq(store_query(reader, &filter, remove_each, &slow), 0);
	/* one page was in memory, then the second half */
	ck_assert_uint_eq(slow.n, 256 + 500);
	ck_assert_uint_eq(slow.last_seq, 1099);
	(void)store_reader_close(reader);
	place_free(&place);
}
END_TEST

/* The wall clock steps back: time bounds are about times, whatever the ids. */
START_TEST(test_clock_steps)
{
	struct place place = place_new();
	struct store *store = place_open(&place, (struct store_config){0});
	struct place_found found;

	for (uint64_t i = 0; i < 300; i++) {
		struct event event = sample_event(i);

		/* 100 on day 10, 100 on day 1, 100 on day 11 */
		event.realtime_us = (i < 100 ? 10 : i < 200 ? 1 : 11) * (uint64_t)DAY_US + i;
		ck_assert(store_add(store, &event));
	}
	(void)store_close(store, PLACE_TIMEOUT_MS);
	found = place_query(&place, (struct store_filter){.since_us = 9 * (int64_t)DAY_US});
	ck_assert_uint_eq(found.n, 200);
	ck_assert_uint_eq(found.first_seq, 100);
	ck_assert_uint_eq(found.last_seq, 399);
	found = place_query(&place, (struct store_filter){.until_us = 9 * (int64_t)DAY_US});
	ck_assert_uint_eq(found.n, 100);
	ck_assert_uint_eq(found.first_seq, 200);
	found = place_query(&place, (struct store_filter){.since_us = 9 * (int64_t)DAY_US,
							  .until_us = 11 * (int64_t)DAY_US,
							  .limit = 2});
	ck_assert_uint_eq(found.n, 2);
	ck_assert_uint_eq(found.last_seq, 199);
	place_free(&place);
}
END_TEST

/* A newer writer migrates the store under a reader: it does not read what it may not understand, and says so. */
START_TEST(test_newer_meanwhile)
{
	struct place place = place_new();
	struct place_found found = {};
	struct store_filter filter = {0};
	struct store_reader *reader;
	char sql[64];

	place_fill(&place, 0, 10);
	reader = place_read(&place);
	ck_assert_int_eq(store_query(reader, &filter, place_found_each, &found), 0);
	(void)snprintf(sql, sizeof(sql), "PRAGMA user_version = %d", STORE_SCHEMA_VERSION + 1);
	place_sql(&place, sql);
	ck_assert_int_eq(store_query(reader, &filter, place_found_each, &found), -EINVAL);
	ck_assert_uint_eq(found.n, 10);
	(void)store_reader_close(reader);
	place_free(&place);
}
END_TEST

START_TEST(test_get)
{
	struct store_reader *reader = place_read(&shared);
	struct event event, expected = event_make(41);

	ck_assert_int_eq(store_get(reader, 42, &event), 0);
	ck_assert_int_eq(event.id, 42);
	ck_assert(sample_equal(&event, &expected));
	event_deinit(&event);
	event_deinit(&expected);
	ck_assert_int_eq(store_get(reader, 0, &event), -ENOENT);
	ck_assert_int_eq(store_get(reader, N + 1, &event), -ENOENT);
	ck_assert_int_eq(store_get(reader, INT64_MIN, &event), -ENOENT);
	(void)store_reader_close(reader);
}
END_TEST

START_TEST(test_get_process)
{
	struct place place = place_new();
	struct store *store = place_open(&place, (struct store_config){0});
	struct store_reader *reader;
	struct event event;
	uint8_t boot_id[16];

	for (uint64_t i = 0; i < 6; i++) {
		event = sample_event(i);
		event.kind = i == 5 ? EVENT_EXIT : EVENT_VERDICT;
		event.pid = i == 2 ? 8 : 7;
		event.start_ns = i == 3 ? 200 : 100;
		ck_assert(store_add(store, &event));
	}
	(void)store_close(store, PLACE_TIMEOUT_MS);
	reader = place_read(&place);
	event = sample_event(0);
	memcpy(boot_id, event.boot_id, sizeof(boot_id));
	event_deinit(&event);
	ck_assert_int_eq(store_get_process(reader, boot_id, 7, 100, 6, &event), 0);
	ck_assert_int_eq(event.id, 5); /* an exit is no verdict */
	event_deinit(&event);
	ck_assert_int_eq(store_get_process(reader, boot_id, 7, 100, 4, &event), 0);
	ck_assert_int_eq(event.id, 2); /* another process had the number meanwhile */
	event_deinit(&event);
	ck_assert_int_eq(store_get_process(reader, boot_id, 7, 300, 6, &event), -ENOENT);
	ck_assert_int_eq(store_get_process(reader, boot_id, 7, 100, 0, &event), -ENOENT);
	boot_id[0] ^= 1;
	ck_assert_int_eq(store_get_process(reader, boot_id, 7, 100, 6, &event), -ENOENT);
	(void)store_reader_close(reader);
	place_free(&place);
}
END_TEST

START_TEST(test_totals)
{
	struct place place = place_new();
	struct store *store = place_open(&place, (struct store_config){.batch_max = 7});
	struct store_reader *reader;
	struct store_totals totals;
	uint8_t boots[3][16] = {{1}, {2}, {3}};

	for (uint64_t i = 0; i < 120; i++) {
		struct event event = sample_event(i);
		static const enum event_kind kinds[] = {EVENT_VERDICT, EVENT_AGGREGATE, EVENT_LOSS,
							EVENT_EXIT};

		memcpy(event.boot_id, boots[i % 2], 16);
		event.kind = kinds[i / 2 % 4];
		event.verdict = i < 60 ? HT_VERDICT_DENY : HT_VERDICT_ALLOW;
		event.count = 1 + i % 2;
		ck_assert(store_add(store, &event));
	}
	(void)store_close(store, PLACE_TIMEOUT_MS);
	reader = place_read(&place);
	for (uint64_t boot = 0; boot < 2; boot++) {
		ck_assert_int_eq(store_totals(reader, boots[boot], &totals), 0);
		ck_assert_uint_eq(totals.rows, 120);
		ck_assert_uint_eq(totals.verdicts[HT_VERDICT_DENY], 8 * (1 + boot));
		ck_assert_uint_eq(totals.verdicts[HT_VERDICT_ALLOW], 7 * (1 + boot));
		ck_assert_uint_eq(totals.aggregated[HT_VERDICT_DENY], 8 * (1 + boot));
		ck_assert_uint_eq(totals.aggregated[HT_VERDICT_ALLOW], 7 * (1 + boot));
		ck_assert_uint_eq(totals.lost[HT_VERDICT_DENY], 7 * (1 + boot));
		ck_assert_uint_eq(totals.lost[HT_VERDICT_ALLOW], 8 * (1 + boot));
		ck_assert_uint_eq(totals.verdicts[HT_VERDICT_KILL], 0);
	}
	ck_assert_int_eq(store_totals(reader, boots[2], &totals), 0);
	ck_assert_uint_eq(totals.verdicts[HT_VERDICT_DENY], 0);
	ck_assert_uint_eq(totals.rows, 120);
	(void)store_reader_close(reader);
	place_free(&place);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("query");

	tcase_add_unchecked_fixture(tc, shared_new, shared_free);
	tcase_add_loop_test(tc, test_filter, 0, (int)ARRAY_LEN(cases));
	tcase_add_loop_test(tc, test_hostile_names, 0, (int)ARRAY_LEN(hostile));
	tcase_add_test(tc, test_slow_reader);
	tcase_add_test(tc, test_stop);
	tcase_add_test(tc, test_removed_between_pages);
	tcase_add_test(tc, test_clock_steps);
	tcase_add_test(tc, test_newer_meanwhile);
	tcase_add_test(tc, test_get);
	tcase_add_test(tc, test_get_process);
	tcase_add_test(tc, test_totals);
	tcase_set_timeout(tc, 0);
	return tcase_run(tc);
}
