/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Long output through a pager, as journalctl does it: $SYSTEMD_PAGER, $PAGER, less, more. */

#include <stdbool.h>
#include <sys/types.h>

struct pager {
	pid_t pid; /* 0: none */
	int out;   /* the terminal that was standard output, owned while the pager runs */
};

/* Put a pager behind standard output, if that is a terminal and nobody said no (no_pager, "cat" or
 * "" in the environment). Ask for colours and the terminal's width before. Return: 0, also without
 * a pager; negative errno only if standard output is not what it was. */
int pager_open(struct pager *pager, bool no_pager);
/* Let the pager show the rest and wait until the user leaves it; standard output is the terminal
 * again. */
void pager_close(struct pager *pager);

/* The terminal's width ($COLUMNS, else what the terminal says); 0: standard output is no terminal.
 */
unsigned terminal_width(void);
