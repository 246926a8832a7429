# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# containerd, asked by ctr.
# shellcheck disable=SC2317 # the functions are called by expect
# shellcheck source=tests/vm/jobs/53-runtimes/runtimes.sh
[[ ${ROOT:-} ]] || source /src/tests/vm/jobs/53-runtimes/runtimes.sh

ctr_run() { # NAME OPTION... -- COMMAND...
	local name=$1 options=()
	shift
	while [[ $1 != -- ]]; do options+=("$1") && shift; done
	ctr run "${options[@]}" localhost/tiny:1 "$name" "${@:2}"
}
start_ctr() { ctr_run "$1" --rm -- "${@:2}"; }
privileged_ctr() { ctr_run "$1" --rm --privileged -- "${@:2}"; }
sibling_ctr() { ctr_run "$1" --rm --cgroup "/free/$1" -- "${@:2}"; }
long_ctr() { ctr_run "$1" --detach -- /busybox sleep 600; }
enter_ctr() { ctr task exec --exec-id "exec-$RANDOM" "$@"; }
restart_ctr() { ctr task kill --signal KILL "$1" && until_ 20 ctr task rm "$1" && ctr task start --detach "$1"; }
end_ctr() { ctr task kill --signal KILL "$1" && until_ 20 ctr task rm "$1" && ctr container rm "$1"; }
told_ctr() { ctr_run "$1" --rm --runc-binary /usr/local/sbin/hooked-runc -- "${@:2}"; }

# With cgroups that systemd makes
start_ctrd() { ctr_run "$1" --rm --runc-systemd-cgroup --cgroup "system.slice:ctr:$1" -- "${@:2}"; }
privileged_ctrd() { ctr_run "$1" --rm --runc-systemd-cgroup --cgroup "system.slice:ctr:$1" --privileged -- "${@:2}"; }
sibling_ctrd() { ctr_run "$1" --rm --runc-systemd-cgroup --cgroup "free.slice:ctr:$1" -- "${@:2}"; }
named_ctrd() { echo "ctr-$1.scope"; }

governs containerd '{cgroup: /default/*}' '{cgroup: /system.slice/ctr-*.scope}'
must "containerd: its policies are put in force" agentctl reload
must "containerd: the daemon runs" works systemctl start containerd
# The image as docker saves one: a layer, and what says so.
ctr_image() {
	local digest
	mkdir -p /c/image && tar -C "$ROOT" -cf /c/image/layer.tar . && digest=$(sha256sum </c/image/layer.tar | cut -d ' ' -f 1) &&
		jq -n --arg id "sha256:$digest" '{architecture: "amd64", os: "linux", config: {}, rootfs: {type: "layers", diff_ids: [$id]}}' >/c/image/config.json &&
		echo '[{"Config": "config.json", "RepoTags": ["localhost/tiny:1"], "Layers": ["layer.tar"]}]' >/c/image/manifest.json &&
		tar -C /c/image -cf /c/image.tar manifest.json config.json layer.tar && ctr images import /c/image.tar
}
must "containerd: it has an image" works ctr_image
first ctr ctr containerd
entered ctr ctr containerd
first ctr-systemd ctrd containerd
rm "$POLICIES/containerd.yaml"

# ---- by name, which the hook tells ----
governs containerd-told '{container: {runtime: containerd, name: "told-*"}}'
must "containerd: a policy by name is put in force" agentctl reload
expect "ctr: by its name" works told_ctr told-ctr /try open read /open
refused_once "ctr: by its name, the first program" \
	told-ctr-denied exec /denied containerd-told "default: deny" told_ctr told-ctr-denied /denied open read /open
expect "ctr: another name is not governed" works told_ctr other-ctr /denied open read /secret
balance containerd
rm "$POLICIES/containerd-told.yaml"
