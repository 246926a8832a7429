/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * One YAML document as a small tree, private to the room. Its size is bounded by POLICY_EVENTS_MAX
 * and POLICY_FILE_MAX, its depth by POLICY_DEPTH_MAX. All nodes live in one arena and go with it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/text.h"

enum node_kind {
	NODE_SCALAR,
	NODE_LIST,
	NODE_MAPPING,
	NODE_BAD, /* already reported; nobody looks at it */
	_NODE_KIND_MAX,
};

struct node {
	enum node_kind kind;
	bool plain; /* scalar written without quotes */
	bool bad;   /* a key that was already reported: the pair is passed over */
	bool full;  /* mapping that has too many keys: the rest was passed over */
	struct span at;
	const char *text; /* scalar, terminated */
	uint32_t len;
	uint32_t n;			  /* children; of a mapping keys and values together */
	struct node *first, *last, *next; /* children of a mapping: key, value, key, value */
};

struct arena;
struct arena *arena_new(void);
struct arena *arena_free(struct arena *a); /* NULL is fine; returns NULL */
/* Forget everything taken; the memory is used again. */
void arena_reset(struct arena *a);
/* Zeroed memory, aligned for a struct node. Return: NULL without memory. */
void *arena_take(struct arena *a, size_t size);
DEFINE_CLEANUP(struct arena *, arena_freep, arena_free)

/* Reads a text as a stream of documents. */
struct yaml_stream;
int yaml_stream_new(struct policy_text *text, struct yaml_stream **ret);
struct yaml_stream *yaml_stream_free(struct yaml_stream *s);
DEFINE_CLEANUP(struct yaml_stream *, yaml_stream_freep, yaml_stream_free)
/* The next document. *ret_root may be NULL and *ret_partial true where reading had to stop inside
 * it: then something is missing at its end, the reason is reported, and it is the last one. Return:
 * 1, 0 at the end of the text, -ENOMEM. */
int yaml_stream_next(struct yaml_stream *s, struct arena *arena, struct node **ret_root,
		     bool *ret_partial);

/* "a list", "text", ... for a message. */
const char *node_describe(const struct node *n);
/* What a plain scalar means to YAML if not text: "a boolean", "null", "a number", "a date"; NULL:
 * it is text. */
const char *scalar_mistaken_for(const char *s, size_t len);
