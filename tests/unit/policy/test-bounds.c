/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Texts made to cost much: each must be refused quickly and in little memory (THREATS K02: 50 ms
 * and 16 MiB). Time is processor time; a quadratic reader would need minutes. The sanitizers cost many times that, so the suite
 * runs this test once more without them.
 */

#include "policy-test.h"

#include <limits.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/param.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/runner.h"

#ifdef __has_feature
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif
#ifdef __SANITIZE_ADDRESS__
#define SANITIZED 1
#endif

#ifdef SANITIZED
/* ASan keeps freed memory and pads every allocation. */
#define TIME_MAX_MS 3000
#define MEMORY_MAX_KB (160 * 1024)
#else
#define TIME_MAX_MS 50
#define MEMORY_MAX_KB (16 * 1024)
#endif

struct bomb {
	const char *name;
	const char *head;   /* once */
	const char *repeat; /* as often as it fits, or n times */
	const char *tail;   /* once */
	size_t n;	    /* 0: up to POLICY_FILE_MAX */
	const char *told;   /* one of the errors begins like this */
};

static const struct bomb bombs[] = {
	{"aliases",
	 "a: &a [x,x,x,x,x,x,x,x,x]\nb: &b [*a,*a,*a,*a,*a,*a,*a,*a,*a]\n"
	 "c: &c [*b,*b,*b,*b,*b,*b,*b,*b,*b]\nd: &d [*c,*c,*c,*c,*c,*c,*c,*c,*c]\n"
	 "e: &e [*d,*d,*d,*d,*d,*d,*d,*d,*d]\nf: &f [*e,*e,*e,*e,*e,*e,*e,*e,*e]\n"
	 "g: &g [*f,*f,*f,*f,*f,*f,*f,*f,*f]\nh: &h [*g,*g,*g,*g,*g,*g,*g,*g,*g]\n",
	 "", "", 1, "aliases are not allowed"},
	{"many aliases", "policy: [", "*a,", "]\n", 0, "aliases are not allowed"},
	{"many anchors", "policy: [", "&a a,", "]\n", 0, "anchors are not allowed"},
	{"deep flow lists", "exec: ", "[", "", 5000, "nested deeper than 16 levels"},
	{"deepest flow lists", "", "[", "", 0, "nested deeper than 16 levels"},
	{"deep flow mappings", "", "{a: ", "", 5000, "nested deeper than 16 levels"},
	{"deep flow keys", "", "{? ", "", 5000, "nested deeper than 16 levels"},
	{"deep block lists", "", "- ", "a\n", 5000, "nested deeper than 16 levels"},
	{"deep block keys", "", "? ", "a\n", 5000, "nested deeper than 16 levels"},
	{"keys", HEAD, "k: 1\n", "", 0, "more than 64 keys in one mapping"},
	{"empty keys", HEAD, ":\n", "", 0, "not YAML"},
	{"keys in one line", "{", "k,", "}", 0, "more than 64 keys in one mapping"},
	{"mappings", HEAD "exec:\n deny:\n", " - {}\n", "", 0, "more than 100000 YAML events"},
	{"empty rules", HEAD "exec:\n deny:\n", " -\n", "", 0, "the rule is empty"},
	{"bad rules in one line", HEAD "exec: {deny: [", "a,", "]}\n", 0, "relative path"},
	{"quoted scalar", "policy: \"", "x", "\"\n", 0, "invalid policy name"},
	{"escapes", "policy: \"", "\\x00", "\"\n", 0, "control character 0x00"},
	{"plain scalar", "policy: ", "x", "\n", 0, "invalid policy name"},
	{"plain scalar over lines", "policy: x\n", " x\n", "\n", 0,
	 "`policy` goes over several lines"},
	{"block scalar", HEAD "description: |\n", " x\n", "\n", 0, "description of"},
	{"open quote", "policy: \"", "x y\n ", "", 0, "not YAML"},
	{"long key", "", "x", ": y\n", 0, "not YAML"},
	{"comment", "#", "x", "\n", 0, "no policy in this file"},
	{"comments", "", "#\n", "\n", 0, "no policy in this file"},
	{"spaces", "", " ", "\n", 0, "no policy in this file"},
	{"newlines", "", "\n", "", 0, "no policy in this file"},
	{"documents", "", "---\n", "", 0, "no policy in this document"},
	{"bad bytes", "", "\xff\n", "", 0, "byte 0xff is not UTF-8"},
	{"wildcards", HEAD "exec:\n deny:\n - /", "*a", "\n", 0, "component of"},
	{"components", HEAD "exec:\n deny:\n - ", "/a", "\n", 0, "more than 63 components"},
	{"exceptions", HEAD "exec:\n deny:\n - path: /*a*b*c*d*e*f*g*h\n   except:\n",
	 "   - /*1*2*3*4*5*6*7*8\n", "", 0, "the exception matches nothing"},
	{"users", HEAD "file: {deny: [{path: /a, unless: {uid: [", "1,", "]}}]}\n", 0,
	 "99977 values in `uid`; 1024 are allowed"},
	{"programs", HEAD "file: {deny: [{path: /a, unless: {exe: [", "/b,", "]}}]}\n", 0,
	 "99977 values in `exe`; 1024 are allowed"},
	{"tags", HEAD "file: {deny: [{path: /a, tags: [", "a,", "]}]}\n", 0,
	 "99979 tags; 1 to 16 are allowed"},
	{"labels", "policy: p\nmatch: [{container: {labels: {", "a,", "}}}]\n", 0,
	 "more than 64 keys in one mapping"},
	{"libraries", HEAD "exec: {default: deny, libraries: [", "default,", "]}\n", 0,
	 "`default` is listed twice"},
	{"too large", "policy: ", "x", "\n", POLICY_FILE_MAX, "the file has"},
	{"million keys", "", "k123456: v\n", "", 1000000, "the file has"},
};

static char *bomb_build(const struct bomb *b, size_t *ret_len)
{
	size_t unit = strlen(b->repeat), fixed = strlen(b->head) + strlen(b->tail);
	size_t n = b->n ? b->n : (POLICY_FILE_MAX - fixed) / unit;
	char *text = malloc(fixed + n * unit + 1), *p = text;

	ck_assert_ptr_nonnull(text);
	p = stpcpy(p, b->head);
	for (size_t i = 0; i < n; i++, p += unit)
		memcpy(p, b->repeat, unit);
	p = stpcpy(p, b->tail);
	*ret_len = (size_t)(p - text);
	return text;
}

static long cpu_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static long rss_kb(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_SELF, &u);
	return u.ru_maxrss;
}

static bool is_told(const struct diag_list *diags, const char *told)
{
	for (size_t i = 0; i < diags->n; i++)
		if (strncmp(diags->items[i].text, told, strlen(told)) == 0)
			return true;
	return false;
}

/* In a process of its own, as memory is only ever seen to grow. Return: NULL or what went wrong. */
static const char *bomb_try(const struct bomb *b, char *said, size_t size)
{
	struct policy_file *file = NULL;
	struct diag_list diags = {};
	size_t len;
	char *text = bomb_build(b, &len);
	long ms = LONG_MAX, kb = rss_kb();
	int r = 0;

	/* the best of many: a processor is shared with others, and what they take of it is no fault of ours */
	for (unsigned i = 0; i < 20 && ms > TIME_MAX_MS; i++) {
		long start = cpu_ms();

		diag_list_deinit(&diags);
		r = policy_parse("bomb.yaml", text, len, &diags, &file);
		ms = MIN(ms, cpu_ms() - start);
		if (i == 0)
			kb = rss_kb() - kb;
	}
	if (r != POLICY_E_INVALID || diags.n_errors == 0)
		(void)snprintf(said, size, "%s: %d", b->name, r);
	else if (!is_told(&diags, b->told))
		(void)snprintf(said, size, "%s: told `%s`", b->name, diags.items[0].text);
	else if (ms > TIME_MAX_MS)
		(void)snprintf(said, size, "%s: %ld ms", b->name, ms);
	else if (kb > MEMORY_MAX_KB)
		(void)snprintf(said, size, "%s: %ld KiB", b->name, kb);
	if (getenv("HAETAE_TEST_VERBOSE"))
		fprintf(stderr, "%-24s %5ld ms %7ld KiB %6zu errors\n", b->name, ms, kb,
			diags.n_errors);
	free(text);
	diag_list_deinit(&diags);
	return said;
}

START_TEST(test_bomb)
{
	const struct bomb *b = &bombs[_i];
	size_t size = 512;
	char *said = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	int status = 0;
	pid_t pid;

	ck_assert_ptr_ne(said, MAP_FAILED);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		(void)bomb_try(b, said, size);
		_exit(0);
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_msg(status == 0, "%s: status %d", b->name, status);
	ck_assert_msg(!*said, "%s", said);
	(void)munmap(said, size);
}
END_TEST

/* One GiB is refused by its length: its first page is not even readable. */
START_TEST(test_gigabyte)
{
	size_t len = 1U << 30;
	void *text = mmap(NULL, len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct policy_file *file = NULL;
	struct diag_list diags = {};

	ck_assert_ptr_ne(text, MAP_FAILED);
	ck_assert_int_eq(policy_parse("bomb.yaml", text, len, &diags, &file), POLICY_E_INVALID);
	ck_assert_str_eq(diags.items[0].text,
			 "the file has 1073741824 bytes; more than 1048576 are not read");
	diag_list_deinit(&diags);
	(void)munmap(text, len);
}
END_TEST

/* Long wildcards, each to be compared with each: given up in time, and said. */
START_TEST(test_wildcards)
{
	_cleanup_strbuf_ struct strbuf b = {};
	struct policy_file *file = NULL;
	struct diag_list diags = {};
	long ms;

	strbuf_puts(&b, HEAD "exec:\n deny:\n");
	for (unsigned i = 0; i < 3500; i++) {
		strbuf_printf(&b, " - /%04u", i);
		for (unsigned j = 0; j < 120; j++)
			strbuf_puts(&b, "*a");
		strbuf_putc(&b, '\n');
	}
	ms = cpu_ms();
	ck_assert_int_eq(policy_parse("bomb.yaml", b.data, b.len, &diags, &file), 0);
	ms = cpu_ms() - ms;
	ck_assert_msg(ms < 100 * TIME_MAX_MS, "%ld ms", ms);
	ck_assert_uint_eq(diags.n, 1);
	(void)policy_file_unref(file);
	diag_list_deinit(&diags);
}
END_TEST

/* The bounds themselves are allowed. */
START_TEST(test_largest)
{
	_cleanup_strbuf_ struct strbuf b = {};
	struct policy_file *file;

	strbuf_puts(&b, HEAD "exec:\n deny:\n");
	/* 9 events of the file around and 14 of the head and the sections */
	for (unsigned i = 0; i < 90000; i++)
		strbuf_printf(&b, " - /%x\n", i);
	ck_assert_uint_lt(b.len, POLICY_FILE_MAX);
	while (b.len < POLICY_FILE_MAX)
		strbuf_putc(&b, '\n');
	file = parse_good(b.data);
	ck_assert_uint_eq(file->policies[0]->n_rules, 90000);
	(void)policy_file_unref(file);
}
END_TEST

int main(void)
{
	TCase *cases = tcase_create("bounds");

	tcase_set_timeout(cases, 60);
	tcase_add_loop_test(cases, test_bomb, 0, (int)ARRAY_LEN(bombs));
	tcase_add_test(cases, test_gigabyte);
	tcase_add_test(cases, test_wildcards);
	tcase_add_test(cases, test_largest);
	return tcase_run(cases);
}
