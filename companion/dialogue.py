"""What one character can say: answers, its own lines, or speaking on. Each is a coroutine that ends with the state
that follows, and which `conversation` runs as a task and cancels to interrupt.

Of everything that is said only what was heard is remembered, whether it was said to its end or not.

What the character says by itself, without the service: each kind of line in turn, so that none is worn out.

A persona need not have every kind: what is missing is said with the next best.

Personas, one after the other: each with its mind and voices lives in a task until the next has taken over.

A task each, because what is opened in one task must be closed in it. All on the loop.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import AbstractAsyncContextManager

from companion.config.persona import Persona, SpokenLines
from companion.errors import CompanionError, DeviceError
from companion.events import State, Utterance
from companion.ports import Character, Synthesizer
from companion.turn import Tools, Turn

NEXT_BEST = {
    "busy": ("offline",),
    "denied": ("offline",),
    "unpaid": ("offline",),
    "change_subject": ("failed",),
    "spent": ("goodbye", "offline"),
}
"""Kind of line -> what is said where the persona has none of it."""


class OwnLines:
    """One persona's lines."""

    def __init__(self, lines: SpokenLines) -> None:
        self._lines: dict[str, Iterator[str]] = {}
        for name in SpokenLines.model_fields:
            if said := getattr(lines, name):
                self._lines[name] = itertools.cycle(said)

    def next(self, name: str) -> str:
        """The next line of this kind; empty where there is none and nothing stands for it."""
        for kind in (name, *NEXT_BEST.get(name, ())):
            if kind in self._lines:
                return next(self._lines[kind])
        return ""


_UNREACHED = ("offline", "busy", "denied", "unpaid")
"""Lines that mean that the service is not there for us: the body shows it."""


class Talk:
    """One character with its voice and body."""

    def __init__(self, character: Character, persona: Persona, tools: Tools) -> None:
        self.character = character
        self.persona = persona
        self.tools = tools
        self._own_lines = OwnLines(persona.lines)
        self._opened = False
        self.trouble = ""
        """Why the last answer did not come, as one of `CharacterError.line`; empty where it came."""

    def opening(self) -> str:
        """The opening line, if it is still to be said."""
        return "" if self._opened else self.character.opening()

    async def open(self, line: str, on_first_sound: Callable[[], None]) -> State:
        """Say the opening line; then it is the person's turn."""
        self._opened = True
        return await self.text(line, State.LISTENING, on_first_sound)

    async def reply(
        self, utterance: Utterance, answer: AsyncGenerator[str] | None, on_first_sound: Callable[[], None]
    ) -> State:
        """Answer what was said; in a group, one after the other. `answer` is one that was asked for otherwise."""
        self._opened = True
        said = utterance.text
        for speaker in self.character.speakers(said):
            deltas = answer or self.character.reply(utterance.text, speaker)
            turn = Turn(self.tools, deltas, on_first_sound, utterance, speaker)
            try:
                ended = await turn.run()
            finally:
                if said or turn.heard:
                    self.character.remember(said, turn.heard, speaker)
            said = ""
            self.trouble = ended.line
            if ended.reason != "finished":
                then = State.IDLE if ended.line == "spent" else State.FOLLOW_UP
                return await self.line(ended.line, then, on_first_sound)
            if answer is not None:
                break
        return State.FOLLOW_UP

    async def carry_on(self, on_first_sound: Callable[[], None]) -> State:
        """Speak on. That nothing came of it need not be told to anybody."""
        turn = Turn(self.tools, self.character.carry_on(), on_first_sound)
        try:
            ended = await turn.run()
        finally:
            if turn.heard:
                self.character.remember("", turn.heard)
        return State.FOLLOW_UP if ended.reason == "finished" else State.IDLE

    async def line(self, name: str, then: State, on_first_sound: Callable[[], None]) -> State:
        """Say one of the persona's own lines."""
        if name in _UNREACHED:
            self.tools.animator.state("offline")
        return await self.text(self._own_lines.next(name), then, on_first_sound)

    async def text(self, text: str, then: State, on_first_sound: Callable[[], None]) -> State:
        """Say a text as it stands; nothing where it is empty."""
        if text:
            ended = await Turn(self.tools, _one(text), on_first_sound).run()
            if ended.reason == "failed":
                await self._sound_the_earcon()
        return then

    async def _sound_the_earcon(self) -> None:
        """The voice itself failed: a sound says that this was not silence."""
        speaker = self.tools.speaker
        try:
            await speaker.write(self.tools.earcon(speaker.rate))
            await speaker.drain()
        except DeviceError as error:
            self.tools.journal.note("error", code=error.code, sentence=str(error))


async def _one(text: str) -> AsyncGenerator[str]:
    yield text


Make = Callable[[Persona, Synthesizer | None], AbstractAsyncContextManager[Talk]]
"""What a persona needs, open as long as this is entered; the voice is given where it was made before."""


class Lives:
    """The lives of one device's personas."""

    def __init__(self, make: Make, group: asyncio.TaskGroup) -> None:
        self._make = make
        self._group = group
        self._over: dict[Talk, asyncio.Event] = {}

    async def begin(self, persona: Persona, voice: Synthesizer | None = None) -> Talk:
        """Open everything for a persona. Raises what is wrong with it; then nothing is left open."""
        ready: asyncio.Future[Talk] = asyncio.get_running_loop().create_future()
        self._group.create_task(self._live(persona, voice, ready))
        return await ready

    def end(self, talk: Talk | None = None) -> None:
        """Close what belongs to this one, or to all."""
        for one, over in self._over.items():
            if talk is None or one is talk:
                over.set()

    async def _live(self, persona: Persona, voice: Synthesizer | None, ready: asyncio.Future[Talk]) -> None:
        try:
            async with self._make(persona, voice) as talk:
                over = self._over[talk] = asyncio.Event()
                if ready.cancelled():
                    return
                ready.set_result(talk)
                try:
                    await over.wait()
                finally:
                    del self._over[talk]
        except CompanionError as error:
            if ready.done():
                raise
            ready.set_exception(error)
