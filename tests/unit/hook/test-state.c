/* SPDX-License-Identifier: Apache-2.0 */

/* What a runtime hands to the hook, whatever it is. */

#include <errno.h>

#include "programs/hook/state.h"
#include "tests/unit/container/place.h"
#include "tests/unit/runner.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define SCOPE "0::/machine.slice/libpod-" HEX ".scope/container\n"

static const struct {
	const char *text;
	int result;
	const char *runtime;
	const char *name; /* NULL: not known */
} states[] = {
	{"{\"id\": \"web\", \"pid\": 7, \"bundle\": \"/b\", \"annotations\": {\"a\": \"b\"}}", 0, "unknown", "web"},
	{"{\"id\": \"web\", \"pid\": 7, \"annotations\": {\"io.container.manager\": \"libpod\"}}", 0, "podman", NULL},
	{"{\"id\": \"web\", \"pid\": 7, \"annotations\": {\"io.container.manager\": \"cri-o\", "
	 "\"io.kubernetes.cri-o.Name\": \"k\"}}", 0, "crio", "k"},
	{"{\"id\": \"" HEX "\", \"pid\": 8, \"annotations\": {\"io.container.manager\": \"cri-o\"}}", 0, "podman", NULL},
	{"{\"id\": \"web\", \"pid\": 7, \"bundle\": 7, \"annotations\": [1]}", 0, "unknown", "web"},
	{"{\"id\": \"web\", \"pid\": 9}", -ESRCH, NULL, NULL},
	{"{\"id\": \"web\", \"pid\": 10}", -ESRCH, NULL, NULL},
	{"{\"id\": \"web\"}", -EPROTO, NULL, NULL},
	{"{\"id\": \"web\", \"pid\": -1}", -EPROTO, NULL, NULL},
	{"{\"id\": \"web\", \"pid\": \"7\"}", -EPROTO, NULL, NULL},
	{"{\"id\": \"../x\", \"pid\": 7}", -EPROTO, NULL, NULL},
	{"{\"id\": 7, \"pid\": 7}", -EPROTO, NULL, NULL},
	{"{\"pid\": 7}", -EPROTO, NULL, NULL},
	{"[]", -EPROTO, NULL, NULL},
	{"", -EPROTO, NULL, NULL},
	{"{\"id\": \"web\", \"pid\": 7} trailing", -EPROTO, NULL, NULL},
};

START_TEST(test_state)
{
	_cleanup_state_ struct state state = {};
	const char *text = states[_i].text;

	put("/proc/7/cgroup", "1:cpu:/x\n0::/system.slice/x.service\n");
	put("/proc/8/cgroup", SCOPE);
	put("/proc/9/cgroup", "1:cpu:/x\n");
	ck_assert_int_eq(state_read(text, strlen(text), root, &state), states[_i].result);
	if (states[_i].result < 0)
		return;
	ck_assert_str_eq(state.facts.runtime, states[_i].runtime);
	if (states[_i].name)
		ck_assert_str_eq(state.facts.name, states[_i].name);
	else
		ck_assert_ptr_null(state.facts.name);
	ck_assert_int_eq(state.cgroup[0], '/');
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("state");

	tcase_add_checked_fixture(tc, place_make, place_remove);
	tcase_add_loop_test(tc, test_state, 0, (int)ARRAY_LEN(states));
	return tcase_run(tc);
}
