"""What lasts on the card outlives damage: nothing is made anew where our file system was. On files, without root."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.paths import ROOT

SCRIPT = ROOT / "image/root/usr/lib/companion/data-filesystem"
WITH_SBIN = f"{os.environ['PATH']}:/usr/sbin:/sbin"
TOOLS = ("mkfs.ext4", "e2fsck", "dumpe2fs", "debugfs", "blkid")
MISSING = [one for one in TOOLS if shutil.which(one, path=WITH_SBIN) is None]
MEMORY = b"Ana's dog is called Rex.\n"

pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"e2fsprogs is not here: {', '.join(MISSING)}")


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": WITH_SBIN, "LC_ALL": "C.UTF-8"}
    return subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False, env=environment)


def start(card: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return run("sh", SCRIPT, card, *more)


def empty(folder: Path, megabytes: int) -> Path:
    card = folder / "data.img"
    with card.open("wb") as file:
        file.truncate(megabytes << 20)
    return card


def remembers(card: Path) -> bool:
    return MEMORY.decode() in run("debugfs", "-R", "cat /companion.db", card).stdout


@pytest.fixture(params=[64, 600], ids=["blocks of 1 KB", "blocks of 4 KB"])
def card(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A partition that was made by the script and has a memory on it."""
    card = empty(tmp_path, request.param)
    assert "making the data partition" in start(card).stdout
    memory = tmp_path / "memory"
    memory.write_bytes(MEMORY)
    run("debugfs", "-w", "-R", f"write {memory} companion.db", card)
    assert remembers(card)
    return card


def overwrite(card: Path, at: int, length: int, byte: bytes = b"\xa5") -> None:
    with card.open("r+b") as file:
        file.seek(at)
        file.write(byte * length)


def test_a_sound_one_is_left_alone(card: Path) -> None:
    done = start(card)
    assert (done.returncode, done.stdout) == (0, "")
    assert remembers(card)


@pytest.mark.parametrize("mark", [(), ("was-ours",)], ids=["image written again", "marked"])
@pytest.mark.parametrize(
    ("at", "length"),
    [(1024, 1024), (0, 4096), (1024 + 120, 16), (1024 + 56, 2)],
    ids=["superblock", "4 KB", "name", "magic"],
)
def test_a_damaged_superblock_costs_nothing(card: Path, at: int, length: int, mark: tuple[str, ...]) -> None:
    overwrite(card, at, length)
    done = start(card, *mark)
    assert done.returncode == 0
    assert "mended" in done.stdout
    assert remembers(card)
    assert start(card, *mark).stdout == ""


def test_the_first_copy_may_be_damaged_too(card: Path) -> None:
    overwrite(card, 0, 4096)
    block = 1024 if card.stat().st_size < 512 << 20 else 4096
    overwrite(card, (8193 if block == 1024 else 32768) * block, block)
    assert start(card).returncode == 0
    assert remembers(card)


def test_where_it_was_ours_nothing_is_made_anew(card: Path) -> None:
    size = card.stat().st_size
    overwrite(card, 0, size, b"\0")
    done = start(card, "was-ours")
    assert done.returncode != 0
    assert "is left as it is" in done.stdout
    assert run("blkid", "-p", card).stdout == ""


@pytest.mark.parametrize("kind", ["vfat", "ext4", "noise"])
def test_a_card_of_another_product_becomes_ours(tmp_path: Path, kind: str) -> None:
    card = empty(tmp_path, 64)
    if kind == "noise":
        overwrite(card, 0, 1 << 20)
    elif shutil.which(f"mkfs.{kind}", path=WITH_SBIN) is None:
        pytest.skip(f"mkfs.{kind} is not here")
    else:
        run(f"mkfs.{kind}", *(("-L", "other") if kind == "ext4" else ()), card)
    assert start(card).returncode == 0
    assert run("blkid", "-p", "-s", "LABEL", "-o", "value", card).stdout.strip() == "companion-data"
