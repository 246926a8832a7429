/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Path patterns (path.h). Foreign text comes in, so every odd spelling is refused rather than
 * repaired: a rule must look like what it does.
 */

#include "policy/path.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "abi.h"
#include "util/cleanup.h"
#include "util/escape.h"

_printf_(5, 6) static int problem(struct path_problem *p, size_t offset, size_t len,
				  const char *expected, const char *format, ...)
{
	va_list ap;

	p->offset = offset;
	p->len = len;
	p->expected = expected;
	va_start(ap, format);
	(void)vsnprintf(p->text, sizeof(p->text), format, ap);
	va_end(ap);
	return POLICY_E_INVALID;
}

/* Control characters, those of C1 included: a name that cannot be seen is a rule that misleads. */
static int check_bytes(const char *text, size_t len, struct path_problem *reterr)
{
	const unsigned char *s = (const unsigned char *)text;

	for (size_t i = 0; i < len;) {
		unsigned code = 0;
		size_t n = utf8_sequence(s + i, len - i, &code);

		if (n == 0)
			return problem(reterr, i, 1, NULL, "byte 0x%02x in a path is not UTF-8",
				       s[i]);
		if (code < 0x20 || (code >= 0x7f && code < 0xa0))
			return problem(reterr, i, n, NULL, "control character U+%04X in a path",
				       code);
		i += n;
	}
	return 0;
}

/* Two stars or more that are not the whole component. */
static int check_stars(const char *name, size_t len, size_t offset, struct path_problem *reterr)
{
	const char *stars = memmem(name, len, "**", 2);
	size_t n = 2;

	if (!stars)
		return 0;
	while (stars + n < name + len && stars[n] == '*')
		n++;
	return problem(
		reterr, offset + (size_t)(stars - name), n,
		"`*` within one component, or `/**` at the end for a directory and all below",
		"`%.*s` inside a component", n > 8 ? 8 : (int)n, stars);
}

static int check_component(const char *name, size_t len, size_t offset, bool last,
			   struct path_problem *reterr)
{
	if (len == 0 && last)
		return problem(reterr, offset - 1, 1,
			       "the path without it, or `/**` for a directory and all below",
			       "trailing slash");
	if (len == 0)
		return problem(reterr, offset - 1, 2, "a single `/`", "empty component `//`");
	if (len == 1 && name[0] == '.')
		return problem(reterr, offset, len, "the path without it", "component `.`");
	if (len == 2 && name[0] == '.' && name[1] == '.')
		return problem(reterr, offset, len, "the path it leads to", "component `..`");
	if (len == 2 && name[0] == '*' && name[1] == '*')
		return problem(reterr, offset, len, "`*` for one component",
			       "`**` before the last component");
	if (len > HT_NAME_MAX)
		return problem(reterr, offset, len, NULL,
			       "component of %zu bytes; no file name is longer than %u", len,
			       HT_NAME_MAX);
	return check_stars(name, len, offset, reterr);
}

int policy_component_check(const char *text, size_t len, struct path_problem *reterr_problem)
{
	const char *slash, *stars;
	int r;

	if (len == 0)
		return problem(reterr_problem, 0, 0, NULL, "empty name");
	r = check_bytes(text, len, reterr_problem);
	if (r != 0)
		return r;
	slash = memchr(text, '/', len);
	if (slash)
		return problem(reterr_problem, (size_t)(slash - text), 1,
			       "the name of one directory of the cgroup tree, like `nginx.service`",
			       "`/` in a name");
	if (text[0] == '.' && (len == 1 || (len == 2 && text[1] == '.')))
		return problem(reterr_problem, 0, len, NULL, "`%.*s` is not a name", (int)len,
			       text);
	stars = memmem(text, len, "**", 2);
	if (stars)
		return problem(reterr_problem, (size_t)(stars - text), 2, "a single `*`",
			       "`**` in a name");
	return check_component(text, len, 0, false, reterr_problem);
}

int policy_path_parse(const char *text, size_t len, size_t depth_max, struct policy_path *ret_path,
		      struct path_problem *reterr_problem)
{
	size_t depth = 0, start = 1, end, keep = len;
	bool subtree = false;
	char *copy;
	int r;

	if (len == 0)
		return problem(reterr_problem, 0, 0, "an absolute path", "empty path");
	r = check_bytes(text, len, reterr_problem);
	if (r != 0)
		return r;
	if (text[0] != '/')
		return problem(reterr_problem, 0, len, "a path that starts with `/`",
			       "relative path");
	for (; len > 1 && start <= len; start = end + 1) {
		const char *slash = memchr(text + start, '/', len - start);
		bool last = !slash;

		end = last ? len : (size_t)(slash - text);
		if (last && end - start == 2 && memcmp(text + start, "**", 2) == 0) {
			subtree = true;
			keep = start > 1 ? start - 1 : 1;
			break;
		}
		r = check_component(text + start, end - start, start, last, reterr_problem);
		if (r != 0)
			return r;
		if (++depth > depth_max)
			return problem(reterr_problem, start, len - start, NULL,
				       "more than %zu components", depth_max);
	}
	copy = strndup(text, keep);
	if (!copy)
		return -ENOMEM;
	*ret_path = (struct policy_path){.text = copy, .subtree = subtree};
	return 0;
}

bool policy_path_next(const char **p, const char **ret_name, size_t *ret_len)
{
	const char *name = *p;

	while (*name == '/')
		name++;
	if (!*name)
		return false;
	*ret_name = name;
	*ret_len = strcspn(name, "/");
	*p = name + *ret_len;
	return true;
}

bool policy_component_has_wildcard(const char *s, size_t len)
{
	return memchr(s, '*', len) || memchr(s, '?', len);
}

/* Put each run of wildcards into the order `???*`, so that equal sets look alike. */
static size_t normalize(const char *s, size_t len, char out[HT_NAME_MAX])
{
	size_t n = 0;

	for (size_t i = 0; i < len;) {
		bool star = false;

		if (s[i] != '*' && s[i] != '?') {
			out[n++] = s[i++];
			continue;
		}
		for (; i < len && (s[i] == '*' || s[i] == '?'); i++) {
			if (s[i] == '*')
				star = true;
			else
				out[n++] = '?';
		}
		if (star)
			out[n++] = '*';
	}
	return n;
}

/* Bytes of the shortest name that a normalized pattern matches. No name is empty. */
static size_t shortest(const char *s, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++)
		n += s[i] != '*';
	return n > 0 ? n : 1;
}

/*
 * inner is read as a string of symbols: a byte, "any byte" and "any string". outer's `*` takes any
 * symbols, its `?` a byte or "any byte", its bytes themselves. What matches this way matches in
 * every expansion of inner, so a true answer is always right.
 */
bool policy_component_covers(const char *outer, size_t outer_len, const char *inner,
			     size_t inner_len)
{
	char p[HT_NAME_MAX + 1] = {}, q[HT_NAME_MAX];
	bool row[HT_NAME_MAX + 1] = {}; /* row[j]: p from i on matches q from j on */
	size_t n, m;

	if (outer_len == inner_len && memcmp(outer, inner, outer_len) == 0)
		return true;
	if (outer_len > HT_NAME_MAX || inner_len > HT_NAME_MAX)
		return false;
	if (outer_len == 1 && outer[0] == '*')
		return true;
	if (!policy_component_has_wildcard(outer, outer_len))
		return false;
	n = normalize(outer, outer_len, p);
	m = normalize(inner, inner_len, q);
	/* `??*`: any name that is long enough */
	if (p[n - 1] == '*' && strspn(p, "?") >= n - 1)
		return shortest(q, m) >= n - 1;
	row[m] = true;
	for (size_t i = n; i-- > 0;) {
		bool below = row[m]; /* row[j + 1] of the row before */

		if (p[i] != '*')
			row[m] = false;
		for (size_t j = m; j-- > 0;) {
			bool was = row[j];

			if (p[i] == '*')
				row[j] = was || row[j + 1];
			else
				row[j] = below && q[j] != '*' &&
					 (p[i] == '?' || (p[i] == q[j] && q[j] != '?'));
			below = was;
		}
	}
	return row[0];
}

/* Both sides may expand: a star skips a symbol of the other side or ends. */
bool policy_component_overlaps(const char *a, size_t a_len, const char *b, size_t b_len)
{
	bool row[HT_NAME_MAX + 1] = {}; /* row[j]: a from i on meets b from j on */

	if (a_len > HT_NAME_MAX || b_len > HT_NAME_MAX)
		return false;
	row[b_len] = true;
	for (size_t j = b_len; j-- > 0;)
		row[j] = b[j] == '*' && row[j + 1];
	for (size_t i = a_len; i-- > 0;) {
		bool below = row[b_len];

		row[b_len] = a[i] == '*' && below;
		for (size_t j = b_len; j-- > 0;) {
			bool was = row[j]; /* a from i + 1 on, b from j on */

			if (a[i] == '*' || b[j] == '*')
				row[j] = was || row[j + 1];
			else
				row[j] = below && (a[i] == b[j] || a[i] == '?' || b[j] == '?');
			/* a star of b takes a byte of a, which is `was`; one of a takes a
			 * byte of b, which is row[j + 1]; either may also be empty */
			below = was;
		}
	}
	return row[0];
}

bool policy_path_covers(const struct policy_path *outer, const struct policy_path *inner)
{
	const char *p = outer->text, *q = inner->text, *a = NULL, *b = NULL;
	size_t a_len = 0, b_len = 0;

	for (;;) {
		bool more_p = policy_path_next(&p, &a, &a_len);
		bool more_q = policy_path_next(&q, &b, &b_len);

		if (!more_p)
			return outer->subtree || (!more_q && !inner->subtree);
		if (!more_q || !policy_component_covers(a, a_len, b, b_len))
			return false;
	}
}

bool policy_path_overlaps(const struct policy_path *a, const struct policy_path *b)
{
	const char *p = a->text, *q = b->text, *x = NULL, *y = NULL;
	size_t x_len = 0, y_len = 0;

	for (;;) {
		bool more_p = policy_path_next(&p, &x, &x_len);
		bool more_q = policy_path_next(&q, &y, &y_len);

		if (!more_p)
			return !more_q || a->subtree;
		if (!more_q)
			return b->subtree;
		if (!policy_component_overlaps(x, x_len, y, y_len))
			return false;
	}
}
