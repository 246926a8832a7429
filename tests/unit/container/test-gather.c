/* SPDX-License-Identifier: Apache-2.0 */

/* What each runtime says of a container, and what it does not say stays unknown. */

#include <errno.h>
#include <sqlite3.h>
#include <unistd.h>

#include "container/facts.h"
#include "place.h"
#include "tests/unit/runner.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define STORAGE "/var/lib/containers/storage"
#define BUNDLE STORAGE "/overlay-containers/" HEX "/userdata"

static struct container_facts gather(const char *runtime, const char *bundle, const char *annotations)
{
	json_auto_t *json = annotations ? json_loads(annotations, 0, NULL) : NULL;
	struct container_place place = {.annotations = json, .root_dir = root};
	struct container_facts facts;
	char full[512];

	if (bundle) {
		(void)snprintf(full, sizeof(full), "%s%s", root, bundle);
		place.bundle = full;
	}
	ck_assert_int_eq(container_facts_gather(runtime, HEX, &place, &facts), 0);
	ck_assert_str_eq(facts.runtime, runtime);
	ck_assert_str_eq(facts.id, HEX);
	return facts;
}

/* "name|image|labels", `?` for what is not known. */
static void check(struct container_facts *facts, const char *expected)
{
	char text[1024];
	int n = snprintf(text, sizeof(text), "%s|%s|", facts->name ? facts->name : "?",
			 facts->image ? facts->image : "?");

	for (size_t i = 0; i < facts->n_labels; i++)
		n += snprintf(text + n, sizeof(text) - (size_t)n, "%s=%s;", facts->labels[i].key,
			      facts->labels[i].value);
	(void)snprintf(text + n, sizeof(text) - (size_t)n, "%s", facts->labels_known ? "" : "?");
	ck_assert_str_eq(text, expected);
	container_facts_deinit(facts);
}

static void sqlite_put(const char *json)
{
	sqlite3_stmt *statement;
	char path[256];
	sqlite3 *db;

	put(STORAGE "/libpod/x", "");
	(void)snprintf(path, sizeof(path), "%s" STORAGE "/db.sql", root);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, "CREATE TABLE ContainerConfig (ID TEXT PRIMARY KEY, Name TEXT, PodID TEXT, "
					  "JSON TEXT)", NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_prepare_v2(db, "INSERT INTO ContainerConfig VALUES ('" HEX "', 'n', NULL, ?1)", -1,
					    &statement, NULL), SQLITE_OK);
	ck_assert_int_eq(sqlite3_bind_text(statement, 1, json, -1, SQLITE_STATIC), SQLITE_OK);
	ck_assert_int_eq(sqlite3_step(statement), SQLITE_DONE);
	(void)sqlite3_finalize(statement);
	(void)sqlite3_close(db);
}

static const struct {
	const char *config;
	const char *expected;
} podmans[] = {
	{"{\"name\": \"web\", \"rootfsImageName\": \"docker.io/library/nginx:1\", \"labels\": {\"b\": \"2\", \"a\": \"1\"}}",
	 "web|docker.io/library/nginx:1|a=1;b=2;"},
	{"{\"name\": \"web\", \"rootfs\": \"/srv\"}", "web||"},
	{"{\"name\": \"web\", \"labels\": null}", "web||"},
	{"{\"name\": \"w\\n\\u001b[2J\", \"labels\": {\"a\": \"\\u202e\"}}", "w\n\x1b[2J||a=\xe2\x80\xae;"},
	/* what is not as it should be says nothing at all */
	{"{\"name\": \"web\", \"labels\": {\"a\": 1}}", "?|?|?"},
	{"{\"name\": \"web\", \"labels\": []}", "?|?|?"},
	{"{\"name\": \"w\\u0000eb\"}", "?|?|?"},
	{"[\"web\"]", "?|?|?"},
	{"{", "?|?|?"},
};

START_TEST(test_podman)
{
	struct container_facts facts;

	sqlite_put(podmans[_i].config);
	facts = gather("podman", BUNDLE, "{}");
	check(&facts, podmans[_i].expected);
}
END_TEST

/* Without a bundle, as the agent looks: from the state of the OCI runtime. */
START_TEST(test_podman_found)
{
	struct container_facts facts;
	char state[512];

	sqlite_put(podmans[0].config);
	facts = gather("podman", NULL, NULL);
	check(&facts, "?|?|?");
	(void)snprintf(state, sizeof(state), "{\"bundle\": \"%s" BUNDLE "\"}", root);
	put("/run/crun/" HEX "/status", state);
	facts = gather("podman", NULL, NULL);
	check(&facts, podmans[0].expected);
	(void)snprintf(state, sizeof(state), "%s/run/crun/" HEX "/status", root);
	ck_assert_int_eq(unlink(state), 0);
	(void)snprintf(state, sizeof(state), "{\"config\": {\"labels\": [\"x\", 7, \"bundle=%s" BUNDLE "\"]}}", root);
	put("/run/runc/" HEX "/state.json", state);
	facts = gather("podman", NULL, NULL);
	check(&facts, podmans[0].expected);
}
END_TEST

START_TEST(test_podman_damaged)
{
	struct container_facts facts;

	facts = gather("podman", BUNDLE, "{}");
	check(&facts, "?|?|?");
	put(STORAGE "/db.sql", "no database at all, but long enough to be looked at");
	facts = gather("podman", BUNDLE, "{}");
	check(&facts, "?|?|?");
	put(STORAGE "/libpod/bolt_state.db", "nor this");
	facts = gather("podman", BUNDLE, "{}");
	check(&facts, "?|?|?");
	facts = gather("podman", "/a", "{}");
	check(&facts, "?|?|?");
}
END_TEST

static const struct {
	const char *runtime;
	const char *annotations;
	const char *expected;
} others[] = {
	{"crio",
	 "{\"io.kubernetes.cri-o.Name\": \"k8s_web\", \"io.kubernetes.cri-o.ImageName\": \"q.io/web:1\", "
	 "\"io.kubernetes.cri-o.Image\": \"abc\", \"io.kubernetes.cri-o.Labels\": \"{\\\"app\\\": \\\"web\\\"}\"}",
	 "k8s_web|q.io/web:1|app=web;"},
	{"crio", "{\"io.kubernetes.cri-o.Name\": \"k8s_web\", \"io.kubernetes.cri-o.Image\": \"abc\"}", "k8s_web|abc|?"},
	{"crio", "{\"io.kubernetes.cri-o.Name\": \"a\", \"io.kubernetes.cri-o.Labels\": \"{broken\"}", "a|?|?"},
	{"containerd",
	 "{\"io.kubernetes.cri.container-type\": \"container\", \"io.kubernetes.cri.container-name\": \"web\", "
	 "\"io.kubernetes.cri.image-name\": \"q.io/web:1\"}",
	 "web|q.io/web:1|?"},
	{"kubernetes",
	 "{\"io.kubernetes.cri.container-type\": \"sandbox\", \"io.kubernetes.cri.sandbox-name\": \"pod\", "
	 "\"io.kubernetes.cri.container-name\": \"web\"}",
	 "pod|?|?"},
	{"containerd", "{\"nerdctl/name\": \"web\"}", "web|?|?"},
	{"containerd", "{}", "?|?|?"},
	{"unknown", "{\"app\": \"web\"}", HEX "||app=web;"},
	{"unknown", "{}", HEX "||"},
	/* podman's annotations are not its labels, whoever they look like */
	{"podman", "{\"io.kubernetes.cri-o.Name\": \"a\", \"io.kubernetes.cri-o.Labels\": \"{}\"}", "?|?|?"},
	{"docker", "{\"nerdctl/name\": \"web\"}", "?|?|?"},
};

START_TEST(test_others)
{
	struct container_facts facts = gather(others[_i].runtime, BUNDLE, others[_i].annotations);

	check(&facts, others[_i].expected);
}
END_TEST

/* ctr, where nothing but the id was chosen. */
START_TEST(test_ctr)
{
	json_auto_t *annotations = json_object();
	json_auto_t *nerdctls = json_pack("{s:s}", "nerdctl/name", "app");
	struct container_place place = {.annotations = annotations, .root_dir = root};
	struct container_facts facts;

	ck_assert_int_eq(container_facts_gather("containerd", "web", &place, &facts), 0);
	check(&facts, "web|?|?");
	place.annotations = nerdctls;
	ck_assert_int_eq(container_facts_gather("containerd", "web", &place, &facts), 0);
	check(&facts, "app|?|?");
	place.annotations = NULL; /* nobody knows whose it is */
	ck_assert_int_eq(container_facts_gather("containerd", "web", &place, &facts), 0);
	check(&facts, "?|?|?");
}
END_TEST

/* Annotations that the state leaves out are in the bundle. */
START_TEST(test_bundle)
{
	struct container_facts facts = gather("unknown", "/b", NULL);

	check(&facts, HEX "||?");
	put("/b/config.json", "{\"annotations\": {\"app\": \"web\"}}");
	facts = gather("unknown", "/b", NULL);
	check(&facts, HEX "||app=web;");
	put("/b/config.json", "{\"process\": {}}");
	facts = gather("unknown", "/b", NULL);
	check(&facts, HEX "||");
	put("/run/containerd/io.containerd.runtime.v2.task/k8s.io/" HEX "/config.json",
	    "{\"annotations\": {\"io.kubernetes.cri.container-type\": \"container\", "
	    "\"io.kubernetes.cri.container-name\": \"web\"}}");
	facts = gather("kubernetes", NULL, NULL);
	check(&facts, "web|?|?");
}
END_TEST

START_TEST(test_docker)
{
	struct container_facts facts;

	put("/var/lib/docker/containers/" HEX "/config.v2.json",
	    "{\"Name\": \"/web\", \"Config\": {\"Image\": \"nginx\", \"Labels\": {\"app\": \"web\"}}}");
	facts = gather("docker", NULL, NULL);
	check(&facts, "web|nginx|app=web;");
	put("/etc/docker/daemon.json", "{\"data-root\": \"/srv/docker\"}");
	facts = gather("docker", NULL, NULL);
	check(&facts, "?|?|?");
	put("/srv/docker/containers/" HEX "/config.v2.json", "{\"Name\": \"/db\", \"Config\": {\"Image\": \"pg\"}}");
	facts = gather("docker", NULL, NULL);
	check(&facts, "db|pg|");
}
END_TEST

START_TEST(test_ids)
{
	static const char *const bad[] = {"", ".", "..", "a/b", "../x", "a b", "a\n", "\xff", "a%s"};
	const struct container_place place = {.root_dir = root};
	struct container_facts facts;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		ck_assert_int_eq(container_facts_gather("podman", bad[i], &place, &facts), -EINVAL);
	ck_assert(container_id_is_valid("my.web_1+x-2"));
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("gather");

	tcase_add_checked_fixture(tc, place_make, place_remove);
	tcase_add_loop_test(tc, test_podman, 0, (int)ARRAY_LEN(podmans));
	tcase_add_test(tc, test_podman_found);
	tcase_add_test(tc, test_podman_damaged);
	tcase_add_loop_test(tc, test_others, 0, (int)ARRAY_LEN(others));
	tcase_add_test(tc, test_ctr);
	tcase_add_test(tc, test_bundle);
	tcase_add_test(tc, test_docker);
	tcase_add_test(tc, test_ids);
	return tcase_run(tc);
}
