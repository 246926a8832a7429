/* SPDX-License-Identifier: Apache-2.0 */

/* Facts in JSON, in the records of the runtime directory, and against the selectors that the hook finds there. */

#include <errno.h>
#include <sys/stat.h>
#include <unistd.h>

#include "container/record.h"
#include "container/selectors.h"
#include "place.h"
#include "tests/unit/runner.h"

#define HEAD "\"runtime\": \"podman\", \"id\": \"abc\""

static int facts_from(const char *text, struct container_facts *ret)
{
	json_auto_t *json = json_loads(text, 0, NULL);

	ck_assert_ptr_nonnull(json);
	return container_facts_from_json(json, ret);
}

static const struct {
	const char *text;
	int result;
} forms[] = {
	{"{" HEAD "}", 0},
	{"{" HEAD ", \"name\": null, \"image\": null, \"labels\": null, \"labels_known\": false}", 0},
	{"{" HEAD ", \"name\": \"web\", \"labels\": {\"a\": \"1\"}, \"labels_known\": true, \"more\": 1}", 0},
	{"{\"id\": \"abc\"}", -EPROTO},
	{"{\"runtime\": \"podman\"}", -EPROTO},
	{"{\"runtime\": \"podman\", \"id\": \"../x\"}", -EPROTO},
	{"{" HEAD ", \"name\": 7}", -EPROTO},
	{"{" HEAD ", \"labels\": []}", -EPROTO},
	{"{" HEAD ", \"labels\": {\"a\": null}}", -EPROTO},
	{"{" HEAD ", \"labels_known\": 1}", -EPROTO},
	{"[]", -EPROTO},
	{"{}", -EPROTO},
};

START_TEST(test_form)
{
	_cleanup_facts_ struct container_facts facts = {}, again = {};
	json_auto_t *json = NULL;

	ck_assert_int_eq(facts_from(forms[_i].text, &facts), forms[_i].result);
	if (forms[_i].result != 0)
		return;
	json = container_facts_to_json(&facts);
	ck_assert_int_eq(container_facts_from_json(json, &again), 0);
	ck_assert_str_eq(again.runtime, facts.runtime);
	ck_assert_int_eq(again.name != NULL, facts.name != NULL);
	ck_assert_uint_eq(again.n_labels, facts.n_labels);
	ck_assert_int_eq(again.labels_known, facts.labels_known);
}
END_TEST

START_TEST(test_bounds)
{
	_cleanup_facts_ struct container_facts facts = {};
	json_auto_t *json = json_pack("{s:s, s:s}", "runtime", "podman", "id", "abc");
	json_t *labels = json_object();
	char text[FACTS_TEXT_MAX + 2];

	memset(text, 'x', sizeof(text));
	text[FACTS_TEXT_MAX] = '\0';
	(void)json_object_set_new(json, "name", json_string(text));
	ck_assert_int_eq(container_facts_from_json(json, &facts), 0);
	container_facts_deinit(&facts);
	text[FACTS_TEXT_MAX] = 'x';
	text[FACTS_TEXT_MAX + 1] = '\0';
	(void)json_object_set_new(json, "name", json_string(text));
	ck_assert_int_eq(container_facts_from_json(json, &facts), -EPROTO);
	(void)json_object_set_new(json, "name", json_string("web"));
	/* all together */
	(void)json_object_set_new(json, "labels", labels);
	text[1000] = '\0';
	for (int i = 0; i < 60; i++) {
		size_t length = strlen("podman" "abc" "web") + (size_t)(i + 1) * (3 + 1000);
		char key[8];

		(void)snprintf(key, sizeof(key), "k%02d", i);
		(void)json_object_set_new(labels, key, json_string(text));
		ck_assert_int_eq(container_facts_from_json(json, &facts), length <= FACTS_LENGTH_MAX ? 0 : -EPROTO);
		container_facts_deinit(&facts);
	}
}
END_TEST

static const struct {
	const char *was, *is;
	bool contradicts;
} retold[] = {
	{"{" HEAD "}", "{" HEAD "}", false},
	{"{" HEAD "}", "{" HEAD ", \"name\": \"a\", \"image\": \"i\", \"labels\": {\"a\": \"1\"}, \"labels_known\": true}", false},
	{"{" HEAD ", \"name\": \"a\"}", "{" HEAD ", \"name\": \"a\", \"labels_known\": true}", false},
	{"{" HEAD ", \"name\": \"a\"}", "{" HEAD ", \"name\": \"b\"}", true},
	{"{" HEAD ", \"name\": \"a\"}", "{" HEAD "}", true},
	{"{" HEAD ", \"image\": \"a\"}", "{" HEAD ", \"image\": \"\"}", true},
	{"{" HEAD "}", "{\"runtime\": \"docker\", \"id\": \"abc\"}", true},
	{"{" HEAD "}", "{\"runtime\": \"podman\", \"id\": \"abd\"}", true},
	{"{" HEAD ", \"labels_known\": true}", "{" HEAD "}", true},
	{"{" HEAD ", \"labels_known\": true}", "{" HEAD ", \"labels\": {\"a\": \"1\"}, \"labels_known\": true}", true},
	{"{" HEAD ", \"labels\": {\"a\": \"1\"}}", "{" HEAD ", \"labels\": {\"b\": \"2\", \"a\": \"1\"}, \"labels_known\": true}", false},
	{"{" HEAD ", \"labels\": {\"a\": \"1\"}}", "{" HEAD ", \"labels\": {\"a\": \"2\"}}", true},
	{"{" HEAD ", \"labels\": {\"a\": \"1\"}}", "{" HEAD ", \"labels\": {\"b\": \"1\"}}", true},
};

START_TEST(test_contradict)
{
	_cleanup_facts_ struct container_facts was = {}, is = {};

	ck_assert_int_eq(facts_from(retold[_i].was, &was), 0);
	ck_assert_int_eq(facts_from(retold[_i].is, &is), 0);
	ck_assert_int_eq(container_facts_contradict(&was, &is), retold[_i].contradicts);
	ck_assert(!container_facts_contradict(&was, &was));
}
END_TEST

/* ---- records ---- */

static int record_take(struct container_record *record, void *userdata)
{
	struct container_record *into = userdata;

	container_record_deinit(into);
	*into = *record;
	*record = (struct container_record){};
	return 0;
}

START_TEST(test_record)
{
	_cleanup_record_ struct container_record record = {.cgroup_id = 77, .told = true}, found = {};
	struct stat st;
	char path[128];

	ck_assert_int_eq(facts_from("{" HEAD ", \"name\": \"w\\ne\\u001bb\", \"labels\": {\"a\": \"1\"}, \"labels_known\": true}",
				    &record.facts), 0);
	record.cgroup = strdup("/machine.slice/libpod-abc.scope");
	ck_assert_int_eq(container_records_load(root, record_take, &found), 0); /* no directory */
	ck_assert_ptr_null(found.cgroup);
	ck_assert_int_eq(container_record_save(root, &record), 0);
	(void)snprintf(path, sizeof(path), "%s/containers/77.json", root);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0600);
	put("/containers/78.json", "{");
	put("/containers/x.json", "{}");
	put("/containers/..json", "{}");
	ck_assert_int_eq(container_records_load(root, record_take, &found), 0);
	ck_assert_str_eq(found.cgroup, record.cgroup);
	ck_assert_uint_eq(found.cgroup_id, 77);
	ck_assert(found.told);
	ck_assert_str_eq(found.facts.name, "w\ne\x1b" "b");
	ck_assert_uint_eq(found.facts.n_labels, 1);
	container_record_remove(root, 77);
	ck_assert_int_lt(stat(path, &st), 0);
}
END_TEST

static const char *const bad_records[] = {
	"",
	"{",
	"[]",
	"{" HEAD "}",
	"{" HEAD ", \"cgroup\": \"relative\", \"cgroup_id\": 1}",
	"{" HEAD ", \"cgroup\": \"/a\", \"cgroup_id\": 0}",
	"{" HEAD ", \"cgroup\": \"/a\", \"cgroup_id\": -1}",
	"{" HEAD ", \"cgroup\": \"/a\", \"cgroup_id\": \"1\"}",
	"{" HEAD ", \"cgroup\": \"/a\", \"cgroup_id\": 1, \"cgroup_id\": 2}",
	"{\"cgroup\": \"/a\", \"cgroup_id\": 1}",
};

START_TEST(test_bad_record)
{
	struct container_record record;

	ck_assert_int_eq(container_record_parse(bad_records[_i], strlen(bad_records[_i]), &record), -EPROTO);
}
END_TEST

/* ---- selectors ---- */

#define POLICIES                                                                                                   \
	"policy: a\nmatch: [{unit: x.service}, {container: {runtime: podman, name: \"web-*\"}}]\nfile: {deny: [/x]}\n"  \
	"---\npolicy: b\nmode: audit\nmatch: [{container: {image: \"*\"}}]\nfile: {deny: [/x]}\n"                      \
	"---\npolicy: c\nmatch: [{container: {labels: {app: db, tier: \"b*\"}}}]\nfile: {deny: [/x]}\n"

static const struct {
	const char *facts;
	const char *policy; /* that keeps it from starting; NULL: none */
} chosen[] = {
	{"{" HEAD ", \"name\": \"web-1\", \"image\": \"\", \"labels_known\": true}", "a"},
	{"{" HEAD ", \"name\": \"db\", \"image\": \"i\", \"labels_known\": true}", NULL},
	{"{" HEAD ", \"name\": \"db\", \"labels\": {\"app\": \"db\", \"tier\": \"back\"}, \"labels_known\": true}", "c"},
	{"{" HEAD ", \"name\": \"db\", \"labels\": {\"app\": \"db\"}, \"labels_known\": true}", NULL},
	/* what is not known may be meant */
	{"{" HEAD "}", "a"},
	{"{" HEAD ", \"name\": \"db\"}", "c"},
	{"{" HEAD ", \"name\": \"db\", \"labels\": {\"app\": \"web\"}}", NULL},
	{"{" HEAD ", \"name\": \"db\", \"labels\": {\"app\": \"db\"}}", "c"},
	{"{\"runtime\": \"docker\", \"id\": \"abc\", \"labels_known\": true}", NULL},
};

static int save(const char *text)
{
	struct diag_list diags = {};
	struct policy_file *file;
	int r;

	ck_assert_int_eq(policy_parse("x.yaml", text, strlen(text), &diags, &file), 0);
	diag_list_deinit(&diags);
	r = selectors_save(root, (const struct policy *const *)file->policies, file->n_policies);
	(void)policy_file_unref(file);
	return r;
}

START_TEST(test_selectors)
{
	_cleanup_selectors_ struct selectors selectors = {};
	const struct selector *found;
	struct stat st;
	char path[128];

	ck_assert_int_eq(selectors_load(root, &selectors), -ENOENT);
	ck_assert_int_eq(save(POLICIES), 0);
	(void)snprintf(path, sizeof(path), "%s/selectors", root);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 0777, 0644);
	ck_assert_int_eq(selectors_load(root, &selectors), 0);
	ck_assert_uint_eq(selectors.n, 3);
	for (size_t i = 0; i < ARRAY_LEN(chosen); i++) {
		_cleanup_facts_ struct container_facts facts = {};

		ck_assert_int_eq(facts_from(chosen[i].facts, &facts), 0);
		found = selectors_find(&selectors, &facts);
		if (chosen[i].policy)
			ck_assert_msg(found && strcmp(found->policy, chosen[i].policy) == 0, "%zu", i);
		else
			ck_assert_msg(!found, "%zu: %s", i, found->policy);
	}
	/* none left: no file */
	ck_assert_int_eq(save("policy: a\nmatch: [{unit: x.service}]\nfile: {deny: [/x]}\n"), 0);
	ck_assert_int_lt(stat(path, &st), 0);
	ck_assert_int_eq(selectors_remove(root), 0);
}
END_TEST

static const char *const bad_selectors[] = {
	"",
	"{}",
	"[]",
	"{\"haetae\": 2, \"selectors\": []}",
	"{\"haetae\": 1, \"selectors\": {}}",
	"{\"haetae\": 1, \"selectors\": [7]}",
	"{\"haetae\": 1, \"selectors\": [{\"policy\": \"a\", \"name\": \"x\"}]}",
	"{\"haetae\": 1, \"selectors\": [{\"policy\": \"a\", \"enforce\": true}]}",
	"{\"haetae\": 1, \"selectors\": [{\"enforce\": true, \"name\": \"x\"}]}",
	"{\"haetae\": 1, \"selectors\": [{\"policy\": \"a\", \"enforce\": true, \"name\": 1}]}",
	"{\"haetae\": 1, \"selectors\": [{\"policy\": \"a\", \"enforce\": true, \"name\": \"x\", \"labels\": []}]}",
	"{\"haetae\": 1, \"selectors\": [{\"policy\": \"a\", \"enforce\": true, \"labels\": {\"a\": 1}}]}",
	"{\"haetae\": 1, \"selectors\": [{\"policy\": \"a\", \"enforce\": true, \"name\": \"x\"}, 0]}",
};

START_TEST(test_bad_selectors)
{
	struct selectors selectors;

	ck_assert_int_eq(selectors_parse(bad_selectors[_i], strlen(bad_selectors[_i]), &selectors), -EPROTO);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("facts");

	tcase_add_checked_fixture(tc, place_make, place_remove);
	tcase_add_loop_test(tc, test_form, 0, (int)ARRAY_LEN(forms));
	tcase_add_test(tc, test_bounds);
	tcase_add_loop_test(tc, test_contradict, 0, (int)ARRAY_LEN(retold));
	tcase_add_test(tc, test_record);
	tcase_add_loop_test(tc, test_bad_record, 0, (int)ARRAY_LEN(bad_records));
	tcase_add_test(tc, test_selectors);
	tcase_add_loop_test(tc, test_bad_selectors, 0, (int)ARRAY_LEN(bad_selectors));
	return tcase_run(tc);
}
