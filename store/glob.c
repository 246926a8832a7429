/* SPDX-License-Identifier: Apache-2.0 */

/* Wildcards over raw bytes. One star to fall back to, so the cost is bounded by the product of the
 * lengths, whatever the pattern. */

#include "store/glob.h"

/* One member of a set, or a literal: a backslash is taken off. Return: bytes used, 0 at the end. */
static size_t member_next(const unsigned char *p, size_t len, unsigned char *ret)
{
	if (len >= 2 && p[0] == '\\') {
		*ret = p[1];
		return 2;
	}
	if (len > 0)
		*ret = p[0];
	return len > 0 ? 1 : 0;
}

/* p is behind '['. Return: bytes up to and with ']', 0 if there is no end. */
static size_t set_match(const unsigned char *p, size_t len, unsigned char byte, bool *ret_match)
{
	bool negated = len > 0 && (p[0] == '!' || p[0] == '^');
	bool match = false;
	size_t at = negated ? 1 : 0, first = at;

	for (;;) {
		unsigned char low = 0, high;
		size_t n;

		if (at < len && p[at] == ']' && at > first) {
			*ret_match = match != negated;
			return at + 1;
		}
		n = member_next(p + at, len - at, &low);
		if (n == 0)
			return 0;
		at += n;
		high = low;
		if (at + 1 < len && p[at] == '-' && p[at + 1] != ']') {
			at += 1;
			at += member_next(p + at, len - at, &high);
		}
		match |= byte >= low && byte <= high;
	}
}

/* Does the pattern's first element (not a star) match this byte? Return: its length, 0: no. */
static size_t element_match(const unsigned char *p, size_t len, unsigned char byte)
{
	unsigned char own = 0;
	size_t n;

	if (p[0] == '?')
		return 1;
	if (p[0] == '[') {
		bool match = false;

		n = set_match(p + 1, len - 1, byte, &match);
		if (n > 0)
			return match ? n + 1 : 0;
	}
	n = member_next(p, len, &own);
	return own == byte ? n : 0;
}

bool glob_match(const void *pattern, size_t pattern_len, const void *text, size_t text_len)
{
	const unsigned char *p = pattern, *t = text;
	const unsigned char *p_end = p + pattern_len, *t_end = t + text_len;
	const unsigned char *star = NULL, *star_text = NULL;

	while (t < t_end) {
		size_t n = 0;

		if (p < p_end && *p == '*') {
			star = ++p;
			star_text = t;
			continue;
		}
		if (p < p_end)
			n = element_match(p, (size_t)(p_end - p), *t);
		if (n > 0) {
			p += n;
			t++;
			continue;
		}
		if (!star)
			return false;
		/* the star takes one byte more */
		t = ++star_text;
		p = star;
	}
	while (p < p_end && *p == '*')
		p++;
	return p == p_end;
}

static void glob_function(sqlite3_context *context, int argc, sqlite3_value **argv)
{
	const void *pattern = sqlite3_value_blob(argv[0]);
	const void *text = sqlite3_value_blob(argv[1]);
	bool match;

	if (sqlite3_value_type(argv[0]) == SQLITE_NULL ||
	    sqlite3_value_type(argv[1]) == SQLITE_NULL) {
		sqlite3_result_int(context, 0);
		return;
	}
	/* an empty BLOB has no address */
	match = glob_match(pattern ? pattern : "", (size_t)sqlite3_value_bytes(argv[0]),
			   text ? text : "", (size_t)sqlite3_value_bytes(argv[1]));
	sqlite3_result_int(context, match);
}

int glob_register(sqlite3 *db)
{
	return sqlite3_create_function_v2(db, "haetae_glob", 2,
					  SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY,
					  NULL, glob_function, NULL, NULL, NULL);
}
