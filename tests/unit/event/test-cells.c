/* SPDX-License-Identifier: Apache-2.0 */

/* agent/event/cells.c: widths, and shortening that cuts nothing in two. */

#include "event/cells.h"
#include "tests/unit/event/sample.h"
#include "tests/unit/runner.h"
#include "util/escape.h"

static const struct {
	const char *text; /* escaped */
	size_t width;
} widths[] = {
	{"", 0},
	{"abc", 3},
	{"/etc/shadow", 11},
	{"\\x1b[31m", 8},
	{"\\\\", 2},
	{"\xed\x95\xb4\xed\x83\x9c", 4}, /* two Hangul syllables */
	{"\xe6\x97\xa5", 2},		 /* CJK */
	{"\xf0\x9f\x98\x80", 2},	 /* a picture */
	{"e\xcc\x81", 1},		 /* combining acute */
	{"\xc3\xa9", 1},		 /* precomposed */
	{"\xef\xbc\xa1", 2},		 /* fullwidth A */
	{"\xe2\x80\xa6", 1},		 /* ellipsis */
};

START_TEST(test_width)
{
	ck_assert_uint_eq(cells_width(widths[_i].text, strlen(widths[_i].text)), widths[_i].width);
}
END_TEST

static const struct {
	const char *text;
	size_t max;
	const char *expected;
} shortened[] = {
	{"abcdefgh", 0, "abcdefgh"},
	{"abcdefgh", 8, "abcdefgh"},
	{"abcdefgh", 7, "abc…fgh"},
	{"abcdefgh", 6, "ab…fgh"},
	{"abcdefgh", 2, "…h"},
	{"abcdefgh", 1, "…"},
	/* an escape is kept or left out as a whole */
	{"ab\\x1bcd", 7, "ab…cd"},
	{"\\x1b\\x1b\\x1b", 10, "\\x1b…\\x1b"},
	{"\\x1b\\x1b\\x1b", 4, "…"},
	{"a\\\\b\\\\c", 6, "a…b\\\\c"},
	/* wide characters leave a cell empty rather than be cut */
	{"\xed\x95\xb4\xed\x83\x9c\xed\x95\xb4\xed\x83\x9c", 7,
	 "\xed\x95\xb4…\xed\x95\xb4\xed\x83\x9c"},
	/* a combining mark stays with its letter */
	{"abcde\xcc\x81"
	 "f",
	 4,
	 "a…e\xcc\x81"
	 "f"},
	{"abcde\xcc\x81"
	 "f",
	 3, "a…f"},
};

START_TEST(test_shorten)
{
	_cleanup_strbuf_ struct strbuf b = {};
	const char *text = shortened[_i].text;
	size_t cells = cells_shorten(&b, text, strlen(text), shortened[_i].max);

	ck_assert_str_eq(strbuf_str(&b), shortened[_i].expected);
	ck_assert_uint_eq(cells, cells_width(strbuf_str(&b), b.len));
}
END_TEST

/* Random bytes, escaped, at every width: never wider than asked, never half an escape. */
START_TEST(test_shorten_random)
{
	unsigned state = 12345;

	for (int round = 0; round < 2000; round++) {
		_cleanup_strbuf_ struct strbuf text = {}, out = {};
		unsigned char raw[24];
		size_t len, max, cells;

		for (size_t i = 0; i < sizeof(raw); i++) {
			state = state * 1103515245 + 12345;
			raw[i] = (unsigned char)(state >> 16);
		}
		len = raw[0] % sizeof(raw);
		max = 1 + raw[1] % 40;
		escape_text(&text, raw, len);
		cells = cells_shorten(&out, strbuf_str(&text), text.len, max);
		ck_assert_uint_le(cells, max);
		ck_assert_uint_eq(cells, cells_width(strbuf_str(&out), out.len));
		for (size_t i = 0; i < out.len;) {
			if (out.data[i] != '\\') {
				i++;
				continue;
			}
			ck_assert(out.data[i + 1] == '\\' || out.data[i + 1] == 'x');
			if (out.data[i + 1] == 'x') {
				ck_assert_uint_le(i + 4, out.len);
				ck_assert_ptr_nonnull(strchr("0123456789abcdef", out.data[i + 2]));
				ck_assert_ptr_nonnull(strchr("0123456789abcdef", out.data[i + 3]));
			}
			i += out.data[i + 1] == 'x' ? 4 : 2;
		}
	}
}
END_TEST

START_TEST(test_pad)
{
	_cleanup_strbuf_ struct strbuf b = {};

	cells_pad(&b, 2, 5);
	ck_assert_str_eq(strbuf_str(&b), "   ");
	cells_pad(&b, 6, 5);
	ck_assert_str_eq(strbuf_str(&b), "   ");
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("cells");

	tcase_add_loop_test(tc, test_width, 0, (int)ARRAY_LEN(widths));
	tcase_add_loop_test(tc, test_shorten, 0, (int)ARRAY_LEN(shortened));
	tcase_add_test(tc, test_shorten_random);
	tcase_add_test(tc, test_pad);
	return tcase_run(tc);
}
