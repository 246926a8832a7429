# shellcheck shell=bash disable=SC2034,SC2094,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# D07: a file that was registered with an io_uring, from a descriptor that came from elsewhere; and requests on such
# descriptors.
#
#   $D
#   ├── secret   may not be read
#   ├── log      may not be written
#   └── open
policy_of() {
	cat <<-EOF
		file:
		  deny: [{path: $D/secret, ops: [read]}, {path: $D/log, ops: [write]}]
	EOF
}
tree() { echo secret >secret && echo log >log && echo open >open; }
acts() {
	local where truncate=
	! "$TRY" uring-has 55 || truncate=1
	deny "$D/secret" uring-registered read 3 3<"$D/secret"
	deny "$D/log" uring-registered write 3 3<>"$D/log"
	for where in here worker; do
		deny "$D/secret" uring-fd $where read 3 3<"$D/secret"
		deny "$D/secret" uring-splice $where 3 3<"$D/secret"
		deny "$D/log" uring-fd $where write 3 3<>"$D/log"
		deny "$D/log" uring-fd $where punch 3 3<>"$D/log"
		[[ ! $truncate ]] || deny "$D/log" uring-fd $where truncate 3 3<>"$D/log"
		allow uring-fd $where read 3 3<"$D/log"
		allow uring-splice $where 3 3<"$D/log"
		allow uring-fd $where write 3 3<>"$D/open"
		[[ ! $truncate ]] || allow uring-fd $where truncate 3 3<>"$D/open"
	done
	allow uring-registered read 3 3<"$D/log"
	allow uring-registered write 3 3<>"$D/open"
}
