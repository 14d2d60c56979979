# SPDX-License-Identifier: MIT
# libiau on devices: on both engines, or on the card that IAU_NODE names.

LIBIAU_TESTS := $(patsubst tests/libiau/%.c,$(B)/tests/libiau/%,$(wildcard tests/libiau/test_*.c))

$(B)/tests/libiau/%.o: tests/libiau/%.c $(HW_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(LIBIAU_CFLAGS) -Wno-sign-conversion -Itests/support -MMD -MP -c -o $@ $<
-include $(wildcard $(B)/tests/libiau/*.d)

$(LIBIAU_TESTS): $(B)/tests/libiau/%: $(B)/tests/libiau/%.o $(LIBIAU_OBJS) $(DEVICE_OBJS) $(RTL_LIBS)
	$(CC) -o $@ $^ $(RTL_LDLIBS) -lpcre2-8 -ldrm -lcmocka -lm
check-vm: $(LIBIAU_TESTS)
