/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* One policy -> one profile; all policies -> the cgroup matcher. */

#include <stddef.h>
#include <stdint.h>

#include "compile/automaton.h"

/* Return: 0, ret->pairs, ->n_pairs and ->digest are set; IMAGE_E_INVALID with diagnostics; negative
 * errno. */
int profile_compile(const struct policy *policy, int64_t now, struct emit *e,
		    struct diag_list *diags, struct image_profile *ret);

/* ids[i]: of the profile of policies[i]. Return: as above. */
int matcher_compile(const struct policy *const *policies, const uint32_t *ids, size_t n_policies,
		    struct emit *e, struct diag_list *diags, struct image_profile *ret);
