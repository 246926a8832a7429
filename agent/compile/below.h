/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* What is refused below a place (ht_entry.below, HT_RULE_BELOW). */

#include <stddef.h>

#include "compile/image.h"

#define BELOW_E_FULL 1

/* Fill it in over the sorted pairs of one automaton, which grow by a rule for each state above something refused and
 * are sorted again. The array is reallocated. Return: 0; BELOW_E_FULL more than `max` pairs; -EINVAL no defaults among
 * the pairs; -ENOMEM. In every case *pairs is what to free. */
int below_mark(struct image_pair **pairs, size_t *n_pairs, size_t max);
