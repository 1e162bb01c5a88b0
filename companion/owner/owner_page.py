"""The owner's page of one unit, while it is open: opened with a code for one telephone, closed again by itself.

`open`, `close` and `reset_pin` block for up to a second and are called from any thread but the page's own. It is closed
once nobody has been signed in for some minutes.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from companion.errors import DeviceError
from companion.owner.access import CODE_S, Access
from companion.owner.addresses import own_addresses, own_names
from companion.owner.certificate import Certificate, certificate_for
from companion.owner.change_log import ChangeLog
from companion.owner.changes import Changes
from companion.owner.controls import Unit
from companion.owner.pages import Pages
from companion.owner.server import TlsServer
from companion.owner.site import Site

LOOKS_EVERY_S = 5.0


@dataclass(frozen=True, slots=True)
class Opened:
    """What a telephone needs to come in."""

    address: str
    """`https://192.168.1.20:8443/`"""
    names: tuple[str, ...]
    """The same by name, where the telephone can look names up."""
    link: str
    """The address with the code, for a QR code: the part behind the `#` never leaves the telephone by itself."""
    digits: str
    """The code for fingers."""
    code_s: float
    """For so long the code works."""
    fingerprint: str
    """SHA-256 of the certificate."""


class OwnerPage:
    """See the head of this file."""

    def __init__(
        self,
        folder: Path,
        unit: Unit,
        access: Access,
        *,
        name: str,
        language: str,
        port: int,
        minutes: float,
        on_closed: Callable[[], object],
        addresses: Callable[[], Sequence[str]] = own_addresses,
    ) -> None:
        """`folder` is the state folder. `on_closed` is called, on the page's thread, when it has closed by itself."""
        self._folder, self._unit, self._access = folder, unit, access
        self._name, self._language, self._port, self._minutes = name, language, port, minutes
        self._on_closed, self._addresses = on_closed, addresses
        self._server: TlsServer | None = None
        self._certificate: Certificate | None = None
        self._used_at = 0.0
        self._closing = False

    @property
    def is_open(self) -> bool:
        """Whether anybody can reach it."""
        return self._server is not None

    def open(self) -> Opened:
        """Open it, or keep it open longer; in either case with a new code. Raises `DeviceError`."""
        addresses, names = tuple(self._addresses()), own_names()
        if not addresses:
            raise DeviceError("This unit is in no network, so no telephone can reach its page; set up its Wi-Fi first.")
        self._used_at = time.monotonic()
        if self._server is None or self._certificate is None:
            self._closing = False
            self._certificate = certificate_for(self._folder, addresses, names)
            server = TlsServer(self._site(names), self._certificate, self._port, self._watch)
            self._port = server.start()
            self._server = server
        code = self._access.new_code()
        address = f"https://{addresses[0]}:{self._port}/"
        return Opened(
            address,
            tuple(f"https://{one}:{self._port}/" for one in names),
            f"{address}#{code.token}",
            code.digits,
            CODE_S,
            self._certificate.fingerprint,
        )

    def close(self) -> None:
        """Close it; all sessions end."""
        if self._server is not None:
            self._server.stop()
            self._server = None
        self._access.end_all()

    def _site(self, names: Sequence[str]) -> Site:
        assert self._certificate is not None
        log = ChangeLog(self._folder, datetime.now)
        changes = Changes(self._unit, self._access, log, self._close_soon)
        return Site(
            self._access,
            Pages(self._unit, self._access, log, changes),
            changes,
            name=self._name,
            names=names,
            fallback=self._language,
            fingerprint=self._certificate.fingerprint,
            used=self._used,
        )

    def _used(self) -> None:
        self._used_at = time.monotonic()

    def _close_soon(self) -> None:
        self._closing = True

    async def _watch(self) -> None:
        """Closes the page when nobody needs it any more."""
        while not self._closing:
            if self._access.is_used:
                self._used()
            elif time.monotonic() - self._used_at > self._minutes * 60:
                break
            await asyncio.sleep(LOOKS_EVERY_S)
        self._on_closed()
