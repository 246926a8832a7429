/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Drop-in directories: precedence, masks, trust, and what stays in force when a file breaks.
 *
 *   $TMP/set.XXXXXX/etc   highest
 *   $TMP/set.XXXXXX/run
 *   $TMP/set.XXXXXX/usr   lowest
 */

#include "policy-test.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/unit/runner.h"

static char root[256], dir_etc[300], dir_run[300], dir_usr[300];
static const char *const dirs[] = {dir_etc, dir_run, dir_usr};

static void setup(void)
{
	const char *tmp = getenv("TMPDIR");

	(void)umask(022);
	(void)snprintf(root, sizeof(root), "%s/set.XXXXXX", tmp ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(root));
	(void)snprintf(dir_etc, sizeof(dir_etc), "%s/etc", root);
	(void)snprintf(dir_run, sizeof(dir_run), "%s/run", root);
	(void)snprintf(dir_usr, sizeof(dir_usr), "%s/usr", root);
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		ck_assert_int_eq(mkdir(dirs[i], 0755), 0);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static void teardown(void)
{
	(void)chmod(root, 0700);
	ck_assert_int_eq(nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS), 0);
}

static const char *path_in(const char *dir, const char *name)
{
	static char path[4][600];
	static unsigned next;
	char *p = path[next++ % 4];

	(void)snprintf(p, sizeof(path[0]), "%s/%s", dir, name);
	return p;
}

static void put(const char *dir, const char *name, const char *text)
{
	FILE *f = fopen(path_in(dir, name), "we");

	ck_assert_ptr_nonnull(f);
	ck_assert_int_ge(fputs(text, f), 0);
	ck_assert_int_eq(fclose(f), 0);
}

/* A policy with one rule that tells the versions of a file apart. */
static void put_policy(const char *dir, const char *name, const char *policy, const char *rule)
{
	char text[512];

	(void)snprintf(text, sizeof(text),
		       "policy: %s\nmatch: [{cgroup: /a}]\nexec: {deny: [%s]}\n", policy, rule);
	put(dir, name, text);
}

static struct policy_set *load(const struct policy_set *previous)
{
	struct policy_set *set = NULL;

	ck_assert_int_eq(policy_set_load(dirs, ARRAY_LEN(dirs), previous, &set), 0);
	return set;
}

/* The set in one line: "name=policy(rule)" for each source, with "!" if stale, "-" if masked and
 * "?" if there is nothing in force. */
static char *describe(const struct policy_set *set)
{
	struct strbuf b = {};

	for (size_t i = 0; i < set->n_sources; i++) {
		const struct policy_source *s = &set->sources[i];

		strbuf_printf(&b, "%s%s=", i ? " " : "", s->name);
		if (s->masked)
			strbuf_putc(&b, '-');
		else if (!s->file)
			strbuf_puts(&b, "?");
		for (size_t j = 0; s->file && j < s->file->n_policies; j++)
			strbuf_printf(&b, "%s%s(%s)", j ? "," : "", s->file->policies[j]->name,
				      s->file->policies[j]->rules[0].path.text);
		if (s->stale)
			strbuf_putc(&b, '!');
	}
	return strbuf_steal(&b);
}

static void expect(const struct policy_set *set, const char *want, size_t n_errors)
{
	char *got = describe(set), *told = diags_render(&set->diags);

	ck_assert_msg(strcmp(got, want) == 0, "got  %s\nwant %s\n%s", got, want, told);
	ck_assert_msg(set->diags.n_errors == n_errors, "%zu errors:\n%s", set->diags.n_errors,
		      told);
	free(got);
	free(told);
}

/* Load and compare; the errors told must be as many and the first begin with `told`. */
static struct policy_set *load_expect(struct policy_set *previous, const char *want,
				      size_t n_errors, const char *told)
{
	struct policy_set *set = load(previous);

	expect(set, want, n_errors);
	if (told)
		ck_assert_msg(strncmp(set->diags.items[0].text, told, strlen(told)) == 0, "told %s",
			      set->diags.items[0].text);
	(void)policy_set_free(previous);
	return set;
}

START_TEST(test_empty)
{
	struct policy_set *set;

	(void)policy_set_free(load_expect(NULL, "", 0, NULL));
	ck_assert_int_eq(rmdir(dir_run), 0);
	(void)policy_set_free(load_expect(NULL, "", 0, NULL));
	ck_assert_int_eq(policy_set_load(NULL, 0, NULL, &set), 0);
	ck_assert_uint_eq(set->n_sources, 0);
	ck_assert_ptr_null(policy_set_free(set));
	ck_assert_ptr_null(policy_set_free(NULL));
}
END_TEST

START_TEST(test_precedence)
{
	struct policy_set *set;

	put_policy(dir_usr, "50-web.yaml", "web", "/usr");
	put_policy(dir_run, "50-web.yaml", "web", "/run");
	put_policy(dir_usr, "20-base.yml", "base", "/base");
	put_policy(dir_etc, "90-last.yaml", "last", "/last");
	put_policy(dir_run, "90-last.yaml", "last", "/run");
	put_policy(dir_usr, "90-last.yaml", "last", "/usr");
	/* names that do not count */
	put(dir_etc, ".hidden.yaml", "{");
	put(dir_etc, ".#50-web.yaml", "{");
	put(dir_etc, "README.md", "{");
	put(dir_etc, "50-web.yaml~", "{");
	put(dir_etc, "50-web.yaml.bak", "{");
	put(dir_etc, ".yaml", "{");
	put(dir_etc, "yaml", "{");
	set = load_expect(NULL,
			  "20-base.yml=base(/base) 50-web.yaml=web(/run) "
			  "90-last.yaml=last(/last)",
			  0, NULL);
	ck_assert_str_eq(set->sources[1].path, path_in(dir_run, "50-web.yaml"));
	ck_assert_str_eq(set->sources[1].file->path, path_in(dir_run, "50-web.yaml"));
	ck_assert_str_eq(set->sources[1].file->policies[0]->file, path_in(dir_run, "50-web.yaml"));
	(void)policy_set_free(set);
}
END_TEST

START_TEST(test_masks)
{
	struct policy_set *set;

	put_policy(dir_usr, "1.yaml", "one", "/1");
	put_policy(dir_usr, "2.yaml", "two", "/2");
	put_policy(dir_usr, "3.yaml", "three", "/3");
	set = load_expect(NULL, "1.yaml=one(/1) 2.yaml=two(/2) 3.yaml=three(/3)", 0, NULL);
	ck_assert_int_eq(symlink("/dev/null", path_in(dir_etc, "1.yaml")), 0);
	put(dir_run, "2.yaml", "");
	set = load_expect(set, "1.yaml=- 2.yaml=- 3.yaml=three(/3)", 0, NULL);
	/* the mask goes, the policy is back */
	ck_assert_int_eq(unlink(path_in(dir_etc, "1.yaml")), 0);
	set = load_expect(set, "1.yaml=one(/1) 2.yaml=- 3.yaml=three(/3)", 0, NULL);
	(void)policy_set_free(set);
}
END_TEST

START_TEST(test_stale)
{
	struct policy_set *set;
	struct policy_file *file;

	put_policy(dir_etc, "1.yaml", "one", "/1");
	put_policy(dir_etc, "2.yaml", "two", "/2");
	set = load_expect(NULL, "1.yaml=one(/1) 2.yaml=two(/2)", 0, NULL);
	put(dir_etc, "1.yaml", "policy: \"one\n");
	put_policy(dir_etc, "2.yaml", "two", "/new");
	set = load_expect(set, "1.yaml=one(/1)! 2.yaml=two(/new)", 1, "not YAML");
	ck_assert_str_eq(set->diags.items[0].file, path_in(dir_etc, "1.yaml"));
	/* still broken: still there, over any number of loads, as the same object */
	file = set->sources[0].file;
	set = load_expect(set, "1.yaml=one(/1)! 2.yaml=two(/new)", 1, NULL);
	ck_assert_ptr_eq(set->sources[0].file, file);
	put_policy(dir_etc, "1.yaml", "one", "/repaired");
	set = load_expect(set, "1.yaml=one(/repaired) 2.yaml=two(/new)", 0, NULL);
	/* a broken override keeps what the name meant before */
	put(dir_usr, "3.yaml", "");
	put_policy(dir_usr, "4.yaml", "four", "/4");
	set = load_expect(set, "1.yaml=one(/repaired) 2.yaml=two(/new) 3.yaml=- 4.yaml=four(/4)", 0,
			  NULL);
	put(dir_etc, "3.yaml", "{}\n");
	put(dir_etc, "4.yaml", "{}\n");
	set = load_expect(set, "1.yaml=one(/repaired) 2.yaml=two(/new) 3.yaml=-! 4.yaml=four(/4)!",
			  4, NULL);
	/* gone is gone */
	ck_assert_int_eq(unlink(path_in(dir_etc, "1.yaml")), 0);
	ck_assert_int_eq(unlink(path_in(dir_etc, "4.yaml")), 0);
	ck_assert_int_eq(unlink(path_in(dir_usr, "4.yaml")), 0);
	set = load_expect(set, "2.yaml=two(/new) 3.yaml=-!", 2, NULL);
	(void)policy_set_free(set);
}
END_TEST

START_TEST(test_never_good)
{
	struct policy_set *set;

	put_policy(dir_usr, "1.yaml", "one", "/usr");
	put(dir_etc, "1.yaml", "policy: one\n");
	put_policy(dir_etc, "2.yaml", "two", "/2");
	/* what is overridden does not come back because the override is broken */
	set = load_expect(NULL, "1.yaml=?! 2.yaml=two(/2)", 1, "the policy does not say");
	(void)policy_set_free(set);
}
END_TEST

START_TEST(test_conflicts)
{
	struct policy_set *set;

	put_policy(dir_usr, "1.yaml", "web", "/1");
	put_policy(dir_etc, "2.yaml", "web", "/2");
	put_policy(dir_etc, "3.yaml", "app", "/3");
	set = load_expect(NULL, "1.yaml=web(/1) 2.yaml=?! 3.yaml=app(/3)", 1,
			  "policy `web` is already in ");
	ck_assert_str_eq(set->diags.items[0].file, path_in(dir_etc, "2.yaml"));
	ck_assert_uint_eq(set->diags.items[0].line, 1);
	ck_assert_uint_eq(set->diags.items[0].column, 9);
	put_policy(dir_etc, "2.yaml", "shop", "/2");
	set = load_expect(set, "1.yaml=web(/1) 2.yaml=shop(/2) 3.yaml=app(/3)", 0, NULL);
	/* a name taken over: the later file keeps its last good version, under its own name */
	put_policy(dir_etc, "3.yaml", "web", "/33");
	set = load_expect(set, "1.yaml=web(/1) 2.yaml=shop(/2) 3.yaml=app(/3)!", 1,
			  "policy `web` is already in ");
	/* the last good version itself is in conflict now: the earlier file has the name */
	put_policy(dir_etc, "0.yaml", "app", "/0");
	set = load_expect(set, "0.yaml=app(/0) 1.yaml=web(/1) 2.yaml=shop(/2) 3.yaml=?!", 2,
			  "policy `web` is already in ");
	(void)policy_set_free(set);
}
END_TEST

/* What a file may not be. */
enum spoil {
	SPOIL_LINK,
	SPOIL_LINK_NULL_INDIRECT,
	SPOIL_DANGLING,
	SPOIL_GROUP,
	SPOIL_OTHERS,
	SPOIL_OWNER,
	SPOIL_DIRECTORY,
	SPOIL_FIFO,
	SPOIL_SOCKET,
	SPOIL_HUGE,
	_SPOIL_MAX,
};

static const struct {
	const char *told;
	bool root; /* needs to be root */
} spoils[_SPOIL_MAX] = {
	[SPOIL_LINK] = {"a symbolic link is not followed here"},
	[SPOIL_LINK_NULL_INDIRECT] = {"a symbolic link is not followed here"},
	[SPOIL_DANGLING] = {"a symbolic link is not followed here"},
	[SPOIL_GROUP] = {"the file can be written by its group (mode 0664)"},
	[SPOIL_OTHERS] = {"the file can be written by everybody (mode 0666)"},
	[SPOIL_OWNER] = {"the file belongs to user 12345", true},
	[SPOIL_DIRECTORY] = {"not a regular file"},
	[SPOIL_FIFO] = {"not a regular file"},
	[SPOIL_SOCKET] = {"the file cannot be opened: No such device or address"},
	[SPOIL_HUGE] = {"the file is larger than 1048576 bytes"},
};

static void put_socket(const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_uint_lt(strlen(path), sizeof(address.sun_path));
	strcpy(address.sun_path, path);
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	(void)close(fd);
}

static void spoil(enum spoil how, const char *path)
{
	char target[600];

	(void)snprintf(target, sizeof(target), "%s/target.yaml", dir_usr);
	if (how == SPOIL_LINK)
		ck_assert_int_eq(rename(path, target), 0);
	else if (how != SPOIL_GROUP && how != SPOIL_OTHERS && how != SPOIL_OWNER &&
		 how != SPOIL_HUGE)
		ck_assert_int_eq(unlink(path), 0);
	switch (how) {
	case SPOIL_LINK:
	case SPOIL_DANGLING:
		ck_assert_int_eq(symlink(target, path), 0);
		break;
	case SPOIL_LINK_NULL_INDIRECT:
		ck_assert_int_eq(symlink("/dev/../dev/null", path), 0);
		break;
	case SPOIL_GROUP:
		ck_assert_int_eq(chmod(path, 0664), 0);
		break;
	case SPOIL_OTHERS:
		ck_assert_int_eq(chmod(path, 0666), 0);
		break;
	case SPOIL_OWNER:
		ck_assert_int_eq(chown(path, 12345, 0), 0);
		break;
	case SPOIL_DIRECTORY:
		ck_assert_int_eq(mkdir(path, 0755), 0);
		break;
	case SPOIL_FIFO:
		ck_assert_int_eq(mkfifo(path, 0644), 0);
		break;
	case SPOIL_SOCKET:
		put_socket(path);
		break;
	case SPOIL_HUGE:
		ck_assert_int_eq(truncate(path, 1L << 30), 0);
		break;
	case _SPOIL_MAX:
		break;
	}
}

START_TEST(test_spoilt_file)
{
	struct policy_set *set;

	if (spoils[_i].root && geteuid() != 0)
		return;
	put_policy(dir_etc, "1.yaml", "one", "/1");
	put_policy(dir_etc, "2.yaml", "two", "/2");
	set = load_expect(NULL, "1.yaml=one(/1) 2.yaml=two(/2)", 0, NULL);
	spoil((enum spoil)_i, path_in(dir_etc, "1.yaml"));
	if (_i == SPOIL_LINK)
		ck_assert_int_eq(
			rename(path_in(dir_usr, "target.yaml"), path_in(dir_usr, "target")), 0);
	set = load_expect(set, "1.yaml=one(/1)! 2.yaml=two(/2)", 1, spoils[_i].told);
	ck_assert_uint_eq(set->diags.items[0].line, 0);
	(void)policy_set_free(set);
	/* never good: nothing to fall back to */
	set = load_expect(NULL, "1.yaml=?! 2.yaml=two(/2)", 1, spoils[_i].told);
	(void)policy_set_free(set);
}
END_TEST

/* A directory that is not to be trusted keeps what it held, masks included. */
static const struct {
	const char *name;
	mode_t mode; /* of etc */
	mode_t above;
	bool owner, link, file;
	const char *told;
} untrusted[] = {
	{"group", 0775, 0700, false, false, false,
	 "the directory can be written by its group (mode 0775)"},
	{"others", 0757, 0700, false, false, false,
	 "the directory can be written by everybody (mode 0757)"},
	{"sticky", 01777, 0700, false, false, false,
	 "the directory can be written by everybody (mode 1777)"},
	{"above", 0755, 0777, false, false, false,
	 "a directory above it can be written by everybody (mode 0777)"},
	{"above by group", 0755, 0770, false, false, false,
	 "a directory above it can be written by its group (mode 0770)"},
	{"owner", 0755, 0700, true, false, false, "the directory belongs to user 12345"},
	{"link", 0755, 0700, false, true, false, "a symbolic link is not followed here"},
	{"file", 0755, 0700, false, false, true, "the directory cannot be opened: Not a directory"},
};

START_TEST(test_untrusted_dir)
{
	struct policy_set *set;
	char moved[300];

	if (untrusted[_i].owner && geteuid() != 0)
		return;
	put_policy(dir_etc, "1.yaml", "one", "/1");
	put_policy(dir_usr, "1.yaml", "one", "/usr");
	put(dir_etc, "2.yaml", "");
	put_policy(dir_usr, "2.yaml", "two", "/usr");
	put_policy(dir_usr, "3.yaml", "three", "/3");
	set = load_expect(NULL, "1.yaml=one(/1) 2.yaml=- 3.yaml=three(/3)", 0, NULL);
	put_policy(dir_etc, "1.yaml", "one", "/evil");
	ck_assert_int_eq(chmod(dir_etc, untrusted[_i].mode), 0);
	if (untrusted[_i].owner)
		ck_assert_int_eq(chown(dir_etc, 12345, 0), 0);
	(void)snprintf(moved, sizeof(moved), "%s/moved", root);
	if (untrusted[_i].link || untrusted[_i].file)
		ck_assert_int_eq(rename(dir_etc, moved), 0);
	if (untrusted[_i].link)
		ck_assert_int_eq(symlink(moved, dir_etc), 0);
	if (untrusted[_i].file)
		put(root, "etc", "x");
	ck_assert_int_eq(chmod(root, untrusted[_i].above), 0);
	/* a bad directory above is above all three */
	if (untrusted[_i].above != 0700)
		set = load_expect(set, "1.yaml=one(/1)! 2.yaml=-! 3.yaml=three(/3)!", 3,
				  untrusted[_i].told);
	else
		set = load_expect(set, "1.yaml=one(/1)! 2.yaml=-! 3.yaml=three(/3)", 1,
				  untrusted[_i].told);
	(void)policy_set_free(set);
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("set");

	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_add_test(cases, test_empty);
	tcase_add_test(cases, test_precedence);
	tcase_add_test(cases, test_masks);
	tcase_add_test(cases, test_stale);
	tcase_add_test(cases, test_never_good);
	tcase_add_test(cases, test_conflicts);
	tcase_add_loop_test(cases, test_spoilt_file, 0, _SPOIL_MAX);
	tcase_add_loop_test(cases, test_untrusted_dir, 0, (int)ARRAY_LEN(untrusted));
	return tcase_run(cases);
}
