#!/bin/sh
# Pins every Python package, transitive ones too, for Python 3.11 to 3.14 on any Linux: requirements*.lock.
# Needs uv and a network. All packages move to their newest versions; with KEEP=1 those pinned already stay where they fit.
set -eu
cd "$(dirname "$0")/.."

command -v uv >/dev/null || { echo 'lock: uv is needed: install it with "pip install uv" and try again' >&2; exit 1; }
build=$(mktemp)
trap 'rm -f "$build"' EXIT
# setup.sh builds with the packages that are already there, so what builds is pinned as well.
sed -n 's/^requires = \["\(setuptools==[^"]*\)"\]$/\1/p' pyproject.toml >"$build"

pin() { # FILE COMMENT [OPTION...]
    file=$1 comment=$2
    shift 2
    [ -z "${KEEP:-}" ] || cp "$file" "$file.new" # uv keeps what it finds in the file that it writes
    # The last two belong to other systems than Linux.
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
        --no-emit-package colorama --no-emit-package httpx2-jsfetch "$@" pyproject.toml "$build" --output-file "$file.new"
    # uv writes these markers in a form that no other tool uses.
    { echo "# $comment Made by \`make lock\`."; sed "s/python_full_version \([!=]=\) '\(3\.[0-9]*\)\.\*'/python_version \1 '\2'/g" "$file.new"; } >"$file"
    rm "$file.new"
}

pin requirements.lock 'Every Python package that runs on a device, one version each, with the hashes of its files.'
pin requirements-dev.lock 'The same and what the tests and checks need besides.' --extra dev --constraint requirements.lock
