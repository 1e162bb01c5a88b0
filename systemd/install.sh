#!/bin/sh
# Installs the companion as a service. Run as root, from a copy of the project whose virtual environment is made.
# Safe to run again: it changes only what differs, and never touches settings, keys or what the device remembers.
#
#   systemd/install.sh            this machine: installs, loads and enables; does not start
#   systemd/install.sh ROOT       a mounted root file system (an image): installs and enables in it
#
# Needs the project in /opt/companion, in ROOT too: that is where the unit looks for it.

set -eu

case "${1:-}" in
    -h | --help) sed -n '2,/^$/s/^# \{0,1\}//p' "$0"; exit ;;
    -*) echo "companion: $1 is not understood; --help tells what is" >&2; exit 2 ;;
esac
root="${1:-}"
here="$(cd "$(dirname "$0")" && pwd)"
say() { echo "companion: $*"; }

[ "$(id -u)" -eq 0 ] || { say "run this as root: sudo $0" >&2; exit 1; }
if [ -n "$root" ] && [ ! -d "$root/etc" ]; then
    say "$root is no root file system: it has no etc folder" >&2
    exit 1
fi
[ -x "$root/opt/companion/.venv/bin/companion" ] ||
    say "$root/opt/companion/.venv/bin/companion is not there yet; the service starts once it is" >&2

# put SOURCE PLACE [MODE]: copies where it differs, in one step.
put() {
    target="$root$2"
    if cmp -s "$here/$1" "$target"; then return; fi
    mkdir -p "$(dirname "$target")"
    cp "$here/$1" "$target.new"
    chmod "${3:-644}" "$target.new"
    mv "$target.new" "$target"
    say "installed $2"
}

put companion.service /etc/systemd/system/companion.service
put companion.sysusers.conf /etc/sysusers.d/companion.conf
put companion.tmpfiles.conf /etc/tmpfiles.d/companion.conf
put companion.modules.conf /etc/modules-load.d/companion.conf
put 99-companion.rules /etc/udev/rules.d/99-companion.rules
also=
for unit in companion-provision.service companion-report.service companion-report.timer; do
    [ -f "$here/$unit" ] || continue
    put "$unit" "/etc/systemd/system/$unit"
    [ "$unit" = companion-report.service ] || also="$also $unit"
done

# So that whoever looks after the unit types `companion status`. A program of that name of somebody else's stays.
link="$root/usr/local/bin/companion"
if [ ! -e "$link" ] || [ -L "$link" ]; then
    mkdir -p "$root/usr/local/bin"
    ln -sfn /opt/companion/.venv/bin/companion "$link"
else
    say "$link is another program and stays; the companion's is /opt/companion/.venv/bin/companion"
fi

[ -e "$root/etc/companion" ] || mkdir -p -m 755 "$root/etc/companion"

if [ -n "$root" ]; then
    systemd-sysusers --root="$root" companion.conf
    # shellcheck disable=SC2086  # a list of words
    systemctl --root="$root" enable -q companion.service $also
else
    systemd-sysusers companion.conf
    systemd-tmpfiles --create companion.conf
    if [ -d /run/systemd/system ]; then
        systemctl daemon-reload
        systemctl restart systemd-modules-load.service || say "a kernel module could not be loaded; sound or USB may be missing"
        if command -v udevadm >/dev/null; then
            udevadm control --reload || true
            udevadm trigger --subsystem-match=tty || true
        fi
    fi
    # shellcheck disable=SC2086  # a list of words
    systemctl enable -q companion.service $also
fi

say "installed. Key: /etc/companion/dashscope-key (mode 600). Device: COMPANION_DEVICE in /etc/companion/companion.env."
[ -n "$root" ] || say "start it with: systemctl start companion"
