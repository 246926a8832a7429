/* SPDX-License-Identifier: Apache-2.0 */

/* A ring of which a part is mapped: every record once, wherever it lies; nothing that is not whole. A file in memory with the
 * layout of a ring stands in for one; its data does not repeat by itself, so a record that goes over the end is written twice. */

#include "kernel-test.h"

#include <linux/bpf.h>
#include <sys/mman.h>

#include "tests/unit/runner.h"

#define SIZE (512U << 10)
#define SEEN_MAX 4096

struct file {
	int fd;
	size_t page;
	uint8_t *map; /* of all of it */
};

static struct file file_new(void)
{
	struct file f = {.fd = memfd_create("ring", MFD_CLOEXEC), .page = (size_t)sysconf(_SC_PAGESIZE)};

	ck_assert_int_ge(f.fd, 0);
	ck_assert_int_eq(ftruncate(f.fd, (off_t)(2 * f.page + 2 * SIZE)), 0);
	f.map = mmap(NULL, 2 * f.page + 2 * SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, f.fd, 0);
	ck_assert_ptr_ne(f.map, MAP_FAILED);
	return f;
}

static void file_free(struct file *f)
{
	ck_assert_int_eq(munmap(f->map, 2 * f->page + 2 * SIZE), 0);
	ck_assert_int_eq(close(f->fd), 0);
}

static uint64_t *consumer(struct file *f)
{
	return (uint64_t *)f->map;
}

static uint64_t *producer(struct file *f)
{
	return (uint64_t *)(f->map + f->page);
}

/* Append a record of so many bytes, each of the same value. */
static void file_put(struct file *f, uint32_t len, uint32_t bits, uint8_t value)
{
	size_t at = *producer(f) & (SIZE - 1), whole = BPF_RINGBUF_HDR_SZ + ((len + 7U) & ~7U);
	uint8_t *data = f->map + 2 * f->page;
	uint32_t word = len | bits;

	ck_assert_uint_le(*producer(f) + whole - *consumer(f), SIZE);
	memcpy(data + at, &word, sizeof(word));
	memset(data + at + BPF_RINGBUF_HDR_SZ, value, len);
	for (size_t i = at; i < at + whole; i++)
		if (i >= SIZE)
			data[i - SIZE] = data[i];
	*producer(f) += whole;
}

struct seen {
	size_t n;
	size_t sizes[SEEN_MAX];
	uint8_t values[SEEN_MAX];
};

static void see(const void *record, size_t size, void *userdata)
{
	struct seen *seen = userdata;
	const uint8_t *bytes = record;

	ck_assert_uint_lt(seen->n, SEEN_MAX);
	ck_assert(size == 1 || memcmp(bytes, bytes + 1, size - 1) == 0);
	seen->sizes[seen->n] = size;
	seen->values[seen->n++] = bytes[0];
}

static struct ring ring_of(struct file *f)
{
	struct ring ring;

	ck_assert_int_eq(ring_open(&ring, f->fd, SIZE), 0);
	return ring;
}

/* Several times around, in records of all lengths, read in parts. */
START_TEST(test_around)
{
	struct file f = file_new();
	struct ring ring = ring_of(&f);

	for (unsigned turn = 0; turn < 60; turn++) {
		struct seen seen = {};
		unsigned n = 0;

		for (uint32_t len = 1 + turn; n < 40; len += 97 + turn, n++)
			file_put(&f, len, 0, (uint8_t)(turn + n));
		ck_assert_int_eq(ring_read(&ring, 15, see, &seen), 15);
		ck_assert_int_eq(ring_read(&ring, 1000, see, &seen), 25);
		ck_assert_int_eq(ring_read(&ring, 1000, see, &seen), 0);
		for (unsigned i = 0; i < n; i++) {
			ck_assert_uint_eq(seen.sizes[i], 1 + turn + i * (97 + turn));
			ck_assert_uint_eq(seen.values[i], (uint8_t)(turn + i));
		}
		ck_assert_uint_eq(*consumer(&f), *producer(&f));
	}
	ck_assert_uint_gt(*producer(&f), 4UL * SIZE);
	ring_close(&ring);
	file_free(&f);
}
END_TEST

/* What is being written holds back what comes after it; what was given up is passed over, and counts for nothing. */
START_TEST(test_states)
{
	struct file f = file_new();
	struct ring ring = ring_of(&f);
	struct seen seen = {};
	uint32_t *busy;

	file_put(&f, 8, 0, 1);
	file_put(&f, 24, BPF_RINGBUF_DISCARD_BIT, 2);
	busy = (uint32_t *)(f.map + 2 * f.page + *producer(&f));
	file_put(&f, 8, BPF_RINGBUF_BUSY_BIT, 3);
	file_put(&f, 8, 0, 4);
	ck_assert_int_eq(ring_read(&ring, 10, see, &seen), 1);
	ck_assert_int_eq(ring_read(&ring, 10, see, &seen), 0);
	*busy &= ~BPF_RINGBUF_BUSY_BIT;
	ck_assert_int_eq(ring_read(&ring, 10, see, &seen), 2);
	ck_assert_mem_eq(seen.values, ((uint8_t[]){1, 3, 4}), 3);
	ring_close(&ring);
	file_free(&f);
}
END_TEST

/* A reader that comes later goes on where the former one ended, in the middle of the data. */
START_TEST(test_later)
{
	struct file f = file_new();
	struct seen seen = {};
	struct ring ring;

	*consumer(&f) = *producer(&f) = 7ULL * SIZE + SIZE - 16;
	file_put(&f, 300, 0, 9);
	ring = ring_of(&f);
	ck_assert_int_eq(ring_read(&ring, 10, see, &seen), 1);
	ck_assert_uint_eq(seen.sizes[0], 300);
	ring_close(&ring);
	file_free(&f);
}
END_TEST

START_TEST(test_damaged)
{
	struct file f = file_new();
	struct ring ring = ring_of(&f);
	struct seen seen = {};
	uint32_t *word = (uint32_t *)(f.map + 2 * f.page);

	file_put(&f, 8, 0, 1);
	file_put(&f, 8, 0, 2);
	*word = SIZE;
	for (unsigned i = 0; i < 2; i++) {
		ck_assert_int_eq(ring_read(&ring, 10, see, &seen), -EBADMSG);
		ck_assert_uint_eq(*consumer(&f), 0);
		ck_assert_uint_eq(seen.n, 0);
	}
	ring_close(&ring);
	ck_assert_int_eq(ring_open(&ring, f.fd, SIZE - 1), -EINVAL);
	ck_assert_int_lt(ring_open(&ring, -1, SIZE), 0);
	ring_close(&ring);
	file_free(&f);
}
END_TEST

/* What is not shown yet cannot be mapped: what came before it was read once, and all that follows is there when it can be. */
START_TEST(test_no_window)
{
	struct file f = file_new();
	struct ring ring = ring_of(&f);
	struct seen seen = {};
	int elsewhere = fcntl(f.fd, F_DUPFD_CLOEXEC, 0), n = 0;

	ck_assert_int_ge(elsewhere, 0);
	for (; *producer(&f) < 2 * RING_WINDOW; n++)
		file_put(&f, 1000, 0, (uint8_t)n);
	ck_assert_int_eq(close(f.fd), 0);
	ck_assert_int_eq(ring_read(&ring, SEEN_MAX, see, &seen), -EBADF);
	ck_assert_uint_gt(seen.n, 0);
	ck_assert_uint_lt(seen.n, (size_t)n);
	ck_assert_uint_eq(*consumer(&f), seen.n * (1000 + BPF_RINGBUF_HDR_SZ));
	ck_assert_int_eq(ring_read(&ring, SEEN_MAX, see, &seen), -EBADF);
	ck_assert_int_eq(dup2(elsewhere, f.fd), f.fd);
	ck_assert_int_gt(ring_read(&ring, SEEN_MAX, see, &seen), 0);
	ck_assert_uint_eq(seen.n, (size_t)n);
	for (int i = 0; i < n; i++)
		ck_assert_uint_eq(seen.values[i], (uint8_t)i);
	ck_assert_int_eq(close(elsewhere), 0);
	ring_close(&ring);
	file_free(&f);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("ring");

	tcase_add_test(tc, test_around);
	tcase_add_test(tc, test_states);
	tcase_add_test(tc, test_later);
	tcase_add_test(tc, test_damaged);
	tcase_add_test(tc, test_no_window);
	return tcase_run(tc);
}
