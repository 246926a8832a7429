/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Between a test and the agent that it makes fail: a file that both have mapped. It is there before
 * the agent starts; HAETAE_FAULT names it.
 *
 * A place is where in the code a call of bpf(2) is made: a hash of the stack.
 */

#include <stdatomic.h>
#include <stdint.h>

#define FAULT_PLACES 4096U
#define FAULT_KILL UINT32_MAX /* as an error: the process ends */

struct fault {
	_Atomic uint32_t place;		       /* that fails; 0: any */
	_Atomic uint32_t at;		       /* the number of its call that fails; 0: none does */
	_Atomic uint32_t many;		       /* and so many of all calls from there on */
	_Atomic uint32_t error;		       /* errno */
	_Atomic uint32_t calls;		       /* of bpf(2) since the fault was armed */
	_Atomic uint32_t met;		       /* of them at the place */
	_Atomic uint32_t hits;		       /* calls that failed */
	_Atomic uint32_t places[FAULT_PLACES]; /* of the first calls */
	_Atomic uint32_t thread;	       /* the number of the thread that cannot be had; 0: none */
	_Atomic uint32_t threads;	       /* asked for since then */
	_Atomic uint32_t thread_hits;	       /* of them could not be had */
};
