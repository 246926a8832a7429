/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A small scanner over the words of the text. Calendar times go through mktime() with the question
 * of daylight saving left open, so "yesterday" is right on days of 23 and 25 hours too; fields are
 * checked before, because mktime() would turn February 30 into March 2.
 */

#include "programs/agentctl/time-words.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "util/cleanup.h"
#include "util/escape.h"

#define US 1000000LL
#define MINUTE (60 * US)
#define HOUR (60 * MINUTE)
#define DAY (24 * HOUR)
#define MONTH (2629800 * US) /* 30.44 days */
#define YEAR (31557600 * US) /* 365.25 days */
/* 9999-12-31: times beyond are a slip of the keyboard, and sums of two of them cannot overflow. */
#define TIME_MAX_US (253402300799LL * US)

static const struct {
	const char *word;
	int64_t us;
} units[] = {
	{"us", 1},	   {"usec", 1},	       {"ms", 1000},	   {"msec", 1000},
	{"s", US},	   {"sec", US},	       {"second", US},	   {"seconds", US},
	{"m", MINUTE},	   {"min", MINUTE},    {"minute", MINUTE}, {"minutes", MINUTE},
	{"h", HOUR},	   {"hr", HOUR},       {"hour", HOUR},	   {"hours", HOUR},
	{"d", DAY},	   {"day", DAY},       {"days", DAY},	   {"w", 7 * DAY},
	{"week", 7 * DAY}, {"weeks", 7 * DAY}, {"M", MONTH},	   {"month", MONTH},
	{"months", MONTH}, {"y", YEAR},	       {"year", YEAR},	   {"years", YEAR},
};

static const char *const weekdays[] = {"Sunday",   "Monday", "Tuesday", "Wednesday",
				       "Thursday", "Friday", "Saturday"};

#define EXPECTED                                                                                   \
	"'YYYY-MM-DD HH:MM', 'HH:MM', 'yesterday', 'today', 'now', '5min ago', '-5min' or "        \
	"'@SECONDS'"

/* Name the bad part. Return: -EINVAL, or -ENOMEM. */
static int time_error(char **reterr_text, const char *word, size_t len, const char *expected)
{
	_cleanup_strbuf_ struct strbuf b = {};

	if (len == 0) {
		strbuf_puts(&b, "the time is empty");
	} else {
		strbuf_puts(&b, "'");
		escape_text(&b, word, len);
		strbuf_puts(&b, "' is not understood");
	}
	strbuf_puts(&b, "; expected ");
	strbuf_puts(&b, expected);
	*reterr_text = strbuf_steal(&b);
	return *reterr_text ? -EINVAL : -ENOMEM;
}

static size_t word_len(const char *p)
{
	return strcspn(p, " \t");
}

static const char *skip_space(const char *p)
{
	return p + strspn(p, " \t");
}

static bool word_is(const char *p, size_t len, const char *word)
{
	return strlen(word) == len && strncasecmp(p, word, len) == 0;
}

/* Exactly n digits. */
static bool digits(const char *p, unsigned n, int *ret)
{
	int value = 0;

	for (unsigned i = 0; i < n; i++) {
		if (!isdigit((unsigned char)p[i]))
			return false;
		value = value * 10 + (p[i] - '0');
	}
	*ret = value;
	return true;
}

/* ".FRACTION" as microseconds, digits beyond the sixth have no meaning here. Return: bytes taken.
 */
static size_t fraction_scan(const char *p, int64_t unit, int64_t *ret)
{
	int64_t value = 0, scale = unit;
	size_t n = 1;

	*ret = 0;
	if (p[0] != '.' || !isdigit((unsigned char)p[1]))
		return 0;
	for (; isdigit((unsigned char)p[n]); n++) {
		/* what a tenth loses here is below a microsecond at the units people write */
		scale /= 10;
		value += scale * (p[n] - '0');
	}
	*ret = value;
	return n;
}

/* ---- spans: "1h 30min" ---- */

static int64_t unit_find(const char *p, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(units); i++) {
		/* "m" and "M" differ, long words need not */
		if (strlen(units[i].word) == len &&
		    (len == 1 ? *units[i].word == *p : strncasecmp(units[i].word, p, len) == 0))
			return units[i].us;
	}
	return 0;
}

/* One "NUMBER UNIT". Return: 0 with the rest, or an error. */
static int span_term(const char **text, int64_t *ret_us, char **reterr_text)
{
	const char *p = *text, *word = p;
	int64_t unit, fraction = 0, whole = 0;
	const char *dot;
	size_t len;

	if (!isdigit((unsigned char)*p))
		return time_error(reterr_text, word, word_len(word), "a number with a unit");
	for (; isdigit((unsigned char)*p); p++) {
		if (whole > TIME_MAX_US / 10)
			return time_error(reterr_text, word, word_len(word), "a smaller number");
		whole = whole * 10 + (*p - '0');
	}
	dot = p;
	if (*p == '.') {
		p++;
		p += strspn(p, "0123456789");
	}
	p = skip_space(p);
	for (len = 0; isalpha((unsigned char)p[len]);)
		len++;
	unit = unit_find(p, len);
	if (unit == 0) {
		if (len == 0)
			return time_error(reterr_text, word, word_len(word),
					  "a unit after the number: s, min, h, d, w, month or y");
		return time_error(reterr_text, p, len, "a unit: s, min, h, d, w, month or y");
	}
	if (*dot == '.' && fraction_scan(dot, unit, &fraction) == 0)
		return time_error(reterr_text, word, word_len(word), "digits after the point");
	if (whole > TIME_MAX_US / unit)
		return time_error(reterr_text, word, word_len(word), "a smaller number");
	*ret_us = whole * unit + fraction;
	*text = skip_space(p + len);
	return 0;
}

/* The sum of all terms of text[0..len). */
static int span_parse(const char *text, size_t len, int64_t *ret_us, char **reterr_text)
{
	_cleanup_free_ char *copy = strndup(text, len);
	const char *p;
	int64_t sum = 0;

	if (!copy)
		return -ENOMEM;
	p = skip_space(copy);
	if (!*p)
		return time_error(reterr_text, text, strlen(text),
				  "a span such as 5min or 1h 30min");
	while (*p) {
		int64_t term = 0;
		int r = span_term(&p, &term, reterr_text);

		if (r < 0)
			return r;
		sum += term;
		if (sum > TIME_MAX_US)
			return time_error(reterr_text, copy, strlen(copy), "a shorter span");
	}
	*ret_us = sum;
	return 0;
}

int time_span_parse(const char *text, int64_t *ret_us, char **reterr_text)
{
	return span_parse(text, strlen(text), ret_us, reterr_text);
}

/* ---- calendar times ---- */

struct calendar {
	struct tm tm;
	int64_t fraction_us;
	bool utc;
};

/* HH:MM[:SS[.FRACTION]] in p[0..len). */
static bool clock_scan(const char *p, size_t len, struct calendar *c)
{
	int hour, minute, second = 0;
	int64_t fraction = 0;
	size_t n = 5;

	if (len < n || !digits(p, 2, &hour) || p[2] != ':' || !digits(p + 3, 2, &minute))
		return false;
	if (len >= 8 && p[5] == ':') {
		if (!digits(p + 6, 2, &second))
			return false;
		n = 8 + fraction_scan(p + 8, US, &fraction);
	}
	if (n != len || hour > 23 || minute > 59 || second > 59)
		return false;
	c->tm.tm_hour = hour;
	c->tm.tm_min = minute;
	c->tm.tm_sec = second;
	c->fraction_us = fraction;
	return true;
}

static int month_days(int year, int month)
{
	static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
	bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

	return days[month - 1] + (month == 2 && leap);
}

/* YYYY-MM-DD in p[0..10). */
static bool date_scan(const char *p, struct calendar *c)
{
	int year, month, day;

	if (strnlen(p, 10) < 10 || !digits(p, 4, &year) || p[4] != '-' ||
	    !digits(p + 5, 2, &month) || p[7] != '-' || !digits(p + 8, 2, &day))
		return false;
	if (year < 1970 || month < 1 || month > 12 || day < 1 || day > month_days(year, month))
		return false;
	c->tm = (struct tm){.tm_year = year - 1900, .tm_mon = month - 1, .tm_mday = day};
	return true;
}

static int weekday_find(const char *p, size_t len)
{
	for (size_t i = 0; i < ARRAY_LEN(weekdays); i++) {
		if ((len == 3 || len == strlen(weekdays[i])) &&
		    strncasecmp(p, weekdays[i], len) == 0)
			return (int)i;
	}
	return -1;
}

static int calendar_resolve(const struct calendar *c, int64_t *ret_us)
{
	struct tm tm = c->tm;
	time_t t;

	tm.tm_isdst = -1;
	errno = 0;
	t = c->utc ? timegm(&tm) : mktime(&tm);
	if (t == (time_t)-1 && errno != 0)
		return -errno;
	*ret_us = (int64_t)t * US + c->fraction_us;
	return 0;
}

/* What may follow a date or a day's word: a time, then UTC. */
static int calendar_rest(const char *p, struct calendar *c, char **reterr_text)
{
	size_t len = word_len(p);

	if (len > 1 && (p[len - 1] == 'Z' || p[len - 1] == 'z') &&
	    isdigit((unsigned char)p[len - 2])) {
		c->utc = true;
		if (!clock_scan(p, len - 1, c))
			return time_error(reterr_text, p, len, "a time: HH:MM or HH:MM:SS");
		p = skip_space(p + len);
	} else if (len > 0 && isdigit((unsigned char)*p)) {
		if (!clock_scan(p, len, c))
			return time_error(reterr_text, p, len, "a time: HH:MM or HH:MM:SS");
		p = skip_space(p + len);
	}
	len = word_len(p);
	if (!c->utc && (word_is(p, len, "UTC") || word_is(p, len, "Z"))) {
		c->utc = true;
		p = skip_space(p + len);
	}
	if (*p)
		return time_error(reterr_text, p, strlen(p), "the end of the time, or UTC");
	return 0;
}

/* The day `offset` days from the day of now, in the zone that the text is about to name. */
static int day_from_now(const char *rest, int64_t now_us, int offset, struct calendar *c,
			char **reterr_text)
{
	time_t now = (time_t)(now_us / US);
	struct tm day;
	int r = calendar_rest(rest, c, reterr_text);

	if (r < 0)
		return r;
	if (!(c->utc ? gmtime_r(&now, &day) : localtime_r(&now, &day)))
		return -EOVERFLOW;
	c->tm.tm_year = day.tm_year;
	c->tm.tm_mon = day.tm_mon;
	c->tm.tm_mday = day.tm_mday + offset;
	return 0;
}

static int date_parse(const char *p, int64_t *ret_us, char **reterr_text)
{
	struct calendar c = {};
	int weekday = weekday_find(p, strcspn(p, " \t,"));
	const char *weekday_text = p;
	struct tm check;
	time_t t;
	int r;

	if (weekday >= 0) {
		p += strcspn(p, " \t,");
		p += strspn(p, " \t,");
		if (!*p)
			return time_error(reterr_text, weekday_text, strlen(weekday_text),
					  "a date after the weekday");
	}
	if (!date_scan(p, &c) || (p[10] && p[10] != ' ' && p[10] != '\t' && p[10] != 'T'))
		return time_error(reterr_text, p, word_len(p), EXPECTED);
	r = calendar_rest(skip_space(p + 10 + (p[10] == 'T')), &c, reterr_text);
	if (r < 0)
		return r;
	if (p[10] == 'T' && !isdigit((unsigned char)p[11]))
		return time_error(reterr_text, p, word_len(p), "a time after T: HH:MM");
	r = calendar_resolve(&c, ret_us);
	if (r < 0)
		return r;
	check = c.tm;
	check.tm_hour = 12; /* far from any change of the clock */
	t = timegm(&check);
	if (weekday >= 0 && t != (time_t)-1 && check.tm_wday != weekday)
		return time_error(reterr_text, weekday_text, strcspn(weekday_text, " \t,"),
				  "the weekday of that date, or none");
	return 0;
}

/* ---- everything ---- */

static int epoch_parse(const char *p, int64_t *ret_us, char **reterr_text)
{
	int64_t seconds = 0, fraction = 0;
	const char *digit = p + 1;

	if (!isdigit((unsigned char)*digit))
		return time_error(reterr_text, p, strlen(p), "seconds after @");
	for (; isdigit((unsigned char)*digit); digit++) {
		seconds = seconds * 10 + (*digit - '0');
		if (seconds > TIME_MAX_US / US)
			return time_error(reterr_text, p, strlen(p), "a smaller number");
	}
	digit += fraction_scan(digit, US, &fraction);
	if (*digit)
		return time_error(reterr_text, p, strlen(p), "seconds after @");
	*ret_us = seconds * US + fraction;
	return 0;
}

/* "5min ago": the length of the span before "ago", 0 if there is no such word at the end. */
static size_t ago_split(const char *p)
{
	size_t len = strlen(p);

	if (len < 4 || strcasecmp(p + len - 3, "ago") != 0 ||
	    (p[len - 4] != ' ' && p[len - 4] != '\t'))
		return 0;
	return len - 4;
}

static int relative_parse(const char *p, int64_t now_us, int64_t *ret_us, char **reterr_text)
{
	size_t ago = ago_split(p);
	bool past = ago > 0 || *p == '-';
	const char *span = *p == '-' || *p == '+' ? p + 1 : p;
	int64_t us = 0;
	int r;

	if (span != p && ago > 0)
		return time_error(reterr_text, p, strlen(p), "either a sign or 'ago'");
	if (!*skip_space(span))
		return time_error(reterr_text, p, strlen(p), "a span such as 5min or 1h 30min");
	r = span_parse(span, ago > 0 ? ago : strlen(span), &us, reterr_text);
	if (r < 0)
		return r;
	if (span == p && ago == 0)
		return time_error(
			reterr_text, p, strlen(p),
			"a direction: '-5min' or '5min ago' for the past, '+5min' for the "
			"future");
	*ret_us = past ? now_us - us : now_us + us;
	return 0;
}

/* Return: as time_parse(), but without looking at the result's range. */
static int time_scan(const char *p, int64_t now_us, int64_t *ret_us, char **reterr_text)
{
	static const struct {
		const char *word;
		int offset;
	} days[] = {{"today", 0}, {"yesterday", -1}, {"tomorrow", 1}};
	size_t len = word_len(p);
	struct calendar c = {};
	int r;

	if (word_is(p, strlen(p), "now")) {
		*ret_us = now_us;
		return 0;
	}
	if (*p == '@')
		return epoch_parse(p, ret_us, reterr_text);
	if (*p == '-' || *p == '+' || ago_split(p) > 0)
		return relative_parse(p, now_us, ret_us, reterr_text);
	for (size_t i = 0; i < ARRAY_LEN(days); i++) {
		if (!word_is(p, len, days[i].word))
			continue;
		r = day_from_now(skip_space(p + len), now_us, days[i].offset, &c, reterr_text);
		return r < 0 ? r : calendar_resolve(&c, ret_us);
	}
	if (len > 2 && isdigit((unsigned char)*p) && p[2] == ':') {
		r = day_from_now(p, now_us, 0, &c, reterr_text);
		return r < 0 ? r : calendar_resolve(&c, ret_us);
	}
	if (isdigit((unsigned char)*p) && !(len >= 5 && p[4] == '-'))
		return relative_parse(p, now_us, ret_us, reterr_text);
	return date_parse(p, ret_us, reterr_text);
}

int time_parse(const char *text, int64_t now_us, int64_t *ret_us, char **reterr_text)
{
	_cleanup_free_ char *copy = NULL;
	int64_t us = 0;
	size_t len;
	int r;

	text = skip_space(text);
	copy = strdup(text);
	if (!copy)
		return -ENOMEM;
	for (len = strlen(copy); len > 0 && (copy[len - 1] == ' ' || copy[len - 1] == '\t'); len--)
		copy[len - 1] = '\0';
	if (len == 0)
		return time_error(reterr_text, copy, 0, EXPECTED);
	r = time_scan(copy, now_us, &us, reterr_text);
	if (r == -EOVERFLOW || (r >= 0 && us > TIME_MAX_US))
		return time_error(reterr_text, copy, len, "a time before the year 10000");
	if (r < 0)
		return r;
	if (us < 0)
		return time_error(reterr_text, copy, len, "a time after 1970");
	*ret_us = us;
	return 0;
}

void time_format(struct strbuf *b, int64_t time_us, bool utc)
{
	time_t t = (time_t)(time_us / US);
	char text[64];
	struct tm tm;

	if (!(utc ? gmtime_r(&t, &tm) : localtime_r(&t, &tm))) {
		strbuf_puts(b, "(unknown)");
		return;
	}
	(void)strftime(text, sizeof(text), "%a %Y-%m-%d %H:%M:%S", &tm);
	strbuf_puts(b, text);
	strbuf_puts(b, " ");
	strbuf_puts(b, utc ? "UTC" : tm.tm_zone);
}

void time_format_relative(struct strbuf *b, int64_t time_us, int64_t now_us)
{
	static const struct {
		const char *word;
		int64_t us;
	} steps[] = {{"y ", YEAR}, {"month ", MONTH}, {"d ", DAY},
		     {"h ", HOUR}, {"min ", MINUTE},  {"s ", US}};
	bool past = time_us <= now_us;
	int64_t left = past ? now_us - time_us : time_us - now_us;
	unsigned shown = 0;

	if (left < US) {
		strbuf_puts(b, "now");
		return;
	}
	if (!past)
		strbuf_puts(b, "in ");
	for (size_t i = 0; i < ARRAY_LEN(steps) && shown < 2; i++) {
		if (left < steps[i].us) {
			if (shown > 0)
				break; /* "1d 5s" says more than anybody wants to know */
			continue;
		}
		strbuf_printf(b, "%lld%s", (long long)(left / steps[i].us), steps[i].word);
		left %= steps[i].us;
		shown++;
	}
	if (past)
		strbuf_puts(b, "ago");
	else if (b->len > 0)
		b->data[--b->len] = '\0';
}

int64_t time_now_us(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * US + ts.tv_nsec / 1000;
}
