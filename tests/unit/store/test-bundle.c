/* SPDX-License-Identifier: Apache-2.0 */

/* store/bundle.c, bundled.c: what is packed comes back, what is damaged is found, and bundles and
 * rows are one store to whoever reads. */

#include "store/bundle.h"
#include "tests/unit/runner.h"
#include "tests/unit/store/place.h"

#define N 1000

/* Event i: three of four are bundled. */
static struct event mixed_event(uint64_t i)
{
	struct event event = sample_event(i * 1000000);
	char text[64];

	event.seq = i;
	event.kind = i % 4 == 1 ? EVENT_EXIT : EVENT_VERDICT;
	event.verdict = i % 4 == 3 ? HT_VERDICT_DENY : HT_VERDICT_ALLOW;
	event.pid = (uint32_t)(i * 2654435761U);
	event.exit_code = -(int32_t)i;
	event.exec_id = i << 60 | i;
	event.cgroup_id = 1 + i / 100;
	if (i % 3 == 0) {
		free(event.argv.data);
		event.argv = (struct event_bytes){};
	}
	(void)snprintf(text, sizeof(text), "/srv/%llu", (unsigned long long)(i % 7));
	free(event.path.data);
	event.path = sample_bytes(text, strlen(text));
	return event;
}

static void fill(const struct place *place, struct store_config config)
{
	struct store *store = place_open(place, config);

	for (uint64_t i = 0; i < N; i++) {
		struct event event = mixed_event(i);

		ck_assert(store_add(store, &event));
		if (i % 100 == 99)
			ck_assert_int_eq(store_flush(store, PLACE_TIMEOUT_MS), 0);
	}
	(void)store_close(store, PLACE_TIMEOUT_MS);
}

static void ck_equal(const struct event *event, uint64_t i)
{
	struct event want = mixed_event(i);

	ck_assert(row_equal(ROW_EVENT, event, &want));
	ck_assert(row_equal(ROW_PLACE, event, &want));
	ck_assert(row_equal(ROW_RULE, event, &want));
	ck_assert(row_equal(ROW_BOOT, event, &want));
	event_deinit(&want);
}

START_TEST(test_unpack)
{
	struct row_value values[3 * BUNDLE_COLUMNS_MAX];
	struct bundle bundle = {};
	struct event events[3];

	for (uint64_t i = 0; i < 3; i++) {
		int64_t keys[3] = {1, (int64_t)i, INT64_MAX - (int64_t)i};

		events[i] = mixed_event(i);
		ck_assert_int_eq(bundle_add(&bundle, &events[i], (int64_t)(1 + 2 * i), keys),
				 SQLITE_OK);
	}
	ck_assert_uint_eq(bundle.n, 3);
	ck_assert_int_eq(bundle.first, 1);
	ck_assert_int_eq(bundle.last, 5);
	ck_assert_int_eq(bundle.until_us - bundle.since_us,
			 (int64_t)(events[2].realtime_us - events[0].realtime_us));
	ck_assert_int_eq(bundle_unpack(bundle.data.data, bundle.data.len, 3, values), SQLITE_OK);
	for (size_t i = 0; i < 3; i++) {
		const struct row_value *v = values + i * bundle_columns();

		ck_assert_int_eq(v[0].number, (int64_t)(1 + 2 * i));
		ck_assert_int_eq(v[2].number, (int64_t)i);
		ck_assert_int_eq(v[3].number, INT64_MAX - (int64_t)i);
		for (size_t c = 0; c < row_columns(ROW_EVENT); c++) {
			struct row_value want;

			ck_assert(row_value(ROW_EVENT, c, &events[i], &want));
			ck_assert_int_eq(v[BUNDLE_KEYS + c].form, want.form);
			ck_assert_int_eq(v[BUNDLE_KEYS + c].number, want.number);
			ck_assert_uint_eq(v[BUNDLE_KEYS + c].len, want.len);
			if (want.len > 0)
				ck_assert_mem_eq(v[BUNDLE_KEYS + c].data, want.data, want.len);
		}
	}
	for (size_t i = 0; i < 3; i++)
		event_deinit(&events[i]);
	bundle_deinit(&bundle);
}
END_TEST

/* Every beginning of a bundle is damage, and so is more of it than there should be; no byte makes
 * it read beyond the end. */
START_TEST(test_unpack_damage)
{
	struct row_value values[2 * BUNDLE_COLUMNS_MAX];
	struct bundle bundle = {};
	struct event one = mixed_event(0), other = mixed_event(1);
	const int64_t keys[3] = {1, 2, 3};

	ck_assert_int_eq(bundle_add(&bundle, &one, 1, keys), SQLITE_OK);
	ck_assert_int_eq(bundle_add(&bundle, &other, 2, keys), SQLITE_OK);
	for (size_t len = 0; len < bundle.data.len; len++) {
		char *copy =
			malloc(len + 1); /* of its very size: the sanitizer sees one byte more */

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, bundle.data.data, len);
		ck_assert_int_eq(bundle_unpack(copy, len, 2, values), SQLITE_CORRUPT);
		free(copy);
	}
	ck_assert_int_eq(bundle_unpack(bundle.data.data, bundle.data.len, 1, values),
			 SQLITE_CORRUPT);
	for (size_t i = 0; i < bundle.data.len; i++) {
		for (unsigned bit = 0; bit < 8; bit++) {
			char *copy = malloc(bundle.data.len);

			ck_assert_ptr_nonnull(copy);
			memcpy(copy, bundle.data.data, bundle.data.len);
			copy[i] ^= (char)(1U << bit);
			(void)bundle_unpack(copy, bundle.data.len, 2, values);
			free(copy);
		}
	}
	event_deinit(&one);
	event_deinit(&other);
	bundle_deinit(&bundle);
}
END_TEST

START_TEST(test_unknown_code)
{
	struct bundle bundle = {};
	struct event event = mixed_event(0);
	const int64_t keys[3] = {1, 2, 3};

	event.reason = HT_REASON_MAX;
	ck_assert_int_eq(bundle_add(&bundle, &event, 1, keys), SQLITE_RANGE);
	ck_assert_uint_eq(bundle.n, 0);
	ck_assert_uint_eq(bundle.data.len, 0);
	event_deinit(&event);
	bundle_deinit(&bundle);
}
END_TEST

static int each_is_next(const struct event *event, void *userdata)
{
	uint64_t *i = userdata;

	ck_assert_int_eq(event->id, (int64_t)*i + 1);
	ck_equal(event, *i);
	(*i)++;
	return 0;
}

/* Bundled or not, every event is there, once, in order, and is what it was. */
START_TEST(test_one_store)
{
	struct place place = place_new();
	_cleanup_free_ char *text = NULL;
	struct store_reader *reader;
	uint64_t i = 0;

	fill(&place, (struct store_config){0});
	ck_assert_int_eq(place_sql_number(&place, "SELECT count(*) FROM event"), N / 4);
	ck_assert_int_eq(place_sql_number(&place, "SELECT sum(n) FROM bundle"), N - N / 4);
	ck_assert_int_le(place_sql_number(&place, "SELECT count(*) FROM bundle"), 2 * N / 100);
	reader = place_read(&place);
	ck_assert_int_eq(store_query(reader, &(struct store_filter){0}, each_is_next, &i), 0);
	ck_assert_uint_eq(i, N);
	for (int64_t id = 1; id <= N; id += 37) {
		struct event event;

		ck_assert_int_eq(store_get(reader, id, &event), 0);
		ck_equal(&event, (uint64_t)id - 1);
		event_deinit(&event);
	}
	ck_assert_int_eq(store_verify(reader, &text), 0);
	(void)store_reader_close(reader);
	place_free(&place);
}
END_TEST

/* What is too old goes, bundles with their last event; what is left is in order. */
START_TEST(test_removal)
{
	struct place place = place_new();
	_cleanup_free_ char *text = NULL;
	struct store_reader *reader;
	struct place_found found;

	fill(&place, (struct store_config){.rows_max = 250});
	found = place_query(&place, (struct store_filter){0});
	ck_assert_int_eq(found.last_id, N);
	ck_assert_uint_ge(found.n, 250);
	ck_assert_uint_lt(found.n, 250 + BUNDLE_EVENTS_MAX);
	ck_assert_int_le(place_sql_number(&place, "SELECT count(*) FROM bundle_time WHERE bundle <"
						  " (SELECT min(id) FROM bundle)"),
			 1);
	reader = place_read(&place);
	ck_assert_int_eq(store_verify(reader, &text), 0);
	(void)store_reader_close(reader);
	place_free(&place);
}
END_TEST

static void add(struct store *store, uint64_t from, uint64_t n, uint8_t verdict)
{
	for (uint64_t i = from; i < from + n; i++) {
		struct event event = mixed_event(4 * i);

		event.verdict = verdict;
		event.cgroup_id = 1;
		ck_assert(store_add(store, &event));
	}
	ck_assert_int_eq(store_flush(store, PLACE_TIMEOUT_MS), 0);
}

/* Where the last bundle went, and what it referred to was forgotten, the next is found by it all the same. */
START_TEST(test_removal_of_all)
{
	struct place place = place_new();
	_cleanup_free_ char *text = NULL;
	struct store_reader *reader;
	struct store *store = place_open(&place, (struct store_config){.rows_max = 20});

	add(store, 0, 10, HT_VERDICT_ALLOW);
	add(store, 10, 40, HT_VERDICT_DENY);
	ck_assert_int_eq(place_sql_number(&place, "SELECT count(*) FROM bundle"), 0);
	ck_assert_int_eq(place_sql_number(&place, "SELECT count(*) FROM bundle_note"), 0);
	add(store, 50, 10, HT_VERDICT_ALLOW);
	(void)store_close(store, PLACE_TIMEOUT_MS);
	ck_assert_int_eq(place_sql_number(&place, "SELECT count(*) FROM bundle"), 1);
	reader = place_read(&place);
	ck_assert_int_eq(store_verify(reader, &text), 0);
	(void)store_reader_close(reader);
	place_free(&place);
}
END_TEST

/* A store of the first version has rows alone; they stay, and what comes is bundled. */
START_TEST(test_migrated)
{
	struct place place = place_new();
	_cleanup_free_ char *text = NULL;
	struct store_reader *reader;
	struct place_found found;

	place_fill(&place, 0, 10);
	place_sql(&place, "DROP TABLE bundle_time; DROP TABLE bundle_note; DROP TABLE bundle; UPDATE event SET verdict = 0;"
			  "UPDATE total SET verdict = 0; PRAGMA user_version = 1");
	fill(&place, (struct store_config){0});
	found = place_query(&place, (struct store_filter){.verdicts = 1U << HT_VERDICT_ALLOW});
	ck_assert_int_eq(found.first_id, 1);
	ck_assert_uint_eq(found.n, 10 + N / 2);
	reader = place_read(&place);
	ck_assert_int_eq(store_verify(reader, &text), 0);
	(void)store_reader_close(reader);
	place_free(&place);
}
END_TEST

/* Events of some containers, over several spans of ids and many minutes, of a clock that steps back, and forward again. */
#define FOUND_N 9000
#define FOUND_PLACES 8
#define FOUND_MINUTE 60000000ULL

static struct event found_event(uint64_t i)
{
	struct event event = sample_event(i * 1000000);
	char text[16];

	event.seq = i;
	event.verdict = i % 16 == 3 ? HT_VERDICT_DENY : HT_VERDICT_ALLOW;
	event.cgroup_id = 1 + i / 1500 % FOUND_PLACES;
	(void)snprintf(text, sizeof(text), "c%llu", (unsigned long long)event.cgroup_id);
	free(event.container);
	event.container = strdup(text);
	event.realtime_us = FOUND_MINUTE * (i % 5000 < 3000 ? 1000 + i / 700 : 900 + i / 700) + i;
	return event;
}

/* What the filters must find, counted one by one. */
struct found_all {
	size_t n;
	uint64_t cgroups[FOUND_N], times[FOUND_N];
};

static int found_each(const struct event *event, void *userdata)
{
	struct found_all *all = userdata;

	ck_assert_uint_lt(all->n, FOUND_N);
	all->cgroups[all->n] = event->cgroup_id;
	all->times[all->n++] = event->realtime_us;
	return 0;
}

static uint64_t found_count(const struct found_all *all, uint64_t cgroup, uint64_t since, uint64_t until)
{
	uint64_t n = 0;

	for (size_t i = 0; i < all->n; i++)
		n += (cgroup == 0 || all->cgroups[i] == cgroup) && all->times[i] >= since &&
		     (until == 0 || all->times[i] <= until);
	return n;
}

static void ck_found(const struct place *place, const struct found_all *all)
{
	for (uint64_t cgroup = 1; cgroup <= FOUND_PLACES; cgroup++) {
		char text[16];

		(void)snprintf(text, sizeof(text), "c%llu", (unsigned long long)cgroup);
		ck_assert_uint_eq(place_query(place, (struct store_filter){.container = text}).n,
				  found_count(all, cgroup, 0, 0));
	}
	for (size_t i = 0; i + 1 < all->n; i++) {
		uint64_t us = all->times[i];

		if (i % 500 != 0 && us / FOUND_MINUTE == all->times[i + 1] / FOUND_MINUTE)
			continue;
		ck_assert_uint_eq(place_query(place, (struct store_filter){.since_us = (int64_t)us}).n,
				  found_count(all, 0, us, 0));
		ck_assert_uint_eq(place_query(place, (struct store_filter){.until_us = (int64_t)us}).n,
				  found_count(all, 0, 0, us));
	}
	ck_assert_uint_eq(place_query(place, (struct store_filter){.since_us = 1200 * (int64_t)FOUND_MINUTE}).n, 0);
	ck_assert_uint_eq(place_query(place, (struct store_filter){.until_us = 800 * (int64_t)FOUND_MINUTE}).n, 0);
}

/* Whatever old rows went, and whether or not the notes were made by the version before: what is there is found by its place and
 * its time, and by nothing else. */
START_TEST(test_found)
{
	static struct found_all all;
	struct place place = place_new();
	struct store_config config = {.rows_max = _i == 0 ? FOUND_N : 4500 + (uint64_t)_i};
	_cleanup_free_ char *text = NULL;
	struct store_reader *reader;
	struct store *store = place_open(&place, config);

	for (uint64_t i = 0; i < FOUND_N; i++) {
		struct event event = found_event(i);

		ck_assert(store_add(store, &event));
		if (i % 300 == 299)
			ck_assert_int_eq(store_flush(store, PLACE_TIMEOUT_MS), 0);
		if (_i == 2 && i == FOUND_N / 2) {
			(void)store_close(store, PLACE_TIMEOUT_MS);
			place_to_version_2(&place);
			store = place_open(&place, config);
		}
	}
	(void)store_close(store, PLACE_TIMEOUT_MS);
	reader = place_read(&place);
	ck_assert_int_eq(store_verify(reader, &text), 0);
	all.n = 0;
	ck_assert_int_eq(store_query(reader, &(struct store_filter){0}, found_each, &all), 0);
	(void)store_reader_close(reader);
	ck_assert_uint_ge(all.n, config.rows_max < FOUND_N ? config.rows_max : FOUND_N);
	if (_i > 0) {
		ck_assert_uint_lt(all.n, config.rows_max + BUNDLE_EVENTS_MAX);
		ck_assert_int_eq(place_sql_number(&place, "SELECT count(*) FROM bundle_note WHERE span <"
							  " (SELECT min(id) - min(id) % 4096 FROM bundle)"),
				 0);
		ck_assert_int_eq(place_sql_number(&place, "SELECT count(*) FROM place WHERE cgroup_id = 2"), 0);
	}
	ck_found(&place, &all);
	place_free(&place);
}
END_TEST

/* A store of the second version has notes of each bundle, and indexes: it is found by them as what came later is by its own. */
START_TEST(test_migrated_bundles)
{
	struct place place = place_new();
	_cleanup_free_ char *text = NULL;
	struct store_reader *reader;
	struct place_found all, some;
	int64_t middle;

	fill(&place, (struct store_config){0});
	place_to_version_2(&place);
	place_fill(&place, N, 10);
	ck_assert_int_eq(place_sql_number(&place, "PRAGMA user_version"), STORE_SCHEMA_VERSION);
	ck_assert_int_eq(place_sql_number(&place, "SELECT count(*) FROM sqlite_schema WHERE name GLOB 'bundle_key*' OR name GLOB 'bundle_by*'"), 0);
	ck_assert_int_eq(place_sql_number(&place, "SELECT count(*) FROM bundle_time WHERE bundle <= 500"),
			 place_sql_number(&place, "SELECT count(*) FROM bundle WHERE id <= 500"));
	reader = place_read(&place);
	ck_assert_int_eq(store_verify(reader, &text), 0);
	(void)store_reader_close(reader);
	all = place_query(&place, (struct store_filter){0});
	ck_assert_uint_eq(all.n, N + 10);
	middle = place_sql_number(&place, "SELECT max(since_us) FROM bundle");
	some = place_query(&place, (struct store_filter){.since_us = middle});
	ck_assert_uint_gt(some.n, 0);
	ck_assert_int_eq((int64_t)some.n,
			 place_query(&place, (struct store_filter){0}).n -
				 place_query(&place, (struct store_filter){.until_us = middle - 1}).n);
	place_free(&place);
}
END_TEST

static const char *const damages[] = {
	"UPDATE bundle SET n = n + 1 WHERE id = (SELECT max(id) FROM bundle)",
	"UPDATE bundle SET data = substr(data, 2)",
	"UPDATE bundle SET data = zeroblob(length(data))",
	"UPDATE bundle SET last = last + 1000",
	"UPDATE bundle SET until_us = since_us",
	"DELETE FROM bundle_note WHERE what = 1",
	"DELETE FROM bundle_note WHERE what = 0",
	"DELETE FROM bundle_time",
	"UPDATE bundle_time SET since = since + 1, until = until + 1",
};

START_TEST(test_damage)
{
	struct place place = place_new();
	_cleanup_free_ char *text = NULL;
	struct store_reader *reader;

	fill(&place, (struct store_config){0});
	place_sql(&place, damages[_i]);
	reader = place_read(&place);
	ck_assert_int_eq(store_verify(reader, &text), STORE_E_DAMAGED);
	ck_assert_ptr_nonnull(text);
	(void)store_reader_close(reader);
	place_free(&place);
}
END_TEST

/* A bundle that cannot be read ends a query with an error, and nothing else. */
START_TEST(test_query_damage)
{
	struct place place = place_new();
	struct place_found found = {};
	struct store_reader *reader;

	fill(&place, (struct store_config){0});
	place_sql(&place, "UPDATE bundle SET data = x'ff' WHERE id > 500");
	reader = place_read(&place);
	ck_assert_int_eq(store_query(reader, &(struct store_filter){0}, place_found_each, &found),
			 -EBADMSG);
	ck_assert_uint_gt(found.n, 0);
	(void)store_reader_close(reader);
	place_free(&place);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("bundle");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, test_unpack);
	tcase_add_test(tc, test_unpack_damage);
	tcase_add_test(tc, test_unknown_code);
	tcase_add_test(tc, test_one_store);
	tcase_add_test(tc, test_removal);
	tcase_add_test(tc, test_removal_of_all);
	tcase_add_test(tc, test_migrated);
	tcase_add_loop_test(tc, test_found, 0, 3);
	tcase_add_test(tc, test_migrated_bundles);
	tcase_add_loop_test(tc, test_damage, 0, (int)(sizeof(damages) / sizeof(damages[0])));
	tcase_add_test(tc, test_query_damage);
	return tcase_run(tc);
}
