# SPDX-License-Identifier: MIT
# The vfio-user server, by a client that is VMM and driver in one.

VFIO_TESTS := $(patsubst tests/vfio/%.c,$(B)/tests/vfio/%,$(wildcard tests/vfio/test_*.c))
VFIO_TEST_CFLAGS := -O2 -g $(SIM_CFLAGS) -Isim/vfio -Itests/support -Itests/vfio -Ilibiau/src \
	-Ilibiau/include -DIAU_VFIO='"$(B)/iau-vfio"'

$(B)/tests/vfio/%.o: tests/vfio/%.c $(HW_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(VFIO_TEST_CFLAGS) -MMD -MP -c -o $@ $<
-include $(wildcard $(B)/tests/vfio/*.d)

$(VFIO_TESTS): $(B)/tests/vfio/%: $(B)/tests/vfio/%.o $(B)/tests/vfio/client.o $(B)/tests/vfio/jobs.o \
		$(B)/iau-vfio
	$(CC) -o $@ $(filter %.o,$^) -lcmocka
