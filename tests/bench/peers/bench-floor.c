/* SPDX-License-Identifier: Apache-2.0 */

/*
 * bench-floor: attaches the programs of floor.bpf.c, says "attached", and takes them off again when
 * it is ended.
 */

#include <stdio.h>
#include <unistd.h>

#include "floor.skel.h"

int main(void)
{
	struct floor_bpf *floor = floor_bpf__open_and_load();

	if (!floor || floor_bpf__attach(floor) < 0) {
		perror("bench-floor");
		floor_bpf__destroy(floor);
		return 1;
	}
	(void)puts("attached");
	(void)fflush(stdout);
	for (;;)
		(void)pause();
}
