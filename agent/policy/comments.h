/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What YAML's parser does not tell: where the comments and the markers of the documents stand. Found by
 * looking at the bytes between the scalars. Private to the room.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "policy/node.h"
#include "policy/text.h"

struct comment {
	uint32_t at;   /* of the # */
	uint32_t len;  /* without blanks at its end */
	uint32_t line;
	uint32_t column;
	bool own_line; /* nothing but blanks before it */
};

struct comments {
	const struct policy_text *text;
	struct comment *items; /* in order of the text */
	size_t n, size;
	uint32_t *markers; /* offsets of the lines that begin with --- */
	size_t n_markers, markers_size;
	struct span *scalars; /* in order of the text, while it is looked at */
	size_t n_scalars, scalars_size;
};

/* Note the scalars below a node. Return: 0 or -ENOMEM. */
int comments_note(struct comments *c, const struct node *n);
/* Find the comments between the scalars noted. Return: 0 or -ENOMEM. */
int comments_find(struct comments *c, const struct policy_text *text);
void comments_deinit(struct comments *c);
