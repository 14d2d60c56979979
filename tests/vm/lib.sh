# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# What the tests of the driver in a virtual machine share; KERNEL and VM choose the machine.
kernel=${KERNEL:-6.12} vm=${VM:-build/vm} n=0 bad=0 out=
[ -f "$vm/$kernel/iau.ko" ] || { echo "Bail out! no iau.ko for $kernel: run make vm-module KERNEL=$kernel"; exit 1; }

# ok STATUS NAME
ok() { n=$((n + 1)); if [ "$1" = 0 ]; then echo "ok $n - $2"; else echo "not ok $n - $2"; bad=1; fi; }

# What the kernel has to complain about, its debugging options included; leaks are told from what is
# only a few seconds old.
complaints='
if [ -e /sys/kernel/debug/kmemleak ]; then
	sleep 6
	echo scan > /sys/kernel/debug/kmemleak
	sed "s/^/kernel: /" /sys/kernel/debug/kmemleak
fi
dmesg | grep -A 30 -E "BUG|WARNING|Oops|UBSAN|DMA-API: (iau|exceeded)|INFO: (task|possible)" | sed "s/^/kernel: /"
true'

# guest [OPTION...] SCRIPT: runs it in the machine; $out is what it wrote, and the kernel's complaints.
# $console reads the machine's console meanwhile and passes it on.
console='cat'
guest() {
	local script=${*: -1}
	out=$(sim/vm/run -d "$vm" -k "$kernel" "${@:1:$#-1}" -- "$script
$complaints" | $console | tr -d '\r')
}

# said NAME: the rest of the line of $out that starts with it
said() { sed -n "s/^$1 //p" <<< "$out" | head -n 1; }

# tap NAME COUNT: passes on what a test program wrote, of which there must be so much.
tap() {
	local result name
	while read -r result name; do
		[ "$result" = ok ]
		ok $? "$name"
	done < <(sed -n 's/^\(ok\|not ok\) [0-9]* - /\1 /p' <<< "$out" | sed 's/^not ok/not_ok/')
	[ "$(grep -cE '^(ok|not ok) [0-9]+ - ' <<< "$out")" = "$2" ]
	ok $? "$1 came to its end"
}

# kselftests NAME: passes on what selftests wrote; a line '# program' is before each. Every program must
# have run as many cases as it announced, at least one, and left none out.
kselftests() {
	local line program='' plan=0 ran=0
	while read -r line; do
		case $line in
		'# program '*) came_to_end "$1" "$program" "$plan" "$ran"; program=${line#\# program } plan=0 ran=0 ;;
		1..*) plan=${line#1..} ;;
		ok*SKIP*) ran=$((ran + 1)); false; ok $? "$1: $program: ${line#ok * }" ;;
		'ok '*) ran=$((ran + 1)); ok 0 "$1: $program: ${line#ok * }" ;;
		'not ok '*) ran=$((ran + 1)); false; ok $? "$1: $program: ${line#not ok * }" ;;
		'# '*Expected* | '# '*terminated*) echo "$line" ;;
		esac
	done <<< "$out"
	came_to_end "$1" "$program" "$plan" "$ran"
}

came_to_end() {
	[ -n "$2" ] || return 0
	[ "$3" -gt 0 ] && [ "$3" = "$4" ]
	ok $? "$1: $2: all of its $3 cases ran"
}

# clean: the kernel must have had nothing to complain about.
clean() {
	! grep '^kernel:' <<< "$out"
	ok $? "the kernel has nothing to complain about"
}

finish() {
	[ $bad = 0 ] || sed 's/^/# /' <<< "$out"
	echo "1..$n"
	exit $bad
}
