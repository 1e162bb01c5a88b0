"""Unpacks the archive of a model without trusting it.

Nothing is written outside of the target folder, nothing becomes a link or a device, and no more is written than the
archive declares and the limits allow. A refused archive leaves nothing behind. The archive must have one folder at its
top, which is stripped.
"""

from __future__ import annotations

import os
import shutil
import stat
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from companion.errors import EngineUnavailable
from companion.storage import sync_folder


@dataclass(frozen=True, slots=True)
class ArchiveLimits:
    """Limits on an unpacked model."""

    entries: int = 2000
    unpacked: int = 2_000_000_000
    ratio: int = 100
    """Unpacked size divided by packed size, for the whole archive. Real models have about 2."""
    spare: int = 50_000_000
    """Bytes that must stay free on the disk."""


def unpack(archive: Path, target: Path, limits: ArchiveLimits | None = None) -> None:
    """Unpack into the folder `target`, which must not exist. Raises `EngineUnavailable` with one sentence."""
    limits = limits or ArchiveLimits()
    try:
        with zipfile.ZipFile(archive) as packed:
            places = _places(packed, archive, limits)
            declared = sum(entry.file_size for entry in packed.infolist())
            free = shutil.disk_usage(target.parent).free
            if declared + limits.spare > free:
                raise EngineUnavailable(
                    f"There is no room to unpack {archive.name}: it takes {declared / 1e6:.0f} MB, "
                    f"{free / 1e6:.0f} MB are free at {target.parent}."
                )
            target.mkdir(mode=0o755)
            for entry, place in places:
                _extract(packed, entry, target / place)
    except EngineUnavailable:
        shutil.rmtree(target, ignore_errors=True)
        raise
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError) as error:
        shutil.rmtree(target, ignore_errors=True)
        raise EngineUnavailable(f"{archive.name} is no whole archive: fetch it again.") from error
    except OSError as error:
        shutil.rmtree(target, ignore_errors=True)
        raise EngineUnavailable(f"{archive.name} cannot be unpacked: {error.strerror or error}.") from error


def _places(
    packed: zipfile.ZipFile, archive: Path, limits: ArchiveLimits
) -> list[tuple[zipfile.ZipInfo, PurePosixPath]]:
    entries = packed.infolist()
    declared = sum(entry.file_size for entry in entries)
    if len(entries) > limits.entries or declared > limits.unpacked:
        raise EngineUnavailable(f"{archive.name} would unpack into far more than a model: it was refused.")
    if declared > limits.ratio * max(archive.stat().st_size, 1):
        raise EngineUnavailable(f"{archive.name} would unpack into far more than a model: it was refused.")
    found: dict[str, tuple[zipfile.ZipInfo, PurePosixPath]] = {}
    tops = set()
    for entry in entries:
        path = PurePosixPath(entry.filename)
        kind = stat.S_IFMT(entry.external_attr >> 16)
        plain = kind in (0, stat.S_IFREG, stat.S_IFDIR) and not entry.flag_bits & 0x1
        inside = not path.is_absolute() and ".." not in path.parts and not set(entry.filename) & set("\\:\0")
        if not plain or not inside or not path.parts:
            raise EngineUnavailable(f"{archive.name} holds what no model has: a link, or a way out of its folder.")
        tops.add(path.parts[0])
        if entry.is_dir():
            continue
        place = PurePosixPath(*path.parts[1:])
        name = str(place).lower()
        if len(path.parts) < 2 or name in found:
            raise EngineUnavailable(f"{archive.name} is not packed as a model is: one folder, each file once.")
        found[name] = entry, place
    if len(tops) != 1:
        raise EngineUnavailable(f"{archive.name} is not packed as a model is: one folder, each file once.")
    return list(found.values())


def _extract(packed: zipfile.ZipFile, entry: zipfile.ZipInfo, place: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True, mode=0o755)
    left = entry.file_size
    with packed.open(entry) as read, place.open("xb") as written:
        while data := read.read(65_536):
            left -= len(data)
            if left < 0:
                raise zipfile.BadZipFile("longer than declared")
            written.write(data)
        written.flush()
        os.fsync(written.fileno())
    if left:
        raise zipfile.BadZipFile("shorter than declared")
    sync_folder(place.parent)
