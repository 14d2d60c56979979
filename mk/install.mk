# SPDX-License-Identifier: MIT
# The shared library, and `make install PREFIX=/usr/local DESTDIR=`.

PREFIX ?= /usr/local
DESTDIR ?=
VERSION := 0.1.0
SONAME := libiau.so.0
LIBIAU_SO := $(B)/libiau.so.$(VERSION)

# The map keeps everything but the public functions inside, the Verilated model's C++ included.
$(LIBIAU_SO): $(LIBIAU_OBJS) $(DEVICE_OBJS) $(RTL_LIBS) libiau/libiau.map
	$(CC) -shared -Wl,-soname,$(SONAME) -Wl,--version-script=libiau/libiau.map -Wl,-z,defs -o $@ \
		$(LIBIAU_OBJS) $(DEVICE_OBJS) $(RTL_LIBS) $(RTL_LDLIBS) -lpcre2-8 -ldrm -lm

# Built before the tests run, so that the one that installs does not build beside the others.
check: $(LIBIAU_SO)

.PHONY: install
install: $(B)/iau $(LIBIAU_SO)
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/lib/pkgconfig \
		$(DESTDIR)$(PREFIX)/include/iau $(DESTDIR)$(PREFIX)/share/man/man1 \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions
	install $(B)/iau $(DESTDIR)$(PREFIX)/bin/iau
	install -m 644 $(LIBIAU_SO) $(DESTDIR)$(PREFIX)/lib/
	ln -sf $(notdir $(LIBIAU_SO)) $(DESTDIR)$(PREFIX)/lib/$(SONAME)
	ln -sf $(SONAME) $(DESTDIR)$(PREFIX)/lib/libiau.so
	install -m 644 libiau/include/iau/*.h $(DESTDIR)$(PREFIX)/include/iau/
	sed 's|@PREFIX@|$(PREFIX)|;s|@VERSION@|$(VERSION)|' libiau/libiau.pc.in \
		> $(DESTDIR)$(PREFIX)/lib/pkgconfig/libiau.pc
	install -m 644 libiau/man/iau.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	install -m 644 libiau/tools/completion/iau.bash \
		$(DESTDIR)$(PREFIX)/share/bash-completion/completions/iau
