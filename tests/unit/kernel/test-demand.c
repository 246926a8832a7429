/* SPDX-License-Identifier: Apache-2.0 */

/* agent/kernel/demand.c: which programs of the object as it is an image needs. */

#include "kernel-test.h"

#include "haetae.skel.h"
#include "tests/unit/runner.h"

#define MOUNT (1U << HT_KERNEL_MOUNT)

/* What keeps facts stays in its hook; every other program comes and goes, for what it serves. */
START_TEST(test_programs)
{
	const struct kernel_demand nobody = {}, somebody = {.governs = true, .late = true};
	const struct kernel_demand early = {.governs = true, .lines = UINT32_MAX}, only_canary = {.canary = true};
	const struct kernel_demand all = {.governs = true, .lines = UINT32_MAX, .late = true};
	struct haetae_bpf *skel = haetae_bpf__open();
	struct bpf_program *program;
	unsigned n = 0, kept = 0, lines = 0, late = 0, canary = 0;

	ck_assert_ptr_nonnull(skel);
	bpf_object__for_each_program(program, skel->obj)
	{
		const char *name = bpf_program__name(program), *section = bpf_program__section_name(program);
		enum bpf_attach_type attach = bpf_program__expected_attach_type(program);

		if (!kernel_demand_is(name, attach)) {
			kept += strncmp(section, "lsm/", 4) == 0;
			continue;
		}
		n++;
		ck_assert(strncmp(section, "lsm/", 4) == 0 || strncmp(section, "fe", 2) == 0);
		ck_assert(!kernel_demand_needs(name, &nobody));
		ck_assert(kernel_demand_needs(name, &all));
		ck_assert_int_ne(kernel_demand_needs(name, &early), kernel_demand_is_late(name));
		late += kernel_demand_is_late(name);
		ck_assert_int_eq(kernel_demand_needs(name, &somebody), kernel_hooks_lines(name) == 0);
		lines += kernel_hooks_lines(name) != 0;
		canary += kernel_demand_needs(name, &only_canary);
	}
	ck_assert_uint_eq(canary, 2);
	ck_assert(kernel_demand_needs("haetae_bprm_check_security", &only_canary));
	ck_assert(kernel_demand_needs("haetae_file_open", &only_canary));
	ck_assert_uint_gt(n, 30);
	ck_assert_uint_eq(kept, 7);
	ck_assert_uint_eq(lines, 9);
	ck_assert_uint_eq(late, 3);
	haetae_bpf__destroy(skel);
}
END_TEST

START_TEST(test_lines)
{
	const struct kernel_demand mounts = {.lines = MOUNT};

	ck_assert(kernel_demand_needs("haetae_sb_mount", &mounts));
	ck_assert(kernel_demand_needs("haetae_capable", &mounts));
	ck_assert(!kernel_demand_needs("haetae_perf_event_open", &mounts));
	ck_assert(!kernel_demand_needs("haetae_file_open", &mounts));
}
END_TEST

START_TEST(test_image)
{
	struct image_pair pairs[] = {
		{.key = {.state = HT_STATE_OTHER, .kind = HT_EDGE_KERNEL}, .entry.deny = 1U << HT_KERNEL_BPF},
		{.key = {.state = HT_STATE_HEADER, .kind = HT_EDGE_KERNEL},
		 .entry = {.deny = MOUNT, .would = 1U << HT_KERNEL_PERF, .audit = 1U << HT_KERNEL_CLOCK}},
	};
	char canary[] = KERNEL_CANARY_POLICY, two[] = "two", three[] = "three";
	struct image_profile profiles[] = {
		{.id = 1, .policy = canary},
		{.id = 2, .policy = two, .pairs = pairs, .n_pairs = 2},
		{.id = 3, .policy = three, .pairs = pairs, .n_pairs = 1},
	};
	struct image image = {.profiles = profiles};
	struct kernel_demand demand;

	kernel_demand_of(&image, &demand);
	ck_assert(!demand.governs);
	ck_assert_uint_eq(demand.lines, 0);
	image.n_profiles = 1; /* the agent's own */
	kernel_demand_of(&image, &demand);
	ck_assert(!demand.governs);
	image.n_profiles = 3;
	kernel_demand_of(&image, &demand);
	ck_assert(demand.governs);
	ck_assert_uint_eq(demand.lines, MOUNT | 1U << HT_KERNEL_PERF | 1U << HT_KERNEL_CLOCK);
}
END_TEST

/* Nothing is known to be loaded: nothing is put anywhere, nothing taken out. */
START_TEST(test_nothing)
{
	struct kernel *k = calloc(1, sizeof(*k));
	const struct kernel_demand all = {.governs = true, .lines = UINT32_MAX};
	char *text = NULL;
	size_t i = 0;

	ck_assert_ptr_nonnull(k);
	ck_assert_int_eq(kernel_demand_attach(k, &all, &text), 0);
	ck_assert_ptr_null(text);
	ck_assert_ptr_null(kernel_idle_programs(k, &i));
	free(k);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("demand");

	tcase_add_test(tc, test_programs);
	tcase_add_test(tc, test_lines);
	tcase_add_test(tc, test_image);
	tcase_add_test(tc, test_nothing);
	return tcase_run(tc);
}
