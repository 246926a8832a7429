# SPDX-License-Identifier: Apache-2.0
# bash completion of agentctl(1)

# Names in the first column of a table that agentctl prints; silent where it cannot be asked.
__agentctl_column() {
	agentctl --no-pager --color=never "$@" 2>/dev/null | awk 'NR > 1 && $1 != "-" { print $1 }'
}

# The last word of a comma-separated list.
__agentctl_list() {
	local done=""

	[[ $cur == *,* ]] && done=${cur%,*},
	mapfile -t COMPREPLY < <(compgen -P "$done" -W "$1" -- "${cur##*,}")
	compopt -o nospace
}

_agentctl() {
	local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}
	local command="" sub="" i word
	local globals="--state-dir --runtime-dir --policy-dir --no-pager --color --help --version"
	local events="--json --follow --lines --reverse --since --until --container --policy --verdict
		--exe --path --op --kind --all --utc --full"

	COMPREPLY=()
	# --option=value comes as three words
	if [[ $cur == "=" ]]; then
		cur=""
	elif [[ $prev == "=" ]] && ((COMP_CWORD >= 2)); then
		prev=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	for ((i = 1; i < COMP_CWORD; i++)); do
		word=${COMP_WORDS[i]}
		case $word in
		--state-dir | --runtime-dir | --policy-dir | --color | --lines | -n | --since | --until | \
			--container | --policy | --verdict | --exe | --path | --op | --kind | --for | --reason | --confirm-within | --cgroup | --exec | --uid | --suite | --effective | --root | --cgroups)
			[[ ${COMP_WORDS[i + 1]} == "=" ]] && ((i++))
			((i++))
			;;
		-* | =) ;;
		*)
			if [[ -z $command ]]; then
				command=$word
			elif [[ -z $sub ]]; then
				sub=$word
			fi
			;;
		esac
	done

	case $prev in
	--state-dir | --runtime-dir | --policy-dir | --root | --cgroups)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -d -- "$cur")
		return
		;;
	--exe | --path | --exec | --suite)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	--color)
		mapfile -t COMPREPLY < <(compgen -W "auto always never" -- "$cur")
		return
		;;
	--since | --until)
		mapfile -t COMPREPLY < <(compgen -W "now today yesterday -5min -1h -1d" -- "$cur")
		return
		;;
	--container | --effective)
		mapfile -t COMPREPLY < <(compgen -W "$(__agentctl_column containers)" -- "$cur")
		return
		;;
	--policy)
		if [[ $command == policy ]]; then
			compopt -o filenames
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
			return
		fi
		mapfile -t COMPREPLY < <(compgen -W "$(__agentctl_column policy list)" -- "$cur")
		return
		;;
	--verdict)
		__agentctl_list "deny would-deny audit kill allow self-test"
		return
		;;
	--op)
		__agentctl_list "read write create delete rename link attr map exec mount ptrace module kexec bpf perf device sysctl
			clock namespaces io_uring_sqpoll"
		return
		;;
	--kind)
		__agentctl_list "verdict aggregate exit governed released loss agent"
		return
		;;
	--for | --confirm-within)
		mapfile -t COMPREPLY < <(compgen -W "60s 5min 10min 1h" -- "$cur")
		return
		;;
	-n | --lines | --reason | --uid | --cgroup)
		return
		;;
	esac

	case $command in
	"")
		mapfile -t COMPREPLY < <(compgen -W "$globals status events policy containers doctor reload
			apply confirm rollback disarm arm explain" -- "$cur")
		;;
	events)
		mapfile -t COMPREPLY < <(compgen -W "$globals $events" -- "$cur")
		;;
	policy)
		local own=""
		case $sub in
		check) own="--strict --running --root --cgroups" ;;
		list) own="--json" ;;
		show) own="--json --effective" ;;
		test) own="--json --container --cgroup --policy --exe --uid --exec --op --from-image --suite" ;;
		diff) own="--json --since" ;;
		format) own="--check --in-place" ;;
		esac
		if [[ -z $sub && $cur != -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "check list show test diff format" -- "$cur")
		elif [[ $cur == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "$globals $own" -- "$cur")
		elif [[ $sub == show ]]; then
			mapfile -t COMPREPLY < <(compgen -W "$(__agentctl_column policy list)" -- "$cur")
		elif [[ $sub != list ]]; then
			compopt -o filenames
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		fi
		;;
	explain)
		mapfile -t COMPREPLY < <(compgen -W "$globals --json last" -- "$cur")
		;;
	apply)
		if [[ $cur == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "$globals --confirm-within --json" -- "$cur")
		else
			compopt -o filenames
			mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		fi
		;;
	disarm | arm)
		if [[ $cur == -* ]]; then
			mapfile -t COMPREPLY < <(compgen -W "$globals --all --for --reason --json" -- "$cur")
		elif [[ -z $sub ]]; then
			mapfile -t COMPREPLY < <(compgen -W "$(__agentctl_column containers)" -- "$cur")
		fi
		;;
	status | containers | doctor | reload)
		mapfile -t COMPREPLY < <(compgen -W "$globals --json" -- "$cur")
		;;
	esac
}

complete -F _agentctl agentctl
