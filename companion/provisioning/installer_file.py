"""The installer's file on the card, `companion.toml`: finding it, decoding it, and blanking its secrets.

The partition is FAT: no permissions, no links, and the card may be locked, full or damaged. Every problem with the
file becomes a diagnostic and never an exception. Computers like to rename it (`companion.toml.txt`), so similar names
are accepted, as are all encodings that editors save. Decoding is reversible byte for byte: a secret can be blanked
while everything else stays as the installer left it, including damaged bytes.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field
from pathlib import Path

from companion.errors import ConfigError
from companion.provisioning.settings import Diagnostic, InstallerSettings, read_settings
from companion.provisioning.values import Choices
from companion.storage import read_bounded_file, write_atomically

INSTALLER_FILE = "companion.toml"

LONGEST = 65_536
"""Bytes; the file that comes with the card has about 2,500."""

_OTHER_NAMES = re.compile(r"companion\b(?!-report).*\.(toml|txt|tom|conf|rtf|rtfd|docx?|odt|html?|pages)(\.txt)?")
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
class InstallerText:
    """The file's text, and what is needed to turn it into bytes again."""

    raw: str
    """Bytes that are not valid UTF-8 are kept as lone surrogates."""
    encoding: str
    bom: bytes
    """The byte order mark, or empty."""
    trailing: bytes
    """Half a character at the end of a UTF-16 file, or empty."""
    remark: str = ""
    """A sentence about an unusual encoding that was accepted; empty where there is nothing to say."""

    @property
    def text(self) -> str:
        """The text for reading, with the same length as `raw`: invalid bytes are taken as Windows-1252."""
        return re.sub("[\udc80-\udcff]", _as_cp1252, self.raw)

    def encode(self, raw: str) -> bytes:
        """The bytes of `raw`, which is this text or an edited form of it."""
        errors = "surrogateescape" if self.encoding == "utf-8" else "surrogatepass"
        return self.bom + raw.encode(self.encoding, errors) + self.trailing


def decode(data: bytes) -> InstallerText:
    """Decode the file. Raises `ConfigError` with one sentence where it is not text."""
    start = data[:16].lstrip().lower()
    if len(data) > LONGEST:
        raise ConfigError("The file is far too long: begin again with a fresh copy of it.")
    if not data.strip(b"\0 \t\r\n\xef\xbb\xbf\xff\xfe"):
        raise ConfigError("The file is empty: begin again with a fresh copy of it.")
    for beginning, what in _DOCUMENTS:
        if start.startswith(beginning.lower()):
            raise ConfigError(f"The file is {what}, not plain text: {_PLAIN}.")
    found = _try_utf16(data) or _decode_utf8(data)
    # A write interrupted by a power cut leaves zeros. Other invisible characters mean that this is not text.
    written = found.text.replace("\0", "")
    if sum(not (one.isprintable() or one in "\t\r\n\f\ufeff") for one in written) > 0.03 * len(written) + 4:
        raise ConfigError(f"The file is not text, or it is damaged: {_PLAIN}.")
    return found


def _try_utf16(data: bytes) -> InstallerText | None:
    for mark, encoding in ((codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be")):
        if data.startswith(mark):
            return _decode_utf16(data[2:], encoding, mark)
    # UTF-16 without a byte order mark: every other byte of plain letters is zero.
    half = len(data) // 2
    if half >= 4:
        if data[1::2].count(0) > 0.7 * half and data[::2].count(0) < 0.2 * half:
            return _decode_utf16(data, "utf-16-le", b"")
        if data[::2].count(0) > 0.7 * half and data[1::2].count(0) < 0.2 * half:
            return _decode_utf16(data, "utf-16-be", b"")
    return None


def _decode_utf16(data: bytes, encoding: str, mark: bytes) -> InstallerText:
    even = len(data) // 2 * 2
    try:
        raw = data[:even].decode(encoding, "surrogatepass")
    except UnicodeDecodeError as error:
        raise ConfigError(f"The file is damaged: {_PLAIN}.") from error
    remark = 'It is saved as UTF-16 ("Unicode"). It was read all the same; UTF-8 is the usual form.'
    return InstallerText(raw, encoding, mark, data[even:], remark)


def _decode_utf8(data: bytes) -> InstallerText:
    mark = codecs.BOM_UTF8 if data.startswith(codecs.BOM_UTF8) else b""
    raw = data[len(mark) :].decode("utf-8", "surrogateescape")
    remark = ""
    if re.search("[\udc80-\udcff]", raw):
        remark = "It is not saved as UTF-8: letters with accents may have become others. Save it as UTF-8."
    return InstallerText(raw, "utf-8", mark, b"", remark)


def _as_cp1252(found: re.Match[str]) -> str:
    byte = bytes([ord(found.group()) - 0xDC00])
    return byte.decode("cp1252", "replace")


@dataclass(frozen=True, slots=True)
class InstallerFile:
    """The file as it was found on the card."""

    path: Path
    settings: InstallerSettings = field(default_factory=InstallerSettings)
    text: InstallerText | None = None
    """None where the file cannot be read."""
    diagnostics: tuple[Diagnostic, ...] = ()
    """Those about the file as a whole; `settings` has those about its lines."""


def read_installer_file(boot: Path, choices: Choices) -> InstallerFile:
    """Find and read the file. Never raises, whatever is on the card."""
    usual = boot / INSTALLER_FILE
    try:
        names = sorted(one.name for one in boot.iterdir())
    except OSError as error:
        return InstallerFile(usual, diagnostics=(Diagnostic(f"The card's folder cannot be read: {error.strerror}."),))
    path, diagnostics = _find_file(boot, names)
    if path is None:
        text = f"There is no {INSTALLER_FILE} on the card. Put one there; the one that came with the card shows how."
        return InstallerFile(usual, diagnostics=(*diagnostics, Diagnostic(text)))
    try:
        # More than `decode` takes: it says better than an `OSError` what to do.
        text_found = decode(read_bounded_file(path, 16 * LONGEST))
    except OSError as error:
        diagnostics.append(Diagnostic(f"{path.name} cannot be read: {error.strerror}. Put a fresh copy there."))
        return InstallerFile(path, diagnostics=tuple(diagnostics))
    except ConfigError as error:
        return InstallerFile(path, diagnostics=(*diagnostics, Diagnostic(str(error))))
    if text_found.remark:
        diagnostics.append(Diagnostic(text_found.remark, note=True))
    settings = read_settings(text_found.text, choices)
    if not settings.recognised:
        diagnostics.append(Diagnostic("No line of the file sets anything: begin again with a fresh copy of it."))
    return InstallerFile(path, settings, text_found, tuple(diagnostics))


def other_toml_files(boot: Path) -> tuple[str, ...]:
    """TOML files on the card other than the installer's file: personas."""
    try:
        return tuple(
            sorted(
                one.name for one in boot.glob("*") if one.suffix.lower() == ".toml" and not _is_installer_file(one.name)
            )
        )
    except OSError:
        return ()


def recover_interrupted_write(boot: Path) -> None:
    """Finish or undo a `blank_secrets` that a power cut interrupted. Raises `OSError`."""
    for left in boot.glob("*.new"):
        whole = left.with_name(left.name.removesuffix(".new"))
        if not _is_installer_file(whole.name):
            continue
        if whole.exists():
            left.unlink()
        else:
            left.replace(whole)


def blank_secrets(file: InstallerFile, names: frozenset[str]) -> bool:
    """Replace the named secrets by `""`; every other byte stays. Returns whether there were any. Raises `OSError`."""
    secret_spans = sorted((place for name, place in file.settings.secret_spans.items() if name in names), reverse=True)
    if file.text is None or not secret_spans:
        return False
    raw = file.text.raw
    for start, end in secret_spans:
        raw = f'{raw[:start]}""{raw[end:]}'
    return write_atomically(file.path, file.text.encode(raw), mode=None)


def _find_file(boot: Path, names: list[str]) -> tuple[Path | None, list[Diagnostic]]:
    ours = sorted(
        (name for name in names if _is_installer_file(name)), key=lambda name: (name.lower() != INSTALLER_FILE, name)
    )
    if not ours:
        return None, []
    used, *others = ours
    diagnostics = [
        Diagnostic(
            f"There is another file like {INSTALLER_FILE} on the card, which does not count. "
            "Remove it: it may hold a key."
        )
        for _ in others[:1]
    ]
    if used.lower() != INSTALLER_FILE:
        text = f"The file has another name than {INSTALLER_FILE}. It was read all the same; rename it."
        diagnostics.append(Diagnostic(text))
    return boot / used, diagnostics


def _is_installer_file(name: str) -> bool:
    return name.lower() == INSTALLER_FILE or _OTHER_NAMES.fullmatch(name.lower()) is not None
