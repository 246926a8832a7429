/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The verdict store: one SQLite database in WAL mode, written by haetaed alone, read by agentctl
 * directly (also while the agent is down).
 *
 * Writing never blocks the caller on the disk: events go into a bounded queue in memory, and one
 * writer thread, which owns the connection, commits them in batches. When the queue is full (disk full,
 * slow or gone) events are dropped and counted; the writer goes on trying and recovers without a
 * restart. A damaged database is set aside (name + ".damaged-TIME") and a new one is begun.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/event.h"

#define STORE_SCHEMA_VERSION 1

/* ---- writing (haetaed) ---- */

struct store;

struct store_config {
	const char *path;	/* of the database file */
	size_t queue_max;	/* events held while the disk does not take them; 0: 65536 */
	size_t batch_max;	/* rows of one commit at most; 0: 4096 */
	unsigned batch_ms;	/* a commit at the latest so long after its first event; 0: 100 */
	uint64_t rows_max;	/* oldest rows beyond are removed; 0: 5,000,000 */
};

struct store_stats {
	uint64_t queued;    /* accepted by store_add() */
	uint64_t committed; /* on disk */
	uint64_t dropped;   /* queue full */
	uint64_t dropped_verdicts[HT_VERDICT_MAX]; /* events of EVENT_VERDICT dropped, by verdict */
	uint64_t committed_verdicts[HT_VERDICT_MAX]; /* the like, on disk */
	uint64_t pending;   /* in the queue now */
	uint64_t failures;  /* commits that failed */
	bool degraded;	    /* the last commit failed */
	char last_error[160];
	int64_t last_id;
};

/* Open or create, migrate, start the writer. A database that cannot be used now (read-only, full
 * disk) does not fail the open: the store starts degraded and keeps trying.
 * Return: 0; -ENOMEM; negative errno if the writer thread could not start. */
int store_open(const struct store_config *config, struct store **ret);
/* Hand over one event: its texts are moved into the queue and *event is zeroed in every case.
 * Never blocks on the disk. Return: true if queued, false if dropped (counted). */
bool store_add(struct store *store, struct event *event);
void store_stats_read(struct store *store, struct store_stats *ret);
/* An eventfd, readable after commits and after failures, for the event loop; the store owns it. */
int store_event_fd(struct store *store);
/* Commit what is queued (waiting at most timeout_ms for the disk), stop the writer, close. */
struct store *store_close(struct store *store, unsigned timeout_ms); /* NULL is fine; returns NULL */

/* ---- reading (agentctl) ---- */

struct store_filter {
	int64_t since_us; /* realtime, 0: no bound */
	int64_t until_us;
	const char *container; /* glob on name, or prefix of the runtime's id */
	const char *policy;    /* glob */
	const char *exe;       /* glob on the whole path */
	const char *path;      /* glob on the whole path */
	const char *rule;      /* glob on rule text */
	uint32_t ops;	       /* HT_OP_* mask, 0: any */
	uint32_t verdicts;     /* mask of 1 << HT_VERDICT_*, 0: any */
	uint32_t kinds;	       /* mask of 1 << EVENT_*, 0: any */
	int64_t after_id;      /* only rows after this one (follow), 0: any */
	uint64_t limit;	       /* newest so many, 0: all */
	bool reverse;	       /* newest first */
};

struct store_reader;
/* Return: 0; -ENOENT no database; -EINVAL damaged or of a newer schema (*reterr_text says what, free it). */
int store_reader_open(const char *path, struct store_reader **ret, char **reterr_text);
struct store_reader *store_reader_close(struct store_reader *reader);
/* Call `each` for every matching event in order; a non-zero result stops and is returned. No read
 * transaction stays open while `each` may block for long: rows are fetched in bounded pages, so a slow
 * pager cannot hold back the checkpoint. Return: 0, each's result, or negative errno. */
int store_query(struct store_reader *reader, const struct store_filter *filter,
		int (*each)(const struct event *event, void *userdata), void *userdata);
/* One event. Return: 0, -ENOENT. */
int store_get(struct store_reader *reader, int64_t id, struct event *ret);
struct store_totals {
	uint64_t rows;
	uint64_t verdicts[HT_VERDICT_MAX];   /* sum of count over verdict rows of this boot */
	uint64_t aggregated[HT_VERDICT_MAX]; /* sum of count over aggregate rows of this boot */
	uint64_t lost[HT_VERDICT_MAX];	     /* sum of count over loss rows of this boot */
};
int store_totals(struct store_reader *reader, const uint8_t boot_id[16], struct store_totals *ret);
/* integrity_check plus the schema's own invariants. Return: 0 good, STORE_E_DAMAGED with text. */
#define STORE_E_DAMAGED 1
int store_verify(struct store_reader *reader, char **reterr_text);
