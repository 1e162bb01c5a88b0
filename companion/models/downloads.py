"""Downloads one file over HTTP, from servers that may stall, lie, redirect or break off.

Received bytes are kept in a part file, `NAME`, with its origin in `NAME.origin`. The next attempt requests the rest
(RFC 9110, sections 13.1.5 and 14), but only where the server can confirm that the file is unchanged or a checksum will
tell. HTTP is done by the standard library; httpx is reserved for the character service. Blocks; used by commands, never
by the daemon. Errors are `EngineUnavailable` with one sentence. Only data known to be wrong is deleted.
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


def resumable_bytes(file: ModelFile, address: str, part: Path) -> int:
    """How many bytes of the part file can be continued; a part that cannot is deleted. Raises `OSError`."""
    if not part.exists():
        return 0
    have, origin = part.stat().st_size, _origin(part)
    identifiable = file.sha256 or file.md5 or resume_validator(part)
    if origin.get("address") != address or not identifiable or have > (file.size or have):
        discard(part)
        return 0
    return have


def record_origin(part: Path, address: str, etag: str, modified: str) -> None:
    """Record which file the part belongs to, before its first byte. Raises `OSError`."""
    origin = {
        "address": address,
        # A weak validator does not promise identical bytes (RFC 9110, section 13.1.5).
        "etag": "" if etag.startswith("W/") else etag,
        "modified": modified,
    }
    _origin_file(part).write_text(json.dumps(origin), "utf-8")


def resume_validator(part: Path) -> str:
    """The validator for `If-Range`, which identifies the file to the server; empty where the server gave none."""
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
    """Delete the part and its origin."""
    part.unlink(missing_ok=True)
    _origin_file(part).unlink(missing_ok=True)


Progress = Callable[[int, int | None], None]
"""Called with the bytes received so far and the total (None where it is unknown)."""

_CHUNK = 65_536
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_NETWORK = "A folder or a mirror will do, too (--from); the built-in engines go on meanwhile."
_KEPT = "What came so far is kept: run the command again to go on."


@dataclass(frozen=True, slots=True)
class DownloadLimits:
    """Limits on a server's behaviour."""

    stall_s: float = 30.0
    """Longest silence; also the time within which at least `trickle` bytes must arrive."""
    trickle: int = 4096
    largest: int = 2_000_000_000
    """Largest size of a file whose size is not published, in bytes."""
    spare: int = 50_000_000
    """Bytes that must stay free on the disk."""


def fetch(file: ModelFile, address: str, part: Path, progress: Progress, limits: DownloadLimits | None = None) -> str:
    """Download the file to `part` and verify it; returns its SHA-256. Raises `EngineUnavailable`.

    `address` is the file's own or a mirror's. A file that was assembled from two attempts and turns out wrong is
    downloaded once more from the beginning.
    """
    limits = limits or DownloadLimits()
    try:
        if _download(file, address, part, progress, limits) == "resumed":
            try:
                return verified_sha256(part, file)
            except EngineUnavailable:
                _download(file, address, part, progress, limits)
        return verified_sha256(part, file)
    except OSError as error:
        raise EngineUnavailable(f"{part}: cannot be written: {error.strerror or error}. {_KEPT}") from error


def copy_local(
    file: ModelFile, source: Path, part: Path, progress: Progress, limits: DownloadLimits | None = None
) -> str:
    """Copy the file from a folder to `part` and verify it; returns its SHA-256. Raises `EngineUnavailable`."""
    limits = limits or DownloadLimits()
    try:
        size = source.stat().st_size
        _refuse_size(file, size, source.name, limits)
        _refuse_full_disk(part.parent, size, limits)
        with source.open("rb") as read, part.open("wb") as written:
            done = 0
            while data := read.read(_CHUNK):
                written.write(data)
                done += len(data)
                progress(done, size)
            written.flush()
            os.fsync(written.fileno())
    except OSError as error:
        raise EngineUnavailable(f"{error.filename or source}: {error.strerror or error}.") from error
    return verified_sha256(part, file)


def verified_sha256(part: Path, file: ModelFile) -> str:
    """Verify a downloaded file and return its SHA-256. A wrong file is deleted, and `EngineUnavailable` raised."""
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
    """Follows few redirects, and none from https to an unencrypted address."""

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


def _download(file: ModelFile, address: str, part: Path, progress: Progress, limits: DownloadLimits) -> str:
    """Complete the part file; returns `resumed` or `whole`. Raises `EngineUnavailable`, `OSError`."""
    have = resumable_bytes(file, address, part)
    if have and have == file.size:
        return "resumed"
    host = urlsplit(address).hostname or address
    try:
        with _open(address, _headers(part, have), limits) as response:
            start, total = _content_range(response)
            if start != have:
                have = 0
                if start:
                    discard(part)
                    raise EngineUnavailable(f"{host} sent another piece of {file.name} than it was asked for.")
            _refuse_size(file, total, host, limits)
            _refuse_full_disk(part.parent, (total or file.size or 0) - have, limits)
            record_origin(part, address, response.headers.get("ETag", ""), response.headers.get("Last-Modified", ""))
            _receive(response, part, have, total or file.size, progress, file, limits)
    except urllib.error.HTTPError as error:
        error.close()
        if error.code == 416 and have:
            discard(part)
            return _download(file, address, part, progress, limits)
        raise EngineUnavailable(_status_sentence(error.code, host, file.name)) from error
    except (TimeoutError, urllib.error.URLError, http.client.HTTPException, ConnectionError, ssl.SSLError) as error:
        raise EngineUnavailable(
            f"{_connection_sentence(error, host)} {_KEPT if part.exists() else _NETWORK}"
        ) from error
    return "resumed" if have else "whole"


def _open(address: str, headers: dict[str, str], limits: DownloadLimits) -> Any:
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
        if known := resume_validator(part):
            headers["If-Range"] = known
    return headers


def _content_range(response: Any) -> tuple[int, int | None]:
    """The position of the response's body in the file, and the file's length (None: unknown)."""
    if response.status == 206:
        found = _RANGE.fullmatch(response.headers.get("Content-Range", "").strip())
        if not found:
            return -1, None
        return int(found[1]), None if found[3] == "*" else int(found[3])
    length = response.headers.get("Content-Length", "")
    return 0, int(length) if length.isdigit() else None


def _receive(
    response: Any, part: Path, have: int, total: int | None, progress: Progress, file: ModelFile, limits: DownloadLimits
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
                progress(have, total)
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


def _refuse_size(file: ModelFile, total: int | None, host: str, limits: DownloadLimits) -> None:
    if total is None:
        return
    if file.size is not None and total != file.size:
        raise EngineUnavailable(
            f"{file.name} has {total} bytes at {host}, but {file.size} were published: it is another file. Try --from."
        )
    if total > limits.largest:
        raise EngineUnavailable(f"{file.name} has {total} bytes at {host}: no model is as large.")


def _refuse_full_disk(folder: Path, needed: int, limits: DownloadLimits) -> None:
    free = shutil.disk_usage(folder).free
    if needed + limits.spare > free:
        raise EngineUnavailable(
            f"There is no room: {needed / 1e6:.0f} MB are still to come, {free / 1e6:.0f} MB are free at {folder}. "
            "Remove something (`companion models remove`), or name another --folder."
        )


def _status_sentence(code: int, host: str, name: str) -> str:
    if code in (404, 410):
        return f"{host} has no {name} any more. Take it from somewhere else with --from."
    if code in (401, 403, 451):
        return f"{host} does not give {name} away (HTTP {code}). Take it from somewhere else with --from."
    if 300 <= code < 400:
        return f"{host} sends on from one address to the next, without end. Try later, or --from."
    return f"{host} cannot give {name} now (HTTP {code}). Try later."


def _connection_sentence(error: BaseException, host: str) -> str:
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
