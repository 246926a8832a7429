/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* One value out of a Bolt database, which is where podman before 5 keeps its containers. */

#include <stddef.h>

/* data: the whole file. keys: names of buckets, one in the other, and the key at last. *ret_value points into data.
 * Return: 0; -ENOENT it is not there; -EBADMSG that is no such database, or a damaged one. */
int bolt_find(const void *data, size_t len, const char *const *keys, size_t n_keys, const void **ret_value,
	      size_t *ret_len);
