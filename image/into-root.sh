#!/bin/sh
# Puts the companion into a root file system: image/into-root.sh ROOT KIT SBOM. Called by build.sh; needs root, and a
# machine that runs the root's programs (image/emulated.sh). The kit is installed by its own install.sh, without a
# network. SBOM, the list of everything in the image, goes beside it.
set -eu
root=$1 kit=$2 sbom=$3
here=$(cd "$(dirname "$0")" && pwd)

mkdir -p "$root/data" "$root/boot/firmware" "$root/var/lib/companion" "$root/var/tmp/kit"
mkdir -m 700 "$root/var/lib/companion-provision"
tar -C "$root/var/tmp/kit" -xf "$kit"
chroot "$root" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 \
    SOURCE_DATE_EPOCH="${SOURCE_DATE_EPOCH:-0}" sh /var/tmp/kit/companion-kit/install.sh --no-start
rm -rf "$root/var/tmp/kit" "$root/opt/companion/.lock"

install -m 644 "$sbom" "$root/opt/companion/sbom.json"
cp -R "$here/root/." "$root/"
chown -R 0:0 "$root/usr/lib/companion" "$root/etc/fstab" "$root/etc/systemd/system/companion-data.service"
chmod 755 "$root/usr/lib/companion/data-partition" "$root/usr/lib/companion/data-filesystem"
systemctl --root="$root" -q enable companion-data.service
# No COMPANION_DEVICE: what is chosen in companion.toml on the card counts (systemd/start).
rm -f "$root/etc/companion/companion.env"
