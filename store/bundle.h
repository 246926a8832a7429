/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Bundles: events of the ordinary kind, which come by the hundred (allowed and recorded, exits), packed into one row of the
 * table `bundle`. A row of their own costs ten times as much, most of it for indexes, and what is looked for is
 * hardly ever one of them.
 *
 * Data of a bundle, for each event: 48 bits, which columns differ from the event before; then each of these. A number is
 * its difference (zigzag, seven bits a byte), anything else its length and one, 0: NULL, and its bytes. Columns: id, the keys
 * of boot, rule and place, and those of the table `event`. The highest bit says which of two rows of events it belongs to: execs and
 * exits take turns, and an event differs least from the one before of its own row. Before the first of a row all are zero and NULL.
 *
 * To SQL the events of all bundles are a table, `bundled`, with the columns of `event`: bundle_register(). It is walked in the
 * order of ids.
 */

#include <sqlite3.h>

#include "store/row.h"

/* Events of one bundle, at most: what has to be unpacked to find one of them. */
#define BUNDLE_EVENTS_MAX 256U
/* Bytes from which on no further event is packed. */
#define BUNDLE_DATA_MAX 65536U
/* id, keys, columns of an event; the bits of what differs */
#define BUNDLE_COLUMNS_MAX 48U
#define BUNDLE_ROW_BIT (BUNDLE_COLUMNS_MAX - 1U) /* no column has it */
#define BUNDLE_ROWS 2U
#define BUNDLE_KEYS 4U
/* What bundles refer to is noted once for those whose first ids lie in the same so many (schema.h). */
#define BUNDLE_SPAN 4096
#define BUNDLE_MINUTE_US 60000000
/* The same to SQL. */
#define BUNDLE_TEXT_OF(word) #word
#define BUNDLE_TEXT(word) BUNDLE_TEXT_OF(word)
#define BUNDLE_SPAN_OF(id) #id " - " #id " % " BUNDLE_TEXT(BUNDLE_SPAN)
#define BUNDLE_MINUTE_OF(us) #us " / " BUNDLE_TEXT(BUNDLE_MINUTE_US)

struct bundle {
	struct strbuf data;
	const struct event *before[BUNDLE_ROWS];    /* that were packed last, borrowed; NULL: none */
	int64_t keys[BUNDLE_ROWS][BUNDLE_KEYS]; /* theirs */
	unsigned n;
	int64_t first, last; /* ids */
	int64_t since_us, until_us;
};

/* Is the event of a kind that is bundled? */
bool bundle_takes(const struct event *event);
/* Pack one more event, whose id is the largest so far. It must live until bundle_reset(). keys: of
 * boot, rule and place; 0: none. Return: SQLITE_OK; SQLITE_RANGE: a code that row_read_event() would refuse, nothing was
 * packed; SQLITE_NOMEM. */
int bundle_add(struct bundle *bundle, const struct event *event, int64_t id, const int64_t keys[3]);
/* Are these the keys of the event of the same kind that was packed last? */
bool bundle_has_keys(const struct bundle *bundle, const struct event *event, const int64_t keys[3]);
/* Is there no room for another event? */
bool bundle_is_full(const struct bundle *bundle);
void bundle_reset(struct bundle *bundle); /* keeps the memory */
void bundle_deinit(struct bundle *bundle);

/* Unpack n events: n * bundle_columns() values, borrowed from data. Return: SQLITE_OK, SQLITE_CORRUPT. */
int bundle_unpack(const void *data, size_t len, size_t n, struct row_value *ret);
size_t bundle_columns(void);

/* The smallest and the largest id of all events; NULL: there is none. */
#define STORE_FIRST_ID "SELECT min(id) FROM (SELECT min(id) AS id FROM event UNION ALL SELECT min(id) FROM bundle)"
#define STORE_LAST_ID                                                                              \
	"SELECT max(id) FROM (SELECT max(id) AS id FROM event UNION ALL"                           \
	" SELECT last FROM bundle WHERE id = (SELECT max(id) FROM bundle))"

/* Make the table `bundled` known to a connection. Return: SQLite code. */
int bundle_register(sqlite3 *db);
