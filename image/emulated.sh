#!/bin/sh
# Runs a command on a machine where programs for 64-bit Arm run: image/emulated.sh COMMAND [ARGUMENT...]. Needs root.
#
# On an Arm machine that is every command. Elsewhere Debian's qemu-user-static runs them, which the kernel must be told
# (binfmt_misc). From Linux 6.7 on it is told inside a user namespace, so that nothing on the machine changes, and
# nothing that others do to the setting (a container that shuts down clears it) stops a build half-way.
set -eu

fail() { printf 'emulated: %s\n' "$*" >&2; exit 1; }
[ "$(id -u)" = 0 ] || fail "run this as root: sudo $0 $*"
[ "$(uname -m)" != aarch64 ] || exec "$@"

for interpreter in /usr/libexec/qemu-binfmt/aarch64-binfmt-P /usr/bin/qemu-aarch64-static ''; do
    [ ! -x "$interpreter" ] || break
done
[ -n "$interpreter" ] || fail 'qemu-user-static is missing: install it with: sudo apt-get install qemu-user-static'
flags=F
case $interpreter in *-P) flags=PF ;; esac
# What an Arm program begins with (ELF, 64 bits, little-endian, a program, machine 183), and which bits of it count.
magic='\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00'
mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff'
export COMPANION_BINFMT=":companion-aarch64:M::$magic:$mask:$interpreter:$flags"

if [ "$(uname -r | awk -F '[.-]' '{ print ($1 > 6 || ($1 == 6 && $2 >= 7)) }')" != 1 ]; then
    [ -w /proc/sys/fs/binfmt_misc/register ] || mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc ||
        fail 'binfmt_misc cannot be mounted here: Arm programs cannot be run'
    ls /proc/sys/fs/binfmt_misc/*aarch64* >/dev/null 2>&1 || printf '%s' "$COMPANION_BINFMT" >/proc/sys/fs/binfmt_misc/register
    exec "$@"
fi

gate=$(mktemp -d)
trap 'rm -rf "$gate"' EXIT
mkfifo "$gate/open"
# shellcheck disable=SC2016  # is expanded inside
unshare --user --mount --pid --fork --mount-proc --kill-child sh -euc '
    read -r _ <"$1"
    shift
    mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
    printf %s "$COMPANION_BINFMT" >/proc/sys/fs/binfmt_misc/register
    unset COMPANION_BINFMT
    exec "$@"
' emulated "$gate/open" "$@" &
child=$!
trap 'kill "$child"; exit 143' INT TERM
while [ "$(readlink "/proc/$child/ns/user")" = "$(readlink /proc/self/ns/user)" ]; do
    kill -0 "$child" 2>/dev/null || fail 'a user namespace cannot be made here'
    sleep 0.05
done
# Every user keeps their number, so that files belong to whom they should.
echo '0 0 65536' >"/proc/$child/uid_map"
echo '0 0 65536' >"/proc/$child/gid_map"
echo >"$gate/open"
wait "$child"
