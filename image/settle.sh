#!/bin/sh
# Takes out of a root file system what differs from one making to the next, and what a toy has no use for:
# image/settle.sh ROOT. Called by build.sh.
set -eu
root=$1

echo companion >"$root/etc/hostname"
printf '127.0.0.1\tlocalhost companion\n::1\tlocalhost\n' >"$root/etc/hosts"
: >"$root/etc/machine-id"
ln -sfn /run/NetworkManager/resolv.conf "$root/etc/resolv.conf"
for unit in apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service \
    getty@tty1.service serial-getty@ttyAMA0.service; do
    ln -sfn /dev/null "$root/etc/systemd/system/$unit"
done
rm -rf "$root"/var/cache/apt/* "$root"/var/cache/debconf/* "$root"/var/cache/ldconfig/* "$root"/var/lib/apt/lists/* \
    "$root"/var/log/* "$root"/var/tmp/* "$root"/tmp/* "$root"/run/* "$root"/root/.cache \
    "$root"/var/lib/dpkg/*-old "$root"/var/cache/man "$root"/usr/share/doc "$root"/usr/share/man \
    "$root"/usr/share/locale "$root"/var/lib/systemd/random-seed "$root"/etc/.pwd.lock
rm -f "$root"/etc/passwd- "$root"/etc/shadow- "$root"/etc/group- "$root"/etc/gshadow- "$root"/etc/subuid- "$root"/etc/subgid-
