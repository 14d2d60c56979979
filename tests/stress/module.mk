# SPDX-License-Identifier: MIT
# Programs that press the driver hard, on the client of its selftests; tests/vm/stress.t runs them.

STRESS := $(addprefix $(B)/tests/stress/,storm fuzz gone failnth pressure)
STRESS_CLIENT := tests/kselftest/drivers/accel/iau
$(STRESS): $(B)/tests/stress/%: tests/stress/%.c $(wildcard tests/stress/*.h) \
		$(STRESS_CLIENT)/client.c $(STRESS_CLIENT)/client.h $(STRESS_CLIENT)/iau_commands.h uapi/drm/iau_accel.h | $(NEEDED)
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -O2 -g -Wall -Wextra -Werror -Wno-missing-field-initializers -Wno-sign-compare \
		-I$(STRESS_CLIENT) -Iuapi -isystem /usr/include/libdrm -o $@ $(filter %.c,$^)

check-vm check-debug: $(STRESS)
