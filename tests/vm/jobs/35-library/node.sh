# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317 # the functions are called by expect
# 52-node-app: see app.js.

node_start() {
	mkdir -p /c/node/app /c/node/data && cp app.js /c/node/app/ || return
	server node node-app --detach --volume /c/node/app:/app --volume /c/node/data:/data --rootfs "$SERVERS:O" node /app/app.js
}
node_works() { page_has '"wasm":42,"hash":16,"key":"ec"}' http://127.0.0.1:8082/; }
node_work() {
	expect "node: files, compression, threads, compiled code, WebAssembly, cryptography" until_ 60 node_works
	expect "node: and once more" node_works
	expect "node: it is governed" governed node container-baseline no-drift node-app
	expect "node: none of it was refused" nothing_refused node
}
node_attacks() {
	expect "node: six acts of an intruder are refused" page_has \
		'["EPERM","EPERM","EPERM","EPERM","EPERM","EPERM"]' http://127.0.0.1:8082/intrude
	expect "node: each is recorded with policy and rule" is "$(cat <<-END
		deny node-app exec.deny /usr/bin/*sh
		deny node-app exec.default: deny
		deny no-drift exec.deny /tmp/**
		deny node-app file.default: deny
		deny node-app file.default: deny
		deny node-app file.deny /etc/shadow
	END
	)" what_was_recorded node deny
	expect "node: it still works" node_works
}
