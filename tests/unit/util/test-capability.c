/* SPDX-License-Identifier: Apache-2.0 */

/* A capability that was given up is gone from this thread, and only that one. */

#include <check.h>
#include <errno.h>
#include <linux/capability.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tests/unit/runner.h"
#include "util/capability.h"

static uint64_t effective(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {};

	ck_assert_int_eq(syscall(SYS_capget, &header, data), 0);
	return data[0].effective | data[0].permitted | (uint64_t)(data[1].effective | data[1].permitted) << 32;
}

/* In a thread of its own, which takes what it gave up along when it ends. */
static void *drop(void *userdata)
{
	const unsigned *capability = userdata;
	uint64_t before = effective();

	ck_assert_int_eq(capability_drop(*capability), 0);
	ck_assert_uint_eq(effective(), before & ~(1ULL << *capability));
	ck_assert_int_eq(capability_drop(*capability), 0);
	return NULL;
}

START_TEST(test_drop)
{
	unsigned capabilities[] = {CAP_CHOWN, CAP_NET_ADMIN, CAP_BPF};
	uint64_t before = effective();

	for (size_t i = 0; i < sizeof(capabilities) / sizeof(capabilities[0]); i++) {
		pthread_t thread;

		ck_assert_int_eq(pthread_create(&thread, NULL, drop, &capabilities[i]), 0);
		ck_assert_int_eq(pthread_join(thread, NULL), 0);
		ck_assert_uint_eq(effective(), before);
	}
}
END_TEST

START_TEST(test_no_such)
{
	ck_assert_int_eq(capability_drop(4096), -EINVAL);
}
END_TEST

int main(void)
{
	TCase *tcase = tcase_create("capability");

	tcase_add_test(tcase, test_drop);
	tcase_add_test(tcase, test_no_such);
	return tcase_run(tcase);
}
