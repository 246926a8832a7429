/* SPDX-License-Identifier: Apache-2.0 */

/* Advice: from the text, against a root directory, against a cgroup tree. */

#include <check.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "compile/lint.h"
#include "tests/unit/runner.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

#define HEAD "policy: p\nmatch: [{cgroup: /a}]\n"
#define EXEC HEAD "exec:\n  default: deny\n"
#define DENY HEAD "file:\n  deny:\n"

static struct policy_file *parse(const char *text)
{
	struct diag_list diags = {};
	struct policy_file *file = NULL;

	ck_assert_msg(policy_parse("p.yaml", text, strlen(text), &diags, &file) == 0, "%s", text);
	diag_list_deinit(&diags);
	return file;
}

static char *render(const struct diag_list *diags)
{
	struct strbuf b = {};

	for (size_t i = 0; i < diags->n; i++) {
		ck_assert_int_eq(diags->items[i].severity, DIAG_WARNING);
		ck_assert_ptr_nonnull(diags->items[i].source);
		strbuf_printf(&b, "%u:%u %s\n", diags->items[i].line, diags->items[i].column,
			      diags->items[i].text);
	}
	strbuf_puts(&b, "");
	return strbuf_steal(&b);
}

/* What was told must be `expected`; "" is nothing. */
static void check_told(struct diag_list *diags, const char *expected)
{
	char *told = render(diags);

	ck_assert_str_eq(told ? told : "", expected);
	free(told);
	diag_list_deinit(diags);
}

/* ---- the text ---- */

static const struct {
	const char *text, *told;
} texts[] = {
	{HEAD "exec: {deny: [/usr/bin/curl, /usr/bin/wget]}\n",
	 "3:15 a copy of a denied program runs under any other name\n"},
	{HEAD "exec: {deny: [/opt/tool, /tmp/**]}\n", ""},
	{EXEC "  deny: [/usr/bin/curl]\n", ""},
	{EXEC "  allow: [/tmp/x]\n",
	 "5:11 the container can usually write below `/tmp`, and so run what it likes\n"},
	{EXEC "  allow: [/**]\n",
	 "5:11 the container can usually write below `/tmp`, and so run what it likes\n"
	 "5:11 `/lib64/ld-linux-x86-64.so.2` is a loader: it runs every file that may be mapped\n"},
	{EXEC "  writable: deny\n  allow: [/home/*/bin/*]\n", ""},
	{EXEC "  allow: [{path: /run/x, origin: image}]\n", ""},
	{EXEC "  libraries: [/dev/shm/*]\n",
	 "5:15 the container can usually write below `/dev/shm`, and so run what it likes\n"},
	{EXEC "  allow: [/lib64/ld-linux-x86-64.so.2]\n",
	 "5:11 `/lib64/ld-linux-x86-64.so.2` is a loader: it runs every file that may be mapped\n"},
	{EXEC "  allow: [{path: /**, origin: image}]\n", ""},
	{EXEC "  libraries: any\n  allow: [{path: /usr/lib/**, origin: image}]\n",
	 "6:18 `/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2` is a loader: it runs every file that may be mapped\n"},
	{EXEC "  allow: [{path: /usr/lib/**, origin: image}, /opt/x]\n",
	 "5:18 `/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2` is a loader: it runs every file that may be mapped\n"},
	{HEAD "kernel: {mount: allow, clock: allow, bpf: audit}\n",
	 "3:10 `mount: allow` is a way out of the container: a task that mounts can give a file "
	 "another name\n"},
	{"policy: p\nmatch: [{container: {runtime: docker, name: x}}, {container: {name: x}}]\n",
	 "2:9 containers of `docker` are found some seconds after they started, as no hook tells of them\n"},
	{"policy: p\nmatch: [{container: {runtime: podman, name: x}}, {container: {runtime: crio}}]\n", ""},
	{HEAD, ""},
};

START_TEST(test_texts)
{
	struct policy_file *file = parse(texts[_i].text);
	struct diag_list diags = {};

	ck_assert_int_eq(lint_policies(file, &diags), 0);
	check_told(&diags, texts[_i].told);
	(void)policy_file_unref(file);
}
END_TEST

/* ---- trees ---- */

static char place[64];
static int tree = -1;

static void make_tree(void)
{
	strcpy(place, "/tmp/test-lint.XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(place));
	tree = open(place, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ck_assert_int_ge(tree, 0);
}

static void remove_tree(void)
{
	char command[128];

	(void)close(tree);
	(void)snprintf(command, sizeof(command), "rm -rf '%s'", place);
	ck_assert_int_eq(system(command), 0);
}

static void make_directory(const char *path)
{
	ck_assert_int_eq(mkdirat(tree, path, 0755), 0);
}

static void make_file(const char *path)
{
	int fd = openat(tree, path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	ck_assert_int_ge(fd, 0);
	(void)close(fd);
}

static const struct {
	const char *text, *told; /* %s: the tree */
} roots[] = {
	{DENY "    - /etc/shadow\n", ""},
	{DENY "    - /etc/shadov\n", "5:7 no container has this path: it is missing in %s\n"},
	{DENY "    - /etc/**\n    - /opt/**\n",
	 "6:7 no container has this path: it is missing in %s\n"},
	{DENY "    - /opt/*\n", ""},
	/* a literal path is bound to the object: other names, and what links lead to, are refused as well */
	{DENY "    - /etc/twice\n", ""},
	{DENY "    - /etc/link\n", ""},
	{DENY "    - /etc/outside\n", ""},
	{DENY "    - /etc/broken\n", ""},
	/* what is below a directory is not; both names of `once` are */
	{DENY "    - /etc/**\n", ""},
	{DENY "    - /srv/**\n",
	 "5:7 in %s a file below this, `key`, has 1 more name elsewhere: the rule does not hold for it\n"},
	{DENY "    - {path: /srv/**, action: audit}\n", ""},
	{DENY "    - {path: /etc/twice, action: audit}\n", ""},
	{EXEC "  allow: [/bin/busybox]\n  deny: [/bin/wget]\n",
	 "6:10 in %s the allowed `/bin/busybox` is the same file\n"},
	{EXEC "  allow: [/bin/wget]\n  deny: [/bin/wget2]\n",
	 "6:10 in %s the allowed `/bin/wget` is the same file\n"},
	{EXEC "  allow: [/bin/busybox]\n", ""},
};

START_TEST(test_roots)
{
	struct policy_file *file = parse(roots[_i].text);
	struct lint_root root = {.path = place};
	struct diag_list diags = {};
	char expected[256];

	make_tree();
	root.fd = tree;
	make_directory("etc");
	make_directory("bin");
	make_file("etc/shadow");
	make_file("etc/once");
	ck_assert_int_eq(linkat(tree, "etc/once", tree, "etc/twice", 0), 0);
	ck_assert_int_eq(symlinkat("shadow", tree, "etc/link"), 0);
	/* an absolute link, and one that leads above the root: both end inside */
	ck_assert_int_eq(symlinkat("/../../etc/shadow", tree, "etc/outside"), 0);
	ck_assert_int_eq(symlinkat("nothing", tree, "etc/broken"), 0);
	make_directory("srv");
	make_directory("srv/deep");
	make_file("srv/deep/key");
	ck_assert_int_eq(linkat(tree, "srv/deep/key", tree, "bin/key", 0), 0);
	make_file("bin/busybox");
	ck_assert_int_eq(symlinkat("busybox", tree, "bin/wget"), 0);
	ck_assert_int_eq(linkat(tree, "bin/busybox", tree, "bin/wget2", 0), 0);
	ck_assert_int_eq(lint_roots(file, &root, 1, &diags), 0);
	if (strstr(roots[_i].told, "%s")) {
		const char *at = strstr(roots[_i].told, "%s");

		(void)snprintf(expected, sizeof(expected), "%.*s%s%s", (int)(at - roots[_i].told),
			       roots[_i].told, place, at + 2);
		check_told(&diags, expected);
	} else {
		check_told(&diags, roots[_i].told);
	}
	remove_tree();
	(void)policy_file_unref(file);
}
END_TEST

/* What one of the containers has is not missing. */
START_TEST(test_two_roots)
{
	struct policy_file *file = parse(DENY "    - /a/x\n    - /b/x\n    - /c\n");
	struct lint_root both[2] = {{.path = "a"}, {.path = "b"}};
	struct diag_list diags = {};

	make_tree();
	make_directory("one");
	make_directory("two");
	make_directory("one/a");
	make_directory("two/b");
	make_file("one/a/x");
	make_file("two/b/x");
	both[0].fd = openat(tree, "one", O_PATH | O_CLOEXEC);
	both[1].fd = openat(tree, "two", O_PATH | O_CLOEXEC);
	ck_assert_int_eq(lint_roots(file, both, 2, &diags), 0);
	check_told(&diags, "7:7 no container has this path\n");
	ck_assert_int_eq(lint_roots(file, both, 0, &diags), 0);
	check_told(&diags, "");
	(void)close(both[0].fd);
	(void)close(both[1].fd);
	remove_tree();
	(void)policy_file_unref(file);
}
END_TEST

START_TEST(test_cgroups)
{
	struct policy_file *file = parse("policy: p\n"
					 "match:\n"
					 "  - cgroup: /machine.slice/libpod-*.scope\n"
					 "  - unit: nginx.service\n"
					 "  - {unit: nginx.service, cgroup: /user.slice/**}\n"
					 "  - cgroup: /system.slice\n"
					 "  - unit: redis.service\n"
					 "  - container: {name: web}\n"
					 "  - {container: {name: web}, unit: no.scope}\n");
	struct diag_list diags = {};

	make_tree();
	make_directory("machine.slice");
	make_directory("machine.slice/libpod-1.scope");
	make_directory("system.slice");
	make_directory("system.slice/nginx.service");
	make_file("system.slice/redis.service"); /* no directory: no cgroup */
	ck_assert_int_eq(lint_cgroups(file, tree, &diags), 0);
	check_told(&diags, "5:5 the entry selects no cgroup that exists now\n"
			   "7:5 the entry selects no cgroup that exists now\n"
			   "9:5 the entry selects no cgroup that exists now\n");
	ck_assert_int_lt(lint_cgroups(file, -1, &diags), 0);
	diag_list_deinit(&diags);
	remove_tree();
	(void)policy_file_unref(file);
}
END_TEST

int main(void)
{
	TCase *t = tcase_create("lint");

	tcase_add_loop_test(t, test_texts, 0, ARRAY_LEN(texts));
	tcase_add_loop_test(t, test_roots, 0, ARRAY_LEN(roots));
	tcase_add_test(t, test_two_roots);
	tcase_add_test(t, test_cgroups);
	return tcase_run(t);
}
