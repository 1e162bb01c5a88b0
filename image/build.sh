#!/bin/sh
# Makes a bootable SD card image for 64-bit Arm with the companion in it. Run as root; takes about ten minutes where Arm
# programs are emulated.
#
#   image/build.sh --out companion.img [--kit KIT] [--work FOLDER] [--pin]
#
#   --kit KIT      a kit of `companion kit build --platform aarch64`; without it one is made for configs/devices/toy.toml
#   --work FOLDER  where the work is done, about 4 GB; it is removed afterwards
#   --pin          write the versions that the archive has now to image/packages/image.lock
#
#   partition 1    FAT, 256 MB: kernel, initramfs, boot loader (UEFI), companion.toml
#   partition 2    ext4, the root, read-only
#   partition 3    only its entry: made on the card at the first start (image/root/usr/lib/companion/data-partition)
#
# The same kit and the same package versions make the same bytes. The versions are held against packages/image.lock.
# Nothing is mounted from a file. Raspberry Pi boards need their own firmware: see customise.sh.
set -eu
umask 022
cd "$(dirname "$0")/.."
project=$(pwd -P)

fail() { printf 'image: %s\n' "$*" >&2; exit 1; }
say() { printf 'image: %s\n' "$*" >&2; }

out='' kit='' work='' pin=no
while [ $# -gt 0 ]; do
    case $1 in
        --out | --kit | --work)
            [ $# -gt 1 ] || fail "$1 needs a value"
            case $1 in --out) out=$2 ;; --kit) kit=$2 ;; --work) work=$2 ;; esac
            shift 2
            ;;
        --pin) pin=yes; shift ;;
        -h | --help) sed -n '2,/^set -eu/s/^# \{0,1\}//p' image/build.sh; exit ;;
        *) fail "$1 is not understood; image/build.sh --help tells what is" ;;
    esac
done
[ -n "$out" ] || fail 'say where the image goes: image/build.sh --out companion.img'
[ -z "$kit" ] || [ -f "$kit" ] || fail "$kit is not there"

missing=
for tool in mmdebstrap:mmdebstrap sfdisk:fdisk mkfs.ext4:e2fsprogs debugfs:e2fsprogs mkfs.vfat:dosfstools \
    mcopy:mtools zstd:zstd; do
    command -v "${tool%:*}" >/dev/null || missing="$missing ${tool#*:}"
done
[ -z "$missing" ] || fail "some tools are missing; install them with: sudo apt-get install$missing"
[ "$(id -u)" = 0 ] || fail "run this as root: sudo image/build.sh --out $out"

[ -x .venv/bin/companion ] || fail 'run make setup-dev first'
base=$(mktemp -d "${work:-${TMPDIR:-/tmp}}/companion-image.XXXXXX")
trap 'rm -rf "$base"' EXIT
trap 'exit 130' INT TERM
if [ -z "$kit" ]; then
    kit=$base/kit.tar.zst
    .venv/bin/companion kit build --device configs/devices/toy.toml --platform aarch64 --out "$kit"
fi

# --- fixed numbers: the same in every image ----------------------------------------------------------------------

# --pin gives the image today's date: no file in it may be newer.
[ "$pin" = no ] || date -u -d "$(date -u +%F)" +%s >image/packages/epoch
SOURCE_DATE_EPOCH=$(cat image/packages/epoch)
E2FSPROGS_FAKE_TIME=$SOURCE_DATE_EPOCH
TZ=UTC LC_ALL=C.UTF-8
export SOURCE_DATE_EPOCH E2FSPROGS_FAKE_TIME TZ LC_ALL
root_uuid=6b0d6d5c-7a41-4a5e-9a55-2f4bb1c1a001
disk_id=0xc0a1da7a
volume_id=c0a1b007
boot_mb=256
root_mb=1536
data_start=$((2048 + (boot_mb + root_mb) * 2048)) # in sectors of 512 bytes

# The packages that are pinned are those in the image, or it is not made.
.venv/bin/python -m studio.kit.sbom "$base/sbom.json"

# --- the root ----------------------------------------------------------------------------------------------------

names() { sed 's/#.*//' "$@" | tr -s ' \n' ','; }
mirror=${COMPANION_MIRROR:-http://deb.debian.org}
say 'making the root (emulated programs take their time)'
cat >"$base/first" <<'END'
#!/bin/sh
# Only what leads to the card: the whole set of drivers takes emulated tools a quarter of an hour.
set -eu
mkdir -p "$1/etc/initramfs-tools/conf.d" "$1/usr/share/initramfs-tools/modules.d"
printf 'MODULES=list\nCOMPRESS=zstd\nCOMPRESSLEVEL=3\nRESUME=none\n' >"$1/etc/initramfs-tools/conf.d/companion"
printf '%s\n' virtio_pci virtio_mmio virtio_blk ext4 mmc_block sdhci_iproc bcm2835 usb_storage uas \
    >"$1/usr/share/initramfs-tools/modules.d/companion"
END
chmod 755 "$base/first"
# Without /sys: the processors that it tells of are this machine's, which makes ONNX Runtime crash when emulated.
image/emulated.sh mmdebstrap --mode=root --skip=chroot/mount/sys --architectures=arm64 --variant=apt --quiet \
    --include="$(names image/packages/image.txt image/packages/kit.txt | sed 's/^,*//; s/,*$//')" \
    --extract-hook="$base/first \"\$1\"" \
    --customize-hook="sh '$project/image/into-root.sh' \"\$1\" '$(realpath "$kit")' '$base/sbom.json'" \
    --customize-hook="sh '$project/image/settle.sh' \"\$1\"" \
    --customize-hook="chroot \"\$1\" dpkg-query -W -f '\${Package} \${Version} \${Architecture}\\n' >'$base/packages'" \
    bookworm "$base/root.tar" \
    "deb $mirror/debian bookworm main" "deb $mirror/debian bookworm-updates main" \
    "deb $mirror/debian-security bookworm-security main" || fail 'the root could not be made: read above'

lock=image/packages/image.lock
LC_ALL=C sort -o "$base/packages" "$base/packages"
if [ "$pin" = yes ]; then
    { echo '# Every Debian package of the image. Made by image/build.sh --pin.'; cat "$base/packages"; } >"$lock"
elif ! grep -v '^#' "$lock" | cmp -s - "$base/packages"; then
    grep -v '^#' "$lock" | diff - "$base/packages" | grep '^[<>]' | head -n 20 >&2 || :
    fail "the archive has other versions than $lock (above: < pinned, > now). Give COMPANION_MIRROR an archive that has the pinned ones (snapshot.debian.org), or accept these with --pin"
fi

mkdir "$base/root" "$base/boot"
tar -C "$base/root" --numeric-owner --xattrs --xattrs-include='*' -xpf "$base/root.tar"
rm "$base/root.tar"
kernel=$(cd "$base/root/boot" && echo vmlinuz-*)
mv "$base/root/boot/$kernel" "$base/boot/vmlinuz"
mv "$base/root/boot/initrd.img-${kernel#vmlinuz-}" "$base/boot/initrd.img"
rm -f "$base/root/vmlinuz" "$base/root/initrd.img" "$base/root"/vmlinuz.old "$base/root"/initrd.img.old
touch -d "@$SOURCE_DATE_EPOCH" "$base/root/boot" "$base/root"

# --- partition 1 -------------------------------------------------------------------------------------------------

mkdir -p "$base/boot/EFI/BOOT" "$base/boot/loader/entries"
cp "$base/root/usr/lib/systemd/boot/efi/systemd-bootaa64.efi" "$base/boot/EFI/BOOT/BOOTAA64.EFI"
printf 'timeout 0\ndefault companion.conf\neditor no\n' >"$base/boot/loader/loader.conf"
printf 'title Companion\nlinux /vmlinuz\ninitrd /initrd.img\noptions root=LABEL=companion-root ro quiet console=ttyAMA0 console=tty1\n' \
    >"$base/boot/loader/entries/companion.conf"
cp "$base/root/opt/companion/configs/boot/companion.toml" "$base/boot/companion.toml"
find "$base/boot" -exec touch -h -d "@$SOURCE_DATE_EPOCH" {} +
mkfs.vfat -C --invariant -F 32 -n COMPANION -i "$volume_id" "$base/boot.img" $((boot_mb * 1024)) >/dev/null
(cd "$base/boot" && find . -mindepth 1 | LC_ALL=C sort | while read -r name; do
    if [ -d "$name" ]; then mmd -i "$base/boot.img" "::${name#.}"; else mcopy -m -i "$base/boot.img" "$name" "::${name#.}"; fi
done)

# --- partition 2 -------------------------------------------------------------------------------------------------

say 'writing the file systems'
truncate -s ${root_mb}M "$base/root.img"
mkfs.ext4 -q -L companion-root -U "$root_uuid" -E "hash_seed=$root_uuid,lazy_itable_init=0,lazy_journal_init=0" -m 0 \
    -d "$base/root" "$base/root.img" || fail "the root does not fit into $root_mb MB"
python3 image/fixed_times.py "$base/root.img" "$SOURCE_DATE_EPOCH" || fail 'the times in the root could not be fixed'

# --- the card ----------------------------------------------------------------------------------------------------

# The table speaks of a third partition behind the file's end: it has none of its content.
truncate -s $(((data_start + 131072) * 512)) "$base/card.img"
sfdisk -q "$base/card.img" <<END
label: dos
label-id: $disk_id
start=2048, size=$((boot_mb * 2048)), type=c, bootable
start=$((2048 + boot_mb * 2048)), size=$((root_mb * 2048)), type=83
start=$data_start, size=131072, type=83
END
dd if="$base/boot.img" of="$base/card.img" bs=1M seek=1 conv=notrunc,sparse status=none
dd if="$base/root.img" of="$base/card.img" bs=1M seek=$((1 + boot_mb)) conv=notrunc,sparse status=none
truncate -s $((data_start * 512)) "$base/card.img"
cp --sparse=always "$base/card.img" "$out.new"
mv "$out.new" "$out"
cp "$base/sbom.json" "$out.sbom.json"
sha256sum "$out"
