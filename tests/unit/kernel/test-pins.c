/* SPDX-License-Identifier: Apache-2.0 */

/* Which pins go: those of programs that this build does not attach, or all of them; and which have gone. */

#include "kernel-test.h"

#include <sys/file.h>

#include "tests/unit/runner.h"

static struct kernel *kernel_new(const struct place *place, const char *const *links)
{
	struct kernel *k = calloc(1, sizeof(*k));

	ck_assert_ptr_nonnull(k);
	k->pin_dir = strdup(place->dir);
	for (; links[k->n_links]; k->n_links++)
		k->links[k->n_links] = strdup(links[k->n_links]);
	return k;
}

static void kernel_free(struct kernel *k)
{
	for (size_t i = 0; i < k->n_links; i++)
		free(k->links[i]);
	free(k->pin_dir);
	free(k);
}

static const struct {
	const char *name;
	bool stays;
} pins[] = {
	{"link-haetae_file_open", true},
	{"link-haetae_bprm_check", true},
	{"link-haetae_label_tasks", true}, /* the iterator, which is not among the links */
	{"link-haetae_file_opened", false},
	{"link-haetae_file", false},
	{"link-", false},
	{"map-labels", true},
	{"map-of_another_build", true},
	{"new-link-haetae_file_open", true}, /* a replacement under way */
};

START_TEST(test_prune)
{
	static const char *const links[] = {"haetae_file_open", "haetae_bprm_check", NULL};
	struct place place = place_new();
	struct kernel *k = kernel_new(&place, links);

	for (size_t i = 0; i < ARRAY_LEN(pins); i++)
		place_touch(&place, pins[i].name);
	ck_assert_int_eq(kernel_pins_prune(k), 0);
	for (size_t i = 0; i < ARRAY_LEN(pins); i++)
		ck_assert_msg(place_has(&place, pins[i].name) == pins[i].stays, "%s", pins[i].name);
	kernel_free(k);
	place_free(&place);
}
END_TEST

/* An old program that stays attached would decide along with the new ones: not silently. */
START_TEST(test_prune_fails)
{
	static const char *const links[] = {NULL};
	struct place place = place_new();
	struct kernel *k = kernel_new(&place, links);

	(void)place_mkdir(&place, "link-old");
	ck_assert_int_eq(kernel_pins_prune(k), -EISDIR);
	place_free(&place);
	ck_assert_int_eq(kernel_pins_prune(k), -ENOENT);
	kernel_free(k);
}
END_TEST

START_TEST(test_detach)
{
	struct place place = place_new();

	for (size_t i = 0; i < ARRAY_LEN(pins); i++)
		place_touch(&place, pins[i].name);
	ck_assert_int_eq(kernel_detach(place.dir), 0);
	ck_assert_int_eq(access(place.dir, F_OK), -1);
	/* nothing is attached: that is what was asked for */
	ck_assert_int_eq(kernel_detach(place.dir), 0);
}
END_TEST

/* What cannot be removed is told, and keeps nothing else from being removed. */
START_TEST(test_detach_fails)
{
	struct place place = place_new();

	(void)place_mkdir(&place, "link-b");
	place_touch(&place, "link-a");
	place_touch(&place, "link-c");
	ck_assert_int_eq(kernel_detach(place.dir), -EISDIR);
	ck_assert(!place_has(&place, "link-a"));
	ck_assert(!place_has(&place, "link-c"));
	place_free(&place);
}
END_TEST

/* A running agent holds the directory: nothing is removed under it. */
START_TEST(test_detach_busy)
{
	struct place place = place_new();
	_cleanup_close_ int fd = open(place.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	place_touch(&place, "link-a");
	ck_assert_int_eq(flock(fd, LOCK_EX), 0);
	ck_assert_int_eq(kernel_detach(place.dir), -EBUSY);
	ck_assert(place_has(&place, "link-a"));
	place_free(&place);
}
END_TEST

/* The links of a load take the places of those before, all of them or with an error. */
START_TEST(test_commit)
{
	static const char *const links[] = {"haetae_file_open", "haetae_bprm_check", NULL};
	struct place place = place_new();
	struct kernel *k = kernel_new(&place, links);
	char *text = NULL;

	place_touch(&place, "new-link-haetae_label_tasks");
	place_touch(&place, "new-link-haetae_file_open");
	place_put(&place, "link-haetae_file_open", "old", 3);
	ck_assert_int_eq(kernel_pins_commit(k, &text), -ENOENT);
	ck_assert_ptr_nonnull(strstr(text, "haetae_bprm_check"));
	free(text);
	text = NULL;

	place_touch(&place, "new-link-haetae_label_tasks");
	place_put(&place, "new-link-haetae_file_open", "new", 3);
	place_touch(&place, "new-link-haetae_bprm_check");
	ck_assert_int_eq(kernel_pins_commit(k, &text), 0);
	ck_assert_ptr_null(text);
	ck_assert(place_has(&place, "link-haetae_file_open"));
	ck_assert(place_has(&place, "link-haetae_bprm_check"));
	ck_assert(place_has(&place, "link-haetae_label_tasks"));
	ck_assert(!place_has(&place, "new-link-haetae_file_open"));
	kernel_free(k);
	place_free(&place);
}
END_TEST

/* What was set aside before was in force, and stays. */
START_TEST(test_set_aside)
{
	static const char *const links[] = {NULL};
	struct place place = place_new();
	struct kernel *k = kernel_new(&place, links);
	char *text = NULL;

	place_touch(&place, "link-a");
	place_touch(&place, "new-link-a");
	place_touch(&place, "map-settings");
	ck_assert_int_eq(kernel_pins_set_aside(k, "new-", &text), 0);
	ck_assert(place_has(&place, "old-new-link-a"));
	ck_assert(place_has(&place, "link-a"));
	ck_assert(place_has(&place, "map-settings"));
	place_touch(&place, "old-link-a");
	ck_assert_int_eq(kernel_pins_set_aside(k, "", &text), 0);
	ck_assert(place_has(&place, "old-map-settings"));
	ck_assert(place_has(&place, "old-link-a"));
	ck_assert(!place_has(&place, "link-a"));
	kernel_free(k);
	place_free(&place);
}
END_TEST

/* Another directory under their path, or none, as after an unmount: nobody would find them, settled or not. */
START_TEST(test_elsewhere)
{
	static const char *const links[] = {"haetae_file_open", NULL};
	struct place place = place_new();
	struct kernel *k = kernel_new(&place, links);
	char name[64], away[128];
	const char *first;

	k->pin_fd = open(place.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(k->pin_fd, 0);
	for (unsigned i = 0; i < _MAP_MAX; i++) {
		(void)snprintf(name, sizeof(name), "map-%s", kernel_map_names[i]);
		place_touch(&place, name);
	}
	place_touch(&place, "link-haetae_file_open");
	(void)usleep(200000);
	ck_assert_uint_eq(kernel_pins_missing(k, &first), 0);
	(void)snprintf(away, sizeof(away), "%s.away", place.dir);
	ck_assert_int_eq(rename(place.dir, away), 0);
	ck_assert_uint_eq(kernel_pins_missing(k, &first), _MAP_MAX + 1);
	ck_assert_str_eq(first, kernel_map_names[0]);
	ck_assert_int_eq(mkdir(place.dir, 0700), 0);
	ck_assert_uint_eq(kernel_pins_missing(k, &first), _MAP_MAX + 1);
	ck_assert_int_eq(rmdir(place.dir), 0);
	ck_assert_int_eq(rename(away, place.dir), 0);
	ck_assert_uint_eq(kernel_pins_missing(k, &first), 0);
	ck_assert_int_eq(close(k->pin_fd), 0);
	kernel_free(k);
	place_free(&place);
}
END_TEST

/* Each look after a change sees it, however soon it comes; where nothing changed there is no look at each pin. */
START_TEST(test_missing)
{
	static const char *const links[] = {"haetae_file_open", NULL};
	struct place place = place_new(), elsewhere = place_new();
	struct kernel *k = kernel_new(&place, links);
	char name[64], from[128], to[128];
	const char *first;

	k->pin_fd = open(place.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(k->pin_fd, 0);
	ck_assert_uint_eq(kernel_pins_missing(k, &first), _MAP_MAX + 1);
	ck_assert_str_eq(first, kernel_map_names[0]);
	for (unsigned i = 0; i < _MAP_MAX; i++) {
		(void)snprintf(name, sizeof(name), "map-%s", kernel_map_names[i]);
		place_touch(&place, name);
	}
	place_touch(&place, "link-haetae_file_open");
	(void)snprintf(from, sizeof(from), "%s/link-haetae_file_open", place.dir);
	(void)snprintf(to, sizeof(to), "%s/x", elsewhere.dir);
	for (unsigned round = 0; round < 8; round++) {
		for (unsigned look = 0; look < 2; look++) {
			ck_assert_uint_eq(kernel_pins_missing(k, &first), 0);
			ck_assert_ptr_null(first);
			(void)usleep(round * 20000); /* from at once to long after it counts as settled */
		}
		ck_assert_int_eq(rename(from, to), 0);
		ck_assert_uint_eq(kernel_pins_missing(k, &first), 1);
		ck_assert_str_eq(first, "haetae_file_open");
		ck_assert_int_eq(rename(to, from), 0);
	}
	ck_assert_uint_eq(kernel_pins_missing(k, &first), 0);
	(void)usleep(200000);
	ck_assert_uint_eq(kernel_pins_missing(k, &first), 0);
	free(k->links[0]);
	k->links[0] = strdup("not looked for");
	ck_assert_uint_eq(kernel_pins_missing(k, &first), 0);
	place_touch(&place, "anything");
	ck_assert_uint_eq(kernel_pins_missing(k, &first), 1);
	ck_assert_int_eq(close(k->pin_fd), 0);
	kernel_free(k);
	place_free(&elsewhere);
	place_free(&place);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("pins");

	tcase_add_test(tc, test_prune);
	tcase_add_test(tc, test_prune_fails);
	tcase_add_test(tc, test_detach);
	tcase_add_test(tc, test_detach_fails);
	tcase_add_test(tc, test_detach_busy);
	tcase_add_test(tc, test_commit);
	tcase_add_test(tc, test_set_aside);
	tcase_add_test(tc, test_missing);
	tcase_add_test(tc, test_elsewhere);
	return tcase_run(tc);
}
