"""Who may speak now: the one state machine.

Rule 1  There is one state at a time. Only `_enter` changes it, and every change is journalled and shown by the body.
Rule 2  IDLE: only the wake word (or the button) is listened for; in open mode, words.
Rule 3  A wake leads to LISTENING from every state but MUTED. If a turn is running it is interrupted first: silence,
        then everything else; only what was heard is remembered.
Rule 4  LISTENING: an utterance leads to THINKING; nobody speaking leads to IDLE.
Rule 5  THINKING leads to SPEAKING with the first sound of the answer.
Rule 6  The end of a turn leads to FOLLOW_UP, where no wake word is needed; after a goodbye, or where follow-up is off,
        to IDLE. FOLLOW_UP: speech leads to LISTENING; nobody speaking leads to IDLE.
Rule 7  A spoken "stop" or "goodbye" ends the talk; it is never put to the character.
Rule 8  Muting leads to MUTED from every state, and a running turn is interrupted. Nothing is listened to, kept or
        examined until unmuting leads to IDLE.
Rule 9  No state can stick: LISTENING and FOLLOW_UP are bounded by the segmenter in audio time, THINKING and SPEAKING
        by the turn's longest time; a lost microphone leads to IDLE until it is back.

All inputs arrive one after the other through the listener, so no two of them can be half done at once.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, Callable, Iterator

from companion.ears.attention import Attention
from companion.ears.listener import Listener
from companion.errors import CompanionError, DeviceError, SpeechError
from companion.events import (
    EAR_RATE,
    Control,
    Hearing,
    NobodySpoke,
    Partial,
    SpeechStarted,
    State,
    Utterance,
    WakeHeard,
)
from companion.persona import Persona
from companion.ports import Character
from companion.spoken_commands import spoken_command
from companion.turn import Tools, Turn

_AT_WORK = (State.THINKING, State.SPEAKING)
_LONGEST_BACK_OFF_S = 2.0


class Conversation:
    """One device's talk with whoever is there. `run` it once; it ends only when the microphone's file ends."""

    def __init__(
        self,
        listener: Listener,
        character: Character,
        persona: Persona,
        tools: Tools,
        *,
        always_open: bool,
        nobody_s: float,
        follow_up_s: float,
        reopens: bool = True,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """`nobody_s` and `follow_up_s` are seconds of audio time; `on_change` is called after every change of state.

        `reopens` says whether a lost microphone may come back; where it may not, `run` raises its `DeviceError`.
        """
        self._listener = listener
        self._character = character
        self._persona = persona
        self._tools = tools
        self._journal = tools.journal
        self._nobody_s = nobody_s
        self._follow_up_s = follow_up_s
        self._reopens = reopens
        self._on_change = on_change
        self._at_rest = Attention.WORDS() if always_open else Attention.WAKE
        self._turn: asyncio.Task[None] | None = None
        self._group: asyncio.TaskGroup
        self._own_lines = {
            name: itertools.cycle(lines)
            for name in ("offline", "failed", "goodbye")
            if (lines := getattr(persona.lines, name))
        }
        self.state: State | None = None

    @property
    def at_work(self) -> bool:
        """Whether an answer is being made or said."""
        return self.state in _AT_WORK

    async def run(self) -> None:
        """Listen and answer until the sound ends."""
        async with asyncio.TaskGroup() as self._group:
            self._rest()
            back_off, told = _back_off(), ""
            while True:
                try:
                    async for heard in self._listener.hear():
                        back_off, told = _back_off(), ""
                        await self._handle(heard)
                    break
                except SpeechError as error:
                    self._note_error(error)
                    if self.state is not State.MUTED:
                        await self._interrupt()
                        self._say("failed", State.FOLLOW_UP)
                except DeviceError as error:
                    # Said once, however often it is tried again.
                    if str(error) != told:
                        self._note_error(error)
                    told = str(error)
                    if not self._reopens:
                        raise
                    if self.state in (State.LISTENING, State.FOLLOW_UP):
                        self._rest()
                    await asyncio.sleep(next(back_off))
            await self._interrupt()

    async def _handle(self, heard: Hearing) -> None:
        match heard:
            case Control(action="mute"):
                await self._interrupt()
                self._enter(State.MUTED, Attention.NOTHING)
            case Control(action="unmute"):
                if self.state is State.MUTED:
                    self._rest()
            case _ if self.state is State.MUTED:
                pass
            case Control(action="stop"):
                await self._interrupt()
                self._rest()
            case WakeHeard():
                self._journal.note("wake", word=heard.word)
                await self._interrupt()
                self._enter(State.LISTENING, Attention.WORDS(self._nobody_s))
                self._get_ready()
            case SpeechStarted():
                self._journal.note("speech_started")
                if self.state is not State.LISTENING:
                    self._enter(State.LISTENING)
                    self._get_ready()
            case Partial():
                self._journal.note("partial", text=heard.text)
            case Utterance():
                self._answer(heard)
            case NobodySpoke():
                self._rest()

    def _answer(self, utterance: Utterance) -> None:
        self._journal.note(
            "utterance",
            text=utterance.text,
            confidence=round(utterance.confidence, 3),
            start=round(utterance.start / EAR_RATE, 3),
            end=round(utterance.end / EAR_RATE, 3),
        )
        match spoken_command(utterance.text, self._persona):
            case "stop":
                self._rest()
            case "goodbye":
                self._say("goodbye", State.IDLE)
            case None:
                self._think()
                self._turn = self._group.create_task(self._reply(utterance))

    def _think(self) -> None:
        """An answer will be said soon: a loudspeaker that fell asleep during long speech wakes up meanwhile."""
        self._enter(State.THINKING, Attention.WAKE)
        self._group.create_task(self._prepare_speaker())

    def _say(self, line: str, then: State) -> None:
        """Say one of the persona's own lines."""
        self._think()
        self._turn = self._group.create_task(self._say_line(line, then))

    async def _reply(self, utterance: Utterance) -> None:
        turn = Turn(self._tools, self._character.reply(utterance.text), self._speaking, utterance)
        try:
            ended = await turn.run()
        finally:
            self._character.remember(utterance.text, turn.heard)
        if ended.reason == "finished":
            self._turn_over(State.FOLLOW_UP)
        else:
            await self._say_line("offline" if ended.reason == "offline" else "failed", State.FOLLOW_UP)

    async def _say_line(self, line: str, then: State) -> None:
        if line == "offline":
            self._tools.animator.state("offline")
        if line in self._own_lines:
            ended = await Turn(self._tools, _one(next(self._own_lines[line])), self._speaking).run()
            if ended.reason == "failed":
                await self._sound_the_earcon()
        self._turn_over(then)

    async def _sound_the_earcon(self) -> None:
        """The voice itself failed: a sound says that this was not silence."""
        speaker = self._tools.speaker
        try:
            await speaker.write(self._tools.earcon(speaker.rate))
            await speaker.drain()
        except DeviceError as error:
            self._note_error(error)

    def _speaking(self) -> None:
        self._enter(State.SPEAKING)

    def _turn_over(self, then: State) -> None:
        self._turn = None
        if then is State.FOLLOW_UP and self._follow_up_s > 0:
            self._enter(State.FOLLOW_UP, Attention.WORDS(self._follow_up_s))
        else:
            self._rest()

    def _rest(self) -> None:
        self._enter(State.IDLE, self._at_rest)

    async def _interrupt(self) -> None:
        """Barge-in: the loudspeaker falls silent before anything else is done."""
        turn, self._turn = self._turn, None
        if turn is not None:
            self._tools.speaker.flush()
            turn.cancel()
            await asyncio.wait([turn])

    def _get_ready(self) -> None:
        """Somebody is about to speak: open the connection and the loudspeaker meanwhile."""
        self._group.create_task(self._character.prepare())
        self._group.create_task(self._prepare_speaker())

    async def _prepare_speaker(self) -> None:
        try:
            await self._tools.speaker.prepare()
        except DeviceError as error:
            self._note_error(error)

    def _note_error(self, error: CompanionError) -> None:
        self._journal.note("error", code=error.code, sentence=str(error))

    def _enter(self, state: State, attention: Attention | None = None) -> None:
        if attention is not None:
            self._listener.listen_for(attention)
        if state is not self.state:
            self.state = state
            self._journal.note("state", state=state.value)
            self._tools.animator.state(state.value)
            self._on_change()


async def _one(text: str) -> AsyncGenerator[str]:
    yield text


def _back_off() -> Iterator[float]:
    """Seconds between attempts to reopen a lost microphone."""
    return itertools.chain((0.25, 0.5, 1.0), itertools.repeat(_LONGEST_BACK_OFF_S))
