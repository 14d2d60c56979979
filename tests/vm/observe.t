#!/bin/bash
# SPDX-License-Identifier: MIT
# What can be seen of the driver at work: fdinfo, tracepoints, debugfs. KERNEL chooses.
# shellcheck source=tests/vm/lib.sh
. tests/vm/lib.sh

for engine in ${ENGINES:-ref rtl}; do
	guest -e $engine '
build/tests/usage_test
mount -t tracefs trace /sys/kernel/tracing
echo 1 > /sys/kernel/tracing/events/iau/enable
build/iau bench -m models/iau-ci/iau-ci-q8_0.gguf -p 8 -n 2 > /dev/null 2>&1 && echo "bench ran"
echo 0 > /sys/kernel/tracing/tracing_on
for event in submit run done; do echo "job_$event $(grep -c "iau_job_$event:" /sys/kernel/tracing/trace)"; done
echo "binds $(grep -c iau_bind: /sys/kernel/tracing/trace)"
echo "failed $(grep iau_job_done: /sys/kernel/tracing/trace | grep -vc error=0)"
cd /sys/kernel/debug/accel/0*
exec 3< /dev/accel/accel0
grep -H . counters clients queues rings slots
'
	tap usage_test 7
	jobs=$(said job_submit)
	[ "$jobs" -gt 0 ] && [ "$(said job_run)" = "$jobs" ] && [ "$(said job_done)" = "$jobs" ] &&
		[ "$(said failed)" = 0 ]
	ok $? "$engine: a submitted job is seen to run and to be done"
	[ "$(said binds)" -gt 0 ]
	ok $? "$engine: bindings are seen"
	[ "$(sed -n 's/^counters:jobs //p' <<< "$out")" -ge "$jobs" ]
	ok $? "$engine: debugfs shows the counters"
	grep -q '^clients:client [0-9]*: jobs 0 ' <<< "$out"
	ok $? "$engine: debugfs shows the clients"
	[ "$(grep -c '^rings:ring' <<< "$out") $(grep -c '^slots:slot' <<< "$out")" = '4 16' ]
	ok $? "$engine: debugfs shows the rings and the slots"
	clean
done

# jobs and mappings while they are there
guest -e ref '
build/tests/hang_client loop 3 > /tmp/loop &
cd /sys/kernel/debug/accel/0*
for i in $(seq 300); do [ $(grep -c "job .* tag 0xbad" rings) = 3 ] && break; usleep 100000; done
echo "in_ring $(grep -c "job .* tag 0xbad" rings)"
echo "queues $(grep -c "running 3 state 0" queues)"
echo "mappings $(grep -c 0x0000000000010000 gpuvas)"
kill $!
'
[ "$(said in_ring)" = 3 ]
ok $? "debugfs shows the jobs of a ring"
[ "$(said queues)" = 1 ]
ok $? "debugfs shows a queue at work"
[ "$(said mappings)" = 1 ]
ok $? "debugfs shows the mappings"
clean
# iau top, iau info
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mkdir -p "$dir/terminfo/v"
cp -L "$(find /lib/terminfo /usr/share/terminfo -name vt100 2> /dev/null | head -n 1)" "$dir/terminfo/v"
guest -e ref -n 2 -o "$dir" '
mkdir -p /dev/pts && mount -t devpts devpts /dev/pts
build/tests/reset_test busy /tmp/over > /tmp/busy &
until grep -q "at work" /tmp/busy; do usleep 50000; done
build/iau top --json -d 1 > /out/top.json; echo "top $?"
build/iau top; echo "no_terminal $?"
build/iau info --json > /out/info.json
touch /tmp/over; wait $!
export TERMINFO=/out/terminfo
for i in 1 2 3; do build/tests/hang_client copy 100000000 & done
until [ "$(grep -c "jobs [1-9].* hang_client" /sys/kernel/debug/accel/*1:00.0/clients)" = 3 ]; do usleep 50000; done
TERM=vt100 build/tests/on_terminal "ACTIVE  DEVICE" q build/iau top > /out/screen; echo "screen $?"
TERM=none build/tests/on_terminal "" "" build/iau top; echo "unknown_terminal $?"
killall hang_client
build/iau bench -m models/iau-ci/iau-ci-q8_0.gguf -p 32 -n 9000 --kv-budget 64M > /tmp/bench 2>&1 &
until build/iau top --json -d 0.1 > /out/kv.json; grep -q "\"device_bytes\": *[1-9]" /out/kv.json; do :; done
TERM=vt100 build/tests/on_terminal "PROMOTED" q build/iau top > /out/kv_screen; echo "kv_screen $?"
killall iau
'
[ "$(said top) $(said no_terminal)" = "0 3" ]
ok $? "iau top prints JSON, and no screen where there is no terminal"
python3 - "$dir" << 'end'
import json, sys
top, info = (json.load(open(f"{sys.argv[1]}/{f}.json")) for f in ("top", "info"))
first, second = top["devices"]
busy = [c for c in top["clients"] if c["process"] == "reset_test" and c["jobs_per_s"] > 0]
assert len(busy) == 3, busy
assert all(c["pdev"] == first["pdev"] and c["queues"] == 2 and c["resident_bytes"] == 8192 for c in busy)
assert 0 < first["busy"] <= 1 and second["busy"] == 0
assert abs(sum(c["busy"] for c in busy) - first["busy"]) < 0.02
assert first["counters"]["jobs"] > 10 and second["counters"]["jobs"] == 0
assert [d["engine"] for d in info] == ["/dev/accel/accel0", "/dev/accel/accel1"]
end
ok $? "who is busy is shown, how much, and on which of two cards; iau info has both"
[ "$(said screen) $(said unknown_terminal)" = "0 3" ]
ok $? "iau top has a screen where the terminal is known; 'q' ends it"
tests/vm/screen.py < "$dir/screen" > "$dir/lines" && python3 - "$dir" << 'end'
import json, re, sys
lines = open(f"{sys.argv[1]}/lines").read().splitlines()
cards = [d["pdev"] for d in json.load(open(f"{sys.argv[1]}/top.json"))["devices"]]
busy = []
for i, pdev in enumerate(cards):
    assert re.fullmatch(rf"/dev/accel/accel{i}  {pdev}  \w+", lines[3 * i]), lines
    bar, percent = re.fullmatch(r"  engine \[(\|* *)\] +([\d.]+)%", lines[3 * i + 1]).groups()
    assert len(bar) == 30 and abs(bar.count("|") - float(percent) * 0.3) <= 0.52, lines
    assert re.fullmatch(r"  [\d.]+ GMAC/s  load [\d.]+ MB/s  store [\d.]+ MB/s  faults \d+", lines[3 * i + 2]), lines
    busy.append(float(percent))
head = lines.index(next(l for l in lines if l.split()[:3] == ["PID", "PROCESS", "BUSY%"]))
assert head == 3 * len(cards) + 1 and not lines[head - 1]
rows = [l.split() for l in lines[head + 1:] if l]
assert all(len(r) == 9 for r in rows), rows
assert [r[8] for r in rows if r[1] == "hang_client"] == 3 * cards[:1], rows
shares = [float(r[2]) for r in rows]
assert shares == sorted(shares, reverse=True), rows
for pdev, percent in zip(cards, busy):
    assert abs(min(100, sum(s for s, r in zip(shares, rows) if r[8] == pdev)) - percent) < 0.3, (rows, busy)
end
ok $? "it draws the cards, how busy they are, and their clients, the busiest first"
[ "$(said kv_screen)" = 0 ] && tests/vm/screen.py < "$dir/kv_screen" > "$dir/lines" && python3 - "$dir" << 'end'
import json, sys
cache, = json.load(open(f"{sys.argv[1]}/kv.json"))["kv_caches"]
assert cache["process"] == "iau" and cache["budget_bytes"] == 64 << 20, cache
assert 0 < cache["device_bytes"] < 8 << 20 and not cache["host_bytes"] and not cache["device_packed_bytes"], cache
assert not cache["packed"] and not cache["demoted"] and not cache["promoted"], cache
assert not cache["pages_demoted"] and not cache["pages_promoted"], cache
lines = [l.split() for l in open(f"{sys.argv[1]}/lines")]
head = next(i for i, l in enumerate(lines) if l[1:3] == ["KV", "CACHES"])
assert lines[head + 1][:3] == [str(cache["pid"]), "iau", "64.0"], lines
assert float(lines[head + 1][3]) > 0 and lines[head + 1][4:] == ["0.0", "0.0", "0", "0", "0", "0", "0"], lines
end
ok $? "it shows where the KV caches of a process are, on a card too"
clean
finish
