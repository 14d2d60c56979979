# SPDX-License-Identifier: MIT
# Random command buffers on both engines. COSIM_SEED and COSIM_COUNT choose.

COSIM := $(B)/tests/cosim_random
$(COSIM): tests/cosim/random.c $(REF_OBJS) $(SIM_OBJS) $(RTL_LIBS)
	@mkdir -p $(@D)
	$(CC) -O2 -g $(SIM_CFLAGS) -Ihw-model/ref -Wno-conversion -o $@ $^ $(RTL_LDLIBS) -lm
