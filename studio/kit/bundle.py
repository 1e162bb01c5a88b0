"""Assembles an offline kit: one file with everything that a unit needs, and the script that installs it.

    install.sh                run as root on the unit; see its first lines
    manifest.sha256           SHA-256 of every other file, for `sha256sum -c`
    kit.json                  what the kit is for
    sbom.json                 everything in it that others made (CycloneDX), for whoever sells it
    requirements.txt, wheels/ the Python packages, companion among them
    packages.txt, debs/       the Debian packages, as a folder that apt can install from
    models/                   models and voices, as `companion models` keeps them
    configs/, systemd/, docs/ as in the project

The same input gives the same bytes: names are sorted, times and owners are fixed. The hashes protect against damage
only; whoever can change a kit can change them as well. Blocks; used by a command only.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from companion import __version__
from companion.config import word_file
from companion.config.device import Device, load_device
from companion.config.loading import read_toml
from companion.errors import CompanionError, ConfigError
from studio.kit.wheels import Target, sha256_of

FOLDER = "companion-kit"
"""The folder that the kit unpacks to."""

MANIFEST = "manifest.sha256"

_EPOCH = 1_735_689_600
_TOP_SCRIPTS = ("install.sh", "systemd/install.sh", "systemd/restart-delay")
_IGNORED = shutil.ignore_patterns("__pycache__", "*.pyc", "demo.toml", "schemas")
"""The demonstration's device uses models that are made for tests only."""


@dataclass(frozen=True, slots=True)
class Kit:
    """A kit that is being assembled in a folder."""

    project: Path
    """The checkout that it is made from."""
    folder: Path
    target: Target

    def add_project_files(self, device: Path, models: Path | None) -> None:
        """Add everything except wheels and Debian packages. Raises `ConfigError` for a device that cannot be added."""
        shutil.copytree(self.project / "configs", self.folder / "configs", ignore=_IGNORED)
        for part in ("systemd", "docs"):
            (self.folder / part).mkdir()
        for file in (self.project / "systemd").iterdir():
            if file.is_file():
                shutil.copyfile(file, self.folder / "systemd" / file.name)
        for page in ("service.md", "install.md", "image.md"):
            if (self.project / "docs" / page).is_file():
                shutil.copyfile(self.project / "docs" / page, self.folder / "docs" / page)
        shutil.copyfile(self.project / "image/kit/install.sh", self.folder / "install.sh")
        shutil.copyfile(self.project / "image/packages/kit.txt", self.folder / "packages.txt")
        name = self._add_device(device)
        if models is not None:
            self._add_models(models)
        about = {
            "version": __version__,
            "machine": self.target.machine,
            "python": self.target.python,
            "device": name,
        }
        (self.folder / "kit.json").write_text(json.dumps(about, indent=1) + "\n", "utf-8")

    def _add_device(self, device: Path) -> str:
        """Add the device file and its persona; returns the device's name on the unit."""
        read = load_device(device)
        reject_local_models(device)
        name = device.stem
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            raise ConfigError(f"{device}: -: its name must be of small letters, digits and _ to go into a kit")
        place = self.folder / "configs/devices" / device.name
        persona = self.folder / "configs/personas" / read.persona.name
        for source, target in ((device, place), (read.persona, persona)):
            if target.exists() and target.read_bytes() != source.read_bytes():
                raise ConfigError(f"{source}: -: the product has another file of that name: give it a name of its own")
        shutil.copyfile(read.persona, persona)
        text = set_toml_value(device.read_text("utf-8"), "persona", f"../personas/{persona.name}")
        place.write_text(self._add_wake_words(device, read, text), "utf-8")
        load_device(place)
        boot = self.folder / "configs/boot/companion.toml"
        if boot.is_file():
            boot.write_text(set_toml_value(boot.read_text("utf-8"), "device", name), "utf-8")
        return name

    def _add_wake_words(self, device: Path, read: Device, text: str) -> str:
        """Add the wake words of its own; returns the device file's text with their places in the kit."""
        folder = self.folder / "configs/wake_words"
        for word in read.ears.wake.listed:
            own = word.file
            if own is None:
                continue
            if word in read.ears.wake.heard_by("embedding"):
                word_file.read(own)
            folder.mkdir(exist_ok=True)
            target = folder / own.name
            if target.exists() and target.read_bytes() != own.read_bytes():
                raise ConfigError(f"{own}: -: the product has another file of that name: give it a name of its own")
            shutil.copyfile(own, target)
            written = re.compile(rf"""(["'])(?:[^"'\n]*/)?{re.escape(own.name)}\1""")
            if not written.search(text):
                raise ConfigError(
                    f"{device}: ears.wake: write the path of {own.name} as it is, between quotation marks"
                )
            text = written.sub(f'"../wake_words/{own.name}"', text)
        return text

    def _add_models(self, models: Path) -> None:
        found = [*models.glob("vosk/*/"), *models.glob("piper/*.onnx")]
        if not found:
            raise CompanionError(
                f"{models} holds no models: fetch them with companion models pull NAME --folder {models}."
            )
        for part in ("vosk", "piper", "checksums"):
            if (models / part).is_dir():
                shutil.copytree(models / part, self.folder / "models" / part)

    def write_manifest(self) -> str:
        """Write the manifest; returns its SHA-256, which identifies this kit."""
        lines = [f"{sha256_of(file)}  {name}\n" for name, file in self._files() if name != MANIFEST]
        manifest = self.folder / MANIFEST
        manifest.write_text("".join(lines), "utf-8")
        return sha256_of(manifest)

    def pack(self, out: Path) -> None:
        """Write the kit to `out`: a tar file, compressed where the name ends in `.zst`. Raises `CompanionError`.

        An existing kit is replaced once the new one is complete.
        """
        plain, beside = out.with_name(f".{out.name}.tar"), out.with_name(f".{out.name}.new")
        try:
            with tarfile.open(plain, "w", format=tarfile.GNU_FORMAT) as tar:
                self._write(tar)
            if out.suffix == ".zst":
                _compress(plain, beside)
                beside.replace(out)
            else:
                plain.replace(out)
        except OSError as error:
            raise CompanionError(f"{out} cannot be written: {error.strerror or error}.") from error
        finally:
            plain.unlink(missing_ok=True)
            beside.unlink(missing_ok=True)

    def _write(self, tar: tarfile.TarFile) -> None:
        for name, file in self._files():
            entry = tarfile.TarInfo(f"{FOLDER}/{name}")
            entry.size = file.stat().st_size
            entry.mtime = _EPOCH
            entry.mode = 0o755 if name in _TOP_SCRIPTS else 0o644
            with file.open("rb") as opened:
                tar.addfile(entry, opened)

    def _files(self) -> Iterator[tuple[str, Path]]:
        """Every file with its name in the kit, sorted by name."""
        named = {file.relative_to(self.folder).as_posix(): file for file in self.folder.rglob("*") if file.is_file()}
        yield from sorted(named.items())


def _compress(plain: Path, into: Path) -> None:
    try:
        done = subprocess.run(
            ["zstd", "-q", "-10", "-T0", "-f", "-o", into, plain], capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise CompanionError(
            "zstd is missing here: install it (sudo apt-get install zstd), or name the kit kit.tar to leave it plain."
        ) from error
    if done.returncode:
        raise CompanionError(f"zstd could not compress the kit: {done.stderr.strip() or 'it ended early'}.")


def reject_local_models(device: Path) -> None:
    """Raise `ConfigError` where a device file names a model that the unit would not find."""
    settings = read_toml(device)
    for table in (("ears", "transcriber"), ("voice",)):
        named = settings
        for key in table:
            named = named.get(key, {})
        model = named.get("model") if isinstance(named, dict) else None
        if isinstance(model, str) and not model.startswith("/"):
            raise ConfigError(
                f"{device}: {'.'.join(table)}.model: leave it out and give the model to the kit with --models: "
                "the unit finds it by its language"
            )


def set_toml_value(text: str, key: str, value: str) -> str:
    """The TOML text with another value in its first line `key = ...`."""
    return re.sub(rf"^{key}[ \t]*=.*$", f'{key} = "{value}"', text, count=1, flags=re.MULTILINE)
