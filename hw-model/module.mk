# SPDX-License-Identifier: MIT
# The hardware contract as C header, tables and SystemVerilog package, and the reference model.

GEN := $(B)/gen
HW_HEADERS := $(GEN)/iau_hw.h $(GEN)/iau_hw_tables.h
HW_PKG := $(GEN)/iau_hw_pkg.sv
SPEC := hw-model/spec/gen.py hw-model/spec/iau.toml

$(GEN)/iau_hw.h: GEN_KIND := c
$(GEN)/iau_hw_tables.h: GEN_KIND := tables
$(GEN)/iau_hw_pkg.sv: GEN_KIND := sv
$(HW_HEADERS) $(HW_PKG): $(SPEC) | $(NEEDED)
	@mkdir -p $(@D)
	$(PYTHON) hw-model/spec/gen.py $(GEN_KIND) > $@

docs/hardware-reference.md: $(SPEC)
	$(PYTHON) hw-model/spec/gen.py md > $@

REF_SRCS := $(wildcard hw-model/ref/*.c)
REF_OBJS := $(REF_SRCS:%.c=$(B)/obj/%.o)
# The device's arithmetic: no fused multiply-add, wide vectors.
REF_CFLAGS := -std=c11 -O3 -g -march=x86-64-v3 -ffp-contract=off -Wall -Wextra -Werror \
	-D_GNU_SOURCE -fPIC -I$(GEN) -Isim/include -Ihw-model/ref

$(REF_OBJS): $(B)/obj/%.o: %.c $(HW_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(REF_CFLAGS) -MMD -MP -c -o $@ $<
-include $(REF_OBJS:.o=.d)
