/* SPDX-License-Identifier: Apache-2.0 */

/* store/store.c, writer.c, sink.c, intern.c on a disk that works: batches, numbers, removal,
 * ending. */

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "tests/unit/runner.h"
#include "tests/unit/store/place.h"

static double now(void)
{
	struct timespec ts;

	ck_assert_int_eq(clock_gettime(CLOCK_MONOTONIC, &ts), 0);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

START_TEST(test_flush)
{
	struct place place = place_new();
	struct store *store = place_open(&place, (struct store_config){.batch_ms = 3600000});
	struct store_stats stats;

	/* nothing to do is done */
	ck_assert_int_eq(store_flush(store, PLACE_TIMEOUT_MS), 0);
	for (uint64_t i = 0; i < 1000; i++)
		ck_assert(place_add(store, i));
	/* it does not wait the hour that a batch may take */
	ck_assert_int_eq(store_flush(store, PLACE_TIMEOUT_MS), 0);
	stats = place_stats(store);
	ck_assert_uint_eq(stats.offered, 1000);
	ck_assert_uint_eq(stats.queued, 1000);
	ck_assert_uint_eq(stats.committed, 1000);
	ck_assert_uint_eq(stats.committed_verdicts[HT_VERDICT_DENY], 1000);
	ck_assert_uint_eq(stats.pending, 0);
	ck_assert_uint_eq(stats.dropped, 0);
	ck_assert_int_eq(stats.last_id, 1000);
	ck_assert(!stats.degraded);
	ck_assert_uint_eq(place_query(&place, (struct store_filter){0}).n, 1000);
	(void)store_close(store, PLACE_TIMEOUT_MS);
	place_free(&place);
}
END_TEST

static const char *const name_texts[EVENT_NAMES] = {"one", "two", "three", NULL};

/* Names that events have in common outlive whoever made them, in either thread, and are let go of with the last event that is
 * committed, dropped, or still waiting in the end. */
START_TEST(test_names_in_common)
{
	struct place place = place_new();
	struct store *store = place_open(&place, (struct store_config){.batch_ms = 1, .batch_max = 7, .queue_max = 300});
	struct event_names *rule = NULL, *of_place = NULL;
	struct event kept = {};
	uint64_t queued = 0;

	for (uint64_t i = 0; i < 3000; i++) {
		struct event event = sample_event(i);

		if (i % 50 == 0) {
			rule = event_names_unref(rule);
			of_place = event_names_unref(of_place);
			rule = event_names_new(name_texts);
			of_place = event_names_new(name_texts);
		}
		event.verdict = i % 3 ? HT_VERDICT_ALLOW : HT_VERDICT_DENY;
		event_set_rule(&event, rule);
		event_set_place(&event, of_place);
		event_deinit(&kept);
		ck_assert_int_eq(event_copy(&event, &kept), 0);
		queued += store_add(store, &event);
	}
	(void)event_names_unref(rule);
	(void)event_names_unref(of_place);
	ck_assert_int_eq(store_flush(store, PLACE_TIMEOUT_MS), 0);
	ck_assert_uint_eq(place_stats(store).committed, queued);
	(void)store_close(store, PLACE_TIMEOUT_MS);
	ck_assert_str_eq(kept.policy, "one");
	ck_assert_str_eq(kept.container, "two");
	event_deinit(&kept);
	ck_assert_uint_eq(place_query(&place, (struct store_filter){.policy = "one", .rule = "three", .container = "two"}).n,
			  queued);
	place_free(&place);
}
END_TEST

static bool one_committed(const struct store_stats *s)
{
	return s->committed == 1;
}

/* One event alone is committed after batch_ms, and the numbers tell. */
START_TEST(test_batch_time)
{
	struct place place = place_new();
	struct store *store = place_open(&place, (struct store_config){.batch_ms = 10});

	ck_assert(place_add(store, 0));
	place_wait(store, one_committed);
	(void)store_close(store, PLACE_TIMEOUT_MS);
	place_free(&place);
}
END_TEST

static bool hundred_committed(const struct store_stats *s)
{
	return s->committed == 100;
}

/* A full batch does not wait for its time. */
START_TEST(test_batch_size)
{
	struct place place = place_new();
	struct store *store =
		place_open(&place, (struct store_config){.batch_ms = 3600000, .batch_max = 10});

	for (uint64_t i = 0; i < 100; i++)
		ck_assert(place_add(store, i));
	place_wait(store, hundred_committed);
	(void)store_close(store, PLACE_TIMEOUT_MS);
	place_free(&place);
}
END_TEST

START_TEST(test_close_commits)
{
	struct place place = place_new();
	struct store *store = place_open(&place, (struct store_config){.batch_ms = 3600000});

	for (uint64_t i = 0; i < 20000; i++)
		ck_assert(place_add(store, i));
	ck_assert_ptr_null(store_close(store, PLACE_TIMEOUT_MS));
	ck_assert_uint_eq(place_count(&place, "-wal"), 0);
	ck_assert_uint_eq(place_query(&place, (struct store_filter){0}).n, 20000);
	place_free(&place);
}
END_TEST

START_TEST(test_close_at_once)
{
	struct place place = place_new();
	struct store_config config = {.path = place.path};
	struct store *store = NULL;

	ck_assert_ptr_null(store_close(NULL, 0));
	ck_assert_int_eq(store_open(&config, &store), 0);
	ck_assert_ptr_null(store_close(store, PLACE_TIMEOUT_MS));
	ck_assert_uint_eq(place_query(&place, (struct store_filter){0}).n, 0);
	place_free(&place);
}
END_TEST

START_TEST(test_ids_go_on)
{
	struct place place = place_new();
	struct place_found found;

	place_fill(&place, 0, 10);
	place_fill(&place, 10, 10);
	found = place_query(&place, (struct store_filter){0});
	ck_assert_uint_eq(found.n, 20);
	ck_assert_int_eq(found.first_id, 1);
	ck_assert_int_eq(found.last_id, 20);
	ck_assert_uint_eq(found.last_seq, 119);
	place_free(&place);
}
END_TEST

static sqlite3 *lock_take(const struct place *place)
{
	sqlite3 *db = NULL;

	ck_assert_int_eq(sqlite3_open(place->path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	return db;
}

static void lock_release(sqlite3 *db)
{
	ck_assert_int_eq(sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

/* The disk does not take anything: exactly queue_max are held, exactly the rest is dropped, by
 * verdict, and adding does not wait. Later all that was held arrives, in order. */
START_TEST(test_queue_full)
{
	static const uint8_t verdicts[] = {HT_VERDICT_DENY, HT_VERDICT_WOULD_DENY,
					   HT_VERDICT_ALLOW};
	struct place place = place_new();
	struct store_config config = {.queue_max = 300, .batch_max = 50, .batch_ms = 1};
	struct store_stats stats;
	struct place_found found;
	struct store *store;
	sqlite3 *db;
	double start;

	place_fill(&place, 0, 1);
	store = place_open(&place, config);
	place_wait(store, place_is_good);
	db = lock_take(&place);
	start = now();
	for (uint64_t i = 0; i < 450; i++) {
		struct event event = sample_event(i);

		event.verdict = verdicts[i % 3];
		if (i % 10 == 0)
			event.kind = EVENT_EXIT;
		ck_assert_int_eq(store_add(store, &event), i < 300);
	}
	ck_assert_double_lt(now() - start, 1.0);
	stats = place_stats(store);
	ck_assert_uint_eq(stats.pending, 300);
	ck_assert_uint_eq(stats.dropped, 150);
	/* of 150, each tenth is no verdict */
	for (size_t i = 0; i < 3; i++) {
		ck_assert_uint_eq(stats.dropped_verdicts[verdicts[i]], 45);
		ck_assert_uint_eq(stats.pending_verdicts[verdicts[i]], 90);
	}
	ck_assert_int_eq(store_flush(store, 50), -ETIMEDOUT);
	lock_release(db);
	ck_assert_int_eq(store_flush(store, PLACE_TIMEOUT_MS), 0);
	stats = place_stats(store);
	ck_assert_uint_eq(stats.committed, 300);
	ck_assert_uint_eq(stats.dropped, 150);
	ck_assert(!stats.degraded);
	/* and there is room again */
	ck_assert(place_add(store, 500));
	(void)store_close(store, PLACE_TIMEOUT_MS);
	found = place_query(&place, (struct store_filter){.after_id = 1});
	ck_assert_uint_eq(found.n, 301);
	ck_assert_uint_eq(found.first_seq, 100);
	ck_assert_uint_eq(found.last_seq, 600);
	place_free(&place);
}
END_TEST

/* The disk never takes it: closing waits as long as it may and no longer. */
START_TEST(test_close_gives_up)
{
	struct place place = place_new();
	struct store *store;
	sqlite3 *db;
	double start;

	place_fill(&place, 0, 1);
	store = place_open(&place, (struct store_config){.batch_ms = 1});
	place_wait(store, place_is_good);
	db = lock_take(&place);
	ck_assert(place_add(store, 1));
	start = now();
	ck_assert_ptr_null(store_close(store, 200));
	ck_assert_double_ge(now() - start, 0.15);
	ck_assert_double_lt(now() - start, 10.0);
	lock_release(db);
	/* an abandoned writer may still be at it: wait until it has let go of the files */
	for (int i = 0; i < 600 && place_count(&place, "-wal") > 0; i++)
		(void)poll(NULL, 0, 100);
	ck_assert_uint_eq(place_count(&place, "-wal"), 0);
	ck_assert_uint_le(place_query(&place, (struct store_filter){0}).n, 2);
	place_free(&place);
}
END_TEST

/* Events that no row can hold are dropped and counted; their neighbours are stored. */
START_TEST(test_unknown_codes)
{
	struct place place = place_new();
	struct store *store = place_open(&place, (struct store_config){.batch_ms = 3600000});
	struct store_stats stats;
	struct place_found found;

	for (uint64_t i = 0; i < 70; i++) {
		struct event event = sample_event(i);

		switch (i % 10) {
		case 1:
			event.kind = _EVENT_KIND_MAX;
			break;
		case 2:
			event.verdict = HT_VERDICT_MAX;
			break;
		case 3:
			event.reason = 255;
			break;
		case 4:
			event.severity = _POLICY_SEVERITY_MAX;
			break;
		case 5:
			event.seq = UINT64_MAX;
			break;
		case 6:
			event.flags = UINT32_MAX;
			break;
		default:
			break;
		}
		ck_assert(store_add(store, &event));
	}
	ck_assert_int_eq(store_flush(store, PLACE_TIMEOUT_MS), 0);
	stats = place_stats(store);
	ck_assert_uint_eq(stats.committed, 28);
	ck_assert_uint_eq(stats.dropped, 42);
	/* kind and verdict out of range are of no verdict's count */
	ck_assert_uint_eq(stats.dropped_verdicts[HT_VERDICT_DENY], 28);
	ck_assert_int_eq(stats.last_id, 28);
	ck_assert(!stats.degraded);
	ck_assert_str_ne(stats.last_error, "");
	(void)store_close(store, PLACE_TIMEOUT_MS);
	found = place_query(&place, (struct store_filter){0});
	ck_assert_uint_eq(found.n, 28);
	ck_assert_int_eq(found.last_id, 28);
	place_free(&place);
}
END_TEST

START_TEST(test_removal)
{
	struct place place = place_new();
	struct store *store =
		place_open(&place, (struct store_config){.rows_max = 1000, .batch_max = 500});
	uint8_t boot_id[16];
	struct store_totals totals;
	struct store_reader *reader;
	struct store_stats stats;
	struct place_found found;
	struct event sample = sample_event(0);

	memcpy(boot_id, sample.boot_id, sizeof(boot_id));
	event_deinit(&sample);
	for (uint64_t i = 0; i < 5000; i++) {
		struct event event = sample_event(i);

		/* containers and rules come and go */
		event.cgroup_id = 1 + i / 10;
		event.rule_id = 1 + i / 100;
		ck_assert(store_add(store, &event));
		if (i % 500 == 499)
			ck_assert_int_eq(store_flush(store, PLACE_TIMEOUT_MS), 0);
	}
	stats = place_stats(store);
	ck_assert_uint_eq(stats.removed, 4000);
	(void)store_close(store, PLACE_TIMEOUT_MS);
	found = place_query(&place, (struct store_filter){0});
	ck_assert_uint_eq(found.n, 1000);
	ck_assert_int_eq(found.first_id, 4001);
	ck_assert_int_eq(found.last_id, 5000);
	/* companions without an event went too, in steps; those in use stayed */
	ck_assert_int_lt(place_sql_number(&place, "SELECT count(*) FROM place"), 500);
	ck_assert_int_ge(place_sql_number(&place, "SELECT count(*) FROM place"), 100);
	ck_assert_int_eq(place_sql_number(&place, "SELECT count(*) FROM event WHERE place NOT IN"
						  " (SELECT key FROM place)"),
			 0);
	/* the ledger stays whole */
	reader = place_read(&place);
	ck_assert_int_eq(store_totals(reader, boot_id, &totals), 0);
	ck_assert_uint_eq(totals.rows, 1000);
	ck_assert_uint_eq(totals.verdicts[HT_VERDICT_DENY], 5000);
	(void)store_reader_close(reader);
	place_free(&place);
}
END_TEST

/* After the limit was lowered, removal is in bounded steps. */
START_TEST(test_removal_steps)
{
	struct place place = place_new();
	struct store *store;

	place_fill(&place, 0, 4000);
	store = place_open(&place, (struct store_config){.rows_max = 10});
	ck_assert(place_add(store, 5000));
	ck_assert_int_eq(store_flush(store, PLACE_TIMEOUT_MS), 0);
	ck_assert_uint_eq(place_stats(store).removed, 1024);
	for (uint64_t i = 0; i < 3; i++) {
		ck_assert(place_add(store, 5001 + i));
		ck_assert_int_eq(store_flush(store, PLACE_TIMEOUT_MS), 0);
	}
	ck_assert_uint_eq(place_stats(store).removed, 3994);
	(void)store_close(store, PLACE_TIMEOUT_MS);
	ck_assert_uint_eq(place_query(&place, (struct store_filter){0}).n, 10);
	place_free(&place);
}
END_TEST

static void *add_many(void *userdata)
{
	struct store *store = userdata;

	for (uint64_t i = 0; i < 3000; i++) {
		struct event event = {
			.kind = EVENT_VERDICT, .verdict = i % HT_VERDICT_MAX, .seq = i};

		(void)store_add(store, &event);
	}
	return NULL;
}

/* The numbers agree whenever one looks, also while several threads add and the writer writes. */
START_TEST(test_numbers_at_every_moment)
{
	struct place place = place_new();
	struct store *store = place_open(
		&place, (struct store_config){.queue_max = 500, .batch_max = 64, .batch_ms = 1});
	pthread_t threads[4];
	struct store_stats stats;

	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, add_many, store), 0);
	do {
		stats = place_stats(store);
		ck_assert_uint_le(stats.pending, 500);
	} while (stats.offered < 12000);
	for (size_t i = 0; i < ARRAY_LEN(threads); i++)
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
	ck_assert_int_eq(store_flush(store, PLACE_TIMEOUT_MS), 0);
	stats = place_stats(store);
	ck_assert_uint_eq(stats.offered, 12000);
	ck_assert_uint_eq(stats.committed + stats.dropped, 12000);
	(void)store_close(store, PLACE_TIMEOUT_MS);
	ck_assert_uint_eq(place_query(&place, (struct store_filter){0}).n, stats.committed);
	place_free(&place);
}
END_TEST

/* A line of /proc/self/task/TID/status of the writer. */
static unsigned long long writer_signals_blocked(void)
{
	unsigned long long blocked = 0;
	const struct dirent *entry;
	DIR *d = opendir("/proc/self/task");

	ck_assert_ptr_nonnull(d);
	while ((entry = readdir(d))) {
		char path[300], line[256];
		bool writer = false;
		FILE *f;

		if (entry->d_name[0] == '.')
			continue;
		(void)snprintf(path, sizeof(path), "/proc/self/task/%s/status", entry->d_name);
		f = fopen(path, "re");
		while (f && fgets(line, sizeof(line), f)) {
			writer |= strcmp(line, "Name:\thaetae-store\n") == 0;
			if (writer && strncmp(line, "SigBlk:", 7) == 0)
				blocked = strtoull(line + 7, NULL, 16);
		}
		if (f)
			(void)fclose(f);
	}
	(void)closedir(d);
	return blocked;
}

START_TEST(test_thread_takes_no_signal)
{
	struct place place = place_new();
	struct store *store = place_open(&place, (struct store_config){0});
	unsigned long long blocked = writer_signals_blocked();
	sigset_t own;

	ck_assert_uint_ne(blocked >> (SIGTERM - 1) & 1, 0);
	ck_assert_uint_ne(blocked >> (SIGHUP - 1) & 1, 0);
	ck_assert_uint_ne(blocked >> (SIGINT - 1) & 1, 0);
	ck_assert_uint_ne(blocked >> (SIGUSR1 - 1) & 1, 0);
	/* the caller's own mask is as it was */
	ck_assert_int_eq(pthread_sigmask(SIG_SETMASK, NULL, &own), 0);
	ck_assert_int_eq(sigismember(&own, SIGTERM), 0);
	(void)store_close(store, PLACE_TIMEOUT_MS);
	place_free(&place);
}
END_TEST

/* In the child: add without end, tell after each commit how much is safe. */
static _Noreturn void write_until_killed(const char *path, int report_fd)
{
	struct store_config config = {.path = path, .batch_ms = 1, .batch_max = 200};
	struct store *store = NULL;
	uint64_t told = 0;

	if (store_open(&config, &store) < 0)
		_exit(1);
	for (uint64_t i = 0;; i++) {
		struct event event = {.kind = EVENT_VERDICT, .seq = i, .count = 1};
		struct store_stats stats;

		while (!store_add(store, &event)) {
			event = (struct event){.kind = EVENT_VERDICT, .seq = i, .count = 1};
			(void)poll(NULL, 0, 1);
		}
		store_stats_read(store, &stats);
		if (stats.committed > told) {
			told = stats.committed;
			if (write(report_fd, &told, sizeof(told)) != sizeof(told))
				_exit(1);
		}
	}
}

START_TEST(test_killed)
{
	struct place place = place_new();
	uint64_t told = 0, number;
	struct place_found found;
	struct store_reader *reader;
	char *text = NULL;
	int fds[2], status;
	pid_t child;

	ck_assert_int_eq(pipe(fds), 0);
	child = fork();
	ck_assert_int_ge(child, 0);
	if (child == 0)
		write_until_killed(place.path, fds[1]);
	(void)close(fds[1]);
	while (told < 2000 + 700 * (uint64_t)_i) {
		ck_assert_int_eq(read(fds[0], &told, sizeof(told)), sizeof(told));
	}
	ck_assert_int_eq(kill(child, SIGKILL), 0);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(WIFSIGNALED(status));
	while (read(fds[0], &number, sizeof(number)) == sizeof(number))
		told = number;
	(void)close(fds[0]);

	/* what was told is there, whole batches of it, each event once and none missing in between
	 */
	found = place_query(&place, (struct store_filter){0});
	ck_assert_uint_ge(found.n, told);
	ck_assert_uint_eq(found.first_seq, 0);
	ck_assert_uint_eq(found.last_seq, found.n - 1);
	ck_assert_int_eq(found.last_id, (int64_t)found.n);
	reader = place_read(&place);
	ck_assert_int_eq(store_verify(reader, &text), 0);
	(void)store_reader_close(reader);
	/* and the next agent goes on */
	place_fill(&place, 0, 1);
	ck_assert_uint_eq(place_query(&place, (struct store_filter){0}).n, found.n + 1);
	place_free(&place);
}
END_TEST

struct order {
	uint64_t boottime_ns, seq;
	size_t n;
};

static int order_check(const struct event *event, void *userdata)
{
	struct order *last = userdata;

	if (last->n++ > 0) {
		ck_assert_uint_ge(event->boottime_ns, last->boottime_ns);
		if (event->boottime_ns == last->boottime_ns)
			ck_assert_uint_gt(event->seq, last->seq);
	}
	last->boottime_ns = event->boottime_ns;
	last->seq = event->seq;
	return 0;
}

static const size_t order_sizes[] = {1, 2, 3, 8, 1001};

/* Two rings feed the queue: the rows of a batch are in the order of time, and of coming where the
 * time is the same. (The event's seq is the number in which it came.) */
START_TEST(test_batch_order)
{
	struct place place = place_new();
	struct store *store =
		place_open(&place, (struct store_config){.batch_ms = 3600000, .batch_max = 5000});
	struct store_reader *reader;
	struct store_filter filter = {0};
	struct order last = {};
	size_t n = order_sizes[_i];

	/* opening takes what is there at once, so one goes ahead */
	ck_assert(place_add(store, 0));
	ck_assert_int_eq(store_flush(store, PLACE_TIMEOUT_MS), 0);
	for (uint64_t i = 1; i <= n; i++) {
		struct event event = sample_event(0);

		event.seq += i;
		/* each time about thrice */
		event.boottime_ns += 1000 - (i * 7919) % (n / 3 + 1);
		ck_assert(store_add(store, &event));
	}
	ck_assert_ptr_null(store_close(store, PLACE_TIMEOUT_MS));
	reader = place_read(&place);
	ck_assert_int_eq(store_query(reader, &filter, order_check, &last), 0);
	(void)store_reader_close(reader);
	ck_assert_uint_eq(last.n, n + 1);
	place_free(&place);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("writer");

	tcase_add_test(tc, test_flush);
	tcase_add_test(tc, test_names_in_common);
	tcase_add_test(tc, test_batch_time);
	tcase_add_test(tc, test_batch_size);
	tcase_add_test(tc, test_close_commits);
	tcase_add_test(tc, test_close_at_once);
	tcase_add_test(tc, test_ids_go_on);
	tcase_add_test(tc, test_queue_full);
	tcase_add_test(tc, test_close_gives_up);
	tcase_add_test(tc, test_unknown_codes);
	tcase_add_loop_test(tc, test_batch_order, 0, (int)ARRAY_LEN(order_sizes));
	tcase_add_test(tc, test_removal);
	tcase_add_test(tc, test_removal_steps);
	tcase_add_test(tc, test_numbers_at_every_moment);
	tcase_add_test(tc, test_thread_takes_no_signal);
	tcase_add_loop_test(tc, test_killed, 0, 5);
	tcase_set_timeout(tc, 0);
	return tcase_run(tc);
}
