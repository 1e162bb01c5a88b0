#!/bin/sh
# Boots an image in an emulated 64-bit Arm machine and tries on it what happens to a toy: image/boot-test.sh IMAGE.
# It is set up from companion.toml, gets ready, holds a conversation, loses its power, starts again, is flashed anew.
# Takes 10 to 30 minutes; needs no root. The image itself is not changed. Passed means exit status 0.
#
#   image/boot-test.sh IMAGE [--work FOLDER]    FOLDER keeps the card, serial logs, the report and times.txt
set -eu
fail() { printf 'boot-test: %s\n' "$*" >&2; exit 1; }

image='' work=''
while [ $# -gt 0 ]; do
    case $1 in
        --work) [ $# -gt 1 ] || fail '--work needs a folder'; work=$2; shift 2 ;;
        -h | --help) sed -n '2,/^set -eu/s/^# \{0,1\}//p' "$0"; exit ;;
        -*) fail "$1 is not understood; image/boot-test.sh --help tells what is" ;;
        *) [ -z "$image" ] || fail 'one image at a time'; image=$1; shift ;;
    esac
done
[ -n "$image" ] || fail 'say which image: image/boot-test.sh companion.img'
[ -f "$image" ] || fail "$image is not there: make it with image/build.sh --out $image"
missing=
for tool in qemu-system-aarch64:qemu-system-arm mcopy:mtools espeak-ng:espeak-ng python3:python3; do
    command -v "${tool%:*}" >/dev/null || missing="$missing ${tool#*:}"
done
[ -z "$missing" ] || fail "some tools are missing; install them with: sudo apt-get install$missing"
exec python3 "$(dirname "$0")/boot_test.py" "$image" "${work:-$(mktemp -d "${TMPDIR:-/tmp}/companion-boot.XXXXXX")}"
