/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The policy files as they were last put in force, on disk: so that "a broken file keeps its last good
 * version" also holds over a crash, a restart and a boot.
 *
 * STATE_DIR/policies.json, replaced as a whole: a list of {"path", "masked", "text"}.
 */

#include "policy/policy.h"

/* Return: 0; -ENOENT nothing was kept; -EINVAL it cannot be read; -ENOMEM; other negative errno. */
int last_good_load(const char *state_dir, struct policy_set **ret);
/* except: name of a file that is left out, because it is on trial; NULL: none.
 * Return: 0, or negative errno (the former version stays). */
int last_good_save(const char *state_dir, const struct policy_set *set, const char *except);
