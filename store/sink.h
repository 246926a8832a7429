/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * The open database as the writer sees it: commit a batch, remove what is too old, never twice the
 * same event. Used by one thread (writer.c).
 */

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/bundle.h"
#include "store/intern.h"
#include "store/store.h"

/* An event in the queue or in a batch. */
struct sink_node {
	struct sink_node *next;
	bool refused;	    /* by the last attempt: no row can hold it */
	struct event event; /* event.id: of the last attempt, 0 before */
};

void sink_nodes_free(struct sink_node *list);

/* Rules and places that are remembered to be noted: of each, so many that were met last. */
#define SINK_NOTED 16U

/* What stands in the tables that bundles are found by, as far as it is remembered (schema.h). */
struct sink_notes {
	int64_t span; /* BUNDLE_SPAN ids from this on; -1: nothing is remembered */
	int64_t keys[2][SINK_NOTED];
	unsigned n[2]; /* how many were noted, ever */
	int64_t since, until; /* minutes of the newest row; 0: not known */
};

struct sink {
	const struct store_config *config; /* no member is 0 */
	sqlite3 *db;			   /* NULL: closed */
	sqlite3_stmt *insert;
	sqlite3_stmt *insert_bundle;
	sqlite3_stmt *insert_note;
	sqlite3_stmt *insert_time;
	sqlite3_stmt *total;
	sqlite3_stmt *remove[3]; /* events, bundles and their times */
	sqlite3_stmt *unnote[2]; /* what no bundle refers to any more: place, rule */
	sqlite3_stmt *sweep[2];	 /* companions without an event: place, rule */
	struct store_intern boot, rule, place;
	int64_t next_id;  /* greater than every id ever used, kept over close and setting aside */
	int64_t first_id; /* no row is below */
	int64_t sweep_at[2];
	struct bundle bundle; /* that is being packed; empty between two commits */
	struct sink_notes notes;
	bool checked;	      /* looked for damage since it was last suspected */
	bool calm;	      /* commits are not forced to the disk now */
	bool unsynced;	      /* one was not since the last that was */
};

/* Return: 0; DB_E_DAMAGED, DB_E_NEWER; negative errno. *reterr_text as db_open_writer(). */
int sink_open(struct sink *sink, char **reterr_text);
void sink_close(struct sink *sink);
/* Commit the batch, in one transaction. Return: 0, event.id and refused are set in every node;
 * -ESTALE: the file was moved or written by another; -EBUSY: a reader holds the log and wal_max is
 * reached; -EBADMSG: damaged; other negative errno. After an error the sink must be closed, and
 * sink_has_batch() asked before the next attempt. */
int sink_commit(struct sink *sink, struct sink_node *batch, uint64_t *ret_removed,
		char **reterr_text);
/* Force to the disk what was committed and was not. Return: 0, negative errno. */
int sink_sync(struct sink *sink);
/* Did an attempt that reported an error reach the disk after all? Return: 1, 0, negative errno. */
int sink_has_batch(struct sink *sink, const struct sink_node *batch);
/* Closed sinks only. Ids of the new database go on where the old one's ended, as far as it can
 * still tell. Return: 0, negative errno. */
int sink_set_aside(struct sink *sink, const char *reason, char **ret_path);
