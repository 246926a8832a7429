/* SPDX-License-Identifier: Apache-2.0 */

/* agent/event/json.c: valid JSON for every event, stable names, and bytes that can be read back. */

#include <jansson.h>

#include "tests/unit/event/sample.h"
#include "tests/unit/runner.h"
#include "util/strbuf.h"

/* jansson refuses lone surrogates, which is how bytes that are no text are written (as Python's
 * surrogateescape does): \udcXX becomes U+E000+XX, which the tests do not use otherwise. */
static void surrogates_replace(struct strbuf *b)
{
	for (char *p = b->data; (p = strstr(p, "\\udc")); p += 4) {
		size_t slashes = 0;

		/* an escaped backslash before "udc" is a backslash */
		while (p - slashes > b->data && p[-1 - (ptrdiff_t)slashes] == '\\')
			slashes++;
		if (slashes % 2 == 0)
			memcpy(p + 2, "e0", 2);
	}
}

static json_t *render(const struct event *event)
{
	_cleanup_strbuf_ struct strbuf b = {};
	json_error_t error;
	json_t *object;

	event_render_json(event, &b);
	ck_assert_int_eq(strbuf_error(&b), 0);
	ck_assert_ptr_null(memchr(b.data, '\n', b.len));
	surrogates_replace(&b);
	object = json_loadb(b.data, b.len, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);
	ck_assert_msg(object != NULL, "%s at %d in %s", error.text, error.position, b.data);
	ck_assert(json_is_object(object));
	return object;
}

/* "a.b.c" */
static const json_t *find(const json_t *object, const char *path)
{
	char name[64];

	while (*path) {
		size_t n = strcspn(path, ".");

		ck_assert_uint_lt(n, sizeof(name));
		memcpy(name, path, n);
		name[n] = '\0';
		object = json_object_get(object, name);
		ck_assert_msg(object != NULL, "no %s", name);
		path += n + (path[n] == '.');
	}
	return object;
}

static const struct {
	const char *path, *text;
	json_int_t number;
} members[] = {
	{"id", NULL, 99},
	{"time", "2026-11-21T07:02:11.123456Z", 0},
	{"boot_id", "b007030405060708090a0b0c0d0e0fff", 0},
	{"boottime_ns", NULL, 5000000000},
	{"cpu", NULL, 3},
	{"seq", NULL, 100},
	{"kind", "verdict", 0},
	{"verdict", "deny", 0},
	{"reason", "policy", 0},
	{"op", "read", 0},
	{"count", NULL, 1},
	{"first_ns", NULL, 5000000000},
	{"last_ns", NULL, 5000000000},
	{"severity", "critical", 0},
	{"policy", "web-demo", 0},
	{"rule.id", "fedcba9876543210", 0},
	{"rule.file", "/etc/haetae/policies.d/50-web-demo.yaml", 0},
	{"rule.line", NULL, 20},
	{"rule.text", "file.deny /etc/shadow", 0},
	{"rule.severity", "critical", 0},
	{"rule.message", "no secrets for the web", 0},
	{"generation", NULL, 12},
	{"profile", NULL, 7},
	{"container.name", "web", 0},
	{"container.id", "0123456789abcdef0123456789abcdef", 0},
	{"container.runtime", "podman", 0},
	{"container.cgroup", "/machine.slice/libpod-abc.scope", 0},
	{"container.cgroup_id", NULL, 4711},
	{"process.pid", NULL, 1234},
	{"process.tid", NULL, 1235},
	{"process.ppid", NULL, 1200},
	{"process.uid", NULL, 33},
	{"process.gid", NULL, 34},
	{"process.start_ns", NULL, 4000000000},
	{"process.parent_start_ns", NULL, 3000000000},
	{"process.comm", "cat", 0},
	{"process.exe", "/usr/bin/cat", 0},
	{"process.argc", NULL, 4},
	{"process.exec_id", "8000000000000001", 0},
	{"object.path", "/etc/shadow", 0},
	{"object.dev", "8:17", 0},
	{"object.ino", "18446744069414584321", 0},
	{"object.generation", NULL, 0xdeadbeef},
	{"object.mode", "100640", 0},
	{"object.nlink", NULL, 2},
};

START_TEST(test_members)
{
	struct event event = sample_event(0);
	const json_t *value;
	json_t *object;

	event.id = 99;
	object = render(&event);
	value = find(object, members[_i].path);
	if (members[_i].text) {
		ck_assert(json_is_string(value));
		ck_assert_str_eq(json_string_value(value), members[_i].text);
	} else {
		ck_assert(json_is_integer(value));
		ck_assert_int_eq(json_integer_value(value), members[_i].number);
	}
	json_decref(object);
	event_deinit(&event);
}
END_TEST

START_TEST(test_arrays_and_message)
{
	static const char *const argv[] = {"/usr/bin/cat", "-n", "", "/etc/shadow"};
	struct event event = sample_event(0);
	json_t *object = render(&event);
	const json_t *array = find(object, "process.argv");

	ck_assert_uint_eq(json_array_size(array), 4);
	for (size_t i = 0; i < 4; i++)
		ck_assert_str_eq(json_string_value(json_array_get(array, i)), argv[i]);
	array = find(object, "flags");
	ck_assert_uint_eq(json_array_size(array), 2);
	ck_assert_str_eq(json_string_value(json_array_get(array, 0)), "deleted");
	ck_assert_str_eq(json_string_value(json_array_get(array, 1)), "straight");
	ck_assert_int_eq(
		strncmp(json_string_value(find(object, "message")), "Refused read of '/etc/", 22),
		0);
	ck_assert(json_is_null(find(object, "profiles")));
	json_decref(object);
	event_deinit(&event);
}
END_TEST

static const struct {
	const char *data;
	size_t len, n;
} argvs[] = {
	{"a\0", 2, 1},	 {"a", 1, 1},	 {"\0", 1, 1},	      {"a\0b", 3, 2},
	{"a\0\0", 3, 2}, {"\0\0", 2, 2}, {"a\0b\0c\0", 6, 3},
};

START_TEST(test_argv)
{
	struct event event = {.argv = sample_bytes(argvs[_i].data, argvs[_i].len)};
	json_t *object = render(&event);

	ck_assert_uint_eq(json_array_size(find(object, "process.argv")), argvs[_i].n);
	json_decref(object);
	event_deinit(&event);
}
END_TEST

/* The same names in the same order in every kind, filled or not. */
static void names_collect(const json_t *object, char *names, size_t size)
{
	const char *key;
	json_t *value;

	names[0] = '\0';
	json_object_foreach((json_t *)(uintptr_t)object, key, value)
	{
		ck_assert_uint_lt(strlen(names) + strlen(key) + 2, size);
		(void)strcat(strcat(names, key), " ");
	}
}

START_TEST(test_names_are_stable)
{
	struct event full = sample_event(0), event = {.kind = (enum event_kind)_i};
	char names[1024], other[1024];
	json_t *a = render(&full), *b = render(&event);

	names_collect(a, names, sizeof(names));
	names_collect(b, other, sizeof(other));
	ck_assert_str_eq(names, other);
	ck_assert(json_is_null(find(b, "id")));
	ck_assert(json_is_null(find(b, "policy")));
	ck_assert(json_is_null(find(b, "rule")));
	ck_assert(json_is_null(find(b, "container")));
	ck_assert_int_eq(json_is_null(find(b, "process")), !event_has_process(&event));
	ck_assert_int_eq(json_is_null(find(b, "object")), !event_has_object(&event));
	ck_assert_int_eq(json_is_null(find(b, "notice")), _i != EVENT_AGENT);
	ck_assert_int_eq(json_is_array(find(b, "profiles")), _i == EVENT_GOVERNED);
	ck_assert_str_eq(json_string_value(find(b, "kind")), event_kind_to_string(event.kind));
	json_decref(a);
	json_decref(b);
	event_deinit(&full);
}
END_TEST

START_TEST(test_exit)
{
	struct event event = {.kind = EVENT_EXIT, .exit_code = 3 << 8};
	json_t *object = render(&event);

	ck_assert_int_eq(json_integer_value(find(object, "process.exit_status")), 3);
	ck_assert(json_is_null(find(object, "process.exit_signal")));
	json_decref(object);
	event.exit_code = 9;
	object = render(&event);
	ck_assert(json_is_null(find(object, "process.exit_status")));
	ck_assert_int_eq(json_integer_value(find(object, "process.exit_signal")), 9);
	json_decref(object);
}
END_TEST

START_TEST(test_governed)
{
	struct event event = {.kind = EVENT_GOVERNED, .n_profiles = 2, .profiles = {7, 9}};
	json_t *object = render(&event);
	const json_t *profiles = find(object, "profiles");

	ck_assert_uint_eq(json_array_size(profiles), 2);
	ck_assert_int_eq(json_integer_value(json_array_get(profiles, 1)), 9);
	json_decref(object);
}
END_TEST

/* Bytes -> JSON -> bytes, by the rule of surrogateescape. */
static size_t bytes_back(const char *text, size_t len, unsigned char *out)
{
	size_t n = 0;

	for (size_t i = 0; i < len;) {
		const unsigned char *p = (const unsigned char *)text + i;

		/* U+E0XX, the stand-in of \udcXX, is EE 8X XX in UTF-8 */
		if (len - i >= 3 && p[0] == 0xee && (p[1] == 0x82 || p[1] == 0x83)) {
			out[n++] = (unsigned char)((p[1] & 0x3) << 6 | (p[2] & 0x3f));
			i += 3;
		} else {
			out[n++] = p[0];
			i++;
		}
	}
	return n;
}

static void check_round_trip(const void *data, size_t len)
{
	struct event event = {.path = sample_bytes(data, len), .exe = sample_bytes(data, len)};
	json_t *object = render(&event);
	const json_t *path = find(object, "object.path"), *exe = find(object, "process.exe");
	unsigned char out[4096];

	ck_assert_uint_le(json_string_length(path), sizeof(out));
	ck_assert_uint_eq(bytes_back(json_string_value(path), json_string_length(path), out), len);
	ck_assert_mem_eq(out, data, len);
	ck_assert(json_equal(path, exe));
	json_decref(object);
	event_deinit(&event);
}

START_TEST(test_every_byte_comes_back)
{
	unsigned char name[5] = {'a', (unsigned char)_i, 'b', (unsigned char)_i, (unsigned char)_i};

	check_round_trip(name, sizeof(name));
	check_round_trip(name + 1, 1);
}
END_TEST

static const char *const hostile[] = {
	"\",\"verdict\":\"allow",
	"\n{\"verdict\":\"allow\"}\n",
	"'); DROP TABLE event; --",
	"\\udcff \\\\udcff \\",
	"\xed\x95\xb4\xed\x83\x9c",
	"\xf0\x9f\x98\x80\xf0\x9f\x98",
	"\xc0\xaf\xe0\x80\xaf\xed\xa0\x80\xff\xfe",
	"\033[31m\033]0;x\007",
	"\xe2\x80\xaegpj.exe",
};

START_TEST(test_hostile_names)
{
	check_round_trip(hostile[_i], strlen(hostile[_i]));
}
END_TEST

START_TEST(test_random_names)
{
	unsigned state = 99;

	for (int round = 0; round < 3000; round++) {
		unsigned char name[16];

		for (size_t i = 0; i < sizeof(name); i++) {
			state = state * 1103515245 + 12345;
			/* many bytes that could begin or continue UTF-8; none of the stand-ins */
			name[i] = (unsigned char)(state >> 16 | (state & 1 ? 0x80 : 0));
			if (name[i] == 0xee)
				name[i] = 0xed;
		}
		check_round_trip(name, 1 + (size_t)round % sizeof(name));
	}
}
END_TEST

/* It is appended: what the caller's buffer holds does not matter. */
START_TEST(test_appends)
{
	_cleanup_strbuf_ struct strbuf b = {}, alone = {};
	struct event event = sample_event(0);

	strbuf_puts(&b, "{");
	event_render_json(&event, &b);
	event_render_json(&event, &alone);
	ck_assert_str_eq(strbuf_str(&b) + 1, strbuf_str(&alone));
	event_deinit(&event);
}
END_TEST

START_TEST(test_time_out_of_range)
{
	struct event event = {.realtime_us = UINT64_MAX};
	json_t *object = render(&event);

	ck_assert(json_is_null(find(object, "time")));
	json_decref(object);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("json");

	tcase_add_loop_test(tc, test_members, 0, (int)ARRAY_LEN(members));
	tcase_add_test(tc, test_arrays_and_message);
	tcase_add_loop_test(tc, test_argv, 0, (int)ARRAY_LEN(argvs));
	tcase_add_loop_test(tc, test_names_are_stable, 0, _EVENT_KIND_MAX);
	tcase_add_test(tc, test_exit);
	tcase_add_test(tc, test_governed);
	tcase_add_loop_test(tc, test_every_byte_comes_back, 0, 256);
	tcase_add_loop_test(tc, test_hostile_names, 0, (int)ARRAY_LEN(hostile));
	tcase_add_test(tc, test_random_names);
	tcase_add_test(tc, test_appends);
	tcase_add_test(tc, test_time_out_of_range);
	return tcase_run(tc);
}
