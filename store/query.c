/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Reading the store.
 *
 * A query is a walk over ids in pages of PAGE_ROWS. What narrows it is found first, in short reads
 * of their own: the range of ids that the time bounds leave, and the keys of the rules and places
 * that the globs select (temp tables). Between two pages nothing is held open. Values reach SQL as
 * bound parameters only; the text of a statement is made of constants.
 */

#include "store/query.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "store/bundle.h"
#include "store/row.h"
#include "store/sqlite.h"
#include "util/cleanup.h"

#define PAGE_ROWS 256
#define CONTAINER_ID_PREFIX_MIN 8

/* ---- filter -> SQL ---- */

/* Events stand in two tables with the same columns: in rows of their own, and in bundles
 * (bundle.h). */
static const char *const sources[] = {"event", "bundled"};

#define BINDS_MAX 16

struct clause {
	struct strbuf sql;
	struct clause_bind {
		const void *data; /* NULL: number */
		size_t len;
		int64_t number;
	} binds[BINDS_MAX];
	int n;
};

/* Append text with one `?` in it, which gets its number: the clause stands in a statement once for
 * each source. */
static void clause_puts(struct clause *c, const char *sql)
{
	const char *mark = strchr(sql, '?');

	strbuf_printf(&c->sql, "%.*s?%d%s", (int)(mark - sql), sql, c->n + 1, mark + 1);
}

static void clause_number(struct clause *c, const char *sql, int64_t number)
{
	clause_puts(c, sql);
	c->binds[c->n++] = (struct clause_bind){.number = number};
}

static void clause_glob(struct clause *c, const char *sql, const char *glob)
{
	clause_puts(c, sql);
	c->binds[c->n++] = (struct clause_bind){.data = glob, .len = strlen(glob)};
}

static int clause_bind(const struct clause *c, sqlite3_stmt *stmt)
{
	for (int i = 0; i < c->n; i++) {
		const struct clause_bind *b = &c->binds[i];
		int rc = b->data ? sqlite3_bind_blob64(stmt, i + 1, b->data, b->len, SQLITE_STATIC)
				 : sqlite3_bind_int64(stmt, i + 1, b->number);

		if (rc != SQLITE_OK)
			return rc;
	}
	return SQLITE_OK;
}

/* Fill a temp table with the keys a glob selects. *ret_n: how many; *ret_key: one of them. */
static int pick(sqlite3 *db, const char *sql, const char *table, const char *a, const char *b,
		int64_t *ret_n, int64_t *ret_key)
{
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *stmt = NULL;
	char text[128];
	int rc;

	(void)snprintf(text, sizeof(text),
		       "CREATE TEMP TABLE IF NOT EXISTS %s (key INTEGER PRIMARY KEY);"
		       "DELETE FROM temp.%s",
		       table, table);
	rc = db_exec(db, text);
	if (rc == SQLITE_OK)
		rc = db_prepare(db, sql, &stmt);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_blob64(stmt, 1, a ? a : "*", a ? strlen(a) : 1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_blob64(stmt, 2, b ? b : "*", b ? strlen(b) : 1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc != SQLITE_DONE)
		return rc;
	*ret_n = sqlite3_changes(db);
	(void)snprintf(text, sizeof(text), "SELECT key FROM temp.%s LIMIT 1", table);
	return db_value(db, text, ret_key);
}

/* One key: its index walks in the order of ids. Several: a walk over all ids is filtered, since
 * merging them would sort the whole result for each page. */
static void clause_picked(struct clause *c, const char *equal, const char *in, int64_t n,
			  int64_t key)
{
	if (n == 1)
		clause_number(c, equal, key);
	else
		strbuf_puts(&c->sql, in);
}

/* Return: SQLite code; *ret_none: nothing can match. */
static int clause_rule(struct clause *c, sqlite3 *db, const struct store_filter *filter,
		       bool *ret_none)
{
	const char *sql = "INSERT INTO temp.picked_rule SELECT key FROM main.rule"
			  " WHERE haetae_glob(?1, policy) AND haetae_glob(?2, rule_text)";
	int64_t n, key;
	int rc;

	if (!filter->policy && !filter->rule)
		return SQLITE_OK;
	if (!filter->rule)
		sql = "INSERT INTO temp.picked_rule SELECT key FROM main.rule"
		      " WHERE haetae_glob(?1, policy) AND ?2 IS NOT NULL";
	else if (!filter->policy)
		sql = "INSERT INTO temp.picked_rule SELECT key FROM main.rule"
		      " WHERE ?1 IS NOT NULL AND haetae_glob(?2, rule_text)";
	rc = pick(db, sql, "picked_rule", filter->policy, filter->rule, &n, &key);
	if (rc != SQLITE_OK)
		return rc;
	*ret_none |= n == 0;
	clause_picked(c, " AND e.rule = ?", " AND +e.rule IN temp.picked_rule", n, key);
	return SQLITE_OK;
}

static int clause_place(struct clause *c, sqlite3 *db, const struct store_filter *filter,
			bool *ret_none)
{
	const char *sql = "INSERT INTO temp.picked_place SELECT key FROM main.place"
			  " WHERE haetae_glob(?1, container) AND ?2 IS NOT NULL";
	int64_t n, key;
	int rc;

	if (!filter->container)
		return SQLITE_OK;
	if (strlen(filter->container) >= CONTAINER_ID_PREFIX_MIN)
		sql = "INSERT INTO temp.picked_place SELECT key FROM main.place"
		      " WHERE haetae_glob(?1, container)"
		      " OR substr(CAST(container_id AS BLOB), 1, length(?2)) = ?2";
	rc = pick(db, sql, "picked_place", filter->container, filter->container, &n, &key);
	if (rc != SQLITE_OK)
		return rc;
	*ret_none |= n == 0;
	clause_picked(c, " AND e.place = ?", " AND +e.place IN temp.picked_place", n, key);
	return SQLITE_OK;
}

static bool is_one_bit(uint32_t mask)
{
	return mask != 0 && (mask & (mask - 1)) == 0;
}

/* Everything but the range of ids. Times stay in it: the range is only where to look. */
static int clause_build(struct clause *c, sqlite3 *db, const struct store_filter *f, bool *ret_none)
{
	int rc = clause_rule(c, db, f, ret_none);

	if (rc == SQLITE_OK)
		rc = clause_place(c, db, f, ret_none);
	if (rc != SQLITE_OK)
		return rc;
	if (is_one_bit(f->verdicts))
		clause_number(c, " AND e.verdict = ?", __builtin_ctz(f->verdicts));
	else if (f->verdicts != 0)
		clause_number(c, " AND (1 << +e.verdict) & ?", f->verdicts);
	if (f->verdicts != 0)
		clause_number(c, " AND (1 << e.kind) & ?",
			      1 << EVENT_VERDICT | 1 << EVENT_AGGREGATE | 1 << EVENT_LOSS);
	if (f->kinds != 0)
		clause_number(c, " AND (1 << e.kind) & ?", f->kinds);
	if (f->ops != 0)
		clause_number(c, " AND e.op & ?", f->ops);
	if (f->since_us != 0)
		clause_number(c, " AND +e.realtime_us >= ?", f->since_us);
	if (f->until_us != 0)
		clause_number(c, " AND +e.realtime_us <= ?", f->until_us);
	if (f->exe)
		clause_glob(c, " AND haetae_glob(?, e.exe)", f->exe);
	if (f->path)
		clause_glob(c, " AND haetae_glob(?, e.path)", f->path);
	return strbuf_error(&c->sql) < 0 ? SQLITE_NOMEM : SQLITE_OK;
}

/* ---- the range of ids ---- */

struct range {
	int64_t low, high; /* both inside; low > high: empty */
};

static int value_of_number(sqlite3 *db, const char *sql, int64_t number, int64_t *ret)
{
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *stmt = NULL;
	int rc = db_prepare(db, sql, &stmt);

	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(stmt, 1, number);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc != SQLITE_ROW)
		return rc == SQLITE_DONE ? SQLITE_CORRUPT : rc; /* an aggregate has a row */
	*ret = sqlite3_column_int64(stmt, 0);
	return SQLITE_OK;
}

/* Of bundles it is known in which minutes they lie, and of which of them it is told together: what these say is wider than what
 * is asked for. */
#define MIN_US                                                                                     \
	"SELECT min(us) FROM (SELECT min(realtime_us) AS us FROM event UNION ALL SELECT "          \
	"min(since) * " BUNDLE_TEXT(BUNDLE_MINUTE_US) " FROM bundle_time)"
#define MAX_US                                                                                     \
	"SELECT max(us) FROM (SELECT max(realtime_us) AS us FROM event UNION ALL SELECT "          \
	"(max(until) + 1) * " BUNDLE_TEXT(BUNDLE_MINUTE_US) " FROM bundle_time)"
#define FIRST_SINCE                                                                                \
	"SELECT min(id) FROM (SELECT min(id) AS id FROM event WHERE realtime_us >= ?1"             \
	" UNION ALL SELECT min(bundle) FROM bundle_time WHERE until >= " BUNDLE_MINUTE_OF(?1) ")"
#define LAST_UNTIL                                                                                 \
	"SELECT max(id) FROM (SELECT max(id) AS id FROM event WHERE realtime_us <= ?1"             \
	" UNION ALL SELECT coalesce((SELECT min(bundle) - 1 FROM bundle_time WHERE bundle > t.last)," \
	" (SELECT max(last) FROM bundle WHERE id = (SELECT max(id) FROM bundle)))"                 \
	" FROM (SELECT max(bundle) AS last FROM bundle_time WHERE since <= " BUNDLE_MINUTE_OF(?1) ") AS t" \
	" WHERE t.last IS NOT NULL)"

/* The clock can step, so ids and times need not agree: the bounds are the extreme ids in the span,
 * looked for only where the span does not cover everything. */
static int range_find(sqlite3 *db, const struct store_filter *f, struct range *ret)
{
	struct range range = {.low = f->after_id + 1};
	int64_t bound = 0, id = 0;
	int rc = db_value(db, STORE_LAST_ID, &range.high);

	if (rc == SQLITE_OK && f->since_us != 0) {
		rc = db_value(db, MIN_US, &bound);
		if (rc == SQLITE_OK && bound < f->since_us) {
			rc = value_of_number(db, FIRST_SINCE, f->since_us, &id);
			if (id == 0)
				range.high = 0;
			if (id > range.low)
				range.low = id;
		}
	}
	if (rc == SQLITE_OK && f->until_us != 0) {
		rc = db_value(db, MAX_US, &bound);
		if (rc == SQLITE_OK && bound > f->until_us) {
			rc = value_of_number(db, LAST_UNTIL, f->until_us, &id);
			if (id < range.high)
				range.high = id;
		}
	}
	*ret = range;
	return rc;
}

/* How many of the sources can have what a filter asks for: what is bundled was allowed. */
static size_t sources_of(const struct store_filter *f)
{
	bool verdicts = f->verdicts == 0 || (f->verdicts & (1U << HT_VERDICT_ALLOW));
	bool kinds = f->kinds == 0 || (f->kinds & (1U << EVENT_VERDICT | 1U << EVENT_EXIT));

	return verdicts && kinds ? ARRAY_LEN(sources) : 1;
}

/* The id from which on the newest `limit` matching rows lie. */
static int range_limit(sqlite3 *db, const struct clause *filter, size_t n_sources, uint64_t limit,
		       struct range *range)
{
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *stmt = NULL;
	_cleanup_strbuf_ struct strbuf sql = {};
	int64_t offset = limit > INT64_MAX ? INT64_MAX : (int64_t)limit - 1;
	int rc;

	for (size_t i = 0; i < n_sources; i++)
		strbuf_printf(&sql,
			      "%sSELECT e.id FROM %s AS e WHERE 1%s AND e.id BETWEEN ?%d AND ?%d",
			      i > 0 ? " UNION ALL " : "", sources[i], strbuf_str(&filter->sql),
			      filter->n + 1, filter->n + 2);
	strbuf_printf(&sql, " ORDER BY 1 DESC LIMIT 1 OFFSET ?%d", filter->n + 3);
	if (strbuf_error(&sql) < 0)
		return SQLITE_NOMEM;
	rc = db_prepare(db, strbuf_str(&sql), &stmt);
	if (rc == SQLITE_OK)
		rc = clause_bind(filter, stmt);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(stmt, filter->n + 1, range->low);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(stmt, filter->n + 2, range->high);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(stmt, filter->n + 3, offset);
	if (rc == SQLITE_OK)
		rc = sqlite3_step(stmt);
	if (rc == SQLITE_ROW)
		range->low = sqlite3_column_int64(stmt, 0);
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* ---- pages ---- */

struct page {
	struct event events[PAGE_ROWS];
	size_t n;
};

static void page_clear(struct page *page)
{
	for (size_t i = 0; i < page->n; i++)
		event_deinit(&page->events[i]);
	page->n = 0;
}

static struct page *page_free(struct page *page)
{
	if (page)
		page_clear(page);
	free(page);
	return NULL;
}

DEFINE_CLEANUP(struct page *, page_freep, page_free)

/* One short read: up to `max` rows of the range. Return: 0, negative errno. */
static int page_read(sqlite3_stmt *stmt, int first_bind, const struct range *range, uint64_t max,
		     struct page *page)
{
	int rc, r = 0;

	(void)sqlite3_bind_int64(stmt, first_bind, range->low);
	(void)sqlite3_bind_int64(stmt, first_bind + 1, range->high);
	(void)sqlite3_bind_int64(stmt, first_bind + 2, max < PAGE_ROWS ? (int64_t)max : PAGE_ROWS);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW && page->n < PAGE_ROWS) {
		r = row_read_event(stmt, &page->events[page->n]);
		if (r < 0)
			break;
		page->n++;
	}
	/* ends the read transaction */
	(void)sqlite3_reset(stmt);
	if (r < 0)
		return r;
	return rc == SQLITE_DONE ? 0 : db_errno(rc);
}

static int pages_walk(sqlite3_stmt *stmt, int first_bind, struct range range,
		      const struct store_filter *filter,
		      int (*each)(const struct event *event, void *userdata), void *userdata)
{
	_cleanup_(page_freep) struct page *page = calloc(1, sizeof(*page));
	uint64_t left = filter->limit ? filter->limit : UINT64_MAX;

	if (!page)
		return -ENOMEM;
	while (range.low <= range.high && left > 0) {
		int r = page_read(stmt, first_bind, &range, left, page);

		if (r < 0)
			return r;
		if (page->n == 0)
			break;
		left -= page->n;
		if (filter->reverse)
			range.high = page->events[page->n - 1].id - 1;
		else
			range.low = page->events[page->n - 1].id + 1;
		for (size_t i = 0; i < page->n; i++) {
			r = each(&page->events[i], userdata);
			if (r != 0)
				return r;
		}
		page_clear(page);
	}
	return 0;
}

/* The statement of a page: both sources are walked side by side in the order of ids. */
static int pages_prepare(sqlite3 *db, const struct clause *clause,
			 const struct store_filter *filter, sqlite3_stmt **ret)
{
	_cleanup_strbuf_ struct strbuf sql = {};

	for (size_t i = 0; i < sources_of(filter); i++) {
		strbuf_puts(&sql, i > 0 ? " UNION ALL " : "");
		row_select(sources[i], &sql);
		strbuf_printf(&sql, " WHERE 1%s AND e.id BETWEEN ?%d AND ?%d",
			      strbuf_str(&clause->sql), clause->n + 1, clause->n + 2);
	}
	strbuf_printf(&sql, " ORDER BY 1 %s LIMIT ?%d", filter->reverse ? "DESC" : "ASC",
		      clause->n + 3);
	return strbuf_error(&sql) < 0 ? SQLITE_NOMEM : db_prepare(db, strbuf_str(&sql), ret);
}

int store_query(struct store_reader *reader, const struct store_filter *filter,
		int (*each)(const struct event *event, void *userdata), void *userdata)
{
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *stmt = NULL;
	struct clause clause = {};
	struct range range;
	bool none = false;
	int r;

	r = store_reader_refresh(reader);
	if (r < 0)
		return r;
	/* the keys are picked after the range is known: they cover every row in it */
	r = range_find(reader->db, filter, &range);
	if (r == SQLITE_OK)
		r = clause_build(&clause, reader->db, filter, &none);
	if (r == SQLITE_OK && filter->limit > 0 && !filter->reverse && !none)
		r = range_limit(reader->db, &clause, sources_of(filter), filter->limit, &range);
	if (r == SQLITE_OK && !none)
		r = pages_prepare(reader->db, &clause, filter, &stmt);
	if (r == SQLITE_OK && !none)
		r = clause_bind(&clause, stmt);
	strbuf_deinit(&clause.sql);
	if (r != SQLITE_OK || none)
		return db_errno(r);
	return pages_walk(stmt, clause.n + 1, range, filter, each, userdata);
}

/* Prepare to read the one event that a condition selects, of several the one with the largest id.
 * Return: 0, -errno. */
static int event_select(struct store_reader *reader, const char *where, sqlite3_stmt **ret)
{
	_cleanup_strbuf_ struct strbuf sql = {};
	int r;

	r = store_reader_refresh(reader);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(sources); i++) {
		strbuf_puts(&sql, i > 0 ? " UNION ALL " : "");
		row_select(sources[i], &sql);
		strbuf_puts(&sql, where);
	}
	strbuf_puts(&sql, " ORDER BY 1 DESC LIMIT 1");
	if (strbuf_error(&sql) < 0)
		return -ENOMEM;
	r = db_prepare(reader->db, strbuf_str(&sql), ret);
	return r == SQLITE_OK ? 0 : db_errno(r);
}

/* The one event that a statement selects. bound: what binding its values came to. Return: 0,
 * -ENOENT, other -errno. */
static int event_step(sqlite3_stmt *stmt, int bound, struct event *ret)
{
	int r = bound == SQLITE_OK ? sqlite3_step(stmt) : bound;

	if (r == SQLITE_DONE)
		return -ENOENT;
	return r == SQLITE_ROW ? row_read_event(stmt, ret) : db_errno(r);
}

int store_get(struct store_reader *reader, int64_t id, struct event *ret)
{
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *stmt = NULL;
	int r;

	r = event_select(reader, " WHERE e.id = ?1", &stmt);
	return r < 0 ? r : event_step(stmt, sqlite3_bind_int64(stmt, 1, id), ret);
}

/* Walks the ids down, as what is asked for lies near. */
int store_get_process(struct store_reader *reader, const uint8_t boot_id[16], uint32_t pid,
		      uint64_t start_ns, int64_t until_id, struct event *ret)
{
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *stmt = NULL;
	int r;

	r = event_select(reader,
			 " WHERE e.id <= ?1 AND e.pid = ?2 AND e.start_ns = ?3 AND e.kind = ?4"
			 " AND e.boot IN (SELECT key FROM boot WHERE boot_id = ?5)",
			 &stmt);
	if (r < 0)
		return r;
	r = sqlite3_bind_int64(stmt, 1, until_id);
	if (r == SQLITE_OK)
		r = sqlite3_bind_int64(stmt, 2, pid);
	if (r == SQLITE_OK)
		r = sqlite3_bind_int64(stmt, 3, (int64_t)start_ns);
	if (r == SQLITE_OK)
		r = sqlite3_bind_int64(stmt, 4, EVENT_VERDICT);
	if (r == SQLITE_OK)
		r = sqlite3_bind_blob(stmt, 5, boot_id, 16, SQLITE_STATIC);
	return event_step(stmt, r, ret);
}

int store_totals(struct store_reader *reader, const uint8_t boot_id[16], struct store_totals *ret)
{
	_cleanup_(sqlite3_finalizep) sqlite3_stmt *stmt = NULL;
	struct store_totals totals = {};
	int64_t rows = 0;
	int r;

	r = store_reader_refresh(reader);
	if (r < 0)
		return r;
	r = db_value(
		reader->db,
		"SELECT (SELECT count(*) FROM event) + (SELECT coalesce(sum(n), 0) FROM bundle)",
		&rows);
	if (r == SQLITE_OK)
		r = db_prepare(reader->db,
			       "SELECT kind, verdict, count FROM total"
			       " WHERE boot IN (SELECT key FROM boot WHERE boot_id = ?1)",
			       &stmt);
	if (r == SQLITE_OK)
		r = sqlite3_bind_blob(stmt, 1, boot_id, 16, SQLITE_STATIC);
	if (r != SQLITE_OK)
		return db_errno(r);
	totals.rows = (uint64_t)rows;
	while ((r = sqlite3_step(stmt)) == SQLITE_ROW) {
		int64_t kind = sqlite3_column_int64(stmt, 0),
			verdict = sqlite3_column_int64(stmt, 1);
		uint64_t count = (uint64_t)sqlite3_column_int64(stmt, 2);

		if (verdict < 0 || verdict >= (int64_t)HT_VERDICT_MAX)
			return -EBADMSG;
		if (kind == EVENT_VERDICT)
			totals.verdicts[verdict] += count;
		else if (kind == EVENT_AGGREGATE)
			totals.aggregated[verdict] += count;
		else if (kind == EVENT_LOSS)
			totals.lost[verdict] += count;
	}
	if (r != SQLITE_DONE)
		return db_errno(r);
	*ret = totals;
	return 0;
}
