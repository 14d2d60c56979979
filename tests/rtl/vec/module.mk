# SPDX-License-Identifier: MIT
# Test of the vector unit: a verilated module in a C bench. TAP output; arguments are the seed and
# the number of commands; -b measures cycles and simulation speed.

VERILATOR ?= verilator

RTL_VEC := build/gen/iau_hw_pkg.sv $(addprefix hw-model/rtl/,iau_fp_pkg.sv iau_sfu_pkg.sv \
	iau_vec.sv iau_vec_issue.sv iau_vec_lanes.sv iau_vec_write.sv)
RTL_VEC_OUT := build/tests/rtl/vec
RTL_VEC_CFLAGS := -std=gnu11 -O2 -g -ffp-contract=off -Wall -Wextra \
	-Ibuild/gen -Ihw-model/ref -Isim/include -Itests/support
RTL_VEC_OBJS := $(addprefix $(RTL_VEC_OUT)/,vec_test.o functions.o ref_vec.o ref_check.o)

$(RTL_VEC_OUT)/%.o: tests/rtl/vec/%.c | $(HW_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(RTL_VEC_CFLAGS) -MMD -MP -c -o $@ $<

$(RTL_VEC_OUT)/%.o: hw-model/ref/%.c | $(HW_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(RTL_VEC_CFLAGS) -MMD -MP -c -o $@ $<

$(RTL_VEC_OUT)/vec_test: $(RTL_VEC) $(RTL_VEC_OBJS) $(addprefix tests/rtl/vec/,bench.cc bench.h lint.vlt)
	@rm -f $@ # the inner make does not see the objects
	$(VERILATOR) --cc --exe --build -Wall --unroll-count 1 -O3 --x-assign fast --x-initial fast \
		--noassert --compiler clang -MAKEFLAGS "CXX=$(CLANGXX) OPT_FAST=-O3 OPT_SLOW=-O1" \
		-CFLAGS "-march=native" tests/rtl/vec/lint.vlt --top-module iau_vec \
		--Mdir $(RTL_VEC_OUT)/verilated -o $(abspath $@) $(RTL_VEC) \
		$(abspath tests/rtl/vec/bench.cc $(RTL_VEC_OBJS)) -LDFLAGS -lm

-include $(RTL_VEC_OBJS:.o=.d)

.PHONY: lint-rtl-vec check-rtl-vec bench-rtl-vec

lint-rtl-vec: $(RTL_VEC)
	$(VERILATOR) --lint-only -Wall --unroll-count 1 tests/rtl/vec/lint.vlt --top-module iau_vec $(RTL_VEC)

check-rtl-vec: $(RTL_VEC_OUT)/vec_test
	$<

bench-rtl-vec: $(RTL_VEC_OUT)/vec_test
	$< -b
