# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# docker; and its containers by name, where its runtime calls the hook.
# shellcheck disable=SC2317 # the functions are called by expect
# shellcheck source=tests/vm/jobs/53-runtimes/runtimes.sh
[[ ${ROOT:-} ]] || source /src/tests/vm/jobs/53-runtimes/runtimes.sh

docker_run() { # NAME OPTION... -- COMMAND...
	local options=(--network none --name "$1")
	shift
	while [[ $1 != -- ]]; do options+=("$1") && shift; done
	docker run "${options[@]}" tiny:1 "${@:2}"
}
start_docker() { docker_run "$1" --rm -- "${@:2}"; }
privileged_docker() { docker_run "$1" --rm --privileged -- "${@:2}"; }
sibling_docker() { docker_run "$1" --rm --cgroup-parent free.slice -- "${@:2}"; }
long_docker() { docker_run "$1" --detach -- /busybox sleep 600; }
enter_docker() { docker exec "$@"; }
restart_docker() { docker restart --time 0 "$1"; }
end_docker() { docker rm --force "$1"; }
told_docker() { docker_run "$1" --rm --runtime hooked --cgroup-parent free.slice -- "${@:2}"; }

# The rig's kernels are without the modules of NAT.
mkdir -p /etc/docker
cat >/etc/docker/daemon.json <<-'EOF'
	{"iptables": false, "ip6tables": false, "runtimes": {"hooked": {"path": "/usr/local/sbin/hooked-runc"}}}
EOF
governs docker '{cgroup: /system.slice/docker-*.scope}'
governs docker-told '{container: {runtime: docker, name: "told-*"}}'
must "docker: its policies are put in force" agentctl reload
must "docker: the daemon starts" works systemctl start docker
docker_image() { tar -C "$ROOT" -c . | docker import - tiny:1; }
must "docker: an image is made" works docker_image
first docker docker docker
entered docker docker docker
expect "docker: with a network" works docker run --rm --name docker-net tiny:1 /try open read /open
refused_once "docker: its own init is a program of the container" \
	docker-init exec /sbin/docker-init docker "default: deny" docker_run docker-init --rm --init -- /try open read /open
expect "docker: by its name" works told_docker told-docker /try open read /open
refused_once "docker: by its name, the first program" \
	told-docker-denied exec /denied docker-told "default: deny" told_docker told-docker-denied /denied open read /open
expect "docker: another name is not governed" works told_docker other-docker /denied open read /secret
balance docker
systemctl stop docker docker.socket
rm "$POLICIES"/docker*.yaml
