"""Installs, verifies and removes models on this unit.

A model gets its final name in one step, once it is complete and verified; before that no engine can see it. A lock
admits one command at a time to a folder. All errors are `EngineUnavailable` with one sentence.

An archive is unpacked without trusting it. Nothing is written outside of the target folder, nothing becomes a link or a
device, and no more is written than the archive declares and the limits allow. A refused archive leaves nothing behind.
The archive must have one folder at its top, which is stripped.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from companion.errors import EngineUnavailable
from companion.models.catalogue import Model, ModelFile
from companion.models.downloads import DownloadLimits, Progress, copy_local, fetch
from companion.storage import sync_folder, write_atomically

MEMORY = Path("/proc/meminfo")

_REST_MB = 150
"""Estimated memory of the daemon without the model."""


def pull(
    model: Model,
    folder: Path,
    progress: Progress,
    *,
    source: str | None = None,
    limits: DownloadLimits | None = None,
    memory: Path = MEMORY,
) -> bool:
    """Download and install a model; False where it was installed already. `source` is a mirror's address or a folder.

    Raises `EngineUnavailable`.
    """
    _refuse_too_large(model, memory)
    with _locked_folder(folder):
        if model.is_installed(folder):
            return False
        parts = folder / "parts"
        parts.mkdir(exist_ok=True)
        sums = {file.name: _obtain(file, parts / file.name, progress, source, limits) for file in model.files}
        place = model.installed_path(folder)
        place.parent.mkdir(exist_ok=True)
        if model.kind == "vosk":
            _unpack_vosk(parts / model.files[0].name, place, folder, model)
        else:
            _place_piper(model, parts, place, sums, folder)
        sync_folder(place.parent)
        for file in model.files:
            for left in (parts / file.name, parts / f"{file.name}.origin"):
                left.unlink(missing_ok=True)
        return True


def verify(model: Model, folder: Path) -> tuple[str, ...]:
    """Compare an installed model with its checksums; returns a sentence per problem. Raises `EngineUnavailable`."""
    place = model.installed_path(folder)
    root = place if model.kind == "vosk" else place.parent
    try:
        expected = _read_sums(folder, model)
        if expected is None:
            return (f"{model.name}: was not fetched by this command, so there is nothing to compare it with.",)
        found = {name: _sha256(root / name) for name in expected if (root / name).is_file()}
    except OSError as error:
        raise EngineUnavailable(f"{error.filename}: cannot be read: {error.strerror}.") from error
    again = f"remove it and pull it again: companion models remove {model.name}"
    missing = [f"{model.name}: {name} is missing; {again}." for name in expected if name not in found]
    changed = [f"{model.name}: {name} is not what it was; {again}." for name in found if found[name] != expected[name]]
    return (*missing, *changed)


def remove(model: Model, folder: Path) -> bool:
    """Remove a model and its incomplete downloads; False where there was nothing. Raises `EngineUnavailable`."""
    with _locked_folder(folder):
        place = model.installed_path(folder)
        there = place.exists()
        if model.kind == "vosk" and there:
            # Rename it first, so that no engine finds half a model.
            gone = place.with_name(f".{model.name}.removed")
            shutil.rmtree(gone, ignore_errors=True)
            place.rename(gone)
            shutil.rmtree(gone)
        place.unlink(missing_ok=True)
        leftovers = [_sums_file(folder, model), *(folder / "parts").glob(f"{model.name}.*")]
        for left in (Path(f"{place}.json"), *leftovers):
            there |= left.exists()
            left.unlink(missing_ok=True)
        return there


def _obtain(file: ModelFile, part: Path, progress: Progress, source: str | None, limits: DownloadLimits | None) -> str:
    if source is not None and not source.startswith(("http://", "https://")):
        return copy_local(file, Path(source).expanduser() / file.name, part, progress, limits)
    address = f"{source.rstrip('/')}/{file.name}" if source else file.address
    if file.sha256 is None and urlsplit(address).scheme == "http" and not _on_this_machine(address):
        raise EngineUnavailable(
            f"{file.name}: no SHA-256 is published for it, so it must come over https or from a folder."
        )
    return fetch(file, address, part, progress, limits)


def _on_this_machine(address: str) -> bool:
    host = urlsplit(address).hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _unpack_vosk(archive: Path, place: Path, folder: Path, model: Model) -> None:
    fresh = place.with_name(f".{model.name}.new")
    shutil.rmtree(fresh, ignore_errors=True)
    unpack(archive, fresh)
    if not any((fresh / name).is_file() for name in ("am/final.mdl", "final.mdl")):
        shutil.rmtree(fresh, ignore_errors=True)
        raise EngineUnavailable(f"{archive.name} holds no Vosk model (it has no am/final.mdl).")
    files = sorted(path for path in fresh.rglob("*") if path.is_file())
    _write_sums(folder, model, {str(path.relative_to(fresh)): _sha256(path) for path in files})
    sync_folder(fresh)
    fresh.rename(place)


def _place_piper(model: Model, parts: Path, place: Path, sums: dict[str, str], folder: Path) -> None:
    settings = parts / f"{place.name}.json"
    try:
        described = json.loads(settings.read_text("utf-8"))
        rate = described["audio"]["sample_rate"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        settings.unlink(missing_ok=True)
        raise EngineUnavailable(f"{settings.name} does not describe a Piper voice: it was thrown away.") from error
    if not isinstance(rate, int):
        raise EngineUnavailable(f"{settings.name} does not describe a Piper voice.")
    _write_sums(folder, model, sums)
    os.replace(settings, f"{place}.json")
    os.replace(parts / place.name, place)


def _write_sums(folder: Path, model: Model, sums: dict[str, str]) -> None:
    path = _sums_file(folder, model)
    path.parent.mkdir(exist_ok=True)
    # The form of sha256sum(1).
    write_atomically(path, "".join(f"{value}  {name}\n" for name, value in sorted(sums.items())).encode())


def _read_sums(folder: Path, model: Model) -> dict[str, str] | None:
    path = _sums_file(folder, model)
    if not path.exists():
        return None
    pairs = (line.partition("  ") for line in path.read_text("utf-8").splitlines())
    return {name: value for value, _, name in pairs}


def _sums_file(folder: Path, model: Model) -> Path:
    return folder / "checksums" / f"{model.name}.sha256"


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _refuse_too_large(model: Model, memory: Path) -> None:
    try:
        lines = memory.read_text("ascii").splitlines()
        total = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemTotal:"))
    except (OSError, ValueError, IndexError, StopIteration):
        return
    if (model.memory_mb + _REST_MB) * 1e6 > total:
        raise EngineUnavailable(
            f"{model.name} does not fit: it takes about {model.memory_mb} MB of memory beside the {_REST_MB} MB of the "
            f"rest, and this unit has {total / 1e6:.0f} MB. Choose a smaller one."
        )


@contextmanager
def _locked_folder(folder: Path) -> Iterator[None]:
    """Lock the folder for one command; every error of the disk becomes one sentence."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                raise EngineUnavailable(f"Another command is at work in {folder}: wait until it has ended.") from error
            yield
    except OSError as error:
        raise EngineUnavailable(f"{error.filename or folder}: cannot be written: {error.strerror or error}.") from error


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
        # A line break in a name would add a line to the list of checksums.
        if not plain or not inside or not path.parts or not entry.filename.isprintable():
            raise EngineUnavailable(
                f"{archive.name} holds what no model has: a link, a way out of its folder, or a name with a line break."
            )
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
