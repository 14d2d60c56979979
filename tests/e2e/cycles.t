#!/bin/sh
# SPDX-License-Identifier: MIT
# Cycles of the shipped model against the recorded ones.
exec python3 scripts/bench.py --gate
