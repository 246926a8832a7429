/* SPDX-License-Identifier: Apache-2.0 */

/* Moments as people write them: `2026-12-01`, `2026-12-01 08:30`, `2026-12-01T08:30:00Z`. Always
 * UTC: a policy means the same on every machine. */

#include <errno.h>
#include <string.h>
#include <time.h>

#include "policy/schema.h"

/* Exactly n digits. Return: false if there are not. */
static bool take_digits(const char **s, unsigned n, int *ret)
{
	int value = 0;

	for (unsigned i = 0; i < n; i++) {
		char c = (*s)[i];

		if (c < '0' || c > '9')
			return false;
		value = 10 * value + (c - '0');
	}
	*s += n;
	*ret = value;
	return true;
}

static bool take(const char **s, char c)
{
	if (**s != c)
		return false;
	(*s)++;
	return true;
}

static bool take_clock(const char **s, struct tm *tm)
{
	if (!take_digits(s, 2, &tm->tm_hour) || !take(s, ':') || !take_digits(s, 2, &tm->tm_min))
		return false;
	if (take(s, ':') && !take_digits(s, 2, &tm->tm_sec))
		return false;
	return tm->tm_hour < 24 && tm->tm_min < 60 && tm->tm_sec < 60;
}

int when_parse(const char *text, int64_t *ret)
{
	struct tm tm = {}, given;
	const char *s = text;
	time_t t;

	if (!take_digits(&s, 4, &tm.tm_year) || !take(&s, '-') || !take_digits(&s, 2, &tm.tm_mon) ||
	    !take(&s, '-') || !take_digits(&s, 2, &tm.tm_mday))
		return -EINVAL;
	tm.tm_year -= 1900;
	tm.tm_mon -= 1;
	if ((take(&s, 'T') || take(&s, ' ')) && !take_clock(&s, &tm))
		return -EINVAL;
	(void)take(&s, 'Z');
	if (*s)
		return -EINVAL;
	given = tm;
	t = timegm(&tm);
	/* a day that the month does not have becomes one of the next */
	if (t <= 0 || tm.tm_mday != given.tm_mday || tm.tm_mon != given.tm_mon)
		return -EINVAL;
	*ret = t;
	return 0;
}
