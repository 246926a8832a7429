# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# podman, with runc and with crun. Its hook is called by itself.
# shellcheck disable=SC2317 # the functions are called by expect
# shellcheck source=tests/vm/jobs/53-runtimes/runtimes.sh
[[ ${ROOT:-} ]] || source /src/tests/vm/jobs/53-runtimes/runtimes.sh

podman_() { podman --runtime "$podman_runtime" "$@"; }
podman_run() { # NAME OPTION... -- COMMAND...
	local options=(--quiet --network none --name "$1")
	shift
	while [[ $1 != -- ]]; do options+=("$1") && shift; done
	podman_ run "${options[@]}" --rootfs "$ROOT" "${@:2}"
}
start_podman() { podman_run "$1" --rm -- "${@:2}"; }
privileged_podman() { podman_run "$1" --rm --privileged -- "${@:2}"; }
sibling_podman() { podman_run "$1" --rm --cgroup-parent free.slice -- "${@:2}"; }
long_podman() { podman_run "$1" --detach -- /busybox sleep 600; }
enter_podman() { podman_ exec "$@"; }
restart_podman() { podman_ restart --time 0 "$1"; }
end_podman() { podman_ rm --force --time 0 "$1"; }

# ---- the same, selected by what podman tells of them ----
told_podman() { podman_run "$1" --rm --cgroup-parent free.slice -- "${@:2}"; }

podman_part() { # RUNTIME
	local t=podman-$1
	podman_runtime=$1
	first "$t" podman podman
	entered "$t" podman podman
	expect "$t: selected by its name" works told_podman "told-$1" /try open read /open
	expect "$t: selected by its name, the first program" \
		refused_once "told-$1-denied" exec /denied podman-told "default: deny" told_podman "told-$1-denied" /denied open read /open
	balance "$t"
}

governs podman '{cgroup: /machine.slice/libpod-*.scope}'
governs podman-told '{container: {runtime: podman, name: "told-*"}}'
must "podman: its policies are put in force" agentctl reload
podman_part runc
podman_part crun
rm "$POLICIES"/podman*.yaml
