# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# shellcheck disable=SC2317 # the functions are called by expect
# 51-python-app: see app.py.

python_start() {
	mkdir -p /c/python/app/parts /c/python/data && cp app.py /c/python/app/ || return
	echo 'WORDS = ["a", "b"]' >/c/python/app/parts/words.py
	server python python-app --detach --volume /c/python/app:/app --volume /c/python/data:/data \
		--rootfs "$SERVERS:O" python3 /app/app.py
}
python_works() { page_has '"sorted": [1, 2, 3], "squares": [0, 1, 4, 9], "threads": 1, "words": ["a", "b"]' http://127.0.0.1:8081/; }
python_work() {
	expect "python: databases, temporary files, threads, processes, callbacks from C" until_ 60 python_works
	expect "python: and once more" python_works
	expect "python: its modules are kept compiled" compgen -G '/c/python/app/parts/__pycache__/words.*.pyc'
	expect "python: it is governed" governed python container-baseline no-drift python-app
	expect "python: none of it was refused" nothing_refused python
}
python_attacks() {
	expect "python: seven acts of an intruder are refused" page_has \
		'["EPERM", "EPERM", "EPERM", "EPERM", "EPERM", "EPERM", "EPERM"]' http://127.0.0.1:8081/intrude
	expect "python: each is recorded with policy and rule" is "$(cat <<-END
		deny python-app exec.deny /usr/bin/*sh
		deny python-app exec.default: deny
		deny no-drift exec.deny /tmp/**
		deny no-drift exec.deny /tmp/**
		deny python-app file.default: deny
		deny python-app file.default: deny
		deny python-app file.deny /etc/shadow
	END
	)" what_was_recorded python deny
	expect "python: it still works" python_works
}
