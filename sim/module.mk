# SPDX-License-Identifier: MIT
# Engines behind the device C ABI.

SIM_SRCS := sim/src/engines.c sim/src/dram.c
SIM_OBJS := $(SIM_SRCS:%.c=$(B)/obj/%.o)
SIM_CFLAGS := -std=c11 -O2 -g -Wall -Wextra -Wconversion -Werror -D_GNU_SOURCE -fPIC \
	-I$(GEN) -Isim/include

$(SIM_OBJS): $(B)/obj/%.o: %.c $(HW_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(SIM_CFLAGS) -MMD -MP -c -o $@ $<
-include $(SIM_OBJS:.o=.d)

# The Verilated device. Each with a B of its own: ROWS=8 or 16 has a smaller matrix engine, SYNTHESIS=1 what the
# RTL has for synthesis only. Loops are kept (--unroll-count 1) for the compiler to vectorise; one thread.
RTL_SRCS := $(HW_PKG) hw-model/rtl/iau_fp_pkg.sv hw-model/rtl/iau_sfu_pkg.sv hw-model/rtl/iau_mem_pkg.sv \
	$(filter-out %_pkg.sv,$(wildcard hw-model/rtl/*.sv)) sim/rtl/iau_sim.sv
VERILATOR_FLAGS := -Wall --top iau_sim --unroll-count 1 --noassert -O3 \
	--x-assign fast --x-initial 0 $(if $(ROWS),-GMacRows=$(ROWS)) \
	$(if $(SYNTHESIS),-DSYNTHESIS --unroll-count 128)
RTL_DIR := $(B)/rtl
RTL_OBJ := $(B)/obj/sim/src/rtl.o
RTL_RUNTIME := $(RTL_DIR)/verilated.o $(RTL_DIR)/verilated_threads.o
RTL_LIBS := $(RTL_OBJ) $(RTL_DIR)/Viau_sim__ALL.a $(RTL_RUNTIME)
RTL_LDLIBS := -lstdc++ -lpthread -latomic
# What Debian 12 and 13 both have: with Clang 14 the simulation takes 1.3 times as long.
CLANGXX := clang++-19
VERILATOR_INC = $(shell verilator --getenv VERILATOR_ROOT)/include
# For hosts like the one that builds: AVX-512 if it has it, else AVX2. Results are the same.
RTL_ARCH = $(if $(shell $(CLANGXX) -march=native -dM -E -x c++ /dev/null | grep -w __AVX512VL__),\
	-march=x86-64-v4 -mprefer-vector-width=512,-march=x86-64-v3)
# Dot products of bytes: as many lanes as bytes fit a vector, not as their 32 bit sums do. Vectorised loops stay
# loops: what a cycle executes is more than the host's first cache of instructions holds, so that less is faster. So
# is code in an order that was chosen for that cache (Newell and Pupyrev 2020, "ext-TSP"): 3% of a prefill.
RTL_CXXFLAGS = -O3 $(RTL_ARCH) -fPIC -mllvm -vectorizer-maximize-bandwidth -fno-unroll-loops \
	-mllvm -enable-ext-tsp-block-placement \
	-Wno-parentheses-equality

# Verilator places vectors at any multiple of 4 bytes, where each access of 64 bytes meets two lines of the host's cache.
# In lines of their own a prefill takes 3 to 10% less time.
RTL_ALIGN = 's/^ +(VlWide<(16|32|64)>|VlUnpacked<|VL_(IN|OUT)W)/alignas(64) &/; \
	s/^ +VlWide<8>/alignas(32) &/; s/^ +VlWide<4>/alignas(16) &/'

$(RTL_DIR)/Viau_sim.mk: sim/lint.vlt $(RTL_SRCS)
	@mkdir -p $(@D)
	verilator --cc --Mdir $(RTL_DIR) $(VERILATOR_FLAGS) sim/lint.vlt $(RTL_SRCS)
	sed -i -E $(RTL_ALIGN) $(RTL_DIR)/Viau_sim___024root.h

# Twice: what the first one counts while it runs random jobs tells the compiler which branches are taken. All that
# the jobs need besides may change without a new device: order-only. What they come to is for the tests to
# judge, not for the build.
RTL_COUNTED := $(RTL_DIR)/counted
RTL_COUNTS := $(RTL_COUNTED)/counts.profdata
COSIM_OBJS := $(B)/obj/tests/cosim/random.o $(REF_OBJS) $(SIM_OBJS)
rtl_make = $(MAKE) -C $(@D) -f $(1)/Viau_sim.mk -I $(1) CXX=$(CLANGXX) OPT_FAST="$(RTL_CXXFLAGS) $(2)" \
	OPT_SLOW="-O1 -fPIC" OPT_GLOBAL="-O2 -fPIC" $(@F)

$(RTL_COUNTED)/Viau_sim__ALL.a: $(RTL_DIR)/Viau_sim.mk
	@mkdir -p $(@D)
	+$(call rtl_make,..,-fprofile-generate)

$(RTL_COUNTS): $(RTL_COUNTED)/Viau_sim__ALL.a | $(COSIM_OBJS) $(RTL_OBJ) $(RTL_RUNTIME)
	$(CLANGXX) -fprofile-generate -o $(@D)/random $(COSIM_OBJS) $(RTL_OBJ) $< $(RTL_RUNTIME) $(RTL_LDLIBS) -lm
	rm -f $(@D)/random.profraw
	LLVM_PROFILE_FILE=$(@D)/random.profraw $(@D)/random 1 400 > $(@D)/random.log || true
	llvm-profdata-19 merge -o $@ $(@D)/random.profraw

$(RTL_DIR)/Viau_sim__ALL.a: $(RTL_COUNTS)
	+$(call rtl_make,.,-fprofile-use=$(abspath $<))

$(RTL_RUNTIME): $(RTL_DIR)/Viau_sim.mk
	+$(call rtl_make,.)

$(RTL_OBJ): sim/src/rtl.cpp $(RTL_DIR)/Viau_sim.mk
	@mkdir -p $(@D)
	$(CLANGXX) -std=c++17 -O2 -g -Wall -Wextra -Werror -fPIC -Isim/include -Isim/src -I$(RTL_DIR) \
		-isystem $(VERILATOR_INC) -isystem $(VERILATOR_INC)/vltstd -c -o $@ $<
