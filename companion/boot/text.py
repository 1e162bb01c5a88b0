"""The installer's file as text: any of the encodings that editors save, and back to the same bytes.

Pure. Every character of the text stands for the same bytes again when it is encoded: so a value can be blanked and
all else stays as the installer left it, damage included.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass

from companion.errors import ConfigError

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
