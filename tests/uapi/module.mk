# SPDX-License-Identifier: MIT
# The driver's interface, from userspace; runs where there is a card.

UAPI_PROGRAMS := $(addprefix $(B)/tests/,usage_test reset_test hang_client)
$(UAPI_PROGRAMS): $(B)/tests/%: tests/uapi/%.c tests/uapi/client.c tests/uapi/client.h \
		uapi/drm/iau_accel.h $(HW_HEADERS)
	@mkdir -p $(@D)
	$(CC) -O2 -g $(SIM_CFLAGS) -Wno-conversion -Itests/support -Ilibiau/src -Ilibiau/include -Iuapi \
		-isystem /usr/include/libdrm \
		-o $@ $(filter %.c,$^) -ldrm -lcmocka

$(B)/tests/uevents: tests/uapi/uevents.c
	@mkdir -p $(@D)
	$(CC) -O2 -g $(SIM_CFLAGS) -o $@ $<

$(B)/tests/on_terminal: tests/uapi/on_terminal.c
	@mkdir -p $(@D)
	$(CC) -O2 -g $(SIM_CFLAGS) -o $@ $<

check-vm check-debug: $(UAPI_PROGRAMS) $(B)/tests/uevents $(B)/tests/on_terminal
