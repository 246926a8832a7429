/* SPDX-License-Identifier: Apache-2.0 */

/* Tables, colours, the pager: on a terminal and elsewhere. */

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>

#include "programs/agentctl/color.h"
#include "programs/agentctl/pager.h"
#include "programs/agentctl/table.h"
#include "tests/unit/runner.h"
#include "util/cleanup.h"

static const struct {
	const char *text;
	unsigned width;
} widths[] = {
	{"", 0},
	{"abc", 3},
	{"\xed\x95\xb4\xed\x83\x9c", 4}, /* two Hangul syllables */
	{"\xc3\xa9", 1},
	{"e\xcc\x81", 1}, /* with a combining accent */
	{"\xf0\x9f\x98\x80", 2},
	{"\xff", 1},
};

START_TEST(test_width)
{
	ck_assert_uint_eq(text_width(widths[_i].text), widths[_i].width);
}
END_TEST

START_TEST(test_table)
{
	static const char *const headers[] = {"NAME", "COUNT", "FILE", NULL};
	struct table *table = table_new(headers, 1U << 1);
	_cleanup_strbuf_ struct strbuf b = {};

	ck_assert_ptr_nonnull(table);
	ck_assert_uint_eq(table_rows(table), 0);
	table_add(table, "web");
	table_addf(table, "%d", 7);
	table_add(table, "/a");
	table_add(table, "\xed\x95\xb4\xed\x83\x9c-long-name");
	table_addf(table, "%d", 1234567);
	table_add(table, "/etc/b");
	table_add_color(table, "evil\033[2J\n", COLOR_RED);
	table_add(table, NULL);
	table_add(table, "");
	ck_assert_uint_eq(table_rows(table), 3);
	ck_assert_int_eq(table_render(table, &b, 2, false), 0);
	ck_assert_str_eq(strbuf_str(&b), "  NAME               COUNT  FILE\n"
					 "  web                    7  /a\n"
					 "  \xed\x95\xb4\xed\x83\x9c-long-name   1234567  /etc/b\n"
					 "  evil\\x1b[2J\\x0a        -  -\n");
	strbuf_reset(&b);
	ck_assert_int_eq(table_render(table, &b, 0, true), 0);
	ck_assert_ptr_nonnull(strstr(strbuf_str(&b), "\033[1mNAME\033[0m"));
	ck_assert_ptr_nonnull(strstr(strbuf_str(&b), "\033[1;31mevil\\x1b[2J\\x0a\033[0m"));
	ck_assert_ptr_null(table_free(table));
}
END_TEST

/* More rows than the first allocation. */
START_TEST(test_table_grows)
{
	static const char *const headers[] = {"A", "B", NULL};
	struct table *table = table_new(headers, 0);
	_cleanup_strbuf_ struct strbuf b = {};

	for (int i = 0; i < 1000; i++) {
		table_addf(table, "%d", i);
		table_add(table, "x");
	}
	ck_assert_uint_eq(table_rows(table), 1000);
	ck_assert_int_eq(table_render(table, &b, 0, false), 0);
	ck_assert_ptr_nonnull(strstr(strbuf_str(&b), "\n999  x\n"));
	ck_assert_ptr_null(table_free(table));
}
END_TEST

START_TEST(test_color_words)
{
	enum color_mode mode = COLOR_AUTO;

	ck_assert_int_eq(color_mode_from_string("always", &mode), 0);
	ck_assert_int_eq(mode, COLOR_ALWAYS);
	ck_assert_int_eq(color_mode_from_string("never", &mode), 0);
	ck_assert_int_eq(mode, COLOR_NEVER);
	ck_assert_int_eq(color_mode_from_string("auto", &mode), 0);
	ck_assert_int_eq(mode, COLOR_AUTO);
	ck_assert_int_eq(color_mode_from_string("Auto", &mode), -EINVAL);
	ck_assert_int_eq(color_mode_from_string("", &mode), -EINVAL);
	ck_assert_str_eq(color_begin(COLOR_RED, false), "");
	ck_assert_str_eq(color_end(COLOR_RED, false), "");
	ck_assert_str_eq(color_end(COLOR_NONE, true), "");
	ck_assert_str_eq(color_end(COLOR_RED, true), "\033[0m");
}
END_TEST

static const struct {
	enum color_mode mode;
	bool terminal;
	const char *no_color; /* NULL: not set */
	const char *term;     /* NULL: not set */
	bool wanted;
} colors[] = {
	{COLOR_AUTO, true, NULL, "xterm", true},   {COLOR_AUTO, true, "", "xterm", true},
	{COLOR_AUTO, true, "1", "xterm", false},   {COLOR_AUTO, true, NULL, "dumb", false},
	{COLOR_AUTO, true, NULL, NULL, false},	   {COLOR_AUTO, true, NULL, "", false},
	{COLOR_AUTO, false, NULL, "xterm", false}, {COLOR_ALWAYS, false, "1", "dumb", true},
	{COLOR_NEVER, true, NULL, "xterm", false},
};

static void variable(const char *name, const char *value)
{
	ck_assert_int_eq(value ? setenv(name, value, 1) : unsetenv(name), 0);
}

START_TEST(test_color)
{
	_cleanup_close_ int master = -1, terminal = -1,
			    file = open("/dev/null", O_WRONLY | O_CLOEXEC);

	ck_assert_int_eq(openpty(&master, &terminal, NULL, NULL, NULL), 0);
	variable("NO_COLOR", colors[_i].no_color);
	variable("TERM", colors[_i].term);
	ck_assert_int_eq(color_wanted(colors[_i].mode, colors[_i].terminal ? terminal : file),
			 colors[_i].wanted);
	variable("NO_COLOR", NULL);
	variable("TERM", NULL);
}
END_TEST

/* Run a pager of ours on a terminal of ours; what it adds to each line shows that it ran. */
static const struct {
	const char *systemd_pager, *pager; /* NULL: not set */
	bool terminal, no_pager;
	const char *shown;
} pagers[] = {
	{"sed s/^/S:/", "sed s/^/P:/", true, false, "S:one\r\nS:two\r\n"},
	{NULL, "sed s/^/P:/", true, false, "P:one\r\nP:two\r\n"},
	{NULL, NULL, true, false, "one\r\ntwo\r\n"}, /* less quits where it fits */
	{"", "sed s/^/P:/", true, false, "one\r\ntwo\r\n"},
	{"cat", NULL, true, false, "one\r\ntwo\r\n"},
	{"sed s/^/S:/", NULL, true, true, "one\r\ntwo\r\n"},
	{"sed s/^/S:/", NULL, false, false, "one\ntwo\n"},
	/* the pager's own environment */
	{"echo $LESSSECURE $LESS; cat >/dev/null", NULL, true, false, "1 FRSXMK\r\n"},
	/* one that is left at once: writing more than a pipe holds is no failure */
	{"true", NULL, true, false, ""},
};

static _Noreturn void pager_child(int out, const char *const *lines, size_t n, bool no_pager)
{
	struct pager pager;

	(void)signal(SIGPIPE, SIG_IGN);
	if (dup2(out, STDOUT_FILENO) < 0 || pager_open(&pager, no_pager) < 0)
		_exit(9);
	for (size_t i = 0; i < n; i++)
		(void)!write(STDOUT_FILENO, lines[i % 2], strlen(lines[i % 2]));
	pager_close(&pager);
	/* standard output is the terminal again */
	_exit(isatty(STDOUT_FILENO) == isatty(out) ? 0 : 8);
}

START_TEST(test_pager)
{
	static const char *const lines[] = {"one\n", "two\n"};
	_cleanup_close_ int reader = -1, writer = -1;
	char shown[4096] = {};
	size_t len = 0;
	int status, ends[2];
	bool left = pagers[_i].systemd_pager && strcmp(pagers[_i].systemd_pager, "true") == 0;
	pid_t pid;

	if (pagers[_i].terminal) {
		struct winsize size = {.ws_row = 40, .ws_col = 120};

		ck_assert_int_eq(openpty(&reader, &writer, NULL, NULL, &size), 0);
	} else {
		ck_assert_int_eq(pipe2(ends, O_CLOEXEC), 0);
		reader = ends[0];
		writer = ends[1];
	}
	variable("TERM", "xterm");
	variable("SYSTEMD_PAGER", pagers[_i].systemd_pager);
	variable("PAGER", pagers[_i].pager);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		(void)close(reader);
		pager_child(writer, lines, left ? 100000 : 2, pagers[_i].no_pager);
	}
	(void)close(steal_fd(&writer));
	for (;;) {
		ssize_t n = read(reader, shown + len, sizeof(shown) - 1 - len);

		if (n <= 0)
			break; /* a terminal without a writer fails with EIO */
		len += (size_t)n;
	}
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	if (pagers[_i].systemd_pager || pagers[_i].pager)
		ck_assert_str_eq(shown, pagers[_i].shown);
	else /* less says more to its terminal than the text */
		ck_assert_msg(strstr(shown, "one") && strstr(shown, "two"), "%s", shown);
	variable("TERM", NULL);
	variable("SYSTEMD_PAGER", NULL);
	variable("PAGER", NULL);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("output");

	tcase_set_timeout(tc, 60);
	tcase_add_loop_test(tc, test_width, 0, (int)ARRAY_LEN(widths));
	tcase_add_test(tc, test_table);
	tcase_add_test(tc, test_table_grows);
	tcase_add_test(tc, test_color_words);
	tcase_add_loop_test(tc, test_color, 0, (int)ARRAY_LEN(colors));
	tcase_add_loop_test(tc, test_pager, 0, (int)ARRAY_LEN(pagers));
	return tcase_run(tc);
}
