/* SPDX-License-Identifier: Apache-2.0 */

/* What the ids of an event mean: the rule as it was published last, also when its policy is gone.
 */

#include "programs/haetaed/rules.h"
#include "tests/unit/event/sample.h"
#include "tests/unit/runner.h"
#include "util/cleanup.h"

#define HEAD "policy: web\nmatch: [{cgroup: /a}]\n"

static struct policy_file *parse(const char *text)
{
	struct diag_list diags = {};
	struct policy_file *file = NULL;

	ck_assert_int_eq(policy_parse("/p/web.yaml", text, strlen(text), &diags, &file), 0);
	diag_list_deinit(&diags);
	return file;
}

/* Make the first policy of a text known. Return: the id of its first rule. */
static uint64_t rules_add_text(struct rules *rules, const char *text, uint32_t profile)
{
	struct policy_file *file = parse(text);
	uint64_t id;

	ck_assert_uint_gt(file->policies[0]->n_rules, 0);
	id = file->policies[0]->rules[0].id;
	ck_assert_int_eq(rules_add(rules, file->policies[0], profile), 0);
	(void)policy_file_unref(file); /* nothing may be borrowed from it */
	return id;
}

static struct event enriched(struct rules *rules, uint64_t rule, uint32_t profile,
			     uint8_t verdict)
{
	struct event event = {.rule_id = rule, .profile = profile, .verdict = verdict};

	ck_assert_int_eq(rules_enrich(rules, &event), 0);
	return event;
}

/* ---- what a rule says ---- */

static const struct {
	const char *text; /* behind HEAD */
	uint32_t line;
	const char *rule;
	const char *message; /* NULL: none */
	enum policy_severity severity;
} texts[] = {
	{"file:\n  deny:\n  - /etc/shadow\n", 5, "file.deny /etc/shadow", NULL,
	 POLICY_SEVERITY_HIGH},
	{"file:\n  deny:\n  - /root/**\n", 5, "file.deny /root/**", NULL, POLICY_SEVERITY_HIGH},
	{"file:\n  deny:\n  - /**\n", 5, "file.deny /**", NULL, POLICY_SEVERITY_HIGH},
	{"file:\n  deny:\n  - /etc/*.d/x?\n", 5, "file.deny /etc/*.d/x?", NULL,
	 POLICY_SEVERITY_HIGH},
	{"exec:\n  deny:\n  - {path: /bin/a, severity: critical, message: no a}\n", 5,
	 "exec.deny /bin/a", "no a", POLICY_SEVERITY_CRITICAL},
	{"exec:\n  deny:\n  - {path: /bin/a, severity: info}\n", 5, "exec.deny /bin/a", NULL,
	 POLICY_SEVERITY_INFO},
	{"exec:\n  default: deny\n  allow: [/bin/b]\n", 4, "exec.default: deny", NULL,
	 POLICY_SEVERITY_LOW},
	{"file:\n  default: deny\n  allow: [/b/**]\n", 4, "file.default: deny", NULL,
	 POLICY_SEVERITY_LOW},
};

START_TEST(test_text)
{
	_cleanup_free_ char *text = NULL;
	struct rules rules = {};
	struct event event;
	uint64_t id;

	ck_assert_int_ge(asprintf(&text, HEAD "%s", texts[_i].text), 0);
	id = rules_add_text(&rules, text, 7);
	event = enriched(&rules, id, 7, HT_VERDICT_DENY);
	ck_assert_str_eq(event.policy, "web");
	ck_assert_str_eq(event.rule_file, "/p/web.yaml");
	ck_assert_uint_eq(event.rule_line, texts[_i].line);
	ck_assert_str_eq(event.rule_text, texts[_i].rule);
	ck_assert_pstr_eq(event.message, texts[_i].message);
	ck_assert_int_eq((int)event.severity, (int)texts[_i].severity);
	event_deinit(&event);
	rules_deinit(&rules);
}
END_TEST

/* The lines of `kernel:` are rules too, whether they were written or not. */
START_TEST(test_switches)
{
	struct policy_file *file = parse(HEAD "exec: {anonymous: deny}\nkernel: {bpf: audit}\n");
	const struct policy *p = file->policies[0];
	struct rules rules = {};
	struct event event;

	ck_assert_int_eq(rules_add(&rules, p, 7), 0);
	event = enriched(&rules, p->kernel[HT_KERNEL_BPF].id, 7, HT_VERDICT_AUDIT);
	ck_assert_str_eq(event.rule_text, "kernel.bpf: audit");
	ck_assert_uint_eq(event.rule_line, 4);
	ck_assert_int_eq((int)event.severity, POLICY_SEVERITY_INFO);
	event_deinit(&event);
	event = enriched(&rules, p->kernel[HT_KERNEL_MOUNT].id, 7, HT_VERDICT_DENY);
	ck_assert_str_eq(event.rule_text, "kernel.mount: deny");
	ck_assert_uint_eq(event.rule_line, 1);
	event_deinit(&event);
	event = enriched(&rules, p->anonymous.id, 7, HT_VERDICT_DENY);
	ck_assert_str_eq(event.rule_text, "exec.anonymous: deny");
	ck_assert_uint_eq(event.rule_line, 3);
	event_deinit(&event);
	rules_deinit(&rules);
	(void)policy_file_unref(file);
}
END_TEST

/* ---- which rule ---- */

/* The same rule in another line with another message: the last publish tells. */
START_TEST(test_replaced)
{
	struct rules rules = {};
	struct event event;
	uint64_t id, again;

	id = rules_add_text(&rules, HEAD "file:\n  deny:\n  - {path: /x, message: old}\n", 7);
	again = rules_add_text(&rules,
			       "# moved\n" HEAD
			       "file:\n  deny:\n  - {path: /x, message: new, severity: low}\n",
			       7);
	ck_assert_uint_eq(id, again);
	event = enriched(&rules, id, 7, HT_VERDICT_DENY);
	ck_assert_str_eq(event.message, "new");
	ck_assert_uint_eq(event.rule_line, 6);
	ck_assert_int_eq((int)event.severity, POLICY_SEVERITY_LOW);
	event_deinit(&event);

	/* and without a message again */
	(void)rules_add_text(&rules, HEAD "file:\n  deny:\n  - /x\n", 7);
	event = enriched(&rules, id, 7, HT_VERDICT_DENY);
	ck_assert_ptr_null(event.message);
	ck_assert_uint_eq(event.rule_line, 5);
	event_deinit(&event);
	rules_deinit(&rules);
}
END_TEST

/* An event that is still under way says what its rule was when it came, whatever becomes of the rule, and of all of them. */
START_TEST(test_under_way)
{
	struct rules rules = {};
	struct event old, new, of_profile;
	uint64_t id;

	id = rules_add_text(&rules, HEAD "file:\n  deny:\n  - {path: /x, message: old}\n", 7);
	old = enriched(&rules, id, 7, HT_VERDICT_DENY);
	(void)rules_add_text(&rules, HEAD "file:\n  deny:\n  - {path: /x, message: new}\n", 7);
	new = enriched(&rules, id, 7, HT_VERDICT_DENY);
	of_profile = enriched(&rules, 0, 7, HT_VERDICT_ALLOW);
	rules_deinit(&rules);
	ck_assert_str_eq(old.message, "old");
	ck_assert_str_eq(new.message, "new");
	ck_assert_str_eq(of_profile.policy, "web");
	ck_assert_ptr_null(of_profile.rule_text);
	event_deinit(&old);
	event_deinit(&new);
	event_deinit(&of_profile);
	/* nothing is remembered of what was there */
	of_profile = enriched(&rules, 0, 7, HT_VERDICT_ALLOW);
	ck_assert_ptr_null(of_profile.policy);
	event_deinit(&of_profile);
	rules_deinit(&rules);
}
END_TEST

/* A record that was made under a rule which is gone is still explained. */
START_TEST(test_former)
{
	struct rules rules = {};
	struct event event;
	uint64_t old, new;

	old = rules_add_text(&rules, HEAD "file:\n  deny:\n  - /old\n", 7);
	new = rules_add_text(&rules, HEAD "file:\n  deny:\n  - /new\n", 7);
	ck_assert_uint_ne(old, new);
	event = enriched(&rules, old, 7, HT_VERDICT_DENY);
	ck_assert_str_eq(event.rule_text, "file.deny /old");
	event_deinit(&event);
	event = enriched(&rules, new, 7, HT_VERDICT_DENY);
	ck_assert_str_eq(event.rule_text, "file.deny /new");
	event_deinit(&event);
	rules_deinit(&rules);
}
END_TEST

START_TEST(test_many)
{
	struct rules rules = {};
	_cleanup_free_ uint64_t *ids = calloc(2000, sizeof(*ids));

	ck_assert_ptr_nonnull(ids);
	for (unsigned i = 0; i < 2000; i++) {
		char text[128];

		(void)snprintf(text, sizeof(text), HEAD "file:\n  deny:\n  - /f%u\n", i);
		ids[i] = rules_add_text(&rules, text, i + 1);
	}
	for (unsigned i = 0; i < 2000; i++) {
		struct event event = enriched(&rules, ids[i], i + 1, HT_VERDICT_DENY);
		char text[64];

		(void)snprintf(text, sizeof(text), "file.deny /f%u", i);
		ck_assert_str_eq(event.rule_text, text);
		event_deinit(&event);
	}
	rules_deinit(&rules);
}
END_TEST

/* ---- what is not known ---- */

static const struct {
	bool known_rule, known_profile, none; /* none: no single rule decided */
	uint8_t verdict;
	const char *policy; /* NULL: not known */
	enum policy_severity severity;
} unknowns[] = {
	{true, true, false, HT_VERDICT_DENY, "web", POLICY_SEVERITY_CRITICAL},
	/* the rule names its policy by itself */
	{true, false, false, HT_VERDICT_DENY, "web", POLICY_SEVERITY_CRITICAL},
	{false, true, false, HT_VERDICT_DENY, "web", POLICY_SEVERITY_HIGH},
	{false, false, false, HT_VERDICT_DENY, NULL, POLICY_SEVERITY_HIGH},
	{false, true, true, HT_VERDICT_DENY, "web", POLICY_SEVERITY_HIGH},
	{false, true, true, HT_VERDICT_WOULD_DENY, "web", POLICY_SEVERITY_HIGH},
	{false, true, true, HT_VERDICT_ALLOW, "web", POLICY_SEVERITY_INFO},
	{false, false, true, HT_VERDICT_KILL, NULL, POLICY_SEVERITY_HIGH},
};

START_TEST(test_unknown)
{
	struct rules rules = {};
	struct event event;
	uint64_t id;

	id = rules_add_text(&rules, HEAD "file:\n  deny:\n  - {path: /x, severity: critical}\n", 7);
	if (!unknowns[_i].known_rule)
		id = unknowns[_i].none ? 0 : id ^ 1;
	event = enriched(&rules, id, unknowns[_i].known_profile ? 7 : 8, unknowns[_i].verdict);
	ck_assert_pstr_eq(event.policy, unknowns[_i].policy);
	ck_assert_int_eq((int)event.severity, (int)unknowns[_i].severity);
	ck_assert_int_eq(event.rule_text != NULL, unknowns[_i].known_rule);
	ck_assert_int_eq(event.rule_file != NULL, unknowns[_i].known_rule);
	ck_assert_int_eq(event.rule_line != 0, unknowns[_i].known_rule);
	event_deinit(&event);
	rules_deinit(&rules);
}
END_TEST

START_TEST(test_profiles)
{
	struct rules rules = {};

	ck_assert_ptr_null(rules_profile(&rules, 7));
	(void)rules_add_text(&rules, HEAD "file:\n  deny:\n  - /x\n", 7);
	(void)rules_add_text(&rules, "policy: db\nmatch: [{cgroup: /b}]\nfile:\n  deny:\n  - /x\n",
			     9);
	ck_assert_str_eq(rules_profile(&rules, 7), "web");
	ck_assert_str_eq(rules_profile(&rules, 9), "db");
	ck_assert_ptr_null(rules_profile(&rules, 8));
	ck_assert_ptr_null(rules_profile(&rules, 0));
	rules_deinit(&rules);
	ck_assert_ptr_null(rules_profile(&rules, 7));
}
END_TEST

/* Texts that are there already are replaced, not lost. */
START_TEST(test_enrich_again)
{
	struct rules rules = {};
	struct event event = sample_event(0);

	event.rule_id = rules_add_text(&rules, HEAD "file:\n  deny:\n  - /x\n", 7);
	ck_assert_int_eq(rules_enrich(&rules, &event), 0);
	ck_assert_int_eq(rules_enrich(&rules, &event), 0);
	ck_assert_str_eq(event.policy, "web");
	ck_assert_str_eq(event.rule_text, "file.deny /x");
	event_deinit(&event);
	rules_deinit(&rules);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("rules");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_text, 0, (int)ARRAY_LEN(texts));
	tcase_add_test(tc, test_switches);
	tcase_add_test(tc, test_replaced);
	tcase_add_test(tc, test_under_way);
	tcase_add_test(tc, test_former);
	tcase_add_test(tc, test_many);
	tcase_add_loop_test(tc, test_unknown, 0, (int)ARRAY_LEN(unknowns));
	tcase_add_test(tc, test_profiles);
	tcase_add_test(tc, test_enrich_again);
	return tcase_run(tc);
}
