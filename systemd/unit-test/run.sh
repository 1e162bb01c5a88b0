#!/bin/sh
# Runs companion.service for real: a systemd of its own, over an overlay of this machine, in namespaces of its own
# (processes, mounts, network, cgroups), with a PulseAudio null device as the sound card. Nothing of this machine is
# changed, and everything ends with the script. Then `trials.sh` in there does to the service what should not happen.
#
#   sudo systemd/unit-test/run.sh [PROJECT]        takes about seven minutes; prints one line for each trial
#
# PROJECT is the copy of the project to try (this one when not given); its virtual environment is this one's. Needs
# root, overlayfs, systemd, pulseaudio, libasound2-plugins. Exit status 0 when every trial went well.

set -eu
here="$(cd "$(dirname "$0")" && pwd)"
own="$(cd "$here/../.." && pwd)"
project="${1:-$own}"
most_s=1500

[ "$(id -u)" -eq 0 ] || { echo "run this as root: sudo $0" >&2; exit 1; }
for program in /lib/systemd/systemd unshare pulseaudio pactl; do
    command -v "$program" >/dev/null || { echo "$program is missing here" >&2; exit 1; }
done

work="$(mktemp -d)"
groups=""
clean_up() {
    rm -rf "$work"
    for mine in $groups; do
        echo $$ >"${mine%/*}/cgroup.procs"
        find "$mine" -depth -type d -exec rmdir {} +
    done
}
trap clean_up EXIT
# A cgroup for it in every hierarchy of this machine, of one kind or the other.
for folder in /sys/fs/cgroup/*/; do
    [ -e "$folder/cgroup.procs" ] || continue
    case "$folder" in /sys/fs/cgroup/*.*/) continue ;; esac
    if [ -e /sys/fs/cgroup/cgroup.controllers ]; then folder=/sys/fs/cgroup/; fi
    folder="${folder%/}"
    mine="$folder/companion-try"
    mkdir -p "$mine"
    groups="$groups $mine"
    for file in cpuset.cpus cpuset.mems; do
        [ ! -e "$mine/$file" ] || cat "$folder/$file" >"$mine/$file" 2>/dev/null || true
    done
    echo $$ >"$mine/cgroup.procs"
done

echo 1 >"$work/status"
timeout -s KILL "$most_s" unshare --mount --pid --fork --kill-child --uts --ipc --net --cgroup \
    /bin/sh "$here/boot.sh" "$here" "$project" "$own/.venv" "$work" >"$work/boot.log" 2>&1 &
systemd=$!
touch "$work/trials.log"
tail -f --pid="$systemd" "$work/trials.log" || true
wait "$systemd" || true
status="$(cat "$work/status")"
[ "$status" = 0 ] || tail -n 20 "$work/boot.log" >&2
exit "$status"
