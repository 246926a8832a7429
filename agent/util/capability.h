/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Privileges that are needed for a while. */

/* Give up a capability (CAP_*) of this thread, and of those that it starts afterwards. Return: 0 (also when it did not
 * have it), -EINVAL, or capset(2)'s errno. */
int capability_drop(unsigned capability);
