"""Who may speak now: the one state machine.

Rule 1  There is one state at a time. Only `_enter` changes it, and every change is recorded and shown by the body.
Rule 2  IDLE: only the wake word (or the button) is listened for; in open mode, words.
Rule 3  A wake leads to LISTENING from every state but MUTED. If a turn is running it is interrupted first: silence,
        then everything else; only what was heard is remembered.
Rule 4  LISTENING: an utterance leads to THINKING; nobody speaking leads to IDLE. On the first wake of a new session
        a short silence is enough for the character to say its opening line, which leads back to LISTENING.
Rule 5  THINKING leads to SPEAKING with the first sound of the answer.
Rule 6  The end of a turn leads to FOLLOW_UP, where no wake word is needed; after a goodbye, or where follow-up is off,
        to IDLE. FOLLOW_UP: speech leads to LISTENING; nobody speaking leads to IDLE.
Rule 7  A spoken "stop" or "goodbye" ends the talk; it is never put to the character.
Rule 8  Muting leads to MUTED from every state, and a running turn is interrupted. Nothing is listened to, kept,
        examined or said until unmuting leads to IDLE.
Rule 9  No state can stick: LISTENING and FOLLOW_UP are bounded by endpointing in audio time, THINKING and SPEAKING
        by the turn's longest time; a lost microphone leads to IDLE until it is back.
Rule 10 Where the owner wants it, the character goes on by itself after a long silence behind its answer: from
        FOLLOW_UP or IDLE only, a limited number of times until somebody speaks, never in quiet hours.
Rule 11 A unit that has nothing to understand speech with answers every wake with a line that says so, and listens
        to no words.
Rule 12 A new persona, and what `companion control say` asks for, wait until nobody speaks.
        Muting and "stop" drop what waits to be said.

All inputs arrive one after the other through the listener, so no two of them can be half done at once.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from datetime import time

from companion.dialogue import Dialogue
from companion.ears.listener import Attention, Listener
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


@dataclass(frozen=True)
class ConversationRules:
    """When the device listens and speaks. All times are seconds of audio time."""

    nobody_s: float
    """LISTENING ends after this much silence."""
    follow_up_s: float
    """How long FOLLOW_UP lasts; 0: there is none."""
    always_open: bool = False
    """Whether words are listened for at rest too."""
    opening_after_s: float = 2.0
    continue_after_s: float = 0.0
    """0: the character never speaks by itself."""
    continue_most: int = 2
    may_speak_first: Callable[[], bool] = lambda: True
    """Whether it is not quiet hours."""
    hears: bool = True
    """Whether there is a transcriber."""
    reopens_microphone: bool = True
    """Whether a lost microphone may come back; where it may not, `run` raises its `DeviceError`."""


MOST_ANNOUNCEMENTS = 8
"""So many wait at most, so that no program can make a device talk for hours."""

_ANSWERING = (State.THINKING, State.SPEAKING)


class Conversation:
    """One device's talk with whoever is there. `run` it once; it ends only when the microphone's file ends."""

    def __init__(
        self,
        listener: Listener,
        dialogue: Dialogue,
        rules: ConversationRules,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_change` is called after every change of state."""
        self._listener = listener
        self._rules = rules
        self._on_change = on_change
        self._idle_attention = Attention.WORDS() if rules.always_open and rules.hears else Attention.WAKE
        self._turn: asyncio.Task[None] | None = None
        self._silence: asyncio.Task[None] | None = None
        """Waits until the silence is long enough for the character to go on by itself."""
        self._continued = 0
        self._announcements: deque[str] = deque()
        self._next: tuple[Dialogue, asyncio.Future[Dialogue]] | None = None
        self._group: asyncio.TaskGroup
        self.state: State | None = None
        self.dialogue = dialogue
        """The character that speaks now."""
        self._event_log = dialogue.tools.event_log

    @property
    def is_answering(self) -> bool:
        """Whether an answer is being made or said."""
        return self.state in _ANSWERING

    @property
    def announcements_waiting(self) -> int:
        """How many announcements wait until nobody speaks."""
        return len(self._announcements)

    def announce(self, text: str) -> None:
        """Say this as soon as nobody speaks. Raises `CompanionError` while muted, and where too much waits already."""
        if self.state is State.MUTED:
            raise CompanionError("The device is muted and says nothing; unmute it first.")
        if len(self._announcements) >= MOST_ANNOUNCEMENTS:
            raise CompanionError(
                f"{MOST_ANNOUNCEMENTS} announcements wait already: try again later; `control stop` drops them."
            )
        self._announcements.append(text)
        self._listener.inject(Control("say"))

    async def switch_to(self, dialogue: Dialogue) -> Dialogue:
        """Let another character take over as soon as nobody speaks. Returns the previous one once that has happened."""
        previous: asyncio.Future[Dialogue] = asyncio.get_running_loop().create_future()
        self._next = dialogue, previous
        self._listener.inject(Control("reload"))
        return await previous

    async def run(self) -> None:
        """Listen and answer until the sound ends."""
        async with asyncio.TaskGroup() as self._group:
            self._go_idle()
            back_off, last_error = _back_off(), ""
            while True:
                try:
                    async for heard in self._listener.hear():
                        back_off, last_error = _back_off(), ""
                        await self._handle(heard)
                    break
                except SpeechError as error:
                    self._record_error(error)
                    if self.state is not State.MUTED:
                        await self._interrupt()
                        self._say("failed", State.FOLLOW_UP)
                except DeviceError as error:
                    # Said once, however often it is tried again.
                    if str(error) != last_error:
                        self._record_error(error)
                    last_error = str(error)
                    if not self._rules.reopens_microphone:
                        raise
                    if self.state in (State.LISTENING, State.FOLLOW_UP):
                        self._go_idle()
                    await asyncio.sleep(next(back_off))
            await self._interrupt()
            self._cancel_silence()

    async def _handle(self, heard: Hearing) -> None:
        match heard:
            case Control(action="mute"):
                self._announcements.clear()
                await self._interrupt()
                self._enter(State.MUTED, Attention.NOTHING)
            case Control(action="unmute"):
                if self.state is State.MUTED:
                    self._go_idle()
            case Control(action="reload"):
                if self._turn is None:
                    self._switch()
            case _ if self.state is State.MUTED:
                pass
            case Control(action="stop"):
                self._announcements.clear()
                await self._interrupt()
                self._cancel_silence()
                self._go_idle()
            case Control(action="say"):
                if self.state in (State.IDLE, State.FOLLOW_UP):
                    self._say_next_announcement()
            case Control(action="continue"):
                if self.state in (State.IDLE, State.FOLLOW_UP) and self._rules.may_speak_first():
                    self._continued += 1
                    self._start(lambda: self.dialogue.continue_speaking(self._first_sound))
            case WakeHeard():
                self._event_log.record("wake", word=heard.word)
                await self._interrupt()
                if not self._rules.hears:
                    self._start(lambda: self.dialogue.say_cannot_hear(self._first_sound))
                    return
                wait = self._rules.opening_after_s if self.dialogue.pending_opening() else self._rules.nobody_s
                self._enter(State.LISTENING, Attention.WORDS(wait))
                self._prepare()
            case SpeechStarted():
                self._event_log.record("speech_started")
                if self.state is not State.LISTENING:
                    self._enter(State.LISTENING)
                    self._prepare()
            case Partial():
                self._event_log.record("partial", text=heard.text)
            case Utterance():
                self._answer(heard)
            case NobodySpoke():
                if self.state is State.LISTENING and (line := self.dialogue.pending_opening()):
                    self._start(lambda: self.dialogue.say_opening(line, self._first_sound))
                else:
                    self._go_idle()

    def _answer(self, utterance: Utterance) -> None:
        self._event_log.record(
            "utterance",
            text=utterance.text,
            confidence=round(utterance.confidence, 3),
            start=round(utterance.start / EAR_RATE, 3),
            end=round(utterance.end / EAR_RATE, 3),
        )
        self._continued = 0
        dialogue = self.dialogue
        match dialogue.persona.spoken_command(utterance.text):
            case "stop":
                self._announcements.clear()
                self._go_idle()
            case "goodbye":
                self._say("goodbye", State.IDLE)
            case "guest":
                dialogue.character.start_guest_session()
                self._say("guest", State.FOLLOW_UP)
            case "again" if (answer := dialogue.character.rephrase()) is not None:
                self._start(lambda: dialogue.reply(utterance, answer, self._first_sound))
            case _:
                self._start(lambda: dialogue.reply(utterance, None, self._first_sound))

    def _start(self, say: Callable[[], Coroutine[None, None, State]]) -> None:
        """An answer will be said soon: a loudspeaker that fell asleep during long speech wakes up meanwhile."""
        self._enter(State.THINKING, Attention.WAKE)
        self._group.create_task(self._prepare_speaker())
        self._turn = self._group.create_task(self._run_turn(say))

    async def _run_turn(self, say: Callable[[], Coroutine[None, None, State]]) -> None:
        self._turn_ended(await say())

    def _say(self, line: str, then: State) -> None:
        """Say one of the persona's own lines."""
        self._start(lambda: self.dialogue.say_line(line, then, self._first_sound))

    def _first_sound(self) -> None:
        self._enter(State.SPEAKING)

    def _turn_ended(self, then: State) -> None:
        self._turn = None
        self._switch()
        if not self._rules.hears:
            self._go_idle()
        elif then is State.LISTENING:
            self._enter(State.LISTENING, Attention.WORDS(self._rules.nobody_s))
        elif then is State.FOLLOW_UP and self._rules.follow_up_s > 0:
            self._enter(State.FOLLOW_UP, Attention.WORDS(self._rules.follow_up_s))
            self._time_silence()
        else:
            self._go_idle()
        self._say_next_announcement()

    def _say_next_announcement(self) -> None:
        if self._announcements:
            text = self._announcements.popleft()
            self._start(lambda: self.dialogue.say_text(text, State.FOLLOW_UP, self._first_sound))

    def _switch(self) -> None:
        """Hand over to the character that `switch_to` named, if it did."""
        if self._next is not None:
            (dialogue, previous), self._next = self._next, None
            self.dialogue, left = dialogue, self.dialogue
            if not previous.done():
                previous.set_result(left)

    def _go_idle(self) -> None:
        self._enter(State.IDLE, self._idle_attention)

    def _time_silence(self) -> None:
        rules = self._rules
        if rules.continue_after_s > 0 and self._continued < rules.continue_most:
            self._silence = self._group.create_task(self._continue_after_silence())

    async def _continue_after_silence(self) -> None:
        await self.dialogue.tools.clock.sleep(self._rules.continue_after_s)
        self._silence = None
        self._listener.inject(Control("continue"))

    def _cancel_silence(self) -> None:
        """Somebody did something: the silence is over."""
        if self._silence is not None:
            self._silence.cancel()
            self._silence = None

    async def _interrupt(self) -> None:
        """Barge-in: the loudspeaker falls silent before anything else is done."""
        turn, self._turn = self._turn, None
        if turn is not None:
            self.dialogue.tools.speaker.flush()
            turn.cancel()
            await asyncio.wait([turn])

    def _prepare(self) -> None:
        """Somebody is about to speak: open the connection and the loudspeaker meanwhile."""
        self._group.create_task(self.dialogue.character.prepare())
        self._group.create_task(self._prepare_speaker())

    async def _prepare_speaker(self) -> None:
        try:
            await self.dialogue.tools.speaker.prepare()
        except DeviceError as error:
            self._record_error(error)

    def _record_error(self, error: CompanionError) -> None:
        self._event_log.record("error", code=error.code, sentence=str(error))

    def _enter(self, state: State, attention: Attention | None = None) -> None:
        if attention is not None:
            self._listener.listen_for(attention)
        if state not in (State.IDLE, State.FOLLOW_UP):
            self._cancel_silence()
        if state is not self.state:
            self.state = state
            self._event_log.record("state", state=state.value)
            self.dialogue.tools.animator.show_state(state.value)
            self._on_change()


def _back_off() -> Iterator[float]:
    """Seconds between attempts to reopen a lost microphone."""
    return itertools.chain((0.25, 0.5, 1.0), itertools.repeat(2.0))


def in_hours(hours: str, now: time) -> bool:
    """Whether `now` lies in `hours`, written as in the settings: `20:00-07:00`, the end not included.

    Hours may go over midnight; empty hours hold no time.
    """
    if not hours:
        return False
    start, end = (time.fromisoformat(part) for part in hours.split("-"))
    moment = now.replace(tzinfo=None)
    return start <= moment < end if start <= end else moment >= start or moment < end
