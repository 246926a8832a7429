/* SPDX-License-Identifier: Apache-2.0 */

/* Each path of each profile once, in parts, whatever becomes of the policies meanwhile. */

#include "programs/haetaed/identity-request.h"

#include <errno.h>

#include "tests/unit/event/sample.h"
#include "tests/unit/runner.h"
#include "util/cleanup.h"

#define N_PATHS (2 * OPENING_PATHS_MAX + 10)

static char texts[N_PATHS][16];
static struct image_identity many[N_PATHS];
static char *directories[] = {(char *)(uintptr_t) "/d", (char *)(uintptr_t) "/e"};
static struct image_profile profiles[] = {
	{.id = 7, .digest = 70, .identities = many, .n_identities = N_PATHS},
	{.id = 8,
	 .digest = 80,
	 .policy = (char *)(uintptr_t) "eight",
	 .directories = directories,
	 .n_directories = ARRAY_LEN(directories)},
};
static const struct image image = {.profiles = profiles, .n_profiles = ARRAY_LEN(profiles)};
static const uint32_t both[HT_PROFILES_MAX] = {7, 8};

static void prepare(void)
{
	for (size_t i = 0; i < N_PATHS; i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "/a%zu", i);
		many[i].path = texts[i];
	}
	profiles[0].digest = 70;
}

static struct identity_request *next(struct identity_queue *queue, const struct image *of)
{
	struct identity_request *request = NULL;

	ck_assert_int_eq(identity_queue_next(queue, of, &request), 1);
	return request;
}

START_TEST(test_parts)
{
	struct identity_queue queue;
	struct identity_request *request = NULL;
	size_t n = 0;

	prepare();
	identity_queue_init(&queue);
	ck_assert_int_eq(identity_queue_add(&queue, 100, "/x", 5, both), 0);
	while (n < N_PATHS) {
		request = next(&queue, &image);
		ck_assert_uint_eq(request->cgroup, 100);
		ck_assert_str_eq(request->cgroup_path, "/x");
		ck_assert_int_eq(request->pid, 5);
		for (size_t i = 0; i < request->n && n < N_PATHS; i++, n++) {
			ck_assert_str_eq(request->paths[i], texts[n]);
			ck_assert_ptr_null(request->policies[i]);
		}
		if (n < N_PATHS)
			request = identity_request_free(request);
	}
	/* the last one had room for the other profile */
	ck_assert_uint_eq(request->n, 12);
	ck_assert_str_eq(request->paths[11], "/e");
	ck_assert_str_eq(request->policies[11], "eight");
	(void)identity_request_free(request);
	ck_assert_int_eq(identity_queue_next(&queue, &image, &request), 0);
	ck_assert_uint_eq(queue.n, 0);
}
END_TEST

/* Another content under the same id is asked for from its beginning; a profile that is gone is not. */
START_TEST(test_changes)
{
	struct identity_queue queue;
	struct identity_request *request;
	const struct image without = {.profiles = &profiles[1], .n_profiles = 1};

	prepare();
	identity_queue_init(&queue);
	ck_assert_int_eq(identity_queue_add(&queue, 100, "/x", 5, both), 0);
	ck_assert_int_eq(identity_queue_add(&queue, 101, "/y", 6, both), 0);
	(void)identity_request_free(next(&queue, &image));
	profiles[0].digest = 71;
	request = next(&queue, &image);
	ck_assert_str_eq(request->paths[0], texts[0]);
	(void)identity_request_free(request);
	request = next(&queue, &without);
	ck_assert_uint_eq(request->cgroup, 100);
	ck_assert_uint_eq(request->n, 2);
	ck_assert_str_eq(request->paths[0], "/d");
	(void)identity_request_free(request);
	request = next(&queue, &without);
	ck_assert_uint_eq(request->cgroup, 101);
	ck_assert_uint_eq(request->n, 2);
	(void)identity_request_free(request);
	ck_assert_int_eq(identity_queue_next(&queue, &without, &request), 0);
}
END_TEST

START_TEST(test_full)
{
	static const uint32_t none[HT_PROFILES_MAX];
	struct identity_request *request = NULL;
	struct identity_queue queue;

	identity_queue_init(&queue);
	for (size_t i = 0; i < IDENTITY_QUEUE_MAX; i++)
		ck_assert_int_eq(identity_queue_add(&queue, i, "/x", 5, none), 0);
	ck_assert_int_eq(identity_queue_add(&queue, 1, "/x", 5, none), -ENOBUFS);
	/* nothing to be looked for in any of them */
	ck_assert_int_eq(identity_queue_next(&queue, &image, &request), 0);
	ck_assert_int_eq(identity_queue_add(&queue, 1, "/x", 5, both), 0);
	identity_queue_deinit(&queue);
	ck_assert_uint_eq(queue.n, 0);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("identity-request");

	tcase_add_test(tc, test_parts);
	tcase_add_test(tc, test_changes);
	tcase_add_test(tc, test_full);
	return tcase_run(tc);
}
