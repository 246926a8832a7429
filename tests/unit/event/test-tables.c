/* SPDX-License-Identifier: Apache-2.0 */

/* agent/event/tables.c: each code has one word, each word one code. */

#include <errno.h>

#include "tests/unit/event/sample.h"
#include "tests/unit/runner.h"

START_TEST(test_kinds)
{
	enum event_kind kind = _EVENT_KIND_MAX;
	const char *word = event_kind_to_string((enum event_kind)_i);

	ck_assert_str_ne(word, "unknown");
	ck_assert_int_eq(event_kind_from_string(word, &kind), 0);
	ck_assert_int_eq((int)kind, _i);
}
END_TEST

START_TEST(test_verdicts)
{
	uint8_t verdict = UINT8_MAX;
	const char *word = event_verdict_to_string((uint8_t)_i);

	ck_assert_str_ne(word, "unknown");
	ck_assert_int_eq(event_verdict_from_string(word, &verdict), 0);
	ck_assert_int_eq(verdict, _i);
}
END_TEST

START_TEST(test_reasons_and_notices_have_words_of_their_own)
{
	for (int i = 0; i < (int)HT_REASON_MAX; i++) {
		ck_assert_str_ne(event_reason_to_string((uint8_t)i), "unknown");
		for (int j = 0; j < i; j++)
			ck_assert_str_ne(event_reason_to_string((uint8_t)i),
					 event_reason_to_string((uint8_t)j));
	}
	for (int i = 0; i < _EVENT_NOTICE_MAX; i++) {
		ck_assert_str_ne(event_notice_to_string((enum event_notice)i), "unknown");
		for (int j = 0; j < i; j++)
			ck_assert_str_ne(event_notice_to_string((enum event_notice)i),
					 event_notice_to_string((enum event_notice)j));
	}
}
END_TEST

START_TEST(test_flags)
{
	uint32_t bit = 1U << _i;

	if (EVENT_FLAGS & bit)
		ck_assert_str_ne(event_flag_to_string(bit), "unknown");
	else
		ck_assert_str_eq(event_flag_to_string(bit), "unknown");
}
END_TEST

START_TEST(test_words_of_the_contract)
{
	ck_assert_str_eq(event_verdict_to_string(HT_VERDICT_WOULD_DENY), "would-deny");
	ck_assert_str_eq(event_reason_to_string(HT_REASON_FOREIGN), "foreign-mount");
	ck_assert_str_eq(event_kind_to_string(EVENT_AGGREGATE), "aggregate");
	ck_assert_str_eq(event_flag_to_string(HT_RECORD_PATH_TRUNCATED), "path-truncated");
}
END_TEST

START_TEST(test_unknown)
{
	enum event_kind kind = EVENT_EXIT;
	uint8_t verdict = 77;
	static const char *const words[] = {"", "Deny", "deny ", "unknown", "verdicts"};

	ck_assert_str_eq(event_verdict_to_string(HT_VERDICT_MAX), "unknown");
	ck_assert_str_eq(event_verdict_to_string(UINT8_MAX), "unknown");
	ck_assert_str_eq(event_reason_to_string(HT_REASON_MAX), "unknown");
	ck_assert_str_eq(event_kind_to_string(_EVENT_KIND_MAX), "unknown");
	ck_assert_str_eq(event_notice_to_string(_EVENT_NOTICE_MAX), "unknown");
	ck_assert_str_eq(event_flag_to_string(0), "unknown");
	ck_assert_str_eq(event_flag_to_string(3), "unknown");
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		ck_assert_int_eq(event_kind_from_string(words[i], &kind), -EINVAL);
		ck_assert_int_eq(event_verdict_from_string(words[i], &verdict), -EINVAL);
	}
	/* outputs are set on success only */
	ck_assert_int_eq((int)kind, EVENT_EXIT);
	ck_assert_int_eq(verdict, 77);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("tables");

	tcase_add_loop_test(tc, test_kinds, 0, _EVENT_KIND_MAX);
	tcase_add_loop_test(tc, test_verdicts, 0, HT_VERDICT_MAX);
	tcase_add_test(tc, test_reasons_and_notices_have_words_of_their_own);
	tcase_add_loop_test(tc, test_flags, 0, 32);
	tcase_add_test(tc, test_words_of_the_contract);
	tcase_add_test(tc, test_unknown);
	return tcase_run(tc);
}
