# SPDX-License-Identifier: MIT
# The card in a virtual machine: stock QEMU and stock Debian kernels, unpacked in VM.

VM := $(B)/vm
KERNEL ?= 6.12
CARDS ?= 1
# Options of iau-vfio, for each card; options of sim/vm/run.
CARD ?=
VM_FLAGS ?=
# For make vm: what to run instead of a shell; its exit code is make's success.
CMD ?=

VM_QEMU := $(VM)/qemu/usr/bin/qemu-system-x86_64
VM_KERNEL := $(VM)/$(KERNEL)

$(VM_QEMU):
	sim/vm/fetch $(VM) qemu

$(VM_KERNEL)/version:
	sim/vm/fetch $(VM) kernel $(KERNEL)

$(VM_KERNEL)/initramfs: $(VM_KERNEL)/version sim/vm/prepare sim/vm/init | $(VM_QEMU)
	sim/vm/prepare $(VM) $(KERNEL)

$(VM_KERNEL)/headers/version: $(VM_KERNEL)/version
	sim/vm/fetch $(VM) headers $(KERNEL)

# From the kernel's source: the harness of its selftests, its checkers
VM_KIT := $(VM)/kit/scripts
$(VM_KIT):
	sim/vm/fetch $(VM) kit

.PHONY: vm vm-ready vm-module check-vm
vm-ready: $(B)/iau $(B)/iau-vfio $(VM_KERNEL)/initramfs

vm: vm-ready
	@sim/vm/run -d $(VM) -k $(KERNEL) -e $(ENGINE) -n $(CARDS) -c '$(CARD)' $(VM_FLAGS) \
		$(if $(CMD),-- '$(subst ','\'',$(CMD))')

vm-module: $(if $(wildcard driver/Kbuild),$(VM_KERNEL)/headers/version) $(HW_HEADERS)
	sim/vm/module $(VM) $(KERNEL) $(B)

# The driver against every kernel's edges: oldest and newest of each series
.PHONY: check-builds
check-builds: $(HW_HEADERS)
	@mkdir -p $(VM)/builds
	prove --timer --exec '' sim/vm/builds :: $(VM)/builds $(B)

check-vm: vm-ready vm-module
	KERNEL=$(KERNEL) ENGINE=$(ENGINE) VM=$(VM) prove --timer --exec '' tests/vm
