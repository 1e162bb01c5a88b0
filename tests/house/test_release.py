"""`make release`, on a throw-away copy with a key made for it: no network, nothing pushed."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from datetime import UTC, datetime
from email.parser import Parser
from pathlib import Path

import pytest

from tests.support.paths import ROOT

TREES = ("companion", "firmware_bridge", "studio", "scripts")
FILES = ("LICENSE", "README.md", "pyproject.toml", ".gitignore")
CHANGELOG = "# Changelog\n\n## next (unreleased)\n\n- It waves.\n\n## 0.0.9 (2026-01-01)\n\n- It speaks.\n"
IDENTITY = {f"GIT_{who}_{what}": "x@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
ENVIRONMENT = {**os.environ, **IDENTITY, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}

pytestmark = pytest.mark.skipif(
    not (shutil.which("git") and shutil.which("ssh-keygen")), reason="needs git and ssh-keygen"
)


@dataclass(frozen=True)
class Checkout:
    folder: Path
    key: Path

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, env=ENVIRONMENT, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def release(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "scripts/release.py", *arguments],
            cwd=self.folder, env=ENVIRONMENT, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def state(self) -> tuple[str, str, str, bool]:
        """What a failed release must leave as it was."""
        tags, worktrees = self.git("tag", "--list"), self.git("worktree", "list")
        return self.git("rev-parse", "main"), tags, worktrees, (self.folder / "dist").exists()


@pytest.fixture(scope="module")
def fresh(tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A clean checkout of this tree that nothing was released from."""
    folder = tmp_path_factory.mktemp("project")
    unwanted = shutil.ignore_patterns("__pycache__", "*.egg-info", "build")
    for name in TREES:
        shutil.copytree(ROOT / name, folder / name, ignore=unwanted)
    for name in FILES:
        shutil.copyfile(ROOT / name, folder / name)
    (folder / "CHANGELOG.md").write_text(CHANGELOG)
    (folder / "Makefile").write_text("test:\n\t@exit 3\n")
    key = tmp_path_factory.mktemp("key") / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
    checkout = Checkout(folder, key)
    for command in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "Begin")):
        checkout.git(*command)
    return checkout


@pytest.fixture(scope="module")
def released(fresh: Checkout, tmp_path_factory: pytest.TempPathFactory) -> Checkout:
    """A copy from which 1.2.0 was released."""
    folder = tmp_path_factory.mktemp("released") / "project"
    shutil.copytree(fresh.folder, folder)
    checkout = Checkout(folder, fresh.key)
    done = checkout.release("1.2.0", "--key", checkout.key, "--skip-tests")
    assert done.returncode == 0, done.stderr
    return checkout


def test_a_release_sets_the_version_and_dates_the_changelog(released: Checkout) -> None:
    assert released.git("log", "-1", "--format=%s") == "Release 1.2.0"
    assert released.git("status", "--porcelain") == ""
    assert '__version__ = "1.2.0"\n' in (released.folder / "companion/__init__.py").read_text()
    studio = (released.folder / "studio/pyproject.toml").read_text()
    assert 'version = "1.2.0"\n' in studio
    assert 'dependencies = ["companion==1.2.0"' in studio
    today = datetime.now(UTC).date()
    changelog = (released.folder / "CHANGELOG.md").read_text()
    assert changelog == CHANGELOG.replace("next (unreleased)", f"1.2.0 ({today})")


def test_a_release_holds_a_wheel_and_a_source_archive_of_both_packages(released: Checkout) -> None:
    out = released.folder / "dist/companion-1.2.0"
    packages = {
        f"{name}-1.2.0{end}" for name in ("companion", "companion_studio") for end in ("-py3-none-any.whl", ".tar.gz")
    }
    assert {file.name for file in out.iterdir()} == packages | {"SHA256SUMS", "SHA256SUMS.sig"}
    listed = dict(reversed(line.split("  ")) for line in (out / "SHA256SUMS").read_text().splitlines())
    assert listed == {name: hashlib.sha256((out / name).read_bytes()).hexdigest() for name in packages}
    for name in ("companion", "companion_studio"):
        with zipfile.ZipFile(out / f"{name}-1.2.0-py3-none-any.whl") as wheel:
            assert f"{name}-1.2.0.dist-info/licenses/LICENSE" in wheel.namelist()
            about = Parser().parsestr(wheel.read(f"{name}-1.2.0.dist-info/METADATA").decode())
        assert about["Version"] == "1.2.0"
        with tarfile.open(out / f"{name}-1.2.0.tar.gz") as archive:
            assert f"{name}-1.2.0/pyproject.toml" in archive.getnames()
            assert {(one.uid, one.uname, one.mode & 0o022) for one in archive} == {(0, "", 0)}
    assert about["Requires-Dist"] == "companion==1.2.0"


def test_hashes_and_tag_are_signed_with_the_key(released: Checkout, tmp_path: Path) -> None:
    signers = tmp_path / "signers"
    signers.write_text(f"release {released.key.with_suffix('.pub').read_text()}")
    out = released.folder / "dist/companion-1.2.0"
    command = ["ssh-keygen", "-Y", "verify", "-f", signers, "-I", "release", "-n", "companion-release"]

    def verify(sums: bytes) -> int:
        return subprocess.run(
            [*command, "-s", out / "SHA256SUMS.sig"], input=sums, capture_output=True, check=False
        ).returncode

    sums = (out / "SHA256SUMS").read_bytes()
    assert verify(sums) == 0
    assert verify(sums.replace(b"0", b"1")) != 0
    released.git("-c", f"gpg.ssh.allowedSignersFile={signers}", "tag", "--verify", "v1.2.0")


def test_the_same_tag_makes_the_same_bytes_and_others_are_noticed(released: Checkout, tmp_path: Path) -> None:
    published = released.folder / "dist/companion-1.2.0/SHA256SUMS"
    sums = published.read_text()
    published.write_text("0  another\n")
    done = released.release("--rebuild", "v1.2.0", "--out", tmp_path / "again")
    published.write_text(sums)
    assert done.stdout == sums
    assert (done.returncode, done.stderr.count("v1.2.0 does not make the files")) == (1, 1)


def test_a_dry_run_changes_nothing(fresh: Checkout) -> None:
    before = fresh.state()
    done = fresh.release("1.2.0rc1", "--dry-run", "--skip-tests")
    assert done.returncode == 0, done.stderr
    assert "companion-1.2.0rc1-py3-none-any.whl" in done.stdout
    assert fresh.state() == before


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("1.2", "--skip-tests"), "'1.2' is no version"),
        (("0.0.1", "--skip-tests"), "0.0.1 is older than"),
        (("1.2.0", "--skip-tests"), "A release is signed"),
        (("1.2.0", "--skip-tests", "--key", "missing"), "There is no key"),
        (("1.2.0", "--skip-tests", "--key", "LICENSE"), "LICENSE cannot sign"),
        (("1.2.0", "--key", "KEY"), "make test fails"),
        (("--rebuild", "v7.0.0"), "refs/tags/v7.0.0 cannot be checked out"),
    ],
)
def test_a_release_that_cannot_be_is_one_sentence_and_changes_nothing(
    fresh: Checkout, arguments: tuple[str, ...], told: str
) -> None:
    before = fresh.state()
    done = fresh.release(*(str(fresh.key) if one == "KEY" else one for one in arguments))
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1 or "make test" in told
    assert told in done.stderr.splitlines()[-1]
    assert fresh.state() == before


def test_only_a_clean_branch_with_something_new_is_released(fresh: Checkout, tmp_path: Path) -> None:
    shutil.copytree(fresh.folder, tmp_path / "project")
    checkout = Checkout(tmp_path / "project", fresh.key)
    options = ("1.2.0", "--skip-tests", "--key", fresh.key)

    (checkout.folder / "new.txt").touch()
    assert "The tree is not clean: commit or remove new.txt" in checkout.release(*options).stderr
    (checkout.folder / "new.txt").unlink()

    checkout.git("checkout", "-q", "--detach")
    assert "No branch is checked out" in checkout.release(*options).stderr
    checkout.git("checkout", "-q", "main")

    checkout.git("tag", "v1.2.0")
    assert "The tag v1.2.0 exists already" in checkout.release(*options).stderr
    checkout.git("tag", "-d", "v1.2.0")

    (checkout.folder / "CHANGELOG.md").write_text("# Changelog\n\n## 1.1.0 (2026-01-01)\n")
    checkout.git("commit", "-q", "-a", "-m", "Nothing new")
    assert "CHANGELOG.md needs one heading" in checkout.release(*options).stderr

    studio = checkout.folder / "studio/pyproject.toml"
    studio.write_text(studio.read_text().replace('"companion==', '"companion==7'))
    checkout.git("commit", "-q", "-a", "-m", "Apart")
    assert "The files name different versions" in checkout.release(*options).stderr
