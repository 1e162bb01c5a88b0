"""The part of a download that is there already, and where it came from: `NAME` and beside it `NAME.origin`.

Raises `OSError` where the disk does.
"""

from __future__ import annotations

import json
from pathlib import Path

from companion.model_files.catalogue import ModelFile


def usable(file: ModelFile, address: str, part: Path) -> int:
    """How many bytes of the part file can be built on; one that cannot is thrown away."""
    if not part.exists():
        return 0
    have, origin = part.stat().st_size, _origin(part)
    told_apart = file.sha256 or file.md5 or validator(part)
    if origin.get("address") != address or not told_apart or have > (file.size or have):
        discard(part)
        return 0
    return have


def remember(part: Path, address: str, etag: str, modified: str) -> None:
    """Note down which file the part belongs to, before its first byte."""
    origin = {
        "address": address,
        # A weak one does not promise the same bytes (RFC 9110, section 13.1.5).
        "etag": "" if etag.startswith("W/") else etag,
        "modified": modified,
    }
    _origin_file(part).write_text(json.dumps(origin), "utf-8")


def validator(part: Path) -> str:
    """What tells the server which file we began with; empty where it named nothing that does."""
    origin = _origin(part)
    return origin.get("etag") or origin.get("modified") or ""


def _origin(part: Path) -> dict[str, str]:
    try:
        kept = json.loads(_origin_file(part).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(key): str(value) for key, value in kept.items()} if isinstance(kept, dict) else {}


def _origin_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.origin")


def discard(part: Path) -> None:
    """Throw the part away."""
    part.unlink(missing_ok=True)
    _origin_file(part).unlink(missing_ok=True)
