#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# Real work under enforced allow-lists, of which nothing may be refused: packages are installed, a program is built and run,
# Python tests itself, git clones, commits and packs, and the library's PostgreSQL and nginx are loaded. And packages on the host
# and in a container that nobody governs.
# shellcheck disable=SC2317 # the functions are called by expect
# shellcheck disable=SC2016 # shells elsewhere are handed what they shall expand
# shellcheck source=tests/lib/haetae.sh
source /src/tests/lib/haetae.sh
# shellcheck source=tests/vm/jobs/35-library/library.sh
source /src/tests/vm/jobs/35-library/library.sh
# shellcheck source=tests/vm/jobs/35-library/postgresql.sh
source /src/tests/vm/jobs/35-library/postgresql.sh
# shellcheck source=tests/vm/jobs/35-library/nginx.sh
source /src/tests/vm/jobs/35-library/nginx.sh

WORKLOADS=/var/lib/haetae-rig/workloads-root
mkdir -p /c/everyday /c/build
# workload PROFILE SCRIPT: bash runs it in a container of that profile.
workload() {
	server "$1" "$1" --volume /c/everyday:/everyday --volume /c/build:/build --rootfs "$WORKLOADS:O" bash -ec "$2" >"/out/$1" 2>&1 </dev/null ||
		{ tail -n 30 "/out/$1"; return 1; }
}
# did NAME TEXT: its output has it
did() { grep -F -- "$2" "/out/$1"; }
# looked_at NAME: and nothing of it was refused
looked_at() { expect "$1: none of it was refused (after $SECONDS s)" nothing_refused "$1"; }

adopt 10-container-baseline 30-postgresql 50-nginx
install -m 0644 policies.yaml "$POLICIES/60-workloads.yaml"
must "the agent starts" agent_start

# ---- packages ----
expect "install: apt-get installs three packages" workload install '
	! command -v hello && mkdir -p /etc/apt/apt.conf.d /etc/apt/sources.list.d /etc/apt/preferences.d
	cd /usr/src && apt-get -o APT::Sandbox::User=root --yes install ./*.deb
	hello && python3 -c "import yaml; print(yaml.safe_load(\"[1, 2]\"), yaml.__with_libyaml__)"
	apt-get --yes purge hello && test ! -e /usr/bin/hello'
expect "install: what they brought runs" did install "Hello, world!"
expect "install: a library among it" did install "[1, 2] True"
looked_at install

# ---- nobody's packages: on the host itself, and in a container that no policy selects ----
refusals() { settle >&2 && ledger deny; }
before=$(refusals)
host_installs() {
	dpkg --install "$WORKLOADS"/usr/src/hello_*.deb "$WORKLOADS"/usr/src/libyaml-0-2_*.deb && hello && dpkg --purge hello && test ! -e /usr/bin/hello
}
nobody_installs() {
	podman run --quiet --rm --name nobody --network none --rootfs "$WORKLOADS:O" bash -ec '
		mkdir -p /etc/apt/apt.conf.d /etc/apt/sources.list.d /etc/apt/preferences.d
		cd /usr/src && apt-get -o APT::Sandbox::User=root --yes install ./hello_*.deb && hello'
}
expect "nobody: the host installs and removes packages" host_installs
expect "nobody: an ungoverned container does" nobody_installs
expect "nobody: systemd starts itself anew, and its services" eval 'systemctl daemon-reexec && systemctl restart dbus.service systemd-journald.service'
expect "nobody: nothing was refused" is "$before" refusals

# ---- a build ----
expect "build: make -j2" workload build '
	cd /build && tar -xf /usr/src/lua5.4_*.orig.tar.* --strip-components 1
	make -j2 generic && ./src/lua -e "print((\"built\"):upper(), math.maxinteger)" && make install INSTALL_TOP=/build/there && /build/there/bin/luac -v'
expect "build: what was built runs" did build "BUILT	9223372036854775807"
looked_at build

# ---- tests of Python ----
expect "python-suite: it passes" workload python-suite '
	mkdir -p /everyday/tmp && cd /everyday && TMPDIR=/everyday/tmp python3 -m test --tempdir /everyday/tests test_json test_zlib test_tempfile test_shutil test_pathlib'
expect "python-suite: all of it" did python-suite "result: SUCCESS"
looked_at python-suite

# ---- git ----
expect "git: it clones, commits and packs" workload git '
	export HOME=/everyday GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a
	cd /everyday && git init --quiet --initial-branch main one && cd one
	for ((i = 1; i <= 3000; i++)); do
		printf "commit refs/heads/main\nmark :%d\ncommitter a <a> %d +0000\ndata 6\nchange\n" $i $((1700000000 + i))
		((i == 1)) || printf "from :%d\n" $((i - 1))
		printf "M 100644 inline d%d/f%d\ndata %d\n%s\n" $((i % 20)) $((i % 300)) 8 "$((10000000 + i))"
	done | git fast-import --quiet
	cd .. && git clone --quiet --no-local one two && cd two
	for ((i = 0; i < 10; i++)); do echo $i >new && git add new && git commit --quiet --message "number $i"; done
	git checkout --quiet -b side HEAD~5 && git merge --quiet main && git rebase --quiet main
	git gc --quiet --prune=now && git fsck --full && git push --quiet origin HEAD:refs/heads/pushed
	echo "commits: $(git rev-list --count HEAD)"'
expect "git: all of it" did git "commits: 3010"
looked_at git

# ---- servers under load ----
postgresql_start >/out/postgresql.start 2>&1
nginx_start >/out/nginx.start 2>&1
expect "postgresql: it starts" until_ 120 pg_ready
load_pg() {
	pg_exec "$PG"/pgbench --initialize --quiet --scale 2 postgres </dev/null &&
		pg_exec "$PG"/pgbench --client 4 --jobs 2 --time 40 --progress 10 postgres </dev/null 2>&1 | tee /out/pgbench | grep "number of failed transactions: 0 "
}
expect "postgresql: pgbench, four clients for 40 s" load_pg
looked_at db-init
looked_at db
expect "nginx: it serves" until_ 60 nginx_page
# load_nginx OPTION...: connections that are kept are cut by a reload, and ab gives up then
load_nginx() {
	podman run --quiet --rm --name load --network host --rootfs "$WORKLOADS:O" ab -q "$@" -n 5000 -c 8 http://127.0.0.1:8080/ >/out/ab &&
		grep -E "^Failed requests: +0$" /out/ab
}
expect "nginx: 5000 requests, eight at a time" load_nginx -k
expect "nginx: it reloads under load" eval 'load_nginx & nginx_reloads && wait $!'
looked_at web
expect "every verdict is accounted for" settle
finish
