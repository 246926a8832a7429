/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Is every move of a name seen to? The short way of the memo (bpf-lsm/memo.bpf.h) rests on programs in a function that
 * is the kernel's own affair: some kernel may have none of that name, or several copies of it. So it is not believed before
 * moves of both kinds were seen to be counted; until then every answer is looked for the long way.
 */

#include "kernel/internal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define PLACE_A "moves-a"
#define PLACE_B "moves-b"
#define PLACE_C "moves-c"

/* Return: 1 each move was counted, 0 one was not, -errno. */
static int moves_try(int dir_fd, const volatile struct ht_moves *moves)
{
	uint64_t before = moves->trees, renamed;

	if (mkdirat(dir_fd, PLACE_A, 0700) < 0 || mkdirat(dir_fd, PLACE_B, 0700) < 0 ||
	    renameat(dir_fd, PLACE_A, dir_fd, PLACE_C) < 0)
		return -errno;
	renamed = moves->trees;
	if (renamed == before)
		return 0;
	if (renameat2(dir_fd, PLACE_B, dir_fd, PLACE_C, RENAME_EXCHANGE) < 0)
		return -errno;
	return moves->trees != renamed && moves->moving == 0;
}

bool kernel_moves_seen(struct kernel *k)
{
	static const char *const places[] = { PLACE_A, PLACE_B, PLACE_C };
	const struct ht_shared *shared = kernel_shared(k);
	int r;

	if (!shared)
		return false;
	for (unsigned i = 0; i < 3; i++) /* of a start that was cut short */
		(void)unlinkat(k->pin_fd, places[i], AT_REMOVEDIR);
	r = moves_try(k->pin_fd, &shared->moves);
	for (unsigned i = 0; i < 3; i++)
		(void)unlinkat(k->pin_fd, places[i], AT_REMOVEDIR);
	return r > 0;
}
