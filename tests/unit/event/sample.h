/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* Events for tests: one with every field set, and equality over every field. */

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "event/event.h"
#include "tests/unit/runner.h"

static inline struct event_bytes sample_bytes(const void *data, size_t len)
{
	struct event_bytes bytes = {.len = len};

	if (len == 0)
		return bytes;
	bytes.data = malloc(len);
	ck_assert_ptr_nonnull(bytes.data);
	memcpy(bytes.data, data, len);
	return bytes;
}

static inline char *sample_text(const char *text)
{
	char *copy = strdup(text);

	ck_assert_ptr_nonnull(copy);
	return copy;
}

/* A refused read, with every field set and different from its neighbours. n makes it another one.
 */
static inline struct event sample_event(uint64_t n)
{
	static const char argv[] = "/usr/bin/cat\0-n\0\0/etc/shadow";

	return (struct event){
		.kind = EVENT_VERDICT,
		.verdict = HT_VERDICT_DENY,
		.reason = HT_REASON_POLICY,
		.op = HT_OP_READ,
		.flags = HT_RECORD_STRAIGHT | HT_RECORD_DELETED,
		.boot_id = {0xb0, 0x07, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 0xff},
		.boottime_ns = 5000000000U + n,
		.realtime_us = 1795244531123456U + n, /* 2026-11-21 07:02:11 UTC */
		.cpu = 3,
		.seq = 100 + n,
		.count = 1,
		.first_ns = 5000000000U + n,
		.last_ns = 5000000000U + n,
		.rule_id = 0xfedcba9876543210U,
		.profile = 7,
		.generation = 12,
		.policy = sample_text("web-demo"),
		.rule_file = sample_text("/etc/haetae/policies.d/50-web-demo.yaml"),
		.rule_line = 20,
		.rule_text = sample_text("file.deny /etc/shadow"),
		.message = sample_text("no secrets for the web"),
		.severity = POLICY_SEVERITY_CRITICAL,
		.cgroup_id = 4711,
		.cgroup = sample_text("/machine.slice/libpod-abc.scope"),
		.container = sample_text("web"),
		.container_id = sample_text("0123456789abcdef0123456789abcdef"),
		.runtime = sample_text("podman"),
		.pid = 1234,
		.tid = 1235,
		.ppid = 1200,
		.uid = 33,
		.gid = 34,
		.argc = 4,
		.start_ns = 4000000000U,
		.parent_start_ns = 3000000000U,
		.exec_id = 0x8000000000000001U,
		.exit_code = 0,
		.comm = "cat",
		.exe = sample_bytes("/usr/bin/cat", 12),
		.argv = sample_bytes(argv, sizeof(argv)),
		.path = sample_bytes("/etc/shadow", 11),
		.dev = 8 << 20 | 17,
		.ino = 0xffffffff00000001U,
		.inode_generation = 0xdeadbeef,
		.mode = 0100640,
		.nlink = 2,
	};
}

static inline bool sample_text_equal(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

static inline bool sample_bytes_equal(const struct event_bytes *a, const struct event_bytes *b)
{
	return a->len == b->len && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

/* Everything but the id. */
static inline bool sample_equal(const struct event *a, const struct event *b)
{
	struct event x = *a, y = *b;
	bool same;

	same = sample_text_equal(x.policy, y.policy) &&
	       sample_text_equal(x.rule_file, y.rule_file) &&
	       sample_text_equal(x.rule_text, y.rule_text) &&
	       sample_text_equal(x.message, y.message) && sample_text_equal(x.cgroup, y.cgroup) &&
	       sample_text_equal(x.container, y.container) &&
	       sample_text_equal(x.container_id, y.container_id) &&
	       sample_text_equal(x.runtime, y.runtime) && sample_bytes_equal(&x.exe, &y.exe) &&
	       sample_bytes_equal(&x.argv, &y.argv) && sample_bytes_equal(&x.path, &y.path) &&
	       strcmp(x.comm, y.comm) == 0;
#define SAME(field) same = same && memcmp(&x.field, &y.field, sizeof(x.field)) == 0
	SAME(kind);
	SAME(notice);
	SAME(verdict);
	SAME(reason);
	SAME(op);
	SAME(flags);
	SAME(boot_id);
	SAME(boottime_ns);
	SAME(realtime_us);
	SAME(cpu);
	SAME(seq);
	SAME(count);
	SAME(first_ns);
	SAME(last_ns);
	SAME(rule_id);
	SAME(profile);
	SAME(generation);
	SAME(n_profiles);
	SAME(profiles);
	SAME(rule_line);
	SAME(severity);
	SAME(cgroup_id);
	SAME(pid);
	SAME(tid);
	SAME(ppid);
	SAME(uid);
	SAME(gid);
	SAME(argc);
	SAME(start_ns);
	SAME(parent_start_ns);
	SAME(exec_id);
	SAME(exit_code);
	SAME(dev);
	SAME(ino);
	SAME(inode_generation);
	SAME(mode);
	SAME(nlink);
#undef SAME
	return same;
}
