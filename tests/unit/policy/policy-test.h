/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What the tests of the policy room share: texts in, diagnostics out as one string. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "policy/policy.h"
#include "tests/unit/runner.h"
#include "util/cleanup.h"
#include "util/strbuf.h"

/* Lines 1 and 2 of most cases. */
#define HEAD "policy: p\nmatch: [{cgroup: /a}]\n"
/* A text that may hold NUL bytes. */
#define TEXT(s) (s), sizeof(s) - 1

struct diag_case {
	const char *name;
	const char *text;
	size_t len;
	const char *diags; /* as diags_render() writes them */
};

/* "3:5+4 error: text; expected what\n" for each: line, column and width. */
static inline char *diags_render(const struct diag_list *list)
{
	struct strbuf b = {};

	for (size_t i = 0; i < list->n; i++) {
		const struct diag *d = &list->items[i];

		strbuf_printf(&b, "%u:%u+%u %s: %s%s%s\n", d->line, d->column, d->width,
			      d->severity == DIAG_ERROR ? "error" : "warning", d->text,
			      d->expected ? "; expected " : "", d->expected ? d->expected : "");
	}
	return strbuf_steal(&b);
}

/* Parse a case and compare every diagnostic; a case without errors must be accepted. */
static inline void diag_case_run(const struct diag_case *c)
{
	struct diag_list diags = {};
	struct policy_file *file = NULL;
	char *text;
	int r;

	r = policy_parse("p.yaml", c->text, c->len, &diags, &file);
	text = diags_render(&diags);
	ck_assert_msg(strcmp(text, c->diags) == 0, "%s: got\n%s", c->name, text);
	ck_assert_msg(r == (diags.n_errors > 0 ? POLICY_E_INVALID : 0), "%s: %d", c->name, r);
	ck_assert_msg((r == 0) == (file != NULL), "%s", c->name);
	(void)policy_file_unref(file);
	free(text);
	diag_list_deinit(&diags);
}

/* Parse what must be fine. The caller owns the result. */
static inline struct policy_file *parse_good(const char *text)
{
	struct diag_list diags = {};
	struct policy_file *file = NULL;
	int r = policy_parse("p.yaml", text, strlen(text), &diags, &file);
	char *told = diags_render(&diags);

	ck_assert_msg(r == 0 && diags.n == 0, "%s\n%s", text, told);
	free(told);
	diag_list_deinit(&diags);
	return file;
}
