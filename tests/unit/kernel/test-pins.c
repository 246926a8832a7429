/* SPDX-License-Identifier: Apache-2.0 */

/* Which pins go: those of programs that this build does not attach, or all of them. */

#include "kernel-test.h"

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

int main(void)
{
	TCase *tc = tcase_create("pins");

	tcase_add_test(tc, test_prune);
	tcase_add_test(tc, test_prune_fails);
	tcase_add_test(tc, test_detach);
	tcase_add_test(tc, test_detach_fails);
	return tcase_run(tc);
}
