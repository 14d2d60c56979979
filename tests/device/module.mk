# SPDX-License-Identifier: MIT
# The device behind its C ABI, as a driver sees it: every test on both engines.

DEVICE_TESTS := $(patsubst tests/device/%.c,$(B)/tests/device/%,$(wildcard tests/device/test_*.c))
DEVICE_TEST_CFLAGS := -O2 -g $(SIM_CFLAGS) -Itests/support -Itests/device -Ilibiau/src \
	-Ilibiau/include

$(B)/tests/device/%.o: tests/device/%.c $(HW_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(DEVICE_TEST_CFLAGS) -MMD -MP -c -o $@ $<
-include $(wildcard $(B)/tests/device/*.d)

$(DEVICE_TESTS): $(B)/tests/device/%: $(B)/tests/device/%.o $(B)/tests/device/bench.o $(DEVICE_OBJS) \
		$(RTL_LIBS)
	$(CC) -o $@ $^ $(RTL_LDLIBS) -lcmocka -lm
