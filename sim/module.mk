# SPDX-License-Identifier: MIT
# Engines behind the device C ABI.

SIM_SRCS := sim/src/engines.c
SIM_OBJS := $(SIM_SRCS:%.c=$(B)/obj/%.o)
SIM_CFLAGS := -std=c11 -O2 -g -Wall -Wextra -Wconversion -Werror -D_GNU_SOURCE -fPIC \
	-I$(GEN) -Isim/include $(if $(RTL_READY),-DIAU_HAVE_RTL)

$(SIM_OBJS): $(B)/obj/%.o: %.c $(HW_HEADERS)
	@mkdir -p $(@D)
	$(CC) $(SIM_CFLAGS) -MMD -MP -c -o $@ $<
-include $(SIM_OBJS:.o=.d)
