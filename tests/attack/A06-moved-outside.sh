# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# A06, A07: somebody whom no policy governs renames the file, or a directory above it. It stays refused where it is then.
#
#   $D
#   ├── dir
#   │   ├── secret   refused
#   │   └── open
#   ├── key          refused
#   ├── else
#   ├── probed       refused
#   └── probe        the same file: when it is refused, the others have been found as well
policy_of() {
	cat <<-END
		file:
		  deny: [$D/dir/secret, $D/key, $D/probed]
	END
}
tree() {
	mkdir dir else && echo secret >dir/secret && echo open >dir/open && echo key >key && echo probe >probed && ln probed probe
}
outsider() { [[ $phase != refused ]] || "$@"; }
moved() { [[ $phase == refused ]] && echo "$D/$2" || echo "$D/$1"; }
acts() {
	local key secret
	key=$(moved key else/key) secret=$(moved dir/secret dir-2/secret)
	await "$D/probe" open read "$D/probe"
	outsider mv "$D/key" "$D/else/key"
	outsider mv "$D/dir" "$D/dir-2"
	deny "$key" open read "$key"
	deny "$key" utimes "$key"
	deny "$key" rename "$key" "$D/else/key-2"
	deny "$secret" open read "$secret"
	deny "$secret" uring worker "$secret"
	deny "$secret" open write "$secret"
	outsider mv "$D/dir-2" "$D/dir"
	outsider mv "$D/else/key" "$D/key"
	allow open rdwr "$D/dir/open"
	allow rename "$D/dir/open" "$D/else/open"
}
