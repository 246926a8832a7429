# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317 # the functions are called by expect
# shellcheck disable=SC2016 # eval, and shells elsewhere, are handed what they shall expand
# shellcheck disable=SC2154 # run.sh sets outside
# What holds for every container: 10-container-baseline, 20-no-drift, and the two policies that only tell.

# plain NAME COMMAND...: a container that no profile is for.
plain() {
	local name=$1
	shift
	podman run --quiet --rm --name "$name" --network host --rootfs "$SERVERS:O" "$@"
}
everyday() {
	plain everyday bash -c 'set -e; ls / | sort | tail -n 1; find /etc -name "*.conf" | wc -l; cp -r /etc /tmp/copy
		perl -e "print 1 + 1"; python3 -c "import ssl, sqlite3; print(ssl.OPENSSL_VERSION)"; (sleep 0.1 & wait); rm -r /tmp/copy
		chmod 600 /etc/motd; ln -s motd /etc/other; tar -C /etc -cf - . | gzip >/tmp/etc.tar.gz; echo done'
}
baseline_and_drift() {
	expect "baseline: the everyday work of a container" eval 'everyday | tail -n 1 | grep -x done'
	expect "baseline: none of it was refused" nothing_refused everyday
	"$TRY" listen /run/docker.sock /run/datagrams &
	until_ 10 test -S /run/docker.sock
	mkdir -p /c/host && echo x >/c/host/file
	# shellcheck disable=SC2034 # intruder() uses it
	intruder_options=(--volume /run/docker.sock:/run/docker.sock --volume /c/host:/host)
	intruder plain none nginx <<-END
		open read /etc/shadow
		open write,creat /root/x
		exec /usr/bin/true
		connect /run/docker.sock -> deny container-baseline file.deny /run/docker.sock
		open read /host/file
		open write /host/file -> deny container-baseline file.deny /host/**
		open write,creat /etc/ld.so.preload -> deny container-baseline file.deny /etc/ld.so.preload
		exec /tmp/dropped -> deny no-drift exec.deny /tmp/**
		exec-memfd /usr/bin/true -> deny no-drift exec.anonymous: deny
		$(ways_out container-baseline "$outside" | sed 's/^unshare-user .*/unshare-user/')
	END
	plain drifted bash -c 'cp /usr/bin/true /usr/bin/new; cat /usr/bin/true >/usr/bin/false; mv /usr/bin/tac /usr/bin/moved
		/usr/bin/new || echo installed; /usr/bin/false || echo overwritten; /usr/bin/moved </dev/null || echo moved
		/usr/bin/true && echo as it came' >/out/drifted 2>/dev/null
	expect "no-drift: what was installed, overwritten or moved does not run, what came with the image does" \
		diff /out/drifted <(printf '%s\n' installed overwritten moved "as it came")
	expect "no-drift: all three are recorded" is "$(printf '%s\n' {,,}"deny no-drift exec.allow /**")" what_was_recorded drifted deny
}

# What the two policies that only tell are for, with nothing else in the way.
detection() {
	rm "$POLICIES/20-no-drift.yaml" && agentctl reload >/dev/null
	plain suspicious bash -c 'cp /usr/bin/true /tmp/.x && /tmp/.x && cp /usr/bin/true /usr/local/bin/xmrig &&
		/usr/local/bin/xmrig && mkdir -p /etc/cron.d && echo x >/etc/cron.d/x && cp /usr/bin/true /usr/bin/socat &&
		/usr/bin/socat && dash -c true && echo all of it' >/out/suspicious
	expect "detection: a shell, dropped programs, a miner by its name, a job: nothing is refused" grep "all of it" /out/suspicious
	expect "detection: all of it is told" diff <(what_was_recorded suspicious would-deny,audit,deny | sort -u) - <<-END
		audit detect-miners exec.audit /usr/local/bin/xmrig*
		audit detect-shells exec.audit /usr/bin/bash
		audit detect-shells exec.audit /usr/bin/dash
		audit detect-shells exec.audit /usr/bin/socat*
		would-deny detect-miners exec.deny /tmp/**
		would-deny detect-miners file.deny /etc/cron*/**
	END
	expect "detection: as loud as its policy says" grep '"severity":"critical".*xmrig' /tmp/recorded.json
	expect "detection: rules can be found by their tags" grep '"tags":\["miner"' <(agentctl policy show --json detect-miners | tr -d ' \n')
}
