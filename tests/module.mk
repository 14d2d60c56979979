# SPDX-License-Identifier: MIT
include tests/unit/module.mk
include tests/uapi/module.mk
include tests/kselftest/module.mk
include tests/stress/module.mk
include tests/bench/module.mk
include tests/cosim/module.mk
include tests/device/module.mk
include tests/vfio/module.mk
include tests/libiau/module.mk
include tests/numerics/module.mk
include tests/rtl/module.mk
include tests/rtl/vec/module.mk
include tests/sanitize/module.mk

# Every test is a program that prints TAP; prove runs them.
E2E_TESTS := $(wildcard tests/e2e/*.t)
RTL_TESTS := tests/rtl/reset.t $(B)/tests/rtl/mxu/mxu_test $(B)/tests/rtl/fp/fp_test $(B)/tests/rtl/vec/vec_test
CHECK := $(UNIT_BINS) $(NUMERICS_TEST) $(BOUNDS_TEST) $(DEVICE_TESTS) $(LIBIAU_TESTS) $(VFIO_TESTS) $(RTL_TESTS) $(COSIM) \
	$(E2E_TESTS) $(SANITIZED_TESTS)

$(UNIT_OBJS): | $(NEEDED)

# The driver's tests come last, one virtual machine at a time.
check: $(B)/iau $(filter-out $(S)/%,$(filter $(B)/%,$(CHECK))) sanitized
	prove --timer -j2 --exec '' $(CHECK)
	$(MAKE) check-vm

# Hours, not minutes: many more random jobs and mutated files, a million calls of the driver.
check-long: check $(STRESS)
	KERNEL=$(KERNEL) VM=$(VM) SCALE=50 prove --timer --exec '' tests/vm/stress.t
	KERNEL=$(KERNEL) VM=$(VM) HANGS=1000 HANG_MS=20 prove --timer --exec '' tests/vm/reset.t
	$(NUMERICS_TEST) -x
	$(COSIM) 1000 100000
	$(MAKE) ROWS=8 B=$(B)/rows8 $(B)/rows8/tests/cosim_random
	$(B)/rows8/tests/cosim_random 3000 20000
	$(MAKE) SYNTHESIS=1 B=$(B)/synthesis $(B)/synthesis/tests/cosim_random
	$(B)/synthesis/tests/cosim_random 4000 20000
	$(S)/unit/gguf_mutate 1000 5000
	$(B)/tests/libiau/test_kv_budget 1000 1000000
	$(S)/tests/cosim_random 2000 100000 100000
