/* SPDX-License-Identifier: Apache-2.0 */

/* The last good policies on disk: kept whole, read back with distrust. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "programs/haetaed/last-good.h"
#include "tests/unit/event/sample.h"
#include "tests/unit/runner.h"
#include "util/cleanup.h"
#include "util/fd.h"

#define POLICY(name, rest) "policy: " name "\nmatch: [{cgroup: /a}]\n" rest
#define GOOD POLICY("web", "file:\n  deny: [/etc/shadow]\n")

static char dir[64];

static void setup(void)
{
	(void)strcpy(dir, "/tmp/haetae-last-good-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void teardown(void)
{
	char command[128];

	(void)snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	ck_assert_int_eq(system(command), 0);
}

static void put(const char *name, const void *data, size_t len)
{
	char path[128];
	int fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, data, len), (ssize_t)len);
	ck_assert_int_eq(close(fd), 0);
}

/* text NULL: never good. */
static void set_add(struct policy_set *set, const char *path, const char *text, bool masked)
{
	struct policy_source *source = &set->sources[set->n_sources++];
	struct diag_list diags = {};

	source->path = sample_text(path);
	source->name = sample_text(strrchr(path, '/') + 1);
	source->masked = masked;
	if (text)
		ck_assert_int_eq(policy_parse(path, text, strlen(text), &diags, &source->file), 0);
	diag_list_deinit(&diags);
}

static struct policy_set *set_new(void)
{
	struct policy_set *set = calloc(1, sizeof(*set));

	ck_assert_ptr_nonnull(set);
	set->sources = calloc(16, sizeof(*set->sources));
	ck_assert_ptr_nonnull(set->sources);
	return set;
}

static void save_one(const char *text)
{
	struct policy_set *set = set_new();

	set_add(set, "/p/web.yaml", text, false);
	ck_assert_int_eq(last_good_save(dir, set, NULL), 0);
	(void)policy_set_free(set);
}

static void check_one(const char *text)
{
	struct policy_set *set = NULL;

	ck_assert_int_eq(last_good_load(dir, &set), 0);
	ck_assert_uint_eq(set->n_sources, 1);
	ck_assert_str_eq(set->sources[0].file->text, text);
	(void)policy_set_free(set);
}

/* ---- kept ---- */

START_TEST(test_round_trip)
{
	static const char two[] =
		POLICY("a", "") "---\n" POLICY("b", "description: \"해태 \\\\ \\\"\"\n");
	struct policy_set *set = set_new(), *got = NULL;
	char path[128];
	struct stat st;

	set_add(set, "/etc/haetae/policies.d/10-two.yaml", two, false);
	set_add(set, "/etc/haetae/policies.d/20-masked.yaml", NULL, true);
	set_add(set, "/run/haetae/policies.d/30-never-good.yaml", NULL, false);
	set_add(set, "/usr/lib/haetae/policies.d/40-web.yaml", GOOD, false);
	ck_assert_int_eq(last_good_save(dir, set, NULL), 0);
	ck_assert_int_eq(last_good_load(dir, &got), 0);
	ck_assert_uint_eq(got->n_sources, set->n_sources);
	for (size_t i = 0; i < set->n_sources; i++) {
		const struct policy_source *a = &set->sources[i], *b = &got->sources[i];

		ck_assert_str_eq(b->path, a->path);
		ck_assert_str_eq(b->name, a->name);
		ck_assert_int_eq(b->masked, a->masked);
		ck_assert_int_eq(b->file != NULL, a->file != NULL);
		if (a->file) {
			ck_assert_str_eq(b->file->text, a->file->text);
			ck_assert_str_eq(b->file->path, a->path);
			ck_assert_uint_eq(b->file->n_policies, a->file->n_policies);
		}
	}
	ck_assert_str_eq(got->sources[0].file->policies[1]->description, "해태 \\ \"");
	/* not for everybody, and nothing else is left behind */
	(void)snprintf(path, sizeof(path), "%s/policies.json", dir);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	(void)strcat(path, ".new");
	ck_assert_int_eq(access(path, F_OK), -1);
	(void)policy_set_free(got);
	(void)policy_set_free(set);
}
END_TEST

START_TEST(test_empty)
{
	struct policy_set *set = set_new(), *got = NULL;

	ck_assert_int_eq(last_good_save(dir, set, NULL), 0);
	ck_assert_int_eq(last_good_load(dir, &got), 0);
	ck_assert_uint_eq(got->n_sources, 0);
	(void)policy_set_free(got);
	(void)policy_set_free(set);
}
END_TEST

START_TEST(test_replaced)
{
	save_one(GOOD);
	check_one(GOOD);
	save_one(POLICY("other", ""));
	check_one(POLICY("other", ""));
}
END_TEST

/* A path that JSON cannot hold costs that file its last good version, not the others. */
START_TEST(test_path_not_utf8)
{
	struct policy_set *set = set_new(), *got = NULL;

	set_add(set, "/p/\xff.yaml", POLICY("a", ""), false);
	set_add(set, "/p/web.yaml", GOOD, false);
	ck_assert_int_eq(last_good_save(dir, set, NULL), 0);
	ck_assert_int_eq(last_good_load(dir, &got), 0);
	ck_assert_uint_eq(got->n_sources, 1);
	ck_assert_str_eq(got->sources[0].name, "web.yaml");
	(void)policy_set_free(got);
	(void)policy_set_free(set);
}
END_TEST

/* What it is for: a file that is broken when the agent starts keeps its last good version. */
START_TEST(test_broken_after_restart)
{
	struct policy_set *before = NULL, *kept = NULL, *after = NULL;
	const char *const dirs[] = {dir, NULL};

	put("web.yaml", GOOD, strlen(GOOD));
	ck_assert_int_eq(policy_set_load(dirs, 1, NULL, &before), 0);
	ck_assert_uint_eq(before->n_sources, 1);
	ck_assert_int_eq(last_good_save(dir, before, NULL), 0);
	(void)policy_set_free(before);

	put("web.yaml", "policy: [", 9);
	ck_assert_int_eq(last_good_load(dir, &kept), 0);
	ck_assert_int_eq(policy_set_load(dirs, 1, kept, &after), 0);
	(void)policy_set_free(kept);
	ck_assert_uint_eq(after->n_sources, 1);
	ck_assert(after->sources[0].stale);
	ck_assert_uint_gt(after->diags.n_errors, 0);
	ck_assert_str_eq(after->sources[0].file->text, GOOD);
	(void)policy_set_free(after);
}
END_TEST

/* ---- what stands there is not ours ---- */

#define BYTES(s) s, sizeof(s) - 1
#define ENTRY                                                                                      \
	"{\"path\": \"/p/web.yaml\", \"masked\": false, \"text\": \"policy: web\\nmatch: "         \
	"[{cgroup: /a}]\\n\"}"

static const struct {
	const char *json;
	size_t len;
	int result;
	size_t n_sources, n_files, n_masked;
} contents[] = {
	{BYTES("[" ENTRY "]"), 0, 1, 1, 0},
	{BYTES("[]"), 0, 0, 0, 0},
	{BYTES("[" ENTRY ", {\"path\": \"/p/m.yaml\", \"masked\": true}]"), 0, 2, 1, 1},
	/* a text that this version does not take: no last good version of that file */
	{BYTES("[{\"path\": \"/p/a.yaml\", \"text\": \"policy: a\\nfuture: 1\\n\"}, " ENTRY "]"), 0,
	 2, 1, 0},
	{BYTES("[{\"path\": \"/p/a.yaml\", \"text\": \"\"}]"), 0, 1, 0, 0},
	{BYTES("[{\"path\": \"/p/a.yaml\", \"text\": 7, \"masked\": \"yes\"}]"), 0, 1, 0, 0},
	{BYTES("[{\"path\": \"/p/a.yaml\", \"text\": null, \"unknown\": {}}]"), 0, 1, 0, 0},
	{BYTES("[{\"path\": \"../../a.yaml\"}]"), 0, 1, 0, 0},
	/* broken, or of another form */
	{BYTES(""), -EINVAL, 0, 0, 0},
	{BYTES("\0\0\0\0"), -EINVAL, 0, 0, 0},
	{BYTES("["), -EINVAL, 0, 0, 0},
	{BYTES("[" ENTRY), -EINVAL, 0, 0, 0},
	{BYTES("[" ENTRY "] x"), -EINVAL, 0, 0, 0},
	{BYTES("null"), -EINVAL, 0, 0, 0},
	{BYTES("{}"), -EINVAL, 0, 0, 0},
	{BYTES(ENTRY), -EINVAL, 0, 0, 0},
	{BYTES("\"text\""), -EINVAL, 0, 0, 0},
	{BYTES("[" ENTRY ", 1]"), -EINVAL, 0, 0, 0},
	{BYTES("[" ENTRY ", []]"), -EINVAL, 0, 0, 0},
	{BYTES("[" ENTRY ", {}]"), -EINVAL, 0, 0, 0},
	{BYTES("[" ENTRY ", {\"path\": 1}]"), -EINVAL, 0, 0, 0},
	{BYTES("[" ENTRY ", {\"path\": \"noslash\"}]"), -EINVAL, 0, 0, 0},
	{BYTES("[{\"path\": \"/p/\xff\"}]"), -EINVAL, 0, 0, 0},
	{BYTES("[{\"path\": \"/p/a\\u0000b\"}]"), -EINVAL, 0, 0, 0},
};

START_TEST(test_contents)
{
	size_t files = 0, masked = 0;
	struct policy_set *set = NULL;

	put("policies.json", contents[_i].json, contents[_i].len);
	ck_assert_int_eq(last_good_load(dir, &set), contents[_i].result);
	ck_assert_int_eq(set != NULL, contents[_i].result == 0);
	for (size_t i = 0; set && i < set->n_sources; i++) {
		files += set->sources[i].file != NULL;
		masked += set->sources[i].masked;
	}
	ck_assert_uint_eq(set ? set->n_sources : 0, contents[_i].n_sources);
	ck_assert_uint_eq(files, contents[_i].n_files);
	ck_assert_uint_eq(masked, contents[_i].n_masked);
	(void)policy_set_free(set);
}
END_TEST

START_TEST(test_deep)
{
	struct policy_set *set = NULL;
	_cleanup_free_ char *text = malloc(1000000);

	ck_assert_ptr_nonnull(text);
	memset(text, '[', 1000000);
	put("policies.json", text, 1000000);
	ck_assert_int_eq(last_good_load(dir, &set), -EINVAL);
	ck_assert_ptr_null(set);
}
END_TEST

/* ---- a directory that does not serve ---- */

START_TEST(test_directories)
{
	struct policy_set *set = set_new(), *got = NULL;
	char path[PATH_MAX + 16];

	(void)snprintf(path, sizeof(path), "%s/missing", dir);
	ck_assert_int_eq(last_good_load(path, &got), -ENOENT);
	ck_assert_int_lt(last_good_save(path, set, NULL), 0);
	put("file", "", 0);
	(void)snprintf(path, sizeof(path), "%s/file", dir);
	ck_assert_int_eq(last_good_load(path, &got), -ENOTDIR);
	ck_assert_int_lt(last_good_save(path, set, NULL), 0);
	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	ck_assert_int_eq(last_good_load(path, &got), -ENAMETOOLONG);
	ck_assert_int_eq(last_good_save(path, set, NULL), -ENAMETOOLONG);
	ck_assert_ptr_null(got);
	(void)policy_set_free(set);
}
END_TEST

START_TEST(test_is_directory)
{
	struct policy_set *set = NULL;
	char path[128];

	(void)snprintf(path, sizeof(path), "%s/policies.json", dir);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_eq(last_good_load(dir, &set), -EINVAL);
	ck_assert_ptr_null(set);
}
END_TEST

/* The former version stays where the new one cannot be written. */
START_TEST(test_save_fails)
{
	struct policy_set *set = set_new();
	char path[128];

	save_one(GOOD);
	(void)snprintf(path, sizeof(path), "%s/policies.json.new", dir);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	ck_assert_int_lt(last_good_save(dir, set, NULL), 0);
	check_one(GOOD);
	(void)policy_set_free(set);
}
END_TEST

/* What a write that was cut short left behind does no harm. */
START_TEST(test_leftover)
{
	put("policies.json.new", "[{\"pa", 6);
	save_one(GOOD);
	check_one(GOOD);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("last-good");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_set_timeout(tc, 60);
	tcase_add_test(tc, test_round_trip);
	tcase_add_test(tc, test_empty);
	tcase_add_test(tc, test_replaced);
	tcase_add_test(tc, test_path_not_utf8);
	tcase_add_test(tc, test_broken_after_restart);
	tcase_add_loop_test(tc, test_contents, 0, (int)ARRAY_LEN(contents));
	tcase_add_test(tc, test_deep);
	tcase_add_test(tc, test_directories);
	tcase_add_test(tc, test_is_directory);
	tcase_add_test(tc, test_save_fails);
	tcase_add_test(tc, test_leftover);
	return tcase_run(tc);
}
