"""Fetching one file over HTTP, from servers that stall, lie, redirect or run out.

What arrived is kept in a part file; the next attempt asks for the rest (RFC 9110, sections 13.1.5 and 14), and only
where the server can tell that the file is still the same, or a checksum will. The standard library does the HTTP:
httpx is the character service's alone. Blocks; used by commands, never by the daemon. Errors are `EngineUnavailable`
with one sentence; nothing is thrown away but what is known to be wrong.

The part of a download that is there already, and where it came from: `NAME` and beside it `NAME.origin`.

Raises `OSError` where the disk does.
"""

from __future__ import annotations

import hashlib
import http.client
import json
import os
import re
import shutil
import socket
import ssl
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from companion import __version__
from companion.errors import EngineUnavailable
from companion.models.catalogue import ModelFile


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


Tell = Callable[[int, int | None], None]
"""Told how many bytes are there, and how many there will be (None where nobody says)."""

_CHUNK = 65_536
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_NETWORK = "A folder or a mirror will do, too (--from); the built-in engines go on meanwhile."
_KEPT = "What came so far is kept: run the command again to go on."


@dataclass(frozen=True, slots=True)
class Limits:
    """What a server may do to us."""

    stall_s: float = 30.0
    """Longest silence; also the time in which at least `trickle` bytes must come."""
    trickle: int = 4096
    largest: int = 2_000_000_000
    """Bytes of a file whose size is not published."""
    spare: int = 50_000_000
    """Bytes that must stay free on the disk."""


def fetch(file: ModelFile, address: str, part: Path, tell: Tell, limits: Limits | None = None) -> str:
    """Have the whole file at `part`, checked; returns its SHA-256. Raises `EngineUnavailable`.

    `address` is the file's own or a mirror's.
    A file that was put together from two attempts and turns out wrong is fetched once more from its beginning.
    """
    limits = limits or Limits()
    try:
        if _download(file, address, part, tell, limits) == "resumed":
            try:
                return checked(part, file)
            except EngineUnavailable:
                _download(file, address, part, tell, limits)
        return checked(part, file)
    except OSError as error:
        raise EngineUnavailable(f"{part}: cannot be written: {error.strerror or error}. {_KEPT}") from error


def copy(file: ModelFile, source: Path, part: Path, tell: Tell, limits: Limits | None = None) -> str:
    """The same from a folder. Raises `EngineUnavailable`."""
    limits = limits or Limits()
    try:
        size = source.stat().st_size
        _refuse_size(file, size, source.name, limits)
        _refuse_full_disk(part.parent, size, limits)
        with source.open("rb") as read, part.open("wb") as written:
            done = 0
            while data := read.read(_CHUNK):
                written.write(data)
                done += len(data)
                tell(done, size)
            written.flush()
            os.fsync(written.fileno())
    except OSError as error:
        raise EngineUnavailable(f"{error.filename or source}: {error.strerror or error}.") from error
    return checked(part, file)


def checked(part: Path, file: ModelFile) -> str:
    """The SHA-256 of a fetched file. One that is not the published one is thrown away: `EngineUnavailable`."""
    sha256, md5 = hashlib.sha256(), hashlib.md5(usedforsecurity=False)
    with part.open("rb") as read:
        while data := read.read(_CHUNK):
            sha256.update(data)
            md5.update(data)
    wrong = (
        (file.size is not None and part.stat().st_size != file.size)
        or (file.sha256 is not None and sha256.hexdigest() != file.sha256)
        or (file.md5 is not None and md5.hexdigest() != file.md5)
    )
    if wrong:
        discard(part)
        raise EngineUnavailable(
            f"{file.name}: what came is not the file that was published (another size or checksum), so it was thrown "
            "away. Try again, or another --from."
        )
    return sha256.hexdigest()


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Never from https to anything less, never far."""

    max_redirections = 5
    max_repeats = 2

    def redirect_request(
        self, req: urllib.request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> urllib.request.Request | None:
        old, new = urlsplit(req.full_url), urlsplit(newurl)
        if new.scheme not in ("http", "https") or (old.scheme == "https" and new.scheme != "https"):
            fp.close()
            raise EngineUnavailable(f"{old.hostname} sends on to an address without encryption, which is refused.")
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _download(file: ModelFile, address: str, part: Path, tell: Tell, limits: Limits) -> str:
    """Bring the part file up to its full length; `resumed` or `whole`. Raises `EngineUnavailable`, `OSError`."""
    have = usable(file, address, part)
    if have and have == file.size:
        return "resumed"
    host = urlsplit(address).hostname or address
    try:
        with _open(address, _headers(part, have), limits) as response:
            start, total = _announced(response)
            if start != have:
                have = 0
                if start:
                    discard(part)
                    raise EngineUnavailable(f"{host} sent another piece of {file.name} than it was asked for.")
            _refuse_size(file, total, host, limits)
            _refuse_full_disk(part.parent, (total or file.size or 0) - have, limits)
            remember(part, address, response.headers.get("ETag", ""), response.headers.get("Last-Modified", ""))
            _receive(response, part, have, total or file.size, tell, file, limits)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and have:
            discard(part)
            return _download(file, address, part, tell, limits)
        raise EngineUnavailable(_refusal(error.code, host, file.name)) from error
    except (TimeoutError, urllib.error.URLError, http.client.HTTPException, ConnectionError, ssl.SSLError) as error:
        raise EngineUnavailable(f"{_trouble(error, host)} {_KEPT if part.exists() else _NETWORK}") from error
    return "resumed" if have else "whole"


def _open(address: str, headers: dict[str, str], limits: Limits) -> Any:
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPHandler(),
        urllib.request.HTTPSHandler(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        _Redirects(),
    ):
        opener.add_handler(handler)
    return opener.open(urllib.request.Request(address, headers=headers), timeout=limits.stall_s)


def _headers(part: Path, have: int) -> dict[str, str]:
    headers = {"User-Agent": f"companion/{__version__}", "Accept-Encoding": "identity"}
    if have:
        headers["Range"] = f"bytes={have}-"
        if known := validator(part):
            headers["If-Range"] = known
    return headers


def _announced(response: Any) -> tuple[int, int | None]:
    """Where the body begins in the file, and how long the file is."""
    if response.status == 206:
        found = _RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
        if not found:
            return -1, None
        return int(found[1]), None if found[3] == "*" else int(found[3])
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() else None


def _receive(
    response: Any, part: Path, have: int, total: int | None, tell: Tell, file: ModelFile, limits: Limits
) -> None:
    most = total if total is not None else limits.largest
    begun, at_begin = time.monotonic(), have
    with part.open("ab" if have else "wb") as written:
        try:
            while data := response.read1(_CHUNK):
                have += len(data)
                if have > most:
                    written.close()
                    discard(part)
                    raise EngineUnavailable(f"{file.name}: the server sends more than it said, so it was thrown away.")
                written.write(data)
                tell(have, total)
                if time.monotonic() - begun > limits.stall_s:
                    if have - at_begin < limits.trickle:
                        raise TimeoutError
                    begun, at_begin = time.monotonic(), have
        finally:
            if not written.closed:
                written.flush()
                os.fsync(written.fileno())
    if total is not None and have < total:
        raise ConnectionError("ended early")


def _refuse_size(file: ModelFile, total: int | None, host: str, limits: Limits) -> None:
    if total is None:
        return
    if file.size is not None and total != file.size:
        raise EngineUnavailable(
            f"{file.name} has {total} bytes at {host}, but {file.size} were published: it is another file. Try --from."
        )
    if total > limits.largest:
        raise EngineUnavailable(f"{file.name} has {total} bytes at {host}: no model is as large.")


def _refuse_full_disk(folder: Path, needed: int, limits: Limits) -> None:
    free = shutil.disk_usage(folder).free
    if needed + limits.spare > free:
        raise EngineUnavailable(
            f"There is no room: {needed / 1e6:.0f} MB are still to come, {free / 1e6:.0f} MB are free at {folder}. "
            "Remove something (`companion models remove`), or name another --folder."
        )


def _refusal(code: int, host: str, name: str) -> str:
    if code in (404, 410):
        return f"{host} has no {name} any more. Take it from somewhere else with --from."
    if code in (401, 403, 451):
        return f"{host} does not give {name} away (HTTP {code}). Take it from somewhere else with --from."
    if 300 <= code < 400:
        return f"{host} sends on from one address to the next, without end. Try later, or --from."
    return f"{host} cannot give {name} now (HTTP {code}). Try later."


def _trouble(error: BaseException, host: str) -> str:
    reason = error.reason if isinstance(error, urllib.error.URLError) else error
    if isinstance(reason, TimeoutError):
        return f"{host} fell silent."
    if isinstance(reason, socket.gaierror):
        return f"There is no way to {host}: this unit has no network, or no name server."
    if isinstance(reason, ssl.SSLError):
        return f"{host} cannot prove that it is {host} (check the unit's clock)."
    if isinstance(reason, http.client.HTTPException) or str(reason) == "ended early":
        return f"{host} broke off in the middle."
    return f"{host} cannot be reached."
