# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317 # the functions are called by expect
# shellcheck disable=SC2016 # eval, and shells elsewhere, are handed what they shall expand
# 55-sshd: the service of this host, with logins by key; what an administrator does in a session, and an intruder.

# session USER COMMAND: standard input is handed on.
session() {
	ssh -i /c/key -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR "$1@127.0.0.1" "${@:2}"
}
sshd_start() {
	local home
	useradd --create-home --shell /bin/bash admin || return
	ssh-keygen -q -t ed25519 -N '' -f /c/key
	for home in /root /home/admin; do
		mkdir -p $home/.ssh && chmod 700 $home/.ssh && cp /c/key.pub $home/.ssh/authorized_keys || return
	done
	chown -R admin: /home/admin/.ssh
	rm -f /run/nologin # systemd-user-sessions does that elsewhere
	package 1 && package 2 && systemctl start ssh.service
}
# package VERSION: has a file in the directory of the server's helpers, so that an upgrade replaces it.
package() {
	mkdir -p "/c/package/DEBIAN" /c/package/usr/lib/openssh
	echo "$1" >/c/package/usr/lib/openssh/helper
	printf 'Package: helper\nVersion: %s\nArchitecture: all\nMaintainer: nobody\nDescription: nothing\n' "$1" >/c/package/DEBIAN/control
	dpkg-deb --build /c/package "/c/helper-$1.deb"
}
sshd_files() {
	printf 'put /etc/os-release /home/admin/there\nget /home/admin/there /c/back\nrm /home/admin/there\n' >/c/batch
	sftp -q -i /c/key -o BatchMode=yes -o StrictHostKeyChecking=no -o UserKnownHostsFile=/dev/null -o LogLevel=ERROR -b /c/batch admin@127.0.0.1 &&
		cmp /etc/os-release /c/back
}
# What an administrator does in a day.
sshd_day() {
	session root bash <<-'END'
		set -e
		mount -t tmpfs day /mnt && umount /mnt
		useradd --create-home other && echo "other:$RANDOM$RANDOM" | chpasswd && passwd --lock other
		echo "# a line" >>/etc/ssh/sshd_config && sshd -t
		sysctl -q -w vm.swappiness=50
		dpkg --install /c/helper-1.deb && dpkg --install /c/helper-2.deb && test "$(cat /usr/lib/openssh/helper)" = 2
		systemctl reload ssh.service
		journalctl --lines=1 --quiet && modprobe dummy
	END
}
# It looks whether the user has processes, at the agent too, and goes on: what is Haetae's is closed, and that is recorded.
sshd_userdel() {
	session root userdel --remove other
	[[ ! -e /home/other ]] && is "deny guard" eval 'what_was_recorded ssh.service deny | sort -u'
}
sshd_work() {
	expect "sshd: it starts" systemctl is-active ssh.service
	expect "sshd: it is governed" governed ssh.service sshd
	expect "sshd: a login by key runs a command" is admin session admin id -un
	expect "sshd: with a terminal" eval 'session admin -tt tty </dev/null | grep /dev/pts/'
	expect "sshd: files come and go by sftp" sshd_files
	expect "sshd: an administrator's day: mounts, users, configuration, packages, reload, modules" sshd_day
	expect "sshd: it listens again after the reload" until_ 30 session root true
	expect "sshd: and a login works" is root session root id -un
	expect "sshd: none of it was refused" nothing_refused ssh.service
	expect "sshd: a user is removed; a look at the agent's process is refused to userdel, which does not mind" sshd_userdel
	what_was_recorded ssh.service audit | sort -u >/out/sshd.audit
	expect "sshd: but who may log in and what the kernel does was told" diff /out/sshd.audit - <<-END
		audit sshd file.audit /etc/passwd
		audit sshd file.audit /etc/shadow
		audit sshd file.audit /etc/ssh/**
		audit sshd kernel.module: audit
		audit sshd kernel.mount: audit
		audit sshd kernel.ptrace: audit
		audit sshd kernel.sysctl: audit
	END
}
sshd_attacks() {
	cp "$TRY" /usr/local/bin/try
	cp /usr/bin/true /tmp/dropped && cp /usr/bin/true /dev/shm/dropped
	cat >/tmp/sshd.lines <<-'END'
		open read /etc/ssh/ssh_host_ed25519_key.pub
		open read /etc/ssh/ssh_host_ed25519_key -> deny sshd file.deny /etc/ssh/ssh_host_ed25519_key
		link /etc/ssh/ssh_host_rsa_key /root/key -> deny sshd file.deny /etc/ssh/ssh_host_*
		unlink /etc/ssh/ssh_host_rsa_key -> deny sshd file.deny /etc/ssh/ssh_host_*
		rename /usr/bin/true /usr/sbin/sshd -> deny sshd file.deny /usr/sbin/sshd
		open write /usr/lib/openssh/sftp-server -> deny sshd file.deny /usr/lib/openssh/**
		open write /usr/lib/x86_64-linux-gnu/security/pam_unix.so -> deny sshd file.deny /usr/lib/*/security/**
		open write,creat /etc/ld.so.preload -> deny sshd file.deny /etc/ld.so.preload
		exec /tmp/dropped -> deny sshd exec.deny /tmp/**
		exec /dev/shm/dropped -> deny sshd exec.deny /dev/shm/**
		exec /usr/bin/true
	END
	sed 's/ -> .*//' /tmp/sshd.lines | session root try each >/out/sshd.status
	expect "sshd: nine acts of an intruder who is root are refused, what is beside them is not" \
		diff /out/sshd.status <(sed 's/^\(.*\) -> .*/1 \1/; t; s/^/0 /' /tmp/sshd.lines)
	what_was_recorded ssh.service deny,kill,would-deny | grep -v guard >/out/sshd.recorded
	expect "sshd: each is recorded with policy and rule" diff /out/sshd.recorded <(sed -n 's/.* -> //p' /tmp/sshd.lines)
	refuse "sshd: a session gets at no policy" session root touch "$POLICIES/90-mine.yaml"
	refuse "sshd: and not at the agent" session root agentctl containers
	expect "sshd: but an administrator does, by systemd" session root systemd-run --quiet --pipe --wait agentctl containers
	expect "sshd: it restarts" systemctl restart ssh.service
	expect "sshd: and a login works" is admin session admin id -un
	expect "sshd: it stops" eval 'systemctl stop ssh.service && [[ $(systemctl show --property=Result --value ssh.service) == success ]]'
}
