# SPDX-License-Identifier: MIT
# The hardware contract as C header, tables and SystemVerilog package, and the reference model.

GEN := $(B)/gen
HW_HEADERS := $(GEN)/iau_hw.h $(GEN)/iau_hw_tables.h $(GEN)/iau_hw_names.h
HW_PKG := $(GEN)/iau_hw_pkg.sv
SPEC := hw-model/spec/gen.py hw-model/spec/iau.toml

$(GEN)/iau_hw.h: GEN_KIND := c
$(GEN)/iau_hw_tables.h: GEN_KIND := tables
$(GEN)/iau_hw_names.h: GEN_KIND := names
$(GEN)/iau_hw_pkg.sv: GEN_KIND := sv
$(HW_HEADERS) $(HW_PKG): $(SPEC) | $(NEEDED)
	@mkdir -p $(@D)
	$(PYTHON) hw-model/spec/gen.py $(GEN_KIND) > $@

docs/hardware-reference.md: $(SPEC)
	$(PYTHON) hw-model/spec/gen.py md > $@

# Checked in, because the driver's folder also builds alone.
driver/iau_regs.h: $(SPEC)
	$(PYTHON) hw-model/spec/gen.py kernel > $@

# ... and so does that of the driver's tests.
tests/kselftest/drivers/accel/iau/iau_commands.h: $(SPEC)
	$(PYTHON) hw-model/spec/gen.py kselftest > $@

# The device's arithmetic has no fused multiply-add, and nobody looks at exceptions or errno.
# ref_dispatch.c chooses at run time among the files made for more than any x86-64 has.
REF_CFLAGS := -std=c11 -O3 -g -ffp-contract=off -fno-trapping-math -fno-math-errno \
	-Wall -Wextra -Werror -D_GNU_SOURCE -fPIC -I$(GEN) -Isim/include -Ihw-model/ref
REF_AVX2 := -march=x86-64-v3 -mtune=skylake
REF_AVX512 := -march=x86-64-v4 -mavx512vnni -mtune=skylake-avx512 -mprefer-vector-width=512

REF_DIR := $(B)/obj/hw-model/ref
REF_SRCS := $(wildcard hw-model/ref/*.c)
REF_VARIANTS := $(REF_DIR)/ref_vec_avx2.o $(REF_DIR)/ref_vec_avx512.o
REF_OBJS := $(REF_SRCS:%.c=$(B)/obj/%.o) $(REF_VARIANTS)

$(filter %_avx2.o,$(REF_OBJS)): REF_CFLAGS += $(REF_AVX2)
$(filter %_avx512.o,$(REF_OBJS)): REF_CFLAGS += $(REF_AVX512)

$(REF_SRCS:%.c=$(B)/obj/%.o): $(B)/obj/%.o: %.c $(HW_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(REF_CFLAGS) -MMD -MP -c -o $@ $<

$(REF_VARIANTS): $(REF_DIR)/%.o: hw-model/ref/ref_vec.c $(HW_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(REF_CFLAGS) -Dref_vec=$* -MMD -MP -c -o $@ $<
-include $(REF_OBJS:.o=.d)

# Size and clock of each block on an ECP5; hours, for the widest ones
.PHONY: fmax
fmax: $(HW_PKG) $(B)/ecp5/versions
	$(PYTHON) scripts/fmax.py $(B)/ecp5 $(BLOCKS)

$(B)/ecp5/versions: scripts/apt-root
	scripts/apt-root $(B)/ecp5 trixie yosys nextpnr-ecp5 coreutils dash

# Cells of each block, by yosys; the table also as build/synth/blocks.json.
.PHONY: synth
synth: $(HW_PKG)
	@scripts/install-packages yosys
	$(PYTHON) scripts/synth.py $(B)/synth
