/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * From a list of path patterns to the pairs of one automaton, in three steps:
 *
 *   input      patterns as sequences of interned components (input.c)
 *   automaton  subset construction: every set of patterns that can be under way together
 * (automaton.c) reduce     states that behave alike become one, edges that say nothing new go
 * (reduce.c) emit       numbered states as {ht_edge_key, ht_entry}, in the order of the keys
 * (emit.c)
 *
 * What a set of matched patterns means is not known here: the caller's judge turns it into a
 * verdict. Everything is deterministic: numbers follow the order of the input, never an address or
 * a hash.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "abi.h"
#include "compile/image.h"
#include "compile/intern.h"
#include "compile/pattern.h"
#include "compile/verdict.h"

#define AUTOMATON_NONE UINT32_MAX

/* ---- input ---- */

struct input_pattern {
	uint32_t first; /* components: sequence[first], n of them */
	uint32_t n;
	uint32_t also; /* second wildcard the last component must match, or AUTOMATON_NONE */
	uint32_t loop; /* after the components: this component at any depth, or AUTOMATON_NONE */
	bool subtree;  /* after the components: the directory and everything below */
	const struct policy *policy; /* where it was written */
	struct policy_location location;
};

struct input {
	struct intern components; /* canonical texts */
	uint8_t *kinds;		  /* enum component_kind of each */
	size_t kinds_size;
	uint32_t *sequence;
	size_t n_sequence;
	size_t sequence_size;
	struct input_pattern *patterns;
	size_t n_patterns;
	size_t patterns_size;
	struct diag_list *diags; /* borrowed */
	const char *subject;	 /* of a diagnostic about the whole: "policy" */
	const char *remedy;	 /* what makes the whole smaller */
};

/* A component as it stands in a policy's text. */
struct input_text {
	const char *text;
	size_t len;
};

#define INPUT_TEXTS_MAX (HT_RULE_DEPTH_MAX + 2U)

/* Cut a path at its slashes. texts: room for INPUT_TEXTS_MAX. Return: number of components of the
 * whole path, which can be larger than what was stored. */
size_t input_split(const char *path, struct input_text *texts);

/* One pattern to add. */
struct input_spec {
	const struct input_text *texts;
	size_t n_texts;
	size_t depth_max; /* more components than this are refused */
	bool subtree;
	const char *loop; /* NULL: none */
	const char *also; /* NULL: none; needs n_texts > 0 */
	const struct policy *policy;
	struct policy_location location;
};

/* Return: 0, *ret_pattern is its number; IMAGE_E_INVALID with a diagnostic; INPUT_NEVER if no name
 * can match both the last component and `also`, nothing was added; -ENOMEM. */
#define INPUT_NEVER 2
int input_add(struct input *in, const struct input_spec *spec, uint32_t *ret_pattern);
struct component input_component(const struct input *in, uint32_t id);
void input_deinit(struct input *in);

/* One error that names the place of a rule. Return: IMAGE_E_INVALID, -ENOMEM. */
_printf_(4, 5) int input_error(struct diag_list *diags, const struct policy *policy,
			       struct policy_location location, const char *format, ...);

/* ---- automaton ---- */

/* What a state says. matched: numbers of the patterns that match here, rising. verdict: all zero.
 * binds: room for n ids. Must depend on its arguments alone. Return: 0; IMAGE_E_INVALID with a
 * diagnostic; -ENOMEM. */
typedef int (*automaton_judge)(const void *userdata, const uint32_t *matched, size_t n,
			       struct automaton_verdict *verdict, uint32_t *binds,
			       size_t *ret_n_binds);

struct automaton_edge {
	uint32_t label;	 /* component id, or the mask of wildcards */
	uint32_t mask;	 /* of a name: the wildcards that match it too */
	uint32_t target; /* state; after automaton_reduce(): class */
};

/* What can still happen: a set of patterns under way. A state is a node with a verdict; nodes are
 * numbered breadth first, so a node with a depth leads to greater depths only. */
struct automaton_node {
	uint32_t depth;	   /* AUTOMATON_NONE: no pattern waits for one certain component */
	bool loop;	   /* patterns wait for a component at any depth */
	uint32_t constant; /* without depth and loop: the verdict of everything below */
	size_t first_edge; /* names by component id, then masks rising */
	uint32_t n_names;
	uint32_t n_masks;
	size_t first_glob; /* component ids of its wildcards, rising */
	uint32_t n_globs;
	uint32_t other; /* target of any other component */
	uint32_t class; /* after automaton_reduce(): equal for nodes that behave alike */
};

struct automaton {
	const struct input *input; /* borrowed */
	automaton_judge judge;
	const void *userdata;

	struct intern sets;	/* of items, each a node */
	struct intern verdicts; /* encoded; number 0: nothing matched */
	struct intern states;	/* struct automaton_state */
	struct automaton_node *nodes;
	size_t nodes_size;
	struct automaton_edge *edges;
	size_t n_edges;
	size_t edges_size;
	uint32_t *globs;
	size_t n_globs;
	size_t globs_size;
	uint32_t start; /* state; after automaton_reduce(): class */
	struct intern
		classes; /* of states: struct automaton_state with the node's class; 0: OTHER */
};

struct automaton_state {
	uint32_t node;
	uint32_t verdict;
};

/* Class of a node below which nothing changes any more: this bit and the number of the verdict. */
#define AUTOMATON_CONSTANT (1U << 31)

/* Return: 0; IMAGE_E_INVALID with a diagnostic: a limit; -ENOMEM. */
int automaton_build(struct automaton *a, const struct input *input, automaton_judge judge,
		    const void *userdata);
int automaton_reduce(struct automaton *a);
/* Number of the class of a state. Return: 0, -ENOMEM. */
int automaton_class(struct automaton *a, uint32_t node_class, uint32_t verdict,
		    uint32_t *ret_class);
void automaton_deinit(struct automaton *a);

/* ---- emit ---- */

/* Where pairs go; globs are shared by all automata of an image. */
struct emit {
	struct image_names *names; /* borrowed */
	const struct ht_hash_key *key;
	/* emit_hash(), or a worse one in a test of collisions */
	uint64_t (*hash)(const struct ht_hash_key *key, const void *name, size_t len);
	struct intern glob_ids; /* already in globs */
	struct image_glob *globs;
	size_t n_globs;
	size_t globs_size;
};

/* The hash of the kernel half, for struct emit. */
static inline uint64_t emit_hash(const struct ht_hash_key *key, const void *name, size_t len)
{
	return ht_hash_name(key, name, len);
}

/* What a profile says besides its automaton. */
struct emit_extra {
	uint32_t flags; /* of the HEADER */
	struct automaton_verdict anonymous;
	struct automaton_verdict writable; /* nothing set: no entry */
	struct automaton_verdict kernel;   /* bits are lines */
	const struct emit_uid *uids;	   /* by rising uid */
	size_t n_uids;
};

/* The uid conditions that a user meets. */
struct emit_uid {
	uint32_t uid;
	uint64_t mask;
};

/* Write a reduced automaton. extra: NULL for the matcher.
 * Return: 0, ret->pairs, ->n_pairs and ->digest are set; IMAGE_E_INVALID with a diagnostic;
 * -ENOMEM; -EOVERFLOW (ids of wildcards are used up). */
int emit_automaton(struct emit *e, struct automaton *a, const struct emit_extra *extra,
		   struct image_profile *ret);
void emit_deinit(struct emit *e);
