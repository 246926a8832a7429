# shellcheck shell=bash disable=SC2034,SC2154 # sourced by tests/lib/attack.sh, which says what the functions are
# SPDX-License-Identifier: Apache-2.0
# A14: a mount is moved, or another directory becomes the root of all mounts, where a policy lets tasks mount: what a rule
# names literally is bound as an object, and is refused wherever it is seen then.
#
#   $D
#   ├── p            a mount
#   │   ├── secret   refused
#   │   └── open
#   ├── to           where p is moved to
#   └── new
#       └── old      where the old root is seen
policy_of() {
	cat <<-EOF
		kernel: {mount: allow}
		file: {deny: [$D/p/secret]}
	EOF
}
tree() {
	mkdir -p p to new/old && mount -t tmpfs tmpfs p && echo secret >p/secret && echo open >p/open
}
clean() { umount -q "$D/p"; }
acts() {
	await "$D/to/secret" mountns move "$D/p" "$D/to" open read "$D/to/secret"
	deny "/old$D/p/secret" mountns pivot-root "$D/new" old open read "/old$D/p/secret"
	deny "/old$D/p/secret" mountns pivot-root "$D/new" old chroot /old open read "$D/p/secret"
	allow mountns move "$D/p" "$D/to" open read "$D/to/open"
	allow mountns pivot-root "$D/new" old open read "/old$D/p/open"
}
