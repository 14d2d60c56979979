# SPDX-License-Identifier: MIT
# A kernel that looks for mistakes (sim/vm/debug.config), with the driver in its tree; once it is built,
# KERNEL=6.12-debug is one more kernel for make vm. A quarter of an hour for the first build.

DEBUGGED := $(KERNEL:-debug=)
$(VM)/$(DEBUGGED)/source/Makefile:
	sim/vm/fetch $(VM) source $(DEBUGGED)

$(VM)/builder/usr/bin/make:
	sim/vm/fetch $(VM) builder

.PHONY: debug-kernel check-debug
debug-kernel: $(VM)/$(DEBUGGED)/source/Makefile $(VM)/builder/usr/bin/make | $(VM_QEMU)
	sim/vm/debug-kernel $(VM) $(DEBUGGED)
	sim/vm/prepare $(VM) $(DEBUGGED)-debug

# one engine: what differs between them is time, and here there is little of that
check-debug: debug-kernel $(B)/iau $(B)/iau-vfio
	KERNEL=$(DEBUGGED)-debug VM=$(VM) ENGINES=ref prove --timer --exec '' $(filter-out %/boot.t %/package.t,$(wildcard tests/vm/*.t))

# What checkers say of the driver's source
.PHONY: check-driver
check-driver: vm-module $(VM)/builder/usr/bin/make $(VM_KIT)
	KERNEL=$(KERNEL) VM=$(VM) B=$(B) prove --timer -v --exec '' tests/static/driver.t
