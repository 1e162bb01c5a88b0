"""Strict doubles for the conversation's parts, on the loop's (virtual) time.

Each stands for one port of the conversation and refuses what the real one would refuse. Their speeds are made up, so
nothing that is measured with them says anything about the product.
"""

from __future__ import annotations

import asyncio
import struct
from collections.abc import AsyncGenerator, AsyncIterator
from dataclasses import dataclass, field
from types import NoneType
from typing import Any

from companion.ears.attention import Attention
from companion.errors import CompanionError
from companion.events import EAR_RATE, BodyFrame, Control, Hearing, SynthesizedSpeech
from companion.floor import Floor

RATE = 8000
CHAR_S = 0.05
"""How long the scripted voice takes to say one character."""


async def pass_time(seconds: float) -> None:
    """Let virtual time pass: only for tests under `looptime`, where it takes none."""
    await asyncio.sleep(seconds)


class LoopClock:
    """Stands for the clock of `app`: seconds since it was made, in the loop's time."""

    def __init__(self) -> None:
        self._start = asyncio.get_running_loop().time()

    def now(self) -> float:
        return asyncio.get_running_loop().time() - self._start

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class ScriptedListener:
    """Stands for the ears: yields what a test puts in, and remembers what it was told to listen for."""

    rate = EAR_RATE
    position = 0

    def __init__(self) -> None:
        self._heard: asyncio.Queue[Hearing | CompanionError | None] = asyncio.Queue()
        self.attention: Attention | None = None

    def put(self, *heard: Hearing | CompanionError | None) -> None:
        """`None` is the end of the sound; an error is raised out of `hear`."""
        for one in heard:
            self._heard.put_nowait(one)

    def listen_for(self, attention: Attention) -> None:
        self.attention = attention

    def inject(self, heard: Hearing) -> None:
        self.put(heard)

    async def hear(self) -> AsyncIterator[Hearing]:
        while (heard := await self._heard.get()) is not None:
            if isinstance(heard, CompanionError):
                raise heard
            yield heard


@dataclass
class ScriptedCharacter:
    """Stands for the character service: answers with `deltas`; a number among them is a pause, an error is raised.

    Refuses to remember nothing, and speakers that it does not have.
    """

    deltas: list[str | float | CompanionError] = field(default_factory=lambda: ["Hello. ", "How are you?"])
    remembered: list[tuple[str, str]] = field(default_factory=list)
    """What was said, and what was heard of the answer."""
    remembered_of: list[str] = field(default_factory=list)
    """Who answered each of them."""
    asked: list[str] = field(default_factory=list)
    closed_streams: int = 0
    first_line: str = ""
    names: tuple[str, ...] = ("Momo",)
    """Who answers, one after the other."""
    asked_of: list[str] = field(default_factory=list)
    guest: bool = False
    connects_s: float = 0.0
    """How long it takes to open a connection. One that was opened is kept."""
    closes_s: float = 0.0
    """How long it takes to close an answer."""
    thinks_ahead: bool = True
    learned_pause: float = 1.0
    person: str = ""
    awaits_word: bool = False
    left: bool = False
    asks: list[str] = field(default_factory=list)
    """What it says in place of answers, to find out who speaks."""
    given: int = 0
    """How many pieces of text were taken from it."""

    async def prepare(self) -> None:
        await self._connect()

    async def _connect(self) -> None:
        connects_s, self.connects_s = self.connects_s, 0.0
        await asyncio.sleep(connects_s)

    def opening(self) -> str:
        return "" if self.remembered else self.first_line

    def speakers(self, said: str, addressed: str = "") -> tuple[str, ...]:
        assert said
        called = tuple(name for name in self.names if name and name in said)
        return called or ((addressed,) if addressed else self.names)

    def rephrase(self) -> AsyncGenerator[str] | None:
        return self.reply("(again)") if self.remembered else None

    def continue_speaking(self) -> AsyncGenerator[str]:
        return self.reply("(on)")

    @property
    def is_guest(self) -> bool:
        return self.guest

    def leave(self) -> None:
        self.left = True

    def start_guest_session(self) -> None:
        self.guest = True

    async def ask_speaker(self, said: str) -> str:
        assert said
        return self.asks.pop(0) if self.asks else ""

    def learn_pause(self, factor: float) -> None:
        self.learned_pause = factor

    def may_think_ahead(self, said: str) -> bool:
        assert said
        return self.thinks_ahead

    async def reply(self, said: str, speaker: str = "", floor: Floor | None = None) -> AsyncGenerator[str]:  # noqa: ARG002
        self.asked.append(said)
        self.asked_of.append(speaker)
        await self._connect()
        try:
            for delta in self.deltas:
                if isinstance(delta, CompanionError):
                    raise delta
                if isinstance(delta, str):
                    self.given += 1
                    yield delta
                else:
                    await asyncio.sleep(delta)
        finally:
            self.closed_streams += 1
            await asyncio.sleep(self.closes_s)

    def remember(self, said: str, heard: str, speaker: str = "") -> None:
        assert said or heard, "there is nothing to remember"
        assert speaker in ("", *self.names)
        self.remembered.append((said, heard))
        self.remembered_of.append(speaker)

    async def close(self) -> None:
        pass


class ScriptedVoice:
    """Stands for a synthesizer: every character becomes `CHAR_S` of sound that is not silence, at once.

    Refuses to say nothing.
    """

    name = "scripted"
    rate = RATE

    def __init__(self, failure: CompanionError | None = None, hangs: bool = False) -> None:
        self.failure = failure
        self.hangs = hangs
        self.takes_s = 0.0
        self.spoken: list[str] = []

    async def synthesize(self, text: str) -> SynthesizedSpeech:
        assert text, "there is nothing to say"
        if self.failure is not None:
            raise self.failure
        if self.hangs:
            await asyncio.Event().wait()
        await asyncio.sleep(self.takes_s)
        self.spoken.append(text)
        return SynthesizedSpeech(struct.pack("<h", 8000) * round(len(text) * CHAR_S * self.rate))

    async def close(self) -> None:
        pass


class VirtualSpeaker:
    """Stands for the loudspeaker: what is written is heard sample by sample, as the loop's time goes by.

    Takes no more than a second ahead. A card that has nothing to play falls asleep after `AWAKE_S`; then it is
    `wakes_s` until it is heard again, which `prepare` can wait for before there is anything to say.
    """

    AWAKE_S = 3.0

    def __init__(self, failure: CompanionError | None = None, wakes_s: float = 0.0) -> None:
        """`failure` is raised by `write` and `drain`; a test may also set it later: the card is lost then."""
        self.rate = RATE
        self.failure = failure
        self.wakes_s = wakes_s
        self._awake_until = 0.0
        self._written = 0
        self._began = 0.0
        self._base = 0
        self.flushed_at: list[float] = []
        self.paused_at: list[float] = []
        self.ducked_at: list[float] = []
        self.ducked = False
        self._paused: int | None = None

    async def prepare(self) -> None:
        if self._now() >= self._awake_until:
            await asyncio.sleep(self.wakes_s)
        self._awake_until = max(self._awake_until, self._now() + self.AWAKE_S)

    async def write(self, pcm: bytes) -> int:
        if self.failure is not None:
            raise self.failure
        await self.prepare()
        ahead = self._written - self.position() - self.rate
        if ahead > 0:
            await asyncio.sleep(ahead / self.rate)
        if self.position() == self._written:
            self._base, self._began = self._written, self._now()
        start = self._written
        self._written += len(pcm) // 2
        self._awake_until = self._now() + (self._written - self.position()) / self.rate + self.AWAKE_S
        return start

    def position(self) -> int:
        if self._paused is not None:
            return self._paused
        return min(self._written, self._base + round((self._now() - self._began) * self.rate))

    def pause(self) -> None:
        """Time stands still for what is queued."""
        if self._paused is None:
            self._paused = self.position()
            self.paused_at.append(self._now())

    def duck(self) -> None:
        self.ducked_at.append(self._now())
        self.ducked = True
        self._go_on()

    def resume(self) -> None:
        self.ducked = False
        self._go_on()

    def _go_on(self) -> None:
        if self._paused is not None:
            self._base, self._began, self._paused = self._paused, self._now(), None

    async def drain(self) -> None:
        end = self._written
        while self.failure is None and (left := min(end, self._written) - self.position()) > 0:  # noqa: ASYNC110  # as the card's
            await asyncio.sleep(min(0.1, left / self.rate))
        if self.failure is not None:
            raise self.failure

    def flush(self) -> int:
        if self.position() < self._written:
            self.flushed_at.append(self._now())
        self._written = self._base = self.position()
        self._began, self._paused = self._now(), None
        self.ducked = False
        return self._written

    @property
    def silent(self) -> bool:
        return self.position() == self._written

    async def close(self) -> None:
        pass

    def _now(self) -> float:
        return asyncio.get_running_loop().time()


_EVENT_FIELDS: dict[str, dict[str, type | tuple[type, ...]]] = {
    "state": {"state": str},
    "wake": {"word": str},
    "stop": {"word": str},
    "speech_started": {},
    "partial": {"text": str},
    "utterance": {"text": str, "confidence": float, "start": float, "end": float},
    "request": {},
    "first_token": {},
    "sentence": {"text": str},
    "blocked": {"category": str, "who": str, "text": str},
    "dropped": {},
    "aside": {"text": str},
    "filler": {"text": str},
    "speaking": {},
    "cue": {"emotion": (str, NoneType), "gesture": (str, NoneType), "intensity": float, "source": str},
    "body": {"lights": dict, "positions": dict},
    "heard": {"text": str, "reason": str},
    "turn": {"latency_ms": dict, "dropped": int},
    "error": {"code": str, "sentence": str},
}
"""As `docs/events.md` has them."""


class RecordedEvents:
    """Stands for `EventLog`, and keeps every event with its time. Refuses what `docs/events.md` does not know."""

    def __init__(self, clock: LoopClock) -> None:
        self._clock = clock
        self.notes: list[tuple[float, str, dict[str, Any]]] = []

    def record(self, kind: str, *, t: float | None = None, **fields: Any) -> None:
        assert t is None or t <= self._clock.now()
        assert kind in _EVENT_FIELDS, f"there is no event {kind!r}"
        wanted = _EVENT_FIELDS[kind]
        assert fields.keys() == wanted.keys(), f"{kind} has {wanted.keys()}, not {fields.keys()}"
        for name, value in fields.items():
            assert isinstance(value, wanted[name]), f"{kind}.{name} is {value!r}"
        self.notes.append((self._clock.now() if t is None else t, kind, fields))

    def of(self, kind: str) -> list[dict[str, Any]]:
        return [fields for _, noted, fields in self.notes if noted == kind]

    def states(self) -> list[str]:
        return [fields["state"] for fields in self.of("state")]


class StillPerformer:
    """Stands for `Performer`: shows nothing, but keeps the names of what it was asked to act, and the mouth's opening.

    Refuses openings outside of 0 to 1.
    """

    def __init__(self) -> None:
        self.acted: list[tuple[str, float]] = []
        self.opening = 0.0

    def show_state(self, name: str, t: float) -> None:
        self.acted.append((name, t))

    def play_cue(self, cue: Any, t: float) -> None:
        self.acted.append((cue.emotion or cue.gesture, t))

    def set_mouth(self, opening: float) -> None:
        assert 0.0 <= opening <= 1.0
        self.opening = opening

    def relax(self, t: float) -> None:
        self.acted.append(("relax", t))

    def frame(self, t: float) -> BodyFrame:  # noqa: ARG002 - the port's signature
        return BodyFrame({}, {})

    def next_change(self, t: float) -> float | None:  # noqa: ARG002 - the port's signature
        return None


MUTE, UNMUTE, STOP = Control("mute"), Control("unmute"), Control("stop")
