# SPDX-License-Identifier: MIT
# The driver's selftests, in the kernel's own form: tests/kselftest/ is what drops into
# tools/testing/selftests/ of a kernel's tree. Here they are built beside the kernel's harness, by
# their own Makefile and in the same layout.

KSELFTEST := $(B)/kselftest
KSELFTEST_DIR := drivers/accel/iau
KSELFTEST_SRCS := $(wildcard tests/kselftest/$(KSELFTEST_DIR)/*)

$(KSELFTEST)/.built: $(KSELFTEST_SRCS) uapi/drm/iau_accel.h | $(VM_KIT) $(NEEDED)
	rm -rf $(KSELFTEST)
	mkdir -p $(KSELFTEST)/$(KSELFTEST_DIR)
	cp -r $(VM)/kit/tools/testing/selftests/. $(KSELFTEST)
	cp $(KSELFTEST_SRCS) $(KSELFTEST)/$(KSELFTEST_DIR)
	$(MAKE) -C $(KSELFTEST)/$(KSELFTEST_DIR) OUTPUT=$(abspath $(KSELFTEST)/$(KSELFTEST_DIR)) \
		KHDR_INCLUDES='-I$(abspath uapi) -isystem /usr/include/libdrm' USERCFLAGS=-Werror
	touch $@

.PHONY: kselftest
kselftest: $(KSELFTEST)/.built
check-vm check-debug: kselftest
