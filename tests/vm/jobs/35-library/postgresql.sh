# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317 # the functions are called by expect
# shellcheck disable=SC2016 # eval, and shells elsewhere, are handed what they shall expand
# 30-postgresql: initdb under its own policy; start, queries, the compiler, vacuum, reload, checkpoint, pgbench, stop.

pg_run() { # NAME PROFILE OPTION... COMMAND...
	server "$1" "$2" --user postgres --shm-size 64m --volume /c/pg:/var/lib/postgresql --volume /c/pg.run:/run/postgresql "${@:3}"
}
postgresql_start() {
	mkdir -p /c/pg /c/pg.run && chown "$(ids_of postgres)" /c/pg /c/pg.run
	pg_run db-init postgresql-init --rootfs "$SERVERS:O" "$PG"/initdb --no-sync --pgdata /var/lib/postgresql/data --locale C.UTF-8 || return
	pg_run db postgresql --detach --rootfs "$SERVERS:O" "$PG"/postgres -D /var/lib/postgresql/data
}
pg_exec() { in_server db "$(ids_of postgres)" "$@"; }
pg_ready() { pg_exec "$PG"/pg_isready </dev/null; }
pg_sql() { pg_exec "$PG"/psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP="${ON_ERROR_STOP:-1}"; }
pg_all() {
	pg_sql <<-'END'
		CREATE TABLE t (a int PRIMARY KEY, b text);
		INSERT INTO t SELECT i, md5(i::text) FROM generate_series(1, 2000) i;
		SELECT count(*), sum(a) FROM t;
		SET jit = on; SET jit_above_cost = 0; SET jit_inline_above_cost = 0; SET jit_optimize_above_cost = 0;
		EXPLAIN (ANALYZE, TIMING OFF) SELECT sum(a), max(b) FROM t WHERE a % 3 = 1;
		SET jit = off;
		CREATE INDEX ON t (b);
		UPDATE t SET b = b || 'x';
		SET work_mem = '64kB'; SELECT count(*) FROM (SELECT a.b FROM t a, generate_series(1, 3) ORDER BY a.b) s;
		VACUUM FULL t; VACUUM ANALYZE;
		ALTER SYSTEM SET work_mem = '5MB'; SELECT pg_reload_conf();
		CHECKPOINT; SELECT pg_switch_wal() IS NOT NULL;
		CREATE DATABASE second; DROP DATABASE second;
	END
}
pg_bench() {
	pg_exec "$PG"/pgbench --initialize --quiet --scale 1 postgres </dev/null &&
		pg_exec "$PG"/pgbench --client 2 --jobs 2 --transactions 20 postgres </dev/null
}
postgresql_work() {
	expect "postgresql: initdb has made a cluster" test -e /c/pg/data/PG_VERSION
	expect "postgresql: none of that was refused" nothing_refused db-init
	expect "postgresql: the server starts" until_ 60 pg_ready
	expect "postgresql: it is governed" governed db container-baseline no-drift postgresql
	pg_all >/out/pg.all 2>&1
	expect "postgresql: tables, indexes, vacuum, checkpoint" grep -Fx '2000|2001000' /out/pg.all
	expect "postgresql: the compiler made code" grep -w JIT /out/pg.all
	expect "postgresql: to the end" eval '[[ $(tail -n 1 /out/pg.all) == t ]] || { cat /out/pg.all; false; }'
	expect "postgresql: pgbench" pg_bench
	expect "postgresql: none of it was refused" nothing_refused db
}
postgresql_attacks() {
	ON_ERROR_STOP=0 pg_sql >/out/pg.attacks 2>&1 <<-'END'
		COPY t FROM PROGRAM 'id';
		COPY (SELECT 'host all all all trust') TO '/var/lib/postgresql/data/pg_hba.conf';
		COPY (SELECT 'x') TO '/var/tmp/x';
		SELECT 'alive';
	END
	expect "postgresql: no program runs" grep 'could not execute command "id"' /out/pg.attacks
	expect "postgresql: who may log in, a file elsewhere: refused" is 2 grep -c "Operation not permitted" /out/pg.attacks
	expect "postgresql: all three are recorded" is "$(cat <<-END
		deny postgresql exec.deny /usr/bin/*sh
		deny postgresql file.deny /var/lib/postgresql/data/pg_hba.conf
		deny postgresql file.default: deny
	END
	)" what_was_recorded db deny
	expect "postgresql: and the server goes on" grep -x alive /out/pg.attacks
	intruder postgresql postgresql "$PG"/psql <<-END
		open read /etc/postgresql
		exec /usr/bin/dash -> deny postgresql exec.deny /usr/bin/*sh
		exec /usr/bin/curl -> deny postgresql exec.default: deny
		exec /tmp/dropped -> deny no-drift exec.deny /tmp/**
		open write /usr/bin/curl -> deny postgresql file.default: deny
		open read /etc/shadow -> deny postgresql file.deny /etc/shadow
		unshare-user -> deny postgresql kernel.namespaces: deny
	END
	expect "postgresql: it is ready" pg_ready
}
