# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317 # the functions are called by expect
# shellcheck disable=SC2154 # run.sh sets outside
# 50-nginx: a site, reload, rotation of logs, stop.

nginx_start() {
	mkdir -p /c/nginx/log
	cat >/c/nginx/site <<-END
		server {
			listen 127.0.0.1:8080;
			root /var/www/html;
			index index.nginx-debian.html;
			location /upload { client_body_buffer_size 1k; proxy_pass http://127.0.0.1:8080/; }
		}
	END
	server web nginx --detach --volume /c/nginx/site:/etc/nginx/sites-available/default:ro \
		--volume /c/nginx/log:/var/log/nginx --rootfs "$SERVERS:O" nginx -g "daemon off;"
}
nginx_page() { page_has "Welcome to nginx" "http://127.0.0.1:8080/"; }
nginx_workers() { pgrep --parent "$(server_pid web)" | sort; }
nginx_reloads() {
	local before
	before=$(nginx_workers)
	in_server web 0:0 nginx -s reload </dev/null
	workers_are_new() { [[ $(nginx_workers) ]] && ! nginx_workers | grep -qFx "$before"; }
	until_ 30 workers_are_new
}
nginx_rotates() {
	mv /c/nginx/log/access.log /c/nginx/log/access.log.1 && kill -USR1 "$(server_pid web)" || return
	until_ 30 test -e /c/nginx/log/access.log && nginx_page && until_ 10 grep 'GET / ' /c/nginx/log/access.log
}
# A body that memory has no room for goes through a temporary file.
nginx_upload() { head -c 300000 /dev/zero | page --data-binary @- --output /dev/null --write-out '%{http_code}' "http://127.0.0.1:8080/upload" | grep -x -e 405 -e 200; }
nginx_work() {
	expect "nginx: it serves a page" until_ 60 nginx_page
	expect "nginx: it is governed" governed web container-baseline no-drift nginx
	expect "nginx: it reloads" nginx_reloads
	expect "nginx: its logs are rotated" nginx_rotates
	expect "nginx: it takes a large body" nginx_upload
	expect "nginx: none of it was refused" nothing_refused web
}
nginx_attacks() {
	intruder nginx nginx nginx <<-END
		open read /etc/nginx/nginx.conf
		exec /usr/bin/dash -> deny nginx exec.deny /usr/bin/*sh
		exec /usr/bin/curl -> deny nginx exec.deny /usr/bin/curl
		exec /usr/bin/perl -> deny nginx exec.default: deny
		exec /tmp/dropped -> deny no-drift exec.deny /tmp/**
		exec /tmp/copy -> deny no-drift exec.deny /tmp/**
		exec-tmpfile /tmp /usr/bin/curl -> deny no-drift exec.anonymous: deny
		map /usr/bin/curl -> deny nginx exec.deny /usr/bin/curl
		map /tmp/libevil.so -> deny no-drift exec.deny /tmp/**
		exec /usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 /usr/bin/curl -> deny nginx exec.default: deny
		open write /usr/bin/curl -> deny nginx file.default: deny
		open write /etc/nginx/nginx.conf -> deny nginx file.deny /etc/nginx/**
		open write,creat /var/www/html/shell.php -> deny nginx file.deny /var/www/**
		open read /etc/shadow -> deny nginx file.deny /etc/shadow
		open read /root/.profile -> deny nginx file.deny /root/**
		$(ways_out nginx "$outside")
	END
	refuse "nginx: podman exec has no shell" podman exec web sh -c true
	expect "nginx: it still serves a page" nginx_page
}
