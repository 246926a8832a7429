/* SPDX-License-Identifier: Apache-2.0 */

/*
 * How many events a second reach the disk, and how fast they are found again.
 *
 * bench-store DIRECTORY [ROWS]: offers ROWS events (default 1,000,000) as fast as the queue takes
 * them, waits until all are committed (forced to the disk) and reads them back. The events are like
 * those of a busy host: 100 containers, 50 rules, mixed verdicts, paths and arguments of usual
 * length.
 */

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "store/store.h"
#include "util/cleanup.h"

static double now(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

static void bytes_set(struct event_bytes *bytes, const char *text, size_t len)
{
	bytes->data = malloc(len);
	if (!bytes->data)
		abort();
	memcpy(bytes->data, text, len);
	bytes->len = len;
}

static char *text_printf(const char *format, unsigned n)
{
	char *text = malloc(128);

	if (!text)
		abort();
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
	(void)snprintf(text, 128, format, n);
#pragma GCC diagnostic pop
	return text;
}

static void event_make(uint64_t i, struct event *event)
{
	static const char argv[] =
		"/usr/bin/find\0/srv/www\0-name\0*.tmp\0-newer\0/var/lib/stamp\0-delete";
	char path[128];
	unsigned container = (unsigned)(i % 100), rule = (unsigned)(i * 7 % 50);

	*event = (struct event){
		.kind = EVENT_VERDICT,
		.verdict = i % 10 == 0 ? HT_VERDICT_WOULD_DENY : HT_VERDICT_DENY,
		.reason = HT_REASON_POLICY,
		.op = 1U << (i % HT_OP_MAX),
		.boot_id = {1, 2, 3},
		.boottime_ns = 1000000000U + i * 1000,
		.realtime_us = 1790000000000000U + i,
		.cpu = (uint32_t)(i % 8),
		.seq = i / 8,
		.count = 1,
		.first_ns = 1000000000U + i * 1000,
		.last_ns = 1000000000U + i * 1000,
		.rule_id = 0x9e3779b97f4a7c15U * (rule + 1),
		.profile = 3,
		.generation = 17,
		.rule_line = rule + 10,
		.severity = POLICY_SEVERITY_HIGH,
		.cgroup_id = 4000 + container,
		.pid = 10000 + (uint32_t)(i % 3000),
		.tid = 10000 + (uint32_t)(i % 3000),
		.ppid = 999,
		.uid = 33,
		.gid = 33,
		.argc = 7,
		.start_ns = i,
		.parent_start_ns = 5,
		.exec_id = i / 16,
		.comm = "find",
		.dev = 0x800001,
		.ino = 131072 + i % 50000,
		.mode = 0100644,
		.nlink = 1,
	};
	event->policy = text_printf("web-%u", rule / 10);
	event->rule_file = text_printf("/etc/haetae/policies.d/%u-web.yaml", rule / 10);
	event->rule_text = text_printf("file.deny /var/lib/app/%u/**", rule);
	event->cgroup = text_printf("/machine.slice/libpod-%064u.scope", container);
	event->container = text_printf("web-%u", container);
	event->container_id = text_printf("%064u", container);
	event->runtime = text_printf("podman", 0);
	bytes_set(&event->exe, "/usr/bin/find", 13);
	bytes_set(&event->argv, argv, sizeof(argv));
	(void)snprintf(path, sizeof(path), "/var/lib/app/%u/cache/objects/%05" PRIu64 ".tmp", rule,
		       i % 50000);
	bytes_set(&event->path, path, strlen(path));
}

static int count(const struct event *event, void *userdata)
{
	(*(uint64_t *)userdata)++;
	return 0;
}

static void query(const char *path, const char *what, const struct store_filter *filter)
{
	_cleanup_free_ char *text = NULL;
	struct store_reader *reader = NULL;
	uint64_t n = 0;
	double start = now();
	int r = store_reader_open(path, &reader, &text);

	if (r < 0) {
		(void)fprintf(stderr, "cannot read: %s\n", text ? text : strerror(-r));
		exit(EXIT_FAILURE);
	}
	r = store_query(reader, filter, count, &n);
	(void)store_reader_close(reader);
	(void)printf("%-28s %10" PRIu64 " rows in %7.3f s%s\n", what, n, now() - start,
		     r < 0 ? " (failed)" : "");
}

static void write_all(const char *path, uint64_t rows)
{
	struct store_config config = {.path = path};
	struct timespec nap = {.tv_nsec = 200000};
	struct store *store = NULL;
	struct store_stats stats = {};
	struct rusage usage;
	double start, cpu;

	if (store_open(&config, &store) < 0)
		exit(EXIT_FAILURE);
	start = now();
	for (uint64_t i = 0; i < rows; i++) {
		struct event event;

		/* the bench waits where the agent would drop */
		while (i % 256 == 0) {
			store_stats_read(store, &stats);
			if (stats.pending + 256 <= 65536)
				break;
			(void)nanosleep(&nap, NULL);
		}
		event_make(i, &event);
		(void)store_add(store, &event);
	}
	(void)store_flush(store, 60000);
	store_stats_read(store, &stats);
	start = now() - start;
	(void)getrusage(RUSAGE_SELF, &usage);
	cpu = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	      (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
	(void)printf("offered %" PRIu64 ", committed %" PRIu64 ", dropped %" PRIu64
		     ", failures %" PRIu64
		     "\n%.0f rows/s, %.2f s of processor time for %.2f s, peak %ld MiB\n",
		     stats.offered, stats.committed, stats.dropped, stats.failures,
		     (double)stats.committed / start, cpu, start, usage.ru_maxrss / 1024);
	(void)store_close(store, 60000);
}

int main(int argc, char **argv)
{
	uint64_t rows = argc > 2 ? strtoull(argv[2], NULL, 10) : 1000000;
	char path[4096];

	if (argc < 2 || rows == 0) {
		(void)fprintf(stderr, "usage: %s DIRECTORY [ROWS]\n", argv[0]);
		return EXIT_FAILURE;
	}
	(void)snprintf(path, sizeof(path), "%s/bench.db", argv[1]);
	if (access(path, F_OK) == 0) {
		(void)fprintf(stderr, "%s exists\n", path);
		return EXIT_FAILURE;
	}
	write_all(path, rows);
	query(path, "all", &(struct store_filter){});
	query(path, "newest 100", &(struct store_filter){.limit = 100});
	query(path, "one container, newest 100",
	      &(struct store_filter){.container = "web-42", .limit = 100});
	query(path, "containers by glob", &(struct store_filter){.container = "web-1*"});
	query(path, "would-deny", &(struct store_filter){.verdicts = 1U << HT_VERDICT_WOULD_DENY});
	query(path, "path by glob", &(struct store_filter){.path = "*/00042.tmp"});
	query(path, "last tenth by time",
	      &(struct store_filter){.since_us = (int64_t)(1790000000000000U + rows / 10 * 9)});
	return EXIT_SUCCESS;
}
