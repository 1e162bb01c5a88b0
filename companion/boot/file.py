"""The installer's file on the card: found under the names that computers give it, read, and its secrets blanked.

The partition is FAT: no permissions, no links, and a card that may be locked, full or damaged. Everything that can be
wrong with the file is a sentence, never an exception.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from companion.boot.settings import BootSettings, Finding, read_settings
from companion.boot.text import LONGEST, BootText, decode
from companion.boot.values import Choices
from companion.errors import ConfigError
from companion.whole_file import write_whole

BOOT_FILE = "companion.toml"

_OTHER_NAMES = re.compile(r"companion\b(?!-report).*\.(toml|txt|tom|conf|rtf|rtfd|docx?|odt|html?|pages)(\.txt)?")


@dataclass(frozen=True, slots=True)
class BootFile:
    """The file as it was found."""

    path: Path
    settings: BootSettings = field(default_factory=BootSettings)
    text: BootText | None = None
    """None where it cannot be read."""
    findings: tuple[Finding, ...] = ()
    """About the file as a whole."""


def read_boot_file(boot: Path, choices: Choices) -> BootFile:
    """Find and read it. Never raises for anything that can be on the card."""
    usual = boot / BOOT_FILE
    try:
        names = sorted(one.name for one in boot.iterdir())
    except OSError as error:
        return BootFile(usual, findings=(Finding(f"The card's folder cannot be read: {error.strerror}."),))
    path, findings = _found(boot, names)
    if path is None:
        text = f"There is no {BOOT_FILE} on the card. Put one there; the one that came with the card shows how."
        return BootFile(usual, findings=(*findings, Finding(text)))
    try:
        with path.open("rb") as file:
            text_found = decode(file.read(LONGEST + 1))
    except OSError as error:
        findings.append(Finding(f"{path.name} cannot be read: {error.strerror}. Put a fresh copy there."))
        return BootFile(path, findings=tuple(findings))
    except ConfigError as error:
        return BootFile(path, findings=(*findings, Finding(str(error))))
    if text_found.remark:
        findings.append(Finding(text_found.remark, note=True))
    settings = read_settings(text_found.text, choices)
    if not settings.recognised:
        findings.append(Finding("No line of the file sets anything: begin again with a fresh copy of it."))
    return BootFile(path, settings, text_found, tuple(findings))


def other_files(boot: Path) -> tuple[str, ...]:
    """TOML files on the card that are not the installer's own: personas."""
    try:
        return tuple(
            sorted(one.name for one in boot.glob("*") if one.suffix.lower() == ".toml" and not _is_boot_file(one.name))
        )
    except OSError:
        return ()


def mend_names(boot: Path) -> None:
    """Undo what a power cut left of `blank`. Raises `OSError`."""
    for left in boot.glob("*.new"):
        whole = left.with_name(left.name.removesuffix(".new"))
        if not _is_boot_file(whole.name):
            continue
        if whole.exists():
            left.unlink()
        else:
            left.replace(whole)


def blank(file: BootFile, names: frozenset[str]) -> bool:
    """Take the named secrets out of the file; every other byte stays. True where one stood there. Raises `OSError`."""
    places = sorted((place for name, place in file.settings.places.items() if name in names), reverse=True)
    if file.text is None or not places:
        return False
    raw = file.text.raw
    for start, end in places:
        raw = f'{raw[:start]}""{raw[end:]}'
    return write_whole(file.path, file.text.encode(raw), mode=None)


def _found(boot: Path, names: list[str]) -> tuple[Path | None, list[Finding]]:
    ours = sorted((name for name in names if _is_boot_file(name)), key=lambda name: (name.lower() != BOOT_FILE, name))
    if not ours:
        return None, []
    used, *others = ours
    findings = [
        Finding(
            f"There is another file like {BOOT_FILE} on the card, which does not count. Remove it: it may hold a key."
        )
        for _ in others[:1]
    ]
    if used.lower() != BOOT_FILE:
        text = f"The file has another name than {BOOT_FILE}. It was read all the same; rename it."
        findings.append(Finding(text))
    return boot / used, findings


def _is_boot_file(name: str) -> bool:
    return name.lower() == BOOT_FILE or _OTHER_NAMES.fullmatch(name.lower()) is not None
