#!/bin/sh
# First process of every guest of the virtual lab, whatever its kernel.
#
# On entry / is the host's root file system, read-only. This script lays a tmpfs over it, so that
# the guest may write anywhere and the host keeps every byte, then hands over to the agent.
# `boot.env`, beside this file, says where things are.
set -eu
here=${0%/*}
. "$here/boot.env"
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin

mount -t proc proc /proc 2>/dev/null || true
mount -t sysfs sysfs /sys 2>/dev/null || true
mount -t tmpfs -o mode=755 tmpfs /run
new=/run/root
mkdir -p /run/upper /run/work "$new"
grep -qw overlay /proc/filesystems ||
    insmod "$ZS_MODULES/$(uname -r)/kernel/fs/overlayfs/overlay.ko"
mount -t overlay overlay "$new" -o lowerdir=/,upperdir=/run/upper,workdir=/run/work

mkdir -p "$new/proc" "$new/sys" "$new/dev" "$new/run" "$new/lib/modules" "$new/root"
mount --move /proc "$new/proc"
mount --move /sys "$new/sys"
mount -t devtmpfs -o mode=755 devtmpfs "$new/dev"
mkdir -p "$new/dev/pts" "$new/dev/shm"
mount -t devpts devpts "$new/dev/pts"
mount -t tmpfs tmpfs "$new/dev/shm"
mount -t tmpfs -o mode=755 tmpfs "$new/run"
mount --bind "$ZS_MODULES" "$new/lib/modules"
mkdir -p -m 1777 "$new/run/tmp" # the host's /tmp holds files that are not ours to open
mkdir -p "$new$ZS_SHARE"
case $ZS_SHARE_FS in
    hostfs) mount -t hostfs none "$new$ZS_SHARE" -o "$ZS_SHARE" ;;
    9p) mount -t 9p share "$new$ZS_SHARE" \
            -o trans=virtio,version=9p2000.L,msize=262144,cache=none,access=any ;;
esac
exec chroot "$new" /usr/bin/env -i PATH="$PATH" HOME=/root LANG=C.UTF-8 TERM=linux \
    TMPDIR=/run/tmp PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    PYTHONPATH="$ZS_PROJECT" ZS_SETTINGS="$ZS_SETTINGS" \
    "$ZS_PYTHON" -m certify.virtual_lab.guest.agent "$ZS_PORT"
