/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The text of a policy file while it is read: places in it, and reports about them. Private to the
 * room. A place is a byte offset; offset len is the end of the text.
 */

#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"
#include "util/cleanup.h"

struct policy_text {
	const char *path; /* borrowed, as data */
	const char *data;
	size_t len;
	uint32_t *lines; /* offset of the start of each line */
	size_t n_lines;
	struct diag_list *diags; /* borrowed */
	int error;		 /* sticky -ENOMEM of a report that could not be made */
};

/* A stretch of the text, end exclusive. */
struct span {
	uint32_t start;
	uint32_t end;
};

/* Check the bytes (size, UTF-8, characters YAML or a terminal would take amiss) and find the lines.
 * Return: 0; POLICY_E_INVALID, reported; -ENOMEM. deinit in every case. */
int policy_text_init(struct policy_text *t, const char *path, const void *data, size_t len,
		     struct diag_list *diags);
void policy_text_deinit(struct policy_text *t);

/* Return: line and column, from 1, of a byte of the text, or of its end. */
struct policy_location policy_text_locate(const struct policy_text *t, size_t offset);

/* One diagnostic under the given stretch (cut at the end of its first line). expected may be NULL.
 */
_printf_(4, 5) void policy_text_error(struct policy_text *t, struct span at, const char *expected,
				      const char *format, ...);
_printf_(4, 5) void policy_text_warn(struct policy_text *t, struct span at, const char *expected,
				     const char *format, ...);

/* Text of the file inside a message: at most 64 bytes, "..." behind what was cut, NUL shown as its
 * symbol. */
struct quote {
	char text[80];
};
struct quote quote_text(const char *s, size_t len);
/* The word of a list that s is most likely a slip of, NULL: none is close. */
const char *word_suggest(const char *s, size_t len, const char *const *words, size_t n_words);
