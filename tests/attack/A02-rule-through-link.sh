# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# A02: the directory of a rule is a symbolic link, as /var/run and /bin often are. What the rule says of everything below, of wildcards
# and of what does not exist yet holds where the link leads to, what it excepts is excepted there.
#
#   $D
#   ├── link -> real/deep
#   ├── real
#   │   └── deep
#   │       ├── secret, sub/secret   refused
#   │       └── open                 excepted
#   ├── wild -> keys
#   ├── keys
#   │   ├── a.key                    refused
#   │   └── a.txt
#   └── other
#       └── secret                   no rule's
policy_of() {
	cat <<-EOF
		file:
		  deny:
		    - {path: $D/link/**, except: [$D/link/open]}
		    - $D/wild/*.key
		    - $D/wild/later
	EOF
}
tree() {
	mkdir -p real/deep/sub keys other && ln -s real/deep link && ln -s keys wild
	echo secret >real/deep/secret && echo secret >real/deep/sub/secret && echo open >real/deep/open
	echo secret >keys/a.key && echo open >keys/a.txt && echo secret >other/secret
}
acts() {
	await "$D/keys/a.key" open read "$D/wild/a.key"
	deny "$D/keys/a.key" open read "$D/keys/a.key"
	deny "$D/keys/later" mkdir "$D/keys/later"
	allow open read "$D/keys/a.txt"
	deny "$D/real/deep/secret" open read "$D/link/secret"
	deny "$D/real/deep/secret" open write "$D/real/deep/secret"
	deny "$D/real/deep/sub/secret" open read "$D/real/deep/sub/secret"
	deny "$D/real/deep/new" mkdir "$D/link/new"
	allow open read "$D/real/deep/open"
	allow open read "$D/link/open"
	allow open read "$D/other/secret"
}
