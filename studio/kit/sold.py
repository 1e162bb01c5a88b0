"""Leaves out of a kit's wheels what may not be sold: openWakeWord's ready-made keyword models.

The wheel pyopen-wakeword carries them beside the two networks that wake words of one's own are heard with. They are
licensed for non-commercial use only (CC BY-NC-SA 4.0), and nothing here loads them (docs/licences.md). The same wheel
gives the same bytes. Blocks; used by a command only.
"""

from __future__ import annotations

import zipfile
from pathlib import Path

from companion.errors import CompanionError

_WHEELS = "pyopen_wakeword-*.whl"
_MODELS = "pyopen_wakeword/models/"
KEPT = ("melspectrogram.tflite", "embedding_model.tflite")
"""The networks that are used, and may be sold: Apache-2.0."""


def leave_out_keyword_models(wheels: Path) -> None:
    """Write the wheels in the folder anew without them. Raises `CompanionError` for one that cannot be read."""
    for wheel in wheels.glob(_WHEELS):
        try:
            _write_anew(wheel)
        except (OSError, zipfile.BadZipFile) as error:
            raise CompanionError(f"{wheel.name} is damaged ({error}): fetch it again.") from error


def _write_anew(wheel: Path) -> None:
    beside = wheel.with_suffix(".new")
    with zipfile.ZipFile(wheel) as old, zipfile.ZipFile(beside, "w", zipfile.ZIP_DEFLATED) as new:
        for entry in old.infolist():
            if not _is_kept(entry.filename):
                continue
            content = old.read(entry)
            if entry.filename.endswith(".dist-info/RECORD"):
                lines = content.decode().splitlines(keepends=True)
                content = "".join(line for line in lines if _is_kept(line.partition(",")[0])).encode()
            new.writestr(entry, content, zipfile.ZIP_DEFLATED)
    beside.replace(wheel)


def _is_kept(name: str) -> bool:
    return not name.startswith(_MODELS) or name.removeprefix(_MODELS) in ("", *KEPT)
