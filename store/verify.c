/* SPDX-License-Identifier: Apache-2.0 */

/* Is the store whole? SQLite's own check of the file first, then what the schema promises and SQL
 * cannot declare, each as a count of rows that break it. */

#include "store/query.h"

#include <errno.h>
#include <string.h>

#include "store/bundle.h"
#include "store/row.h"
#include "store/sqlite.h"
#include "util/strbuf.h"

/* Columns of all events, bundled or not. */
#define EVERY(columns) "(SELECT " columns " FROM event UNION ALL SELECT " columns " FROM bundled)"

static const struct {
	const char *sql;
	const char *text; /* behind the number */
} invariants[] = {
	{"SELECT count(*) FROM " EVERY("boot") " WHERE boot NOT IN (SELECT key FROM boot)",
	 "events of an unknown boot"},
	{"SELECT count(*) FROM " EVERY(
		 "rule") " WHERE rule IS NOT NULL AND rule NOT IN (SELECT key FROM rule)",
	 "events of an unknown rule"},
	{"SELECT count(*) FROM " EVERY(
		 "place") " WHERE place IS NOT NULL AND place NOT IN (SELECT key FROM place)",
	 "events of an unknown place"},
	{"SELECT count(*) FROM bundle AS b WHERE last >= (SELECT min(id) FROM bundle AS c WHERE "
	 "c.id > b.id)",
	 "bundles that overlap"},
	{"SELECT count(*) FROM bundle AS b WHERE (SELECT count(*) FROM bundled AS e WHERE e.id "
	 "BETWEEN b.id AND"
	 " b.last AND e.realtime_us BETWEEN b.since_us AND b.until_us) != n"
	 " OR id != (SELECT min(e.id) FROM bundled AS e WHERE e.id BETWEEN b.id AND b.last)"
	 " OR last != (SELECT max(e.id) FROM bundled AS e WHERE e.id BETWEEN b.id AND b.last)",
	 "bundles that say something else of their events"},
	{"SELECT count(*) FROM bundled AS e JOIN bundle AS b ON b.id = (SELECT max(id) FROM bundle WHERE id <= e.id)"
	 " WHERE rule IS NOT NULL AND NOT EXISTS (SELECT 1 FROM bundle_note WHERE what = 0 AND key = e.rule"
	 " AND span = " BUNDLE_SPAN_OF(b.id) ")"
	 " OR place IS NOT NULL AND NOT EXISTS (SELECT 1 FROM bundle_note WHERE what = 1 AND key = e.place"
	 " AND span = " BUNDLE_SPAN_OF(b.id) ")",
	 "events whose bundle is not found by their rule or place"},
	{"SELECT count(*) FROM bundle AS b LEFT JOIN bundle_time AS t"
	 " ON t.bundle = (SELECT max(bundle) FROM bundle_time WHERE bundle <= b.id)"
	 " WHERE t.bundle IS NULL OR " BUNDLE_MINUTE_OF(since_us) " < since OR " BUNDLE_MINUTE_OF(until_us) " > until",
	 "bundles that are not found by their time"},
	{"SELECT count(*) FROM boot WHERE boot_id IN"
	 " (SELECT boot_id FROM boot GROUP BY boot_id HAVING count(*) > 1)",
	 "boots that stand more than once"},
	/* removing old events leaves the totals alone, so they can only be larger */
	{"SELECT count(*) FROM (SELECT boot, kind, verdict, sum(count) AS n FROM " EVERY(
		 "boot, kind, verdict, count") " GROUP BY 1, 2, 3) AS s"
					       " LEFT JOIN total AS t ON t.boot = s.boot AND "
					       "t.kind = s.kind AND t.verdict = s.verdict"
					       " WHERE t.count IS NULL OR t.count < s.n",
	 "totals smaller than the events they count"},
	{"SELECT count(*) FROM total WHERE count < 0", "totals below zero"},
};

static int integrity_check(sqlite3 *db, struct strbuf *b)
{
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *stmt = NULL;
	int rc = db_prepare(db, "PRAGMA integrity_check(20)", &stmt);

	if (rc != SQLITE_OK)
		return rc;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		const char *text = (const char *)sqlite3_column_text(stmt, 0);

		if (!text)
			return SQLITE_NOMEM;
		if (strcmp(text, "ok") != 0)
			strbuf_printf(b, "%s\n", text);
	}
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* Every row must be readable as an event: its codes known, its names of their types. */
static int rows_check(struct store_reader *reader, const char *events, struct strbuf *b)
{
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *stmt = NULL;
	_cleanup_strbuf_ struct strbuf sql = {};
	uint64_t bad = 0;
	int rc;

	row_select(events, &sql);
	if (strbuf_error(&sql) < 0)
		return SQLITE_NOMEM;
	rc = db_prepare(reader->db, strbuf_str(&sql), &stmt);
	if (rc != SQLITE_OK)
		return rc;
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		struct event event = {};
		int r = row_read_event(stmt, &event);

		if (r == -ENOMEM)
			return SQLITE_NOMEM;
		if (r < 0)
			bad++;
		else
			event_deinit(&event);
	}
	if (rc != SQLITE_DONE)
		return rc;
	if (bad > 0)
		strbuf_printf(b, "%llu events that cannot be read\n", (unsigned long long)bad);
	return SQLITE_OK;
}

static int invariants_check(sqlite3 *db, struct strbuf *b)
{
	for (size_t i = 0; i < ARRAY_LEN(invariants); i++) {
		int64_t n = 0;
		int rc = db_value(db, invariants[i].sql, &n);

		if (rc != SQLITE_OK)
			return rc;
		if (n > 0)
			strbuf_printf(b, "%lld %s\n", (long long)n, invariants[i].text);
	}
	return SQLITE_OK;
}

int store_verify(struct store_reader *reader, char **reterr_text)
{
	_cleanup_strbuf_ struct strbuf b = {};
	int rc;

	*reterr_text = NULL;
	rc = integrity_check(reader->db, &b);
	if (rc == SQLITE_OK && b.len == 0)
		rc = invariants_check(reader->db, &b);
	if (rc == SQLITE_OK && b.len == 0)
		rc = rows_check(reader, "event", &b);
	if (rc == SQLITE_OK && b.len == 0)
		rc = rows_check(reader, "bundled", &b);
	if (db_errno(rc) == -EBADMSG)
		strbuf_printf(&b, "%s\n", sqlite3_errmsg(reader->db));
	else if (rc != SQLITE_OK)
		return db_errno(rc);
	if (strbuf_error(&b) < 0)
		return -ENOMEM;
	if (b.len == 0)
		return 0;
	*reterr_text = strbuf_steal(&b);
	return *reterr_text ? STORE_E_DAMAGED : -ENOMEM;
}
