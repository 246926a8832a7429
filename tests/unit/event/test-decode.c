/* SPDX-License-Identifier: Apache-2.0 */

/* agent/event/decode.c: what a record says is taken over whole; what does not fit is refused. */

#include <time.h>

#include "tests/unit/event/record.h"
#include "tests/unit/event/sample.h"
#include "tests/unit/runner.h"

static const struct event_clock clock_ = {.boot_id = {1, 2, 3},
					  .realtime_offset_ns = 1700000000000000000LL};

START_TEST(test_verdict)
{
	static const char argv[] = "cat\0/etc/shadow";
	struct record_buffer b;
	struct event event;

	record_make(&b, HT_RECORD_VERDICT);
	ck_assert_int_eq(event_decode(b.data, b.size, &clock_, &event), 0);
	ck_assert_int_eq((int)event.kind, EVENT_VERDICT);
	ck_assert_int_eq(event.verdict, HT_VERDICT_DENY);
	ck_assert_int_eq(event.reason, HT_REASON_POLICY);
	ck_assert_uint_eq(event.op, HT_OP_READ);
	ck_assert_uint_eq(event.flags, HT_RECORD_STRAIGHT);
	ck_assert_mem_eq(event.boot_id, clock_.boot_id, 16);
	ck_assert_uint_eq(event.boottime_ns, 5000000000U);
	ck_assert_uint_eq(event.realtime_us, 1700000005000000U);
	ck_assert_uint_eq(event.cpu, 2);
	ck_assert_uint_eq(event.seq, 41);
	ck_assert_uint_eq(event.count, 1);
	ck_assert_uint_eq(event.first_ns, 5000000000U);
	ck_assert_uint_eq(event.last_ns, 5000000000U);
	ck_assert_uint_eq(event.rule_id, 0xfedcba9876543210U);
	ck_assert_uint_eq(event.profile, 7);
	ck_assert_uint_eq(event.generation, 12);
	ck_assert_uint_eq(event.cgroup_id, 4711);
	ck_assert_uint_eq(event.pid, 1234);
	ck_assert_uint_eq(event.tid, 1235);
	ck_assert_uint_eq(event.ppid, 1200);
	ck_assert_uint_eq(event.uid, 33);
	ck_assert_uint_eq(event.gid, 34);
	ck_assert_uint_eq(event.argc, 2);
	ck_assert_uint_eq(event.start_ns, 4000000000U);
	ck_assert_uint_eq(event.parent_start_ns, 3000000000U);
	ck_assert_uint_eq(event.exec_id, 9);
	ck_assert_int_eq(event.exit_code, 0); /* of an exit only */
	ck_assert_uint_eq(event.dev, 8 << 20 | 17);
	ck_assert_uint_eq(event.ino, 0xffffffff00000001U);
	ck_assert_uint_eq(event.inode_generation, 5);
	ck_assert_uint_eq(event.mode, 0100640);
	ck_assert_uint_eq(event.nlink, 1);
	ck_assert_str_eq(event.comm, "cat");
	ck_assert_uint_eq(event.path.len, 11);
	ck_assert_mem_eq(event.path.data, "/etc/shadow", 11);
	ck_assert_uint_eq(event.exe.len, 12);
	ck_assert_mem_eq(event.exe.data, "/usr/bin/cat", 12);
	ck_assert_uint_eq(event.argv.len, sizeof(argv));
	ck_assert_mem_eq(event.argv.data, argv, sizeof(argv));
	ck_assert_ptr_null(event.cgroup);
	event_deinit(&event);
}
END_TEST

START_TEST(test_exit)
{
	struct record_buffer b;
	struct event event;

	record_make(&b, HT_RECORD_EXIT);
	ck_assert_int_eq(event_decode(b.data, b.size, &clock_, &event), 0);
	ck_assert_int_eq((int)event.kind, EVENT_EXIT);
	ck_assert_int_eq(event.exit_code, 0x300);
	event_deinit(&event);
}
END_TEST

START_TEST(test_bind_and_unbind)
{
	struct record_buffer b;
	struct event event;

	record_make(&b, HT_RECORD_BIND);
	ck_assert_int_eq(event_decode(b.data, b.size, &clock_, &event), 0);
	ck_assert_int_eq((int)event.kind, EVENT_GOVERNED);
	ck_assert_str_eq(event.cgroup, "/machine.slice/web.scope");
	ck_assert_uint_eq(event.path.len, 0);
	ck_assert_uint_eq(event.n_profiles, 2);
	ck_assert_uint_eq(event.profiles[0], 7);
	ck_assert_uint_eq(event.profiles[1], 8);
	ck_assert_uint_eq(event.profile, 7);
	event_deinit(&event);

	record_make(&b, HT_RECORD_UNBIND);
	ck_assert_int_eq(event_decode(b.data, b.size, &clock_, &event), 0);
	ck_assert_int_eq((int)event.kind, EVENT_RELEASED);
	ck_assert_str_eq(event.cgroup, "/machine.slice/web.scope");
	event_deinit(&event);

	/* a cgroup path is a C string for us: it must be one */
	record_make(&b, HT_RECORD_BIND);
	b.data[sizeof(struct ht_record) + 3] = '\0';
	ck_assert_int_eq(event_decode(b.data, b.size, &clock_, &event), EVENT_E_DECODE);
}
END_TEST

START_TEST(test_text_edges)
{
	struct record_buffer b;
	struct event event;
	char path[HT_TEXT_PATH_MAX];
	struct ht_record *r = record_head(&b);

	/* no text at all, offsets zero */
	record_make(&b, HT_RECORD_VERDICT);
	r->path = r->exe = r->argv = (struct ht_text){};
	r->size = sizeof(*r);
	ck_assert_int_eq(event_decode(b.data, sizeof(*r), &clock_, &event), 0);
	ck_assert_ptr_null(event.path.data);
	ck_assert_ptr_null(event.exe.data);
	ck_assert_ptr_null(event.argv.data);
	event_deinit(&event);

	/* the longest path, and a comm without a terminator */
	record_make(&b, HT_RECORD_VERDICT);
	b.size = sizeof(*r);
	memset(path, 0xff, sizeof(path));
	record_text(&b, &r->path, path, sizeof(path));
	r->exe = r->argv = (struct ht_text){};
	memset(r->comm, 'c', sizeof(r->comm));
	ck_assert_int_eq(event_decode(b.data, b.size, &clock_, &event), 0);
	ck_assert_uint_eq(event.path.len, HT_TEXT_PATH_MAX);
	ck_assert_mem_eq(event.path.data, path, sizeof(path));
	ck_assert_uint_eq(strlen(event.comm), 16);
	event_deinit(&event);
}
END_TEST

/* The ring may hand over more than the record: what is behind it does not count. */
START_TEST(test_trailing_bytes_and_any_alignment)
{
	struct record_buffer b;
	unsigned char moved[HT_RECORD_SIZE_MAX + 8];

	record_make(&b, HT_RECORD_VERDICT);
	for (size_t shift = 0; shift < 8; shift++) {
		struct event event;

		memset(moved, 0xee, sizeof(moved));
		memcpy(moved + shift, b.data, b.size);
		ck_assert_int_eq(event_decode(moved + shift, b.size + 1, &clock_, &event), 0);
		ck_assert_uint_eq(event.path.len, 11);
		event_deinit(&event);
	}
}
END_TEST

/* Every length below the record's own is refused, read no further, and leaves the output alone. The
 * copy is exactly as large, so that the sanitizer sees any read beyond. */
START_TEST(test_truncated)
{
	struct record_buffer b;

	record_make(&b, HT_RECORD_VERDICT);
	for (size_t size = 0; size < b.size; size++) {
		unsigned char *copy = malloc(size ? size : 1);
		struct event event = {.id = 55};

		ck_assert_ptr_nonnull(copy);
		memcpy(copy, b.data, size);
		ck_assert_int_eq(event_decode(copy, size, &clock_, &event), EVENT_E_DECODE);
		ck_assert_int_eq(event.id, 55);
		free(copy);
	}
}
END_TEST

#define HEAD(b) (*record_head(b))

/* clang-format off: one fault a line */
static void abi_bad(struct record_buffer *b)
{
	HEAD(b).abi = HT_ABI + 1;
}
static void abi_zero(struct record_buffer *b)
{
	HEAD(b).abi = 0;
}
static void kind_zero(struct record_buffer *b)
{
	HEAD(b).kind = 0;
}
static void kind_max(struct record_buffer *b)
{
	HEAD(b).kind = HT_RECORD_MAX;
}
static void size_zero(struct record_buffer *b)
{
	HEAD(b).size = 0;
}
static void size_small(struct record_buffer *b)
{
	HEAD(b).size = sizeof(struct ht_record) - 1;
}
static void size_large(struct record_buffer *b)
{
	HEAD(b).size++;
}
static void size_huge(struct record_buffer *b)
{
	HEAD(b).size = UINT32_MAX;
}
static void flags_bad(struct record_buffer *b)
{
	HEAD(b).flags = 1U << 31;
}
static void verdict_bad(struct record_buffer *b)
{
	HEAD(b).verdict = HT_VERDICT_MAX;
}
static void reason_bad(struct record_buffer *b)
{
	HEAD(b).reason = HT_REASON_MAX;
}
static void pad_bad(struct record_buffer *b)
{
	HEAD(b).pad0 = 1;
}
static void op_two(struct record_buffer *b)
{
	HEAD(b).op = HT_OP_READ | HT_OP_WRITE;
}
static void op_bad(struct record_buffer *b)
{
	HEAD(b).op = 1U << HT_OP_MAX;
}
static void profiles_bad(struct record_buffer *b)
{
	HEAD(b).nprofiles = HT_PROFILES_MAX + 1;
}
static void time_bad(struct record_buffer *b)
{
	HEAD(b).time = UINT64_MAX;
}
static void time_late(struct record_buffer *b)
{
	HEAD(b).time = INT64_MAX;
}
static void seq_bad(struct record_buffer *b)
{
	HEAD(b).seq = UINT64_MAX;
}
static void start_bad(struct record_buffer *b)
{
	HEAD(b).start = UINT64_MAX;
}
static void parent_bad(struct record_buffer *b)
{
	HEAD(b).parent_start = UINT64_MAX;
}
static void cgroup_bad(struct record_buffer *b)
{
	HEAD(b).cgroup = UINT64_MAX;
}
static void off_head(struct record_buffer *b)
{
	HEAD(b).path.off = 0;
}
static void off_end(struct record_buffer *b)
{
	HEAD(b).path.off = HEAD(b).size + 1;
}
static void off_wrap(struct record_buffer *b)
{
	HEAD(b).exe.off = UINT32_MAX - 3;
}
static void len_over(struct record_buffer *b)
{
	HEAD(b).argv.len++;
}
static void len_wrap(struct record_buffer *b)
{
	HEAD(b).argv.len = UINT32_MAX;
}
/* clang-format on */
static void off_empty(struct record_buffer *b)
{
	HEAD(b).exe = (struct ht_text){.off = HEAD(b).size + 1};
}

static const struct {
	const char *name;
	void (*spoil)(struct record_buffer *b);
} garbled[] = {
#define GARBLED(f)                                                                                 \
	{                                                                                          \
#f, f                                                                              \
	}
	GARBLED(abi_bad),    GARBLED(abi_zero),	   GARBLED(kind_zero),	  GARBLED(kind_max),
	GARBLED(size_zero),  GARBLED(size_small),  GARBLED(size_large),	  GARBLED(size_huge),
	GARBLED(flags_bad),  GARBLED(verdict_bad), GARBLED(reason_bad),	  GARBLED(pad_bad),
	GARBLED(op_two),     GARBLED(op_bad),	   GARBLED(profiles_bad), GARBLED(time_bad),
	GARBLED(time_late),  GARBLED(seq_bad),	   GARBLED(start_bad),	  GARBLED(parent_bad),
	GARBLED(cgroup_bad), GARBLED(off_head),	   GARBLED(off_end),	  GARBLED(off_wrap),
	GARBLED(len_over),   GARBLED(len_wrap),	   GARBLED(off_empty),
};

START_TEST(test_garbled)
{
	struct record_buffer b;
	struct event event = {.id = 55};

	record_make(&b, HT_RECORD_VERDICT);
	garbled[_i].spoil(&b);
	ck_assert_msg(event_decode(b.data, b.size, &clock_, &event) == EVENT_E_DECODE, "%s",
		      garbled[_i].name);
	ck_assert_int_eq(event.id, 55);
}
END_TEST

/* No single byte of the head can be changed so that anything is read out of bounds (the sanitizer
 * watches) or an unknown code comes through. */
START_TEST(test_every_byte_of_the_head)
{
	static const unsigned char values[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
	size_t refused = 0;

	for (size_t at = 0; at < sizeof(struct ht_record); at++) {
		for (size_t v = 0; v < sizeof(values); v++) {
			struct record_buffer b;
			struct event event;
			unsigned char *copy;
			int r;

			record_make(&b, HT_RECORD_VERDICT);
			b.data[at] = values[v];
			copy = malloc(b.size);
			ck_assert_ptr_nonnull(copy);
			memcpy(copy, b.data, b.size);
			r = event_decode(copy, b.size, &clock_, &event);
			free(copy);
			refused += r == EVENT_E_DECODE;
			if (r != 0) {
				ck_assert_int_eq(r, EVENT_E_DECODE);
				continue;
			}
			ck_assert_uint_lt(event.verdict, HT_VERDICT_MAX);
			ck_assert_uint_lt(event.reason, HT_REASON_MAX);
			ck_assert_uint_eq(event.flags & ~EVENT_FLAGS, 0);
			ck_assert_uint_eq(event.op & ~HT_OP_ALL, 0);
			event_deinit(&event);
		}
	}
	ck_assert_uint_gt(refused, 50);
}
END_TEST

START_TEST(test_clock_before_1970)
{
	struct event_clock early = {.realtime_offset_ns = -6000000000LL};
	struct record_buffer b;
	struct event event;

	record_make(&b, HT_RECORD_VERDICT);
	ck_assert_int_eq(event_decode(b.data, b.size, &early, &event), 0);
	ck_assert_uint_eq(event.realtime_us, 0);
	event_deinit(&event);
}
END_TEST

START_TEST(test_clock_read)
{
	static const uint8_t zero[16];
	struct event_clock clock;
	struct timespec boot;
	int64_t now;

	ck_assert_int_eq(event_clock_read(&clock), 0);
	ck_assert_mem_ne(clock.boot_id, zero, sizeof(zero));
	ck_assert_int_eq(clock_gettime(CLOCK_BOOTTIME, &boot), 0);
	now = clock.realtime_offset_ns / 1000000000 + boot.tv_sec;
	ck_assert_int_le(llabs(now - (int64_t)time(NULL)), 2);
}
END_TEST

static const struct ht_aggregate_key key_ = {.cgroup = 4711,
					     .rule = 77,
					     .profile = 7,
					     .op = 8,
					     .verdict = HT_VERDICT_DENY,
					     .reason = HT_REASON_POLICY};
static const struct ht_aggregate value_ = {.count = 1000,
					   .first = 1000,
					   .last = 2000000000,
					   .ino = 42,
					   .exec_id = 43,
					   .dev = 44,
					   .pid = 45,
					   .uid = 46,
					   .comm = "0123456789abcdef"};

START_TEST(test_aggregate)
{
	struct event event;

	ck_assert_int_eq(event_from_aggregate(&key_, &value_, &clock_, &event), 0);
	ck_assert_int_eq((int)event.kind, EVENT_AGGREGATE);
	ck_assert_uint_eq(event.op, HT_OP_EXEC);
	ck_assert_uint_eq(event.count, 1000);
	ck_assert_uint_eq(event.first_ns, 1000);
	ck_assert_uint_eq(event.last_ns, 2000000000);
	ck_assert_uint_eq(event.boottime_ns, 2000000000);
	ck_assert_uint_eq(event.realtime_us, 1700000002000000U);
	ck_assert_uint_eq(event.rule_id, 77);
	ck_assert_uint_eq(event.profile, 7);
	ck_assert_uint_eq(event.cgroup_id, 4711);
	ck_assert_int_eq(event.verdict, HT_VERDICT_DENY);
	ck_assert_int_eq(event.reason, HT_REASON_POLICY);
	ck_assert_uint_eq(event.ino, 42);
	ck_assert_uint_eq(event.exec_id, 43);
	ck_assert_uint_eq(event.dev, 44);
	ck_assert_uint_eq(event.pid, 45);
	ck_assert_uint_eq(event.uid, 46);
	ck_assert_str_eq(event.comm, "0123456789abcdef");
	event_deinit(&event);
}
END_TEST

START_TEST(test_aggregate_garbled)
{
	struct event event = {.id = 55};
	struct ht_aggregate_key key = key_;
	struct ht_aggregate value = value_;

	switch (_i) {
	case 0:
		key.op = HT_OP_MAX;
		break;
	case 1:
		key.verdict = HT_VERDICT_MAX;
		break;
	case 2:
		key.reason = HT_REASON_MAX;
		break;
	case 3:
		value.count = 0;
		break;
	case 4:
		value.first = value.last + 1;
		break;
	case 5:
		value.pad = 1;
		break;
	case 6:
		value.last = UINT64_MAX;
		break;
	case 7:
		value.count = UINT64_MAX;
		break;
	default:
		key.cgroup = UINT64_MAX;
		break;
	}
	ck_assert_int_eq(event_from_aggregate(&key, &value, &clock_, &event), EVENT_E_DECODE);
	ck_assert_int_eq(event.id, 55);
}
END_TEST

int main(void)
{
	TCase *tc = tcase_create("decode");

	tcase_add_test(tc, test_verdict);
	tcase_add_test(tc, test_exit);
	tcase_add_test(tc, test_bind_and_unbind);
	tcase_add_test(tc, test_text_edges);
	tcase_add_test(tc, test_trailing_bytes_and_any_alignment);
	tcase_add_test(tc, test_truncated);
	tcase_add_loop_test(tc, test_garbled, 0, (int)(sizeof(garbled) / sizeof(garbled[0])));
	tcase_add_test(tc, test_every_byte_of_the_head);
	tcase_add_test(tc, test_clock_before_1970);
	tcase_add_test(tc, test_clock_read);
	tcase_add_test(tc, test_aggregate);
	tcase_add_loop_test(tc, test_aggregate_garbled, 0, 9);
	return tcase_run(tc);
}
