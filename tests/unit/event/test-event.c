/* SPDX-License-Identifier: Apache-2.0 */

/* agent/event/event.c: copies are whole and independent, deinit leaves nothing. */

#include "tests/unit/event/sample.h"
#include "tests/unit/runner.h"

static bool is_zero(const struct event *event)
{
	static const struct event zero;

	return memcmp(event, &zero, sizeof(zero)) == 0;
}

START_TEST(test_copy_is_equal_and_independent)
{
	struct event event = sample_event(1), copy, again = sample_event(1);

	event.id = 99;
	ck_assert_int_eq(event_copy(&event, &copy), 0);
	ck_assert_int_eq(copy.id, 99);
	ck_assert(sample_equal(&event, &copy));
	ck_assert_ptr_ne(event.policy, copy.policy);
	ck_assert_ptr_ne(event.path.data, copy.path.data);
	event_deinit(&event);
	ck_assert(sample_equal(&copy, &again));
	event_deinit(&copy);
	event_deinit(&again);
}
END_TEST

START_TEST(test_copy_of_nothing)
{
	struct event event = {.count = 3}, copy;

	ck_assert_int_eq(event_copy(&event, &copy), 0);
	ck_assert(sample_equal(&event, &copy));
	ck_assert_ptr_null(copy.path.data);
	event_deinit(&copy);
}
END_TEST

START_TEST(test_deinit_zeroes)
{
	struct event event = sample_event(1);

	event_deinit(&event);
	ck_assert(is_zero(&event));
	event_deinit(&event);
	ck_assert(is_zero(&event));
}
END_TEST

/* Each field must count in sample_equal(), or the tests that use it would see nothing. */
START_TEST(test_equality_sees_each_change)
{
	struct event a = sample_event(1), b = sample_event(2);

	ck_assert(!sample_equal(&a, &b));
	event_deinit(&b);
	b = sample_event(1);
	b.path.data[0] = '!';
	ck_assert(!sample_equal(&a, &b));
	b.path.data[0] = '/';
	ck_assert(sample_equal(&a, &b));
	b.nlink++;
	ck_assert(!sample_equal(&a, &b));
	event_deinit(&a);
	event_deinit(&b);
}
END_TEST

static const struct {
	enum event_kind kind;
	bool process, object;
} parts[_EVENT_KIND_MAX] = {
	{EVENT_VERDICT, true, true},	{EVENT_AGGREGATE, true, true},	{EVENT_EXIT, true, false},
	{EVENT_GOVERNED, false, false}, {EVENT_RELEASED, false, false}, {EVENT_LOSS, false, false},
	{EVENT_AGENT, false, false},
};

START_TEST(test_parts)
{
	struct event event = {.kind = parts[_i].kind};

	ck_assert_int_eq(event_has_process(&event), parts[_i].process);
	ck_assert_int_eq(event_has_object(&event), parts[_i].object);
}
END_TEST

static const char *const rule_texts[EVENT_NAMES] = {"web", "/etc/web.yaml", "file.deny /x", NULL};
static const char *const place_texts[EVENT_NAMES] = {"/web.service", "web", NULL, "systemd"};

/* Names in common take the place of an event's own, and last as long as anybody has a share of them. */
START_TEST(test_names)
{
	struct event event = sample_event(1), copy;
	struct event_names *rule = event_names_new(rule_texts), *place = event_names_new(place_texts);

	event_set_rule(&event, rule);
	event_set_place(&event, place);
	event_set_place(&event, place);
	ck_assert_int_eq(event_copy(&event, &copy), 0);
	ck_assert_ptr_eq(copy.policy, event.policy);
	ck_assert_ptr_eq(copy.runtime, event.runtime);
	ck_assert_ptr_ne(copy.exe.data, event.exe.data);
	ck_assert(sample_equal(&event, &copy));
	ck_assert_uint_eq(rule->shares, 3);
	ck_assert_uint_eq(place->shares, 3);
	ck_assert_ptr_null(event_names_unref(rule));
	ck_assert_ptr_null(event_names_unref(place));
	event_deinit(&event);
	ck_assert(is_zero(&event));
	event_set_rule(&copy, copy.of_rule);
	event_set_place(&copy, copy.of_place);
	ck_assert_str_eq(copy.policy, "web");
	ck_assert_str_eq(copy.rule_file, "/etc/web.yaml");
	ck_assert_str_eq(copy.rule_text, "file.deny /x");
	ck_assert_ptr_null(copy.message);
	ck_assert_str_eq(copy.cgroup, "/web.service");
	ck_assert_str_eq(copy.container, "web");
	ck_assert_ptr_null(copy.container_id);
	ck_assert_str_eq(copy.runtime, "systemd");
	event_deinit(&copy);
	ck_assert_ptr_null(event_names_unref(NULL));
}
END_TEST

START_TEST(test_bytes_text)
{
	uint8_t data[] = {'a', 'b', 0, 'c'};
	char *text = event_bytes_text(&(struct event_bytes){.data = data, .len = 2});

	ck_assert_str_eq(text, "ab");
	free(text);
	ck_assert_ptr_null(event_bytes_text(&(struct event_bytes){.data = data, .len = 4}));
	ck_assert_ptr_null(event_bytes_text(&(struct event_bytes){}));
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("event");

	tcase_add_test(tc, test_bytes_text);
	tcase_add_test(tc, test_copy_is_equal_and_independent);
	tcase_add_test(tc, test_copy_of_nothing);
	tcase_add_test(tc, test_deinit_zeroes);
	tcase_add_test(tc, test_names);
	tcase_add_test(tc, test_equality_sees_each_change);
	tcase_add_loop_test(tc, test_parts, 0, _EVENT_KIND_MAX);
	return tcase_run(tc);
}
