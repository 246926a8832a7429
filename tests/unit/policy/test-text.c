/* SPDX-License-Identifier: Apache-2.0 */

/* Bytes that no policy file may hold, and the words that are taken for slips. */

#include "policy-test.h"

static const struct diag_case bad_bytes[] = {
	{"nul", TEXT("policy: a\000b\n"), "1:10+1 error: U+0000: NUL byte\n"},
	{"latin1",
	 TEXT("policy: p\n"
	      "# caf\351\n"
	      "mode: \377\n"),
	 "2:6+1 error: byte 0xe9 is not UTF-8; expected UTF-8\n"
	 "3:7+1 error: byte 0xff is not UTF-8; expected UTF-8\n"},
	{"overlong", TEXT("# \300\257\n"), "1:3+1 error: byte 0xc0 is not UTF-8; expected UTF-8\n"},
	{"surrogate", TEXT("# \355\240\200\n"),
	 "1:3+1 error: byte 0xed is not UTF-8; expected UTF-8\n"},
	{"utf16 little", TEXT("\377\376p\000o\000"),
	 "1:1+2 error: the file is UTF-16; expected UTF-8 without a byte order mark\n"},
	{"utf16 big", TEXT("\376\377\000p\000o"),
	 "1:1+2 error: the file is UTF-16; expected UTF-8 without a byte order mark\n"},
	{"utf8 with byte order mark", TEXT("\357\273\277policy: p\n"),
	 "1:1+3 error: U+FEFF: byte order mark\n"},
	{"lone carriage return", TEXT("policy: p\rmode: audit\n"),
	 "1:10+1 error: U+000D: carriage return without a line feed\n"},
	{"escape",
	 TEXT("policy: p\n"
	      "# \033[2J\n"),
	 "2:3+1 error: U+001B: control character\n"},
	{"c1", TEXT("# \302\205\n"), "1:3+2 error: U+0085: control character\n"},
	{"line separator", TEXT("# a\342\200\250b\n"),
	 "1:4+3 error: U+2028: line separator that editors do not show\n"},
	{"no character", TEXT("# \357\277\276\n"),
	 "1:3+3 error: U+FFFE: code point that is no character\n"},
	{"delete", TEXT("# \177\n"), "1:3+1 error: U+007F: control character\n"},
};

START_TEST(test_bad_bytes)
{
	diag_case_run(&bad_bytes[_i]);
}
END_TEST

#include "policy/text.h"
#include "tests/unit/runner.h"

static const struct {
	const char *word, *suggestion;
} slips[] = {
	{"fiel", "file"},
	{"file", "file"},
	{"exce", "exec"},
	{"eexc", "exec"},
	{"xec", "exec"},
	{"descriptoin", "description"},
	{"describtions", "description"},
	{"mach", "match"},
	{"matches", "match"},
	{"", NULL},
	{"x", NULL},
	{"kernel", NULL},
	{"f", NULL},
	{"exit", NULL},
	{"enforcement-of-the-whole-thing-here-x", NULL},
};

START_TEST(test_slips)
{
	static const char *const words[] = {"policy", "description", "match", "exec", "file"};
	const char *got =
		word_suggest(slips[_i].word, strlen(slips[_i].word), words, ARRAY_LEN(words));

	ck_assert_msg(slips[_i].suggestion ? got && strcmp(got, slips[_i].suggestion) == 0 : !got,
		      "%s: %s", slips[_i].word, got ? got : "nothing");
}
END_TEST

START_TEST(test_quote)
{
	char long_text[200];

	ck_assert_str_eq(quote_text("a\0b", 3).text, "a\342\220\200b");
	memset(long_text, 'x', sizeof(long_text));
	ck_assert_uint_eq(strlen(quote_text(long_text, 64).text), 64);
	ck_assert_uint_eq(strlen(quote_text(long_text, 65).text), 67);
	/* never half a character */
	memcpy(long_text + 63, "\355\225\234", 3);
	ck_assert_uint_eq(strlen(quote_text(long_text, 66).text), 66);
}
END_TEST

START_TEST(test_locate)
{
	static const char text[] = "ab\ncd\r\n\nx";
	static const struct {
		size_t offset;
		unsigned line, column;
	} places[] = {{0, 1, 1}, {1, 1, 2}, {2, 1, 3}, {3, 2, 1},
		      {6, 2, 4}, {7, 3, 1}, {8, 4, 1}, {9, 4, 2}};
	struct diag_list diags = {};
	struct policy_text t;

	ck_assert_int_eq(policy_text_init(&t, "p.yaml", TEXT(text), &diags), 0);
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		struct policy_location l = policy_text_locate(&t, places[i].offset);

		ck_assert_uint_eq(l.line, places[i].line);
		ck_assert_uint_eq(l.column, places[i].column);
	}
	policy_text_deinit(&t);
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("text");

	tcase_add_loop_test(cases, test_bad_bytes, 0, (int)ARRAY_LEN(bad_bytes));
	tcase_add_loop_test(cases, test_slips, 0, (int)ARRAY_LEN(slips));
	tcase_add_test(cases, test_quote);
	tcase_add_test(cases, test_locate);
	return tcase_run(cases);
}
