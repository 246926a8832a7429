/* SPDX-License-Identifier: Apache-2.0 */

/* The judges get their policies, and what literal rules bind is found. */

#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "court.h"
#include "util/cleanup.h"

const struct ht_hash_key court_key = {.k0 = 0x6b65726e656cULL, .k1 = 0x646966666572ULL};

/* ---- opening ---- */

static struct policy_file *parse(struct text *t, struct text_without without)
{
	_cleanup_free_ char *text = text_print(t, without);
	_cleanup_(diag_list_deinit) struct diag_list diags = {};
	struct policy_file *file;

	if (policy_parse("drawn.yaml", text, strlen(text), &diags, &file) == 0)
		return file;
	diag_list_print(&diags, stderr, false);
	errx(3, "the parser refuses:\n%s", text);
}

bool court_open(struct court *c, const struct world *w, struct text *t,
		const struct text_without without[_JUDGE_MAX])
{
	_cleanup_(diag_list_deinit) struct diag_list diags = {};
	struct text_without plain = {.line = without[JUDGE_SLOW].line, .conditional = true};

	*c = (struct court){.world = w, .now = time(NULL)};
	c->policies = parse(t, without[JUDGE_SLOW]);
	c->plain = parse(t, plain);
	c->compiled = parse(t, without[JUDGE_IMAGE]);
	c->names = image_names_new();
	return c->names && image_compile((const struct policy *const *)c->compiled->policies,
					 c->compiled->n_policies, c->names, &court_key, c->now,
					 &diags, &c->image) == 0;
}

void court_close(struct court *c)
{
	(void)policy_file_unref(c->policies);
	(void)policy_file_unref(c->plain);
	(void)policy_file_unref(c->compiled);
	(void)image_names_free(c->names);
	(void)image_free(c->image);
	for (size_t i = 0; i < c->n_bound; i++)
		free(c->bound[i].path);
	free(c->bound);
}

/* ---- what literal rules bind ---- */

bool court_rule_binds(const struct policy_rule *rule, int64_t now)
{
	return (rule->kind == POLICY_RULE_FILE_DENY || rule->kind == POLICY_RULE_EXEC_DENY) &&
	       (rule->expires == 0 || rule->expires > now) && !strpbrk(rule->path.text, "*?");
}

static void bind_path(struct court *c, size_t policy, const char *path)
{
	_cleanup_close_ int fd = open(path[0] ? path : "/", O_PATH | O_CLOEXEC);
	struct stat st;

	for (size_t i = 0; i < c->n_bound; i++)
		if (c->bound[i].policy == policy && strcmp(c->bound[i].path, path) == 0)
			return;
	if (fd < 0 || fstat(fd, &st) < 0)
		return;
	c->bound = reallocarray(c->bound, c->n_bound + 1, sizeof(*c->bound));
	if (!c->bound)
		err(3, "realloc");
	c->bound[c->n_bound++] = (struct bound){
		.policy = policy, .path = strdup(path), .dev = st.st_dev, .ino = st.st_ino};
}

void court_bind(struct court *c)
{
	for (size_t i = 0; i < c->policies->n_policies; i++)
		for (unsigned of = 0; of < 2; of++) {
			const struct policy *p = (of ? c->compiled : c->policies)->policies[i];

			for (size_t j = 0; j < p->n_rules; j++)
				if (court_rule_binds(&p->rules[j], c->now))
					bind_path(c, i, p->rules[j].path.text);
		}
}
