/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Fuzz target of what else reads YAML: format.c with comments.c, and suite.c. What was formatted is formatted the same
 * way again, and no policy changes its meaning by it; a suite is whole or has errors.
 */

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "policy/format.h"
#include "policy/policy.h"
#include "policy/suite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Not assert(): it must hold whatever NDEBUG says. */
#define MUST(condition)                                                                            \
	do {                                                                                       \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #condition);            \
			abort();                                                                   \
		}                                                                                  \
	} while (0)

static struct policy_file *parse(const void *text, size_t len)
{
	struct diag_list diags = {};
	struct policy_file *file = NULL;

	(void)policy_parse("p.yaml", text, len, &diags, &file);
	diag_list_deinit(&diags);
	return file;
}

/* The same rules under the same ids. */
static void check_meaning(const void *text, size_t len, const char *formatted)
{
	struct policy_file *a = parse(text, len), *b;

	if (!a)
		return;
	b = parse(formatted, strlen(formatted));
	MUST(b && a->n_policies == b->n_policies);
	for (size_t i = 0; i < a->n_policies; i++) {
		MUST(strcmp(a->policies[i]->name, b->policies[i]->name) == 0);
		MUST(a->policies[i]->n_rules == b->policies[i]->n_rules);
		for (size_t j = 0; j < a->policies[i]->n_rules; j++)
			MUST(a->policies[i]->rules[j].id == b->policies[i]->rules[j].id);
	}
	(void)policy_file_unref(a);
	(void)policy_file_unref(b);
}

static void format(const uint8_t *data, size_t size)
{
	struct diag_list diags = {};
	char *once = NULL, *twice = NULL;
	int r = policy_format("p.yaml", data, size, POLICY_FORMAT_ALL, &diags, &once);

	MUST((r == 0) == (once != NULL));
	MUST((r == POLICY_E_INVALID) == (diags.n_errors > 0));
	if (r == 0) {
		MUST(policy_format("p.yaml", once, strlen(once), POLICY_FORMAT_ALL, &diags, &twice) == 0);
		MUST(strcmp(once, twice) == 0);
		check_meaning(data, size, once);
	}
	free(once);
	free(twice);
	diag_list_deinit(&diags);
}

static void read_suite(const uint8_t *data, size_t size)
{
	struct diag_list diags = {};
	struct suite suite = {};
	int r = suite_parse("s.yaml", data, size, &diags, &suite);

	MUST((r == POLICY_E_INVALID) == (diags.n_errors > 0));
	MUST((r == 0) == (suite.n > 0));
	for (size_t i = 0; i < suite.n; i++) {
		MUST(suite.tests[i].op && suite.tests[i].expect < HT_VERDICT_MAX);
		MUST(!suite.tests[i].path || suite.tests[i].path[0] == '/');
	}
	suite_deinit(&suite);
	diag_list_deinit(&diags);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	format(data, size);
	read_suite(data, size);
	return 0;
}
