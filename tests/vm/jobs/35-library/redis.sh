# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317 # the functions are called by expect
# shellcheck disable=SC2154 # run.sh sets outside
# 31-redis and 70-lockdown: commands, Lua, snapshots and the log in the background, CONFIG, stop.

# redis_server NAME PROFILE PORT
redis_server() {
	mkdir -p "/c/$1" && chown "$(ids_of redis)" "/c/$1"
	server "$1" "$2" --detach --user redis --volume "/c/$1:/var/lib/redis" --rootfs "$SERVERS:O" redis-server --port "$3" \
		--bind 127.0.0.1 --dir /var/lib/redis --appendonly yes --enable-protected-configs yes --enable-module-command yes
}
# redis_says PORT COMMAND: prints the answer's first line, and the second where the first is a length.
redis_says() {
	local line
	exec {redis}<>"/dev/tcp/127.0.0.1/$1" || return
	printf '%s\r\n' "$2" >&"$redis"
	IFS=$'\r' read -rt 30 line _ <&"$redis"
	[[ $line != \$* ]] || IFS=$'\r' read -rt 30 line _ <&"$redis"
	exec {redis}>&-
	printf '%s\n' "$line"
}
redis_says_ok() { [[ $(redis_says "$@") == +* ]] || { redis_says "$@"; return 1; }; }
redis_info() { # PORT LINE
	exec {redis}<>"/dev/tcp/127.0.0.1/$1" || return
	printf 'INFO persistence\r\nQUIT\r\n' >&"$redis"
	tr -d '\r' <&"$redis" >/tmp/redis.info
	exec {redis}>&-
	grep -x "$2" /tmp/redis.info
}
# redis_all NAME PORT: all the work there is.
redis_all() {
	expect "$1: it answers" until_ 60 redis_says_ok "$2" PING
	expect "$1: it keeps a value" redis_says_ok "$2" "SET k a-value"
	expect "$1: and gives it back" is a-value redis_says "$2" "GET k"
	expect "$1: a script in Lua" is a-value redis_says "$2" 'EVAL "return redis.call(string.lower(\"GET\"), KEYS[1])" 1 k'
	expect "$1: CONFIG SET" redis_says_ok "$2" "CONFIG SET maxmemory 100mb"
	expect "$1: a snapshot in the background" redis_says_ok "$2" BGSAVE
	expect "$1: is written" eval "until_ 30 redis_info $2 rdb_bgsave_in_progress:0 && redis_info $2 rdb_last_bgsave_status:ok && test -s /c/$1/dump.rdb"
	expect "$1: the log is rewritten" redis_says_ok "$2" BGREWRITEAOF
	expect "$1: in the background" eval "until_ 30 redis_info $2 aof_rewrite_in_progress:0 && redis_info $2 aof_last_bgrewrite_status:ok"
	expect "$1: none of it was refused" nothing_refused "$1"
}
redis_start() { redis_server redis redis 6379; }
redis_work() {
	expect "redis: it is governed" governed redis container-baseline no-drift redis
	redis_all redis 6379
}
redis_attacks() {
	# through its own commands, as most who get at one do
	cp /c/drop/libevil.so /c/redis/evil.so
	redis_says 6379 "CONFIG SET dir /etc" >/dev/null
	expect "redis: a snapshot in /etc is refused" grep -e -ERR <(redis_says 6379 SAVE)
	redis_says 6379 "CONFIG SET dir /var/lib/redis" >/dev/null
	expect "redis: a module that was dropped is not loaded" grep -e -ERR <(redis_says 6379 "MODULE LOAD /var/lib/redis/evil.so")
	expect "redis: both are recorded" is "deny redis file.deny /etc/**
deny redis exec.default: deny" what_was_recorded redis deny
	intruder redis redis redis-cli <<-END
		open read /etc/redis
		exec /usr/bin/dash -> deny redis exec.deny /usr/bin/*sh
		exec /usr/bin/curl -> deny redis exec.default: deny
		exec /tmp/dropped -> deny no-drift exec.deny /tmp/**
		mkdir /var/spool/cron -> deny redis file.deny /var/spool/cron/**
		open write,creat /root/.ssh -> deny redis file.deny /root/**
		open write /usr/bin/curl -> deny redis file.default: deny
		open read /etc/shadow -> deny redis file.deny /etc/shadow
		unshare-user -> deny redis kernel.namespaces: deny
	END
	expect "redis: it still answers" redis_says_ok 6379 PING
}

lockdown_start() { redis_server lockdown lockdown 6380; }
lockdown_work() {
	expect "lockdown: it is governed" governed lockdown container-baseline no-drift lockdown
	redis_all lockdown 6380
}
lockdown_attacks() {
	intruder lockdown lockdown redis-cli <<-END
		open read /etc/redis
		open read /etc/passwd -> deny lockdown file.default: deny
		open write,creat /tmp/x -> deny lockdown file.default: deny
		open read /tmp -> deny lockdown file.default: deny
		exec /usr/bin/curl -> deny lockdown exec.default: deny
		exec /usr/bin/dash -> kill lockdown exec.deny /usr/bin/*sh
		open read /etc/shadow -> kill lockdown file.deny /etc/shadow
		$(ways_out lockdown "$outside")
	END
	expect "lockdown: it still answers" redis_says_ok 6380 PING
}
