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
	char *text;    /* what is wrong */
	char *expected; /* what was expected, NULL: text says it */
	char *source;  /* the offending line, raw bytes without its end, NULL: not available */
};

struct diag_list {
	struct diag *items;
	size_t n;
	size_t n_errors;
	bool overflow; /* more than DIAG_MAX: the rest was dropped, n_errors still counts them */
};

/* A file with more errors than this is noise; the count goes on. */
#define DIAG_MAX 200U

/* One diagnostic. text and expected are printf-formatted by the caller and copied here.
 * Return: 0, or -ENOMEM (the error count moves even then, so a failure never looks like success). */
int diag_add(struct diag_list *list, const struct diag *diag);

/* Print "file:line:column: error: text; expected ..." with the line and a caret below, control
 * characters escaped. color: use terminal colours. */
void diag_print(const struct diag *diag, FILE *out, bool color);
void diag_list_print(const struct diag_list *list, FILE *out, bool color);

/* Free everything; the list is empty and usable afterwards. NULL is fine. */
void diag_list_deinit(struct diag_list *list);
