/* SPDX-License-Identifier: Apache-2.0 */

#include "kernel/ring.h"

#include <errno.h>
#include <linux/bpf.h>
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

/* A record that begins in the last page of the window goes on behind it. */
#define WINDOW_SLACK (8U << 10)

static void *pages_map(const struct ring *ring, size_t len, int protection, size_t offset)
{
	return mmap(NULL, len, protection, MAP_SHARED, ring->fd, (off_t)offset);
}

/* Show the data from that byte on. Beside what is shown until then, not in its place: a mapping that fails there can leave the
 * place to whoever maps next. Return: 0, -errno: what was shown still is. */
static int window_move(struct ring *ring, size_t offset)
{
	size_t at = offset & ~(ring->page - 1);
	size_t len = ring->size < RING_WINDOW + WINDOW_SLACK ? ring->size : RING_WINDOW + WINDOW_SLACK;
	void *window = pages_map(ring, len, PROT_READ, 2 * ring->page + at);

	if (window == MAP_FAILED)
		return -errno;
	if (ring->window)
		(void)munmap(ring->window, ring->window_len);
	ring->window = window;
	ring->window_at = at;
	ring->window_len = len;
	return 0;
}

static bool window_has(const struct ring *ring, size_t offset, size_t len)
{
	return offset >= ring->window_at && offset - ring->window_at + len <= ring->window_len;
}

int ring_open(struct ring *ring, int fd, size_t size)
{
	long page = sysconf(_SC_PAGESIZE);
	void *map;
	int r;

	*ring = (struct ring){.fd = fd, .page = (size_t)page, .size = size};
	if (page <= 0 || size < ring->page || size & (size - 1))
		return -EINVAL;
	map = pages_map(ring, ring->page, PROT_READ | PROT_WRITE, 0);
	if (map == MAP_FAILED)
		return -errno;
	ring->consumer = map;
	map = pages_map(ring, ring->page, PROT_READ, ring->page);
	if (map == MAP_FAILED) {
		r = -errno;
		ring_close(ring);
		return r;
	}
	ring->producer = map;
	r = window_move(ring, *ring->consumer & (size - 1));
	if (r < 0)
		ring_close(ring);
	return r;
}

void ring_close(struct ring *ring)
{
	if (ring->consumer)
		(void)munmap(ring->consumer, ring->page);
	if (ring->producer)
		(void)munmap((void *)ring->producer, ring->page);
	if (ring->window)
		(void)munmap(ring->window, ring->window_len);
	*ring = (struct ring){};
}

/* The record at a position. Return: 1: it is whole, *ret is its length with the bit of one that was given up; 0: it is
 * still being written; -EBADMSG, other negative errno. */
static int record_at(struct ring *ring, uint64_t position, const uint8_t **ret_record, uint32_t *ret)
{
	size_t offset = position & (ring->size - 1), whole;
	uint32_t len;
	int r = window_has(ring, offset, BPF_RINGBUF_HDR_SZ) ? 0 : window_move(ring, offset);

	if (r < 0)
		return r;
	len = __atomic_load_n((const uint32_t *)(ring->window + (offset - ring->window_at)),
			      __ATOMIC_ACQUIRE);
	if (len & BPF_RINGBUF_BUSY_BIT)
		return 0;
	whole = BPF_RINGBUF_HDR_SZ + (size_t)(len & ~BPF_RINGBUF_DISCARD_BIT);
	if (!window_has(ring, offset, whole)) {
		r = window_move(ring, offset);
		if (r < 0)
			return r;
		if (!window_has(ring, offset, whole))
			return -EBADMSG;
	}
	*ret_record = ring->window + (offset - ring->window_at) + BPF_RINGBUF_HDR_SZ;
	*ret = len;
	return 1;
}

int ring_read(struct ring *ring, size_t max,
	      void (*each)(const void *record, size_t size, void *userdata), void *userdata)
{
	uint64_t position = *ring->consumer;
	size_t n = 0;

	/* the writers' position is read anew each time: whoever saw a reader that had not caught up wakes nobody */
	while (n < max && position < __atomic_load_n(ring->producer, __ATOMIC_ACQUIRE)) {
		const uint8_t *record = NULL;
		uint32_t len = 0;
		int r = record_at(ring, position, &record, &len);

		if (r < 0)
			return r;
		if (r == 0)
			break;
		if (!(len & BPF_RINGBUF_DISCARD_BIT)) {
			each(record, len, userdata);
			n++;
		}
		len &= ~BPF_RINGBUF_DISCARD_BIT;
		position += BPF_RINGBUF_HDR_SZ + ((len + 7ULL) & ~7ULL);
		__atomic_store_n(ring->consumer, position, __ATOMIC_RELEASE);
	}
	return (int)n;
}
