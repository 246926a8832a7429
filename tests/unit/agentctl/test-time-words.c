/* SPDX-License-Identifier: Apache-2.0 */

/* Times in systemd's words: what is understood, in zones with and without daylight saving, and what
 * is not, with the word that is at fault. */

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "programs/agentctl/time-words.h"
#include "tests/unit/runner.h"
#include "util/cleanup.h"

#define US 1000000LL
/* Sat 2026-11-21 06:51:38.250 UTC */
#define NOW (1795243898LL * US + 250000)
#define MIDNIGHT (1795219200LL * US)
#define DAY (86400 * US)

static void zone_set(const char *zone)
{
	ck_assert_int_eq(setenv("TZ", zone, 1), 0);
	tzset();
}

/* Expected times in UTC. */
static const struct {
	const char *text;
	int64_t us;
} good[] = {
	{"now", NOW},
	{"  now\t", NOW},
	{"NOW", NOW},
	{"today", MIDNIGHT},
	{"yesterday", MIDNIGHT - DAY},
	{"Tomorrow", MIDNIGHT + DAY},
	{"today 06:00", MIDNIGHT + 6 * 3600 * US},
	{"yesterday 23:59:59", MIDNIGHT - US},
	{"tomorrow 00:00:00.5", MIDNIGHT + DAY + US / 2},
	{"today UTC", MIDNIGHT},
	{"yesterday 12:00 utc", MIDNIGHT - DAY / 2},
	/* dates */
	{"2026-11-21", MIDNIGHT},
	{"2026-11-21 06:51", MIDNIGHT + (6 * 3600 + 51 * 60) * US},
	{"2026-11-21 06:51:38", MIDNIGHT + (6 * 3600 + 51 * 60 + 38) * US},
	{"2026-11-21   06:51:38.25", NOW},
	{"2026-11-21 06:51:38.2500009", NOW},
	{"2026-11-21T06:51:38.25", NOW},
	{"2026-11-21T06:51:38.25Z", NOW},
	{"2026-11-21 06:51:38Z", NOW - 250000},
	{"2026-11-21 06:51 UTC", MIDNIGHT + (6 * 3600 + 51 * 60) * US},
	{"2026-11-21 UTC", MIDNIGHT},
	{"2026-11-21 Z", MIDNIGHT},
	{"Sat 2026-11-21", MIDNIGHT},
	{"saturday 2026-11-21 00:00", MIDNIGHT},
	{"Sat, 2026-11-21", MIDNIGHT},
	{"1970-01-01", 0},
	{"1970-01-01 00:00:01", US},
	{"2024-02-29", 1709164800 * US},
	{"2000-02-29", 951782400 * US},
	{"2038-01-19 03:14:08", 2147483648 * US},
	{"9999-12-31 23:59:59", 253402300799 * US},
	/* times of today */
	{"06:51", MIDNIGHT + (6 * 3600 + 51 * 60) * US},
	{"00:00", MIDNIGHT},
	{"23:59:59", MIDNIGHT + DAY - US},
	{"23:59:59.999999", MIDNIGHT + DAY - 1},
	{"06:51:38.25", NOW},
	{"06:51 UTC", MIDNIGHT + (6 * 3600 + 51 * 60) * US},
	{"06:51Z", MIDNIGHT + (6 * 3600 + 51 * 60) * US},
	/* epoch */
	{"@0", 0},
	{"@1795243898", 1795243898 * US},
	{"@1795243898.25", NOW},
	{"@253402300799", 253402300799 * US},
	/* spans */
	{"-5min", NOW - 300 * US},
	{"+5min", NOW + 300 * US},
	{"5min ago", NOW - 300 * US},
	{"5 min ago", NOW - 300 * US},
	{"5min  ago", NOW - 300 * US},
	{"5MIN AGO", NOW - 300 * US},
	{"0s ago", NOW},
	{"1us ago", NOW - 1},
	{"1usec ago", NOW - 1},
	{"1ms ago", NOW - 1000},
	{"1msec ago", NOW - 1000},
	{"1s ago", NOW - US},
	{"1sec ago", NOW - US},
	{"1second ago", NOW - US},
	{"2 seconds ago", NOW - 2 * US},
	{"1m ago", NOW - 60 * US},
	{"1minute ago", NOW - 60 * US},
	{"3minutes ago", NOW - 180 * US},
	{"1h ago", NOW - 3600 * US},
	{"1hr ago", NOW - 3600 * US},
	{"1hour ago", NOW - 3600 * US},
	{"2 hours ago", NOW - 7200 * US},
	{"1d ago", NOW - DAY},
	{"1day ago", NOW - DAY},
	{"3 days ago", NOW - 3 * DAY},
	{"1w ago", NOW - 7 * DAY},
	{"1week ago", NOW - 7 * DAY},
	{"2 weeks ago", NOW - 14 * DAY},
	{"1M ago", NOW - 2629800 * US},
	{"1month ago", NOW - 2629800 * US},
	{"2 months ago", NOW - 2 * 2629800 * US},
	{"1y ago", NOW - 31557600 * US},
	{"1year ago", NOW - 31557600 * US},
	{"2 years ago", NOW - 2 * 31557600 * US},
	{"1h 30min ago", NOW - 5400 * US},
	{"1h30min ago", NOW - 5400 * US},
	{"-1h 30min", NOW - 5400 * US},
	{"- 1h30min", NOW - 5400 * US},
	{"1d 2h 3min 4s ago", NOW - DAY - 7384 * US},
	{"1.5h ago", NOW - 5400 * US},
	{"0.25s ago", NOW - 250000},
	{"1.5d ago", NOW - DAY - DAY / 2},
	{"+1w", NOW + 7 * DAY},
};

START_TEST(test_good)
{
	_cleanup_free_ char *error = NULL;
	int64_t us = -1;
	int r;

	zone_set("UTC0");
	r = time_parse(good[_i].text, NOW, &us, &error);
	ck_assert_msg(r == 0, "'%s': %s", good[_i].text, error);
	ck_assert_msg(us == good[_i].us, "'%s': %lld instead of %lld", good[_i].text, (long long)us,
		      (long long)good[_i].us);
}
END_TEST

static const struct {
	const char *text;
	const char *word; /* named in the error, in ticks; NULL: the text is empty */
} bad[] = {
	{"", NULL},
	{"   ", NULL},
	{"noon", "'noon'"},
	{"now now", "'now'"},
	{"tody", "'tody'"},
	{"yesterday noon", "'noon'"},
	{"yesterday 25:00", "'25:00'"},
	{"yesterday 12:00 CET", "'CET'"},
	{"today UTC 12:00", "'12:00'"},
	{"2026-13-01", "'2026-13-01'"},
	{"2026-00-01", "'2026-00-01'"},
	{"2026-02-29", "'2026-02-29'"},
	{"1900-02-29", "'1900-02-29'"},
	{"2100-02-29", "'2100-02-29'"},
	{"2026-04-31", "'2026-04-31'"},
	{"2026-11-00", "'2026-11-00'"},
	{"2026-11-32", "'2026-11-32'"},
	{"1969-12-31", "'1969-12-31'"},
	{"2026-1-1", "'2026-1-1'"},
	{"2026-11-21x", "'2026-11-21x'"},
	{"2026-11-21T", "'2026-11-21T'"},
	{"2026-11-21Tnoon", "'noon'"},
	{"2026-11-21 24:00", "'24:00'"},
	{"2026-11-21 12:60", "'12:60'"},
	{"2026-11-21 12:00:60", "'12:00:60'"},
	{"2026-11-21 12", "'12'"},
	{"2026-11-21 12:0", "'12:0'"},
	{"2026-11-21 12:00:", "'12:00:'"},
	{"2026-11-21 12:00:00.", "'12:00:00.'"},
	{"2026-11-21 12:00 13:00", "'13:00'"},
	{"2026-11-21 12:00 UTC UTC", "'UTC'"},
	{"Fri 2026-11-21", "'Fri'"},
	{"Fri", "'Fri'"},
	{"12:00x", "'12:00x'"},
	{"12:00:00:00", "'12:00:00:00'"},
	{"99:00", "'99:00'"},
	{"5min", "'5min'"},
	{"1h 30min", "'1h 30min'"},
	{"5", "'5'"},
	{"-5", "'5'"},
	{"5 ago", "'5'"},
	{"-5min ago", "'-5min ago'"},
	{"+5min ago", "'+5min ago'"},
	{"5parsec ago", "'parsec'"},
	{"1h 5parsecs ago", "'parsecs'"},
	{"h ago", "'h'"},
	{"1h x ago", "'x'"},
	{"ago", "'ago'"},
	{"-", "'-'"},
	{"--5min", "'-5min'"},
	{"-5min x", "'x'"},
	{"1.h ago", "'1.h'"},
	{"99999999999999999999s ago", "'99999999999999999999s'"},
	{"9999999999y ago", "'9999999999y'"},
	{"9000y ago", "'9000y'"},
	{"5000y 5000y ago", "'5000y 5000y'"},
	{"100y ago", "'100y ago'"},
	{"+8000y", "'+8000y'"},
	{"@", "'@'"},
	{"@-5", "'@-5'"},
	{"@5x", "'@5x'"},
	{"@5.", "'@5.'"},
	{"@ 5", "'@ 5'"},
	{"@253402300800", "'@253402300800'"},
	{"@99999999999999999999999", "'@99999999999999999999999'"},
	{"\033[31m", "'\\x1b[31m'"},
	{"a\nb", "'a\\x0ab'"},
};

START_TEST(test_bad)
{
	_cleanup_free_ char *error = NULL;
	int64_t us = 77;

	zone_set("UTC0");
	ck_assert_msg(time_parse(bad[_i].text, NOW, &us, &error) == -EINVAL, "'%s' became %lld",
		      bad[_i].text, (long long)us);
	ck_assert_int_eq(us, 77);
	ck_assert_ptr_nonnull(error);
	ck_assert_msg(strstr(error, bad[_i].word ? bad[_i].word : "is empty"), "'%s': %s",
		      bad[_i].text, error);
	ck_assert_msg(strstr(error, "expected"), "'%s': %s", bad[_i].text, error);
}
END_TEST

/* Central European time: +1, in summer +2; the clock changes on 2026-03-29 and 2026-10-25. */
#define CET "CET-1CEST,M3.5.0,M10.5.0/3"

static const struct {
	const char *text;
	int64_t now;
	int64_t us;
} zoned[] = {
	/* winter and summer */
	{"2026-01-15 12:00", 0, 1768474800 * US},
	{"2026-07-15 12:00", 0, 1784109600 * US},
	{"2026-07-15 12:00 UTC", 0, 1784116800 * US},
	{"2026-07-15T12:00Z", 0, 1784116800 * US},
	/* the day of 23 hours: its midnight, and the one after */
	{"2026-03-29", 0, 1774738800 * US},
	{"2026-03-30", 0, 1774821600 * US},
	/* now is Mon 2026-03-30 12:00 CEST: yesterday began 35 hours ago */
	{"yesterday", 1774864800 * US, 1774738800 * US},
	{"today", 1774864800 * US, 1774821600 * US},
	{"24h ago", 1774864800 * US, 1774778400 * US},
	/* now is Mon 2026-10-26 12:00 CET: yesterday had 25 hours */
	{"yesterday", 1793012400 * US, 1792879200 * US},
	{"today", 1793012400 * US, 1792969200 * US},
	/* now is Sat 2026-03-28 12:00 CET: tomorrow is the short day, 23:00 on it is 10 hours
	   before 09:00 */
	{"tomorrow 23:00", 1774695600 * US, 1774818000 * US},
	/* half past midnight here is yesterday in UTC */
	{"today", 1784068200 * US, 1784066400 * US},
	{"today UTC", 1784068200 * US, 1783987200 * US},
	/* first of a month and of a year */
	{"yesterday", 1772362800 * US, 1772233200 * US},
	{"yesterday", 1767265200 * US, 1767135600 * US},
	{"tomorrow", 1767178800 * US, 1767222000 * US},
};

START_TEST(test_zoned)
{
	_cleanup_free_ char *error = NULL;
	int64_t us = -1;
	int r;

	zone_set(CET);
	r = time_parse(zoned[_i].text, zoned[_i].now, &us, &error);
	zone_set("UTC0");
	ck_assert_msg(r == 0, "'%s': %s", zoned[_i].text, error);
	ck_assert_msg(us == zoned[_i].us, "'%s': %lld instead of %lld", zoned[_i].text,
		      (long long)us, (long long)zoned[_i].us);
}
END_TEST

/* 02:30 does not exist on the day the clock goes forward: an instant within the hour around it. */
START_TEST(test_gap)
{
	_cleanup_free_ char *error = NULL;
	int64_t us = 0;

	zone_set(CET);
	ck_assert_int_eq(time_parse("2026-03-29 02:30", 0, &us, &error), 0);
	zone_set("UTC0");
	ck_assert_int_ge(us, 1774744200LL * US);
	ck_assert_int_le(us, 1774747800LL * US);
}
END_TEST

static const struct {
	int64_t offset; /* of the time from now */
	const char *text;
} relatives[] = {
	{0, "now"},
	{-1, "now"},
	{-999999, "now"},
	{-US, "1s ago"},
	{-59 * US, "59s ago"},
	{-60 * US, "1min ago"},
	{-303 * US, "5min 3s ago"},
	{-3600 * US, "1h ago"},
	{-3605 * US, "1h ago"},
	{-5400 * US, "1h 30min ago"},
	{-DAY - 3600 * US, "1d 1h ago"},
	{-40 * DAY, "1month 9d ago"},
	{-800 * DAY, "2y 2month ago"},
	{7200 * US, "in 2h"},
	{90 * US, "in 1min 30s"},
};

START_TEST(test_relative)
{
	_cleanup_strbuf_ struct strbuf b = {};

	time_format_relative(&b, NOW + relatives[_i].offset, NOW);
	ck_assert_str_eq(strbuf_str(&b), relatives[_i].text);
}
END_TEST

START_TEST(test_format)
{
	_cleanup_strbuf_ struct strbuf b = {};

	zone_set(CET);
	time_format(&b, NOW, true);
	strbuf_puts(&b, "|");
	time_format(&b, NOW, false);
	strbuf_puts(&b, "|");
	time_format(&b, 1784109600 * US, false);
	zone_set("UTC0");
	ck_assert_str_eq(strbuf_str(&b), "Sat 2026-11-21 06:51:38 UTC|Sat 2026-11-21 07:51:38 CET|"
					 "Wed 2026-07-15 12:00:00 CEST");
	ck_assert_int_gt(time_now_us(), 1700000000LL * US);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("time-words");

	tcase_add_loop_test(tc, test_good, 0, (int)ARRAY_LEN(good));
	tcase_add_loop_test(tc, test_bad, 0, (int)ARRAY_LEN(bad));
	tcase_add_loop_test(tc, test_zoned, 0, (int)ARRAY_LEN(zoned));
	tcase_add_test(tc, test_gap);
	tcase_add_loop_test(tc, test_relative, 0, (int)ARRAY_LEN(relatives));
	tcase_add_test(tc, test_format);
	return tcase_run(tc);
}
