/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Each page that a commit changes is written whole, so what bundles are found by is written seldom: rules and places once for a
 * span of ids, times when the minute is another one (schema.h). What stands there already is remembered.
 */

#include "store/sink-bundles.h"

#include "store/sqlite.h"
#include "util/cleanup.h"

int sink_bundles_prepare(struct sink *sink)
{
	int rc = db_prepare(sink->db,
			    "INSERT INTO bundle (id, last, n, since_us, until_us, data)"
			    " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
			    &sink->insert_bundle);

	if (rc == SQLITE_OK)
		rc = db_prepare(sink->db,
				"INSERT OR IGNORE INTO bundle_note (what, key, span) VALUES (?1, ?2, ?3)",
				&sink->insert_note);
	if (rc == SQLITE_OK)
		rc = db_prepare(sink->db,
				"INSERT OR REPLACE INTO bundle_time (bundle, since, until) VALUES (?1, ?2, ?3)",
				&sink->insert_time);
	return rc;
}

static int done(sqlite3_stmt *stmt)
{
	int rc = sqlite3_step(stmt);

	(void)sqlite3_reset(stmt);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int time_note(struct sink *sink)
{
	const struct bundle *bundle = &sink->bundle;
	int64_t since = bundle->since_us / BUNDLE_MINUTE_US, until = bundle->until_us / BUNDLE_MINUTE_US;
	int rc;

	if (sink->notes.since == since && sink->notes.until == until && since != 0)
		return SQLITE_OK;
	(void)sqlite3_bind_int64(sink->insert_time, 1, bundle->first);
	(void)sqlite3_bind_int64(sink->insert_time, 2, since);
	(void)sqlite3_bind_int64(sink->insert_time, 3, until);
	rc = done(sink->insert_time);
	sink->notes.since = since;
	sink->notes.until = until;
	return rc;
}

int sink_bundle_write(struct sink *sink)
{
	struct bundle *bundle = &sink->bundle;
	int rc;

	if (bundle->n == 0)
		return SQLITE_OK;
	(void)sqlite3_bind_int64(sink->insert_bundle, 1, bundle->first);
	(void)sqlite3_bind_int64(sink->insert_bundle, 2, bundle->last);
	(void)sqlite3_bind_int64(sink->insert_bundle, 3, bundle->n);
	(void)sqlite3_bind_int64(sink->insert_bundle, 4, bundle->since_us);
	(void)sqlite3_bind_int64(sink->insert_bundle, 5, bundle->until_us);
	rc = sqlite3_bind_blob64(sink->insert_bundle, 6, bundle->data.data, bundle->data.len,
				 SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = done(sink->insert_bundle);
	if (rc == SQLITE_OK)
		rc = time_note(sink);
	bundle_reset(bundle);
	return rc;
}

/* The bundle has an event of this rule or place. To note it once more would do no harm. */
static int key_note(struct sink *sink, int what, int64_t key)
{
	struct sink_notes *notes = &sink->notes;
	int64_t span = sink->bundle.first - sink->bundle.first % BUNDLE_SPAN;
	int rc;

	if (key == 0)
		return SQLITE_OK;
	if (notes->span != span)
		*notes = (struct sink_notes){.span = span, .since = notes->since, .until = notes->until};
	for (size_t i = 0; i < SINK_NOTED; i++)
		if (notes->keys[what][i] == key)
			return SQLITE_OK;
	(void)sqlite3_bind_int(sink->insert_note, 1, what);
	(void)sqlite3_bind_int64(sink->insert_note, 2, key);
	(void)sqlite3_bind_int64(sink->insert_note, 3, span);
	rc = done(sink->insert_note);
	if (rc == SQLITE_OK)
		notes->keys[what][notes->n[what]++ % SINK_NOTED] = key;
	return rc;
}

int sink_bundle_add(struct sink *sink, const struct event *event, int64_t id, const int64_t keys[3])
{
	bool noted = bundle_has_keys(&sink->bundle, event, keys);
	int rc = bundle_add(&sink->bundle, event, id, keys);

	if (rc == SQLITE_OK && !noted)
		rc = key_note(sink, SINK_NOTE_RULE, keys[1]);
	if (rc == SQLITE_OK && !noted)
		rc = key_note(sink, SINK_NOTE_PLACE, keys[2]);
	if (rc == SQLITE_OK && bundle_is_full(&sink->bundle))
		rc = sink_bundle_write(sink);
	return rc;
}

void sink_bundles_close(struct sink *sink)
{
	(void)sqlite3_finalize(steal_ptr(sink->insert_bundle));
	(void)sqlite3_finalize(steal_ptr(sink->insert_note));
	(void)sqlite3_finalize(steal_ptr(sink->insert_time));
	bundle_deinit(&sink->bundle);
	sink->notes = (struct sink_notes){};
}
