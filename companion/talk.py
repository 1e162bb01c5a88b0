"""What one character can say: answers, its own lines, or speaking on. Each is a coroutine that ends with the state
that follows, and which `conversation` runs as a task and cancels to interrupt.

Of everything that is said only what was heard is remembered, whether it was said to its end or not.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable

from companion.errors import DeviceError
from companion.events import State, Utterance
from companion.own_lines import OwnLines
from companion.persona import Persona
from companion.ports import Character
from companion.turn import Tools, Turn

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
