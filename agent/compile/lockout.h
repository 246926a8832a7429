/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Policies that would lock their author out: ones that refuse something to systemd, to a container runtime before it has
 * entered a container, or to Haetae itself. A container can be disarmed and a file rolled back only as long as these run.
 */

#include "policy/policy.h"

/* Report every entry of `match:` that selects what must not be refused anything: an error if the policy refuses, a
 * warning if it only records and would refuse when it is enforced. own_cgroup: where the agent itself runs, NULL:
 * only what is known of every host. Return: 0, also if there are errors (the list counts them); -ENOMEM. */
int lockout_check(const struct policy *const *policies, size_t n_policies, const char *own_cgroup,
		  struct diag_list *diags);
