"""The way from the running unit to its owner's page: who opens it, and what the owner has decided before.

The page itself is imported when it is opened for the first time; until then it costs neither memory nor time.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from companion.app import Unit
from companion.body.inputs import HELD_S
from companion.config.device import Device
from companion.errors import CompanionError, DeviceError
from companion.languages.understood import DEFAULT
from companion.owner_settings import Consent, KeptOwnerSettings, change_owner_settings
from companion.service.control_protocol import AskOwnerPage
from companion.service.owned_daemon import OwnedDaemon
from companion.service.reset import reset

if TYPE_CHECKING:
    from companion.owner.access import Access
    from companion.owner.owner_page import Opened, OwnerPage

log = logging.getLogger("companion")


class HeldButton:
    """A button that wakes when it is pressed, and opens the owner's page when it is held. On the loop."""

    def __init__(self, pressed: Callable[[], object], held: Callable[[], object]) -> None:
        self._pressed, self._held = pressed, held
        self._timer: asyncio.TimerHandle | None = None

    def changed(self, down: bool) -> None:
        """It goes down or up."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if down:
            self._pressed()
            self._timer = asyncio.get_running_loop().call_later(HELD_S, self._held)


class OwnerAccess:
    """Opens and closes the page of one unit. Satisfies `control.OwnerDoor`. On the loop."""

    def __init__(self, daemon: OwnedDaemon, unit: Unit, device: Device, folder: Path, group: asyncio.TaskGroup) -> None:
        """`folder` is the state folder. Blocks for one look at the disk."""
        self._daemon, self._unit, self._device, self._folder, self._group = daemon, unit, device, folder, group
        self.settings = KeptOwnerSettings(folder)
        """What the owner has decided."""
        self._page: OwnerPage | None = None
        self._access: Access | None = None
        self._one_at_a_time = asyncio.Lock()

    def begin(self) -> None:
        """Let what the owner decided before count, and open the page where the device file says so."""
        decided = self.settings.now()
        if decided.volume is not None:
            self._daemon.loudspeaker.volume = decided.volume
        if decided.keep_words is not None:
            self._unit.records.keep_words = decided.keep_words
        if decided.persona is not None and decided.persona != self._daemon.persona_file.stem:
            try:
                log.info("%s", self._daemon.reload(decided.persona))
            except CompanionError as error:
                log.error("The persona that the owner chose is refused and %s stays: %s",
                          self._daemon.persona_file.stem, error)  # fmt: skip
        if self._device.owner.open:
            self._group.create_task(self._open_and_tell(only_new=True))

    def open_by_hand(self) -> None:
        """Open it, as whoever holds the unit in their hands may; it says where it is, and its code."""
        self._group.create_task(self._open_and_tell())

    async def answer(self, request: AskOwnerPage) -> tuple[str, Mapping[str, Any]]:
        """See `control.OwnerDoor`."""
        match request.wish:
            case "open":
                opened = await self._open()
                return f"The owner's page is open: {opened.address}", {
                    "address": opened.address, "names": list(opened.names), "link": opened.link,
                    "digits": opened.digits, "code_s": opened.code_s, "fingerprint": opened.fingerprint,
                }  # fmt: skip
            case "close":
                was_open = self._page is not None
                await self.close()
                return "The owner's page is closed." if was_open else "The owner's page was not open.", {}
            case "reset-pin":
                return await self._reset_pin(), {}
            case "consent":
                await self.change(consent=Consent(at=datetime.now().astimezone(), by=request.by))
                await self._put_down("consent")
                return "Kept: a guardian has agreed.", {}
            case "withdraw":
                await self.change(consent=None)
                await self._put_down("consent_taken")
                return "Kept: no guardian agrees any more.", {}
            case "status":
                return await self._status()

    async def change(self, **changes: object) -> None:
        """Keep a decision of the owner. Raises `CompanionError`."""
        await asyncio.to_thread(lambda: change_owner_settings(self._folder, **changes))

    async def close(self) -> None:
        """Close the page; everybody is signed out."""
        async with self._one_at_a_time:
            page, self._page, self._access = self._page, None, None
            if page is not None:
                await asyncio.to_thread(page.close)

    async def _open(self) -> Opened:
        """Raises `CompanionError`."""
        async with self._one_at_a_time:
            opened = await asyncio.to_thread(self._opened, asyncio.get_running_loop())
        await self._put_down("opened")
        return opened

    def _opened(self, loop: asyncio.AbstractEventLoop) -> Opened:
        # On a thread: importing all this takes seconds on a small board.
        from companion.owner.access import Access
        from companion.owner.controls import Unit as Asked
        from companion.owner.owner_file import OwnerFile
        from companion.owner.owner_page import OwnerPage
        from companion.service.owner_controls import OwnerControls

        if self._page is None:
            self._access = Access(OwnerFile(self._folder), time.monotonic, datetime.now)
            controls = OwnerControls(self.settings, self.change, self._reset, self._daemon, self._unit, self._device)
            page = OwnerPage(
                self._folder,
                Asked(controls, loop),
                self._access,
                name=self._device.name,
                language=self._unit.conversation.dialogue.persona.language,
                port=self._device.owner.port,
                minutes=self._device.owner.minutes,
                on_closed=lambda: loop.call_soon_threadsafe(self._has_closed),
            )
            opened = page.open()
            self._page = page
            return opened
        return self._page.open()

    def _has_closed(self) -> None:
        self._group.create_task(self._tidy())

    async def _tidy(self) -> None:
        await self.close()
        log.info("The owner's page has closed by itself.")

    async def _open_and_tell(self, *, only_new: bool = False) -> None:
        """Open it and say so aloud; with `only_new`, where no telephone is connected yet."""
        from companion.languages.owner import owner_texts

        try:
            opened = await self._open()
            if only_new and self._access is not None and self._access.kept.telephones:
                return
            spoken = owner_texts(self._unit.conversation.dialogue.persona.language) or owner_texts(DEFAULT)
            if spoken is not None:
                digits = " ".join(opened.digits)
                self._unit.conversation.announce(spoken.spoken.format(address=opened.address, digits=digits))
        except CompanionError as error:
            self._unit.event_log.record("error", code=error.code, sentence=str(error))

    async def _reset_pin(self) -> str:
        """Raises `CompanionError`."""
        from companion.owner.owner_file import OwnerFile

        await self.close()
        await asyncio.to_thread(OwnerFile(self._folder).remove)
        await self._put_down("pin_reset")
        return "The PIN and all connected telephones are forgotten; open the page and connect yours anew."

    def _reset(self) -> None:
        self._group.create_task(reset(self._folder, self._daemon.say_reset))

    async def _status(self) -> tuple[str, dict[str, Any]]:
        from companion.owner.owner_file import OwnerFile

        kept = await asyncio.to_thread(OwnerFile(self._folder).read)
        consent = self.settings.now().consent
        told = {
            "open": self._page is not None,
            "has_pin": kept.pin is not None,
            "telephones": [one.name for one in kept.telephones],
            "signed_in": 0 if self._access is None else len(self._access.living()),
            "consent": "" if consent is None else f"{consent.at:%Y-%m-%d %H:%M}, {consent.by}",
        }
        return f"The owner's page is {'open' if self._page is not None else 'closed'}.", told

    async def _put_down(self, what: str) -> None:
        """Raises `DeviceError`."""
        from companion.owner.change_log import ChangeLog

        try:
            await asyncio.to_thread(lambda: ChangeLog(self._folder, datetime.now).add(what))
        except OSError as error:
            raise DeviceError(f"{self._folder}: the change cannot be put down: {error.strerror or error}") from error
