"""Unpacking: nothing leaves its folder, nothing grows without limit, only plain files come out."""

from __future__ import annotations

import stat
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from companion.errors import EngineUnavailable
from companion.models.store import ArchiveLimits, unpack

FAIR = ArchiveLimits(spare=0)


def packed(folder: Path, entries: Iterable[tuple[str | zipfile.ZipInfo, bytes]]) -> Path:
    path = folder / "model.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in entries:
            archive.writestr(name, data)
    return path


def special(name: str, kind: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.external_attr = (kind | 0o777) << 16
    return entry


def refused(folder: Path, archive: Path, limits: ArchiveLimits = FAIR) -> str:
    with pytest.raises(EngineUnavailable) as error:
        unpack(archive, folder / "out", limits)
    assert not (folder / "out").exists()
    return str(error.value)


def test_a_model_comes_out_without_its_top_folder(tmp_path: Path) -> None:
    archive = packed(tmp_path, [("m/", b""), ("m/am/final.mdl", b"model"), ("m/conf/mfcc.conf", b"conf")])
    unpack(archive, tmp_path / "out", FAIR)
    found = {str(path.relative_to(tmp_path / "out")): path.read_bytes() for path in (tmp_path / "out").rglob("*.*")}
    assert found == {"am/final.mdl": b"model", "conf/mfcc.conf": b"conf"}


@pytest.mark.parametrize(
    "name", ["../evil", "m/../../evil", "/etc/evil", "m\\..\\evil", "C:/evil", "m/..", "..", "m/a:stream"]
)
def test_a_way_out_of_the_folder_is_refused(tmp_path: Path, name: str) -> None:
    archive = packed(tmp_path, [("m/good", b"1"), (name, b"evil")])
    assert "a way out" in refused(tmp_path, archive)
    assert list(tmp_path.parent.glob("evil")) == []


@pytest.mark.parametrize("kind", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFIFO, stat.S_IFSOCK, stat.S_IFBLK])
def test_links_and_devices_are_refused(tmp_path: Path, kind: int) -> None:
    archive = packed(tmp_path, [("m/good", b"1"), (special("m/link", kind), b"/etc/passwd")])
    assert "a link" in refused(tmp_path, archive)


@pytest.mark.parametrize("sign", ["\n", "\r", "\x1b", "\u2028", "\x85", "\t"])
def test_a_name_that_would_add_lines_to_the_checksums_is_refused(tmp_path: Path, sign: str) -> None:
    archive = packed(tmp_path, [("m/good", b"1"), (f"m/bad{sign}{'0' * 64}  good", b"2")])
    assert "a name with a line break" in refused(tmp_path, archive)


def test_a_bomb_is_refused_by_its_promise(tmp_path: Path) -> None:
    archive = packed(tmp_path, [("m/zeros", bytes(20_000_000))])
    assert "far more than a model" in refused(tmp_path, archive)
    wide = packed(tmp_path, [("m/zeros", b"x" * 2000)])
    assert "far more than a model" in refused(tmp_path, wide, ArchiveLimits(unpacked=1000, spare=0))
    many = packed(tmp_path, [(f"m/{number}", b"") for number in range(20)])
    assert "far more than a model" in refused(tmp_path, many, ArchiveLimits(entries=10, spare=0))


def test_a_bomb_that_promises_little_is_stopped(tmp_path: Path) -> None:
    archive = packed(tmp_path, [("m/zeros", bytes(100_000))])
    data = archive.read_bytes()
    archive.write_bytes(data.replace((100_000).to_bytes(4, "little"), (100).to_bytes(4, "little")))
    assert "no whole archive" in refused(tmp_path, archive)


@pytest.mark.parametrize(
    "names",
    [["a/x", "b/y"], ["x"], ["m/x", "m/X"], ["m/x", "m/x"], ["m/x", "m/./x"]],
    ids=["two", "none", "1", "2", "3"],
)
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_what_is_not_packed_as_a_model_is_refused(tmp_path: Path, names: list[str]) -> None:
    assert "not packed as a model" in refused(tmp_path, packed(tmp_path, [(name, b"1") for name in names]))


def test_a_full_disk_is_reported_before_anything_is_written(tmp_path: Path) -> None:
    archive = packed(tmp_path, [("m/x", b"1")])
    assert "no room" in refused(tmp_path, archive, ArchiveLimits(spare=10**18))


@pytest.mark.parametrize("cut", [0, 10, 60, 100])
def test_half_an_archive_leaves_nothing(tmp_path: Path, cut: int) -> None:
    archive = packed(tmp_path, [("m/am/final.mdl", bytes(range(256)) * 10)])
    archive.write_bytes(archive.read_bytes()[:cut])
    assert "no whole archive" in refused(tmp_path, archive)


def test_a_damaged_archive_leaves_nothing(tmp_path: Path) -> None:
    archive = packed(tmp_path, [("m/am/final.mdl", bytes(range(256)) * 10)])
    data = bytearray(archive.read_bytes())
    data[60] ^= 0xFF
    archive.write_bytes(data)
    assert "no whole archive" in refused(tmp_path, archive)


parts = st.sampled_from(["m", "..", ".", "", "a", "b\\c", "~", "con", "a" * 50])


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(parts, min_size=1, max_size=4).map("/".join), max_size=4, unique=True))
def test_whatever_its_names_nothing_is_written_elsewhere(
    tmp_path_factory: pytest.TempPathFactory, names: list[str]
) -> None:
    folder = tmp_path_factory.mktemp("deep") / "inner"
    folder.mkdir()
    archive = packed(folder, [(name, b"1") for name in names if name])
    outside = {*folder.parent.rglob("*")}
    try:
        unpack(archive, folder / "out", FAIR)
    except EngineUnavailable:
        assert {*folder.parent.rglob("*")} == outside
    assert all((folder / "out") in (path, *path.parents) for path in {*folder.parent.rglob("*")} - outside)


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=300))
def test_noise_is_no_archive(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    folder = tmp_path_factory.mktemp("noise")
    (folder / "model.zip").write_bytes(data)
    refused(folder, folder / "model.zip")
