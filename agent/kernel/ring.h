/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Reading a BPF ring buffer, of which a part at a time is mapped: every mapped page of a ring counts as the agent's memory,
 * twice, as the kernel shows its data two times in a row.
 *
 * What is in a ring as userspace sees it: a page with the reader's position, a page with the writers', the data twice.
 * A record is a word of its length with two bits of state, a word that is the kernel's, and the bytes, up to a multiple of eight.
 */

#include <stddef.h>
#include <stdint.h>

/* Bytes of data that are mapped at a time. The largest record is far smaller. */
#define RING_WINDOW (128U << 10)

struct ring {
	int fd; /* of the map, borrowed */
	size_t page;
	size_t size; /* of the data, a power of two */
	uint64_t *consumer;
	const uint64_t *producer;
	uint8_t *window;
	size_t window_len;
	size_t window_at; /* which part of the data it shows */
};

/* fd: of the map, which stays the caller's and open as long as the ring; size: of the data. Return: 0; -EINVAL: no such size;
 * other negative errno: a part cannot be mapped. After an error there is nothing to close. */
int ring_open(struct ring *ring, int fd, size_t size);
void ring_close(struct ring *ring); /* one that was never opened, too, if it is all zeroes */
/* Hand records to `each` until there is none, or `max` were handed over. The bytes are valid during the call only; a record is
 * let go of after it. Return: number of records; -EBADMSG: a record is damaged, and stays the next; other negative errno: what comes
 * next cannot be mapped now. What was handed over before an error is let go of. */
int ring_read(struct ring *ring, size_t max,
	      void (*each)(const void *record, size_t size, void *userdata), void *userdata);
