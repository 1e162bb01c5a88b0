#!/bin/sh
# Pins every Python package, transitive ones too, for Python 3.11 to 3.13 on any Linux: requirements*.lock.
# Needs uv and a network.
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
    # The last two belong to other systems than Linux.
    uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
        --no-emit-package colorama --no-emit-package httpx2-jsfetch "$@" pyproject.toml "$build" --output-file "$file.new"
    # uv writes this marker in a form that no other tool uses.
    { echo "# $comment Made by \`make lock\`."; sed "s/python_full_version != '3.12.\*'/python_version != '3.12'/" "$file.new"; } >"$file"
    rm "$file.new"
}

pin requirements.lock 'Every Python package that runs on a device, one version each, with the hashes of its files.'
pin requirements-dev.lock 'The same and what the tests and checks need besides.' --extra dev --constraint requirements.lock
