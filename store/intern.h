/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/* The companions of an event (boot, rule, place): each content is one row, found again by a small
 * cache in front of the table. Used by the writer, inside its transaction. */

#include <sqlite3.h>
#include <stdint.h>

#include "store/row.h"

/* Distinct rules and places that are active at one time are few; a miss costs one indexed SELECT.
 */
#define INTERN_SLOTS 512U

struct store_intern_slot {
	char *content; /* row_content(), NULL: free */
	size_t len;
	int64_t key;
};

struct store_intern {
	enum row_table table;
	sqlite3_stmt *find;
	sqlite3_stmt *insert;
	struct strbuf scratch;
	struct store_intern_slot slots[INTERN_SLOTS];
};

/* Return: SQLite code. */
int store_intern_init(struct store_intern *intern, sqlite3 *db, enum row_table table);
/* The key of the event's row in the table, inserted if it is new; 0 if it has nothing to say there.
 * Return: SQLite code. */
int store_intern_key(struct store_intern *intern, const struct event *event, int64_t *ret_key);
/* Forget every key: after a rollback or a removal they may not exist. */
void store_intern_forget(struct store_intern *intern);
void store_intern_deinit(struct store_intern *intern);
