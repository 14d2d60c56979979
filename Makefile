# SPDX-License-Identifier: MIT
# IAU: `make run` writes text with a model on the simulated accelerator, `make check` tests it all.

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
SHELL := /bin/bash

comma := ,
# SANITIZE=1 with a B of its own: everything in C under AddressSanitizer and UBSan.
CC := gcc$(if $(SANITIZE), -fsanitize=address$(comma)undefined -fno-sanitize-recover=all)
PYTHON := python3
B := build
ENGINE ?= rtl

# What the build needs of Debian; installed when a program or header of theirs is missing.
NEEDED := $(B)/.packages

$(NEEDED): scripts/install-packages
	@mkdir -p $(B)
	@scripts/install-packages
	@touch $@

include libiau/host.mk
include hw-model/module.mk
include sim/module.mk
include libiau/module.mk
include sim/vfio/module.mk
include sim/vm/module.mk
include sim/vm/debug.mk
include tests/module.mk
include tests/llama/module.mk
include mk/install.mk
include mk/modules.mk

.PHONY: all run check check-long bench bench-long scaling clean
all: $(B)/iau

run: $(B)/iau
	$(B)/iau run -m models/iau-ci/iau-ci-q8_0.gguf --engine $(ENGINE) -n 120 -p "Once upon a time"

bench: $(B)/iau
	$(PYTHON) scripts/bench.py

# The figures of docs/long-context.md, for two hours: PARTS of them, as scripts/bench_long.py names them
bench-long: $(B)/iau $(B)/tests/chat_bench $(LLAMA)/probe-llama $(LLAMA)/probe-iau
	$(PYTHON) scripts/bench_long.py $(PARTS)

# The tables and plots of docs/performance.md
scaling: $(B)/iau
	$(PYTHON) scripts/scaling.py

clean:
	rm -rf $(B)
