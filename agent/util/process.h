/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* When a process began, in ticks since boot: with its number, what it is told by in one boot. Return: 0, -errno; -EBADMSG /proc does not
 * tell it as it is known. */
int process_start(int pid, unsigned long long *ret);
