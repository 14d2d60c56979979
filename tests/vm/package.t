#!/bin/bash
# SPDX-License-Identifier: MIT
# What users install: the module by make and by DKMS, in a Debian that has the kernel's headers, and what
# modinfo tells of it. KERNEL chooses.
# shellcheck source=tests/vm/lib.sh
. tests/vm/lib.sh
root=$vm/$kernel/headers
version=$(cat "$vm/$kernel/version")
[ -x "$vm/dkms/usr/sbin/dkms" ] || { echo "Bail out! no dkms: run sim/vm/fetch $vm dkms"; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
log() { [ "$1" = 0 ] || sed 's/^/# /' "$work/log" | tail -n 30; return "$1"; }

# inside COMMAND...: in the Debian with the headers, which sees the tree as /tree and a fresh /scratch
inside() {
	mkdir -p "$root"/{dev,proc,tmp,tree,scratch,lib/modules/"$version"}
	unshare --map-root-user --mount sh -c '
		root=$1 work=$2 version=$3
		shift 3
		mount --rbind /dev "$root/dev" && mount --rbind /proc "$root/proc" &&
		mount --bind . "$root/tree" && mount --bind "$work" "$root/scratch" &&
		exec chroot "$root" /usr/bin/env -i PATH=/usr/bin:/usr/sbin LC_ALL=C HOME=/scratch "$@"
	' sh "$root" "$work" "$version" "$@" > "$work/log" 2>&1 < /dev/null
}

# A copy: the module is built where its sources are.
make -s dkms DESTDIR="$work/dest"
ok $? "make dkms"
source=$(echo "$work"/dest/usr/src/iau-*)
release=${source##*/iau-}
cp -r "$source" "$work/iau"

# neither packed nor signed: this Debian has no xz, and nobody the kernel's key
inside make -C "/usr/src/linux-headers-$version" M=/scratch/iau/driver CONFIG_DEBUG_INFO_BTF_MODULES= \
	CONFIG_MODULE_COMPRESS_ALL= CONFIG_MODULE_COMPRESS_XZ= CONFIG_MODULE_SIG_ALL= \
	INSTALL_MOD_PATH=/scratch/modules modules modules_install
log $?; ok $? "the sources of the package build and install a module"
module=$(find "$work/modules" -name 'iau.ko*')
[ -n "$module" ]
ok $? "it lies under lib/modules"
inside bash -c "exec -a modinfo kmod /scratch/${module#"$work/"}"
cp "$work/log" "$work/modinfo"
for field in description author license 'alias: *pci:' 'parm: *timeout_ms:' 'parm: *client_mib:'; do
	grep -q "^$field" "$work/modinfo"
	ok $? "modinfo has $field"
done

cp "$vm/dkms/usr/sbin/dkms" "$work/dkms"
cp -r "$vm/dkms/usr/lib/dkms" "$work/dkms-lib"
mkdir -p "$work/src" "$work/tree"
cp -r "$source" "$work/src/"
inside bash -c "mkdir -p /usr/lib/dkms /etc/dkms /var/lib/dkms && cp -r /scratch/dkms-lib/. /usr/lib/dkms/ &&
	bash /scratch/dkms build iau/$release -k $version --kernelsourcedir /usr/src/linux-headers-$version \
	--sourcetree /scratch/src --dkmstree /scratch/tree"
log $?; ok $? "dkms build"
[ -n "$(find "$work/tree" -path "*$version*" -name 'iau.ko*')" ]
ok $? "dkms has made a module for that kernel"

! grep -E 'MODE="0?666"' "$work/dest/usr/lib/udev/rules.d/60-iau.rules"
ok $? "the node is not for everybody"
finish
