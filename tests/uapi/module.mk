# SPDX-License-Identifier: MIT
# The driver's interface, from userspace; runs where there is a card.

UAPI_TEST := $(B)/tests/uapi_test
$(UAPI_TEST): tests/uapi/uapi_test.c tests/uapi/client.c tests/uapi/client.h uapi/drm/iau_accel.h \
		$(HW_HEADERS)
	@mkdir -p $(@D)
	$(CC) -O2 -g $(SIM_CFLAGS) -Wno-conversion -Itests/support -Ilibiau/src -Ilibiau/include -Iuapi \
		-isystem /usr/include/libdrm \
		-o $@ $(filter %.c,$^) -ldrm -lcmocka
