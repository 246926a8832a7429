# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# A03: the rule's path is a symbolic link. The name is refused as it is written, and what it leads to under its own; when
# somebody outside lets it lead elsewhere, both stay refused.
#
#   $D
#   ├── current -> v1
#   ├── v1            refused, as current leads there
#   ├── v2            refused once current leads there
#   └── v3
policy_of() {
	cat <<-END
		file:
		  deny: [$D/current]
	END
}
tree() { ln -s v1 current && echo 1 >v1 && echo 2 >v2 && echo 3 >v3; }
# the link is told by where it was, as the test itself lets it lead elsewhere and back
lead_to() { [[ $phase != refused ]] || ln -sfn "$1" "$D/current"; }
fingerprint() { find "$D" -type f -printf '%p %i %m %U %n\n' -exec sha256sum {} + && readlink "$D/current"; }
acts() {
	await "$D/v1" open read "$D/current"
	deny "$D/v1" open read "$D/v1"
	deny "$D/current" unlink "$D/current"
	lead_to v2
	await "$D/v2" open read "$D/v2"
	deny "$D/v1" open read "$D/v1"
	lead_to v1
	deny "$D/v2" open read "$D/v2"
	allow open read "$D/v3"
}
