"""What the model is told beside the talk: the time, the battery, the place, the speed. Never kept.

Providers are asked all at once and within a time limit, because a person waits. One that is late or fails is left
out, or repeats what it last said while that is fresh; a failure is logged once, until the provider works again.
Everything runs on the event loop's thread; a provider that reads a file or waits for a program does so off that thread.

The built-in providers are `clock`, `device`, `battery`, `location`, `speed`, `file` and `command`. Each has a factory
with the signature (Device, Persona) of the plugin group `companion.contexts`. Files are read by a thread, a bounded
piece of them, and only regular ones: reading a named pipe would never end. `command` is what a program prints: no shell
reads the arguments, its errors go nowhere, at most `LONGEST_OUTPUT` bytes are read, and after `COMMAND_S` seconds, or
when nobody waits any more, it is killed with everything that it started.
"""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import stat
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from companion.child_environment import child_environment
from companion.config.device import Device
from companion.config.persona import Persona
from companion.errors import CompanionError, EngineUnavailable
from companion.languages.language import Language, language
from companion.priority import step_back

log = logging.getLogger("companion")

REPLY_TIMEOUT_S = 0.3
"""How long all providers together have before a request."""
FRESH_S = 60.0
"""What a provider said longer ago than this is not repeated."""
PREPARE_TIMEOUT_S = 2.0
"""How long they have while somebody is only about to speak."""

COMMAND_S = 0.5
LONGEST_OUTPUT = 16_384
LONGEST_BYTES = 16_384
"""More is never read from a file."""

POWER_SUPPLIES = Path("/sys/class/power_supply")
UPTIME = Path("/proc/uptime")
TEMPERATURE = Path("/sys/class/thermal/thermal_zone0/temp")

_FAILURES = (CompanionError, OSError, ValueError, LookupError, TypeError, ArithmeticError)


class ContextProvider(Protocol):
    """Knows one thing about this moment."""

    @property
    def name(self) -> str:
        """Its name in the log."""

    async def describe(self) -> str:
        """What it knows, in the persona's language, in one or a few short sentences; empty where there is nothing.

        May raise `CompanionError`, `OSError` or `ValueError`.
        """


class ContextCollector:
    """Asks all the providers of a unit."""

    def __init__(self, providers: Sequence[ContextProvider], longest: int) -> None:
        """`longest` is the number of characters that each provider may take."""
        self._providers = tuple(providers)
        self._longest = longest
        self._last: dict[str, tuple[float, str]] = {}
        """What each provider said last, and when."""
        self._failed: set[str] = set()

    async def collect(self, within_s: float = REPLY_TIMEOUT_S) -> tuple[str, ...]:
        """What the providers say, in their order."""
        asked = asyncio.get_running_loop().time()
        async with asyncio.TaskGroup() as group:
            for provider in self._providers:
                group.create_task(self._ask(provider, within_s))
        fresh = (self._last.get(provider.name, (float("-inf"), "")) for provider in self._providers)
        return tuple(text for when, text in fresh if text and asked - when <= FRESH_S)

    async def _ask(self, provider: ContextProvider, within_s: float) -> None:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(within_s):
                text = await provider.describe()
        except TimeoutError:
            # What it said before may be repeated.
            self._note_failure(provider.name, "did not answer in time")
        except _FAILURES as error:
            self._note_failure(provider.name, str(error) or type(error).__name__)
            self._last.pop(provider.name, None)
        else:
            self._failed.discard(provider.name)
            self._last[provider.name] = loop.time(), " ".join(text.split())[: self._longest]

    def _note_failure(self, name: str, why: str) -> None:
        if name not in self._failed:
            self._failed.add(name)
            log.warning("The context `%s` is left out: %s.", name, why.rstrip("."))


@dataclass(frozen=True)
class Command:
    """What a program prints."""

    arguments: tuple[str, ...]
    name: str = "command"

    async def describe(self) -> str:
        """Its output. Raises `TimeoutError` or `ValueError` where it is slow or fails."""
        # A pipe of our own: with asyncio's, waiting for a killed program would wait for everything it left unread.
        reading, writing = os.pipe()
        try:
            try:
                program = await asyncio.create_subprocess_exec(
                    *self.arguments,
                    stdin=asyncio.subprocess.DEVNULL,
                    stdout=writing,
                    stderr=asyncio.subprocess.DEVNULL,
                    start_new_session=True,
                    env=child_environment(),
                )
                step_back(program.pid)
            finally:
                os.close(writing)
            try:
                async with asyncio.timeout(COMMAND_S):
                    output = await _read_pipe(reading)
                    status = 0 if len(output) >= LONGEST_OUTPUT else await program.wait()
            finally:
                if program.returncode is None:
                    with suppress(ProcessLookupError):
                        os.killpg(program.pid, signal.SIGKILL)
                    await program.wait()
        finally:
            os.close(reading)
        if status != 0:
            raise ValueError(f"{self.arguments[0]} ended with status {status}")
        return output.decode("utf-8", "replace").strip()


async def _read_pipe(descriptor: int) -> bytes:
    """What comes out of it, at most `LONGEST_OUTPUT` bytes."""
    loop = asyncio.get_running_loop()
    came = asyncio.Event()
    output = b""
    loop.add_reader(descriptor, came.set)
    try:
        while len(output) < LONGEST_OUTPUT:
            await came.wait()
            came.clear()
            piece = os.read(descriptor, LONGEST_OUTPUT - len(output))
            if not piece:
                break
            output += piece
    finally:
        loop.remove_reader(descriptor)
    return output


def _local_now() -> datetime:
    return datetime.now().astimezone()


@dataclass(frozen=True)
class Clock:
    """Date, weekday and time, to the minute."""

    language: Language
    now: Callable[[], datetime] = _local_now
    name: str = "clock"

    async def describe(self) -> str:
        """One sentence."""
        now = self.now()
        dates = self.language.general.dates
        return self.language.prompts.moment.now.format(
            weekday=dates.weekdays[now.weekday()],
            day=now.day,
            month=dates.months[now.month - 1] if dates.months else "",
            month_number=now.month,
            year=now.year,
            time=f"{now:%H:%M}",
        )


@dataclass(frozen=True)
class DeviceState:
    """How long the board has been running, and how warm it is."""

    language: Language
    uptime: Path = UPTIME
    temperature: Path = TEMPERATURE
    name: str = "device"

    async def describe(self) -> str:
        """What can be read of both."""
        minutes = int(float((await read_file(self.uptime)).split()[0]) / 60)
        moment = self.language.prompts.moment
        sentences = [moment.running.format(hours=minutes // 60, minutes=minutes % 60)]
        if self.temperature.exists():
            degrees = round(int(await read_file(self.temperature)) / 1000)
            sentences.append(moment.warmth.format(degrees=degrees))
        return " ".join(sentences)


@dataclass(frozen=True)
class Battery:
    """The first battery that the kernel names; nothing where there is none."""

    language: Language
    folder: Path = POWER_SUPPLIES
    name: str = "battery"

    async def describe(self) -> str:
        """How full it is; empty without a battery."""
        for supply in sorted(self.folder.glob("*")):
            kind, capacity = supply / "type", supply / "capacity"
            if kind.exists() and capacity.exists() and (await read_file(kind)) == "Battery":
                status = await read_file(supply / "status") if (supply / "status").exists() else ""
                percent = min(100, max(0, int(await read_file(capacity))))
                moment = self.language.prompts.moment
                sentence = moment.charging if status == "Charging" else moment.battery
                return sentence.format(percent=percent)
        return ""


@dataclass(frozen=True)
class Location:
    """Where the unit stands, as its owner says."""

    language: Language
    place: str
    name: str = "location"

    async def describe(self) -> str:
        """One sentence."""
        return self.language.prompts.moment.place.format(place=self.place) if self.place else ""


@dataclass(frozen=True)
class Speed:
    """The car's speed, from a file that holds km/h as a number. To the next ten: nobody needs more."""

    language: Language
    file: Path
    name: str = "speed"

    async def describe(self) -> str:
        """It. Raises `ValueError` where the file holds no speed."""
        speed = float((await read_file(self.file)).replace(",", ".") or "nothing")
        if not 0 <= speed < 1000:
            raise ValueError(f"{self.file} holds no speed in km/h")
        moment = self.language.prompts.moment
        return moment.standing if speed < 1 else moment.driving.format(speed=max(10, round(speed / 10) * 10))


@dataclass(frozen=True)
class TextFile:
    """A text that another program keeps up to date."""

    file: Path
    name: str = "file"

    async def describe(self) -> str:
        """One sentence."""
        return await read_file(self.file)


async def read_file(path: Path) -> str:
    """The beginning of a small regular file, without blanks around it. Raises `OSError`, `ValueError`."""
    return await asyncio.to_thread(_read, path)


def _read(path: Path) -> str:
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ValueError(f"{path} is not a regular file")
        return os.read(descriptor, LONGEST_BYTES).decode("utf-8-sig", "replace").strip().strip("\0")
    finally:
        os.close(descriptor)


def clock(device: Device, persona: Persona) -> ContextProvider:  # noqa: ARG001 - the factories' signature
    """Factory of `clock`."""
    return Clock(language(persona.language))


def device_state(device: Device, persona: Persona) -> ContextProvider:  # noqa: ARG001 - the factories' signature
    """Factory of `device`."""
    return DeviceState(language(persona.language))


def battery(device: Device, persona: Persona) -> ContextProvider:  # noqa: ARG001 - the factories' signature
    """Factory of `battery`."""
    return Battery(language(persona.language))


def location(device: Device, persona: Persona) -> ContextProvider:
    """Factory of `location`."""
    return Location(language(persona.language), device.context.location)


def speed(device: Device, persona: Persona) -> ContextProvider:
    """Factory of `speed`. Raises `EngineUnavailable` without `context.speed_file`."""
    return Speed(language(persona.language), _given(device.context.speed_file, "speed_file"))


def text_file(device: Device, persona: Persona) -> ContextProvider:  # noqa: ARG001 - the factories' signature
    """Factory of `file`. Raises `EngineUnavailable` without `context.file`."""
    return TextFile(_given(device.context.file, "file"))


def command(device: Device, persona: Persona) -> ContextProvider:  # noqa: ARG001 - the factories' signature
    """Factory of `command`."""
    return Command(device.context.command)


def _given(path: Path | None, key: str) -> Path:
    if path is None:
        raise EngineUnavailable(f"context.{key} is missing: name the file.")
    return path


BUILT_IN: Mapping[str, Callable[[Device, Persona], ContextProvider]] = {
    "clock": clock,
    "device": device_state,
    "battery": battery,
    "location": location,
    "speed": speed,
    "file": text_file,
    "command": command,
}
"""By the names that stand in `context.providers`."""
