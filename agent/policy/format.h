/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The canonical form of a policy file: two blanks for each level, one form for each scalar, lists and
 * mappings in one line where their author wrote them so and they fit, comments and single blank lines
 * where they were. The order of keys and rules is the author's. Formatting twice changes nothing more.
 */

#include <stddef.h>
#include <stdint.h>

#include "policy/policy.h"

/* All documents of the file. */
#define POLICY_FORMAT_ALL 0U

/* The text could not be written anew without losing something. */
#define POLICY_E_UNFORMATTED 2

/* Write a text anew. line: the one document that holds this line, or POLICY_FORMAT_ALL. The outcome is
 * read again and compared: the same values and the same comments in the same order, or it is not returned.
 * Return: 0, *ret_text is terminated, free() it; POLICY_E_INVALID, diags tells what is no YAML of a policy
 * (what the keys mean is not looked at); POLICY_E_UNFORMATTED; -ENOENT: no such line; -ENOMEM. */
int policy_format(const char *path, const void *text, size_t len, uint32_t line,
		  struct diag_list *diags, char **ret_text);
