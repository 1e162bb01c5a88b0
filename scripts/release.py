"""Makes a release of both packages: `make release VERSION=1.2.0 KEY=~/.ssh/id_ed25519`.

Sets the version, dates the changelog, commits, tags, builds a wheel and a source archive each of companion and
companion-studio, writes SHA256SUMS and signs it. All of this happens in a worktree of its own; the branch moves and the
tag appears only when every step has succeeded. Nothing is ever pushed.

The same commit makes the same bytes: times come from the commit, names are sorted, owners and modes are fixed.
`--rebuild TAG` builds a tag again and compares, for whoever wants to check a release.
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

SUMS = "SHA256SUMS"
NAMESPACE = "companion-release"
"""What `ssh-keygen -Y` signs for, so that a signature of something else is never taken for one of a release."""

VERSION = re.compile(r"(\d+)\.(\d+)\.(\d+)(?:(a|b|rc)(\d+))?")
UNRELEASED = re.compile(r"^## .*\(unreleased\)$", re.MULTILINE)

VERSION_PLACES = (
    ("companion/__init__.py", r'(?m)^__version__ = "(.+)"$', '__version__ = "{}"'),
    ("studio/pyproject.toml", r'(?m)^version = "(.+)"$', 'version = "{}"'),
    ("studio/pyproject.toml", r'"companion==([^"]+)"', '"companion=={}"'),
)
"""File, pattern, and what to write."""

_BUILD = "import sys; from setuptools import build_meta as b; o = sys.argv[1]; b.build_wheel(o); b.build_sdist(o)"


class ReleaseError(Exception):
    """One sentence for the person who makes the release."""


def run(*command: str | Path, failing: str, at: Path = ROOT, **environment: str) -> str:
    """What a program printed. Raises `ReleaseError` that begins with `failing`."""
    try:
        done = subprocess.run(
            command, cwd=at, env={**os.environ, **environment}, capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise ReleaseError(f"{failing}: {command[0]} is not installed.") from error
    if done.returncode:
        told = (done.stderr or done.stdout).strip().splitlines() or ["it does not say why"]
        raise ReleaseError(f"{failing}: {told[-1]}")
    return done.stdout.strip()


def git(*arguments: str, failing: str, at: Path = ROOT) -> str:
    """What git printed. Raises `ReleaseError`."""
    return run("git", *arguments, failing=failing, at=at)


def rank(version: str) -> tuple[int, int, int, str, int]:
    """A key that sorts versions; 1.2.0rc1 comes before 1.2.0. Raises `ReleaseError` for what is no version."""
    found = VERSION.fullmatch(version)
    if found is None:
        raise ReleaseError(f"{version!r} is no version: write it like 1.2.0 or 1.2.0rc1.")
    major, minor, patch, stage, number = found.groups()
    return int(major), int(minor), int(patch), stage or "~", int(number or 0)


def present_version(folder: Path) -> str:
    """The version that the files name. Raises `ReleaseError` where they disagree."""
    found = set()
    for file, pattern, _ in VERSION_PLACES:
        matched = re.search(pattern, (folder / file).read_text("utf-8"))
        if matched is None:
            raise ReleaseError(f"{file} names no version where one is expected ({pattern}).")
        found.add(matched[1])
    if len(found) > 1:
        raise ReleaseError(f"The files name different versions: {', '.join(sorted(found))}.")
    return found.pop()


def check_ready(version: str) -> None:
    """Raise `ReleaseError` where this version cannot be released from here."""
    git("rev-parse", "--verify", "-q", "HEAD", failing="This is no checkout with a commit")
    git("symbolic-ref", "-q", "HEAD", failing="No branch is checked out: switch to the one that is released")
    changed = git("status", "--porcelain", failing="git cannot tell what has changed")
    if changed:
        raise ReleaseError(f"The tree is not clean: commit or remove {changed.split()[1]} and whatever else differs.")
    if rank(version) < rank(present_version(ROOT)):
        raise ReleaseError(f"{version} is older than {present_version(ROOT)}, which the files name.")
    if git("tag", "--list", f"v{version}", failing="git cannot list the tags"):
        raise ReleaseError(f"The tag v{version} exists already.")
    if len(UNRELEASED.findall((ROOT / "CHANGELOG.md").read_text("utf-8"))) != 1:
        raise ReleaseError("CHANGELOG.md needs one heading that ends in (unreleased), with what is new below it.")


def write_version(folder: Path, version: str, day: str) -> None:
    """Set the version everywhere, and date the changelog's newest part."""
    for file, pattern, written in VERSION_PLACES:
        text = (folder / file).read_text("utf-8")
        (folder / file).write_text(re.sub(pattern, written.format(version), text, count=1), "utf-8")
    changelog = folder / "CHANGELOG.md"
    changelog.write_text(UNRELEASED.sub(f"## {version} ({day})", changelog.read_text("utf-8")), "utf-8")


@contextmanager
def worktree(commit: str) -> Iterator[Path]:
    """A checkout of `commit` in a folder of its own, which is gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="companion-release-") as scratch:
        folder = Path(scratch) / "tree"
        git("worktree", "add", "-q", "--detach", str(folder), commit, failing=f"{commit} cannot be checked out")
        try:
            yield folder
        finally:
            git("worktree", "remove", "--force", str(folder), failing="The scratch worktree cannot be removed")


def build(tree: Path, out: Path) -> None:
    """Build the packages of a clean checkout into `out`, and write their hashes."""
    epoch = git("log", "-1", "--format=%ct", failing="git cannot tell the commit's time", at=tree)
    out.mkdir(parents=True)
    shutil.copyfile(tree / "LICENSE", tree / "studio" / "LICENSE")  # so that its packages carry it as well
    for project in (tree, tree / "studio"):
        failing = f"{'companion-studio' if project.name == 'studio' else 'companion'} cannot be built"
        run(sys.executable, "-c", _BUILD, out, failing=failing, at=project, SOURCE_DATE_EPOCH=epoch)
    for archive in out.glob("*.tar.gz"):
        normalise(archive, int(epoch))
    lines = [f"{hashlib.sha256(file.read_bytes()).hexdigest()}  {file.name}\n" for file in sorted(out.iterdir())]
    (out / SUMS).write_text("".join(lines), "utf-8")


def normalise(archive: Path, epoch: int) -> None:
    """Write a source archive anew with sorted names, one time and no owner, which setuptools leaves to the machine."""
    fresh = archive.with_suffix(".new")
    with (
        tarfile.open(archive) as old,
        fresh.open("wb") as file,
        gzip.GzipFile("", "wb", mtime=epoch, fileobj=file) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.GNU_FORMAT) as new,
    ):
        for member in sorted(old.getmembers(), key=lambda one: one.name):
            member.mtime, member.uid, member.gid, member.uname, member.gname = epoch, 0, 0, "", ""
            member.mode = 0o755 if member.isdir() or member.mode & 0o100 else 0o644
            member.pax_headers = {}
            new.addfile(member, old.extractfile(member) if member.isfile() else None)
    fresh.replace(archive)


def sign(out: Path, key: Path) -> None:
    """Sign the hashes with an SSH key (a private one, or a public one whose private half an agent holds)."""
    run("ssh-keygen", "-Y", "sign", "-q", "-f", key, "-n", NAMESPACE, out / SUMS, failing=f"{key} cannot sign")
    done = subprocess.run(
        ["ssh-keygen", "-Y", "check-novalidate", "-n", NAMESPACE, "-s", out / f"{SUMS}.sig"],
        input=(out / SUMS).read_bytes(), capture_output=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise ReleaseError(f"The signature that {key} made is not valid.")


def release(version: str, key: Path | None, *, out: Path, skip_tests: bool, dry_run: bool) -> None:
    """Make the release; with `dry_run` all of it but the commit, the tag and the files."""
    check_ready(version)
    if key is None and not dry_run:
        raise ReleaseError("A release is signed: give the file of an SSH key with KEY=... (make one with ssh-keygen).")
    if key is not None and not key.is_file():
        raise ReleaseError(f"There is no key {key}: give the file of an SSH key with KEY=...")
    if out.exists():
        raise ReleaseError(f"{out} exists already: remove it, then try again.")
    if not skip_tests and subprocess.run(["make", "test"], cwd=ROOT, check=False).returncode:
        raise ReleaseError("make test fails: a release needs it green (read above).")
    with worktree("HEAD") as tree, tempfile.TemporaryDirectory(prefix="companion-release-") as scratch:
        write_version(tree, version, datetime.now(UTC).date().isoformat())
        git("add", "-u", failing="git cannot take the changed files", at=tree)
        git("commit", "-q", "--no-verify", "-m", f"Release {version}", failing="git cannot commit", at=tree)
        commit = git("rev-parse", "HEAD", failing="git lost the commit", at=tree)
        built = Path(scratch) / "built"
        build(tree, built)
        if key is not None:
            sign(built, key)
        print((built / SUMS).read_text("utf-8"), end="")
        if dry_run:
            print(f"Dry run: {version} can be released; nothing was changed.")
            return
        # Signed as well; git makes no tag when the key does not work.
        ssh = ("-c", "gpg.format=ssh", "-c", f"user.signingkey={key}")
        name = f"v{version}"
        git(*ssh, "tag", "-s", "-m", f"Companion {version}", name, commit, failing=f"The tag {name} cannot be made")
        shutil.copytree(built, out)
    git("merge", "-q", "--ff-only", commit, failing=f"The tag {name} is made, but the branch cannot move to it")
    print(f"Released {version} in {out}. To publish it: git push origin HEAD {name}, and upload the files.")


def rebuild(tag: str, out: Path) -> None:
    """Build a tag again in `out`, and compare with the hashes of its release where those lie in `dist/`."""
    if out.exists():
        raise ReleaseError(f"{out} exists already: remove it, then try again.")
    with worktree(f"refs/tags/{tag}") as tree:
        build(tree, out)
    sums = (out / SUMS).read_text("utf-8")
    print(sums, end="")
    published = released_to(tag.removeprefix("v")) / SUMS
    if published.is_file():
        if published.read_text("utf-8") != sums:
            raise ReleaseError(f"{tag} does not make the files that {published} names.")
        print(f"The same as {published}.")


def released_to(version: str) -> Path:
    """Where a release lies."""
    return ROOT / "dist" / f"companion-{version}"


def main(arguments: Sequence[str] | None = None) -> int:
    """See `--help`."""
    parser = argparse.ArgumentParser(description="Make a release: version, changelog, tag, packages, signed hashes.")
    parser.add_argument("version", nargs="?", help="like 1.2.0 or 1.2.0rc1")
    parser.add_argument("--key", type=Path, help="the file of the SSH key that signs the hashes and the tag")
    parser.add_argument("--skip-tests", action="store_true", help="do not run make test before")
    parser.add_argument("--dry-run", action="store_true", help="do everything, but keep nothing")
    parser.add_argument("--rebuild", metavar="TAG", help="build a tag again and compare its hashes")
    parser.add_argument("--out", type=Path, help="the folder of the files; dist/companion-VERSION when not given")
    given = parser.parse_args(arguments)
    os.umask(0o022)
    for name in [name for name in os.environ if name.startswith("GIT_") and name.endswith(("DIR", "FILE", "TREE"))]:
        del os.environ[name]  # set inside a git hook, for another purpose
    try:
        if given.rebuild:
            rebuild(given.rebuild, given.out or ROOT / "dist" / f"rebuilt-{given.rebuild}")
        elif given.version:
            key = given.key.expanduser().absolute() if given.key else None
            out = (given.out or released_to(given.version)).absolute()
            release(given.version, key, out=out, skip_tests=given.skip_tests, dry_run=given.dry_run)
        else:
            parser.error("say which version: make release VERSION=1.2.0 KEY=~/.ssh/id_ed25519")
    except ReleaseError as error:
        print(f"release: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
