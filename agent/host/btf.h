/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Which names the kernel's own types know. Inside the host room only. */

#include <stdbool.h>
#include <stddef.h>

struct btf_name {
	const char *name; /* a whole string of the string section, at most 62 bytes */
	bool found;
};

/* Look for names in a BTF file, without holding it in memory (a vmlinux has some 5 MiB).
 * Return: 0 with ->found set; -EBADMSG not BTF; errors of reading. */
int btf_find_names(const char *path, struct btf_name *names, size_t n);
