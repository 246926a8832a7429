/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Which events become alerts, and how many: a burst is told one by one, the rest of its window in
 * one alert with the exact number, and what the queue has no room for is counted.
 */

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <time.h>

#include "programs/haetaed/alerts.h"
#include "programs/haetaed/log.h"
#include "tests/unit/event/sample.h"
#include "tests/unit/haetaed/capture.h"
#include "tests/unit/runner.h"

#define MS_NS 1000000ULL

/* What the lines tell. */
struct told {
	size_t lines;
	size_t singles;
	uint64_t summed; /* refusals in aggregates */
	size_t aggregates;
};

static struct told told_count(const char *text)
{
	struct told t = {};

	for (const char *line = text; *line; line = strchr(line, '\n') + 1) {
		uint64_t n;

		ck_assert_ptr_nonnull(strchr(line, '\n'));
		t.lines++;
		if (sscanf(line, "Refused %" SCNu64 " times in ", &n) == 1) {
			t.aggregates++;
			t.summed += n;
		} else if (strncmp(line, "Refused read of", 15) == 0) {
			t.singles++;
		}
	}
	return t;
}

static struct alerts *alerts_start(struct capture *c)
{
	struct alerts *a = NULL;

	log_open(true);
	capture_start(c);
	ck_assert_int_eq(alerts_new(/* to_stderr= */ true, &a), 0);
	return a;
}

/* Everything that was told, once the thread has ended. */
static char *alerts_end(struct alerts *a, struct capture *c)
{
	uint64_t dropped = alerts_dropped(a);
	char *text;

	ck_assert_ptr_null(alerts_free(a));
	text = capture_take(c);
	ck_assert_uint_eq(dropped, 0);
	return text;
}

/* A refusal made at_ns, seen now. */
static void add_refusal(struct alerts *a, uint64_t at_ns, uint64_t now_us)
{
	struct event event = sample_event(0);

	event.first_ns = event.last_ns = event.boottime_ns = at_ns;
	alerts_add(a, &event, now_us);
	event_deinit(&event);
}

static void add_marker(struct alerts *a, uint64_t now_us)
{
	struct event event = {.kind = EVENT_AGENT, .count = 1, .message = sample_text("marker")};

	alerts_add(a, &event, now_us);
	event_deinit(&event);
}

/* A name in a sentence is escaped once, whatever the sentence goes through. */
START_TEST(test_escaped_once)
{
	struct event event = {.kind = EVENT_AGENT, .count = 1, .message = sample_text("a\n\\b")};
	_cleanup_free_ char *text = NULL;
	struct capture c;
	struct alerts *a = alerts_start(&c);

	alerts_add(a, &event, 0);
	event_deinit(&event);
	text = alerts_end(a, &c);
	ck_assert_str_eq(text, "a\\x0a\\\\b\n");
}
END_TEST

/* ---- which ---- */

static const struct {
	enum event_kind kind;
	uint8_t verdict;
	size_t lines;
} kinds[] = {
	{EVENT_VERDICT, HT_VERDICT_DENY, 1},	   {EVENT_VERDICT, HT_VERDICT_KILL, 1},
	{EVENT_VERDICT, HT_VERDICT_WOULD_DENY, 1}, {EVENT_VERDICT, HT_VERDICT_ALLOW, 0},
	{EVENT_VERDICT, HT_VERDICT_AUDIT, 0},	   {EVENT_VERDICT, HT_VERDICT_SELF_TEST, 0},
	{EVENT_AGGREGATE, HT_VERDICT_DENY, 1},	   {EVENT_AGGREGATE, HT_VERDICT_WOULD_DENY, 1},
	{EVENT_AGGREGATE, HT_VERDICT_AUDIT, 0},	   {EVENT_EXIT, HT_VERDICT_ALLOW, 0},
	{EVENT_GOVERNED, HT_VERDICT_ALLOW, 0},	   {EVENT_RELEASED, HT_VERDICT_ALLOW, 0},
	{EVENT_LOSS, HT_VERDICT_DENY, 1},	   {EVENT_LOSS, HT_VERDICT_ALLOW, 1},
	{EVENT_AGENT, HT_VERDICT_ALLOW, 1},
};

START_TEST(test_kinds)
{
	struct event event = sample_event(0);
	_cleanup_free_ char *text = NULL;
	struct capture c;
	struct alerts *a = alerts_start(&c);

	event.kind = kinds[_i].kind;
	event.verdict = kinds[_i].verdict;
	alerts_add(a, &event, 0);
	event_deinit(&event);
	text = alerts_end(a, &c);
	ck_assert_msg(told_count(text).lines == kinds[_i].lines, "%s", text);
}
END_TEST

/* ---- how many ---- */

static const struct {
	size_t n;
	size_t singles;
	uint64_t summed;
} floods[] = {
	{0, 0, 0},
	{1, 1, 0},
	{ALERTS_BURST, ALERTS_BURST, 0},
	{ALERTS_BURST + 1, ALERTS_BURST, 1},
	{25, ALERTS_BURST, 15},
	{20000, ALERTS_BURST, 20000 - ALERTS_BURST},
};

/* Ending tells what is held, too. */
START_TEST(test_flood)
{
	_cleanup_free_ char *text = NULL;
	struct capture c;
	struct alerts *a = alerts_start(&c);
	struct told t;

	for (size_t i = 0; i < floods[_i].n; i++)
		add_refusal(a, i, i);
	text = alerts_end(a, &c);
	t = told_count(text);
	ck_assert_uint_eq(t.singles, floods[_i].singles);
	ck_assert_uint_eq(t.aggregates, floods[_i].summed > 0);
	ck_assert_uint_eq(t.summed, floods[_i].summed);
	ck_assert_uint_eq(t.lines, t.singles + t.aggregates);
}
END_TEST

/* A window ends on time, not before, and tells how long the flood took; then a new one begins. */
START_TEST(test_window)
{
	const uint64_t begin = 77000000;
	_cleanup_free_ char *text = NULL;
	struct capture c;
	struct alerts *a = alerts_start(&c);
	const char *marker, *aggregate;
	struct told t;

	/* the rings are no order: the last one to come is not the last one made */
	for (uint64_t i = 0; i < 24; i++)
		add_refusal(a, (100 + i) * MS_NS, begin + i);
	add_refusal(a, 105 * MS_NS, begin + 24);
	alerts_tick(a, begin + ALERTS_WINDOW_US - 1);
	add_marker(a, begin);
	alerts_tick(a, begin + ALERTS_WINDOW_US);
	add_refusal(a, 200 * MS_NS, begin + ALERTS_WINDOW_US + 1);
	alerts_tick(a,
		    begin + 2 * ALERTS_WINDOW_US); /* of the new window there is nothing to tell */
	text = alerts_end(a, &c);

	t = told_count(text);
	ck_assert_uint_eq(t.singles, ALERTS_BURST + 1);
	ck_assert_uint_eq(t.aggregates, 1);
	ck_assert_uint_eq(t.lines, ALERTS_BURST + 3);
	marker = strstr(text, "marker\n");
	aggregate = strstr(text, "Refused 15 times in 0.018 s read of '/etc/shadow'");
	ck_assert_msg(marker && aggregate && marker < aggregate, "%s", text);
	ck_assert_ptr_nonnull(strstr(aggregate, "\nRefused read of"));
}
END_TEST

static void vary_nothing(struct event *e)
{
}

static void vary_cgroup(struct event *e)
{
	e->cgroup_id++;
}

static void vary_rule(struct event *e)
{
	e->rule_id++;
}

static void vary_op(struct event *e)
{
	e->op = HT_OP_WRITE;
}

static void vary_verdict(struct event *e)
{
	e->verdict = HT_VERDICT_WOULD_DENY;
}

static void vary_reason(struct event *e)
{
	e->reason = HT_REASON_ANONYMOUS;
}

static void vary_task(struct event *e)
{
	e->pid++;
	e->path.data[1] = 'E';
}

static const struct {
	void (*vary)(struct event *e);
	size_t lines; /* of two times twelve */
} flows[] = {
	{vary_nothing, 11}, {vary_task, 11},	{vary_cgroup, 22}, {vary_rule, 22},
	{vary_op, 22},	    {vary_verdict, 22}, {vary_reason, 22},
};

/* One flood costs no other its burst. */
START_TEST(test_flows)
{
	struct event one = sample_event(0), other = sample_event(0);
	_cleanup_free_ char *text = NULL;
	struct capture c;
	struct alerts *a = alerts_start(&c);

	flows[_i].vary(&other);
	for (size_t i = 0; i < 12; i++) {
		alerts_add(a, &one, i);
		alerts_add(a, &other, i);
	}
	alerts_tick(a, ALERTS_WINDOW_US);
	event_deinit(&one);
	event_deinit(&other);
	text = alerts_end(a, &c);
	ck_assert_msg(told_count(text).lines == flows[_i].lines, "%s", text);
}
END_TEST

/* What the kernel has summed already is summed on, with what came one by one. */
START_TEST(test_aggregates)
{
	struct event event = sample_event(0);
	_cleanup_free_ char *text = NULL;
	struct capture c;
	struct alerts *a = alerts_start(&c);

	add_refusal(a, 1000 * MS_NS, 0);
	event.kind = EVENT_AGGREGATE;
	event.count = 5000000000U;
	event.first_ns = 500 * MS_NS;
	event.last_ns = 2500 * MS_NS;
	alerts_add(a, &event, 0);
	event.count = 234;
	event.first_ns = 2500 * MS_NS;
	event.last_ns = 3000 * MS_NS;
	alerts_add(a, &event, 0);
	event_deinit(&event);
	text = alerts_end(a, &c);
	ck_assert_uint_eq(told_count(text).singles, 1);
	ck_assert_uint_eq(told_count(text).lines, 2);
	ck_assert_msg(strstr(text, "Refused 5000000234 times in 2.500 s"), "%s", text);
}
END_TEST

/* ---- a sink that does not take them ---- */

/* A pipe that takes no more bytes. */
static void pipe_full(int fds[2])
{
	static const char zeros[4096];
	int flags;

	ck_assert_int_eq(pipe2(fds, O_CLOEXEC), 0);
	flags = fcntl(fds[1], F_GETFL);
	ck_assert_int_eq(fcntl(fds[1], F_SETFL, flags | O_NONBLOCK), 0);
	while (write(fds[1], zeros, sizeof(zeros)) > 0 || write(fds[1], zeros, 1) > 0)
		;
	ck_assert_int_eq(errno, EAGAIN);
	ck_assert_int_eq(fcntl(fds[1], F_SETFL, flags), 0);
}

struct drain {
	int fd;
	size_t lines;
};

static void *drain_thread(void *userdata)
{
	struct drain *d = userdata;
	char buf[65536];
	ssize_t n;

	while ((n = read(d->fd, buf, sizeof(buf))) > 0)
		for (ssize_t i = 0; i < n; i++)
			d->lines += buf[i] == '\n';
	return NULL;
}

/* Told and dropped are together what was added. */
START_TEST(test_queue_full)
{
	const size_t added = ALERTS_QUEUE_MAX + 100;
	struct alerts *a = NULL;
	struct drain d = {};
	struct capture c;
	uint64_t dropped;
	pthread_t t;
	int fds[2];

	log_open(true);
	pipe_full(fds);
	capture_to(&c, fds[1]);
	ck_assert_int_eq(alerts_new(/* to_stderr= */ true, &a), 0);
	for (size_t i = 0; i < added; i++)
		add_marker(a, 0);
	/* the thread may hold one that is neither queued nor out */
	dropped = alerts_dropped(a);
	d.fd = fds[0];
	ck_assert_int_eq(pthread_create(&t, NULL, drain_thread, &d), 0);
	ck_assert_ptr_null(alerts_free(a));
	capture_end(&c);
	(void)close(fds[1]);
	ck_assert_int_eq(pthread_join(t, NULL), 0);
	(void)close(fds[0]);
	ck_assert_uint_ge(dropped, 99);
	ck_assert_uint_le(dropped, 100);
	ck_assert_uint_eq(d.lines + dropped, added);
}
END_TEST

static double seconds(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

/* An alert that cannot be told does not keep the agent from ending. The object stays with its
 * thread. */
START_TEST(test_stuck_end)
{
	static struct alerts *stuck;
	struct drain d = {};
	struct capture c;
	double begun, took;
	pthread_t t;
	int fds[2];

	log_open(true);
	pipe_full(fds);
	capture_to(&c, fds[1]);
	ck_assert_int_eq(alerts_new(/* to_stderr= */ true, &stuck), 0);
	add_marker(stuck, 0);
	begun = seconds();
	ck_assert_ptr_null(alerts_free(stuck));
	took = seconds() - begun;
	/* let it go, so that it holds nothing when the process ends */
	d.fd = fds[0];
	capture_end(&c);
	(void)close(fds[1]);
	ck_assert_int_eq(pthread_create(&t, NULL, drain_thread, &d), 0);
	ck_assert_int_eq(pthread_join(t, NULL), 0);
	(void)close(fds[0]);
	ck_assert_uint_eq(d.lines, 1);
	ck_assert_double_ge(took, 1.5);
	ck_assert_double_le(took, 30.0);
}
END_TEST

START_TEST(test_free_null)
{
	ck_assert_ptr_null(alerts_free(NULL));
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("alerts");

	tcase_set_timeout(tc, 120);
	tcase_add_test(tc, test_escaped_once);
	tcase_add_loop_test(tc, test_kinds, 0, (int)ARRAY_LEN(kinds));
	tcase_add_loop_test(tc, test_flood, 0, (int)ARRAY_LEN(floods));
	tcase_add_test(tc, test_window);
	tcase_add_loop_test(tc, test_flows, 0, (int)ARRAY_LEN(flows));
	tcase_add_test(tc, test_aggregates);
	tcase_add_test(tc, test_queue_full);
	tcase_add_test(tc, test_stuck_end);
	tcase_add_test(tc, test_free_null);
	return tcase_run(tc);
}
