# SPDX-License-Identifier: MIT
"""TAP for the tests here that are written in Python."""
count = failed = 0


def ok(good, name):
    global count, failed
    count += 1
    failed += not good
    print(f"{'ok' if good else 'not ok'} {count} - {name}", flush=True)


def finish():
    """The plan; ends the test."""
    print(f"1..{count}")
    raise SystemExit(failed != 0)
