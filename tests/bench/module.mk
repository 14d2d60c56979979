# SPDX-License-Identifier: MIT
# What a job costs in the virtual machine: make bench-vm, figures in build/bench/figures.json.

$(B)/tests/vm_bench: tests/bench/vm_bench.c $(STRESS_CLIENT)/client.c $(STRESS_CLIENT)/client.h \
		uapi/drm/iau_accel.h | $(NEEDED)
	@mkdir -p $(@D)
	$(CC) -std=gnu11 -D_GNU_SOURCE= -O2 -g -Wall -Wextra -Werror -Wno-missing-field-initializers \
		-Wno-sign-compare -I$(STRESS_CLIENT) -Iuapi -isystem /usr/include/libdrm \
		-o $@ $(filter %.c,$^)

$(B)/tests/vm_spend $(B)/tests/vm_touch: $(B)/tests/%: tests/bench/%.c | $(NEEDED)
	@mkdir -p $(@D)
	$(CC) -std=c11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Wconversion -Werror -o $@ $<

.PHONY: bench-vm
bench-vm: vm-ready vm-module $(addprefix $(B)/tests/,vm_bench vm_spend vm_touch)
	@scripts/install-packages valgrind
	$(PYTHON) scripts/bench_vm.py $(VM) $(KERNEL)

# Conversations in turns: make bench-long
$(B)/tests/chat_bench: tests/bench/chat.c $(LIBIAU_OBJS) $(DEVICE_OBJS) $(RTL_LIBS)
	@mkdir -p $(@D)
	$(CC) $(LIBIAU_CFLAGS) -o $@ $^ $(RTL_LDLIBS) -lpcre2-8 -ldrm -lm
