"""What tells that the unit is awake, and at its start what it lacks, where nobody looks at a screen.

A wake word is answered by light; a unit without a lamp answers with a short sound. The ears hear it too, and go on
listening: see `companion.sound.pcm.wake_earcon`. Whoever speaks on in one breath gets none, because over their first
words it could make one of them unclear.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Coroutine, Mapping
from pathlib import Path
from typing import Any

from companion.config.device import Device
from companion.conversation import Conversation
from companion.ears.listener import Listener
from companion.errors import CompanionError, DeviceError
from companion.events import State
from companion.languages.language import language
from companion.ports import Speaker
from companion.service.systemd import ServiceNotifier, notify_when_ready
from companion.sound.card import SoundCard
from companion.sound.pcm import wake_earcon
from companion.storage import write_atomically

log = logging.getLogger("companion")

_BOOT = Path("/proc/sys/kernel/random/boot_id")
"""Another text after each boot of Linux."""


def wants_wake_sound(device: Device, *, at_terminal: bool) -> bool:
    """Whether a sound must tell that the unit is awake; see `ears.wake.sound`."""
    if device.ears.wake.sound != "auto":
        return device.ears.wake.sound == "always"
    return not at_terminal and not _shows_light(device)


def _shows_light(device: Device) -> bool:
    body = device.body
    lights = {name for name, one in body.channels.items() if one.kind == "light"}
    on_pins = set(body.gpio.channels) if body.gpio is not None else set()
    for output in body.outputs:
        shown = lights & {"simulated": set(), "gpio": on_pins}.get(output, lights)
        if shown or output == "page":
            return True
    return False


PATIENCE_S = 0.15
"""How long the sound waits for words behind the wake word; their beginning is noticed within 0.13 s."""


async def tell_when_ready(
    notifier: ServiceNotifier, listener: Listener, conversation: Conversation, listens: asyncio.Event
) -> None:
    """Tell the service manager, the log and whoever waits for `listens`, as soon as sound comes in."""
    await notify_when_ready(notifier, lambda: listener.position > 0)
    if conversation.state is not State.MUTED:
        log.info("%s listens.", conversation.dialogue.persona.name)
    listens.set()


class WakeSound:
    """Plays the sound when a wake word (or the button) makes the unit listen. Give every event to `notice`."""

    def __init__(self, speaker: Speaker, start: Callable[[Coroutine[Any, Any, None]], object]) -> None:
        """`start` runs a coroutine as a task."""
        self._speaker = speaker
        self._start = start
        self._state = ""
        self._woken = False
        self._words_began = False

    def notice(self, kind: str, fields: Mapping[str, Any]) -> None:
        """Take one event of the log. A running answer is silenced before the state changes; then the sound comes."""
        if kind == "state":
            self._state = fields["state"]
        if kind == "wake":
            self._woken, self._words_began = True, False
        if kind == "speech_started":
            self._words_began = True
        if self._woken and kind in ("wake", "state"):
            listening = self._state == State.LISTENING.value
            # Any other state after the wake is another answer to it: the line of a unit that understands no speech.
            self._woken = kind == "wake" and not listening
            if listening:
                self._start(self._play())

    async def _play(self) -> None:
        await asyncio.sleep(PATIENCE_S)
        if self._words_began:
            return
        try:
            await self._speaker.write(wake_earcon(self._speaker.rate))
            await self._speaker.drain()
        except DeviceError as error:
            # A loudspeaker that is missing is told of at the start, and at every answer.
            log.debug("The wake word was answered without a sound: %s", error)


async def tell_what_is_missing(device: Device, card: SoundCard, conversation: Conversation, folder: Path) -> None:
    """Say at the start, and not only at the first answer, that nobody will hear it, or that it hears nobody.

    Without a microphone a unit is started again every five minutes. It says so by voice once until the next boot; that
    it did is kept in `folder`.
    """
    problem = await asyncio.to_thread(card.find_problem, None, device.voice.speaker.device)
    if problem is not None:
        log.warning("Nobody will hear it: %s", problem)
        return
    if await asyncio.to_thread(card.find_problem, device.ears.microphone.device, device.voice.speaker.device) is None:
        return
    if not await asyncio.to_thread(_is_first_since_boot, folder / "microphone-missed"):
        return
    try:
        conversation.announce(language(conversation.dialogue.persona.language).general.no_microphone)
    except CompanionError as error:
        # Muted: then it hears nobody anyway.
        log.debug("The missing microphone is not told of: %s", error)


def _is_first_since_boot(kept: Path) -> bool:
    """Whether this was not asked since the machine was switched on. True where nobody can tell."""
    with contextlib.suppress(OSError):
        boot = _BOOT.read_bytes()
        return write_atomically(kept, boot)
    return True
