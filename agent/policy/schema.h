/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The schema of the language as tables of keys: one line each. Private to the room.
 *
 * Handlers report what they find and go on; an allocation that failed sticks in text->error, which
 * policy_parse() looks at in the end.
 */

#include <stdbool.h>
#include <stddef.h>

#include "policy/node.h"
#include "policy/policy.h"
#include "policy/text.h"

/* One document being read. */
struct parse {
	struct policy_text *text;
	struct policy *policy;	 /* under construction */
	struct span *rule_spans; /* where the path of each rule stands; grows with policy->rules */
	size_t rules_size;
	size_t matches_size;
	bool partial; /* the document is cut off: nothing is missing in it for certain */
	struct span name;
};

enum key_type {
	KEY_LINE, /* text of one line, not empty */
	KEY_TEXT, /* text, not empty */
	KEY_WORD, /* a word of a fixed list: what else it could mean to YAML is no matter */
	KEY_LIST,
	KEY_MAPPING,
	KEY_ANY,	 /* the handler looks at its kind */
	KEY_UNAVAILABLE, /* a key of the language that this version cannot enforce: refused */
	_KEY_TYPE_MAX,
};

/* Contexts of a key: all bits of key_spec.where must be given for the key to be allowed. */
#define WHERE_FILE (1U << 0)
#define WHERE_DENY (1U << 1)
#define WHERE_SPEAKS (1U << 2) /* a rule that refuses or records: deny and audit */
#define WHERE_ORIGIN (1U << 3) /* a rule that can ask where a file came from */

struct key_spec {
	const char *name;
	enum key_type type;
	const char *expected; /* what the value should be */
	/* value has the right type */
	void (*parse)(struct parse *p, const struct node *key, const struct node *value,
		      void *object);
	unsigned where;
	const char *elsewhere; /* where it would be allowed, if `where` is set */
};

struct schema {
	const struct key_spec *keys;
	size_t n_keys;
};

/* Check every pair of a mapping and hand it to its handler. */
void schema_parse(struct parse *p, const struct schema *schema, unsigned context,
		  const struct node *mapping, void *object);
/* Is this node the text of one line (an element of a list, say)? Reports if not. what: "`path`". */
bool schema_check_line(struct parse *p, const struct node *value, const char *what,
		       const char *expected);
/* A stretch inside a scalar, as exact as its quoting allows. */
struct span node_span(const struct parse *p, const struct node *n, size_t offset, size_t len);
/* Index of a word in a list. Return: -1, reported ("unknown mode `x`; did you mean ..."). */
int schema_find_word(struct parse *p, const struct node *value, const char *what,
		     const char *const *words, size_t n_words);
/* Copy of a scalar, NULL (sticky error) without memory. */
char *node_copy(struct parse *p, const struct node *n);
/* Make room for one more element. Return: false (sticky error) without memory. */
bool array_reserve(struct parse *p, void **array, size_t *size, size_t n, size_t element);

/* One rule under construction. */
struct rule_draft {
	struct policy_rule rule;
	const struct node *path, *except, *enforce_after, *expires;
	struct span path_span;
	bool severity_given;
	bool failed; /* something of it was reported: it is not added */
};

/* rule.c: the elements of `allow:`, `deny:`, `audit:` and `libraries:`. */
void parse_rules(struct parse *p, enum policy_rule_kind kind, const struct node *list);
void parse_rule(struct parse *p, enum policy_rule_kind kind, const struct node *item);
/* Add the rule of a `default: deny`. */
void parse_default_rule(struct parse *p, enum policy_rule_kind kind, const struct node *at);
/* Warn of a path that a merged /usr makes name nothing. */
void warn_merged_usr(struct parse *p, const struct policy_path *path, struct span at);

/* limits.c: handlers of keys of a rule; object is the draft. */
void rule_action(struct parse *p, const struct node *key, const struct node *value, void *object);
void rule_origin(struct parse *p, const struct node *key, const struct node *value, void *object);
void rule_tags(struct parse *p, const struct node *key, const struct node *value, void *object);
void rule_unless(struct parse *p, const struct node *key, const struct node *value, void *object);
void rule_enforce_after(struct parse *p, const struct node *key, const struct node *value,
			void *object);
void rule_expires(struct parse *p, const struct node *key, const struct node *value, void *object);
/* When all keys were read. */
void check_limits(struct parse *p, struct rule_draft *d);

/* when.c. Return: 0; -EINVAL: it is no moment. */
int when_parse(const char *text, int64_t *ret);

/* selector.c: one entry of `match:`. */
void parse_match_entry(struct parse *p, const struct node *item);

/* switches.c */
void init_switches(struct policy *policy);
/* The value of a switch (`anonymous`, a line of `kernel:`). */
void parse_switch(struct parse *p, const struct node *key, const struct node *value,
		  struct policy_rule *rule);
void parse_kernel(struct parse *p, const struct node *key, const struct node *value, void *object);
void parse_record(struct parse *p, const struct node *key, const struct node *value, void *object);
/* When the whole document was read. */
void locate_switches(struct policy *policy);

/* The path pattern of a scalar. Return: false, reported. */
bool parse_path(struct parse *p, const struct node *value, const char *what, size_t depth_max,
		struct policy_path *ret_path);

/* check.c: duplicates and rules that can never decide anything. */
void check_rules(struct parse *p);

/* policy.c */
void policy_rule_deinit(struct policy_rule *rule);
void policy_match_deinit(struct policy_match *match);
struct policy *policy_free(struct policy *policy); /* NULL is fine; returns NULL */
DEFINE_CLEANUP(struct policy *, policy_freep, policy_free)
DEFINE_CLEANUP(struct policy_file *, policy_file_unrefp, policy_file_unref)
/* Give every rule its id. Return: 0 or -ENOMEM. */
int policy_number_rules(struct policy *policy);
