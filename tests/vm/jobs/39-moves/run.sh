#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
# What was allowed a moment ago, and has another name now: somebody whom no policy governs moves the file, a directory
# above it, the place that its mount stands at, or makes another file where it was in memory.
# shellcheck disable=SC2317,SC2016 # the functions are called by expect; a shell is handed what it shall expand
# shellcheck source=tests/lib/haetae.sh
source /src/tests/lib/haetae.sh

mkdir /m && mount -t tmpfs moves /m
mkdir -p /m/yes/a/b /m/no /m/other/c && echo f | tee /m/yes/a/b/f /m/yes/a/b/g /m/other/c/f >/m/yes/a/b/bound
policy moves.yaml <<-EOF
	policy: moves
	match: [{cgroup: /moves.scope}]
	file: {deny: ["/m/no/**", "/m/served/no/**"]}
EOF
must "the agent starts" agent_start
mkfifo /tmp/ask /tmp/answer
enter /moves.scope bash /job/reader.sh </tmp/ask >/tmp/answer &
exec {ask}>/tmp/ask {answer}</tmp/answer

opens() { # opens PATH TIMES: prints the last answer; there is only one to all of them
	local said='' before=''
	for ((i = 0; i < $2; i++)); do
		echo "$1" >&"$ask" && read -r -t 20 said <&"$answer" || return
		[[ ! $before || $said == "$before" ]] || { echo "first $before, then $said"; return; }
		before=$said
	done
	echo "$said"
}
kept() { expect "$1 is open, and stays so" is open opens "$2" 5; }
gone() { expect "$1" is refused opens "$2" 3; }

kept "a file" /m/yes/a/b/f
mv /m/yes/a/b /m/no/b
gone "its directory was moved" /m/no/b/f
mv /m/no/b /m/yes/a/b
kept "the same one moved back" /m/yes/a/b/f
mv /m/yes/a /m/no/a
gone "a directory above was moved" /m/no/a/b/f
mv /m/no/a /m/yes/a
kept "the same one moved back" /m/yes/a/b/f
mv /m/yes/a/b/f /m/no/f
gone "the file itself was moved" /m/no/f
mv /m/no/f /m/yes/a/b/f
kept "the same one moved back" /m/yes/a/b/f

# ---- files that are opened for the first time, where others of their directory were ----
mkdir -p /m/yes/d/e /m/no/d && for ((i = 0; i < 9; i++)); do echo f >/m/yes/d/e/first-$i; done
kept "a file" /m/yes/d/e/first-0
kept "another for the first time" /m/yes/d/e/first-1
mv /m/yes/d/e /m/no/e
gone "the directory of one that was not opened yet was moved" /m/no/e/first-2
gone "so was that of another" /m/no/e/first-3
mv /m/no/e /m/yes/d/e
kept "one for the first time after it was moved back" /m/yes/d/e/first-4
mv /m/yes/d /m/no/x
gone "a directory above was moved" /m/no/x/e/first-5
mv /m/no/x /m/yes/d
kept "one for the first time after that was moved back" /m/yes/d/e/first-6
mv /m/yes/d/e/first-7 /m/no/d/first-7
gone "the file itself was moved" /m/no/d/first-7
expect "two directories change places" "$TRY" exchange /m/yes/d /m/no/d
gone "a file below the rule now" /m/no/d/e/first-8
kept "a file that is not any more" /m/yes/d/first-7
expect "they change back" "$TRY" exchange /m/yes/d /m/no/d
rm -r /m/no/d

# ---- files that are made, where others were ----
kept "a file that is made" +/m/yes/d/e/made-0
kept "another" +/m/yes/d/e/made-1
mv /m/yes/d/e /m/no/e
gone "one in the directory that was moved" +/m/no/e/made-2
mv /m/no/e /m/yes/d/e
kept "the same in the directory moved back" +/m/yes/d/e/made-2
mkdir /m/no/d && expect "two directories change places" "$TRY" exchange /m/yes/d /m/no/d
gone "one further below the rule" +/m/no/d/e/made-3
expect "they change back" "$TRY" exchange /m/yes/d /m/no/d
kept "the same where they change back" +/m/yes/d/e/made-3
mount --bind /m/yes/d/e /m/no/d
gone "one in the directory by another mount, below the rule" +/m/no/d/made-4
umount /m/no/d && rm -r /m/no/d

# ---- two change places ----
mkdir -p /m/no/c && echo f >/m/no/c/f
kept "a file in a directory" /m/other/c/f
expect "the directory and one below the rule change places" "$TRY" exchange /m/other/c /m/no/c
gone "it is below the rule now" /m/no/c/f
kept "the other one is not" /m/other/c/f
expect "two files change places" "$TRY" exchange /m/other/c/f /m/no/c/f
gone "one is below the rule now" /m/no/c/f
kept "the other one is not" /m/other/c/f

# ---- mounts ----
mkdir -p /m/yes/stand/point && mount -t tmpfs inner /m/yes/stand/point && echo f >/m/yes/stand/point/f
kept "a file in a mount" /m/yes/stand/point/f
elsewhere() { # moves a directory from a mount namespace in which nothing is mounted there
	unshare --mount --propagation private bash -c 'umount "$1" && mv "$2" "$3"' - "$@"
}
expect "the directory above the mountpoint is moved from another namespace" elsewhere /m/yes/stand/point /m/yes/stand /m/no/stand
gone "the mount went with it" /m/no/stand/point/f
expect "and back" elsewhere /m/no/stand/point /m/no/stand /m/yes/stand
kept "it is open again" /m/yes/stand/point/f
mount --bind /m/yes/a/b/g /m/yes/a/b/bound
kept "a file that is mounted on another" /m/yes/a/b/bound
expect "that other one is moved from another namespace" elsewhere /m/yes/a/b/bound /m/yes/a/b/bound /m/no/bound
gone "the mount went with it" /m/no/bound
umount /m/no/bound
mount --bind /m/yes/a/b /m/yes/stand
kept "a file by the way of a bind mount" /m/yes/stand/f
umount /m/yes/stand && mkdir -p /m/no/bind && mount --bind /m/yes/a/b /m/no/bind
gone "the same mounted below the rule" /m/no/bind/f
umount /m/no/bind

# ---- a directory that a look-up finds elsewhere: who serves the filesystem moved it, and the kernel learns of it then ----
modprobe -q fuse
mkdir /m/served && { "$TRY" serve /m/served "$TRY" & }
must "a filesystem is served" until_ 10 test -e /m/served/open
kept "a file in a directory that is served" /m/served/yes/placed/file
expect "the directory is found elsewhere" test -d /m/served/no/placed
gone "it is below the rule now" /m/served/no/placed/file
expect "and where it was" test -d /m/served/yes/placed
kept "the same one found there again" /m/served/yes/placed/file
umount /m/served

# ---- another file where one was in memory ----
renewed() {
	local i said
	for ((i = 0; i < ${1}; i++)); do
		mkdir -p /m/yes/new && : >/m/yes/new/f
		said=$(opens /m/yes/new/f 3)
		[[ $said == open ]] || { echo "$i: $said"; return; }
		rm -r /m/yes/new
		((i % 4)) || echo 2 >/proc/sys/vm/drop_caches
		mkdir -p /m/no/new && : >/m/no/new/f
		said=$(opens /m/no/new/f 3)
		[[ $said == refused ]] || { echo "$i: $said"; return; }
		rm -r /m/no/new
	done
	echo all
}
expect "files that come and go, under a rule or not" is all renewed 60

# ---- a move in the middle of many opens ----
mkdir -p /m/yes/swing && echo f >/m/yes/swing/f
crossed() { # TIMES: what was open when its directory was moved away is refused once that is done
	local i j said open=0
	for ((i = 0; i < ${1}; i++)); do
		for ((j = 0; j < 60; j++)); do echo /m/yes/swing/f; done >&"$ask"
		mv /m/yes/swing /m/no/swing
		echo /m/no/swing/f >&"$ask"
		for ((j = 0; j < 60; j++)); do
			read -r -t 20 said <&"$answer" || return
			[[ $said != open ]] || open=1
		done
		read -r -t 20 said <&"$answer" || return
		[[ $said == refused ]] || { echo "$said, after $i"; return; }
		mv /m/no/swing /m/yes/swing
	done
	echo "open before: $open"
}
expect "what was opened all the time is refused as soon as it is below the rule" is "open before: 1" crossed 40
exec {ask}>&-

# ---- an answer that was kept is told like the first ----
expect "every verdict is accounted for" settle
expect "the events can be read" events_read
told() { events "SELECT count(*), path, rule, reason, op FROM e WHERE cgroup = '/moves.scope' AND verdict = 'deny' AND path IN ('/m/no/b/f', '/m/no/a/b/f') GROUP BY path, rule, reason, op ORDER BY path"; }
expect "three times refused is three records of the same rule" is "3|/m/no/a/b/f|file.deny /m/no/**|policy|read
3|/m/no/b/f|file.deny /m/no/**|policy|read" told
finish
