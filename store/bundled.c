/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The events of all bundles as a table to SQL (bundle.h). Which bundles are looked at: those whose
 * ids lie in the range that is asked for, and, of one place or one rule, those that have one of its
 * events. Everything else of a WHERE is SQLite's own affair, row by row. What lies in the file is
 * not believed: what cannot be unpacked is damage.
 */

#include "store/bundle.h"

#include <stdlib.h>
#include <string.h>

#include "store/sqlite.h"
#include "util/cleanup.h"

/* What a plan asks for; the values of the first four are handed over in this order. */
#define PLAN_LOW (1 << 0)
#define PLAN_HIGH (1 << 1)
#define PLAN_RULE (1 << 2)
#define PLAN_PLACE (1 << 3)
#define PLAN_REVERSE (1 << 4)
#define PLAN_VALUES 4

#define COLUMN_ID 0
#define COLUMN_RULE 2
#define COLUMN_PLACE 3

struct bundled_table {
	sqlite3_vtab base;
	sqlite3 *db;
};

struct bundled_cursor {
	sqlite3_vtab_cursor base;
	sqlite3_stmt *bundles;
	struct row_value *values; /* of all events of the bundle at hand, borrowed from its row */
	size_t n, at;
	int64_t low, high; /* ids */
	bool reverse, end;
};

static int bundled_connect(sqlite3 *db, void *userdata, int argc, const char *const *argv,
			   sqlite3_vtab **ret, char **reterr)
{
	_cleanup_strbuf_ struct strbuf sql = {};
	struct bundled_table *table;
	int rc;

	strbuf_puts(&sql, "CREATE TABLE x (id, boot, rule, place, ");
	row_names(ROW_EVENT, "", &sql);
	strbuf_puts(&sql, ")");
	if (strbuf_error(&sql) < 0)
		return SQLITE_NOMEM;
	rc = sqlite3_declare_vtab(db, strbuf_str(&sql));
	if (rc == SQLITE_OK)
		rc = sqlite3_vtab_config(db, SQLITE_VTAB_DIRECTONLY);
	if (rc != SQLITE_OK)
		return rc;
	table = sqlite3_malloc(sizeof(*table));
	if (!table)
		return SQLITE_NOMEM;
	*table = (struct bundled_table){.db = db};
	*ret = &table->base;
	return SQLITE_OK;
}

static int bundled_disconnect(sqlite3_vtab *vtab)
{
	sqlite3_free(vtab);
	return SQLITE_OK;
}

/* ---- the plan ---- */

/* Which PLAN_* bit a constraint is. 0: none, or one that is met already. */
static int constraint_plan(const struct sqlite3_index_constraint *c, int plan)
{
	bool is_id = c->iColumn == COLUMN_ID || c->iColumn == -1;
	int bit = 0;

	if (!c->usable)
		return 0;
	if (is_id && (c->op == SQLITE_INDEX_CONSTRAINT_GT || c->op == SQLITE_INDEX_CONSTRAINT_GE))
		bit = PLAN_LOW;
	else if (is_id &&
		 (c->op == SQLITE_INDEX_CONSTRAINT_LT || c->op == SQLITE_INDEX_CONSTRAINT_LE))
		bit = PLAN_HIGH;
	else if (c->iColumn == COLUMN_RULE && c->op == SQLITE_INDEX_CONSTRAINT_EQ)
		bit = PLAN_RULE;
	else if (c->iColumn == COLUMN_PLACE && c->op == SQLITE_INDEX_CONSTRAINT_EQ)
		bit = PLAN_PLACE;
	return bit & ~plan;
}

static int bundled_plan(sqlite3_vtab *vtab, sqlite3_index_info *info)
{
	int plan = 0, at[PLAN_VALUES] = {}, n = 0;

	for (int i = 0; i < info->nConstraint; i++) {
		int bit = constraint_plan(&info->aConstraint[i], plan);

		plan |= bit;
		if (bit)
			at[__builtin_ctz((unsigned)bit)] = i;
	}
	for (int i = 0; i < PLAN_VALUES; i++)
		if (plan & (1 << i))
			info->aConstraintUsage[at[i]].argvIndex = ++n;
	if (info->nOrderBy == 1 &&
	    (info->aOrderBy[0].iColumn == COLUMN_ID || info->aOrderBy[0].iColumn == -1)) {
		info->orderByConsumed = 1;
		plan |= info->aOrderBy[0].desc ? PLAN_REVERSE : 0;
	}
	info->idxNum = plan;
	info->estimatedCost =
		plan & (PLAN_LOW | PLAN_HIGH | PLAN_PLACE | PLAN_RULE) ? 1000.0 : 1000000.0;
	info->estimatedRows =
		plan & (PLAN_LOW | PLAN_HIGH | PLAN_PLACE | PLAN_RULE) ? 1000 : 1000000;
	return SQLITE_OK;
}

/* ---- walking ---- */

static int bundled_open(sqlite3_vtab *vtab, sqlite3_vtab_cursor **ret)
{
	struct bundled_cursor *cursor = sqlite3_malloc(sizeof(*cursor));

	if (!cursor)
		return SQLITE_NOMEM;
	*cursor = (struct bundled_cursor){};
	*ret = &cursor->base;
	return SQLITE_OK;
}

static int bundled_close(sqlite3_vtab_cursor *base)
{
	struct bundled_cursor *cursor = (struct bundled_cursor *)base;

	(void)sqlite3_finalize(cursor->bundles);
	free(cursor->values);
	sqlite3_free(cursor);
	return SQLITE_OK;
}

static int damaged(struct bundled_cursor *cursor)
{
	sqlite3_free(cursor->base.pVtab->zErrMsg);
	cursor->base.pVtab->zErrMsg = sqlite3_mprintf("bundle %lld cannot be read",
						      sqlite3_column_int64(cursor->bundles, 0));
	return SQLITE_CORRUPT;
}

/* Unpack the row that `bundles` stands at. */
static int bundle_load(struct bundled_cursor *cursor)
{
	int64_t n = sqlite3_column_int64(cursor->bundles, 1);
	const void *data = sqlite3_column_blob(cursor->bundles, 2);
	int len = sqlite3_column_bytes(cursor->bundles, 2);

	if (n <= 0 || n > (int64_t)BUNDLE_EVENTS_MAX || !data || len < 0)
		return damaged(cursor);
	cursor->n = (size_t)n;
	if (!cursor->values)
		cursor->values =
			calloc(BUNDLE_EVENTS_MAX * bundle_columns(), sizeof(cursor->values[0]));
	if (!cursor->values)
		return SQLITE_NOMEM;
	if (bundle_unpack(data, (size_t)len, cursor->n, cursor->values) != SQLITE_OK)
		return damaged(cursor);
	cursor->at = cursor->reverse ? cursor->n - 1 : 0;
	return SQLITE_OK;
}

static const struct row_value *cursor_value(const struct bundled_cursor *cursor, size_t column)
{
	return &cursor->values[cursor->at * bundle_columns() + column];
}

/* Stand at the next event, wherever it is. */
static int cursor_step(struct bundled_cursor *cursor)
{
	int rc;

	if (cursor->n > 0 && cursor->at != (cursor->reverse ? 0 : cursor->n - 1)) {
		cursor->at = cursor->reverse ? cursor->at - 1 : cursor->at + 1;
		return SQLITE_OK;
	}
	rc = sqlite3_step(cursor->bundles);
	cursor->end = rc == SQLITE_DONE;
	if (rc == SQLITE_ROW)
		return bundle_load(cursor);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int bundled_next(sqlite3_vtab_cursor *base)
{
	struct bundled_cursor *cursor = (struct bundled_cursor *)base;
	int rc;

	do {
		int64_t id;

		rc = cursor_step(cursor);
		if (rc != SQLITE_OK || cursor->end)
			return rc;
		id = cursor_value(cursor, COLUMN_ID)->number;
		if (cursor->reverse ? id < cursor->low : id > cursor->high) {
			cursor->end = true;
			return SQLITE_OK;
		}
		if (cursor->reverse ? id <= cursor->high : id >= cursor->low)
			return SQLITE_OK;
	} while (true);
}

/* The bundles of a plan: from the one that low may lie in. */
static int bundles_prepare(sqlite3 *db, int plan, sqlite3_stmt **ret)
{
	_cleanup_strbuf_ struct strbuf sql = {};

	strbuf_puts(&sql, "SELECT id, n, data FROM main.bundle AS b WHERE id <= ?2 AND"
			  " id >= coalesce((SELECT max(id) FROM main.bundle WHERE id <= ?1), ?1)");
	if (plan & PLAN_RULE)
		strbuf_puts(&sql,
			    " AND EXISTS (SELECT 1 FROM main.bundle_note WHERE what = 0 AND key = ?3"
			    " AND span = " BUNDLE_SPAN_OF(b.id) ")");
	if (plan & PLAN_PLACE)
		strbuf_puts(&sql,
			    " AND EXISTS (SELECT 1 FROM main.bundle_note WHERE what = 1 AND key = ?4"
			    " AND span = " BUNDLE_SPAN_OF(b.id) ")");
	strbuf_printf(&sql, " ORDER BY id %s", plan & PLAN_REVERSE ? "DESC" : "ASC");
	return strbuf_error(&sql) < 0 ? SQLITE_NOMEM
				      : sqlite3_prepare_v2(db, strbuf_str(&sql), -1, ret, NULL);
}

static int bundled_filter(sqlite3_vtab_cursor *base, int plan, const char *text, int argc,
			  sqlite3_value **argv)
{
	struct bundled_cursor *cursor = (struct bundled_cursor *)base;
	int64_t values[PLAN_VALUES] = {INT64_MIN, INT64_MAX};
	int rc, n = 0;

	for (int i = 0; i < PLAN_VALUES; i++)
		if ((plan & (1 << i)) && n < argc)
			values[i] = sqlite3_value_int64(argv[n++]);
	(void)sqlite3_finalize(steal_ptr(cursor->bundles));
	cursor->n = cursor->at = 0;
	cursor->low = values[0];
	cursor->high = values[1];
	cursor->reverse = plan & PLAN_REVERSE;
	rc = bundles_prepare(((struct bundled_table *)base->pVtab)->db, plan, &cursor->bundles);
	for (int i = 0; rc == SQLITE_OK && i < PLAN_VALUES; i++)
		if (i + 1 <= sqlite3_bind_parameter_count(cursor->bundles))
			rc = sqlite3_bind_int64(cursor->bundles, i + 1, values[i]);
	return rc == SQLITE_OK ? bundled_next(base) : rc;
}

static int bundled_is_end(sqlite3_vtab_cursor *base)
{
	return ((struct bundled_cursor *)base)->end;
}

static int bundled_column(sqlite3_vtab_cursor *base, sqlite3_context *context, int column)
{
	const struct row_value *v = cursor_value((struct bundled_cursor *)base, (size_t)column);

	if (v->form != ROW_IS_NUMBER && !v->data)
		sqlite3_result_null(context);
	else if (v->form == ROW_IS_TEXT)
		sqlite3_result_text64(context, v->data, v->len, SQLITE_TRANSIENT, SQLITE_UTF8);
	else if (v->form == ROW_IS_BLOB)
		sqlite3_result_blob64(context, v->data, v->len, SQLITE_TRANSIENT);
	else if (v->number == 0 && (column == COLUMN_RULE || column == COLUMN_PLACE))
		sqlite3_result_null(context); /* it has none */
	else
		sqlite3_result_int64(context, v->number);
	return SQLITE_OK;
}

static int bundled_rowid(sqlite3_vtab_cursor *base, sqlite3_int64 *ret)
{
	*ret = cursor_value((struct bundled_cursor *)base, COLUMN_ID)->number;
	return SQLITE_OK;
}

int bundle_register(sqlite3 *db)
{
	/* without xCreate: a table that is there by its name, and cannot be made */
	static const sqlite3_module module = {
		.xConnect = bundled_connect,
		.xBestIndex = bundled_plan,
		.xDisconnect = bundled_disconnect,
		.xOpen = bundled_open,
		.xClose = bundled_close,
		.xFilter = bundled_filter,
		.xNext = bundled_next,
		.xEof = bundled_is_end,
		.xColumn = bundled_column,
		.xRowid = bundled_rowid,
	};

	return sqlite3_create_module_v2(db, "bundled", &module, NULL, NULL);
}
