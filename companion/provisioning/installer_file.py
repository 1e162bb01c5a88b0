"""The installer's file on the card: found under the names that computers give it, read, and its secrets blanked.

The partition is FAT: no permissions, no links, and a card that may be locked, full or damaged. Everything that can be
wrong with the file is a sentence, never an exception.

The installer's file as text: any of the encodings that editors save, and back to the same bytes.

Every character of the text stands for the same bytes again when it is encoded: so a value can be blanked and
all else stays as the installer left it, damage included.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from pathlib import Path

from companion.errors import ConfigError
from companion.provisioning.settings import BootSettings, Finding, read_settings
from companion.provisioning.values import Choices
from companion.storage import write_whole

LONGEST = 65_536
"""Bytes; the file that comes with the card has about 2,500."""

_DOCUMENTS = (
    (b"{\\rtf", "a text document with fonts and colours (RTF)"),
    (b"PK\x03\x04", "a document of a word processor"),
    (b"\xd0\xcf\x11\xe0", "a Word document"),
    (b"%PDF", "a PDF"),
    (b"<!doctype", "a web page"),
    (b"<html", "a web page"),
    (b"<?xml", "an XML document"),
    (b"\x89PNG", "a picture"),
    (b"\xff\xd8\xff", "a picture"),
)
_PLAIN = (
    "save it as plain text (on Windows with Notepad; on a Mac in TextEdit with Format > Make Plain Text), "
    "or begin again with a fresh copy of the file"
)


@dataclass(frozen=True, slots=True)
class BootText:
    """The file's text."""

    raw: str
    """Bytes that are no UTF-8 stand in it as lone surrogates."""
    encoding: str
    before: bytes
    """The byte order mark."""
    after: bytes
    """Half a character at the end."""
    remark: str = ""
    """What was put up with, as a sentence; empty where nothing was."""

    @property
    def text(self) -> str:
        """To be read: the same characters in the same places, with what Windows wrote in its older encoding."""
        return re.sub("[\udc80-\udcff]", _as_windows, self.raw)

    def encode(self, raw: str) -> bytes:
        """The bytes of `raw`, which is this text or a changed form of it."""
        errors = "surrogateescape" if self.encoding == "utf-8" else "surrogatepass"
        return self.before + raw.encode(self.encoding, errors) + self.after


def decode(data: bytes) -> BootText:
    """Make text of the file. Raises `ConfigError` with one sentence where it is none."""
    start = data[:16].lstrip().lower()
    if len(data) > LONGEST:
        raise ConfigError("The file is far too long: begin again with a fresh copy of it.")
    if not data.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise ConfigError("The file is empty: begin again with a fresh copy of it.")
    for beginning, what in _DOCUMENTS:
        if start.startswith(beginning.lower()):
            raise ConfigError(f"The file is {what}, not plain text: {_PLAIN}.")
    found = _unicode(data) or _narrow(data)
    # A card that lost its power leaves zeros; anything else that is not to be seen is no text.
    written = found.text.replace("\0", "")
    if sum(not (one.isprintable() or one in "\t\r\n\f\ufeff") for one in written) > 0.03 * len(written) + 4:
        raise ConfigError(f"The file is not text, or it is damaged: {_PLAIN}.")
    return found


def _unicode(data: bytes) -> BootText | None:
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if data.startswith(mark):
            return _wide(data[2:], encoding, mark)
    # Without a mark: every other byte of plain letters is zero.
    half = len(data) // 2
    if half >= 4:
        if data[1::2].count(0) > 0.7 * half and data[::2].count(0) < 0.2 * half:
            return _wide(data, "utf-16-le", b"")
        if data[::2].count(0) > 0.7 * half and data[1::2].count(0) < 0.2 * half:
            return _wide(data, "utf-16-be", b"")
    return None


def _wide(data: bytes, encoding: str, mark: bytes) -> BootText:
    even = len(data) // 2 * 2
    try:
        raw = data[:even].decode(encoding, "surrogatepass")
    except UnicodeDecodeError as error:
        raise ConfigError(f"The file is damaged: {_PLAIN}.") from error
    remark = 'It is saved as UTF-16 ("Unicode"). It was read all the same; UTF-8 is the usual form.'
    return BootText(raw, encoding, mark, data[even:], remark)


def _narrow(data: bytes) -> BootText:
    mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    raw = data[len(mark) :].decode("utf-8", "surrogateescape")
    remark = ""
    if re.search("[\udc80-\udcff]", raw):
        remark = "It is not saved as UTF-8: letters with accents may have become others. Save it as UTF-8."
    return BootText(raw, "utf-8", mark, b"", remark)


def _as_windows(found: re.Match[str]) -> str:
    byte = bytes([ord(found.group()) - 0xDC00])
    return byte.decode("cp1252", "replace")


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
