/* SPDX-License-Identifier: Apache-2.0 */

/* Diagnostics there and back, and arrays that are none. */

#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "control/control.h"
#include "policy/diag.h"
#include "tests/unit/runner.h"

START_TEST(test_round_trip)
{
	struct diag items[] = {
		{.file = (char[]){"/etc/x.yaml"},
		 .line = 3,
		 .column = 7,
		 .width = 4,
		 .severity = DIAG_ERROR,
		 .text = (char[]){"unknown key 'mod'"},
		 .expected = (char[]){"mode"},
		 .source = (char[]){"mod: \"x\"\xff\x1b"}},
		{.file = (char[]){"b.yaml"},
		 .severity = DIAG_WARNING,
		 .text = (char[]){"nothing matches"}},
	};
	struct diag_list from = {}, to = {};
	json_t *array;

	ck_assert_int_eq(diag_add(&from, &items[0]), 0);
	ck_assert_int_eq(diag_add(&from, &items[1]), 0);
	array = control_diags_to_json(&from);
	ck_assert_uint_eq(json_array_size(array), 2);
	ck_assert_int_eq(control_diags_from_json(array, &to), 0);
	ck_assert_uint_eq(to.n, 2);
	ck_assert_uint_eq(to.n_errors, 1);
	ck_assert_str_eq(to.items[0].file, "/etc/x.yaml");
	ck_assert_uint_eq(to.items[0].line, 3);
	ck_assert_uint_eq(to.items[0].column, 7);
	ck_assert_uint_eq(to.items[0].width, 4);
	ck_assert_str_eq(to.items[0].text, "unknown key 'mod'");
	ck_assert_str_eq(to.items[0].expected, "mode");
	/* bytes that are no text arrive escaped: JSON cannot hold them */
	ck_assert_str_eq(to.items[0].source, "mod: \"x\"\\xff\\x1b");
	ck_assert_int_eq(to.items[1].severity, DIAG_WARNING);
	ck_assert_ptr_null(to.items[1].expected);
	ck_assert_uint_eq(to.items[1].line, 0);
	json_decref(array);
	diag_list_deinit(&from);
	diag_list_deinit(&to);
}
END_TEST

static const char *const broken[] = {
	"{}",
	"7",
	"[7]",
	"[{}]",
	"[{\"severity\": \"error\"}]",
	"[{\"text\": \"x\"}]",
	"[{\"severity\": \"fatal\", \"text\": \"x\"}]",
	"[{\"severity\": \"error\", \"text\": 7}]",
	"[{\"severity\": \"error\", \"text\": \"x\", \"line\": -1}]",
	"[{\"severity\": \"error\", \"text\": \"x\", \"line\": 4294967296}]",
	"[{\"severity\": \"error\", \"text\": \"x\", \"column\": \"3\"}]",
	"[{\"severity\": \"error\", \"text\": \"x\", \"file\": []}]",
};

START_TEST(test_broken)
{
	struct diag_list list = {};
	json_t *array = json_loads(broken[_i], JSON_DECODE_ANY, NULL);

	ck_assert_ptr_nonnull(array);
	ck_assert_int_eq(control_diags_from_json(array, &list), -EPROTO);
	ck_assert_uint_eq(list.n, 0);
	json_decref(array);
	diag_list_deinit(&list);
}
END_TEST

static const struct {
	const char *text, *json;
} texts[] = {
	{"plain", "\"plain\""}, {"\xed\x95\xb4\xed\x83\x9c", "\"\xed\x95\xb4\xed\x83\x9c\""},
	{"a\nb", "\"a\\nb\""},	{"\xff\xfe", "\"\\\\xff\\\\xfe\""},
	{"", "\"\""},		{NULL, "null"},
};

START_TEST(test_text)
{
	json_t *json = control_text(texts[_i].text);
	char *dumped = json_dumps(json, JSON_ENCODE_ANY);

	ck_assert_str_eq(dumped, texts[_i].json);
	free(dumped);
	json_decref(json);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("diagnostics");

	tcase_add_test(tc, test_round_trip);
	tcase_add_loop_test(tc, test_broken, 0, (int)(sizeof(broken) / sizeof(broken[0])));
	tcase_add_loop_test(tc, test_text, 0, (int)(sizeof(texts) / sizeof(texts[0])));
	return tcase_run(tc);
}
