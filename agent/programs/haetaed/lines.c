/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Lines of `kernel:` that this kernel has no hooks for. A file that asks for one is refused, as one that is broken:
 * its last good version stands in. What a policy has by default, and nobody wrote, is warned of in the status alone.
 */

#include <string.h>

#include "programs/haetaed/agent.h"

static int line_refuse(struct policy_set *set, const struct policy_file *file,
		       const struct policy_rule *rule, const char *word)
{
	char text[160];
	const struct diag diag = {
		.file = file->path,
		.line = rule->location.line,
		.column = rule->location.column,
		.severity = DIAG_ERROR,
		.text = text,
		.expected = (char *)"'allow', or no such line, or a kernel that has the hooks",
	};

	(void)snprintf(text, sizeof(text),
		       "this kernel has no hooks for the line '%s' of 'kernel:', so nothing of it can be refused",
		       word);
	return diag_add(&set->diags, &diag);
}

/* Return: number of refused lines, -ENOMEM. */
static int file_check(uint32_t missing, struct policy_set *set, const struct policy_file *file)
{
	int n = 0;

	for (size_t i = 0; i < file->n_policies; i++)
		for (uint32_t line = 0; line < HT_KERNEL_MAX; line++) {
			const struct policy_rule *rule = &file->policies[i]->kernel[line];
			int r;

			if (rule->implied || rule->action == POLICY_ACTION_ALLOW ||
			    !(missing & (1U << line)))
				continue;
			r = line_refuse(set, file, rule, policy_kernel_to_string(line));
			if (r < 0)
				return r;
			n++;
		}
	return n;
}

int agent_lines_check(const struct agent *a, struct policy_set *set)
{
	uint32_t missing = kernel_lines_missing(a->kernel);

	for (size_t i = 0; i < set->n_sources && missing != 0; i++) {
		struct policy_source *s = &set->sources[i];
		struct policy_file *last = NULL;
		int r;

		if (!s->file)
			continue;
		r = file_check(missing, set, s->file);
		if (r < 0)
			return r;
		if (r == 0)
			continue;
		for (size_t j = 0; a->set && j < a->set->n_sources; j++)
			if (strcmp(a->set->sources[j].name, s->name) == 0)
				last = a->set->sources[j].file;
		s->file = policy_file_unref(s->file);
		s->file = last ? policy_file_ref(last) : NULL;
		s->stale = true;
	}
	return 0;
}
