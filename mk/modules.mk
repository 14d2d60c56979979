# SPDX-License-Identifier: MIT
# The kernel module, for the machine that runs this or any other whose headers are in KDIR.

KDIR ?= /lib/modules/$(shell uname -r)/build
MODULE_FILES = driver/Kbuild driver/Kconfig $(wildcard driver/*.[ch] driver/probe/*.c)

# modules          builds driver/iau.ko
# modules_install  into DESTDIR/lib/modules/, and the udev rule
# dkms             the sources into DESTDIR/usr/src/, for `dkms install iau/VERSION`
# upstream-patch   the patch series for a kernel's tree, in B/upstream
.PHONY: modules modules_install dkms upstream-patch
modules:
	$(MAKE) -C $(KDIR) M=$(abspath driver) modules

modules_install: modules
	$(MAKE) -C $(KDIR) M=$(abspath driver) INSTALL_MOD_PATH=$(DESTDIR) modules_install
	install -D -m 644 driver/package/60-iau.rules $(DESTDIR)/usr/lib/udev/rules.d/60-iau.rules

DKMS_DIR = $(DESTDIR)/usr/src/iau-$(VERSION)
dkms:
	install -d $(DKMS_DIR)/driver/probe $(DKMS_DIR)/uapi/drm
	install -m 644 $(filter-out driver/probe/%,$(MODULE_FILES)) $(DKMS_DIR)/driver
	install -m 644 $(filter driver/probe/%,$(MODULE_FILES)) $(DKMS_DIR)/driver/probe
	install -m 644 uapi/drm/*.h $(DKMS_DIR)/uapi/drm
	sed 's|@VERSION@|$(VERSION)|' driver/package/dkms.conf > $(DKMS_DIR)/dkms.conf
	install -D -m 644 driver/package/60-iau.rules $(DESTDIR)/usr/lib/udev/rules.d/60-iau.rules

$(VM)/places/MAINTAINERS:
	sim/vm/fetch $(VM) places

upstream-patch: $(VM)/places/MAINTAINERS | $(VM_KIT)
	scripts/upstream-patch $(VM)/places $(VM)/kit $(B)/upstream

# What tests/vm/package.t needs
$(VM)/dkms/usr/sbin/dkms:
	sim/vm/fetch $(VM) dkms
check-vm: $(VM)/dkms/usr/sbin/dkms
