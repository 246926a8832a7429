/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* A ring record as the kernel half writes it, for tests. */

#include <string.h>

#include "abi.h"

struct record_buffer {
	_Alignas(8) unsigned char data[HT_RECORD_SIZE_MAX];
	size_t size;
};

static inline struct ht_record *record_head(struct record_buffer *b)
{
	return (struct ht_record *)(void *)b->data;
}

static inline void record_text(struct record_buffer *b, struct ht_text *text, const void *data,
			       size_t len)
{
	text->off = (__u32)b->size;
	text->len = (__u32)len;
	memcpy(b->data + b->size, data, len);
	b->size += len;
	record_head(b)->size = (__u32)b->size;
}

/* A refused read of /etc/shadow by /usr/bin/cat; kind makes it another record of the same head. */
static inline void record_make(struct record_buffer *b, unsigned kind)
{
	static const char argv[] = "cat\0/etc/shadow";
	struct ht_record *r = record_head(b);

	memset(b, 0, sizeof(*b));
	b->size = sizeof(*r);
	*r = (struct ht_record){
		.abi = HT_ABI,
		.kind = (__u16)kind,
		.seq = 41,
		.time = 5000000000U,
		.cpu = 2,
		.flags = HT_RECORD_STRAIGHT,
		.cgroup = 4711,
		.rule = 0xfedcba9876543210U,
		.profile = 7,
		.generation = 12,
		.op = HT_OP_READ,
		.verdict = HT_VERDICT_DENY,
		.reason = HT_REASON_POLICY,
		.ino = 0xffffffff00000001U,
		.dev = 8 << 20 | 17,
		.inode_generation = 5,
		.mode = 0100640,
		.nlink = 1,
		.pid = 1234,
		.tid = 1235,
		.start = 4000000000U,
		.parent_start = 3000000000U,
		.ppid = 1200,
		.uid = 33,
		.gid = 34,
		.argc = 2,
		.exec_id = 9,
		.exit_code = 0x300,
		.nprofiles = kind == HT_RECORD_BIND ? 2 : 0,
		.profiles = {kind == HT_RECORD_BIND ? 7 : 0, kind == HT_RECORD_BIND ? 8 : 0},
		.comm = "cat",
	};
	if (kind == HT_RECORD_BIND || kind == HT_RECORD_UNBIND)
		record_text(b, &r->path, "/machine.slice/web.scope", 24);
	else if (kind == HT_RECORD_VERDICT)
		record_text(b, &r->path, "/etc/shadow", 11);
	record_text(b, &r->exe, "/usr/bin/cat", 12);
	record_text(b, &r->argv, argv, sizeof(argv));
}
