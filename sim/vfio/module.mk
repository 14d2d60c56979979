# SPDX-License-Identifier: MIT
# The device as a PCI card over a vfio-user socket.

VFIO_SRCS := $(wildcard sim/vfio/*.c)
VFIO_OBJS := $(VFIO_SRCS:%.c=$(B)/obj/%.o)
VFIO_CFLAGS := $(SIM_CFLAGS) -Isim/vfio -pthread

$(VFIO_OBJS): $(B)/obj/%.o: %.c $(HW_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(VFIO_CFLAGS) -MMD -MP -c -o $@ $<
-include $(VFIO_OBJS:.o=.d)

$(B)/iau-vfio: $(VFIO_OBJS) $(DEVICE_OBJS) $(RTL_LIBS)
	$(CC) -pthread -o $@ $^ $(RTL_LDLIBS) -lm
