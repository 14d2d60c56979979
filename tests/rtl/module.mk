# SPDX-License-Identifier: MIT
# Unit tests of the RTL: verilated modules in C benches. TAP output; the first argument is the seed.

VERILATOR ?= verilator
RTL_VERILATE := $(VERILATOR) --cc --exe --build -Wall -Wno-fatal --unroll-count 1 -O3 --x-assign fast \
	--x-initial fast --noassert --compiler clang \
	-MAKEFLAGS "CXX=$(CLANGXX) OPT_FAST=-O3 OPT_SLOW=-O1" \
	-CFLAGS "-march=native -I$(abspath build/gen) -I$(abspath hw-model/ref)"
RTL_LINT := $(VERILATOR) --lint-only -Wall tests/rtl/lint.vlt
RTL_TEST_CFLAGS := -std=gnu11 -O2 -ffp-contract=off -Wall -Wextra -Ibuild/gen -Ihw-model/ref -Isim/include

RTL_FP_PKG := hw-model/rtl/iau_fp_pkg.sv
RTL_MXU := build/gen/iau_hw_pkg.sv $(RTL_FP_PKG) hw-model/rtl/iau_mxu.sv \
	hw-model/rtl/iau_mxu_datapath.sv hw-model/rtl/iau_mxu_prefetch.sv

build/tests/rtl/mxu/%.o: tests/rtl/mxu/%.c | $(HW_HEADERS)
	mkdir -p $(@D)
	$(CC) $(RTL_TEST_CFLAGS) -c -o $@ $<

build/tests/rtl/mxu/%.o: hw-model/ref/%.c | $(HW_HEADERS)
	mkdir -p $(@D)
	$(CC) $(RTL_TEST_CFLAGS) -c -o $@ $<

build/tests/rtl/fp/%.o: tests/rtl/fp/%.c | $(HW_HEADERS)
	mkdir -p $(@D)
	$(CC) $(RTL_TEST_CFLAGS) -c -o $@ $<

RTL_MXU_OBJS := $(addprefix build/tests/rtl/mxu/,mxu_test.o ref_matmul.o ref_pair.o ref_tsp.o ref_check.o)

build/tests/rtl/mxu/mxu_test: $(RTL_MXU) $(RTL_MXU_OBJS) tests/rtl/mxu/bench.cc tests/rtl/mxu/bench.h
	rm -f $@ # the generated makefile does not watch the objects
	$(RTL_VERILATE) tests/rtl/lint.vlt --top-module iau_mxu --Mdir build/tests/rtl/mxu/verilated \
		-o $(abspath $@) $(RTL_MXU) $(abspath tests/rtl/mxu/bench.cc $(RTL_MXU_OBJS))

build/tests/rtl/fp/fp_test: tests/rtl/fp/fp_top.sv $(RTL_FP_PKG) build/tests/rtl/fp/fp_test.o \
		tests/rtl/fp/bench.cc tests/rtl/fp/bench.h
	rm -f $@ # the generated makefile does not watch the objects
	$(RTL_VERILATE) tests/rtl/lint.vlt --top-module fp_top --Mdir build/tests/rtl/fp/verilated \
		-o $(abspath $@) $(RTL_FP_PKG) tests/rtl/fp/fp_top.sv \
		$(abspath tests/rtl/fp/bench.cc build/tests/rtl/fp/fp_test.o) -LDFLAGS "-lmpfr -lm"

.PHONY: lint-rtl-mxu check-rtl-mxu check-rtl-fp bench-rtl-mxu

lint-rtl-mxu: $(RTL_MXU)
	$(RTL_LINT) --top-module iau_mxu $(RTL_MXU)

check-rtl-mxu: build/tests/rtl/mxu/mxu_test
	$<

check-rtl-fp: build/tests/rtl/fp/fp_test
	$<

bench-rtl-mxu: build/tests/rtl/mxu/mxu_test
	$< -b
