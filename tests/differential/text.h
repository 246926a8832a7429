/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Random policies as a person would write them: YAML, one rule on each line, so that a rule can be
 * left out by leaving out its line.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dice.h"
#include "world.h"

#define TEXT_CGROUP "/differential.scope"
#define TEXT_POLICIES 4U
#define TEXT_RULES 14U
#define TEXT_PROGRAMS 3U

/* What subjects run; the programs that `unless` speaks of. */
extern const char *const text_programs[TEXT_PROGRAMS];

enum text_list {
	TEXT_EXEC_ALLOW,
	TEXT_EXEC_DENY,
	TEXT_EXEC_AUDIT,
	TEXT_FILE_ALLOW,
	TEXT_FILE_DENY,
	TEXT_FILE_AUDIT,
	_TEXT_LIST_MAX
};

struct text_rule {
	enum text_list list;
	char *text;	  /* what stands behind the dash */
	bool conditional; /* has `unless` */
	bool dropped;	  /* the parser finds that it decides nothing, or that it cannot be meant */
	uint32_t line;	  /* where it stands in the whole text */
};

struct text_policy {
	bool audit, exec_deny, file_deny;
	const char *match, *anonymous, *writable, *libraries; /* NULL: not written */
	struct text_rule rules[TEXT_RULES];
	size_t n_rules;
};

struct text {
	struct text_policy policies[TEXT_POLICIES];
	size_t n_policies;
};

/* Draw policies about a tree. Every one of them is good. */
void text_draw(struct text *t, const struct world *w, struct dice *d);
void text_free(struct text *t);

/* Leave out a rule, for a judge that has it wrong, or all that depend on the subject. */
struct text_without {
	uint32_t line; /* 0: none */
	bool conditional;
};

/* The YAML text; free() it. Of the whole text the rules get the numbers of their lines. */
char *text_print(struct text *t, struct text_without without);
