/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Hooks that some kernels lack, and what cannot be refused there. Inside the host room only. */

#include <stddef.h>

#include "host/btf.h"
#include "util/strbuf.h"

#define HOST_HOOKS_MAX 8U

/* The names to look for. Return: their number, HOST_HOOKS_MAX at most. */
size_t hooks_names(struct btf_name *ret);
/* Say which are missing, and the lines of `kernel:` that need them. Return: number of missing hooks. */
size_t hooks_tell(const struct btf_name *names, struct strbuf *finding);
