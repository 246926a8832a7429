/* SPDX-License-Identifier: Apache-2.0 */

/* A policy file on trial, on disk: what is not surely confirmed and not surely in time is gone. */

#include "programs/haetaed/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/event/sample.h"
#include "tests/unit/runner.h"
#include "util/cleanup.h"
#include "util/fd.h"
#include "util/replace.h"

static char dir[64];
static const uint8_t boot[16] = {1, 2, 3}, other_boot[16] = {1, 2, 4};

static void setup(void)
{
	(void)strcpy(dir, "/tmp/haetae-trial-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void teardown(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	ck_assert_int_eq(system(command), 0);
}

static const char *at(const char *name)
{
	static char ring[4][128];
	static unsigned next;
	char *path = ring[next++ % 4];

	(void)snprintf(path, sizeof(ring[0]), "%s/%s", dir, name);
	return path;
}

static void put(const char *name, const char *text)
{
	ck_assert_int_eq(file_replace(at(name), text, strlen(text), 0600), 0);
}

static bool is_there(const char *name)
{
	return access(at(name), F_OK) == 0;
}

/* Begin one: its file was laid down by agentctl. */
static void begin(struct trial *trial)
{
	struct trial none = {};

	ck_assert_int_eq(trial_load(dir, boot, &none), 0);
	ck_assert_ptr_null(none.name);
	put("trial/.50-web.yaml", "policy: web\n");
	*trial = (struct trial){.name = sample_text("50-web.yaml"), .until_ns = 1000};
	ck_assert_int_eq(trial_begin(dir, boot, trial), 0);
	ck_assert(is_there("trial/50-web.yaml") && !is_there("trial/.50-web.yaml"));
}

START_TEST(test_names)
{
	static const char *const good[] = {"a.yaml", "50-web.yml", "a b.yaml", "\xff.yaml"};
	static const char *const bad[] = {"", ".yaml", ".a.yaml", "a", "a.json", "a/b.yaml", "../a.yaml", ".yml"};
	char longest[300];

	for (size_t i = 0; i < ARRAY_LEN(good); i++)
		ck_assert_msg(trial_name_is_good(good[i]), "%s", good[i]);
	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_msg(!trial_name_is_good(bad[i]), "%s", bad[i]);
	memset(longest, 'a', sizeof(longest));
	(void)strcpy(longest + 250, ".yaml");
	ck_assert(!trial_name_is_good(longest));
}
END_TEST

START_TEST(test_life)
{
	_cleanup_(trial_deinit) struct trial trial = {}, again = {};
	struct stat st;

	begin(&trial);
	ck_assert_int_eq(stat(at("trial"), &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0700);
	/* the next agent of this boot finds it, and what does not belong there is swept away */
	put("trial/.other.yaml", "x");
	put("trial/60-other.yaml", "x");
	ck_assert_int_eq(trial_load(dir, boot, &again), 1);
	ck_assert_str_eq(again.name, "50-web.yaml");
	ck_assert_uint_eq(again.until_ns, 1000);
	ck_assert(!again.confirmed);
	ck_assert(is_there("trial/50-web.yaml") && !is_there("trial/60-other.yaml") &&
		  !is_there("trial/.other.yaml"));
	ck_assert_int_eq(trial_end(dir, &trial), 0);
	ck_assert_ptr_null(trial.name);
	ck_assert(!is_there("trial/50-web.yaml") && !is_there("trial.json"));
}
END_TEST

START_TEST(test_another_boot)
{
	_cleanup_(trial_deinit) struct trial trial = {}, again = {};

	begin(&trial);
	ck_assert_int_eq(trial_load(dir, other_boot, &again), 0);
	ck_assert_ptr_null(again.name);
	ck_assert(!is_there("trial/50-web.yaml") && !is_there("trial.json"));
}
END_TEST

START_TEST(test_confirmed)
{
	_cleanup_(trial_deinit) struct trial trial = {}, again = {};

	begin(&trial);
	ck_assert_int_eq(trial_confirm(dir, boot, &trial), 0);
	ck_assert(trial.confirmed);
	ck_assert_int_eq(trial_load(dir, other_boot, &again), 1);
	ck_assert(again.confirmed);
	ck_assert(is_there("trial/50-web.yaml"));
}
END_TEST

static const char *const damaged[] = {
	"",
	"[]",
	"{\"name\": \"50-web.yaml\"}",
	"{\"name\": \"50-web.yaml\", \"until_ns\": 1, \"confirmed\": 1, \"boot_id\": \"\"}",
	"{\"name\": \"../50-web.yaml\", \"until_ns\": 1, \"confirmed\": true}",
	"{\"name\": 1, \"until_ns\": 1, \"confirmed\": true}",
};

START_TEST(test_damaged)
{
	_cleanup_(trial_deinit) struct trial trial = {}, again = {};

	begin(&trial);
	put("trial.json", damaged[_i]);
	ck_assert_int_eq(trial_load(dir, boot, &again), -EINVAL);
	ck_assert_ptr_null(again.name);
	ck_assert(!is_there("trial/50-web.yaml") && !is_there("trial.json"));
}
END_TEST

START_TEST(test_no_note)
{
	_cleanup_(trial_deinit) struct trial trial = {}, again = {};

	begin(&trial);
	ck_assert_int_eq(unlink(at("trial.json")), 0);
	ck_assert_int_eq(trial_load(dir, boot, &again), 0);
	ck_assert(!is_there("trial/50-web.yaml"));
}
END_TEST

START_TEST(test_nothing_laid_down)
{
	_cleanup_(trial_deinit) struct trial trial = {.name = sample_text("a.yaml"), .until_ns = 1};

	ck_assert_int_eq(trial_begin(dir, boot, &trial), -ENOENT);
	ck_assert(!is_there("trial.json"));
	ck_assert_int_lt(trial_begin("/nonexistent", boot, &trial), 0);
	ck_assert_int_lt(trial_load("/nonexistent", boot, &trial), 0);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("trial");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, test_names);
	tcase_add_test(tc, test_life);
	tcase_add_test(tc, test_another_boot);
	tcase_add_test(tc, test_confirmed);
	tcase_add_loop_test(tc, test_damaged, 0, (int)ARRAY_LEN(damaged));
	tcase_add_test(tc, test_no_note);
	tcase_add_test(tc, test_nothing_laid_down);
	return tcase_run(tc);
}
