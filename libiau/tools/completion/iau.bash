# SPDX-License-Identifier: MIT
# Completion of iau(1) for bash.

_iau()
{
	local cur=$2 prev=$3 cmd="" own=""
	local common="--model --engine --device --seed --ctx --latency --bus --memory --attention --kv --kv-budget --json --help --usage"

	COMPREPLY=()
	[ "$COMP_CWORD" -gt 1 ] && cmd=${COMP_WORDS[1]}
	case $prev in
	-m | --model | --against)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -X '!*.gguf' -- "$cur"; compgen -d -- "$cur")
		return
		;;
	--device)
		mapfile -t COMPREPLY < <(compgen -f -- "${cur:-/dev/accel/}")
		return
		;;
	-e | --engine)
		mapfile -t COMPREPLY < <(compgen -W "rtl ref" -- "$cur")
		return
		;;
	--attention | --against-attention)
		mapfile -t COMPREPLY < <(compgen -W "dense sparse:1024 sparse:1024,prompt=1024" -- "$cur")
		return
		;;
	--kv | --against-kv)
		mapfile -t COMPREPLY < <(compgen -W "k8v8 k8v4 k4v8 k4v4" -- "$cur")
		return
		;;
	-T | --tasks)
		mapfile -t COMPREPLY < <(compgen -W "passkey keys two-hop titles recall copy frequency stories \
			arithmetic brackets variables perplexity" -- "$cur")
		return
		;;
	--pool | --svg | --save-kv | --load-kv)
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		return
		;;
	-[pntsclLa] | --ahead | --contexts | --lengths | --around | --prompt | --tokens | --gen | --temperature | --top-k | --top-p | --min-p | \
		--repeat-penalty | --repeat-last-n | --seed | --ctx | --latency | --bus | --memory | --kv-budget)
		return
		;;
	esac
	case $cmd in
	"")
		mapfile -t COMPREPLY < <(compgen -W "info run perplexity tokenize bench eval trace top dump help" -- "$cur")
		return
		;;
	run)
		own="--prompt --tokens --ahead --temperature --top-k --top-p --min-p --repeat-penalty --repeat-last-n --save-kv --load-kv"
		;;
	perplexity | tokenize)
		own="--tokens"
		;;
	bench)
		own="--prompt --gen --ahead --batch --breakdown --csv --plots"
		;;
	eval)
		own="--tasks --lengths --contexts --pool --against --against-attention --against-kv --svg"
		;;
	trace)
		own="--prompt --gen --batch --output"
		;;
	top)
		own="--delay" common="--json --help --usage"
		;;
	dump)
		own="--around" common="--json --help --usage"
		;;
	esac
	if [[ $cur == -* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$own $common" -- "$cur")
	elif [[ $cmd == perplexity || $cmd == tokenize || $cmd == dump ]]; then
		compopt -o filenames
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
	fi
}

complete -F _iau iau
