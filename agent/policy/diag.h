/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Diagnostics: what a human must fix, collected and reported all at once.
 *
 * Owned by whoever reads policies; the list owns every text in it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "util/cleanup.h"

enum diag_severity {
	DIAG_ERROR,
	DIAG_WARNING,
	_DIAG_SEVERITY_MAX,
};

struct diag {
	char *file;	 /* path as the user knows it */
	uint32_t line;	 /* from 1; 0: the file as a whole */
	uint32_t column; /* from 1, in bytes; 0: the line as a whole */
	uint32_t width;	 /* bytes to underline, 0: only a caret */
	enum diag_severity severity;
	char *text;	/* what is wrong */
	char *expected; /* what was expected, NULL: text says it */
	char *source;	/* the offending line, raw bytes without its end, NULL: not available or
			   longer than DIAG_SOURCE_MAX */
};

struct diag_list {
	struct diag *items;
	size_t n;
	size_t n_errors;
	size_t n_warnings; /* of those in items */
	bool overflow; /* more than DIAG_MAX: the rest was dropped, n_errors still counts them */
};

/* A file with more errors than this is noise; the count goes on. A full list gives up its last
 * warning for an error, so that warnings never hide one. */
#define DIAG_MAX 200U
/* Longer lines are not kept: 200 diagnostics of a line of 1 MiB would be 200 MiB. */
#define DIAG_SOURCE_MAX 1024U

/* One diagnostic. text and expected are printf-formatted by the caller and copied here.
 * Return: 0, or -ENOMEM (the error count moves even then, so a failure never looks like success).
 */
int diag_add(struct diag_list *list, const struct diag *diag);
/* Would a diagnostic of this severity find no room? Then it is counted, and need not be made. */
bool diag_list_skip(struct diag_list *list, enum diag_severity severity);
/* One diagnostic about a file as a whole. expected may be NULL. Return: as diag_add(). */
_printf_(5, 6) int diag_add_file(struct diag_list *list, enum diag_severity severity,
				 const char *file, const char *expected, const char *format, ...);
/* Put the diagnostics from index `from` on into the order of their lines and columns (stable). */
void diag_list_sort(struct diag_list *list, size_t from);
/* Move everything of `other` to the end of list; `other` is empty afterwards.
 * Return: 0, or -ENOMEM (the counts move even then). */
int diag_list_move(struct diag_list *list, struct diag_list *other);

/* Print "file:line:column: error: text; expected ..." with the line and a caret below (^~~~ over
 * width), control characters escaped, tabs expanded. color: use terminal colours. */
void diag_print(const struct diag *diag, FILE *out, bool color);
void diag_list_print(const struct diag_list *list, FILE *out, bool color);

/* Free everything; the list is empty and usable afterwards. NULL is fine. */
void diag_list_deinit(struct diag_list *list);
