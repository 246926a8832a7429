#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# The machine is restarted with the agent enabled and every policy line in force: what is governed is from the first
# instruction of its boot on, and nobody else notices: the boot, packages, containers, services, and the next shutdown.
# shellcheck disable=SC2016 # eval is handed what it shall expand
# shellcheck disable=SC2317 # the functions are called by expect
# shellcheck source=tests/lib/haetae.sh
source /src/tests/lib/haetae.sh
KEPT=/var/lib/boot-job
WEB=/var/lib/haetae-rig/web-root

# What a boot came to, without what the agent itself adds.
boot_result() {
	systemctl list-units --plain --no-legend --all --type=service,socket,target,mount,path | grep -v -e haetae -e governed- -e free- |
		awk '$4 != "exited" && $4 != "dead" || $3 == "failed" {print $1, $3, $4}' | sort
}
# unit NAME COMMAND: a service that runs once at boot
unit() {
	cat >"/etc/systemd/system/$1.service" <<-EOF
		[Unit]
		Description=Runs once at boot
		[Service]
		Type=oneshot
		RemainAfterExit=yes
		SuccessExitStatus=1 203
		ExecStart=$2
		[Install]
		WantedBy=multi-user.target
	EOF
	systemctl --quiet enable "$1.service"
}
# code NAME: with which status the only process of such a unit ended
code() { systemctl show --property=ExecMainStatus --value "$1.service"; }

first_boot() {
	mkdir -p "$KEPT"
	echo secret >"$KEPT/secret"
	cp "$TRY" "$KEPT/try"
	cp /usr/bin/true "$KEPT/forbidden"
	policy boot.yaml <<-EOF
		policy: boot
		match: [{unit: "governed-*.service"}]
		exec: {deny: [$KEPT/forbidden]}
		file: {deny: [$KEPT/secret]}
	EOF
	unit governed-read "$KEPT/try open read $KEPT/secret"
	unit governed-exec "$KEPT/forbidden"
	unit free-read "$KEPT/try open read $KEPT/secret"
	unit free-exec "$KEPT/forbidden"
	systemctl --quiet enable haetaed.service
	systemctl is-system-running --wait >/dev/null # or what is still starting would count as another result
	boot_result >"$KEPT/result"
	cp /proc/sys/kernel/random/boot_id "$KEPT/boot-id"
	sync
	systemctl start --no-block reboot.target
	sleep 200 # until systemd ends this job
}

package_installs() {
	local tree=/tmp/package
	mkdir -p $tree/DEBIAN $tree/usr/bin $tree/usr/lib/systemd/system $tree/etc
	printf '#!/bin/sh\necho hello\n' >$tree/usr/bin/boot-hello
	echo setting >$tree/etc/boot-hello.conf
	printf '[Service]\nType=oneshot\nExecStart=/usr/bin/boot-hello\n' >$tree/usr/lib/systemd/system/boot-hello.service
	printf '#!/bin/sh\nset -e\nsystemctl daemon-reload\nsystemctl start boot-hello.service\n' >$tree/DEBIAN/postinst
	printf 'Package: boot-hello\nVersion: 1\nArchitecture: all\nMaintainer: nobody <nobody@localhost>\nDescription: says hello\n' >$tree/DEBIAN/control
	echo /etc/boot-hello.conf >$tree/DEBIAN/conffiles
	chmod 0755 $tree/DEBIAN/postinst $tree/usr/bin/boot-hello
	dpkg-deb --root-owner-group --build $tree /tmp/boot-hello.deb && dpkg --install /tmp/boot-hello.deb && boot-hello &&
		dpkg --purge boot-hello && ! test -e /usr/bin/boot-hello
}
container_runs() {
	podman run --quiet --rm --name nobody --network none --rootfs "$WEB:O" sh -ec 'cp /bin/busybox /tmp/busybox && /tmp/busybox echo it runs && rm /tmp/busybox' | grep "it runs"
}
services_start_anew() { systemctl daemon-reexec && systemctl restart dbus.service systemd-journald.service && systemctl is-active dbus.service; }

second_boot() {
	refuse "this is another boot" cmp "$KEPT/boot-id" /proc/sys/kernel/random/boot_id
	systemctl is-system-running --wait >/dev/null
	must "the agent runs" agent_runs
	expect "all policies are in force" eval '(($(agent_status "$.generation") > 0)) && [[ $(agent_status "$.warnings") == "[]" ]]'
	expect "there was a boot to compare with" grep -q dbus.service "$KEPT/result"
	expect "the boot came to what it came to without the agent" diff "$KEPT/result" <(boot_result)
	expect "a governed unit of the boot is refused a file" is 1 code governed-read
	expect "and its first program" is 203 code governed-exec
	expect "one that nobody governs is not" is "0 0" eval 'echo $(code free-read) $(code free-exec)'
	expect "a package is installed and taken away" package_installs
	expect "a container that nobody governs runs" container_runs
	expect "systemd starts itself anew, and services" services_start_anew
	expect "every verdict is accounted for" settle
	read -r counted _ < <(ledger deny)
	expect "two refusals in all" is 2 echo "$counted"
	events_read
	expect "each told once, of its unit" is "exec $KEPT/forbidden
read $KEPT/secret" events -separator ' ' "SELECT op, path FROM e WHERE verdict = 'deny' ORDER BY op"
	expect "nobody else was refused anything" is 0 events "SELECT count(*) FROM e WHERE verdict IN ('deny', 'kill', 'would-deny') AND cgroup NOT LIKE '%governed-%'"
	finish
}

if ((RIG_BOOT == 1)); then first_boot; else second_boot; fi
