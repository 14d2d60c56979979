# SPDX-License-Identifier: MIT
# Random command buffers on both engines. COSIM_SEED and COSIM_COUNT choose.

COSIM := $(B)/tests/cosim_random
$(B)/obj/tests/cosim/random.o: tests/cosim/random.c $(HW_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(SIM_CFLAGS) -Ihw-model/ref -Wno-conversion -MMD -MP -c -o $@ $<
-include $(B)/obj/tests/cosim/random.d

$(COSIM): $(COSIM_OBJS) $(RTL_LIBS)
	@mkdir -p $(@D)
	$(CC) -o $@ $^ $(RTL_LDLIBS) -lm
