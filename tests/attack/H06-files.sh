# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# H06: the agent's program, policies and records, under a name of their own and through a bind mount; and locks on them, which would keep
# the agent from its records.
#
#   $D
#   ├── alias    /etc/haetae is mounted here as well
#   └── open
policy_of() {
	cat <<-EOF
		file:
		  deny: [$D/secret]
	EOF
}
recorded() { recorded_lines; }
tree() { mkdir alias && mount --bind /etc/haetae alias && echo open >open; }
clean() {
	! mountpoint -q "$D/alias" || umount "$D/alias"
	rm -f /etc/haetae/extra /var/lib/haetae/extra /run/haetae/extra
}
fingerprint() { find "$D" -xdev -printf '%p %y %i\n'; }
acts() {
	local how
	allow open read /var/lib/haetae/events.db # its directory is known from here on
	deny "guard create extra" open write,creat "$D/alias/extra"
	deny "guard write events.db" open rdwr /var/lib/haetae/events.db
	deny "guard create extra" open write,creat /var/lib/haetae/extra
	deny "guard write lock" open rdwr /run/haetae/lock
	deny "guard attr haetaed" chmod 0755 /usr/sbin/haetaed
	deny "guard attr haetaed.service" chmod 0644 /usr/lib/systemd/system/haetaed.service
	for how in shared exclusive range lease; do
		deny "guard write events.db" lock /var/lib/haetae/events.db $how
		allow lock "$D/open" $how
	done
	deny "guard write lock" lock /run/haetae/lock exclusive
	allow open rdwr "$D/open"
	allow open read /usr/sbin/haetaed
}
