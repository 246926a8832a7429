/* SPDX-License-Identifier: Apache-2.0 */

/* Words and enums: each word leads back to itself, and nothing else is a word. */

#include "policy-test.h"

#include "abi.h"
#include "tests/unit/runner.h"

#include <errno.h>

START_TEST(test_modes)
{
	for (int i = 0; i < _POLICY_MODE_MAX; i++) {
		enum policy_mode mode = _POLICY_MODE_MAX;

		ck_assert_int_eq(
			policy_mode_from_string(policy_mode_to_string((enum policy_mode)i), &mode),
			0);
		ck_assert_int_eq((int)mode, i);
	}
	ck_assert_ptr_null(policy_mode_to_string(_POLICY_MODE_MAX));
}
END_TEST

START_TEST(test_defaults)
{
	for (int i = 0; i < _POLICY_DEFAULT_MAX; i++) {
		enum policy_default d = _POLICY_DEFAULT_MAX;

		ck_assert_int_eq(policy_default_from_string(
					 policy_default_to_string((enum policy_default)i), &d),
				 0);
		ck_assert_int_eq((int)d, i);
	}
	ck_assert_ptr_null(policy_default_to_string(_POLICY_DEFAULT_MAX));
}
END_TEST

START_TEST(test_severities)
{
	for (int i = 0; i < _POLICY_SEVERITY_MAX; i++) {
		enum policy_severity s = _POLICY_SEVERITY_MAX;

		ck_assert_int_eq(policy_severity_from_string(
					 policy_severity_to_string((enum policy_severity)i), &s),
				 0);
		ck_assert_int_eq((int)s, i);
	}
	ck_assert_ptr_null(policy_severity_to_string(_POLICY_SEVERITY_MAX));
}
END_TEST

START_TEST(test_actions)
{
	for (int i = 0; i < _POLICY_ACTION_MAX; i++) {
		enum policy_action a = _POLICY_ACTION_MAX;

		ck_assert_int_eq(policy_action_from_string(
					 policy_action_to_string((enum policy_action)i), &a),
				 0);
		ck_assert_int_eq((int)a, i);
	}
	ck_assert_ptr_null(policy_action_to_string(_POLICY_ACTION_MAX));
}
END_TEST

START_TEST(test_kinds)
{
	static const char *const words[] = {"exec.default",   "exec.allow",    "exec.deny",
					    "file.default",   "file.allow",    "file.deny",
					    "exec.audit",     "file.audit",    "exec.libraries",
					    "exec.anonymous", "exec.writable", "kernel"};

	ck_assert_uint_eq(ARRAY_LEN(words), _POLICY_RULE_KIND_MAX);
	for (int i = 0; i < _POLICY_RULE_KIND_MAX; i++)
		ck_assert_str_eq(policy_rule_kind_to_string((enum policy_rule_kind)i), words[i]);
	ck_assert_ptr_null(policy_rule_kind_to_string(_POLICY_RULE_KIND_MAX));
}
END_TEST

START_TEST(test_ops)
{
	uint32_t all = 0, bits;

	for (unsigned i = 0; i < HT_OP_MAX; i++) {
		const char *word = policy_op_to_string(1U << i);

		ck_assert_ptr_nonnull(word);
		bits = 0;
		ck_assert_int_eq(policy_op_from_string(word, &bits), 0);
		ck_assert(bits & 1U << i);
		all |= bits;
	}
	ck_assert_uint_eq(all, HT_OP_ALL);
	ck_assert_str_eq(policy_op_to_string(HT_OP_MAP), "map");
	ck_assert_str_eq(policy_op_to_string(HT_OP_MAP_LIBRARY), "map");
	ck_assert_int_eq(policy_op_from_string("map", &bits), 0);
	ck_assert_uint_eq(bits, HT_OP_MAP | HT_OP_MAP_LIBRARY);
	ck_assert_ptr_null(policy_op_to_string(0));
	ck_assert_ptr_null(policy_op_to_string(HT_OP_READ | HT_OP_WRITE));
	ck_assert_ptr_null(policy_op_to_string(1U << HT_OP_MAX));
	for (unsigned line = 0; line < HT_KERNEL_MAX; line++) {
		const char *word = policy_kernel_to_string(line);
		uint32_t found = HT_KERNEL_MAX;

		ck_assert_ptr_nonnull(word);
		ck_assert_int_eq(policy_kernel_from_string(word, &found), 0);
		ck_assert_uint_eq(found, line);
		ck_assert_str_eq(policy_op_to_string(HT_KERNEL_OP(line)), word);
		ck_assert_int_eq(policy_op_from_string(word, &bits), 0);
		ck_assert_uint_eq(bits, HT_KERNEL_OP(line));
	}
	ck_assert_ptr_null(policy_kernel_to_string(HT_KERNEL_MAX));
	ck_assert_int_eq(policy_kernel_from_string("mounts", &bits), -EINVAL);
	ck_assert_ptr_null(policy_op_to_string(HT_KERNEL_OP(HT_KERNEL_MAX)));
}
END_TEST

START_TEST(test_unknown)
{
	static const char *const words[] = {"", "Enforce", "deny ", "READ", "learn", "highest"};
	enum policy_severity s;
	enum policy_default d;
	enum policy_action a;
	enum policy_mode m;
	uint32_t bits;

	ck_assert_int_eq(policy_action_from_string(words[_i], &a), -EINVAL);
	ck_assert_int_eq(policy_mode_from_string(words[_i], &m), -EINVAL);
	ck_assert_int_eq(policy_default_from_string(words[_i], &d), -EINVAL);
	ck_assert_int_eq(policy_severity_from_string(words[_i], &s), -EINVAL);
	ck_assert_int_eq(policy_op_from_string(words[_i], &bits), -EINVAL);
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("tables");

	tcase_add_test(cases, test_modes);
	tcase_add_test(cases, test_defaults);
	tcase_add_test(cases, test_severities);
	tcase_add_test(cases, test_actions);
	tcase_add_test(cases, test_kinds);
	tcase_add_test(cases, test_ops);
	tcase_add_loop_test(cases, test_unknown, 0, 6);
	return tcase_run(cases);
}
