#!/bin/sh
# Installs what is missing, and only that: Debian packages, the virtual environment .venv, the Python packages.
#
#   scripts/setup.sh run     what a device needs
#   scripts/setup.sh test    what the tests and checks need besides
#
# Debian packages are installed as root or through a sudo that asks nothing; otherwise the command to type is printed
# and the work goes on. Python packages come in the locked versions, with their hashes checked. When all is there,
# nothing is done and no network is needed. An environment that was left half made, or that moved here from another
# folder, is made anew.
#
# COMPANION_PYTHON=python3.13 before the command chooses the Python; an environment of another one is made anew.
set -eu
cd "$(dirname "$0")/.."
here=$(pwd -P)

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$@"; exit 1; }

case "${1:-}" in
    run) lock=requirements.lock size='330 MB' ;;
    test) lock=requirements-dev.lock size='600 MB' ;;
    -h | --help) sed -n '2,/^set -eu/s/^# \{0,1\}//p' "$0"; exit ;;
    *) fail 'say what for: scripts/setup.sh run, or scripts/setup.sh test' ;;
esac

# Two makes at once would install into the same environment: the second one waits.
if command -v flock >/dev/null; then
    exec 9<scripts/setup.sh
    flock 9
fi

# --- Debian packages ---------------------------------------------------------------------------------------------

oldest='(3, 11)' newest='(3, 14)'
supported='Python 3.11 to 3.14 with its venv module'

usable_python() { # prints the first Python that is new enough and able to make a virtual environment
    # 3.12 and 3.14 come last: for them pocketsphinx has no ready-made package.
    for name in ${COMPANION_PYTHON:-python3.11 python3.13 python3 python3.12 python3.14}; do
        if "$name" -c "import ensurepip, sys, venv; sys.exit(not $oldest <= sys.version_info[:2] <= $newest)" 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    return 1
}

[ -z "${COMPANION_PYTHON:-}" ] || usable_python >/dev/null ||
    fail "COMPANION_PYTHON is $COMPANION_PYTHON, which is not here or is not $supported"

# Before anything is installed: without a Python that fits, all of it would be for nothing.
found_python() { for name in python3 python; do "$name" --version 2>/dev/null && return; done; echo 'no Python'; }
candidate() { LC_ALL=C apt-cache policy python3 2>/dev/null | sed -n 's/^ *Candidate: \([0-9]*\.[0-9]*\).*/\1/p'; }
fits() { case $1 in 3.11 | 3.12 | 3.13 | 3.14 | '') ;; *) return 1 ;; esac; } # unknown: apt looks again and tells
no_python() {
    say "$supported is needed, and this system has $1. Nothing was installed. Either of these helps:"
    say '  uv (https://docs.astral.sh/uv), which puts a Python beside the system'"'"'s:'
    say '      uv python install 3.13 && COMPANION_PYTHON=$(uv python find --system 3.13) make run'
    say '  a container, for all but sound and pins:'
    fail '      docker run -it --rm -v "$PWD:/companion" -w /companion debian:12 sh -c "apt-get update && apt-get install -y make && make run"'
}
has_version() { "$1" -c "import sys; sys.exit(not $oldest <= sys.version_info[:2] <= $newest)" 2>/dev/null; }

[ "$(uname -s)" = Linux ] || no_python "$(uname -s), where this was never tried (it is made for Linux)"
if ! usable_python >/dev/null; then
    if ! command -v dpkg-query >/dev/null; then
        no_python "$(found_python)$(has_version python3 && echo ' without its venv module' || :)"
    elif command -v python3 >/dev/null && ! has_version python3; then
        no_python "$(found_python)"
    elif ! fits "$(candidate)"; then
        no_python "$(found_python) (its package is $(candidate))"
    fi
fi

is_installed() { dpkg-query -W -f '${db:Status-Status}\n' "$1" 2>/dev/null | grep -qx installed; }

missing() {
    usable_python >/dev/null || printf ' python3 python3-venv'
    set -- espeak-ng libportaudio2
    # Vosk for 64-bit ARM is linked with it and does not bring it along.
    if [ "$(uname -m)" = aarch64 ]; then set -- "$@" libatomic1; fi
    if [ "$lock" = requirements-dev.lock ]; then
        set -- "$@" pulseaudio pulseaudio-utils libasound2-plugins sox git openssh-client
        # The body's firmware: its compiler, and two emulators of the board (one of them is linked into a test).
        set -- "$@" gcc libc6-dev gcc-avr avr-libc qemu-system-misc libsimavr-dev libelf-dev
    fi
    for package in "$@"; do
        is_installed "$package" || printf ' %s' "$package"
    done
}

as_root() { if [ "$(id -u)" = 0 ]; then "$@"; else sudo -n "$@"; fi; }

apt() { # never removes anything: a desktop keeps the sound server that it has
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -qq -o DPkg::Lock::Timeout=300 "$@" </dev/null >&2 9>&-
}

if ! command -v dpkg-query >/dev/null; then
    command -v espeak-ng >/dev/null ||
        say 'espeak-ng and PortAudio are needed for voice and sound: install them with the packages of this system'
else
    packages=$(missing)
    if [ -n "$packages" ]; then
        if as_root true 2>/dev/null; then
            say "installing Debian packages (a minute or two):$packages"
            # shellcheck disable=SC2086  # a list of words
            { apt update && apt install -y --no-install-recommends --no-remove $packages; } || true
            packages=$(missing)
        fi
        [ -z "$packages" ] || say "missing Debian packages; install them with: sudo apt-get install$packages"
    fi
fi

# --- the virtual environment -------------------------------------------------------------------------------------

# What the environment must correspond to. A finished one carries this in the stamp of each purpose.
wanted() { cat pyproject.toml studio/pyproject.toml scripts/setup.sh "$@" | sha256; }
sha256() { if command -v sha256sum >/dev/null; then sha256sum; else shasum -a 256; fi; } # macOS, BSD
stamp_run=$(wanted requirements.lock)
stamp_test=$(wanted requirements.lock requirements-dev.lock)

version_of() { "$1" -c 'import sys; print(sys.version)' 2>/dev/null; }
# It is of this folder, it runs, and it has the Python that was asked for.
ours() {
    [ "$(cat .venv/made-in 2>/dev/null)" = "$here" ] && .venv/bin/python -c '' 2>/dev/null || return 1
    [ -z "${COMPANION_PYTHON:-}" ] || [ "$(version_of .venv/bin/python)" = "$(version_of "$COMPANION_PYTHON")" ]
}
stands() { ours && .venv/bin/python -m pip --version >/dev/null 2>&1; }
holds() { [ "$(cat ".venv/stamp-$1" 2>/dev/null)" = "$2" ]; }

if ours; then
    if holds test "$stamp_test" || { [ "$1" = run ] && holds run "$stamp_run"; }; then
        exit 0
    fi
fi

if ! stands; then
    python=$(usable_python) || fail "$supported is needed, and this system has $(found_python): see above what is missing"
    say "making .venv with $("$python" --version)"
    rm -rf .venv
    "$python" -m venv .venv || fail "$python could not make .venv: read above, then run make again"
fi

# --- Python packages ---------------------------------------------------------------------------------------------

pip() { PIP_USER=0 .venv/bin/python -m pip --disable-pip-version-check --no-input -q "$@" </dev/null >&2; }
no_packages='the Python packages could not be installed (read above): see that there is a network and run make again; if that fails twice, run "make clean" before it'

say "installing Python packages into .venv: about $size, one to five minutes the first time, longer on a small board"
locked() { # prints one package of the lock, with its hashes
    awk -v name="$1==" 'index($0, name) == 1 { found = 1 } found { print; if (!/\\$/) exit }' "$lock"
}

# Nothing is fetched in order to build: what builds is put there first. srt is published as source only; all others
# are ready-made, so that no device compiles for hours.
for first in setuptools srt; do
    locked "$first" >.venv/first.lock
    pip install --require-hashes --no-build-isolation --use-pep517 -r .venv/first.lock || fail "$no_packages"
done
pip install --require-hashes --only-binary :all: -r "$lock" || fail "$no_packages"
# They come along unasked, are not used, and may not be sold with a unit (docs/licences.md).
find .venv/lib/python3*/site-packages/pyopen_wakeword/models -type f \
    ! -name melspectrogram.tflite ! -name embedding_model.tflite -delete 2>/dev/null || :
for project in . ./studio; do
    pip install --no-deps --no-build-isolation -e "$project" || fail "$project could not be installed into .venv: read above"
done

# So that no start has to, not even that of a user who may not write here.
.venv/bin/python -m compileall -q companion || :

printf '%s\n' "$here" >.venv/made-in
printf '%s\n' "$stamp_run" >.venv/stamp-run
if [ "$1" = test ]; then printf '%s\n' "$stamp_test" >.venv/stamp-test; fi
say 'done'
