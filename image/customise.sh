#!/bin/sh
# Puts the companion into a stock Raspberry Pi OS image (64-bit, bookworm, Lite or not), which itself stays as it is:
#
#   image/customise.sh IMAGE --kit kit.tar --out companion-pi.img [--work FOLDER]
#
#   --kit KIT      an uncompressed kit: companion kit build --device ... --out kit.tar
#   --work FOLDER  where the work is done: twice the image's size and 2 GB
#
# The kit goes into the root as one file, and a unit that installs it at the first start (image/first-boot/), so that no
# program of another processor runs here. The root grows by what is needed then; behind it comes the entry of a data
# partition that an image written to the card again leaves alone. companion.toml stands on the boot partition. Pi OS's
# own first start, which would let the root take the whole card, is taken out of cmdline.txt.
#
# Needs no root and mounts nothing: dd, sfdisk, mtools and debugfs work on files.
set -eu
cd "$(dirname "$0")"
here=$(pwd -P)
cd "$OLDPWD"

fail() { printf 'customise: %s\n' "$*" >&2; exit 1; }
say() { printf 'customise: %s\n' "$*" >&2; }

image='' kit='' out='' work=''
while [ $# -gt 0 ]; do
    case $1 in
        --out | --kit | --work)
            [ $# -gt 1 ] || fail "$1 needs a value"
            case $1 in --out) out=$2 ;; --kit) kit=$2 ;; --work) work=$2 ;; esac
            shift 2
            ;;
        -h | --help) sed -n '2,/^set -eu/s/^# \{0,1\}//p' "$here/customise.sh"; exit ;;
        -*) fail "$1 is not understood: see the first lines of image/customise.sh" ;;
        *) [ -z "$image" ] || fail 'one image at a time'; image=$1; shift ;;
    esac
done
[ -n "$image" ] && [ -n "$kit" ] && [ -n "$out" ] || fail 'usage: image/customise.sh IMAGE --kit kit.tar --out companion-pi.img'
[ -f "$image" ] || fail "$image is not there"
[ -f "$kit" ] || fail "$kit is not there: make one with companion kit build --device ... --out kit.tar"
case $image in *.xz | *.gz | *.zip | *.zst) fail "$image is compressed: unpack it first" ;; esac
[ "$(realpath "$image")" != "$(realpath -m "$out")" ] || fail 'the image itself stays as it is: give --out another name'

missing=
for tool in sfdisk:fdisk debugfs:e2fsprogs e2fsck:e2fsprogs resize2fs:e2fsprogs mcopy:mtools; do
    command -v "${tool%:*}" >/dev/null || missing="$missing ${tool#*:}"
done
[ -z "$missing" ] || fail "some tools are missing; install them with: sudo apt-get install$missing"

about=$(tar -xOf "$kit" companion-kit/kit.json 2>/dev/null) || fail "$kit is no uncompressed kit: make it with --out kit.tar"
case $about in *'"machine": "aarch64"'*) ;; *) fail "$kit is not made for 64-bit Arm: make it with --platform aarch64" ;; esac

# --- is it what we know? -----------------------------------------------------------------------------------------

base=$(mktemp -d "${work:-${TMPDIR:-/tmp}}/companion-customise.XXXXXX")
trap 'rm -rf "$base"' EXIT
trap 'exit 130' INT TERM
export MTOOLS_SKIP_CHECK=1 LC_ALL=C.UTF-8

unknown() { fail "$image is not known to this script ($*): it takes Raspberry Pi OS, 64-bit, bookworm"; }
sfdisk -d "$image" >"$base/table" 2>/dev/null || unknown 'it has no partition table'
grep -qx 'label: dos' "$base/table" || unknown 'its partition table is no MBR'
[ "$(grep -c 'start=' "$base/table")" = 2 ] || unknown 'it does not have two partitions'
value() { sed -n "s/^[^ ]*$1 : .*$2= *\([0-9a-fx]*\).*/\1/p" "$base/table"; }
boot_start=$(value 1 start) boot_size=$(value 1 size) root_start=$(value 2 start) root_size=$(value 2 size)
disk_id=$(sed -n 's/^label-id: //p' "$base/table")
for number in "$boot_start" "$boot_size" "$root_start" "$root_size"; do
    case $number in '' | *[!0-9]*) unknown 'its partition table cannot be read' ;; esac
done
[ "$(($(stat -c %s "$image") / 512))" -ge $((root_start + root_size)) ] || fail "$image is cut off: fetch or unpack it again"

dd if="$image" of="$base/boot.img" bs=1M iflag=skip_bytes,count_bytes skip=$((boot_start * 512)) count=$((boot_size * 512)) status=none
dd if="$image" of="$base/root.img" bs=1M iflag=skip_bytes,count_bytes skip=$((root_start * 512)) count=$((root_size * 512)) \
    conv=sparse status=none
truncate -s $((root_size * 512)) "$base/root.img"
mcopy -n -i "$base/boot.img" ::cmdline.txt "$base/cmdline.txt" 2>/dev/null || unknown 'its first partition has no cmdline.txt'
[ -n "$(debugfs -R 'stat /etc/rpi-issue' "$base/root.img" 2>/dev/null)" ] || unknown 'its root has no /etc/rpi-issue'
[ -n "$(debugfs -R 'stat /usr/lib/aarch64-linux-gnu' "$base/root.img" 2>/dev/null)" ] || fail "$image is for 32 bits: take the 64-bit one"
release=$(debugfs -R 'cat /usr/lib/os-release' "$base/root.img" 2>/dev/null | sed -n 's/^VERSION_CODENAME=//p')
case $about in
    *'"python": "3.11"'*) fits=bookworm ;;
    *'"python": "3.13"'*) fits=trixie ;;
    *) fits='none that is known' ;;
esac
[ "$release" = "$fits" ] || fail "$image is Debian's ${release:-unknown release} and the kit is for $fits: make one with --python"

# --- partition 2: the kit, and what installs it ------------------------------------------------------------------

say 'putting the kit into the root'
more_mb=$(($(stat -c %s "$kit") / 1000000 * 6 + 200)) # packed, unpacked and installed
root_mb=$((root_size / 2048 + more_mb))
truncate -s ${root_mb}M "$base/root.img"
checked=0
e2fsck -fy "$base/root.img" >/dev/null 2>&1 || checked=$?
[ "$checked" -lt 4 ] || fail "the root of $image is damaged: fetch it again"
resize2fs "$base/root.img" >/dev/null 2>&1 || fail 'the root could not be made larger'

{
    put() { # SOURCE PLACE MODE
        echo "rm $2"
        echo "write \"$1\" $2"
        echo "sif $2 mode 0100$3"
        echo "sif $2 uid 0"
        echo "sif $2 gid 0"
    }
    for folder in /usr/lib/companion /data /etc/systemd/system/multi-user.target.wants /etc/systemd/system/local-fs.target.wants; do
        echo "mkdir $folder"
    done
    put "$kit" /opt/companion-kit.tar 644
    put "$here/first-boot/first-boot-install" /usr/lib/companion/first-boot-install 755
    put "$here/first-boot/companion-install.service" /etc/systemd/system/companion-install.service 644
    put "$here/root/usr/lib/companion/data-partition" /usr/lib/companion/data-partition 755
    put "$here/root/usr/lib/companion/data-filesystem" /usr/lib/companion/data-filesystem 755
    put "$here/root/etc/systemd/system/companion-data.service" /etc/systemd/system/companion-data.service 644
    echo 'symlink /etc/systemd/system/multi-user.target.wants/companion-install.service ../companion-install.service'
    echo 'symlink /etc/systemd/system/local-fs.target.wants/companion-data.service ../companion-data.service'
    # The service's folder and that of its secrets, onto which its own partition is mounted.
    echo 'mkdir /var/lib/companion'
    echo 'mkdir /var/lib/companion-provision'
} >"$base/orders"
debugfs -w -f "$base/orders" "$base/root.img" >"$base/said" 2>&1 || fail 'debugfs could not write into the root'
for wanted in /opt/companion-kit.tar /usr/lib/companion/data-partition /etc/systemd/system/local-fs.target.wants/companion-data.service; do
    [ -n "$(debugfs -R "stat $wanted" "$base/root.img" 2>/dev/null)" ] || { tail -n 5 "$base/said" >&2; fail "$wanted could not be written into the root"; }
done
checked=0
e2fsck -fy "$base/root.img" >/dev/null 2>&1 || checked=$?
[ "$checked" -lt 4 ] || fail 'the root was damaged by the writing: report this'

# --- partition 1 -------------------------------------------------------------------------------------------------

tr ' ' '\n' <"$base/cmdline.txt" | grep -v -e '^init=/usr/lib/raspberrypi-sys-mods/firstboot$' -e '^init=/usr/lib/raspi-config/init_resize.sh$' |
    grep . | tr '\n' ' ' | sed 's/ $//' >"$base/cmdline.new"
mcopy -o -i "$base/boot.img" "$base/cmdline.new" ::cmdline.txt
tar -xOf "$kit" companion-kit/configs/boot/companion.toml >"$base/companion.toml"
mcopy -o -i "$base/boot.img" "$base/companion.toml" ::companion.toml

# --- the card ----------------------------------------------------------------------------------------------------

data_start=$((root_start + root_mb * 2048))
truncate -s $(((data_start + 131072) * 512)) "$base/card.img"
sfdisk -q "$base/card.img" <<END
label: dos
label-id: $disk_id
start=$boot_start, size=$boot_size, type=c
start=$root_start, size=$((root_mb * 2048)), type=83
start=$data_start, size=131072, type=83
END
dd if="$base/boot.img" of="$base/card.img" bs=1M oflag=seek_bytes seek=$((boot_start * 512)) conv=notrunc,sparse status=none
dd if="$base/root.img" of="$base/card.img" bs=1M oflag=seek_bytes seek=$((root_start * 512)) conv=notrunc,sparse status=none
truncate -s $((data_start * 512)) "$base/card.img"
cp --sparse=always "$base/card.img" "$out.new"
mv "$out.new" "$out"
say "$out is made: write it to a card, edit companion.toml on its boot partition, and start the unit; the first start takes minutes"
