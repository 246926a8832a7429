# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# `except` takes names out of one rule, not out of others.
#
#   $D
#   ├── home
#   │   ├── .profile  excepted
#   │   ├── pub/x     excepted with all below
#   │   ├── keep      excepted there, refused by a rule of its own
#   │   └── key       refused
policy_of() {
	cat <<-EOF
		file:
		  deny:
		    - {path: "$D/home/**", except: [$D/home/.profile, "$D/home/pub/**", $D/home/keep]}
		    - $D/home/keep
	EOF
}
tree() { mkdir -p home/pub && echo secret | tee home/key >home/keep && echo open | tee home/.profile >home/pub/x; }
acts() {
	deny "$D/home/key" open read "$D/home/key"
	deny "$D/home/keep" open read "$D/home/keep"
	deny "$D/home" open read,dir "$D/home"
	allow open read "$D/home/.profile"
	allow open read "$D/home/pub/x"
	allow open write "$D/home/pub/x"
	allow open read,dir "$D/home/pub"
}
