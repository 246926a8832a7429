/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The verdict store: one SQLite database in WAL mode, written by haetaed alone, read by agentctl
 * directly (also while the agent is down).
 *
 * Writing never blocks the caller on the disk: events go into a bounded queue in memory, and one
 * writer thread, which owns the connection, commits them in batches. When the queue is full (disk full,
 * slow or gone) events are dropped and counted; the writer goes on trying and recovers without a
 * restart. A database that is damaged, or not ours, is set aside (name + ".damaged-TIME"; one of a newer
 * version: ".newer-TIME") and a new one is begun, whose ids go on where the old one's ended.
 *
 * A committed event is there exactly once even where a commit failed half-way and was tried again, and has been forced to the
 * disk: a power cut does not take it. Events that were allowed, and exits, are in the file as soon, so no end of the agent
 * takes them, but are forced to the disk with the next other event, or within store_config.sync_ms.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event/event.h"

#define STORE_SCHEMA_VERSION 3

/* ---- writing (haetaed) ---- */

struct store;

#define STORE_QUEUE_MAX 65536U /* what store_config.queue_max is if nobody says */

struct store_config {
	const char *path;	/* of the database file */
	size_t queue_max;	/* events held while the disk does not take them; 0: STORE_QUEUE_MAX */
	size_t batch_max;	/* rows of one commit at most; 0: 4096 */
	unsigned batch_ms;	/* a commit at the latest so long after its first event; 0: 100 */
	unsigned calm_ms;	/* the same of events that were allowed, and exits; 0: 5 times batch_ms */
	unsigned sync_ms;	/* allowed events and exits are forced to the disk so long after their commit at the latest; 0: 5000 */
	uint64_t rows_max;	/* oldest rows beyond are removed; 0: 5,000,000 */
	uint64_t wal_max;	/* bytes the log may reach while a reader holds it; 0: 256 MiB */
};

/* One consistent look, under one lock. At every moment
 *     offered = committed + pending + dropped,
 * and the same for the events of EVENT_VERDICT alone, verdict by verdict. */
struct store_stats {
	uint64_t offered;   /* calls of store_add() */
	uint64_t queued;    /* accepted by store_add() */
	uint64_t committed; /* on disk, each once */
	uint64_t dropped;   /* queue full, or no row can hold it (a code this version does not know) */
	uint64_t pending;   /* in memory now: queued or in the batch being written */
	uint64_t offered_verdicts[HT_VERDICT_MAX];   /* events of EVENT_VERDICT, by verdict */
	uint64_t committed_verdicts[HT_VERDICT_MAX];
	uint64_t dropped_verdicts[HT_VERDICT_MAX];
	uint64_t pending_verdicts[HT_VERDICT_MAX];
	uint64_t removed;   /* old rows beyond rows_max */
	uint64_t failures;  /* opens and commits that failed */
	uint64_t set_aside; /* databases set aside */
	bool degraded;	    /* not open, or the last commit failed */
	char last_error[160]; /* why; stays when it is over */
	char set_aside_path[160]; /* the last one's new name, its end if it is longer */
	int64_t last_id; /* of the last row committed */
};

/* Start the writer, which opens or creates and migrates the database: the caller does not wait for the
 * disk. Until it is open, and while it cannot be used (read-only, full disk), the store is degraded and
 * keeps trying; store_stats_read() tells.
 * Return: 0; -ENOMEM; negative errno if the writer thread could not start. */
int store_open(const struct store_config *config, struct store **ret);
/* Hand over one event: its texts are moved into the queue and *event is zeroed in every case.
 * Never blocks on the disk. Return: true if queued, false if dropped (counted). */
bool store_add(struct store *store, struct event *event);
void store_stats_read(struct store *store, struct store_stats *ret);
/* Commit what is queued now, without waiting for a batch to fill. Return: 0 when all of it is on disk or
 * counted as dropped; -ETIMEDOUT after timeout_ms. */
int store_flush(struct store *store, unsigned timeout_ms);
/* Commit what is queued (waiting at most timeout_ms for the disk), stop the writer, close. What is not
 * committed by then is gone: store_flush() and store_stats_read() before tell how much. */
struct store *store_close(struct store *store, unsigned timeout_ms); /* NULL is fine; returns NULL */

/* ---- reading (agentctl) ---- */

/* Globs are over raw bytes: `*` is any run, slashes too; `?`, `[a-z]`, backslash (store/glob.h). A filter
 * that an event has no value for does not match it. */
struct store_filter {
	int64_t since_us; /* realtime, 0: no bound */
	int64_t until_us;
	const char *container; /* glob on name, or prefix of the runtime's id (8 characters or more) */
	const char *policy;    /* glob */
	const char *exe;       /* glob on the whole path */
	const char *path;      /* glob on the whole path */
	const char *rule;      /* glob on rule text */
	uint32_t ops;	       /* HT_OP_* mask, 0: any */
	uint32_t verdicts;     /* mask of 1 << HT_VERDICT_*, 0: any; otherwise verdicts, aggregates, losses */
	uint32_t kinds;	       /* mask of 1 << EVENT_*, 0: any */
	int64_t after_id;      /* only rows after this one (follow), 0: any */
	uint64_t limit;	       /* newest so many, 0: all */
	bool reverse;	       /* newest first */
};

struct store_reader;
/* Return: 0; -ENOENT no database, or nothing was ever stored in it; -EINVAL damaged or of another schema;
 * other negative errno. *reterr_text says what, free it (NULL if memory is out). */
int store_reader_open(const char *path, struct store_reader **ret, char **reterr_text);
struct store_reader *store_reader_close(struct store_reader *reader); /* NULL is fine; returns NULL */
/* Call `each` for every matching event in the order of ids; a non-zero result stops and is returned. Events
 * stored after the call began are not among them. No read transaction is open while `each` runs: rows are
 * fetched in bounded pages, so a slow pager cannot hold back the checkpoint. If the database was set aside
 * meanwhile, the new one is read. Return: 0, each's result, -EBADMSG (damaged), or other negative errno. */
int store_query(struct store_reader *reader, const struct store_filter *filter,
		int (*each)(const struct event *event, void *userdata), void *userdata);
/* One event, the caller deinits. Return: 0, -ENOENT, as store_query(). */
int store_get(struct store_reader *reader, int64_t id, struct event *ret);
/* The last verdict of one process at or before an event: pid and start make it one process of that boot. What it says
 * of the subject is what is known of the process then. Return: as store_get(). */
int store_get_process(struct store_reader *reader, const uint8_t boot_id[16], uint32_t pid, uint64_t start_ns,
		      int64_t until_id, struct event *ret);
/* What was ever committed in a boot, by the sum of count: rows that were removed since are included, so
 * the ledger stays whole. */
struct store_totals {
	uint64_t rows; /* in the database now, of every boot */
	uint64_t verdicts[HT_VERDICT_MAX];   /* of EVENT_VERDICT */
	uint64_t aggregated[HT_VERDICT_MAX]; /* of EVENT_AGGREGATE */
	uint64_t lost[HT_VERDICT_MAX];	     /* of EVENT_LOSS */
};
/* What was written in one boot, and is counted on when rows are removed. Return: 0; -EBADMSG: no such count can be; other negative
 * errno: the database cannot be read, and *ret is as it was. */
int store_totals(struct store_reader *reader, const uint8_t boot_id[16], struct store_totals *ret);
/* integrity_check plus the schema's own invariants. Return: 0 good; STORE_E_DAMAGED, *reterr_text has one line
 * for each finding; negative errno if it could not be checked. */
#define STORE_E_DAMAGED 1
int store_verify(struct store_reader *reader, char **reterr_text);
